//! Questions beside a person who drives, and what is told of acts that nobody or somebody interrupted.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Html;
use axum::routing::{any, get};
use baton_tests::{Baton, Debugger, Site, Viewer, eventually, http_client};
use serde_json::{Value, json};

const SHOP: &str = r#"<!doctype html><title>Shop</title><body style="margin:0">
    <form method="post" action="/pay"><button autofocus style="position:absolute;left:20px;top:200px;width:200px;height:40px">Pay now</button></form>"#;
/// Where the button is.
const PAY: (i32, i32) = (120, 220);
/// A sign-in that an address carries.
const LOGIN: &str = "ada:canary-4419@";

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic while it was told").clone()
    }
}

async fn record(State(seen): State<Seen>, method: Method, uri: Uri) -> Html<&'static str> {
    seen.0.lock().expect("no panic while it was told").push(format!("{method} {}", uri.path()));
    Html("<title>Thanks</title><p>Thank you</p>")
}

/// A page that is asked for and never comes.
async fn never(State(seen): State<Seen>) -> Html<&'static str> {
    seen.0.lock().expect("no panic while it was told").push("asked for".to_owned());
    std::future::pending().await
}

struct Scene {
    baton: Baton,
    site: Site,
    seen: Seen,
    sandbox: String,
}

impl Scene {
    async fn open(rules: Value) -> Self {
        let seen = Seen::default();
        let more = Router::new().route("/pay", any(record)).route("/never", get(never)).with_state(seen.clone());
        let (site, baton) = tokio::join!(Site::serve(&[("/", SHOP)], more), Baton::start());
        baton.ok("PUT", "/rules", Some(json!({ "rules": rules }))).await;
        let network = json!({ "allowPrivate": [site.address.to_string()] });
        let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
        Self { baton, site, seen, sandbox }
    }

    fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
    }

    async fn asked(&self) -> Value {
        eventually("a person is asked", || async {
            self.baton.get("/approvals?status=pending").await["data"].get(0).cloned()
        })
        .await
    }

    async fn events(&self) -> Vec<Value> {
        let page = self.baton.get(&self.path("/events?limit=200")).await;
        page["data"].as_array().expect("a list").clone()
    }

    async fn submits_by_a_program(&self) -> Debugger {
        let mut client = Debugger::with_token(&self.baton, &self.path("/cdp")).await;
        let session = client.attach().await;
        client.call(Some(&session), "Page.enable", json!({})).await;
        client.call(Some(&session), "Page.navigate", json!({ "url": self.site.url("/") })).await;
        client.event("Page.loadEventFired").await;
        let submit = json!({ "expression": "document.forms[0].submit()" });
        client.call(Some(&session), "Runtime.evaluate", submit).await;
        client
    }

    /// Sends a request without waiting for its answer.
    fn begin(&self, path: &str, body: Value) -> tokio::task::JoinHandle<(u16, Value)> {
        let (url, token) = (format!("{}/v1{}", self.baton.url, self.path(path)), self.baton.token.clone());
        tokio::spawn(async move {
            let answer = http_client().post(url).bearer_auth(token).json(&body).send().await.expect("an answer");
            (answer.status().as_u16(), answer.json().await.expect("JSON"))
        })
    }
}

