//! What outside clients find as in a Chromium of their own: popups, downloads, headers, and a port of their own.

use std::path::PathBuf;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::get;
use baton_tests::{Debugger, Foreign, Scene, eventually, http_client};
use serde_json::{Value, json};

const PAGES: [(&str, &str); 2] = [
    ("/start", "<title>Start</title><button onclick=\"window.open('/popup')\">Open</button>"),
    ("/popup", "<title>Popup</title><script>fetch('/told?init=' + window.fromInit)</script>"),
];

async fn scene() -> Scene {
    let csv = |name: &str| {
        let header = format!("attachment; filename=\"{name}\"");
        get(move || async move { ([(header::CONTENT_DISPOSITION, header)], "a,b\n1,2\n") })
    };
    let more = Router::new()
        .route("/file.csv", csv("taken.csv"))
        .route("/long.csv", csv(&("n".repeat(300) + ".csv")))
        .route("/headers", get(|headers: HeaderMap| async move { format!("{headers:?}") }));
    Scene::open(&PAGES, more, json!({})).await
}

async fn connect_playwright(scene: &Scene) -> Foreign {
    let address = format!("{}/v1{}", scene.baton.url, scene.path("/cdp"));
    let mut playwright = Foreign::node("parity.mjs", &[&address, &scene.site.url(""), &scene.baton.token]);
    playwright.step("connect").await;
    playwright
}

