//! Every door to the browser keeps every promise: a table of doors × promises, each cell tried.
//!
//! A door is a way to act on a page: [`Door::pay`] pays through it, and a [`Hand`] does the rest. A promise is a function of a
//! door. Each line of [`each_door`] is a cell of the table; another column is another function and its lines.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Html;
use axum::routing::any;
use baton_tests::{
    Answer, Asked, Baton, Debugger, HttpMcp, ModelServer, Site, Turn, Viewer, assert_read_by_nobody,
    cdp_from_the_shell, eventually, http_client, reading_commands,
};
use sandbox_core::viewer::{FromViewer, InputEvent};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// A way to act on a page of the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// A task that follows a model uses its tools.
    AgentTool,
    /// The same, on a button that does not say what it does.
    AgentToolMisled,
    Playbook,
    Mcp,
    /// A client of the debugging endpoint, with the token.
    CdpOutside,
    /// The same, in a browser context of its own.
    CdpOwnContext,
    /// A script in the shell room that a model's task runs.
    CdpShell,
    /// A page that acts by itself, opened by a preview route.
    HttpPreview,
}

/// The form that pays. `/auto` sends it by itself, `/quiet` by a button whose words tell nothing.
const SHOP: &str = r#"<!doctype html><title>Shop</title><h1>Shop</h1>
    <form method="post" action="/pay">
      <input name="to" value="Ada"><input name="amount" value="40.00">
      <select name="how"><option value="card">By card</option></select><button>Pay now</button>
    </form>"#;
const AUTO: &str = r#"<!doctype html><title>Auto</title><form method="post" action="/pay">
    <input name="to" value="Ada"><input name="amount" value="40.00"><input name="how" value="card"></form>
    <script>document.forms[0].submit()</script>"#;
const QUIET: &str = r#"<!doctype html><title>Quiet</title><button onclick="fetch('/pay', { method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'to=Ada&amount=40.00&how=card' })">Next</button>"#;
/// A field that takes the keys, and a button. Tells when it is open and how much is typed, under the name in its address.
const DESK: &str = r#"<!doctype html><title>Desk</title><body style="margin:0"><label for="field">Word</label>
    <style>input, button { position: absolute; left: 20px; width: 300px; height: 40px; background: white }</style>
    <input id="field" autofocus style="top:60px"><button style="top:140px" onclick="fetch('/pressed')">Press me</button>
    <script>const drawn = () => new Promise(requestAnimationFrame);
    let last = drawn().then(drawn).then(() => fetch('/told?' + location.search.slice(1) + '=open'));
    const tell = () => fetch('/told?' + location.search.slice(1) + '=' + field.value.length);
    field.addEventListener('input', () => last = last.then(tell))</script>"#;
/// Places within the field and the button, in pixels of the page.
const FIELD: (u32, u32) = (40, 80);
const BUTTON: (i32, i32) = (40, 160);
/// What reaches the site when the button is pressed.
const PRESSED: &str = "GET /pressed ";
/// Typed by the person.
const CANARY: &str = "canary-4417-typed";
/// An address that no sandbox may reach without a setting.
const REFUSED: &str = "http://10.0.0.1/";
/// What reaches the shop when it is paid, once.
const PAID: &str = "POST /pay to=Ada&amount=40.00&how=card";

/// Submits the form from the shell room.
const SUBMIT: &str = r#"
print(ask("Runtime.evaluate", {"expression": "document.forms[0].submit()"}, attach()))
"#;

/// What reached the shop and changes something there.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic while it was told").clone()
    }
}

async fn record(State(seen): State<Seen>, method: Method, uri: Uri, body: String) -> Html<&'static str> {
    seen.0.lock().expect("no panic while it was told").push(format!("{method} {} {body}", uri.path()));
    Html("<title>Thanks</title><p>Thank you</p>")
}

/// A shop of its own and a sandbox for one door.
struct Scene {
    here: baton_tests::Scene,
    model: ModelServer,
    seen: Seen,
}

impl Deref for Scene {
    type Target = baton_tests::Scene;

    fn deref(&self) -> &Self::Target {
        &self.here
    }
}

