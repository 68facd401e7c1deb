//! Dialogs of the browser's own: each is named in the event, in what the agent's side is told, and in the story; those that
//! nobody could answer are refused, and the page goes on.

use std::process::Stdio;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use baton_tests::{Baton, Site, Viewer, eventually};
use serde_json::{Value, json};

/// Each page has one thing to press, and tells what came of it.
const PAGES: [(&str, &str); 7] = [
    (
        "/passkey",
        r#"<body><button id=b>Sign in</button><script>b.onclick = async () => {
        const asked = performance.now();
        try { await navigator.credentials.get({ publicKey: { challenge: new Uint8Array(16), rpId: location.hostname, timeout: 60000 } }); tell('got one'); }
        catch (error) { tell(error.name + (performance.now() - asked < 1500 ? ' fast' : ' late')); }
        }; const tell = (what) => fetch('/told?passkey=' + encodeURIComponent(what));</script>"#,
    ),
    (
        "/new-passkey",
        r#"<body><button id=b>Make a passkey</button><script>b.onclick = async () => {
        const user = { id: new Uint8Array(4), name: 'ada', displayName: 'Ada' };
        try { await navigator.credentials.create({ publicKey: { challenge: new Uint8Array(16), rp: { name: 'x', id: location.hostname }, user, pubKeyCredParams: [{ type: 'public-key', alg: -7 }] } }); tell('made one'); }
        catch (error) { tell(error.name); }
        }; const tell = (what) => fetch('/told?made=' + encodeURIComponent(what));</script>"#,
    ),
    (
        "/links",
        r#"<body><a id=mail href="mailto:ada@portal.example">Write to us</a> <a id=call href="zoommtg://zoom.us/join?confno=1">Join</a>
        <button id=go onclick="location.href = 'foo:bar'">Go</button><button id=on onclick="fetch('/told?on=1')">Go on</button>"#,
    ),
    ("/popup", r#"<body><button id=b onclick="window.open('zoommtg://zoom.us/join?confno=1')">Join</button>"#),
    ("/file", r#"<body><input id=b type=file>"#),
    (
        "/place",
        r#"<body><button id=b onclick="navigator.geolocation.getCurrentPosition(() => {}, () => {})">Where</button>"#,
    ),
    ("/print", r#"<body><button id=b onclick="print()">Print</button>"#),
];

struct Scene {
    baton: Baton,
    site: Site,
    sandbox: String,
}

impl Scene {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens a scene whose sandbox may also reach these addresses.
    async fn open_with(others: &[String]) -> Self {
        let secret = |headers: HeaderMap| async move {
            if headers.contains_key(header::AUTHORIZATION) {
                return Html("<title>Inside</title>").into_response();
            }
            let asks = [(header::WWW_AUTHENTICATE, "Basic realm=\"Portal\"")];
            (StatusCode::UNAUTHORIZED, asks, "no").into_response()
        };
        let site = Site::serve(&PAGES, Router::new().route("/secret", get(secret))).await;
        let baton = Baton::start().await;
        let port = site.address.port();
        let private = [&[site.address.to_string(), format!("localhost:{port}")], others].concat();
        let network = json!({ "allowPrivate": private });
        let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
        Self { baton, site, sandbox }
    }

    /// An address that counts as secure, so that pages may ask for passkeys and places.
    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.site.address.port())
    }

    /// Plays these steps to their end.
    async fn play(&self, steps: Value) -> Value {
        let playbook = json!({ "name": "Dialogs", "steps": steps }).to_string();
        let task =
            self.baton.post(&format!("/sandboxes/{}/tasks", self.sandbox), json!({ "playbook": playbook })).await;
        self.baton.until_over(task["taskId"].as_str().expect("a task has an id")).await
    }

    async fn told(&self, kind: &str, state: &str) -> Value {
        self.told_with(kind, state, "").await
    }

    /// Waits for the event of a dialog whose message has these words, and returns what it says.
    async fn told_with(&self, kind: &str, state: &str, words: &str) -> Value {
        let path = format!("/sandboxes/{}/events?limit=200", self.sandbox);
        eventually(&format!("the event of {kind}, {state}, {words}"), || async {
            let page = self.baton.get(&path).await;
            let events = page["data"].as_array().expect("a list").clone();
            let dialogs = events.into_iter().filter(|event| event["type"] == "sandbox.browser.dialog");
            dialogs.map(|event| event["data"].clone()).find(|data| {
                let message = data["message"].as_str().unwrap_or_default();
                data["kind"] == kind && data["state"] == state && message.contains(words)
            })
        })
        .await
    }

    /// Returns what the last look of a task showed.
    async fn look(&self) -> String {
        let task = self.play(json!([{ "look": {} }])).await;
        assert_eq!(task["status"], "completed", "{task}");
        let events = self.baton.events(task["id"].as_str().expect("a task has an id")).await;
        let page = events.iter().find_map(|event| event["data"]["page"].as_str());
        page.expect("a look is told").to_owned()
    }
}

