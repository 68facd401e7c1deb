//! Forwards Chromium's debugging pipe to one stream at a time, message by message so that a stream never begins or ends
//! within one.
//!
//! Before the first stream there is one short conversation of the room's own: how large the page is. From it follows the
//! height of the browser's bars, which nothing in X tells.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::viewer::Screen;
use sandbox_link::Stream;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::unix::pipe;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::browser::DebuggingPipe;

/// Longest message of a client that is accepted: Chromium's own limit is of this order.
const MAX_MESSAGE: usize = 256 << 20;
const CHUNK: usize = 64 << 10;
/// Between looks at a browser that has no page yet.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The room's own use of the pipe, before it is handed on.
pub struct Measure {
    pipe: DebuggingPipe,
    buffer: Vec<u8>,
    last_id: u64,
    session: Option<String>,
}

impl Measure {
    pub fn new(pipe: DebuggingPipe) -> Self {
        Self { pipe, buffer: Vec::new(), last_id: 0, session: None }
    }

    /// The size of the first page as the page itself knows it. Waits for there to be one.
    pub async fn page(&mut self) -> io::Result<Screen> {
        let session = match &self.session {
            Some(session) => session.clone(),
            None => self.attach().await?,
        };
        let expression = json!({ "expression": "[innerWidth, innerHeight]", "returnByValue": true });
        let answer = self.call("Runtime.evaluate", expression, Some(&session)).await?;
        let size = |index: usize| answer["result"]["value"][index].as_u64().and_then(|size| u32::try_from(size).ok());
        match (size(0), size(1)) {
            (Some(width), Some(height)) => Ok(Screen { width, height }),
            _ => Err(io::Error::other(format!("the page does not say its size: {answer}"))),
        }
    }

    /// Leaves the page and gives the pipe on.
    pub async fn finish(mut self) -> io::Result<DebuggingPipe> {
        if let Some(session) = self.session.take() {
            self.call("Target.detachFromTarget", json!({ "sessionId": session }), None).await?;
        }
        Ok(self.pipe)
    }

    async fn attach(&mut self) -> io::Result<String> {
        let page = loop {
            let targets = self.call("Target.getTargets", json!({}), None).await?;
            let infos = targets["targetInfos"].as_array().map(Vec::as_slice).unwrap_or_default();
            match infos.iter().find(|info| info["type"] == "page") {
                Some(info) => break info["targetId"].clone(),
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        let attached = self.call("Target.attachToTarget", json!({ "targetId": page, "flatten": true }), None).await?;
        let session = attached["sessionId"].as_str().map(str::to_owned);
        self.session.clone_from(&session);
        session.ok_or_else(|| io::Error::other("the browser gave no session"))
    }

    async fn call(&mut self, method: &str, params: Value, session: Option<&str>) -> io::Result<Value> {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.pipe.to_browser.write_all(&bytes).await?;
        loop {
            let answer: Value = serde_json::from_slice(&self.message().await?)?;
            if answer["id"] != self.last_id {
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(io::Error::other(format!("{method}: {error}"))),
                None => Ok(answer["result"].clone()),
            };
        }
    }

    async fn message(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == 0) {
                let rest = self.buffer.split_off(end + 1);
                let mut message = std::mem::replace(&mut self.buffer, rest);
                message.pop();
                return Ok(message);
            }
            if self.pipe.from_browser.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The pipe in use by whoever has the newest stream.
#[derive(Clone)]
pub struct Cdp {
    to_browser: Arc<Mutex<pipe::Sender>>,
    listener: Arc<Mutex<Option<Listener>>>,
    _pump: Arc<Pump>,
}

/// Ends the forwarding task with the last handle.
struct Pump(AbortHandle);

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Listener {
    stream: WriteHalf<Stream>,
    /// Whether the next byte begins a message, or a message begun for nobody must first end.
    in_step: bool,
}

impl Cdp {
    pub fn start(pipe: DebuggingPipe) -> Self {
        let listener = Arc::new(Mutex::new(None));
        let pump = tokio::spawn(forward(pipe.from_browser, listener.clone())).abort_handle();
        Self { to_browser: Arc::new(Mutex::new(pipe.to_browser)), listener, _pump: Arc::new(Pump(pump)) }
    }

    /// Serves one stream until it ends; a newer stream takes the browser's words from now on.
    pub async fn serve(&self, stream: Stream) -> io::Result<()> {
        let (from_client, to_client) = split(stream);
        *self.listener.lock().await = Some(Listener { stream: to_client, in_step: false });
        self.read(from_client).await
    }

    async fn read(&self, mut from_client: ReadHalf<Stream>) -> io::Result<()> {
        let mut waiting = Vec::new();
        loop {
            waiting.reserve(CHUNK);
            if from_client.read_buf(&mut waiting).await? == 0 {
                return Ok(());
            }
            let Some(end) = waiting.iter().rposition(|byte| *byte == 0) else {
                if waiting.len() > MAX_MESSAGE {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                continue;
            };
            let rest = waiting.split_off(end + 1);
            self.to_browser.lock().await.write_all(&waiting).await?;
            waiting = rest;
        }
    }
}

/// Moves what the browser says to whoever listens; without a listener it is dropped, so that the browser never waits.
async fn forward(mut from_browser: pipe::Receiver, listener: Arc<Mutex<Option<Listener>>>) {
    let mut chunk = vec![0; CHUNK];
    let mut at_start = true;
    loop {
        let read = match from_browser.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => &chunk[..read],
        };
        let mut current = listener.lock().await;
        if let Some(client) = current.as_mut() {
            client.in_step |= at_start;
            let heard = match (client.in_step, read.iter().position(|byte| *byte == 0)) {
                (true, _) => read,
                (false, Some(end)) => &read[end + 1..],
                (false, None) => &[],
            };
            client.in_step |= heard.len() != read.len() || read.last() == Some(&0);
            let gone = match client.stream.write_all(heard).await {
                Ok(()) => client.stream.flush().await.is_err(),
                Err(_) => true,
            };
            if gone {
                *current = None;
            }
        }
        at_start = read.last() == Some(&0);
    }
}