/// What was set going, kept until the cell is done.
#[derive(Default)]
struct Going {
    task: Option<String>,
    /// The model says nothing more until it is told.
    model_waits: Option<Arc<Notify>>,
    _client: Option<Debugger>,
    call: Option<tokio::task::JoinHandle<Value>>,
}

impl Scene {
    /// Opens a sandbox. What a person wrote asks only where a rule says so, and a model asks without one.
    async fn open(door: Door) -> Self {
        let seen = Seen::default();
        let router = Router::new().route("/pay", any(record)).route("/pressed", any(record)).with_state(seen.clone());
        let pages = [("/", SHOP), ("/auto", AUTO), ("/quiet", QUIET), ("/desk", DESK)];
        let (site, model) = tokio::join!(Site::serve(&pages, router), ModelServer::start(vec![]));
        let baton = Baton::start_with(&model.env()).await;
        if !door.is_a_models() {
            let rules = json!({ "rules": [{ "site": "*", "kind": "pay", "effect": "ask" }] });
            baton.ok("PUT", "/rules", Some(rules)).await;
        }
        let config = json!({ "capabilities": { "browser": { "shellAccess": door == Door::CdpShell } } });
        Self { here: baton_tests::Scene::at(baton, site, config).await, model, seen }
    }

    async fn task(&self, body: Value) -> Going {
        let task = self.baton.post(&self.path("/tasks"), body).await;
        Going { task: task["taskId"].as_str().map(str::to_owned), ..Going::default() }
    }

    /// A task that ends takes its questions along: the model has its last word when [`Self::ends`] says so.
    async fn prompt(&self, script: Vec<Answer>) -> Going {
        let waits = Arc::new(Notify::new());
        script.into_iter().for_each(|answer| self.model.push(answer));
        self.model.push(Answer::call("done", json!({ "result": "as you said" })).paused(waits.clone()));
        let going = self.task(json!({ "prompt": format!("Look at the shop {}", self.site.url("/")) })).await;
        Going { model_waits: Some(waits), ..going }
    }

    async fn attached(&self) -> (Debugger, String) {
        let mut client = self.debugger().await;
        let session = client.attach().await;
        (client, session)
    }

    /// Connects a client and opens a tab in a browser context of its own.
    async fn in_a_context(&self, url: &str) -> (Debugger, String) {
        let mut client = self.debugger().await;
        let context = client.call(None, "Target.createBrowserContext", json!({})).await;
        let params = json!({ "url": url, "browserContextId": context["browserContextId"] });
        let target = client.call(None, "Target.createTarget", params).await;
        let params = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = client.call(None, "Target.attachToTarget", params).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        (client, session)
    }

    /// Calls a tool as an MCP client does.
    async fn mcp(&self, tool: &'static str, mut arguments: Value) -> tokio::task::JoinHandle<Value> {
        arguments["sandboxId"] = json!(self.sandbox);
        let client = HttpMcp::connect(&self.baton).await;
        tokio::spawn(async move { client.tool(tool, arguments).await })
    }

    /// Waits until a person is asked, and returns the question.
    async fn asked(&self) -> Value {
        let path = format!("/approvals?status=pending&sandboxId={}", self.sandbox);
        eventually("a person is asked", || async {
            let page = self.baton.get(&path).await;
            page["data"].get(0).cloned()
        })
        .await
    }

    async fn answer(&self, question: &Value, decision: &str) {
        let id = question["approvalId"].as_str().expect("a question has an id");
        let body = json!({ "decision": decision, "hash": question["hash"] });
        self.baton.post(&format!("/approvals/{id}"), body).await;
    }

    /// Waits until what was set going has come to its end.
    async fn ends(&self, going: Going) {
        if let Some(waits) = going.model_waits {
            waits.notify_one();
        }
        if let Some(call) = going.call {
            call.await.expect("the call is answered");
        }
        if let Some(task) = going.task {
            eventually("the task is over", || async {
                let status = self.baton.get(&format!("/tasks/{task}")).await["status"].clone();
                ["completed", "failed"].iter().any(|over| status == *over).then_some(())
            })
            .await;
        }
    }
}

impl Door {
    /// Whether a model decides what is done: then it is asked about without a rule.
    fn is_a_models(self) -> bool {
        matches!(self, Self::AgentTool | Self::AgentToolMisled | Self::Mcp | Self::CdpShell)
    }

