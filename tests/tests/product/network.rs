//! A page that the way out does not carry fails at every door, with the cause and its setting.

use baton_tests::{Baton, HttpMcp};
use serde_json::json;

/// Addresses that fail, and what the failure says.
const FAILING: [(&str, [&str; 2]); 4] = [
    ("http://nowhere.invalid/", ["its address was not found", "net::ERR_NAME_NOT_RESOLVED"]),
    ("https://nowhere.invalid/", ["its address was not found", "net::ERR_NAME_NOT_RESOLVED"]),
    ("http://10.0.0.1/", ["network.allowPrivate of this sandbox", "net::ERR_BLOCKED_BY_CLIENT"]),
    ("https://10.0.0.1/", ["network.allowPrivate of this sandbox", "net::ERR_BLOCKED_BY_CLIENT"]),
];

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
        let mcp = HttpMcp::connect(&baton).await;
        let told = mcp.tool("browser_navigate", json!({ "sandboxId": sandbox, "url": address })).await;
        assert_eq!(told["isError"], true, "{told}");
        let said = [refused.to_string(), task["error"].to_string(), told.to_string()];
        for (door, said) in ["preview", "playbook", "mcp"].into_iter().zip(said) {
            assert!(parts.iter().all(|part| said.contains(part)), "{door} {address}: {said}");
        }
    }
    let denied = baton.get(&format!("/sandboxes/{sandbox}")).await;
    assert_eq!(denied["status"], "ready", "a failing page harms nothing: {denied}");
}