async fn downloads(scene: &Scene) -> Vec<String> {
    let listed = scene.baton.get(&scene.path("/fs/list?path=downloads")).await;
    let paths = listed["data"].as_array().expect("a list").iter();
    paths.map(|entry| entry["path"].as_str().expect("a path").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_popups_first_request_is_routed_and_its_document_scripted() {
    let scene = scene().await;
    let mut playwright = connect_playwright(&scene).await;
    // The runtime prepares each new page too: often enough that the order is not luck.
    for round in 0..8 {
        let popup = playwright.step("popup").await;
        assert_eq!(popup, json!({ "routed": true, "init": "scripted", "title": "Routed" }), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_that_wait_both_prepare_a_popup_and_one_that_leaves_holds_nothing_up() {
    let scene = scene().await;
    let mut one = scene.debugger().await;
    let mut other = scene.debugger().await;
    let wait = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    for client in [&mut one, &mut other] {
        client.call(None, "Target.setAutoAttach", wait.clone()).await;
    }
    let page = one.attach().await;
    let open = format!("void open('{}')", scene.site.url("/popup"));
    // Answered when the popup runs.
    one.send(Some(&page), "Runtime.evaluate", json!({ "expression": open, "userGesture": true })).await;
    let first = paused(&mut one).await;
    let second = paused(&mut other).await;
    one.call(Some(&first), "Runtime.runIfWaitingForDebugger", json!({})).await;
    let script = json!({ "source": "window.fromInit = 'by the other'" });
    other.call(Some(&second), "Page.enable", json!({})).await;
    other.call(Some(&second), "Page.addScriptToEvaluateOnNewDocument", script).await;
    other.call(Some(&second), "Runtime.runIfWaitingForDebugger", json!({})).await;
    scene.site.told_that("init", "by the other").await;

    one.send(Some(&page), "Runtime.evaluate", json!({ "expression": open, "userGesture": true })).await;
    let first = paused(&mut one).await;
    paused(&mut other).await;
    one.call(Some(&first), "Runtime.runIfWaitingForDebugger", json!({})).await;
    drop(other);
    scene.site.told_that("init", "undefined").await;
}

/// Returns the session of the next target that stands still for this client.
async fn paused(client: &mut Debugger) -> String {
    loop {
        let told = client.event("Target.attachedToTarget").await;
        if told["params"]["waitingForDebugger"] == true && told["params"]["targetInfo"]["type"] == "page" {
            return told["params"]["sessionId"].as_str().expect("a session").to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_the_opener_brings_up_in_its_popup_is_told() {
    let scene = scene().await;
    let mut playwright = connect_playwright(&scene).await;
    assert_eq!(playwright.step("popupDialog").await, json!({ "said": "from the opener", "after": "done" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_are_read_and_saved_in_every_context() {
    let scene = scene().await;
    let mut playwright = connect_playwright(&scene).await;
    let own = playwright.step("download").await;
    assert_eq!(own, json!({ "name": "taken.csv", "content": "a,b\n1,2\n", "saved": "a,b\n1,2\n" }));
    let other = playwright.step("downloadInContext").await;
    assert_eq!(other, json!({ "name": "taken.csv", "content": "a,b\n1,2\n", "saved": "a,b\n1,2\n" }));
    assert_eq!(playwright.step("downloadLong").await["content"], "a,b\n1,2\n");
    let listed = downloads(&scene).await;
    for name in ["downloads/taken.csv", "downloads/taken (1).csv"] {
        assert!(listed.iter().any(|path| path == name), "{listed:?}");
    }
    let long = listed.iter().find(|path| path.contains("nnn")).expect("the long name arrived");
    assert!(long.ends_with(".csv") && long.len() == "downloads/".len() + 255, "{long}");
    let denied = playwright.step("downloadDenied").await;
    // Playwright's own words for a download that its context did not accept.
    assert!(denied["failure"].as_str().is_some_and(|why| why.contains("acceptDownloads")), "{denied}");
    assert_eq!(downloads(&scene).await.len(), 3, "nothing came of it");
    // A client that leaves changes nothing for the others.
    playwright.step("leave").await;
    assert_eq!(connect_playwright(&scene).await.step("download").await["content"], "a,b\n1,2\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_headers_are_as_without_a_proxy() {
    let scene = scene().await;
    let mut playwright = connect_playwright(&scene).await;
    let headers = playwright.step("headers").await;
    assert_eq!((&headers["told"], &headers["proxy"]), (&json!("keep-alive"), &Value::Null), "{headers}");
    assert!(headers["seen"].as_str().is_some_and(|seen| seen.contains("\"connection\": \"keep-alive\"")), "{headers}");
    assert_eq!(playwright.step("reloadBlank").await, "about:blank");
    assert_eq!(playwright.step("notifications").await, "default");
    let refused = playwright.step("ignoreHttps").await;
    assert!(refused.as_str().is_some_and(|why| why.contains("leave out ignoreHTTPSErrors")), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_nested_sessions_drives() {
    let scene = scene().await;
    let mut client = scene.debugger().await;
    let targets = client.call(None, "Target.getTargets", json!({})).await;
    let infos = targets["targetInfos"].as_array().expect("a list").clone();
    let page = infos.iter().find(|info| info["type"] == "page").expect("a page is open");
    let attach = json!({ "targetId": page["targetId"] });
    let session = client.call(None, "Target.attachToTarget", attach).await["sessionId"].clone();
    let inner = json!({ "id": 70, "method": "Runtime.evaluate", "params": { "expression": "6 * 7" } });
    let send = json!({ "sessionId": session, "message": inner.to_string() });
    client.call(None, "Target.sendMessageToTarget", send).await;
    let received = client.event("Target.receivedMessageFromTarget").await;
    assert_eq!(received["params"]["sessionId"], session);
    let answer: Value = serde_json::from_str(received["params"]["message"].as_str().expect("a text")).expect("JSON");
    assert_eq!((&answer["id"], &answer["result"]["result"]["value"]), (&json!(70), &json!(42)));
    // It is the gate that it goes through, too.
    scene.take().await;
    let send = json!({ "sessionId": session, "message": inner.to_string() });
    client.call(None, "Target.sendMessageToTarget", send).await;
    let received = client.event("Target.receivedMessageFromTarget").await;
    assert!(received["params"]["message"].as_str().is_some_and(|text| text.contains("heldByPerson")), "{received}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_of_its_own_answers_as_a_browser_does_and_only_to_programs() {
    let scene = scene().await;
    assert_eq!(scene.baton.get(&scene.path("/preview")).await["debuggingPort"], Value::Null);
    let opened = scene.baton.post(&scene.path("/cdp-port"), json!({})).await;
    assert_eq!(opened["host"], "127.0.0.1");
    assert_eq!(scene.baton.get(&scene.path("/preview")).await["debuggingPort"], opened);
    let at = format!("127.0.0.1:{}", opened["port"]);
    let http = http_client();
    let ask = |path: &str| http.get(format!("http://{at}{path}"));
    let version: Value = ask("/json/version").send().await.expect("it answers").json().await.expect("JSON");
    assert!(version["WebKit-Version"].as_str().is_some_and(|text| text.starts_with("537.36 (@")), "{version}");
    let socket = version["webSocketDebuggerUrl"].as_str().expect("an address").to_owned();
    assert!(socket.starts_with(&format!("ws://{at}/devtools/browser/")), "{socket}");
    let mut client = Debugger::connect(&socket).await.expect("it can be connected to");
    let page = client.attach().await;
    let sum = json!({ "expression": "1 + 1" });
    assert_eq!(client.call(Some(&page), "Runtime.evaluate", sum.clone()).await["result"]["value"], 2);

    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
    ] {
        let answer = ask("/json/version").header(name, value).send().await.expect("it answers");
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
    // The same gate as every other way to the browser.
    scene.take().await;
    assert_eq!(client.refused(Some(&page), "Runtime.evaluate", sum).await.1, "heldByPerson");
    scene.release().await;

    let (status, _) = scene.baton.send("DELETE", &scene.path("/cdp-port"), None).await;
    assert_eq!(status, 204);
    while client.next().await.is_some() {}
    assert!(ask("/json/version").send().await.is_err(), "nothing listens any more");
    assert_eq!(scene.baton.get(&scene.path("/preview")).await["debuggingPort"], Value::Null);

    let opened = scene.baton.post(&scene.path("/cdp-port"), json!({})).await;
    let at = format!("http://127.0.0.1:{}/json/version", opened["port"]);
    scene.baton.ok("DELETE", &scene.path(""), None).await;
    eventually("the port ends with its sandbox", || async { http.get(&at).send().await.is_err().then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromedriver_drives_by_the_port() {
    let scene = scene().await;
    let opened = scene.baton.post(&scene.path("/cdp-port"), json!({})).await;
    let driver = Driver::start().await;
    let options = json!({ "debuggerAddress": format!("127.0.0.1:{}", opened["port"]) });
    let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
    let session = driver.post("/session", wanted).await["sessionId"].as_str().expect("a session").to_owned();
    let at = |rest: &str| format!("/session/{session}{rest}");
    driver.post(&at("/url"), json!({ "url": scene.site.url("/start") })).await;
    assert_eq!(driver.get(&at("/title")).await, "Start");
    let find = json!({ "using": "css selector", "value": "button" });
    let button = driver.post(&at("/element"), find).await;
    let id = button.as_object().and_then(|found| found.values().next()?.as_str()).expect("an element").to_owned();
    driver.post(&at(&format!("/element/{id}/click")), json!({})).await;
    scene.site.told_that("init", "undefined").await;
}

/// Debian's chromedriver; killed when dropped.
struct Driver {
    url: String,
    http: reqwest::Client,
    _process: tokio::process::Child,
}

impl Driver {
    async fn start() -> Self {
        let program = PathBuf::from("/usr/bin/chromedriver");
        assert!(program.exists(), "chromedriver is not there: run script/setup test");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let process = tokio::process::Command::new(program)
            .arg(format!("--port={port}"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts");
        let driver = Self { url: format!("http://127.0.0.1:{port}"), http: http_client(), _process: process };
        eventually("chromedriver listens", || async {
            driver.http.get(format!("{}/status", driver.url)).send().await.ok().map(drop)
        })
        .await;
        driver
    }

    async fn get(&self, path: &str) -> Value {
        self.value(self.http.get(format!("{}{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.value(self.http.post(format!("{}{path}", self.url)).json(&body)).await
    }

    async fn value(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.expect("chromedriver answers");
        let (status, body) = (answer.status(), answer.json::<Value>().await.expect("JSON"));
        assert!(status.is_success(), "{status}: {body}");
        body["value"].clone()
    }
}
