//! A real Chromium with its own sandbox, over its debugging pipe, and a stand-in for the person beside the product.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sandbox_core::Lease;
use sandbox_core::action::{Action, Outcome};
use sandbox_runtime::browser::exchange::Exchange;
use sandbox_runtime::browser::{ActionError, Browser, BrowserEvent, EmptyVault, Gate, Live, Permit, prepare_profile};
use sandbox_runtime::egress::Failures;
use sandbox_runtime::workspace::Workspace;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

/// Numbers from here on are the person's; the product's own never come so far. Chromium takes 31 bits.
const PERSON_IDS: u64 = 1 << 30;
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Rig {
    pub browser: Browser,
    pub gate: Gate,
    pub events: mpsc::Receiver<BrowserEvent>,
    pub person: Person,
    pub workspace: PathBuf,
    lease: u64,
    _child: Child,
    home: tempfile::TempDir,
}

/// Acts on the same browser without passing the gate, as a person at the screen does; and keeps what the product sends.
#[derive(Clone)]
pub struct Person {
    inject: mpsc::Sender<Vec<u8>>,
    replies: Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>,
    next: Arc<AtomicU64>,
    sessions: Arc<Mutex<Vec<String>>>,
    /// Methods that the product sent, in order.
    pub sent: Arc<Mutex<Vec<String>>>,
    /// Everything Chromium told the product.
    pub told: Arc<Mutex<String>>,
    /// Kinds of mouse events that are acknowledged and dropped, each once, as Chromium does with a frame that is not ready.
    pub dropped: Arc<Mutex<Vec<&'static str>>>,
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(&[], Failures::default()).await
    }

    /// Starts Chromium with more arguments, and a way out that notes its failures there.
    pub async fn start_with(arguments: &[String], failures: Failures) -> Self {
        let home = tempfile::tempdir().unwrap();
        let workspace = home.path().join("workspace");
        std::fs::create_dir_all(workspace.join("downloads")).unwrap();
        let profile = home.path().join("profile");
        let profile_seen = profile.to_str().unwrap();
        prepare_profile(&profile, workspace.to_str().unwrap(), profile_seen).unwrap();
        let mut child = chromium(home.path(), &profile, arguments);
        let (product, far) = tokio::io::duplex(1 << 20);
        let person = relay(far, child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let gate = Gate::default();
        gate.set(Live::Agent(Lease(1)));
        let opened = Workspace::create(&workspace).unwrap();
        let exchange = Exchange::new(opened, workspace.to_str().unwrap(), &profile, profile_seen);
        let attached = Browser::attach_io(product, gate.clone(), exchange, failures, Arc::new(EmptyVault));
        let (browser, events) = attached.await.expect("Chromium starts");
        Self { browser, gate, events, person, workspace, lease: 1, _child: child, home }
    }

    pub fn profile(&self) -> PathBuf {
        self.home.path().join("profile")
    }

    pub fn permit(&self) -> Permit {
        self.gate.permit(Lease(self.lease))
    }

    /// Passes control to the person and back, each with a new lease.
    pub fn give_to_person(&mut self) {
        self.lease += 1;
        self.gate.set(Live::Person(Lease(self.lease)));
    }

    pub fn give_to_agent(&mut self) {
        self.lease += 1;
        self.gate.set(Live::Agent(Lease(self.lease)));
    }

    /// Does one step, written as a playbook writes it.
    pub async fn try_step(&self, step: Value) -> Result<Outcome, ActionError> {
        let action: Action = serde_json::from_value(step).unwrap();
        self.browser.act(&self.permit(), &action, PATIENCE).await
    }

    pub async fn step(&self, step: Value) -> Outcome {
        self.try_step(step.clone()).await.unwrap_or_else(|error| panic!("{step}: {error}"))
    }

    pub async fn open(&self, url: &str) {
        self.browser.navigate(&self.permit(), url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Returns what `selector` shows.
    pub async fn read(&self, selector: &str) -> Value {
        self.step(json!({"extract": {"selector": selector}})).await.data.unwrap()
    }

    pub async fn expect(&self, text: &str) {
        self.step(json!({"expect": {"text": text}})).await;
    }

    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Browser) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.browser) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.browser.state());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Person {
    /// Runs script in the newest tab's own world, as its page could.
    pub async fn run(&self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        self.call("Runtime.evaluate", params).await["result"]["result"]["value"].clone()
    }

    pub async fn click(&self, selector: &str) {
        let place = format!(
            "(() => {{ const b = document.querySelector({selector:?}).getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2] }})()"
        );
        let at = self.run(&place).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params).await;
        }
    }

    pub async fn type_text(&self, text: &str) {
        for letter in text.chars() {
            for kind in ["keyDown", "keyUp"] {
                let mut params = json!({"type": kind, "key": letter.to_string()});
                if kind == "keyDown" {
                    params["text"] = json!(letter.to_string());
                }
                self.call("Input.dispatchKeyEvent", params).await;
            }
        }
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        let reply = self.send(method, params).await;
        tokio::time::timeout(PATIENCE, reply).await.expect("Chromium answers the person").unwrap()
    }

    /// Sends a command whose answer may never come.
    pub async fn send(&self, method: &str, params: Value) -> oneshot::Receiver<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, reply) = oneshot::channel();
        self.replies.lock().unwrap().insert(id, answer);
        let mut message = json!({"id": id, "method": method, "params": params});
        if !method.starts_with("Browser.") {
            message["sessionId"] = json!(self.sessions.lock().unwrap().last());
        }
        self.inject.send(format!("{message}\0").into_bytes()).await.unwrap();
        reply
    }
}

