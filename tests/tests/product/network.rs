//! The way out: a page that it does not carry fails at every door, with the cause and its setting; a place that nobody named is
//! asked about where the sandbox is set to ask.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use baton_tests::{Baton, HttpMcp, Site, eventually};
use serde_json::{Value, json};

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

/// Waits for a question, and answers it.
async fn answered(baton: &Baton, decision: &str) -> Value {
    let question = eventually("a person is asked", || async {
        let open = baton.get("/approvals?status=pending").await;
        open["data"].as_array().expect("a list").first().cloned()
    })
    .await;
    let id = question["approvalId"].as_str().expect("an id");
    baton.post(&format!("/approvals/{id}"), json!({ "decision": decision, "hash": question["hash"] })).await;
    question
}

/// Runs a command that wants to go to a host, and answers the question about it. Returns what the command printed.
async fn fetch_and_answer(baton: &Baton, sandbox: &str, host: &str, decision: &str) -> String {
    let script = "import sys, urllib.request, urllib.error\ntry: urllib.request.urlopen('http://' + sys.argv[1])\n\
                  except urllib.error.HTTPError as refused: print(refused.read().decode())";
    let path = format!("/sandboxes/{sandbox}/exec");
    let command = json!({ "command": "python3", "args": ["-c", script, host], "timeoutMs": 120_000 });
    let (told, question) = tokio::join!(baton.post(&path, command), answered(baton, decision));
    let proposal = &question["proposal"];
    assert_eq!((&proposal["kind"], &question["held"]), (&json!("newDestination"), &json!(true)), "{question}");
    assert_eq!(proposal["destination"], format!("http://{host}"), "{question}");
    told["stdout"].as_str().expect("an output").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_that_asks_reaches_what_is_named_and_what_a_person_opens() {
    let baton = Baton::start().await;
    let network = json!({ "mode": "ask", "allow": ["listed.invalid"] });
    let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
    let opened = fetch_and_answer(&baton, &sandbox, "fresh.invalid", "approve").await;
    assert!(opened.contains("its address was not found"), "it was let out, and there is no such host: {opened}");
    let refused = fetch_and_answer(&baton, &sandbox, "other.invalid", "deny").await;
    assert!(refused.contains("a person said no to it"), "{refused}");
    let shown = baton.get(&format!("/sandboxes/{sandbox}")).await;
    let lines = json!(["listed.invalid", "fresh.invalid:80", "fresh.invalid:443"]);
    assert_eq!(shown["network"]["allow"], lines, "the answer is in the record");

    // Nobody is asked about what is opened, listed, allowed by a rule, or named by the task itself.
    let rules = json!([
        { "site": "ruled.invalid", "kind": "newDestination", "effect": "allow" },
        { "site": "*", "effect": "allow" },
    ]);
    baton.ok("PUT", "/rules", Some(json!({ "rules": rules }))).await;
    let ruled = json!({ "command": "curl", "args": ["-s", "http://ruled.invalid/"] });
    let told = baton.post(&format!("/sandboxes/{sandbox}/exec"), ruled).await;
    assert!(told["stdout"].to_string().contains("its address was not found"), "{told}");
    for host in ["fresh.invalid", "listed.invalid", "task.invalid"] {
        let steps = json!({ "name": "t", "steps": [{ "navigate": format!("http://{host}/") }] }).to_string();
        let task = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": steps })).await;
        assert!(task["error"].to_string().contains("its address was not found"), "{host}: {task}");
    }
    let all: Value = baton.get("/approvals").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2), "{all}");
    // A rule for every kind of act says nothing of the network.
    let refused = fetch_and_answer(&baton, &sandbox, "third.invalid", "deny").await;
    assert!(refused.contains("a person said no to it"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_page_is_a_new_place_waits_for_the_answer() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "network": { "mode": "ask" } })).await;
    // Put together by the page, so that the task does not name it.
    let page = "data:text/html,<title>Start</title><button onclick=\"location = 'http://' + ['new', 'invalid'].join('.')\">Go</button>";
    let steps = json!([{ "navigate": page }, { "click": { "role": "button", "name": "Go" } }, { "expect": { "text": "Welcome", "timeoutMs": 5000 } }]);
    let playbook = json!({ "name": "t", "steps": steps }).to_string();
    let begun = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let task = begun["taskId"].as_str().expect("an id").to_owned();
    let question = answered(&baton, "deny").await;
    assert_eq!((&question["taskId"], &question["held"]), (&json!(task), &json!(true)), "{question}");
    let ended = baton.until_over(&task).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    let events = json!(baton.events(&task).await).to_string();
    assert!(events.contains("a person said no to it"), "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_gave_up_waiting_loads_after_the_answer() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "network": { "mode": "ask" } })).await;
    let path = format!("/sandboxes/{sandbox}/preview/navigate");
    let late = async {
        // Chromium waits 30 s for a tunnel.
        tokio::time::sleep(Duration::from_secs(32)).await;
        answered(&baton, "approve").await
    };
    let body = json!({ "url": "https://late.invalid/" });
    let ((status, told), question) = tokio::join!(baton.send("POST", &path, Some(body)), late);
    assert_eq!(question["proposal"]["summary"], "reach late.invalid", "{question}");
    assert!(status == 400 && told.to_string().contains("its address was not found"), "it was tried again: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_page_stays_closed_fails_with_the_cause() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "network": { "mode": "ask" } })).await;
    let path = format!("/sandboxes/{sandbox}/preview/navigate");
    for address in ["http://closed.invalid/", "https://shut.invalid/"] {
        let body = json!({ "url": address });
        let ((status, told), _) = tokio::join!(baton.send("POST", &path, Some(body)), answered(&baton, "deny"));
        assert!(status == 400 && told.to_string().contains("a person said no to it"), "{told}");
    }
    let all: Value = baton.get("/approvals").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2), "each was asked about once: {all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_sandbox_went_is_listed_with_its_bytes_and_stays_after_its_end() {
    let site = Site::serve(&[], Router::new().route("/", get(|| async { "x".repeat(20_000) }))).await;
    let (host, port) = ("127.0.0.1", site.address.port());
    let mut baton = Baton::start().await;
    let network = json!({ "mode": "allowlist", "allow": [host], "allowPrivate": [host] });
    let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    let address = format!("http://{host}:{port}/");
    // Its own loopback is that of its room.
    let fetch = json!({ "command": "curl", "args": ["-s", "--noproxy", "", address, "http://closed.example/"] });
    baton.post(&path("/exec"), fetch).await;
    baton.post(&path("/preview/navigate"), json!({ "url": format!("http://{host}:{port}/") })).await;
    let listed = baton.get(&path("/network")).await;
    let of = |listed: &Value, by: &str, host: &str| {
        let all = listed["data"].as_array().expect("a list");
        all.iter().find(|each| each["by"] == by && each["host"] == host).cloned().unwrap_or_else(|| panic!("{listed}"))
    };
    for by in ["commands", "browser"] {
        let used = of(&listed, by, host);
        assert_eq!((&used["port"], &used["refused"]), (&json!(port), &json!(0)), "{used}");
        assert!(used["receivedBytes"].as_u64().is_some_and(|bytes| bytes > 20_000), "{used}");
        assert!(used["sentBytes"].as_u64().is_some_and(|bytes| bytes > 20), "{used}");
    }
    let refused = of(&listed, "commands", "closed.example");
    assert_eq!((&refused["refused"], &refused["connections"]), (&json!(1), &json!(0)), "{refused}");

    // Nothing is lost with the runtime, and the counts go on.
    baton.post(&path("/exec"), json!({ "command": "curl", "args": ["-s", "http://shut.example/"] })).await;
    eventually("a new destination is written down by itself", || async {
        let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(\"SELECT host FROM destinations\").fetchall())";
        let database = baton.home().join("history.db");
        let read = std::process::Command::new("python3").args(["-c", script]).arg(database).output();
        let found = read.expect("it is read").stdout;
        String::from_utf8_lossy(&found).contains("shut.example").then_some(())
    })
    .await;
    baton.kill_9().await;
    let baton = Baton::start_at(baton.into_home()).await;
    let listed = baton.get(&path("/network")).await;
    for (by, host) in [("commands", "shut.example"), ("commands", "closed.example"), ("browser", host)] {
        of(&listed, by, host);
    }
    baton.ok("DELETE", &path("?forget=true"), None).await;
    let (status, _) = baton.send("GET", &path("/network"), None).await;
    assert_eq!(status, 404);
}
