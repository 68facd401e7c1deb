//! The official SDKs of the Model Context Protocol, unmodified: over standard input and output, and over streamable HTTP.

use baton_tests::{Baton, Foreign, Viewer, binary, http_client};
use serde_json::{Value, json};

const TOOLS: [&str; 28] = [
    "artifact_list",
    "artifact_save",
    "browser_click",
    "browser_dialog",
    "browser_navigate",
    "browser_press",
    "browser_screenshot",
    "browser_scroll",
    "browser_select",
    "browser_sign_in",
    "browser_snapshot",
    "browser_tabs",
    "browser_type",
    "checkpoint_create",
    "checkpoint_restore",
    "document_convert",
    "fs_list",
    "fs_read",
    "fs_write",
    "handoff_request",
    "handoff_wait",
    "sandbox_end",
    "sandbox_exec",
    "sandbox_launch",
    "sandbox_list",
    "sandbox_run_code",
    "task_get",
    "task_prompt",
];

/// What clients that have a state are tested for beside the common part.
const PASSWORD: &str = "canary-7781";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value} is a text"))
}

/// Starts a script of `tests/foreign` over one of the two transports.
fn client(script: &str, kind: &str, baton: &Baton) -> Foreign {
    let home = baton.home().to_str().expect("a path in letters").to_owned();
    let (program, address) = (binary("baton"), format!("{}/v1/mcp", baton.url));
    let place = if kind == "stdio" { program.to_str().expect("a path in letters") } else { &address };
    Foreign::with_env(script, &[kind, place, &baton.token], &[("BATON_HOME", &home)])
}

/// Drives, asks, is held off during the takeover, and goes on after the hand-back. Returns the sandbox.
async fn goes_through_a_takeover(client: &mut Foreign, baton: &Baton) -> String {
    let connected = client.step("connect").await;
    assert_eq!(connected["tools"], json!(TOOLS));
    let launched = client.step("launch").await;
    assert_eq!(launched["status"], "ready", "{launched}");
    let sandbox = text(&launched, "id").to_owned();
    let driven = client.step("drive").await;
    assert!(text(&driven, "seen").starts_with("<page-content "), "{driven}");
    assert!(text(&driven, "clicked").contains("now at http://portal.example/"), "{driven}");

    let asked = client.step("ask").await;
    assert!(text(&asked, "text").contains("handoff_wait") && asked["early"] == false, "{asked}");
    assert!(text(&asked, "link").starts_with(&format!("{}/viewer.html#ticket=", baton.url)), "{asked}");
    let viewer = Viewer::connect(baton, &sandbox).await;
    viewer.take().await;
    let held = client.step("held").await;
    for refused in ["clicked", "seen"] {
        let told = &held[refused];
        assert_eq!(told["failed"], true, "{told}");
        let words = text(told, "text");
        let request = text(&held, "requestId");
        assert!(words.starts_with("heldByPerson: ") && words.contains("handoff_wait"), "{words}");
        assert!(words.contains(request) && words.contains("Sign in, then hand back"), "{words}");
    }
    assert_eq!(held["ran"], "meanwhile\n");

    let (back, ()) = tokio::join!(client.step("back"), viewer.hand_back(None));
    assert_eq!(back["status"], "completed", "{back}");
    assert_eq!(back["old"]["failed"], true, "{back}");
    assert!(text(&back["old"], "text").contains("browser_snapshot"), "{back}");
    assert_eq!((&back["navigated"], &back["tabs"]), (&json!(false), &json!(1)));
    sandbox
}