    /// Opens the shop and pays there.
    async fn pay(self, scene: &Scene) -> Going {
        let shop = scene.site.url("/");
        let open = || Answer::call("navigate", json!({ "url": shop }));
        let button = json!({ "role": "button", "name": "Pay now" });
        match self {
            Self::AgentTool => scene.prompt(vec![open(), Answer::call("click", button)]).await,
            Self::AgentToolMisled => {
                let quiet = Answer::call("navigate", json!({ "url": scene.site.url("/quiet") }));
                let next = Answer::call("click", json!({ "role": "button", "name": "Next" }));
                scene.prompt(vec![quiet, next]).await
            }
            Self::CdpShell => {
                let script = json!({ "command": "python3", "args": ["-c", cdp_from_the_shell(SUBMIT)] });
                scene.prompt(vec![open(), Answer::call("exec", script)]).await
            }
            Self::Playbook => {
                let steps = format!("steps:\n  - navigate: {shop}\n  - click: {{ role: button, name: Pay now }}\n");
                scene.task(json!({ "playbook": steps })).await
            }
            Self::Mcp => {
                let opened = scene.mcp("browser_navigate", json!({ "url": shop })).await.await.expect("it is opened");
                assert_ne!(opened["isError"], true, "{opened}");
                Going { call: Some(scene.mcp("browser_click", button).await), ..Going::default() }
            }
            Self::HttpPreview => {
                let (http, token) = (http_client(), scene.baton.token.clone());
                let url = format!("{}/v1{}", scene.baton.url, scene.path("/preview/navigate"));
                let body = json!({ "url": scene.site.url("/auto") });
                let call = tokio::spawn(async move {
                    let answer = http.post(url).bearer_auth(token).json(&body).send().await.expect("an answer");
                    answer.json().await.expect("JSON")
                });
                Going { call: Some(call), ..Going::default() }
            }
            Self::CdpOutside => {
                let (mut client, session) = scene.attached().await;
                submit(&mut client, &session, &shop).await;
                Going { _client: Some(client), ..Going::default() }
            }
            Self::CdpOwnContext => {
                let (mut client, session) = scene.in_a_context("about:blank").await;
                submit(&mut client, &session, &shop).await;
                Going { _client: Some(client), ..Going::default() }
            }
        }
    }
}

/// Opens the shop and submits its form by the debugging protocol.
async fn submit(client: &mut Debugger, session: &str, shop: &str) {
    let page = Some(session);
    client.call(page, "Page.enable", json!({})).await;
    client.call(page, "Page.navigate", json!({ "url": shop })).await;
    client.event("Page.loadEventFired").await;
    client.call(page, "Runtime.evaluate", json!({ "expression": "document.forms[0].submit()" })).await;
}

// ---- asked first ----

/// The payment never reaches the shop until a person approves it, never when they deny it, and they are asked once.
async fn is_asked_first(door: Door) {
    let scene = Scene::open(door).await;
    let going = door.pay(&scene).await;
    let question = scene.asked().await;
    assert_eq!(question["proposal"]["kind"], "pay", "{door:?}: {question}");
    assert_eq!(question["proposal"]["destination"], scene.site.url("/pay"), "{door:?}: {question}");
    assert_eq!(scene.seen.all(), Vec::<String>::new(), "{door:?}: nothing left before the answer");
    scene.answer(&question, "deny").await;
    scene.ends(going).await;
    assert_eq!(scene.seen.all(), Vec::<String>::new(), "{door:?}: denied never leaves");

    let going = door.pay(&scene).await;
    let question = scene.asked().await;
    assert_eq!(scene.seen.all(), Vec::<String>::new(), "{door:?}");
    scene.answer(&question, "approve").await;
    eventually("the payment arrives", || async { scene.seen.all().first().map(drop) }).await;
    scene.ends(going).await;
    assert_eq!(scene.seen.all(), [PAID], "{door:?}: approved once, left once");
    let all = scene.baton.get(&format!("/approvals?sandboxId={}", scene.sandbox)).await;
    let mut told: Vec<&str> =
        all["data"].as_array().expect("a list").iter().filter_map(|one| one["status"].as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["approved", "denied"], "{door:?}: asked once each time: {all}");
}