fn chromium(home: &Path, profile: &Path, arguments: &[String]) -> Child {
    let program = ["/usr/lib/chromium/chromium", "/usr/bin/chromium", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("these tests need Chromium");
    let mut words: Vec<String> = Vec::new();
    if nix::unistd::geteuid().is_root() {
        // Chromium refuses to start its sandbox as root; mapped to a plain user it keeps it.
        words.extend(
            ["bwrap", "--unshare-user", "--uid", "1000", "--gid", "1000", "--dev-bind", "/", "/", "--die-with-parent"]
                .map(Into::into),
        );
    }
    words.push(program.to_owned());
    words.extend(["--headless", "--remote-debugging-pipe", "--no-first-run", "--site-per-process"].map(Into::into));
    words.extend(["--window-size=1000,800", "--disable-background-networking"].map(Into::into));
    words.push(format!("--user-data-dir={}", profile.display()));
    words.extend_from_slice(arguments);
    words.push("about:blank".to_owned());
    // The pipe is descriptors 3 and 4, which a shell can make of 0 and 1.
    Command::new("/bin/sh")
        .args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null", "sh"])
        .args(words)
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Carries messages between the product and Chromium, and the person's among them.
fn relay(
    product: tokio::io::DuplexStream,
    mut to_chromium: impl AsyncWrite + Unpin + Send + 'static,
    from_chromium: impl tokio::io::AsyncRead + Unpin + Send + 'static,
) -> Person {
    let (from_product, mut to_product) = tokio::io::split(product);
    let (answer_product, mut answered) = mpsc::channel::<Vec<u8>>(64);
    let (inject, mut injected) = mpsc::channel::<Vec<u8>>(64);
    let person = Person {
        inject: inject.clone(),
        replies: Arc::default(),
        next: Arc::new(AtomicU64::new(PERSON_IDS)),
        sessions: Arc::default(),
        sent: Arc::default(),
        told: Arc::default(),
        dropped: Arc::default(),
    };
    tokio::spawn(async move {
        while let Some(bytes) = injected.recv().await {
            if to_chromium.write_all(&bytes).await.is_err() || to_chromium.flush().await.is_err() {
                return;
            }
        }
    });
    let (sent, dropped) = (person.sent.clone(), person.dropped.clone());
    tokio::spawn(async move {
        let mut from_product = BufReader::new(from_product);
        let mut message = Vec::new();
        while from_product.read_until(0, &mut message).await.is_ok_and(|read| read > 0) {
            let read: Value = serde_json::from_slice(&message[..message.len() - 1]).unwrap();
            sent.lock().unwrap().push(read["method"].as_str().unwrap().to_owned());
            let kind = |kind: &&str| read["method"] == "Input.dispatchMouseEvent" && read["params"]["type"] == **kind;
            let at = dropped.lock().unwrap().iter().position(kind);
            if let Some(at) = at {
                dropped.lock().unwrap().remove(at);
                let reply = json!({"id": read["id"], "sessionId": read["sessionId"], "result": {}});
                message.clear();
                answer_product.send(format!("{reply}\0").into_bytes()).await.unwrap();
                continue;
            }
            if inject.send(std::mem::take(&mut message)).await.is_err() {
                return;
            }
        }
    });
    let (replies, sessions, told) = (person.replies.clone(), person.sessions.clone(), person.told.clone());
    tokio::spawn(async move {
        let mut from_chromium = BufReader::new(from_chromium);
        let mut message = Vec::new();
        loop {
            tokio::select! {
                Some(reply) = answered.recv() => {
                    to_product.write_all(&reply).await.unwrap();
                    continue;
                }
                // What was read before the other branch was taken stays in `message`.
                read = from_chromium.read_until(0, &mut message) => {
                    if !read.is_ok_and(|read| read > 0) {
                        break;
                    }
                }
            }
            let read: Value = serde_json::from_slice(&message[..message.len() - 1]).unwrap();
            if let Some(answer) = read["id"].as_u64().and_then(|id| replies.lock().unwrap().remove(&id)) {
                let _ = answer.send(read);
                message.clear();
                continue;
            }
            if read["method"] == "Target.attachedToTarget" && read["params"]["targetInfo"]["type"] == "page" {
                sessions.lock().unwrap().push(read["params"]["sessionId"].as_str().unwrap().to_owned());
            }
            if read["method"] == "Target.detachedFromTarget" {
                sessions.lock().unwrap().retain(|session| read["params"]["sessionId"] != **session);
            }
            told.lock().unwrap().push_str(&String::from_utf8_lossy(&message));
            if to_product.write_all(&message).await.is_err() {
                return;
            }
            message.clear();
        }
        // The other half of this stream lives on: the end is passed on in words.
        let _ = to_product.shutdown().await;
    });
    person
}
