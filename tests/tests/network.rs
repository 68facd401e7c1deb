//! A page that the way out does not carry fails at every door, with the cause and its setting.

use baton_tests::{Baton, http_client};
use serde_json::{Value, json};

/// Addresses that fail, and what the failure says.
const FAILING: [(&str, [&str; 2]); 4] = [
    ("http://nowhere.invalid/", ["its address was not found", "net::ERR_NAME_NOT_RESOLVED"]),
    ("https://nowhere.invalid/", ["its address was not found", "net::ERR_NAME_NOT_RESOLVED"]),
    ("http://10.0.0.1/", ["network.allowPrivate of this sandbox", "net::ERR_BLOCKED_BY_CLIENT"]),
    ("https://10.0.0.1/", ["network.allowPrivate of this sandbox", "net::ERR_BLOCKED_BY_CLIENT"]),
];

/// Calls a tool without a session, as a client of one request does.
async fn tool(baton: &Baton, name: &str, arguments: Value) -> String {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": name, "arguments": arguments } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let post = |body: &Value| {
        let request = http_client().post(format!("{}/v1/mcp", baton.url)).bearer_auth(&baton.token).json(body);
        request.header("accept", "application/json, text/event-stream")
    };
    let opened = post(&hello).send().await.expect("it answers");
    let session = opened.headers()["mcp-session-id"].to_str().expect("text").to_owned();
    opened.text().await.expect("an answer");
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    post(&begun).header("mcp-session-id", &session).send().await.expect("it hears");
    let answer = post(&call).header("mcp-session-id", &session).send().await.expect("it answers");
    answer.text().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_carried_fails_at_every_door() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    for (address, parts) in FAILING {
        let path = format!("/sandboxes/{sandbox}/preview/navigate");
        let (status, refused) = baton.send("POST", &path, Some(json!({ "url": address }))).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
        let steps = json!({ "name": "t", "steps": [{ "navigate": address }] }).to_string();
        let task = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": steps })).await;
        assert_eq!(task["status"], "failed", "{task}");
        let told = tool(&baton, "browser_navigate", json!({ "sandboxId": sandbox, "url": address })).await;
        assert!(told.contains("\"isError\":true"), "{told}");
        for (door, said) in [("preview", refused.to_string()), ("playbook", task["error"].to_string()), ("mcp", told)] {
            assert!(parts.iter().all(|part| said.contains(part)), "{door} {address}: {said}");
        }
    }
    let denied = baton.get(&format!("/sandboxes/{sandbox}")).await;
    assert_eq!(denied["status"], "ready", "a failing page harms nothing: {denied}");
}