// ---- the other promises: one who stands at a door, with the desk open ----

struct Hand<'a> {
    door: Door,
    scene: &'a Scene,
    client: Option<(Debugger, String)>,
    /// The number of the next question to the program in the shell room.
    asked: u32,
}

/// Asks the browser what files of the workspace say, one after the other, in a session that was attached at the beginning.
const ASKS_BY_FILES: &str = r#"
import time
session = attach()
open("/workspace/attached", "w").close()
number_of_file = 0
while True:
    question, answer = f"/workspace/ask-{number_of_file}", f"/workspace/answer-{number_of_file}"
    while not os.path.exists(question):
        time.sleep(0.02)
    method, params = json.load(open(question))
    with open(answer + ".part", "w") as file:
        json.dump(ask(method, params, session), file)
    os.rename(answer + ".part", answer)
    number_of_file += 1
"#;

impl<'a> Hand<'a> {
    /// Comes to a door and opens the desk.
    async fn at(door: Door, scene: &'a Scene) -> Self {
        let mut hand = Self { door, scene, client: None, asked: 0 };
        if door == Door::CdpOwnContext {
            hand.client = Some(scene.in_a_context(&scene.site.url("/desk?desk")).await);
        } else {
            scene.navigate("/desk?desk").await;
        }
        scene.site.told_that("desk", "open").await;
        match door {
            Door::CdpOutside => hand.client = Some(scene.attached().await),
            Door::CdpShell => {
                let url = format!("{}/v1{}", scene.baton.url, scene.path("/code"));
                let code = json!({ "language": "python", "code": cdp_from_the_shell(ASKS_BY_FILES) });
                let request = http_client().post(url).bearer_auth(&scene.baton.token).json(&code);
                // Ends with its sandbox.
                tokio::spawn(async move { request.send().await.map(drop) });
                eventually("the program in the shell room is attached", || async { hand.file("attached").await }).await;
            }
            Door::AgentTool
            | Door::AgentToolMisled
            | Door::Playbook
            | Door::Mcp
            | Door::CdpOwnContext
            | Door::HttpPreview => {}
        }
        hand
    }

    /// Returns what a file of the workspace holds, if it is there.
    async fn file(&self, name: &str) -> Option<Value> {
        let (status, held) =
            self.scene.baton.send("GET", &self.scene.path(&format!("/fs/read?path={name}")), None).await;
        (status == 200).then_some(held)
    }

    /// Asks by the debugging protocol; returns the answer, errors included.
    async fn cdp(&mut self, method: &str, params: Value) -> Value {
        if let Some((client, session)) = &mut self.client {
            return client.ask(Some(session), method, params).await;
        }
        let number = self.asked;
        self.asked += 1;
        let url = format!("{}/v1{}", self.scene.baton.url, self.scene.path(&format!("/fs/write?path=ask-{number}")));
        let question = json!([method, params]).to_string();
        let written = http_client().put(url).bearer_auth(&self.scene.baton.token).body(question).send().await;
        written.expect("an answer").error_for_status().expect("it is written");
        eventually("the program answers", || async { self.file(&format!("answer-{number}")).await }).await
    }

    async fn mcp(&self, tool: &'static str, arguments: Value) -> Value {
        self.scene.mcp(tool, arguments).await.await.expect("it is answered")
    }

    /// Starts a task; returns it when it is over or waits.
    async fn task(&self, body: Value) -> Value {
        let started = self.scene.baton.post(&self.scene.path("/tasks"), body).await;
        let path = format!("/tasks/{}", started["taskId"].as_str().expect("a task has an id"));
        eventually("the task is over or waits", || async {
            let task = self.scene.baton.get(&path).await;
            ["waiting", "completed", "failed"].iter().any(|status| task["status"] == *status).then_some(task)
        })
        .await
    }

    /// Has a model look and then do `turn`; returns the task and all that the model was told.
    async fn prompt(&self, turn: impl Into<Turn>) -> String {
        let model = &self.scene.model;
        model.push(Answer::call("look", json!({})));
        model.push(turn);
        model.push(Answer::call("done", json!({ "result": "done" })));
        let task = self.task(json!({ "prompt": format!("Look at {} and {REFUSED}", self.scene.site.url("/")) })).await;
        let told: Vec<String> = model.asked().iter().map(|asked| asked.text()).collect();
        format!("{task} {}", told.join(" "))
    }

