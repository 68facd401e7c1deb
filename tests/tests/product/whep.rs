//! The live view by WebRTC: a real Chromium on the page behind a viewer link, real keys, exact pictures; and a player that
//! knows only WHEP.

use baton_tests::{Baton, Site, Viewer, assert_kept_nowhere, repository};
use image::RgbaImage;
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

    let seen = in_chromium("takeover", &[&link, E_MAIL, PASSWORD, CODE, "signed in by the link"]).await;
    assert_eq!(seen["sockets"], 0, "picture and keys went by WebRTC alone: {seen}");
    assert_eq!((&seen["state"], &seen["framesDecoded"]), (&json!("connected"), &json!(0)), "{seen}");
    assert!(seen["pieces"].as_u64().is_some_and(|pieces| pieces > 5), "{seen}");
    let typed = (E_MAIL.len() + PASSWORD.len() + CODE.len()) as u64;
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

#[tokio::test]
async fn the_picture_by_webrtc_is_the_sockets_to_the_pixel_and_other_players_get_video() {
    let baton = Baton::start().await;
    let site = Site::serve(&[("/", TEXT)], axum::Router::new()).await;
    let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": [site.address.to_string()] } })).await;
    baton.post(&format!("/sandboxes/{sandbox}/preview/navigate"), json!({ "url": site.url("/") })).await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    let mut links = vec![];
    for _ in 0..2 {
        let link = baton.post(&format!("/sandboxes/{sandbox}/preview/viewer-url"), json!({ "mode": "watch" })).await;
        links.push(link["url"].as_str().expect("the link is an address").to_owned());
    }
    let whep = format!("{}/v1/sandboxes/{sandbox}/whep", baton.url);
    let told = in_chromium("webrtc", &[&links[0], &links[1], &whep, &baton.token]).await;

    // The socket's picture is the X server's: the guest's own tests compare them.
    let seen = &told["seen"];
    assert_eq!(seen["hash"], json!(hash(&viewer.still_picture().await)), "{told}");
    assert_eq!((&seen["framesDecoded"], &seen["state"]), (&json!(0), &json!("connected")), "{told}");
    let screen = viewer.still_picture().await;
    let foreign = &told["foreign"];
    assert_eq!((&foreign["status"], &foreign["width"]), (&json!(201), &json!(screen.width())), "{told}");
    assert_eq!(told["fallback"], json!({ "shown": "video", "width": screen.width() }));
}

const TEXT: &str = "<!doctype html><title>Text</title><body style='font: 15px serif; background: linear-gradient(#fff, #cde)'>\
    <h1>Invoices of 2026-10</h1><p>The quick brown fox jumps over the lazy dog.<p style='color: #a33'>0123456789";

/// The same number as ui/tests/webrtc-page.mjs has for these pixels.
fn hash(picture: &RgbaImage) -> i32 {
    picture.pixels().fold(7_i32, |hash, pixel| {
        let [r, g, b, _] = pixel.0.map(i32::from);
        hash.wrapping_mul(31).wrapping_add(r << 16 | g << 8 | b)
    })
}

/// Runs one of ui/tests to its end; returns what the browser saw.
async fn in_chromium(script: &str, words: &[&str]) -> Value {
    let mut node = tokio::process::Command::new("node");
    node.arg(format!("tests/{script}.mjs")).args(words).current_dir(repository().join("ui")).kill_on_drop(true);
    let output = node.output().await.expect("node runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}
