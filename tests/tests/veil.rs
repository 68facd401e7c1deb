//! What a person typed stays theirs after the hand-back, at every door: the debugging protocol from outside and from the
//! shell room, MCP, a playbook, the preview's picture.

use std::process::Stdio;

use axum::Router;
use baton_tests::{Baton, Debugger, Site, Viewer, assert_read_by_nobody, binary, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const CANARY: &str = "canary-6620-typed";

const PAGES: [(&str, &str); 2] = [
    (
        "/form",
        r#"<title>Form</title><body style="margin:0"><label for="field">Word</label>
        <input id="field" autofocus style="position:absolute;left:20px;top:60px;width:300px;height:40px;background:white">
        <script>let last = Promise.resolve(); // Each waits for the one before: requests at once may overtake each other.
        const tell = () => fetch('/told?' + location.search.slice(1) + '=' + field.value.length);
        field.addEventListener('input', () => last = last.then(tell))</script>"#,
    ),
    ("/after", "<title>After</title><p>Nothing here"),
];

/// A place within the field, in pixels of the page.
const FIELD: (u32, u32) = (40, 80);

struct Scene {
    baton: Baton,
    site: Site,
    sandbox: String,
}

impl Scene {
    async fn open() -> Self {
        let (site, baton) = tokio::join!(Site::serve(&PAGES, Router::new()), Baton::start());
        let network = json!({ "allowPrivate": [site.address.to_string()] });
        let sandbox = baton
            .ready_sandbox(json!({ "network": network, "capabilities": { "browser": { "shellAccess": true } } }))
            .await;
        Self { baton, site, sandbox }
    }

    fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
    }

    async fn navigate(&self, page: &str) {
        self.baton.post(&self.path("/preview/navigate"), json!({ "url": self.site.url(page) })).await;
    }

    /// The form tells by that name what is typed in it; a person takes the wheel, types, and hands back as
    /// `body` says.
    async fn type_and_hand_back(&self, name: &str, body: Value) {
        let viewer = Viewer::connect(&self.baton, &self.sandbox).await;
        viewer.take().await;
        viewer.still_picture().await;
        viewer.text(CANARY).await;
        self.site.told_that(name, &CANARY.len().to_string()).await;
        self.baton.post(&self.path("/control/release"), body).await;
        eventually("programs see again", || async {
            self.baton.get(&self.path("/preview")).await["blind"].eq(&json!(false)).then_some(())
        })
        .await;
    }

    async fn debugger(&self) -> Debugger {
        Debugger::with_token(&self.baton, &self.path("/cdp")).await
    }
}

/// The server for the Model Context Protocol over standard input and output.
struct Mcp {
    words: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
    last_id: i64,
    _process: Child,
}

impl Mcp {
    async fn start(baton: &Baton) -> Self {
        let mut process = Command::new(binary("baton"))
            .arg("mcp")
            .env("BATON_HOME", baton.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let words = process.stdin.take().expect("it listens");
        let told = BufReader::new(process.stdout.take().expect("it tells")).lines();
        let mut mcp = Self { words, told, last_id: 0, _process: process };
        let client = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        mcp.ask("initialize", hello).await;
        mcp.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        mcp
    }

    async fn say(&mut self, message: Value) {
        self.words.write_all(format!("{message}\n").as_bytes()).await.expect("it listens");
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        self.say(json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params })).await;
        loop {
            let line = self.told.next_line().await.expect("it tells").expect("it lives");
            let told: Value = serde_json::from_str(&line).expect("JSON");
            if told["id"] == self.last_id {
                return told;
            }
        }
    }

    async fn tool(&mut self, name: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": name, "arguments": arguments })).await
    }
}

/// Reads the page from the shell room with nothing but Python's own library, in each way that the protocol has.
const FROM_THE_SHELL: &str = r#"
import base64, json, os, socket, struct, urllib.parse, urllib.request

address = os.environ["BATON_CDP_URL"]
socket_address = json.load(urllib.request.urlopen(address + "/json/version"))["webSocketDebuggerUrl"]
host = urllib.parse.urlparse(socket_address).hostname
proxy = urllib.parse.urlparse(os.environ["HTTP_PROXY"])
wire = socket.create_connection((proxy.hostname, proxy.port))

def head():
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        text += wire.recv(1)

def take(length):
    told = b""
    while len(told) < length:
        told += wire.recv(length - len(told))
    return told

def say(message):
    said = json.dumps(message).encode()
    size = bytes([0x80 | len(said)]) if len(said) < 126 else bytes([0xFE]) + struct.pack(">H", len(said))
    wire.sendall(b"\x81" + size + b"\0\0\0\0" + said)

def hear():
    size = take(2)[1]
    if size > 125:
        size = int.from_bytes(take(2 if size == 126 else 8), "big")
    return json.loads(take(size))

