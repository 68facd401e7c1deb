//! A client of the Model Context Protocol, as much of it as one call needs: over standard input and output, and over HTTP.

use std::process::Stdio;

use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::baton::{Baton, binary, http_client};

/// A client that starts `baton mcp`; the server is killed when the client is dropped.
pub struct Mcp {
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    last_id: i64,
    process: Child,
}

fn hello() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } })
}

impl Mcp {
    pub async fn start(baton: &Baton) -> Self {
        let mut process = Command::new(binary("baton"))
            .arg("mcp")
            .env("BATON_HOME", baton.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("baton mcp starts");
        let to = process.stdin.take().expect("a pipe");
        let from = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut client = Self { to, from, last_id: 0, process };
        client.ask("initialize", hello()).await;
        client.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        client
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().expect("it runs").cast_signed())
    }

    /// Closes the server's input; it goes on until it ends by itself.
    pub fn close_input(self) -> Child {
        self.process
    }

    /// Sends a request without waiting; returns its number.
    pub async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        self.say(json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params })).await;
        self.last_id
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let line = self.from.next_line().await.expect("it can be read").expect("it runs");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if message["id"] == id {
                return message;
            }
        }
    }

    pub async fn tool(&mut self, name: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    async fn say(&mut self, message: Value) {
        self.to.write_all(format!("{message}\n").as_bytes()).await.expect("it reads");
    }
}

/// A client over streamable HTTP.
pub struct HttpMcp {
    http: reqwest::Client,
    url: String,
    token: String,
    session: Option<String>,
}

impl HttpMcp {
    pub async fn connect(baton: &Baton) -> Self {
        let (url, token) = (format!("{}/v1/mcp", baton.url), baton.token.clone());
        let mut client = Self { http: http_client(), url, token, session: None };
        let answer =
            client.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() })).await;
        let session = answer.headers().get("mcp-session-id").expect("a session").to_str().expect("letters");
        client.session = Some(session.to_owned());
        answer.text().await.expect("a body");
        client.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        client
    }

    /// Calls a tool; returns its result.
    pub async fn tool(&self, name: &str, arguments: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": name, "arguments": arguments } });
        let text = self.post(&message).await.text().await.expect("a body");
        let mut messages = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        let mut answer = messages.find(|message| message["id"] == 2).unwrap_or_else(|| panic!("{name}: {text}"));
        answer["result"].take()
    }

    async fn post(&self, message: &Value) -> reqwest::Response {
        let mut request = self.http.post(&self.url).bearer_auth(&self.token).json(message);
        request = request.header("accept", "application/json, text/event-stream");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request.send().await.expect("an answer")
    }
}