fn ask_before_paying() -> Value {
    json!([{ "site": "*", "kind": "pay", "effect": "ask" }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_withdrawn_when_the_person_does_it_themselves() {
    let scene = Scene::open(ask_before_paying()).await;
    let steps =
        format!("steps:\n  - navigate: {}\n  - click: {{ role: button, name: Pay now }}\n", scene.site.url("/"));
    scene.baton.post(&scene.path("/tasks"), json!({ "playbook": steps })).await;
    let question = scene.asked().await;
    let viewer = Viewer::connect(&scene.baton, &scene.sandbox).await;
    viewer.take().await;
    viewer.click_in_page(&scene.baton, &scene.sandbox, PAY).await;
    let withdrawn = scene.baton.until("/approvals", "/data/0/status", "void").await;
    let withdrawn = &withdrawn["data"][0];
    assert_eq!(withdrawn["approvalId"], question["approvalId"]);
    assert!(withdrawn["reason"].as_str().is_some_and(|why| why.contains("a person did it")), "{withdrawn}");
    eventually("it arrives", || async { scene.seen.all().first().map(drop) }).await;
    assert_eq!(scene.baton.get(&scene.path("")).await["approvals"], json!([]), "nothing is asked any more");
    let decided = scene.events().await.into_iter().find(|event| event["type"] == "sandbox.approval.decided");
    let decided = decided.expect("the story says it");
    assert_eq!((&decided["by"], &decided["data"]["status"]), (&json!("person"), &json!("void")), "{decided}");
    viewer.hand_back(None).await;
    assert_eq!(scene.seen.all(), ["POST /pay"], "by the person, once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_page_a_person_left_is_withdrawn_at_the_hand_back() {
    let scene = Scene::open(ask_before_paying()).await;
    let _client = scene.submits_by_a_program().await;
    let question = scene.asked().await;
    assert_eq!((&question["held"], question.get("taskId")), (&json!(true), None), "{question}");
    let viewer = Viewer::connect(&scene.baton, &scene.sandbox).await;
    viewer.take().await;
    // The page goes on without what is held: as a person who goes elsewhere.
    viewer.key("F5", "F5").await;
    viewer.still_picture().await;
    assert_eq!(scene.asked().await["approvalId"], question["approvalId"], "it stands while they drive");
    viewer.hand_back(None).await;
    let withdrawn = scene.baton.until("/approvals", "/data/0/status", "void").await;
    assert!(withdrawn["data"][0]["reason"].as_str().is_some_and(|why| why.contains("left")), "{withdrawn}");
    assert_eq!(scene.seen.all(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_programs_question_is_listed_and_answered_under_a_handoff_and_while_a_person_drives() {
    let scene = Scene::open(ask_before_paying()).await;
    let _client = scene.submits_by_a_program().await;
    let question = scene.asked().await;
    let told = scene.events().await.into_iter().find(|event| event["type"] == "sandbox.approval.requested");
    assert_eq!(told.expect("the story says it")["by"], "api");
    let ask = json!({ "reason": "custom", "message": "Look at this" });
    scene.baton.post(&scene.path("/handoff"), ask).await;
    let sandbox = scene.baton.until(&scene.path(""), "/preview/controlMode", "waiting").await;
    assert_eq!(sandbox["approvals"], json!([question]), "beside a request for a person");
    scene.baton.post(&scene.path("/handoff/accept"), json!({ "controller": "Ada" })).await;
    let sandbox = scene.baton.until(&scene.path(""), "/preview/controlMode", "human").await;
    assert_eq!((&sandbox["approvals"], &sandbox["preview"]["blind"]), (&json!([question]), &json!(true)));
    let id = question["approvalId"].as_str().expect("an id");
    scene.baton.post(&format!("/approvals/{id}"), json!({ "decision": "approve" })).await;
    eventually("it arrives", || async { scene.seen.all().first().map(drop) }).await;
    scene.baton.post(&scene.path("/handoff/complete"), json!({})).await;
    assert_eq!(scene.seen.all(), ["POST /pay"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_under_way_when_a_person_took_over_is_told_as_unknown_and_never_as_refused() {
    let scene = Scene::open(json!([])).await;
    let mut client = Debugger::with_token(&scene.baton, &scene.path("/cdp")).await;
    let session = client.attach().await;
    let waits = json!({ "expression": "new Promise(() => {}, document.title = 'begun')", "awaitPromise": true });
    let waiting = client.send(Some(&session), "Runtime.evaluate", waits).await;
    let types = json!({ "text": "x" });
    client.call(Some(&session), "Input.insertText", types).await;
    let navigating = scene.begin("/preview/navigate", json!({ "url": scene.site.url("/never") }));
    eventually("the page is asked for", || async { scene.seen.all().first().map(drop) }).await;
    scene.baton.post(&scene.path("/control/take"), json!({ "controller": "Ada" })).await;
    let (status, answer) = navigating.await.expect("it is answered");
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("conflict")), "{answer}");
    assert_eq!(answer["error"]["details"]["status"], "unknown", "{answer}");
    scene.baton.post(&scene.path("/control/release"), json!({})).await;
    let told = scene.events().await.into_iter().find(|event| event["type"] == "sandbox.agent.action");
    let told = told.expect("the story says what was begun");
    assert!(told["data"]["error"]["message"].as_str().is_some_and(|why| why.contains("not known")), "{told}");
    // Its page goes now, and with it what was awaited; whatever is answered, it is no refusal of what was done.
    let elsewhere = json!({ "url": scene.site.url("/") });
    client.call(Some(&session), "Page.navigate", elsewhere).await;
    let answer = client.answer(waiting).await;
    assert_ne!(answer["error"]["message"], "heldByPerson", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_an_address_carries_is_kept_and_told_nowhere() {
    let scene = Scene::open(json!([{ "site": "*", "kind": "newDestination", "effect": "ask" }])).await;
    let url = scene.site.url("/").replace("http://", &format!("http://{LOGIN}"));
    let opening = scene.begin("/preview/navigate", json!({ "url": url }));
    let question = scene.asked().await;
    assert_eq!(question["proposal"]["destination"], scene.site.url("/"), "{question}");
    let id = question["approvalId"].as_str().expect("an id");
    scene.baton.post(&format!("/approvals/{id}"), json!({ "decision": "approve" })).await;
    let (status, preview) = opening.await.expect("it is answered");
    assert_eq!((status, &preview["title"]), (200, &json!("Shop")), "{preview}");
    assert_eq!(preview["url"], scene.site.url("/"), "{preview}");
    let steps =
        format!("steps:\n  - navigate: {url}\n  - click: {{ role: button, name: Not there, timeoutMs: 100 }}\n");
    let task = scene.baton.post(&scene.path("/tasks"), json!({ "playbook": steps })).await;
    let task = task["taskId"].as_str().expect("an id").to_owned();
    let failed = scene.baton.until(&format!("/tasks/{task}"), "/status", "failed").await;
    scene.baton.post(&scene.path("/control/take"), json!({ "controller": "Ada" })).await;
    scene.baton.post(&scene.path("/control/release"), json!({})).await;
    let listed = scene.baton.get(&scene.path("/cdp/json/list")).await;
    let handoffs = scene.baton.get("/handoffs").await;
    let kept = [
        json!(scene.events().await),
        scene.baton.get(&scene.path("")).await,
        scene.baton.get("/approvals").await,
        handoffs.clone(),
        listed,
        failed["error"].clone(),
    ];
    assert!(handoffs["data"][0]["receipt"]["after"]["url"] == scene.site.url("/"), "{handoffs}");
    for told in kept {
        assert!(!told.to_string().contains("canary-4419"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_what_is_so_already_and_nobody_came_is_no_time_held() {
    let scene = Scene::open(json!([])).await;
    scene.baton.post(&scene.path("/preview/navigate"), json!({ "url": scene.site.url("/") })).await;
    let at_shop =
        json!({ "reason": "custom", "message": "Open the shop", "until": { "selector": "form[action='/pay']" } });
    let answer = scene.baton.post(&scene.path("/handoff"), at_shop.clone()).await;
    let done = &answer["handoff"];
    assert_eq!(done["status"], "completed", "{answer}");
    assert!(done["note"].as_str().is_some_and(|note| note.contains("nobody was asked")), "{done}");
    assert_eq!(answer["preview"]["controlMode"], "idle", "{answer}");
    // A task goes on at once.
    let steps = format!(
        "steps:\n  - handoff: {}\n",
        json!({ "reason": "custom", "message": "Open", "until": at_shop["until"] })
    );
    let task = scene.baton.post(&scene.path("/tasks"), json!({ "playbook": steps })).await;
    let task = task["taskId"].as_str().expect("an id").to_owned();
    scene.baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    let kinds: Vec<_> =
        scene.events().await.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(!kinds.iter().any(|kind| kind == "sandbox.handoff.requested"), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "sandbox.handoff.completed").count(), 2, "{kinds:?}");

    // What is not so is asked, without a condition too; whoever completes it without taking control held nothing.
    for until in [json!({ "url": "**/elsewhere" }), json!({})] {
        let ask = json!({ "reason": "custom", "message": "Do it", "until": until });
        let asked = scene.baton.post(&scene.path("/handoff"), ask).await;
        assert_eq!(asked["handoff"]["status"], "pending", "{asked}");
        let done = scene.baton.post(&scene.path("/handoff/complete"), json!({})).await;
        let receipt = &done["handoff"]["receipt"];
        assert_eq!((&receipt["heldMs"], &receipt["inputs"]), (&json!(0), &json!(0)), "{done}");
    }
    scene.baton.post(&scene.path("/control/take"), json!({ "controller": "Ada" })).await;
    scene.baton.post(&scene.path("/control/release"), json!({})).await;
    let completed = scene.events().await.into_iter().filter(|event| event["type"] == "sandbox.handoff.completed");
    let takeovers: Vec<_> = completed.map(|event| event["data"]["takeovers"].clone()).collect();
    assert_eq!(takeovers.iter().filter(|times| **times == json!(1)).count(), 1, "{takeovers:?}");
    assert_eq!(takeovers.iter().filter(|times| **times == json!(0)).count(), 4, "{takeovers:?}");
}