#[tokio::test]
async fn what_nobody_here_could_answer_is_refused_and_told_and_the_page_goes_on() {
    let scene = Scene::open().await;
    for (path, press, kind, words) in [
        ("/passkey", "#b", "passkey", "passkey"),
        ("/new-passkey", "#b", "passkey", "passkey"),
        ("/links", "#mail", "externalApp", "(mailto:)"),
        ("/links", "#call", "externalApp", "(zoommtg:)"),
        ("/links", "#go", "externalApp", "(foo:)"),
    ] {
        let task = scene.play(json!([{ "navigate": scene.url(path) }, { "click": { "selector": press } }])).await;
        assert_eq!(task["status"], "completed", "{path} {press}: {task}");
        let told = scene.told_with(kind, "refused", words).await;
        assert!(told["message"].as_str().is_some_and(|words| words.starts_with("http://localhost:")), "{told}");
        assert!(told.get("handoff").is_none(), "{told}");
        assert!(!scene.look().await.contains("\ndialog:"), "{path} {press}");
    }
    scene.site.told_that("passkey", "NotAllowedError fast").await;
    scene.site.told_that("made", "NotAllowedError").await;
    let task = scene.play(json!([{ "click": { "selector": "#on" } }])).await;
    assert_eq!(task["status"], "completed", "{task}");
    scene.site.told_that("on", "1").await;
}

#[tokio::test]
async fn what_a_person_can_answer_is_named_at_once_and_a_handoff_proposed() {
    let scene = Scene::open().await;
    for (steps, kind) in [
        (json!([{ "navigate": scene.url("/file") }, { "click": { "selector": "#b" } }]), "fileChooser"),
        (json!([{ "navigate": scene.url("/place") }, { "click": { "selector": "#b" } }]), "permission"),
    ] {
        let task = scene.play(steps).await;
        assert_eq!(task["status"], "completed", "{kind}: {task}");
        let told = scene.told(kind, "open").await;
        assert!(told["handoff"]["message"].as_str().is_some_and(|ask| ask.ends_with("hand back")), "{told}");
        let look = scene.look().await;
        assert!(look.contains(&format!("\ndialog: {kind} ")), "{look}");
        let task = scene.play(json!([{ "click": { "selector": "#nothing", "timeoutMs": 300 } }])).await;
        let failed = task["error"]["message"].as_str().unwrap_or_default();
        assert!(failed.contains(&format!("a dialog is in the way ({kind})")), "{task}");
        assert!(failed.contains("handoff"), "{task}");
        if kind == "fileChooser" {
            let viewer = Viewer::connect(&scene.baton, &scene.sandbox).await;
            viewer.take().await;
            viewer.hand_back(None).await;
            let told = scene.told(kind, "closed").await;
            assert_eq!(told["message"], "a file chooser that was left open is closed");
            assert!(!scene.look().await.contains("\ndialog:"));
        }
    }
}

