//! What a sandbox takes: its start, taking control of it, a command in it, its memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use baton_tests::measure::{Spread, gaps, median};
use baton_tests::{Baton, Viewer, eventually};
use sandbox_core::viewer::FromViewer;
use serde_json::json;

use crate::chromium::Chromium;
use crate::table::{Measured, number, print};
use crate::{PAGE_SIZE, cost};

const STARTS: usize = 6;

/// P10: from the request until ready, against Xvfb and the same Chromium started by hand.
pub async fn start(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let (mut ours, mut by_hand) = (vec![], vec![]);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let chromium = Chromium::open("about:blank", PAGE_SIZE)?;
        by_hand.push(begun.elapsed().as_secs_f64());
        drop(chromium);
        let begun = Instant::now();
        let sandbox = baton.ready_sandbox(json!({})).await;
        ours.push(begun.elapsed().as_secs_f64());
        baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
        baton.until(&format!("/sandboxes/{sandbox}"), "/status", "ended").await;
    }
    let ratios: Vec<f64> = ours.iter().zip(&by_hand).map(|(ours, by_hand)| ours / by_hand).collect();
    let row = vec![number(median(&ours), 2), number(median(&by_hand), 2), number(median(&ratios), 2)];
    print("Launch until ready", &["ours, s", "by hand, s", "ratio (median of 6)"], &[row]);
    measured.add("start", json!({ "oursS": ours, "byHandS": by_hand, "ratio": median(&ratios) }))
}

/// P13: from asking for the wheel until the first input goes out, while an agent works and is between its actions.
pub async fn take(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let steps: Vec<_> = (0..400).map(|_| json!({ "code": { "language": "bash", "code": "sleep 0.2" } })).collect();
    let playbook = json!({ "name": "Between actions", "steps": steps }).to_string();
    baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.still_picture().await;
    let mut times = vec![];
    for gap in gaps().take(20) {
        let begun = Instant::now();
        viewer.say(&FromViewer::Take { controller: "the bench".to_owned() }).await;
        while viewer.lease().is_none() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        viewer.click(600, 400).await;
        times.push(Some(begun.elapsed()));
        viewer.hand_back(None).await;
        tokio::time::sleep(gap).await;
    }
    eventually("the wheel is free", || std::future::ready(viewer.lease().is_none().then_some(()))).await;
    let spread = Spread::of(&times);
    let row = vec![number(spread.p50, 1), number(spread.p95, 1), number(spread.max, 1)];
    print("Take control until the first input is sent", &["p50 ms", "p95 ms", "max ms"], &[row]);
    measured.add("take", spread)
}

/// P11: `exec` of `true` on a running sandbox, against bubblewrap alone.
pub async fn exec(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let (mut ours, mut alone) = (vec![], vec![]);
    for _ in 0..200 {
        let begun = Instant::now();
        baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "true" })).await;
        ours.push(Some(begun.elapsed()));
        let begun = Instant::now();
        let status =
            std::process::Command::new("bwrap").args("--ro-bind / / --unshare-all true".split(' ')).status()?;
        anyhow::ensure!(status.success(), "bubblewrap ran");
        alone.push(Some(begun.elapsed()));
    }
    let (ours, alone) = (Spread::of(&ours), Spread::of(&alone));
    let row = vec![number(ours.p50, 2), number(ours.p95, 2), number(alone.p50, 2), number(ours.p50 / alone.p50, 2)];
    print("exec of true", &["p50 ms", "p95 ms", "bubblewrap alone p50 ms", "ratio"], &[row]);
    measured.add("exec", json!({ "ours": ours, "bubblewrapAlone": alone }))
}

/// P14: memory of a sandbox above its Chromium, and of the runtime with ten sandboxes.
pub async fn memory(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    baton.ready_sandbox(json!({})).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let one = cost::memory(&[baton.pid()]);
    let runtime = |found: &BTreeMap<String, f64>| found.get("baton").copied().unwrap_or(f64::NAN);
    let display = one.get("Xvfb").copied().unwrap_or(0.0);
    let chromium: f64 = one.iter().filter(|(name, _)| name.starts_with("chrom")).map(|(_, mib)| mib).sum();
    let ours = one.values().sum::<f64>() - chromium - display - runtime(&one);
    for _ in 0..9 {
        let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
        baton.get(&format!("/sandboxes/{sandbox}/events?limit=100")).await;
    }
    let with_ten = runtime(&cost::memory(&[baton.pid()]));
    let row = [ours, display, chromium, with_ten].map(|mib| number(mib, 0)).to_vec();
    print("Memory, MiB", &["a sandbox", "its display", "its Chromium", "the runtime with ten sandboxes"], &[row]);
    measured.add(
        "memory",
        json!({ "sandboxMib": ours, "displayMib": display, "chromiumMib": chromium, "runtimeMib": with_ten }),
    )
}
