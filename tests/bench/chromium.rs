//! A Chromium with a window on a display of its own, driven over its debugging pipe.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use baton_tests::Display;
use serde_json::{Value, json};

const ANSWER: Duration = Duration::from_secs(20);

pub struct Chromium {
    pub display: Display,
    process: Child,
    wire: Arc<Wire>,
    session: String,
    /// What Chromium tells unasked.
    pub told: Receiver<Value>,
    _profile: tempfile::TempDir,
}

/// The sending half of the pipe, and who waits for an answer.
pub struct Wire {
    to: Mutex<(ChildStdin, u64)>,
    waiting: Mutex<HashMap<u64, Sender<Value>>>,
}

impl Chromium {
    /// Opens a window without bars on that page, as large as its display.
    pub fn open(url: &str, (width, height): (u32, u32)) -> Result<Self> {
        let display = Display::start(width, height);
        let profile = tempfile::tempdir()?;
        let mut process = spawn(&display, profile.path(), &format!("--window-size={width},{height}"), url)?;
        let wire =
            Arc::new(Wire { to: Mutex::new((process.stdin.take().context("a pipe")?, 0)), waiting: Mutex::default() });
        let told = listen(process.stdout.take().context("a pipe")?, wire.clone());
        let mut chromium = Self { display, process, wire, session: String::new(), told, _profile: profile };
        chromium.session = chromium.attach()?;
        Ok(chromium)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Calls a method of the page.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.wire.call(Some(&self.session), method, params)
    }

    /// Returns what an expression of the page comes to.
    pub fn evaluate(&self, expression: &str) -> Result<Value> {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        Ok(self.call("Runtime.evaluate", params)?["result"]["value"].clone())
    }

    pub fn until(&self, what: &str, expression: &str) -> Result<()> {
        for _ in 0..400 {
            if self.evaluate(expression)? == json!(true) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("waited in vain: {what}")
    }

    /// Sends without waiting for the answer.
    pub fn tell(&self) -> Teller {
        Teller { wire: self.wire.clone(), session: self.session.clone() }
    }

    fn attach(&self) -> Result<String> {
        for _ in 0..200 {
            let targets = self.wire.call(None, "Target.getTargets", json!({}))?;
            let page =
                targets["targetInfos"].as_array().and_then(|all| all.iter().find(|one| one["type"] == "page").cloned());
            if let Some(page) = page {
                let attach = json!({ "targetId": page["targetId"], "flatten": true });
                let attached = self.wire.call(None, "Target.attachToTarget", attach)?;
                return Ok(attached["sessionId"].as_str().context("a session")?.to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("Chromium opens no page")
    }
}

/// Sends commands from another thread.
#[derive(Clone)]
pub struct Teller {
    wire: Arc<Wire>,
    session: String,
}

impl Teller {
    pub fn send(&self, method: &str, params: Value) -> Result<()> {
        self.wire.send(Some(&self.session), method, params).map(drop)
    }
}

impl Wire {
    fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        let (answer, answered) = channel();
        {
            let mut waiting = self.waiting.lock().expect("no panic while held");
            waiting.insert(self.send(session, method, params)?, answer);
        }
        let reply = answered.recv_timeout(ANSWER).with_context(|| format!("{method} was not answered"))?;
        anyhow::ensure!(reply.get("error").is_none(), "{method}: {}", reply["error"]);
        Ok(reply["result"].clone())
    }

    fn send(&self, session: Option<&str>, method: &str, params: Value) -> Result<u64> {
        let mut to = self.to.lock().expect("no panic while held");
        to.1 += 1;
        let mut message = json!({ "id": to.1, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        to.0.write_all(format!("{message}\0").as_bytes())?;
        to.0.flush()?;
        Ok(to.1)
    }
}

fn listen(from: impl std::io::Read + Send + 'static, wire: Arc<Wire>) -> Receiver<Value> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut from = BufReader::with_capacity(1 << 20, from);
        let mut message = Vec::new();
        while from.read_until(0, &mut message).is_ok_and(|read| read > 0) {
            message.pop();
            if let Ok(value) = serde_json::from_slice::<Value>(&message) {
                let waiting =
                    value["id"].as_u64().and_then(|id| wire.waiting.lock().expect("no panic while held").remove(&id));
                // Whoever asked, or listened, may be gone.
                let _ = match waiting {
                    Some(answer) => answer.send(value),
                    None if value.get("id").is_none() => tell.send(value),
                    None => Ok(()),
                };
            }
            message.clear();
        }
    });
    told
}

/// The command line of every Chromium of the rig; its own sandbox stays on, as root behind a mapped user.
fn spawn(display: &Display, profile: &std::path::Path, size: &str, url: &str) -> Result<Child> {
    let mut words: Vec<String> = Vec::new();
    if nix::unistd::Uid::effective().is_root() {
        let mapped = "bwrap --unshare-user --uid 1000 --gid 1000 --dev-bind / / --die-with-parent";
        words.extend(mapped.split(' ').map(str::to_owned));
    }
    words.extend(
        ["/usr/bin/chromium", "--remote-debugging-pipe", "--no-first-run", "--password-store=basic"].map(str::to_owned),
    );
    words
        .extend(["--disable-background-networking", "--disable-component-update", "--disable-sync"].map(str::to_owned));
    words.extend(["--window-position=0,0", size].map(str::to_owned));
    words.push(format!("--user-data-dir={}", profile.display()));
    words.push(format!("--app={url}"));
    let child = Command::new("/bin/sh")
        // The pipe is descriptors 3 and 4, which a shell can make of 0 and 1.
        .args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null", "sh"])
        .args(words)
        .env("DISPLAY", &display.name)
        .env("HOME", profile)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(child)
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.wire.send(None, "Browser.close", json!({}));
        std::thread::sleep(Duration::from_millis(200));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
