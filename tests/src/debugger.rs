//! A raw client of the debugging protocol, to see the errors and events as they are.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::baton::Baton;

const PATIENCE: Duration = Duration::from_secs(30);
/// Below [`PATIENCE`], so that what fails names the command.
const ANSWER_LIMIT: Duration = Duration::from_secs(28);

/// Returns commands that read a page with a text field, one for each way that the protocol has.
pub fn reading_commands() -> [(&'static str, Value); 5] {
    [
        ("Runtime.evaluate", json!({ "expression": "document.querySelector('input').value" })),
        ("DOM.getDocument", json!({ "depth": -1 })),
        ("DOMSnapshot.captureSnapshot", json!({ "computedStyles": [] })),
        ("Accessibility.getFullAXTree", json!({})),
        ("Page.captureSnapshot", json!({})),
    ]
}

pub struct Debugger {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: i64,
    /// Events that nobody waited for yet, in order.
    pub events: Vec<Value>,
}

impl Debugger {
    /// Connects by an address with a ticket.
    pub async fn connect(address: &str) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let (socket, _) = tokio_tungstenite::connect_async(address).await?;
        Ok(Self { socket, last_id: 0, events: Vec::new() })
    }

    /// Connects with the token as a header.
    pub async fn with_token(baton: &Baton, path: &str) -> Self {
        let address = format!("{}/v1{path}", baton.url.replace("http://", "ws://"));
        let mut request = address.into_client_request().expect("an address");
        let bearer = HeaderValue::from_str(&format!("Bearer {}", baton.token)).expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("the browser can be connected to");
        Self { socket, last_id: 0, events: Vec::new() }
    }

    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the connection lives");
    }

    /// Sends a command without waiting; returns its number.
    pub async fn send(&mut self, session: Option<&str>, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.say(&message.to_string()).await;
        self.last_id
    }

    /// Waits for the answer to a command, errors included.
    pub async fn answer(&mut self, id: i64) -> Value {
        loop {
            let message = self.next().await.expect("the connection lives");
            if message["id"] == id {
                return message;
            }
            self.events.push(message);
        }
    }

    pub async fn ask(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.send(session, method, params).await;
        let answered = tokio::time::timeout(ANSWER_LIMIT, self.answer(id)).await;
        answered.unwrap_or_else(|_| panic!("no answer to {method} in {ANSWER_LIMIT:?}"))
    }

    /// Sends a command that must succeed; returns its result.
    pub async fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        let mut answer = self.ask(session, method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Sends a command that must fail; returns code and message.
    pub async fn refused(&mut self, session: Option<&str>, method: &str, params: Value) -> (i64, String) {
        let answer = self.ask(session, method, params).await;
        let error = answer.get("error").unwrap_or_else(|| panic!("{method} must be refused: {answer}"));
        (error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a message").to_owned())
    }

    /// Waits for an event.
    pub async fn event(&mut self, method: &str) -> Value {
        if let Some(at) = self.events.iter().position(|event| event["method"] == method) {
            return self.events.remove(at);
        }
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("no {method} before the end"));
            if message["method"] == method {
                return message;
            }
            self.events.push(message);
        }
    }

    /// Waits for the next message; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message in time")?;
            match message {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            }
        }
    }

    /// Attaches to the first page; returns its session.
    pub async fn attach(&mut self) -> String {
        let targets = self.call(None, "Target.getTargets", json!({})).await;
        let infos = targets["targetInfos"].as_array().expect("a list");
        let page = infos.iter().find(|info| info["type"] == "page").expect("a page is open");
        let params = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", params).await;
        attached["sessionId"].as_str().expect("a session").to_owned()
    }
}
