//! P12: a CDP call through the gate, against the same call on a browser's own debugging socket.
//!
//! Both browsers are headful on an X display of their own, on a blank page; blocks are interleaved, so that a machine that
//! drifts drifts for both.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use baton_tests::measure::Spread;
use baton_tests::{Baton, Debugger, Display, eventually};
use serde_json::{Value, json};

use crate::table::{Measured, number, print};

const BLOCKS: usize = 12;
const CALLS: usize = 250;

/// Chromium by hand, with a debugging port: what a program would use without us.
struct Raw {
    process: Child,
    _profile: tempfile::TempDir,
    _display: Display,
}

impl Raw {
    async fn start() -> (Self, Debugger) {
        let (display, profile) = (Display::start(1280, 900), tempfile::tempdir().expect("a folder"));
        let process = Command::new("chromium")
            // It stands outside a room, where root's Chromium has no sandbox of its own; it opens a blank page only.
            .args(["--no-sandbox", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("DISPLAY", &display.name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is installed");
        let told = profile.path().join("DevToolsActivePort");
        let address = eventually("the browser opens its port", || std::future::ready(address(&told))).await;
        let raw = Self { process, _profile: profile, _display: display };
        (raw, Debugger::connect(&address).await.expect("a browser"))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address(told: &Path) -> Option<String> {
    let text = std::fs::read_to_string(told).ok()?;
    let (port, path) = text.split_once('\n')?;
    Some(format!("ws://127.0.0.1:{port}{}", path.trim()))
}

/// The calls: one that acts, one that looks, one that brings much.
fn calls() -> [(&'static str, &'static str, Value); 3] {
    [
        ("act", "Runtime.evaluate", json!({ "expression": "1 + 1" })),
        ("look", "DOM.getDocument", json!({ "depth": 1 })),
        ("large", "Page.captureScreenshot", json!({ "format": "png" })),
    ]
}

async fn block(
    client: &mut Debugger,
    session: &str,
    method: &str,
    params: &Value,
    n_calls: usize,
) -> Vec<Option<Duration>> {
    let mut taken = Vec::with_capacity(n_calls);
    for _ in 0..n_calls {
        let begun = Instant::now();
        client.call(Some(session), method, params.clone()).await;
        taken.push(Some(begun.elapsed()));
    }
    client.events.clear();
    taken
}

pub async fn measure(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let mut ours = Debugger::with_token(&baton, &format!("/sandboxes/{sandbox}/cdp")).await;
    let (_raw, mut theirs) = Raw::start().await;
    let (our_page, their_page) = (ours.attach().await, theirs.attach().await);
    let mut rows = vec![];
    for (name, method, params) in calls() {
        let n_calls = if name == "large" { CALLS / 25 } else { CALLS };
        let (mut gate, mut raw) = (Vec::new(), Vec::new());
        for round in 0..=BLOCKS {
            let one = block(&mut ours, &our_page, method, &params, n_calls).await;
            let other = block(&mut theirs, &their_page, method, &params, n_calls).await;
            // The first is for warming up.
            if round > 0 {
                gate.extend(one);
                raw.extend(other);
            }
        }
        let (gate, raw) = (Spread::of(&gate), Spread::of(&raw));
        let ratio = gate.p50 / raw.p50;
        rows.push(vec![
            method.to_owned(),
            number(gate.p50, 2),
            number(raw.p50, 2),
            number(ratio, 2),
            number(gate.p95 / raw.p95, 2),
        ]);
        measured.add(&format!("gate.{name}"), json!({ "ratio": ratio, "gate": gate, "raw": raw }))?;
    }
    print("A call through the gate", &["", "p50 ms", "raw port, p50 ms", "p50 ratio", "p95 ratio"], &rows);
    Ok(())
}