    async fn playbook(&self, step: Value) -> Value {
        self.task(json!({ "playbook": json!({ "name": "Desk", "steps": [step] }).to_string() })).await
    }

    async fn preview(&self, url: &str) -> Value {
        self.scene.baton.send("POST", &self.scene.path("/preview/navigate"), Some(json!({ "url": url }))).await.1
    }

    /// Presses the button, or opens what it opens where a door has no hand for a button. Returns what came of it.
    async fn press(&mut self) -> String {
        match self.door {
            Door::AgentTool | Door::AgentToolMisled => {
                let click =
                    |asked: &Asked| Answer::call("click", json!({ "ref": asked.reference("button", "Press me") }));
                self.prompt(Turn::of(click)).await
            }
            Door::Playbook => {
                self.playbook(json!({ "click": { "role": "button", "name": "Press me" } })).await.to_string()
            }
            Door::Mcp => {
                let seen = self.mcp("browser_snapshot", json!({})).await.to_string();
                let Some((_, rest)) = seen.split_once("Press me\\\" [ref=") else { return seen };
                let (reference, _) = rest.split_once(']').expect("a reference ends");
                self.mcp("browser_click", json!({ "ref": reference })).await.to_string()
            }
            Door::CdpOutside | Door::CdpOwnContext | Door::CdpShell => {
                let mut answers = String::new();
                for kind in ["mousePressed", "mouseReleased"] {
                    let (x, y) = BUTTON;
                    let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
                    answers += &self.cdp("Input.dispatchMouseEvent", params).await.to_string();
                }
                answers
            }
            Door::HttpPreview => self.preview(&self.scene.site.url("/pressed")).await.to_string(),
        }
    }

    /// Reads what the page holds, in each way that the door has.
    async fn read(&mut self) -> String {
        match self.door {
            Door::AgentTool | Door::AgentToolMisled => self.prompt(Answer::call("look", json!({}))).await,
            Door::Playbook => {
                let task = self.playbook(json!({ "extract": { "selector": "input", "to": "read.json" } })).await;
                format!("{task} {}", self.file("read.json").await.expect("it is written"))
            }
            Door::Mcp => self.mcp("browser_snapshot", json!({})).await.to_string(),
            Door::CdpOutside | Door::CdpOwnContext | Door::CdpShell => {
                let mut answers = String::new();
                for (method, params) in reading_commands() {
                    let answer = self.cdp(method, params).await;
                    assert_eq!(answer["error"]["message"], "veiled", "{method}: {answer}");
                    answers += &answer.to_string();
                }
                answers
            }
            Door::HttpPreview => {
                let picture = self.scene.baton.bytes(&self.scene.path("/preview/screenshot")).await;
                let picture = image::load_from_memory(&picture).expect("a picture").into_rgb8();
                assert_eq!(picture.get_pixel(FIELD.0, FIELD.1).0, [120; 3], "the field is covered");
                self.scene.baton.get(&self.scene.path("/preview")).await.to_string()
            }
        }
    }

    /// Opens an address; returns what came of it.
    async fn open(&mut self, url: &str) -> String {
        match self.door {
            Door::AgentTool | Door::AgentToolMisled => {
                self.prompt(Answer::call("navigate", json!({ "url": url }))).await
            }
            Door::Playbook => self.playbook(json!({ "navigate": url })).await.to_string(),
            Door::Mcp => self.mcp("browser_navigate", json!({ "url": url })).await.to_string(),
            Door::CdpOutside | Door::CdpOwnContext | Door::CdpShell => {
                self.cdp("Page.navigate", json!({ "url": url })).await.to_string()
            }
            Door::HttpPreview => self.preview(url).await.to_string(),
        }
    }
}

impl Door {
    /// Whether a task of Baton's own acts: it waits where others are refused.
    fn is_a_task(self) -> bool {
        matches!(self, Self::AgentTool | Self::AgentToolMisled | Self::Playbook)
    }

