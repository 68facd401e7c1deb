//! A browser that nobody uses is stopped, and comes back with its tabs and sign-ins at every door that uses it.

use baton_tests::{Baton, Debugger, HttpMcp, Viewer, eventually};
use serde_json::{Value, json};

use super::recovery::processes;

const PAGE: &str = "http://portal.example/sign-in";

/// Runs an expression in the open page, as a debugging client.
async fn evaluate(baton: &Baton, sandbox: &str, expression: &str) -> Value {
    let mut client = Debugger::with_token(baton, &format!("/sandboxes/{sandbox}/cdp")).await;
    let session = client.attach().await;
    let call = json!({ "expression": expression, "returnByValue": true });
    let told = client.call(Some(&session), "Runtime.evaluate", call).await;
    assert!(told["exceptionDetails"].is_null(), "{told}");
    told["result"]["value"].clone()
}

/// Waits until the browser is stopped.
async fn stopped(baton: &Baton, sandbox: &str) -> Value {
    baton.until(&format!("/sandboxes/{sandbox}/preview"), "/status", "off").await
}

/// Waits until the browser runs.
async fn runs(baton: &Baton, sandbox: &str) -> Value {
    baton.until(&format!("/sandboxes/{sandbox}/preview"), "/status", "ready").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_nobody_uses_is_stopped_and_every_door_brings_it_back() {
    let baton = Baton::start().await;
    let browser = json!({ "idleMs": 1_000 });
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": browser } })).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    baton.post(&path("/preview/navigate"), json!({ "url": PAGE })).await;
    evaluate(&baton, &sandbox, "document.cookie = 'seen=yes'; localStorage.seen = 'yes'").await;

    let resting = stopped(&baton, &sandbox).await;
    assert_eq!(resting["url"], PAGE, "what comes back is shown: {resting}");
    eventually("its processes are gone", || async {
        let all = processes(baton.pid());
        all.iter().all(|process| !process.is_browser() && !process.is_display()).then_some(())
    })
    .await;
    let done = baton.post(&path("/exec"), json!({ "command": "true" })).await;
    assert_eq!(done["exitCode"], 0, "{done}");
    assert_eq!(baton.get(&path("/preview")).await["status"], "off", "a command needs no browser");

    // A debugging client.
    let kept = evaluate(&baton, &sandbox, "[location.href, document.cookie, localStorage.seen].join()").await;
    assert_eq!(kept, format!("{PAGE},seen=yes,yes"));
    stopped(&baton, &sandbox).await;
    let list = baton.get(&path("/cdp/json/list")).await;
    assert_eq!(list[0]["url"], PAGE, "{list}");

    // The routes, a model's tool, a playbook.
    stopped(&baton, &sandbox).await;
    assert!(baton.bytes(&path("/preview/screenshot")).await.starts_with(b"\x89PNG"));
    stopped(&baton, &sandbox).await;
    assert_eq!(baton.post(&path("/preview/reload"), json!({})).await["url"], PAGE);
    stopped(&baton, &sandbox).await;
    assert_eq!(baton.post(&path("/preview/start"), json!({})).await["url"], PAGE);
    stopped(&baton, &sandbox).await;
    let mcp = HttpMcp::connect(&baton).await;
    let seen = mcp.tool("browser_snapshot", json!({ "sandboxId": sandbox })).await;
    assert!(seen.to_string().contains("portal.example"), "{seen}");
    stopped(&baton, &sandbox).await;
    let steps = json!({ "name": "t", "steps": [{ "expect": { "url": "**/sign-in" } }] }).to_string();
    let done = baton.post(&path("/prompt"), json!({ "playbook": steps })).await;
    assert_eq!(done["status"], "completed", "{done}");

    // A person, without and with a live view.
    stopped(&baton, &sandbox).await;
    baton.post(&path("/control/take"), json!({ "controller": "Ada" })).await;
    runs(&baton, &sandbox).await;
    baton.post(&path("/control/release"), json!({})).await;
    stopped(&baton, &sandbox).await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    runs(&baton, &sandbox).await;
    drop(viewer);
    stopped(&baton, &sandbox).await;

    // What does not use it leaves it as it is.
    let checkpoint = baton.post(&path("/checkpoints"), json!({})).await;
    assert_eq!(checkpoint["tabs"], 1, "{checkpoint}");
    baton.post(&path("/pause"), json!({})).await;
    baton.post(&path("/resume"), json!({})).await;
    assert_eq!(baton.get(&path("/preview")).await["status"], "off");
    let kept = evaluate(&baton, &sandbox, "[location.href, document.cookie].join()").await;
    assert_eq!(kept, format!("{PAGE},seen=yes"));
    stopped(&baton, &sandbox).await;
    baton.ok("DELETE", &path(""), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_stops_the_browser_and_its_tabs_are_forgotten() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    baton.post(&path("/preview/navigate"), json!({ "url": PAGE })).await;
    evaluate(&baton, &sandbox, "localStorage.last = 'word'").await;
    let off = baton.post(&path("/preview/stop"), json!({})).await;
    assert_eq!((&off["status"], &off["tabs"], &off["url"]), (&json!("off"), &json!([]), &json!("")), "{off}");
    assert_eq!(baton.post(&path("/preview/stop"), json!({})).await["status"], "off", "again changes nothing");
    // Forgotten tabs are in no checkpoint, and come back after no pause.
    assert_eq!(baton.post(&path("/checkpoints"), json!({})).await["tabs"], 0);
    baton.post(&path("/pause"), json!({})).await;
    baton.post(&path("/resume"), json!({})).await;
    let on = baton.post(&path("/preview/start"), json!({})).await;
    assert_eq!((&on["status"], &on["url"]), (&json!("ready"), &json!("about:blank")), "{on}");
    baton.post(&path("/preview/navigate"), json!({ "url": PAGE })).await;
    assert_eq!(evaluate(&baton, &sandbox, "localStorage.last").await, "word", "what pages stored last is kept");

    let playbook = "name: t\nsteps:\n  - exec: { command: sleep, args: ['60'] }\n";
    let begun = baton.post(&path("/tasks"), json!({ "playbook": playbook })).await;
    let task = begun["taskId"].as_str().expect("an id");
    baton.until(&format!("/tasks/{task}"), "/status", "running").await;
    let (status, refused) = baton.send("POST", &path("/preview/stop"), Some(json!({}))).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")), "{refused}");
}
