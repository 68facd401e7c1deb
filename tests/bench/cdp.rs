//! P12: a CDP call through the gate, against the same call on a browser's own debugging socket.
//!
//! Both browsers are headful on an X display of their own, on a blank page; blocks are interleaved, so that a machine that
//! drifts drifts for both. Run it with `cargo bench -p baton-tests --bench cdp`; it prints one line of JSON.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use baton_tests::{Baton, Debugger, Display, eventually};
use serde_json::{Value, json};

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

async fn block(client: &mut Debugger, session: &str, method: &str, params: &Value, n_calls: usize) -> Vec<Duration> {
    let mut taken = Vec::with_capacity(n_calls);
    for _ in 0..n_calls {
        let begun = Instant::now();
        client.call(Some(session), method, params.clone()).await;
        taken.push(begun.elapsed());
    }
    client.events.clear();
    taken
}

fn at(taken: &mut [Duration], part: f64) -> f64 {
    taken.sort_unstable();
    let index = ((taken.len() - 1) as f64 * part) as usize;
    taken[index].as_secs_f64() * 1e3
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let mut ours = Debugger::with_token(&baton, &format!("/sandboxes/{sandbox}/cdp")).await;
    let (_raw, mut theirs) = Raw::start().await;
    let (our_page, their_page) = (ours.attach().await, theirs.attach().await);
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
        let ratio = at(&mut gate, 0.5) / at(&mut raw, 0.5);
        let line = json!({
            "call": method, "n": gate.len(), "ratioP50": ratio, "ratioP95": at(&mut gate, 0.95) / at(&mut raw, 0.95),
            "gateP50Ms": at(&mut gate, 0.5), "rawP50Ms": at(&mut raw, 0.5),
        });
        println!("{line}");
    }
}