number = 0
def ask(method, params, session=None):
    global number
    number += 1
    say({"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})})
    while True:
        told = hear()
        if told.get("id") == number:
            return told

wire.sendall(f"CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80\r\n\r\n".encode())
head()
wire.sendall(
    f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
)
head()
pages = [info for info in ask("Target.getTargets", {})["result"]["targetInfos"] if info["type"] == "page"]
session = ask("Target.attachToTarget", {"targetId": pages[0]["targetId"], "flatten": True})["result"]["sessionId"]
for method, params in [
    ("Runtime.evaluate", {"expression": "document.querySelector('input').value"}),
    ("DOM.getDocument", {"depth": -1}),
    ("DOMSnapshot.captureSnapshot", {"computedStyles": []}),
    ("Accessibility.getFullAXTree", {}),
    ("Page.captureSnapshot", {}),
]:
    print(method, json.dumps(ask(method, params, session))[:20000])
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_typed_is_read_at_no_door_after_the_hand_back() {
    let scene = Scene::open().await;
    let (baton, sandbox) = (&scene.baton, &scene.sandbox);
    scene.navigate("/form?typed").await;
    let mut client = scene.debugger().await;
    let session = client.attach().await;
    let mut mcp = Mcp::start(baton).await;
    scene.type_and_hand_back("typed", json!({ "note": "done" })).await;
    let receipt = baton.get(&scene.path("/handoff")).await["handoff"]["receipt"].clone();
    assert_eq!(receipt["fieldsVeiled"], json!(["Word"]), "the person is told that it is still there: {receipt}");

    let mut told = Vec::new();
    // The debugging protocol, from outside.
    for (method, params) in [
        ("Runtime.evaluate", json!({ "expression": "field.value" })),
        ("DOM.getDocument", json!({ "depth": -1 })),
        ("DOMSnapshot.captureSnapshot", json!({ "computedStyles": [] })),
        ("Accessibility.getFullAXTree", json!({})),
        ("Page.captureSnapshot", json!({})),
    ] {
        let refused = client.refused(Some(&session), method, params).await;
        assert_eq!(refused, (-32_000, "veiled".to_owned()), "{method}");
    }
    // From the shell room.
    let ran = baton.post(&scene.path("/code"), json!({ "language": "python", "code": FROM_THE_SHELL })).await;
    assert_eq!(ran["exitCode"], 0, "{ran}");
    assert_eq!(ran["stdout"].as_str().expect("a text").matches("veiled").count(), 5, "{ran}");
    told.push(ran.to_string());
    // MCP, a playbook.
    let seen = mcp.tool("browser_snapshot", json!({ "sandboxId": sandbox })).await;
    assert!(seen.to_string().contains("Word"), "it sees the page: {seen}");
    told.push(seen.to_string());
    let playbook = "name: Read\nsteps:\n  - extract: { selector: input, to: read.json }\n";
    let ran = baton.post(&scene.path("/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(ran["status"], "completed", "{ran}");
    let read = baton.bytes(&scene.path("/fs/read?path=read.json")).await;
    told.push(String::from_utf8(read).expect("text") + &ran.to_string());
    // Pictures.
    let taken = client.call(Some(&session), "Page.captureScreenshot", json!({})).await;
    let png = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, taken["data"].as_str().expect("a picture"));
    for picture in [png.expect("base64"), baton.bytes(&scene.path("/preview/screenshot")).await] {
        let picture = image::load_from_memory(&picture).expect("a picture").into_rgb8();
        assert_eq!(picture.get_pixel(FIELD.0, FIELD.1).0, [120; 3], "the field is covered");
    }
    told.push(serde_json::to_string(&client.events).expect("JSON"));
    assert_read_by_nobody(&told, CANARY);

    // Gone with its document, and everybody goes on.
    client.call(Some(&session), "Page.navigate", json!({ "url": scene.site.url("/after") })).await;
    baton.until(&scene.path("/preview"), "/title", "After").await;
    let title = client.call(Some(&session), "Runtime.evaluate", json!({ "expression": "document.title" })).await;
    assert_eq!(title["result"]["value"], "After");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_who_hands_back_clears_it_or_lets_programs_read_it() {
    let scene = Scene::open().await;
    for (name, value) in [("clear", ""), ("reveal", CANARY)] {
        let body = json!({ name: true });
        scene.navigate(&format!("/form?{name}")).await;
        scene.type_and_hand_back(name, body.clone()).await;
        let mut client = scene.debugger().await;
        let session = client.attach().await;
        let read = client.call(Some(&session), "Runtime.evaluate", json!({ "expression": "field.value" })).await;
        assert_eq!(read["result"]["value"], value, "{body}");
    }
    let both = Some(json!({ "clear": true, "reveal": true }));
    scene.baton.post(&scene.path("/control/take"), json!({ "controller": "Ada" })).await;
    assert_eq!(scene.baton.send("POST", &scene.path("/control/release"), both).await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browsers_own_pages_are_no_targets() {
    let scene = Scene::open().await;
    scene.navigate("/form").await;
    let mut client = scene.debugger().await;
    client.call(None, "Target.setDiscoverTargets", json!({ "discover": true, "filter": [{}] })).await;
    let all = client.call(None, "Target.getTargets", json!({ "filter": [{}] })).await;
    assert!(all.to_string().contains("/form"), "{all}");
    assert!(!all.to_string().contains("chrome"), "{all}");
    let told = serde_json::to_string(&client.events).expect("JSON");
    assert!(!told.contains("chrome://"), "{told}");
}
