//! The document and the runtime say the same, whatever is asked: requests are made up by a library of others.

use std::path::Path;
use std::process::Stdio;

use baton_tests::{Baton, Fuzz, fuzz, repository};
use serde_json::{Value, json};
use tokio::process::Command;

/// Left out: streams that never end, an offer that is no JSON, and what starts browsers by the dozen. Tests of their own
/// ask for these.
const WITHOUT: [&str; 5] = ["followEvents", "watchFiles", "openWhep", "createSandbox", "demo"];

/// Runs the linter of OpenAPI documents, and returns what it finds wrong.
async fn lint(document: &Path) -> Vec<Value> {
    let foreign = repository().join("tests/foreign");
    let program = foreign.join("node_modules/.bin/redocly");
    assert!(program.exists(), "{} is missing: run `script/setup test`", program.display());
    let ran = Command::new(program)
        .arg("lint")
        .arg(document)
        .args(["--format", "json", "--max-problems", "1000", "--config"])
        .arg(foreign.join("redocly.yaml"))
        // It would send statistics, and look for a newer version of itself.
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ran = ran.await.expect("node starts");
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    report["problems"].as_array().expect("a list of problems").clone()
}

#[tokio::test]
async fn a_linter_of_others_finds_nothing_wrong_in_the_document() {
    let document = repository().join("docs/openapi.json");
    assert_eq!(lint(&document).await, Vec::<Value>::new());

    let text = std::fs::read(document).expect("the document is there");
    let mut damaged: Value = serde_json::from_slice(&text).expect("JSON");
    let health = damaged.pointer_mut("/paths/~1v1~1health/get/responses/200").and_then(Value::as_object_mut);
    health.expect("an answer").remove("description");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, damaged.to_string()).expect("a new file");
    assert!(!lint(&path).await.is_empty(), "a response without a description is found");
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_find_no_answer_that_breaks_the_document() {
    let baton = Baton::start().await;
    let asked = Fuzz { n_examples: 4, seconds: 60, seed: 1, sandbox: None, without: &WITHOUT };
    let n_requests = fuzz(&baton, asked).await;
    assert!(n_requests >= 500, "{n_requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: script/soak"]
async fn thousands_of_made_up_requests_find_no_answer_that_breaks_the_document() {
    let baton = Baton::start().await;
    let asked = Fuzz { n_examples: 60, seconds: 600, seed: 2, sandbox: None, without: &WITHOUT };
    let strangers = fuzz(&baton, asked).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let without: Vec<&str> = WITHOUT.into_iter().chain(["endSandbox"]).collect();
    let asked = Fuzz { n_examples: 60, seconds: 600, seed: 3, sandbox: Some(&sandbox), without: &without };
    let n_requests = strangers + fuzz(&baton, asked).await;
    assert!(n_requests >= 2_000, "{n_requests} requests");
}

/// Requests with inputs that no runtime can carry out as they stand: for each route that works in a sandbox with a browser.
fn impossible(id: &str) -> Vec<(&'static str, String, Value)> {
    let mut all = Vec::new();
    let at = |rest: &str| format!("/sandboxes/{id}{rest}");
    let long = "x".repeat(300);
    let huge = "x".repeat(2 << 20);
    let urls = [
        "http://",
        "http://[",
        "https://a b.example/",
        "http://%zz/",
        "http://999.999.999.999/",
        "http://:80",
        "about:",
        "http://portal.example:99999/",
        "https://",
        "\u{0}",
        "view-source:http://portal.example/",
        "chrome://crash",
        "blob:x",
    ];
    for url in urls {
        all.push(("POST", at("/preview/navigate"), json!({ "url": url })));
    }
    all.push(("POST", at("/preview/navigate"), json!({ "url": format!("data:text/plain,{huge}") })));
    for (width, height) in [(0, 0), (319, 240), (320, 239), (3841, 2160), (3840, 2161), (u32::MAX, u32::MAX)] {
        all.push(("POST", at("/preview/resize"), json!({ "width": width, "height": height })));
    }
    for (method, rest) in [("POST", "/activate"), ("DELETE", "")] {
        all.push((method, at(&format!("/preview/tabs/none{rest}")), json!({})));
        all.push((method, at(&format!("/preview/tabs/%00{rest}")), json!({})));
    }
    for command in [
        json!({ "command": "" }),
        json!({ "command": "a\u{0}b" }),
        json!({ "command": "/" }),
        json!({ "command": long }),
        json!({ "command": "true", "args": ["\u{0}"] }),
        json!({ "command": "true", "args": [huge] }),
        json!({ "command": "true", "cwd": "/etc" }),
        json!({ "command": "true", "cwd": "../.." }),
        json!({ "command": "true", "cwd": "none" }),
        json!({ "command": "true", "cwd": "a\u{0}" }),
        json!({ "command": "true", "env": { "A=B": "c" } }),
        json!({ "command": "true", "env": { "": "c" } }),
        json!({ "command": "true", "env": { "A": "\u{0}" } }),
        json!({ "command": "true", "env": { "A": huge } }),
        json!({ "command": "true", "timeoutMs": 0 }),
        json!({ "command": "true", "timeoutMs": u64::MAX }),
    ] {
        all.push(("POST", at("/exec"), command));
    }
    for code in ["", "\u{0}", &huge] {
        all.push(("POST", at("/code"), json!({ "language": "bash", "code": code })));
        all.push(("POST", at("/code"), json!({ "language": "python", "code": code, "timeoutMs": u64::MAX })));
    }
    let paths = [
        "",
        "/",
        ".",
        "..",
        "a/../../b",
        "%00",
        "a%00b",
        "/proc/self/mem",
        "a/",
        "//",
        "none/none",
        &long,
        &format!("{}x", "a/".repeat(3_000)),
    ];
    for path in paths {
        for (method, route) in [("GET", "read"), ("GET", "list"), ("GET", "stat"), ("PUT", "write")] {
            all.push((method, at(&format!("/fs/{route}?path={path}")), json!({})));
        }
        all.push(("DELETE", at(&format!("/fs?path={path}")), json!({})));
        let path = path.replace("%00", "\u{0}");
        all.push(("POST", at("/fs/mkdir"), json!({ "path": path })));
        all.push(("POST", at("/fs/move"), json!({ "from": path, "to": "there" })));
        all.push(("POST", at("/fs/move"), json!({ "from": "file.txt", "to": path })));
        all.push(("POST", at("/artifacts"), json!({ "path": path })));
    }
    all.push(("POST", at("/fs/mkdir"), json!({ "path": "file.txt/below" })));
    all.push(("POST", at("/fs/move"), json!({ "from": "folder", "to": "folder/below" })));
    all.push(("POST", at("/artifacts"), json!({ "path": "file.txt", "name": "\u{0}\u{202e}" })));
    for ttl in [i64::MIN, -1, 0, 999, i64::MAX] {
        all.push(("POST", at("/preview/viewer-url"), json!({ "mode": "watch", "ttlMs": ttl })));
        all.push(("POST", at("/cdp-url"), json!({ "ttlMs": ttl })));
    }
    for expires in [i64::MIN, -1, 0, i64::MAX] {
        let asked = json!({ "reason": "custom", "message": "x", "expiresInMs": expires });
        all.push(("POST", at("/handoff"), asked));
        all.push(("POST", at("/handoff/cancel"), json!({})));
    }
    all.push(("POST", at("/handoff"), json!({ "reason": "custom", "message": "" })));
    all.push((
        "POST",
        at("/handoff"),
        json!({ "reason": "custom", "message": "x", "until": { "url": "[", "selector": "<<" } }),
    ));
    all.push(("POST", at("/handoff/complete"), json!({ "note": huge })));
    all.push(("POST", at("/control/take"), json!({ "controller": "\u{202e}\u{0}" })));
    for playbook in ["", "\u{0}", "- ", "steps: 1", "steps:\n  - click: { ref: \"\" }", &huge] {
        all.push(("POST", "/playbooks/check".to_owned(), json!({ "playbook": playbook })));
        all.push(("POST", at("/tasks"), json!({ "playbook": playbook })));
    }
    let limits = json!({ "steps": u64::MAX, "timeMs": u64::MAX, "tokens": u64::MAX });
    let playbook = "steps:\n  - waitFor: { text: none, timeoutMs: 18446744073709551615 }";
    all.push(("POST", at("/tasks"), json!({ "playbook": playbook, "limits": limits })));
    for path in [
        "/stream",
        "/terminal?cols=0&rows=0",
        "/terminal?cols=65535&rows=65535",
        "/cdp",
        "/whep/none",
        "/events?after=none",
        "/events?types=none",
    ] {
        all.push(("GET", at(path), json!({})));
    }
    for query in ["limit=0", "limit=-1", "limit=99999999999", "cursor=none", "cursor=%00", "status=none"] {
        for list in ["/sandboxes", "/tasks", "/handoffs", "/approvals", "/artifacts", "/grants", "/webhooks"] {
            all.push(("GET", format!("{list}?{query}"), json!({})));
        }
    }
    for words in ["%00", "%22", "*", "%28", "%5c", "a%20%22b", "%25", "NEAR%28a%29"] {
        all.push(("GET", format!("/search?q={words}"), json!({})));
        all.push(("GET", format!("/tasks?q={words}"), json!({})));
        all.push(("GET", format!("/artifacts?q={words}"), json!({})));
    }
    let wait = format!("?waitFor=ready&timeoutMs={}", u64::MAX);
    all.push(("GET", at(&wait), json!({})));
    for base in ["", "::", "http://", "http://[", "ftp://a.example", "http://127.0.0.1:1", "\u{0}"] {
        let model = json!({ "kind": "openai", "baseUrl": base, "model": "m" });
        all.push(("PUT", "/models/some".to_owned(), model));
        all.push(("POST", "/models/some/test".to_owned(), json!({})));
        all.push(("POST", "/webhooks".to_owned(), json!({ "url": base, "allowPrivate": true })));
    }
    all.push(("PUT", "/models/%00".to_owned(), json!({ "kind": "openai", "model": "m" })));
    for types in ["", "*", "sandbox.none", "\u{0}"] {
        all.push(("POST", "/webhooks".to_owned(), json!({ "url": "https://hooks.example/", "eventTypes": [types] })));
    }
    for config in [
        json!({ "env": { "A": "\u{0}" } }),
        json!({ "env": { "\u{0}": "" } }),
        json!({ "network": { "mode": "allowlist", "allow": ["http://["] } }),
        json!({ "network": { "allowPrivate": ["\u{0}"] } }),
        json!({ "capabilities": { "browser": { "profile": "../x" } } }),
        json!({ "capabilities": { "browser": { "byoProxyUrl": "http://[" } } }),
        json!({ "capabilities": { "browser": { "viewport": { "width": 0, "height": 0 } } } }),
        json!({ "name": huge }),
        json!({ "fromCheckpoint": "none" }),
    ] {
        all.push(("POST", "/sandboxes".to_owned(), config));
    }
    all.push(("POST", "/keys/unlock".to_owned(), json!({ "passphrase": "" })));
    all.push(("PUT", "/rules".to_owned(), json!({ "rules": [{ "site": "[", "effect": "ask" }] })));
    for path in [
        "/pictures/none",
        "/pictures/%00",
        "/artifacts/none/url?ttlMs=-1",
        "/artifacts/none/content?ticket=none",
        "/cdp/none/json",
    ] {
        all.push(("GET", path.to_owned(), json!({})));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_is_answered_as_a_fault_of_the_runtime() {
    let baton = Baton::start().await;
    let id = baton.ready_sandbox(json!({ "network": { "mode": "none" } })).await;
    baton.ok("PUT", &format!("/sandboxes/{id}/fs/write?path=file.txt"), Some(json!("text"))).await;
    baton.post(&format!("/sandboxes/{id}/fs/mkdir"), json!({ "path": "folder" })).await;
    let mut faults = Vec::new();
    for (method, path, body) in impossible(&id) {
        let body = (method != "GET").then_some(body);
        let said = body.as_ref().map(Value::to_string).unwrap_or_default();
        let (status, answer) = baton.send(method, &path, body).await;
        if status >= 500 {
            let said: String = said.chars().take(120).collect();
            faults.push(format!("{status} {method} {path} {said}: {answer}"));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_takes_every_size_that_the_document_promises() {
    let baton = Baton::start().await;
    let id = baton.ready_sandbox(json!({ "network": { "mode": "none" } })).await;
    let document = baton.get("/openapi.json").await;
    let size = &document["components"]["schemas"]["Viewport"]["properties"];
    let limit = |side: &str, which: &str| size[side][which].as_u64().unwrap_or_else(|| panic!("{size}"));
    for which in ["maximum", "minimum"] {
        let wanted = json!({ "width": limit("width", which), "height": limit("height", which) });
        let preview = baton.post(&format!("/sandboxes/{id}/preview/resize"), wanted.clone()).await;
        assert_eq!(preview["viewport"], wanted);
    }
}