#[tokio::test]
async fn a_new_window_that_leads_to_another_program_is_told() {
    let scene = Scene::open().await;
    scene.play(json!([{ "navigate": scene.url("/popup") }, { "click": { "selector": "#b" } }])).await;
    let told = scene.told("externalApp", "open").await;
    assert!(told["message"].as_str().is_some_and(|words| words.contains("(zoommtg:)")), "{told}");
}

#[tokio::test]
async fn a_site_that_wants_a_password_is_named_in_the_failure_and_in_the_look_until_another_page_comes() {
    let scene = Scene::open().await;
    let task = scene.play(json!([{ "navigate": scene.url("/secret") }])).await;
    let failed = task["error"]["message"].as_str().unwrap_or_default();
    assert!(
        failed.contains("a dialog is in the way (httpAuth)") && failed.contains("user name and a password"),
        "{task}"
    );
    let told = scene.told("httpAuth", "open").await;
    assert_eq!(told["handoff"]["reason"], "login_failed", "{told}");
    assert!(scene.look().await.contains("\ndialog: httpAuth "));
    let task = scene.play(json!([{ "navigate": scene.url("/print") }])).await;
    assert_eq!(task["status"], "completed", "{task}");
    scene.told("httpAuth", "closed").await;
    assert!(!scene.look().await.contains("\ndialog:"));
}

#[tokio::test]
async fn a_page_that_prints_is_told() {
    let scene = Scene::open().await;
    // A page that prints stands still until it has: that takes its time on a busy machine.
    let press = json!({ "click": { "selector": "#b", "timeoutMs": 60_000 } });
    let task = scene.play(json!([{ "navigate": scene.url("/print") }, press])).await;
    assert_eq!(task["status"], "completed", "{task}");
    let told = scene.told("print", "answered").await;
    assert!(told["message"].as_str().is_some_and(|words| words.contains("PDF")), "{told}");
}

/// A site that shows a certificate which nobody vouches for; ends when dropped.
struct SelfSigned {
    port: u16,
    server: std::process::Child,
    _folder: tempfile::TempDir,
}

impl SelfSigned {
    /// `None` where there is no `openssl`.
    fn serve() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let [key, certificate] =
            ["key.pem", "certificate.pem"].map(|name| folder.path().join(name).display().to_string());
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let openssl = || {
            let mut command = std::process::Command::new("openssl");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let made = openssl()
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"])
            .args(["-keyout", &key, "-out", &certificate])
            .status();
        made.ok().filter(std::process::ExitStatus::success)?;
        let address = format!("127.0.0.1:{port}");
        let server =
            openssl().args(["s_server", "-www", "-accept", &address, "-key", &key, "-cert", &certificate]).spawn();
        Some(Self { port, server: server.ok()?, _folder: folder })
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        // One that ended by itself is as good.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn a_site_whose_certificate_is_not_trusted_is_named_until_another_page_comes() {
    let Some(site) = SelfSigned::serve() else {
        eprintln!("skipped: there is no openssl to make a certificate with");
        return;
    };
    let scene = Scene::open_with(&[format!("localhost:{}", site.port), format!("127.0.0.1:{}", site.port)]).await;
    let address = format!("https://localhost:{}/", site.port);
    let task = scene.play(json!([{ "navigate": address }])).await;
    let failed = task["error"]["message"].as_str().unwrap_or_default();
    assert!(failed.contains("a dialog is in the way (certificate)"), "{task}");
    let told = scene.told("certificate", "open").await;
    assert!(told["message"].as_str().is_some_and(|words| words.contains(&address[..address.len() - 1])), "{told}");
    let look = scene.look().await;
    assert!(look.contains("\ndialog: certificate "), "{look}");
    let task = scene.play(json!([{ "navigate": scene.url("/print") }])).await;
    assert_eq!(task["status"], "completed", "{task}");
    scene.told("certificate", "closed").await;
}