/// What the client did is in the story, as a program's, and without what it typed.
async fn is_in_the_story(baton: &Baton, sandbox: &str) {
    let page = baton.get(&format!("/sandboxes/{sandbox}/events?limit=200")).await;
    let events = page["data"].as_array().expect("a list");
    let acted: Vec<&Value> = events.iter().filter(|event| event["type"] == "sandbox.agent.action").collect();
    assert!(acted.iter().all(|event| event["by"] == "api"), "{acted:?}");
    let names: Vec<&str> = acted.iter().map(|event| text(&event["data"], "name")).collect();
    assert!(names.starts_with(&["navigate", "click"]), "{names:?}");
    assert!(!page.to_string().contains(PASSWORD), "what was typed is not told");
    let asked = events.iter().find(|event| event["type"] == "sandbox.handoff.requested");
    assert_eq!(asked.expect("the request is in the story")["by"], "api");
}

async fn typescript(kind: &str) {
    let baton = Baton::start().await;
    let mut client = client("mcp_sdk.mjs", kind, &baton);
    let sandbox = goes_through_a_takeover(&mut client, &baton).await;
    is_in_the_story(&baton, &sandbox).await;
    let n_told = client.step("progress").await;
    assert!(n_told.as_u64().is_some_and(|told| told >= 2), "{n_told}");
    let cancelled = client.step("cancel").await;
    assert!(text(&cancelled, "failed").contains("abort") && cancelled["still"] == 1, "{cancelled}");
    let still = "pgrep -x sleep || echo none";
    let exec = json!({ "command": "bash", "args": ["-c", still] });
    let path = format!("/sandboxes/{sandbox}/exec");
    let ended = baton_tests::eventually("the cancelled command has ended", || async {
        let ran = baton.post(&path, exec.clone()).await;
        (ran["stdout"] == "none\n").then_some(())
    });
    ended.await;
    let prompted = client.step("prompt").await;
    assert_eq!(prompted["failed"], true, "{prompted}");
    assert!(text(&prompted, "text").starts_with("noModel: "), "{prompted}");
    client.step("leave").await;
    baton.until(&format!("/sandboxes/{sandbox}"), "/status", "ended").await;
}

async fn python(kind: &str) {
    let baton = Baton::start().await;
    let mut client = client("mcp_sdk.py", kind, &baton);
    let sandbox = goes_through_a_takeover(&mut client, &baton).await;
    is_in_the_story(&baton, &sandbox).await;
    client.step("leave").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdk_works_over_standard_input_and_output() {
    typescript("stdio").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdk_works_over_streamable_http() {
    typescript("http").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_works_over_standard_input_and_output() {
    python("stdio").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_works_over_streamable_http() {
    python("http").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_endpoint_obeys_token_host_and_origin() {
    let baton = Baton::start().await;
    let address = format!("{}/v1/mcp", baton.url);
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let http = http_client();
    let ask = || http.post(&address).header("accept", "application/json, text/event-stream").json(&hello);
    let status =
        |request: reqwest::RequestBuilder| async { request.send().await.expect("an answer").status().as_u16() };
    assert_eq!(status(ask()).await, 401);
    assert_eq!(status(ask().bearer_auth("wrong")).await, 401);
    assert_eq!(status(ask().bearer_auth(&baton.token).header("origin", "https://page.example")).await, 403);
    assert_eq!(status(ask().bearer_auth(&baton.token).header("host", "page.example")).await, 403);
    assert_eq!(status(ask().bearer_auth(&baton.token)).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_runtime_one_is_started_and_ends_with_its_client() {
    let home = tempfile::tempdir().expect("a folder for the data");
    let path = home.path().to_str().expect("a path in letters");
    let program = binary("baton");
    let place = program.to_str().expect("a path in letters");
    let mut client = Foreign::with_env("mcp_sdk.mjs", &["stdio", place], &[("BATON_HOME", path)]);
    client.step("connect").await;
    let own = Baton::join(home.path()).await;
    assert_eq!(own.get("/sandboxes").await["data"], json!([]));
    client.step("launch").await;
    client.step("leave").await;
    baton_tests::eventually("the runtime has ended", || async {
        (!home.path().join("runtime.json").exists()).then_some(())
    })
    .await;
}
