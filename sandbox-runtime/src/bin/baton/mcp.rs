//! `baton mcp`: carries MCP messages between standard input and output and the runtime's `/v1/mcp`. The tools are there.
//!
//! One message a line, as MCP says. Each goes to the runtime as a request of its own, so that a cancellation overtakes the
//! call it cancels; what the runtime says comes out in the order in which it says it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::exit;
use crate::runtime::StopSignals;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
/// Messages to the client that may wait for it to read.
const BACKLOG: usize = 256;
/// How long what is under way may take to be answered once the client says no more: it is most likely gone.
const DRAIN: Duration = Duration::from_millis(500);
/// Errors of JSON-RPC.
const INTERNAL: i64 = -32_603;
const NO_SUCH_METHOD: i64 = -32_601;

/// Serves one client until it closes standard input.
pub async fn serve() -> anyhow::Result<u8> {
    let mut stop = StopSignals::new().context("hear signals")?;
    let client = Client::connect().await?;
    if let Some(interface) = client.own_interface() {
        // No window runs: whoever started us finds in the log where to watch and take control.
        eprintln!("baton mcp: no runtime was running, so one was started; its interface: {interface}");
    }
    tokio::select! {
        done = relay(&client) => done?,
        () = stop.next() => {}
    }
    client.close().await;
    Ok(exit::DONE)
}

/// The conversation that a client leads, once it has begun.
#[derive(Default)]
struct Conversation {
    session: OnceLock<String>,
    version: OnceLock<String>,
}

async fn relay(client: &Client) -> anyhow::Result<()> {
    let (told, mut out) = mpsc::channel::<String>(BACKLOG);
    let writing = tokio::spawn(async move {
        let mut stdout = tokio::io::stdout();
        while let Some(message) = out.recv().await {
            // Whoever closed their end hears nothing more.
            let line = format!("{message}\n");
            if stdout.write_all(line.as_bytes()).await.is_err() || stdout.flush().await.is_err() {
                return;
            }
        }
    });
    let conversation = Arc::new(Conversation::default());
    let mut under_way = JoinSet::new();
    let mut listening = JoinSet::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.context("read standard input")? {
        if line.trim().is_empty() {
            continue;
        }
        let request = conversation.with_headers(client.request(Method::POST, "/v1/mcp"));
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        let opens = message["method"] == "initialize";
        if message["method"] == "server/discover" {
            // Over standard input and output a conversation has a state: whoever asks is to begin it.
            let words = "this server is asked to `initialize`";
            say(&told, refusal(&message["id"], NO_SUCH_METHOD, words)).await;
            continue;
        }
        let sent = send(request, line, message["id"].clone(), told.clone(), conversation.clone());
        if opens {
            // Everything after it needs its session.
            sent.await;
            if conversation.session.get().is_some() {
                let hearing = conversation.with_headers(client.request(Method::GET, "/v1/mcp"));
                listening.spawn(listen(hearing, told.clone()));
            }
        } else {
            under_way.spawn(sent);
        }
        while under_way.try_join_next().is_some() {}
    }
    // What is not answered by then is answered to nobody.
    let _ = tokio::time::timeout(DRAIN, async { while under_way.join_next().await.is_some() {} }).await;
    under_way.shutdown().await;
    listening.shutdown().await;
    if conversation.session.get().is_some() {
        // A session that is not ended here ends by itself later.
        let _ = conversation.with_headers(client.request(Method::DELETE, "/v1/mcp")).send().await;
    }
    drop(told);
    writing.await.context("write standard output")
}

impl Conversation {
    fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header(header::ACCEPT, "application/json, text/event-stream");
        let headers = [(SESSION, self.session.get()), (VERSION, self.version.get())];
        headers.into_iter().fold(request, |request, (name, value)| match value {
            Some(value) => request.header(name, value),
            None => request,
        })
    }

    fn learn(&self, answer: &Response) {
        if let Some(session) = answer.headers().get(SESSION).and_then(|value| value.to_str().ok()) {
            // The first one counts.
            let _ = self.session.set(session.to_owned());
        }
    }

    fn learn_version(&self, message: &str) {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        if let Some(version) = message["result"]["protocolVersion"].as_str() {
            let _ = self.version.set(version.to_owned());
        }
    }
}

/// Sends one message and passes on whatever answers it; a request is answered in every case.
async fn send(
    request: RequestBuilder,
    line: String,
    id: Value,
    told: mpsc::Sender<String>,
    conversation: Arc<Conversation>,
) {
    let request = request.header(header::CONTENT_TYPE, "application/json").body(line);
    let failed = match request.send().await {
        Ok(answer) if answer.status() == StatusCode::ACCEPTED => return,
        Ok(answer) if answer.status().is_success() => {
            conversation.learn(&answer);
            match pass_on(answer, &told, &conversation).await {
                Ok(()) => return,
                Err(error) => format!("the runtime broke off: {error}"),
            }
        }
        Ok(answer) => {
            let status = answer.status();
            let said = answer.text().await.unwrap_or_default();
            let body: Value = serde_json::from_str(&said).unwrap_or_default();
            let words = body["error"]["message"].as_str().map_or(said, str::to_owned);
            format!("the runtime answered {status}: {words}")
        }
        Err(error) => format!("the runtime does not answer; start this server again: {error}"),
    };
    if !id.is_null() {
        say(&told, refusal(&id, INTERNAL, &failed)).await;
    }
}

fn refusal(id: &Value, code: i64, words: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": words } }).to_string()
}

async fn say(told: &mpsc::Sender<String>, message: String) {
    // The writer ends with the client: nobody hears it then.
    let _ = told.send(message).await;
}

/// Passes on what the server says of itself, for as long as it says something.
async fn listen(request: RequestBuilder, told: mpsc::Sender<String>) {
    let Ok(answer) = request.send().await else { return };
    if answer.status().is_success() {
        // The calls say it when the runtime is gone.
        let _ = pass_on(answer, &told, &Conversation::default()).await;
    }
}

/// Passes on the messages of an answer: one in JSON, or many as server-sent events.
async fn pass_on(answer: Response, told: &mpsc::Sender<String>, conversation: &Conversation) -> reqwest::Result<()> {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        let text = answer.text().await?;
        if !text.trim().is_empty() {
            conversation.learn_version(&text);
            say(told, text.trim().to_owned()).await;
        }
        return Ok(());
    }
    let mut events = Events::default();
    let mut bytes = answer.bytes_stream();
    while let Some(bytes) = bytes.next().await {
        for message in events.feed(&bytes?) {
            conversation.learn_version(&message);
            say(told, message).await;
        }
    }
    Ok(())
}

/// Reads server-sent events as far as MCP uses them: the data of each, which is one message.
#[derive(Default)]
struct Events {
    rest: Vec<u8>,
    data: String,
}

impl Events {
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if let Some(data) = line.strip_prefix("data:") {
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            } else if line.is_empty() && !self.data.is_empty() {
                messages.push(std::mem::take(&mut self.data));
            }
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "id: 0\nretry: 3000\ndata:\n\n: ping\n\nid: 1\ndata: {\"a\":\ndata: \"ü\"}\n\nevent: message\r\ndata:{}\r\n\r\ndata: {\"cut";
        for len in 1..text.len() {
            let mut events = Events::default();
            let messages: Vec<String> = text.as_bytes().chunks(len).flat_map(|part| events.feed(part)).collect();
            assert_eq!(messages, ["{\"a\":\"ü\"}", "{}"], "cut at {len}");
        }
    }
}