    fn is_cdp(self) -> bool {
        matches!(self, Self::CdpOutside | Self::CdpOwnContext | Self::CdpShell)
    }
}

// ---- held off ----

/// While a person holds control the door's act is refused, or waits, and reaches no page; after the hand-back it goes on.
async fn is_held_off(door: Door) {
    let scene = Scene::open(door).await;
    let mut hand = Hand::at(door, &scene).await;
    scene.take().await;
    let answer = hand.press().await;
    let word = if door.is_a_task() { r#""status":"waiting""# } else { "heldByPerson" };
    assert!(answer.contains(word), "{door:?}: {answer}");
    assert_eq!(scene.model.asked().len(), 0, "{door:?}: no model is asked while a person drives");
    scene.release().await;
    assert_eq!(scene.seen.all(), Vec::<String>::new(), "{door:?}: nothing was pressed");
    if !door.is_a_task() {
        hand.press().await;
    }
    eventually("the button is pressed", || async { scene.seen.all().first().map(drop) }).await;
    assert_eq!(scene.seen.all(), [PRESSED], "{door:?}: once");
}

// ---- veiled ----

/// What a person typed is not read after the hand-back.
async fn is_veiled(door: Door) {
    let scene = Scene::open(door).await;
    let mut hand = Hand::at(door, &scene).await;
    let viewer = scene.person().await;
    viewer.still_picture().await;
    viewer.text(CANARY).await;
    scene.site.told_that("desk", &CANARY.len().to_string()).await;
    scene.release().await;
    let read = hand.read().await;
    let sees = match door {
        Door::AgentTool | Door::AgentToolMisled | Door::Mcp => "Word",
        Door::Playbook => r#""status":"completed""#,
        Door::CdpOutside | Door::CdpOwnContext | Door::CdpShell => "veiled",
        Door::HttpPreview => "Desk",
    };
    assert!(read.contains(sees), "{door:?}: it is answered: {read}");
    assert_read_by_nobody(&[read], CANARY);
}

// ---- told in the story ----

/// What the door does is in the history, with the name of the element where there is one.
async fn is_told(door: Door) {
    let scene = Scene::open(door).await;
    let mut hand = Hand::at(door, &scene).await;
    hand.press().await;
    let words = if door == Door::HttpPreview { "/pressed" } else { r#"clicked button "Press me""# };
    let by = if door.is_a_task() { "agent" } else { "api" };
    let told = eventually("the history tells what was done", || async {
        let mut events = scene.events().await.into_iter();
        events.find(|event| {
            let summary = event["data"]["summary"].as_str().unwrap_or_default();
            event["type"] == "sandbox.agent.action" && summary.contains(words)
        })
    })
    .await;
    assert_eq!(told["by"], by, "{door:?}: {told}");
}

// ---- refused network ----

/// A page on a host that the network policy refuses fails with its cause, and the history tells of both.
async fn is_refused_the_network(door: Door) {
    let scene = Scene::open(door).await;
    let mut hand = Hand::at(door, &scene).await;
    let answer = hand.open(REFUSED).await;
    assert!(answer.contains("net::ERR_BLOCKED_BY_CLIENT"), "{door:?}: {answer}");
    assert!(door.is_cdp() || answer.contains("network.allowPrivate of this sandbox"), "{door:?}: {answer}");
    eventually("the history tells it", || async {
        let events = scene.events().await;
        let is_denied =
            |event: &Value| event["type"] == "sandbox.network.denied" && event["data"]["host"] == "10.0.0.1";
        // A playbook ends with the step that failed.
        let kind = if door == Door::Playbook { "sandbox.agent.task.failed" } else { "sandbox.agent.action" };
        let is_told =
            |event: &Value| event["type"] == kind && event["data"].to_string().contains("ERR_BLOCKED_BY_CLIENT");
        (events.iter().any(is_denied) && events.iter().any(is_told)).then_some(())
    })
    .await;
}

// ---- the live view, whose driver is a person ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_viewer_is_held_off() {
    let scene = Scene::open(Door::Playbook).await;
    scene.navigate("/desk?desk").await;
    let first = scene.person().await;
    let second = Viewer::connect(&scene.baton, &scene.sandbox).await;
    second.say(&FromViewer::Take { controller: "another".to_owned() }).await;
    let lease = first.lease().expect("the first person drives");
    // By the number of the lease that is not theirs.
    second.say(&FromViewer::Input { lease, event: InputEvent::Text { text: CANARY.to_owned() } }).await;
    eventually("both are refused", || async {
        second.seen(|seen| (seen.denied.len() == 2).then(|| seen.denied.clone()))
    })
    .await;
    first.still_picture().await;
    first.text("x").await;
    scene.site.told_that("desk", "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_viewer_typed_in_is_told_by_name() {
    let scene = Scene::open(Door::Playbook).await;
    scene.navigate("/desk?desk").await;
    let viewer = scene.person().await;
    viewer.still_picture().await;
    viewer.text(CANARY).await;
    scene.site.told_that("desk", &CANARY.len().to_string()).await;
    scene.release().await;
    let events = scene.events().await;
    let told = events.iter().find(|event| event["type"] == "sandbox.handoff.completed").expect("it is told");
    assert_eq!(told["data"]["receipt"]["fieldsTouched"], json!(["Word"]), "{told}");
    assert_read_by_nobody(&[Value::from(events).to_string()], CANARY);
}

macro_rules! each_door {
    ($($name:ident: $promise:ident of $door:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $promise(Door::$door).await;
        }
    )*};
}

each_door! {
    an_agents_tool_asks_first: is_asked_first of AgentTool,
    an_agents_tool_that_is_misled_asks_first: is_asked_first of AgentToolMisled,
    a_playbook_asks_first: is_asked_first of Playbook,
    an_mcp_client_asks_first: is_asked_first of Mcp,
    a_client_of_the_debugging_endpoint_asks_first: is_asked_first of CdpOutside,
    a_browser_context_of_a_clients_own_asks_first: is_asked_first of CdpOwnContext,
    a_script_in_the_shell_room_asks_first: is_asked_first of CdpShell,
    a_page_that_a_preview_route_opened_asks_first: is_asked_first of HttpPreview,

    an_agents_tool_is_held_off: is_held_off of AgentTool,
    a_playbook_is_held_off: is_held_off of Playbook,
    an_mcp_client_is_held_off: is_held_off of Mcp,
    a_client_of_the_debugging_endpoint_is_held_off: is_held_off of CdpOutside,
    a_browser_context_of_a_clients_own_is_held_off: is_held_off of CdpOwnContext,
    a_script_in_the_shell_room_is_held_off: is_held_off of CdpShell,
    a_preview_route_is_held_off: is_held_off of HttpPreview,

    an_agents_tool_is_veiled: is_veiled of AgentTool,
    a_playbook_is_veiled: is_veiled of Playbook,
    an_mcp_client_is_veiled: is_veiled of Mcp,
    a_client_of_the_debugging_endpoint_is_veiled: is_veiled of CdpOutside,
    a_browser_context_of_a_clients_own_is_veiled: is_veiled of CdpOwnContext,
    a_script_in_the_shell_room_is_veiled: is_veiled of CdpShell,
    a_preview_route_is_veiled: is_veiled of HttpPreview,

    an_agents_tool_is_told: is_told of AgentTool,
    a_playbook_is_told: is_told of Playbook,
    an_mcp_client_is_told: is_told of Mcp,
    a_client_of_the_debugging_endpoint_is_told: is_told of CdpOutside,
    a_browser_context_of_a_clients_own_is_told: is_told of CdpOwnContext,
    a_script_in_the_shell_room_is_told: is_told of CdpShell,
    a_preview_route_is_told: is_told of HttpPreview,

    an_agents_tool_is_refused_the_network: is_refused_the_network of AgentTool,
    a_playbook_is_refused_the_network: is_refused_the_network of Playbook,
    an_mcp_client_is_refused_the_network: is_refused_the_network of Mcp,
    a_client_of_the_debugging_endpoint_is_refused_the_network: is_refused_the_network of CdpOutside,
    a_browser_context_of_a_clients_own_is_refused_the_network: is_refused_the_network of CdpOwnContext,
    a_script_in_the_shell_room_is_refused_the_network: is_refused_the_network of CdpShell,
    a_preview_route_is_refused_the_network: is_refused_the_network of HttpPreview,
}
