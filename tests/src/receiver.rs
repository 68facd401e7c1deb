//! A receiver of webhooks that does what a test asks of it, message by message, and the verdict of a library of others.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::webapp::installed;

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Message {
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What the receiver does with a message that it has taken in.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With one more header.
    With(u16, String),
    /// Hangs up: the sender cannot know that the message arrived.
    LoseAnswer,
    /// Holds the connection without a word.
    Never,
}

/// Listens until it is dropped.
pub struct Receiver {
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    listening: JoinHandle<()>,
}

impl Message {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a message is JSON")
    }
}

impl Receiver {
    /// Answers each message with what `reply` says.
    pub async fn start(reply: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1".parse().expect("an address"), reply).await
    }

    pub async fn start_at(address: IpAddr, reply: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("a bound socket has an address"));
        let messages: Arc<Mutex<Vec<Message>>> = Arc::default();
        let (kept, reply) = (messages.clone(), Arc::new(reply));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, reply) = (kept.clone(), reply.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    // A runtime that is killed hangs up in the middle: no message then.
                    let Some(message) = read(&mut stream).await else { return };
                    let reply = reply(&message);
                    kept.lock().expect("no panic while listening").push(message);
                    answer(stream.into_inner(), reply).await;
                });
            }
        });
        Self { url, messages, listening }
    }

    /// Returns every message that came, in the order of their coming.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().expect("no panic while listening").clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Message> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|len| *len > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|len| *len > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Message { headers, body: String::from_utf8(body).ok()? })
}

async fn answer(mut stream: TcpStream, reply: Reply) {
    let (status, header) = match reply {
        Reply::Status(status) => (status, String::new()),
        Reply::With(status, header) => (status, format!("{header}\r\n")),
        Reply::LoseAnswer => return,
        Reply::Never => {
            // Until the sender hangs up.
            let _ = stream.read_u8().await;
            return;
        }
    };
    let head = format!("HTTP/1.1 {status} As asked\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n");
    // The sender may have been killed.
    let _ = stream.write_all(head.as_bytes()).await;
}

const VERIFY: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
asked = json.load(sys.stdin)
def good(message):
    try:
        Webhook(asked['secret']).verify(message['body'], message['headers'])
        return True
    except WebhookVerificationError:
        return False
print(json.dumps([good(message) for message in asked['messages']]))
";

/// Returns which messages the library `standardwebhooks` of Python takes for genuine and new.
pub fn genuine(secret: &str, messages: &[Message]) -> Vec<bool> {
    let messages: Vec<Value> = messages
        .iter()
        .map(|message| serde_json::json!({ "headers": message.headers, "body": message.body }))
        .collect();
    let asked = serde_json::json!({ "secret": secret, "messages": messages }).to_string();
    let mut process = Command::new(installed("python"))
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    process.stdin.take().expect("it listens").write_all(asked.as_bytes()).expect("it listens");
    let output = process.wait_with_output().expect("it tells");
    assert!(output.status.success(), "the library is installed: run `script/setup test`");
    serde_json::from_slice(&output.stdout).expect("a list of verdicts")
}
