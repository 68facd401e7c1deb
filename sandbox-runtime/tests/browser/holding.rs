//! Requests held on their way out: of open documents, frames of other sites, popups; never a person's own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use sandbox_core::approval::judge::is_unsafe;
use sandbox_runtime::browser::{BrowserEvent, PausedRequest};
use serde_json::json;

use super::chromium::{PATIENCE, Rig};

/// A site whose pages send to it; it keeps what arrived.
struct Target {
    url: String,
    arrived: Arc<Mutex<Vec<String>>>,
}

const PAGE: &str = r#"<!doctype html><title>Page</title><p id=out>nothing</p>
<button onclick="fetch('/post', { method: 'POST', body: 'of WHERE' }).then(() => out.textContent = 'sent', () => out.textContent = 'kept')">Send WHERE</button>
<button onclick="const w = new Worker(window.URL.createObjectURL(new Blob(['fetch(\'' + location.origin + '/post\', { method: \'POST\', body: \'of worker\' }).then(() => postMessage(\'sent\'), () => postMessage(\'kept\'))']))); w.onmessage = (e) => out.textContent = 'worker ' + e.data">Send worker</button>
<button onclick="open('/popup', 'w', 'width=500,height=400')">Open</button>
<form method=post action="/post"><input name=secret id=secret aria-label="Secret"><button>Post</button></form>"#;

impl Target {
    async fn start() -> Self {
        let arrived: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = arrived.clone();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = |place: &str| PAGE.replace("WHERE", place);
        let top = format!("{}<iframe src='http://localhost:{port}/frame' width=600 height=300></iframe>", page("top"));
        let (frame, popup) = (page("frame"), page("popup"));
        let app = Router::new()
            .route("/", get(move || async move { Html(top) }))
            .route("/frame", get(move || async move { Html(frame) }))
            .route("/popup", get(move || async move { Html(popup) }))
            .route(
                "/post",
                post(move |body: String| async move {
                    kept.lock().unwrap().push(body);
                    Html("<title>Posted</title><p>Posted</p>")
                }),
            )
            .route("/moved", post(|| async { Redirect::temporary("/post") }))
            .route("/away", post(move || async move { Redirect::temporary(&format!("http://localhost:{port}/post")) }));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url: format!("http://127.0.0.1:{port}/"), arrived }
    }

    fn arrived(&self) -> Vec<String> {
        self.arrived.lock().unwrap().clone()
    }
}

async fn hold_all(rig: &Rig) -> Arc<AtomicUsize> {
    let judged = Arc::new(AtomicUsize::new(0));
    let count = judged.clone();
    let judge = move |paused: &PausedRequest| {
        count.fetch_add(1, Ordering::Relaxed);
        is_unsafe(&paused.outgoing.method)
    };
    rig.browser.hold(Some(Arc::new(judge))).await.unwrap();
    judged
}

