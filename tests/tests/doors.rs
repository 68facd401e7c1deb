//! Every door to the browser keeps every promise: a table of doors × promises, each cell tried.
//!
//! A door is a way to act on a page: [`Door::pay`] takes it. A promise is a function of a door. Each line of [`each_door`] is a
//! cell of the table; another column is another function and its lines.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Html;
use axum::routing::any;
use baton_tests::{Answer, Baton, Debugger, ModelServer, Site, eventually, http_client};
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
/// What reaches the shop when it is paid, once.
const PAID: &str = "POST /pay to=Ada&amount=40.00&how=card";

/// Submits the form from the shell room, with nothing but Python's own library.
const FROM_THE_SHELL: &str = r#"
import base64, json, os, socket, struct, urllib.parse, urllib.request
pages = json.load(urllib.request.urlopen(os.environ["BATON_CDP_URL"] + "/json/list"))
address = urllib.parse.urlparse(pages[0]["webSocketDebuggerUrl"])
proxy = urllib.parse.urlparse(os.environ["HTTP_PROXY"])
wire = socket.create_connection((proxy.hostname, proxy.port))
def head():
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        text += wire.recv(1)
wire.sendall(f"CONNECT {address.hostname}:80 HTTP/1.1\r\nHost: {address.hostname}:80\r\n\r\n".encode())
head()
wire.sendall((f"GET {address.path} HTTP/1.1\r\nHost: {address.hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
head()
said = json.dumps({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "document.forms[0].submit()"}}).encode()
wire.sendall(bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(said)) + b"\0\0\0\0" + said)
print("answered", len(wire.recv(2)))
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
    baton: Baton,
    model: ModelServer,
    site: Site,
    seen: Seen,
    sandbox: String,
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
        let router = Router::new().route("/pay", any(record)).with_state(seen.clone());
        let pages = [("/", SHOP), ("/auto", AUTO), ("/quiet", QUIET)];
        let (site, model) = tokio::join!(Site::serve(&pages, router), ModelServer::start(vec![]));
        let baton = Baton::start_with(&model.env()).await;
        if !door.is_a_models() {
            let rules = json!({ "rules": [{ "site": "*", "kind": "pay", "effect": "ask" }] });
            baton.ok("PUT", "/rules", Some(rules)).await;
        }
        let config = json!({
            "network": { "allowPrivate": [site.address.to_string()] },
            "capabilities": { "browser": { "shellAccess": door == Door::CdpShell } },
        });
        let sandbox = baton.ready_sandbox(config).await;
        Self { baton, model, site, seen, sandbox }
    }

    fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
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

    async fn debugger(&self) -> (Debugger, String) {
        let mut client = Debugger::with_token(&self.baton, &self.path("/cdp")).await;
        let session = client.attach().await;
        (client, session)
    }

    /// Calls a tool as an MCP client does.
    fn mcp(&self, tool: &str, mut arguments: Value) -> tokio::task::JoinHandle<Value> {
        arguments["sandboxId"] = json!(self.sandbox);
        let (url, token, tool) = (format!("{}/v1/mcp", self.baton.url), self.baton.token.clone(), tool.to_owned());
        tokio::spawn(async move { Mcp::connect(url, token).await.call(&tool, arguments).await })
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

/// A client of the Model Context Protocol, as much of it as one call needs.
struct Mcp {
    http: reqwest::Client,
    url: String,
    token: String,
    session: String,
}

impl Mcp {
    async fn connect(url: String, token: String) -> Self {
        let mut client = Self { http: http_client(), url, token, session: String::new() };
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "doors", "version": "1" } } });
        let answer = client.post(&hello).await;
        let session = answer.headers().get("mcp-session-id").expect("a session").to_str().expect("letters").to_owned();
        client.session = session;
        client.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        client
    }

    async fn post(&self, message: &Value) -> reqwest::Response {
        let request = self.http.post(&self.url).bearer_auth(&self.token).json(message);
        let request = request.header("accept", "application/json, text/event-stream");
        let request = if self.session.is_empty() { request } else { request.header("mcp-session-id", &self.session) };
        request.send().await.expect("an answer")
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments } });
        let text = self.post(&message).await.text().await.expect("a body");
        let told = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut told = told.filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        let answer = told.find(|message| message["id"] == 2).unwrap_or_else(|| panic!("{tool}: {text}"));
        answer["result"].clone()
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
                let script = json!({ "command": "python3", "args": ["-c", FROM_THE_SHELL] });
                scene.prompt(vec![open(), Answer::call("exec", script)]).await
            }
            Self::Playbook => {
                let steps = format!("steps:\n  - navigate: {shop}\n  - click: {{ role: button, name: Pay now }}\n");
                scene.task(json!({ "playbook": steps })).await
            }
            Self::Mcp => {
                let opened = scene.mcp("browser_navigate", json!({ "url": shop })).await.expect("it is opened");
                assert_ne!(opened["isError"], true, "{opened}");
                Going { call: Some(scene.mcp("browser_click", button)), ..Going::default() }
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
                let (mut client, session) = scene.debugger().await;
                submit(&mut client, &session, &shop).await;
                Going { _client: Some(client), ..Going::default() }
            }
            Self::CdpOwnContext => {
                let (mut client, _) = scene.debugger().await;
                let context = client.call(None, "Target.createBrowserContext", json!({})).await;
                let params = json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
                let target = client.call(None, "Target.createTarget", params).await;
                let params = json!({ "targetId": target["targetId"], "flatten": true });
                let attached = client.call(None, "Target.attachToTarget", params).await;
                let session = attached["sessionId"].as_str().expect("a session").to_owned();
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
}
