//! Keys between holders, on the way through the driver: what a person holds is up before the next one acts.

use std::time::Duration;

use axum::Router;
use baton_tests::{Baton, Debugger, Site, Viewer, eventually};
use sandbox_core::Lease;
use sandbox_core::viewer::{FromViewer, InputEvent};
use serde_json::json;

const PAGE: (&str, &str) = (
    "/keys",
    r#"<title>Keys</title><body style="margin:0;height:400px"><script>
    var down = [];
    const lift = (name) => { down = down.filter((held) => held !== name); };
    onmousedown = () => down.push('mouse');
    onmouseup = () => lift('mouse');
    onkeydown = (event) => { if (!event.repeat) down.push(event.code); tell(); };
    onkeyup = (event) => lift(event.code);
    const tell = () => fetch('/told?down=' + down.join());
    </script>"#,
);

/// A send that takes longer than this is stuck.
const STUCK: Duration = Duration::from_secs(2);
/// A text near the largest that is taken, in bytes.
const LARGE: usize = 900_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stuck_view_holds_is_up_when_a_program_releases_control() {
    let (site, baton) = tokio::join!(Site::serve(&[PAGE], Router::new()), Baton::start());
    let network = json!({ "allowPrivate": [site.address.to_string()] });
    let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    baton.post(&path("/preview/navigate"), json!({ "url": site.url("/keys") })).await;

    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    let bars = viewer.bars(&baton, &sandbox).await;
    let (x, y) = (200, bars + 200);
    viewer.input(InputEvent::Button { button: 0, down: true, x, y }).await;
    viewer.input(InputEvent::Key { code: "ShiftLeft".into(), key: "Shift".into(), down: true }).await;
    site.told_that("down", "mouse,ShiftLeft").await;

    // From here on its page reads nothing, so that it cannot let go by itself: it is told more than the way holds.
    let lease = viewer.lease().expect("this person holds control");
    viewer.say(&FromViewer::Paste { lease, text: "x".repeat(LARGE) }).await;
    viewer.stop_reading();
    let refused = FromViewer::Paste { lease: Lease(0), text: "x".repeat(LARGE) };
    loop {
        let more = async {
            viewer.say(&FromViewer::Copy { lease }).await;
            viewer.say(&refused).await;
        };
        if tokio::time::timeout(STUCK, more).await.is_err() {
            break;
        }
    }

    baton.post(&path("/control/release"), json!({})).await;
    let mut debugger = Debugger::with_token(&baton, &path("/cdp")).await;
    let session = debugger.attach().await;
    let debugger = tokio::sync::Mutex::new(debugger);
    let held = json!({ "expression": "down.join()", "returnByValue": true });
    eventually("nothing is held", || async {
        let answer = debugger.lock().await.call(Some(&session), "Runtime.evaluate", held.clone()).await;
        (answer["result"]["value"] == "").then_some(())
    })
    .await;
    let preview = baton.get(&path("/preview")).await;
    assert_eq!(preview["viewers"], 1, "it is not the end of the view that let go");
}
