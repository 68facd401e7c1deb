//! One runtime, `baton serve`, on a data directory of its own; killed when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::wait::eventually;

pub struct Baton {
    home: Option<tempfile::TempDir>,
    /// `None` for a runtime that runs elsewhere, in the window.
    process: Option<Child>,
    pub url: String,
    pub token: String,
    http: reqwest::Client,
}

/// Returns the repository's folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the repository").to_owned()
}

/// Returns an HTTP client. The workspace's leaves the cryptography of TLS to whoever makes one, spoken or not.
pub fn http_client() -> reqwest::Client {
    // An earlier choice is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Returns a program of the workspace, built in the same profile as this test.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps");
    let program = profile.join(name);
    assert!(program.exists(), "{} is not built: run `cargo build --workspace`", program.display());
    program
}

impl Baton {
    /// Starts a runtime on a new data directory.
    pub async fn start() -> Self {
        Self::start_at(tempfile::tempdir().expect("a folder for the data")).await
    }

    /// Starts a runtime on a new data directory, with more in its environment.
    pub async fn start_with(env: &[(&str, &str)]) -> Self {
        Self::start_at_with(tempfile::tempdir().expect("a folder for the data"), env).await
    }

    /// Starts a runtime on a data directory that an earlier one used.
    pub async fn start_at(home: tempfile::TempDir) -> Self {
        Self::start_at_with(home, &[]).await
    }

    pub async fn start_at_with(home: tempfile::TempDir, env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary("baton"));
        command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()));
        command.envs(env.iter().copied());
        Self::run(command, home).await
    }

    /// Starts a runtime with these variables, without any keyring, and with everything that it can log in a file of its
    /// data directory, where a search finds it.
    pub async fn start_talkative(home: tempfile::TempDir, env: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(home.path().join("test.log"));
        let mut command = Command::new(binary("baton"));
        // An address where no bus is: without one, programs look for a bus themselves.
        command.env("RUST_LOG", "trace").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command.envs(env.iter().copied()).stderr(log.expect("a log in the data directory"));
        Self::run(command, home).await
    }

    async fn run(mut command: Command, home: tempfile::TempDir) -> Self {
        let process = command
            .args(["serve", "--port", "0"])
            .env("BATON_HOME", home.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("baton starts");
        let pid = process.id();
        let path = home.path().join("runtime.json");
        let running: Value = eventually("the runtime says where it listens", || {
            let found = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            // A killed runtime leaves its file behind: only ours counts.
            std::future::ready(found.filter(|running| running["pid"] == json!(pid)))
        })
        .await;
        let text = |name: &str| running[name].as_str().expect("runtime.json has url and token").to_owned();
        Self { url: text("url"), token: text("token"), home: Some(home), process: Some(process), http: http_client() }
    }

    /// Joins a runtime that runs already, by its `runtime.json`.
    pub async fn join(home: &Path) -> Self {
        let text = std::fs::read(home.join("runtime.json")).expect("the runtime says where it listens");
        let running: Value = serde_json::from_slice(&text).expect("JSON");
        let text = |name: &str| running[name].as_str().expect("runtime.json has url and token").to_owned();
        Self { url: text("url"), token: text("token"), home: None, process: None, http: http_client() }
    }

    pub fn home(&self) -> &Path {
        self.home.as_ref().expect("the data directory is kept until the end").path()
    }

    pub fn pid(&self) -> u32 {
        self.own_process().id()
    }

    fn own_process(&self) -> &Child {
        self.process.as_ref().expect("this runtime was started here")
    }

    /// Sends a request; answers status and JSON (or the text as JSON string).
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self
            .http
            .request(method.parse().expect("a method"), format!("{}/v1{path}", self.url))
            .bearer_auth(&self.token)
            .timeout(Duration::from_secs(180));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("an answer has a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Sends a request that must succeed.
    pub async fn ok(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ok("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.ok("POST", path, Some(body)).await
    }

    /// Sends a POST with an idempotency key, which must succeed.
    pub async fn keyed_post(&self, path: &str, key: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/v1{path}", self.url)).bearer_auth(&self.token);
        let answer = request.header("idempotency-key", key).json(body).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        answer.unwrap_or_else(|error| panic!("POST {path}: {error}")).json().await.expect("JSON")
    }

    /// Returns the bytes that a route answers with.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = self.http.get(format!("{}/v1{path}", self.url)).bearer_auth(&self.token);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        answer.unwrap_or_else(|error| panic!("GET {path}: {error}")).bytes().await.expect("a body").to_vec()
    }

    /// Makes a sandbox and waits until it is ready.
    pub async fn ready_sandbox(&self, config: Value) -> String {
        let sandbox = self.post("/sandboxes", config).await;
        let id = sandbox["id"].as_str().expect("a sandbox has an id").to_owned();
        let ready = self.get(&format!("/sandboxes/{id}?waitFor=ready&timeoutMs=60000")).await;
        assert_eq!(ready["status"], "ready", "{ready}");
        id
    }

    /// Waits until the field of a route's answer has that value; returns the whole answer.
    pub async fn until(&self, path: &str, pointer: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        let last = std::cell::RefCell::new(Value::Null);
        let looking = async {
            loop {
                let answer = self.get(path).await;
                if answer.pointer(pointer) == Some(&value) {
                    return answer;
                }
                last.replace(answer);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(90), looking).await;
        found.unwrap_or_else(|_| panic!("{path} {pointer} never was {value}, but {}", last.borrow()))
    }

    /// Waits until a task is over; returns it.
    pub async fn until_over(&self, task: &str) -> Value {
        eventually("the task is over", || async {
            let found = self.get(&format!("/tasks/{task}")).await;
            (!found["endedAt"].is_null()).then_some(found)
        })
        .await
    }

    /// Starts the demo, and waits until its agent asks a person to sign in; returns sandbox and task.
    pub async fn demo_that_waits(&self) -> (String, String) {
        let demo = self.post("/demo", json!({})).await;
        let text = |name: &str| demo[name].as_str().expect("the demo names its sandbox and task").to_owned();
        let (sandbox, task) = (text("sandboxId"), text("taskId"));
        self.until(&format!("/tasks/{task}"), "/status", "waiting").await;
        (sandbox, task)
    }

    pub async fn events(&self, task: &str) -> Vec<Value> {
        let page = self.get(&format!("/tasks/{task}/events?limit=200")).await;
        page["data"].as_array().expect("a list").clone()
    }

    /// Ends the runtime as a person does, and waits for it.
    pub async fn stop(&mut self) {
        nix::sys::signal::kill(pid(self.own_process()), nix::sys::signal::Signal::SIGTERM).expect("the runtime runs");
        self.wait().await;
    }

    /// Kills the runtime without a word.
    pub async fn kill_9(&mut self) {
        self.process.as_mut().expect("this runtime was started here").kill().expect("the runtime runs");
        self.wait().await;
    }

    /// Gives the data directory to whoever starts next; the runtime must have ended.
    pub fn into_home(mut self) -> tempfile::TempDir {
        self.home.take().expect("the data directory is kept until the end")
    }

    async fn wait(&mut self) {
        let process = self.process.as_mut().expect("this runtime was started here");
        eventually("the runtime has ended", || {
            std::future::ready(process.try_wait().expect("a child can be waited for"))
        })
        .await;
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn pid(process: &Child) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(i32::try_from(process.id()).expect("a pid is a small number"))
}