async fn held(rig: &mut Rig, what: &str) -> PausedRequest {
    let looking = async {
        loop {
            if let Some(BrowserEvent::Held(request)) = rig.events.recv().await {
                return *request;
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{what} is not held"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_documents_frames_of_other_sites_and_popups_are_held() {
    let (mut rig, target) = tokio::join!(Rig::start(), Target::start());
    // Open before anything was to be held.
    rig.open(&target.url).await;
    hold_all(&rig).await;
    for place in ["top", "frame"] {
        rig.step(json!({"click": {"role": "button", "name": format!("Send {place}")}})).await;
        let request = held(&mut rig, place).await;
        assert_eq!(request.outgoing.body.as_deref(), Some(format!("of {place}").as_bytes()));
        assert_eq!(target.arrived(), Vec::<String>::new());
        rig.browser.refuse(&request);
        rig.expect("kept").await;
        rig.step(json!({"reload": {}})).await;
    }
    rig.step(json!({"click": {"role": "button", "name": "Send top"}})).await;
    let request = held(&mut rig, "the second of top").await;
    rig.browser.let_go(&request).await.unwrap();
    rig.expect("sent").await;
    assert_eq!(target.arrived(), ["of top"]);
    rig.browser.let_go(&request).await.expect_err("what left once cannot leave again");

    rig.step(json!({"click": {"role": "button", "name": "Send worker"}})).await;
    let request = held(&mut rig, "worker").await;
    assert_eq!(request.outgoing.body.as_deref(), Some(b"of worker".as_slice()));
    rig.browser.refuse(&request);
    rig.expect("worker kept").await;

    rig.step(json!({"click": {"role": "button", "name": "Open"}})).await;
    rig.step(json!({"click": {"role": "button", "name": "Send popup"}})).await;
    let request = held(&mut rig, "popup").await;
    rig.browser.refuse(&request);
    rig.expect("kept").await;
    assert_eq!(target.arrived(), ["of top"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_its_server_sends_on_is_approved_within_its_site_alone() {
    let (mut rig, target) = tokio::join!(Rig::start(), Target::start());
    rig.open(&target.url).await;
    hold_all(&rig).await;
    let send = async |rig: &Rig, path: &str| {
        let script = format!("fetch('{path}', {{ method: 'POST', body: 'of {path}' }})");
        let script = format!("void {script}.then(() => out.textContent = 'sent', () => out.textContent = 'kept')");
        rig.person.run(&script).await;
    };
    send(&rig, "/moved").await;
    let request = held(&mut rig, "the first").await;
    assert!(request.outgoing.url.ends_with("/moved"), "{request:?}");
    rig.browser.let_go(&request).await.unwrap();
    rig.expect("sent").await;
    assert_eq!(target.arrived(), ["of /moved"], "it was not held again");

    send(&rig, "/away").await;
    let request = held(&mut rig, "the second").await;
    rig.browser.let_go(&request).await.unwrap();
    let request = held(&mut rig, "the second, sent on").await;
    assert!(request.outgoing.url.starts_with("http://localhost:"), "the new destination: {request:?}");
    rig.browser.refuse(&request);
    rig.expect("kept").await;
    assert_eq!(target.arrived(), ["of /moved"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_never_held_and_what_they_typed_is_known_without_being_told() {
    let (mut rig, target) = tokio::join!(Rig::start(), Target::start());
    rig.open(&target.url).await;
    let judged = hold_all(&rig).await;
    rig.give_to_person();
    let _takeover = rig.browser.before_takeover().await;
    rig.person.click("#secret").await;
    rig.person.type_text("canary-5512").await;
    let before = judged.load(Ordering::Relaxed);
    rig.person.run("fetch('/post', { method: 'POST', body: 'by hand' })").await;
    assert_eq!(target.arrived(), ["by hand"], "it went its way");
    assert_eq!(judged.load(Ordering::Relaxed), before, "and nobody judged it");
    rig.give_to_agent();
    rig.step(json!({"click": {"role": "button", "name": "Post"}})).await;
    let request = held(&mut rig, "the form").await;
    assert!(request.is_page);
    assert_eq!(request.typed_fields, ["secret"], "the name of the field, told before the page leaves");
    rig.browser.refuse(&request);
    let values = ["canary-5512", "another"].map(str::to_owned);
    assert_eq!(rig.browser.typed_by_person(&values).await.unwrap(), [true, false]);
    assert_eq!(rig.browser.state().title, "Page", "a refused form leaves the page as it is");
    assert_eq!(target.arrived(), ["by hand"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_rule_no_request_is_paused_on_its_way_out() {
    let (rig, target) = tokio::join!(Rig::start(), Target::start());
    rig.open(&target.url).await;
    rig.step(json!({"click": {"role": "button", "name": "Send worker"}})).await;
    rig.expect("worker sent").await;
    // Answers of documents pause for a moment, to see whether the proxy carried them.
    let told = rig.person.told.lock().unwrap().clone();
    let paused = told.split('\0').filter(|message| message.contains("\"Fetch.requestPaused\""));
    let on_its_way_out = |message: &&str| !message.contains("\"responseStatusCode\"");
    assert_eq!(paused.filter(on_its_way_out).count(), 0);
    hold_all(&rig).await;
    rig.browser.hold(None).await.unwrap();
    rig.step(json!({"click": {"role": "button", "name": "Send worker"}})).await;
    rig.expect("worker sent").await;
}
