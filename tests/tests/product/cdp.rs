//! Outside clients of the debugging protocol, unmodified, and a raw one: at one browser at once, through the one gate.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use baton_tests::{Baton, Debugger, Foreign, Guide, Scene, Viewer, cdp_from_the_shell, eventually};
use serde_json::{Value, json};

const PAGES: [(&str, &str); 4] = [
    (
        "/counter",
        r#"<title>Counter</title><body style="margin:0">
        <button id="button" autofocus onclick="count.textContent = +count.textContent + 1">Count</button>
        <output id="count">0</output>
        <p><label>Note <input id="note"></label>
        <style>a { position: absolute; left: 20px; width: 200px; height: 30px }</style>
        <a style="top:200px" href="/secret?code=canary-5512">Secret</a>
        <a style="top:260px" target="_blank" href="/other">Other</a>"#,
    ),
    (
        "/secret",
        r#"<title>Secret canary-5512</title><body><script>console.log('canary-5512')</script>
        <script>setTimeout(() => location.replace('/after'), 100)</script>"#,
    ),
    (
        "/after",
        r#"<title>After</title><body style="margin:0"><button id="button" autofocus
        onclick="count.textContent = +count.textContent + 1">Count</button> <output id="count">7</output>
        <script>fetch('/told?width=' + innerWidth);
        fetch('/asked').then((answer) => answer.text()).then((text) => fetch('/told?asked=' + text))</script>"#,
    ),
    ("/other", "<title>Other</title><script>fetch('/told?other=shown')</script>"),
];

/// Where the links of `/counter` are.
const SECRET: (i32, i32) = (60, 212);
const OTHER: (i32, i32) = (60, 272);

async fn scene() -> Scene {
    let more = Router::new()
        .route("/asked", get(|| async { "the site itself" }))
        .route("/download", get(|| async { axum::response::Html("<a href='/file.csv'>Take</a>") }))
        .route(
            "/file.csv",
            get(|| async { ([(header::CONTENT_DISPOSITION, "attachment; filename=\"taken.csv\"")], "a,b\n1,2\n") }),
        );
    Scene::open(&PAGES, more, json!({ "capabilities": { "browser": { "shellAccess": true } } })).await
}

async fn addresses(scene: &Scene) -> (String, String) {
    let made = scene.baton.post(&scene.path("/cdp-url"), json!({})).await;
    (text(&made, "httpUrl").to_owned(), text(&made, "wsUrl").to_owned())
}

/// The person clicks at a place of the page.
async fn click(scene: &Scene, viewer: &Viewer, place: (i32, i32)) {
    viewer.click_in_page(&scene.baton, &scene.sandbox, place).await;
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value} is a text"))
}

