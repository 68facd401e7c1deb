//! The same takeover by WebRTC: a real Chromium on the page behind a viewer link, real keys, real video.

use baton_tests::{Baton, assert_kept_nowhere, repository};
use serde_json::{Value, json};

/// Typed by the person, and to be found nowhere afterwards.
const E_MAIL: &str = "grace.canary-2290@portal.example";
const PASSWORD: &str = "correct-horse-canary-8315";
const CODE: &str = "417702";

#[tokio::test]
async fn a_person_with_a_link_signs_in_by_webrtc_and_the_agent_goes_on_in_the_same_session() {
    let mut baton = Baton::start().await;
    let (sandbox, task) = baton.demo_that_waits().await;
    let link = baton.post(&format!("/sandboxes/{sandbox}/preview/viewer-url"), json!({ "mode": "control" })).await;
    let link = link["url"].as_str().expect("the link is an address").to_owned();

    let seen = person_in_chromium(&[&link, E_MAIL, PASSWORD, CODE, "signed in by the link"]).await;
    assert_eq!(seen["sockets"], 0, "picture and keys went by WebRTC alone: {seen}");
    assert_eq!((&seen["state"], &seen["codec"]), (&json!("connected"), &json!("video/H264")), "{seen}");
    assert!(seen["framesDecoded"].as_u64().is_some_and(|frames| frames > 5), "{seen}");
    let typed = (E_MAIL.len() + PASSWORD.len() + CODE.len()) as u64;
    assert_eq!(seen["channel"], "input");
    assert!(seen["wordsSent"].as_u64().is_some_and(|words| words > 2 * typed), "each key goes down and up: {seen}");
    // The page's 1280 × 720, and the browser's own bars above it.
    assert_eq!(seen["screen"]["width"], 1280, "{seen}");

    let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    assert!(done["result"].as_str().is_some_and(|result| result.contains("31 invoices")), "{done}");
    let artifacts = baton.get(&format!("/sandboxes/{sandbox}/artifacts")).await;
    let report = artifacts["data"].as_array().expect("a list").iter().find(|artifact| artifact["name"] == "report.md");
    let key = report.expect("the report is saved")["key"].as_str().expect("a key");
    let report = String::from_utf8(baton.bytes(&format!("/artifacts/{key}/content")).await).expect("text");
    assert!(report.starts_with("# Invoices of 2026-10") && report.contains("**Total: €"), "{report}");

    let handoffs = baton.get("/handoffs?status=completed").await;
    let receipt = &handoffs["data"][0]["receipt"];
    assert_eq!(receipt["signedInChanged"], json!(["portal.example"]), "{receipt}");
    assert_eq!(receipt["fieldsTouched"], json!(["E-mail", "Password", "Code"]));
    assert_eq!(receipt["note"], "signed in by the link");

    // The browser's own profile goes with the sandbox.
    baton.stop().await;
    let baton = Baton::start_at(baton.into_home()).await;
    assert_kept_nowhere(&baton, &task, &[E_MAIL, PASSWORD, CODE], "Invoices of 2026-10").await;
}

/// Runs ui/tests/takeover.mjs to its end; returns what the browser saw.
async fn person_in_chromium(words: &[&str]) -> Value {
    let mut node = tokio::process::Command::new("node");
    node.arg("tests/takeover.mjs").args(words).current_dir(repository().join("ui")).kill_on_drop(true);
    let output = node.output().await.expect("node runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}
