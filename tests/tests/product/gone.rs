//! A program that goes away in the middle of a call takes its command along, over every door.

use baton_tests::{Baton, Mcp, eventually, http_client};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

/// A command that is looked for by its name.
const COMMAND: &str = r#"{"command":"sleep","args":["4242"]}"#;

async fn runs(baton: &Baton, sandbox: &str) -> bool {
    let look = json!({ "command": "bash", "args": ["-c", "pgrep -x sleep || echo none"] });
    let ran = baton.post(&format!("/sandboxes/{sandbox}/exec"), look).await;
    ran["stdout"] != "none\n"
}

async fn begins_and_ends(baton: &Baton, sandbox: &str, door: &str, leave: impl AsyncFnOnce()) {
    eventually(&format!("{door}: the command runs"), || async { runs(baton, sandbox).await.then_some(()) }).await;
    leave().await;
    eventually(&format!("{door}: the command is gone"), || async { (!runs(baton, sandbox).await).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_over_http_that_hangs_up_takes_its_command_along() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let code = json!({ "language": "bash", "code": "exec sleep 4242" });
    let command: Value = serde_json::from_str(COMMAND).expect("JSON");
    for (door, path, body) in
        [("exec", "exec", &command), ("stream", "exec?stream=1", &command), ("code", "code", &code)]
    {
        let url = format!("{}/v1/sandboxes/{sandbox}/{path}", baton.url);
        let request = http_client().post(url).bearer_auth(&baton.token).json(body);
        let call = tokio::spawn(async move { request.send().await.expect("an answer begins").bytes().await.map(drop) });
        begins_and_ends(&baton, &sandbox, door, async || call.abort()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mcp_client_that_goes_away_takes_its_command_along() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    for how in ["input closed", "SIGTERM", "SIGKILL"] {
        let mut client = Mcp::start(&baton).await;
        let pid = client.pid();
        let arguments = json!({ "sandboxId": sandbox, "command": "sleep", "args": ["4242"] });
        client.send("tools/call", json!({ "name": "sandbox_exec", "arguments": arguments })).await;
        let (mut client, mut server) = (Some(client), None);
        begins_and_ends(&baton, &sandbox, how, async || match how {
            "input closed" => server = client.take().map(Mcp::close_input),
            "SIGTERM" => kill(pid, Signal::SIGTERM).expect("it runs"),
            _ => kill(pid, Signal::SIGKILL).expect("it runs"),
        })
        .await;
        drop((client, server));
    }
}