/// Playwright passes on what some calls were refused with, has its own words for evaluating, and tries clicks again until
/// their time is up.
fn is_held_off(held: &Value) -> bool {
    let failed = ["evaluate", "click", "screenshot"].iter().all(|call| held[*call].is_string());
    let (goto, cookies) = (text(held, "goto"), text(held, "cookies"));
    failed && goto.contains("heldByPerson") && cookies.contains("blind") && held["connected"] == true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn playwright_drives_is_held_off_and_goes_on_with_the_same_page() {
    let scene = scene().await;
    let address = format!("{}/v1{}", scene.baton.url, scene.path("/cdp"));
    let mut playwright = Foreign::node("playwright.mjs", &[&address, &scene.site.url(""), &scene.baton.token]);
    let connected = playwright.step("connect").await;
    assert_eq!((&connected["contexts"], &connected["pages"]), (&json!(1), &json!(1)));
    let driven = playwright.step("drive").await;
    assert_eq!(text(&driven, "title"), "Counter");
    assert_eq!(text(&driven, "count"), "1");
    assert_eq!(text(&driven, "evaluated"), "Counter by playwright");
    assert!(driven["picture"].as_u64().expect("a size") > 1_000, "{driven}");
    assert_eq!(playwright.step("lay").await, "500 from playwright");

    scene.take().await;
    let held = playwright.step("held").await;
    assert!(is_held_off(&held), "{held}");
    scene.release().await;

    // The person goes elsewhere.
    let viewer = scene.person().await;
    click(&scene, &viewer, SECRET).await;
    assert_eq!(scene.site.told("asked").await, "the site itself", "requests are the person's own");
    assert_ne!(scene.site.told("width").await, "500", "the person has the page's own size");
    viewer.hand_back(None).await;

    let back = playwright.step("back").await;
    assert!(text(&back, "url").ends_with("/after"), "{back}");
    assert_eq!(text(&back, "title"), "After");
    assert_eq!(text(&back, "text"), "7");
    assert!(text(&back, "count").len() > 4, "a handle of the document that is gone says so: {back}");
    assert_eq!((&back["requests"], &back["connected"]), (&json!(1), &json!(true)));
    assert_eq!(playwright.step("newContext").await["title"], "Counter");
    assert_eq!(playwright.step("download").await["name"], "taken.csv");
    eventually("the file lies in the workspace", || async {
        let listed = scene.baton.get(&scene.path("/fs/list?path=downloads")).await;
        listed["data"].to_string().contains("downloads/taken.csv").then_some(())
    })
    .await;
    playwright.step("leave").await;
    assert_eq!(scene.baton.get(&scene.path("/preview")).await["status"], "ready", "its browser stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn playwright_and_puppeteer_drive_at_once_and_one_leaves_without_the_other_noticing() {
    let scene = scene().await;
    let (http, ws) = addresses(&scene).await;
    let site = scene.site.url("");
    let mut playwright = Foreign::node("playwright.mjs", &[&http, &site]);
    let mut puppeteer = Foreign::node("puppeteer.mjs", &[&ws, &site]);
    let (one, other) = tokio::join!(playwright.step("connect"), puppeteer.step("connect"));
    assert_eq!((&one["pages"], &other["pages"]), (&json!(1), &json!(1)));
    let (one, other) = tokio::join!(playwright.step("drive"), puppeteer.step("drive"));
    assert_eq!((text(&one, "count"), text(&other, "count")), ("1", "1"));

    scene.take().await;
    let (one, other) = tokio::join!(playwright.step("held"), puppeteer.step("held"));
    assert!(is_held_off(&one), "{one}");
    assert!(text(&other, "evaluate").contains("heldByPerson"), "{other}");
    assert_eq!((&one["connected"], &other["connected"]), (&json!(true), &json!(true)));
    scene.release().await;

    let (one, other) = tokio::join!(playwright.step("same"), puppeteer.step("back"));
    assert_eq!(text(&one, "count"), "2", "the same handle of the same document");
    assert_eq!(text(&other, "count"), "2");
    puppeteer.step("leave").await;
    assert_eq!(text(&playwright.step("same").await, "count"), "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_opened_is_there_after_the_hand_back_and_was_never_held_up() {
    let scene = scene().await;
    let (http, _) = addresses(&scene).await;
    let mut playwright = Foreign::node("playwright.mjs", &[&http, &scene.site.url("")]);
    playwright.step("connect").await;
    playwright.step("drive").await;
    let viewer = scene.person().await;
    click(&scene, &viewer, OTHER).await;
    assert_eq!(scene.site.told("other").await, "shown", "a client that waits for new tabs holds none up");
    viewer.hand_back(None).await;
    let popups = playwright.step("popups").await;
    assert_eq!((&popups["pages"], &popups["popup"]), (&json!(2), &json!("Other")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_client_is_answered_in_the_contracts_words() {
    let scene = scene().await;
    let mut client = scene.debugger().await;
    let session = client.attach().await;
    let page = Some(session.as_str());
    client.call(page, "Page.enable", json!({})).await;
    client.call(page, "Runtime.enable", json!({})).await;
    client.call(page, "Page.navigate", json!({ "url": scene.site.url("/counter") })).await;
    client.event("Page.loadEventFired").await;
    let evaluate = json!({ "expression": "1 + 1" });
    assert_eq!(client.call(page, "Runtime.evaluate", evaluate.clone()).await["result"]["value"], 2);

    // A handoff waits: looking is allowed, acting is not.
    let ask = json!({ "reason": "custom", "message": "Sign in" });
    scene.baton.post(&scene.path("/handoff"), ask).await;
    client.call(page, "Page.captureScreenshot", json!({})).await;
    let waiting = (-32_000, "waitingForPerson".to_owned());
    assert_eq!(client.refused(page, "Runtime.evaluate", evaluate.clone()).await, waiting);

    // A person drives: neither is.
    scene.baton.post(&scene.path("/handoff/accept"), json!({ "controller": "Ada" })).await;
    client.events.clear();
    let held = (-32_000, "heldByPerson".to_owned());
    let blind = (-32_000, "blind".to_owned());
    assert_eq!(client.refused(page, "Runtime.evaluate", evaluate.clone()).await, held);
    assert_eq!(client.refused(page, "Input.insertText", json!({ "text": "x" })).await, held);
    assert_eq!(client.refused(page, "Page.captureScreenshot", json!({})).await, blind);
    assert_eq!(client.refused(page, "DOM.getDocument", json!({})).await, blind);
    assert_eq!(client.refused(None, "Target.getTargets", json!({})).await, blind);
    assert_eq!(client.refused(None, "Storage.getCookies", json!({})).await, blind);
    client.call(None, "Browser.getVersion", json!({})).await;
    assert_eq!(client.events, Vec::<Value>::new(), "nothing of the page is told");
    let (status, refusal) = scene.baton.send("GET", &scene.path("/cdp/json/list"), None).await;
    assert_eq!((status, &refusal["error"]["code"]), (409, &json!("heldByPerson")));

    scene.baton.post(&scene.path("/handoff/complete"), json!({})).await;
    scene.until_seen().await;
    assert_eq!(client.call(page, "Runtime.evaluate", evaluate).await["result"]["value"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_what_passed_meanwhile_is_told_afterwards() {
    let scene = scene().await;
    let mut client = scene.debugger().await;
    let session = client.attach().await;
    let page = Some(session.as_str());
    for domain in ["Page", "Runtime", "Network", "Log", "DOM"] {
        client.call(page, &format!("{domain}.enable"), json!({})).await;
    }
    client.call(None, "Target.setDiscoverTargets", json!({ "discover": true })).await;
    client.call(page, "Page.navigate", json!({ "url": scene.site.url("/counter") })).await;
    client.event("Page.loadEventFired").await;
    let viewer = scene.person().await;
    // What was told before is read; from now on nothing is.
    client.call(None, "Browser.getVersion", json!({})).await;
    client.events.clear();
    click(&scene, &viewer, SECRET).await;
    scene.site.told("asked").await;
    viewer.hand_back(None).await;
    let title = json!({ "expression": "document.title" });
    assert_eq!(client.call(page, "Runtime.evaluate", title.clone()).await["result"]["value"], "After");
    let told = serde_json::to_string(&client.events).expect("JSON");
    assert!(!told.contains("canary-5512"), "{told}");
    assert!(told.contains("/after"), "where the page is now: {told}");
    assert!(!told.contains("Network."), "{told}");

    // Nor to one who comes later, and asks for what was kept of the page.
    let mut late = scene.debugger().await;
    let session = late.attach().await;
    for domain in ["Page", "Runtime", "Network", "Log"] {
        late.call(Some(&session), &format!("{domain}.enable"), json!({})).await;
    }
    assert_eq!(late.call(Some(&session), "Runtime.evaluate", title).await["result"]["value"], "After");
    let told = serde_json::to_string(&late.events).expect("JSON");
    assert!(!told.contains("canary-5512"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_break_the_house_is_refused_and_says_why() {
    let scene = scene().await;
    let mut client = scene.debugger().await;
    let mut other = scene.debugger().await;
    let session = client.attach().await;
    let theirs = other.attach().await;
    for (method, params, word) in [
        ("Browser.close", json!({}), "disconnect"),
        ("Browser.crash", json!({}), "crashing"),
        ("Target.disposeBrowserContext", json!({ "browserContextId": "x" }), "not made by you"),
        ("Target.detachFromTarget", json!({ "sessionId": theirs }), "not yours"),
        ("Target.exposeDevToolsProtocol", json!({ "targetId": "x" }), "debugging protocol"),
        ("Security.setIgnoreCertificateErrors", json!({ "ignore": true }), "certificates"),
        ("Browser.setDownloadBehavior", json!({ "behavior": "deny" }), "downloads"),
        ("Target.createTarget", json!({ "url": "file:///etc/passwd" }), "addresses"),
    ] {
        let (code, message) = client.refused(None, method, params).await;
        assert_eq!(code, -32_000, "{method}");
        assert!(message.contains(word), "{method}: {message}");
    }
    let (_, message) = client.refused(Some(&session), "Input.setIgnoreInputEvents", json!({ "ignore": true })).await;
    assert!(message.contains("input"), "{message}");
    let evaluate = json!({ "expression": "1" });
    let strangers = client.refused(Some(&theirs), "Runtime.evaluate", evaluate.clone()).await;
    assert_eq!(strangers.0, -32_001, "another's session is unknown: {strangers:?}");
    for said in ["", "nonsense", "[]", "{}", r#"{"id":"one","method":"Browser.getVersion"}"#, r#"{"id":1}"#] {
        client.say(said).await;
        let answer = client.next().await.expect("the connection lives");
        assert!(answer["error"]["code"].as_i64().is_some_and(|code| code < 0), "{said:?}: {answer}");
    }

    // The last tab is replaced when it is closed.
    let targets = client.call(None, "Target.getTargets", json!({})).await;
    let only = targets["targetInfos"].as_array().expect("a list").iter().find(|info| info["type"] == "page");
    let only = only.expect("a page")["targetId"].clone();
    client.call(None, "Target.closeTarget", json!({ "targetId": only })).await;
    scene.baton.until(&scene.path("/preview"), "/tabs/0/url", "about:blank").await;
    assert_eq!(scene.baton.get(&scene.path("/preview")).await["status"], "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_an_address_of_its_own_and_addresses_end_with_the_sandbox() {
    let scene = scene().await;
    let (http, ws) = addresses(&scene).await;
    let client = baton_tests::http_client();
    let read = async |url: String| client.get(url).send().await.expect("an answer");
    let version: Value = read(format!("{http}/json/version/")).await.json().await.expect("JSON");
    assert_eq!(version["webSocketDebuggerUrl"], ws.as_str());
    assert!(text(&version, "Browser").starts_with("Chrome/"), "{version}");
    let list: Value = read(format!("{http}/json/list")).await.json().await.expect("JSON");
    let mut page = Debugger::connect(text(&list[0], "webSocketDebuggerUrl")).await.expect("a page");
    let navigate = json!({ "url": scene.site.url("/counter") });
    page.call(None, "Page.enable", json!({})).await;
    page.call(None, "Page.navigate", navigate).await;
    page.event("Page.loadEventFired").await;
    let title = json!({ "expression": "document.title" });
    assert_eq!(page.call(None, "Runtime.evaluate", title).await["result"]["value"], "Counter");
    assert!(page.events.iter().all(|event| event.get("sessionId").is_none()), "{:?}", page.events);

    let expired = scene.baton.post(&scene.path("/cdp-url"), json!({ "ttlMs": 1000 })).await;
    scene.baton.ok("DELETE", &scene.path(""), None).await;
    assert!(page.next().await.is_none(), "the connection ends with the sandbox");
    assert_eq!(read(format!("{http}/json/version")).await.status(), 401);
    assert_eq!(read(format!("{}/json/version", text(&expired, "httpUrl"))).await.status(), 401);
    assert_eq!(read(format!("{}/v1/cdp/wrong/json/version", scene.baton.url)).await.status(), 401);
    assert!(Debugger::connect(&ws).await.is_err());
}

/// Asks for the browser's version from the shell room.
const FROM_THE_SHELL: &str = r#"
print(connected)
print(upgraded)
print(ask("Browser.getVersion", {})["result"]["product"])
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_in_the_shell_room_drives_the_browser_and_a_page_does_not() {
    let scene = scene().await;
    let code = json!({ "language": "python", "code": cdp_from_the_shell(FROM_THE_SHELL) });
    let ran = scene.baton.post(&scene.path("/code"), code).await;
    assert_eq!(ran["exitCode"], 0, "{ran}");
    let lines: Vec<&str> = text(&ran, "stdout").lines().collect();
    assert!(lines[0].contains(" 200 ") && lines[1].contains(" 101 ") && lines[2].starts_with("Chrome/"), "{lines:?}");

    let url = "http://browser.baton.internal/json/version";
    let (status, refusal) =
        scene.baton.send("POST", &scene.path("/preview/navigate"), Some(json!({ "url": url }))).await;
    let reached = status == 200 && refusal.to_string().contains("webSocketDebuggerUrl");
    assert!(!reached, "{refusal}");
    let mut client = scene.debugger().await;
    let session = client.attach().await;
    let opens = "new Promise((told) => { const socket = new WebSocket('ws://browser.baton.internal/'); \
                 socket.onopen = () => told('open'); socket.onerror = () => told('closed'); })";
    let params = json!({ "expression": opens, "awaitPromise": true });
    assert_eq!(client.call(Some(&session), "Runtime.evaluate", params).await["result"]["value"], "closed");
}

/// Asks for the version by the name that the endpoint has within the shell room.
const BY_NAME: &str = r#"
import os, urllib.error, urllib.request
print(os.environ.get("BATON_CDP_URL"))
try:
    print(urllib.request.urlopen("http://browser.baton.internal/json/version").status)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shell_reaches_the_browser_only_where_the_sandbox_was_made_so() {
    let baton = Baton::start().await;
    let code = json!({ "language": "python", "code": BY_NAME });
    for (config, expected) in [
        (json!({}), "None\n403 commands in this sandbox may not drive its browser"),
        (json!({ "capabilities": { "browser": { "shellAccess": true } } }), "http://browser.baton.internal\n200\n"),
    ] {
        let sandbox = baton.ready_sandbox(config).await;
        let ran = baton.post(&format!("/sandboxes/{sandbox}/code"), code.clone()).await;
        assert!(text(&ran, "stdout").starts_with(expected), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mcp_server_of_devtools_drives_is_held_off_and_goes_on() {
    let scene = scene().await;
    let address = format!("{}/v1{}", scene.baton.url.replace("http://", "ws://"), scene.path("/cdp"));
    let mut devtools = Foreign::node("devtools.mjs", &[&address, &scene.site.url(""), &scene.baton.token]);
    let pages = devtools.step("connect").await;
    assert!(pages.as_str().is_some_and(|pages| pages.contains("about:blank")), "{pages}");
    let driven = devtools.step("drive").await;
    assert!(
        text(&driven, "seen").contains("button \"Count\"") && text(&driven, "counted").contains("\"1\""),
        "{driven}"
    );
    assert!(text(&driven, "picture").contains("(image)"), "{driven}");
    scene.take().await;
    let held = devtools.step("held").await;
    for call in ["counted", "navigated"] {
        assert!(text(&held[call], "text").contains("heldByPerson"), "{held}");
    }
    scene.release().await;
    let counted = devtools.step("back").await;
    assert!(counted.as_str().is_some_and(|counted| counted.contains("\"2\"")), "{counted}");
    devtools.step("leave").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_browser_drives_is_held_off_and_goes_on() {
    let scene = scene().await;
    let (_, ws) = addresses(&scene).await;
    let mut agent = Foreign::node("agent-browser.mjs", &[&ws, &scene.site.url("")]);
    assert_eq!(agent.step("connect").await["success"], true);
    let driven = agent.step("drive").await;
    assert!(text(&driven["seen"]["data"], "snapshot").contains("button \"Count\""), "{driven}");
    assert_eq!(driven["counted"]["data"]["result"], "1", "{driven}");
    scene.take().await;
    let held = agent.step("held").await;
    for call in ["counted", "navigated"] {
        assert!(text(&held[call], "error").contains("heldByPerson"), "{held}");
    }
    scene.release().await;
    let back = agent.step("back").await;
    assert_eq!(back["counted"]["data"]["result"], "2", "{back}");
    agent.step("leave").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_of_the_guide_runs_as_printed() {
    let baton = Baton::start().await;
    let person = async {
        let waiting = baton.until("/handoffs?status=pending", "/data/0/status", "pending").await;
        let sandbox = waiting["data"][0]["sandboxId"].as_str().expect("a sandbox").to_owned();
        let viewer = Viewer::connect(&baton, &sandbox).await;
        viewer.take().await;
        viewer.still_picture().await;
        viewer.text("123456").await;
        viewer.key("Enter", "Enter").await;
        viewer.still_picture().await;
        viewer.hand_back(None).await;
    };
    let (said, ()) = tokio::join!(Guide::follow("playwright.md", &baton), person);
    assert!(said.contains("/invoices?month=2026-10, "), "{said}");
    assert!(said.trim_end().ends_with("invoices") && !said.contains(" 0 invoices"), "{said}");
}
