//! A terminal without a page: what it shows, and what is typed into it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::baton::Baton;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Terminal {
    socket: Socket,
    /// Everything that was shown and not looked for yet.
    pub text: String,
    /// How many bytes the runtime said were shown before.
    pub replay: Option<u64>,
}

impl Terminal {
    /// Opens the terminal at a route's path with its query.
    pub async fn open(baton: &Baton, path: &str) -> Self {
        let socket = connect(baton, path).await.expect("the terminal opens");
        Self { socket, text: String::new(), replay: None }
    }

    /// Asks for a terminal that is refused; returns status and body.
    pub async fn refused(baton: &Baton, path: &str) -> (u16, serde_json::Value) {
        match connect(baton, path).await {
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                (answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default())
            }
            other => panic!("{path}: {:?}", other.map(|_| "it was opened")),
        }
    }

    pub async fn type_in(&mut self, text: &str) {
        self.socket.send(Message::Binary(text.as_bytes().to_vec().into())).await.expect("the terminal takes input");
    }

    /// Reads until it has shown `wanted`, and forgets everything up to it.
    pub async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            assert!(self.more().await, "the terminal ended with {:?}, and never showed {wanted:?}", self.text);
        }
        let at = self.text.find(wanted).expect("it was found") + wanted.len();
        self.text.drain(..at);
    }

    /// Reads until the terminal ends.
    pub async fn until_ended(&mut self) {
        while self.more().await {}
    }

    async fn more(&mut self) -> bool {
        let next = tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await;
        match next.unwrap_or_else(|_| panic!("the terminal is silent after {:?}", self.text)) {
            Some(Ok(Message::Binary(bytes))) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
            Some(Ok(Message::Text(words))) => {
                let words: serde_json::Value = serde_json::from_str(&words).expect("JSON");
                self.replay = words["replay"].as_u64();
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
        }
        true
    }
}

async fn connect(baton: &Baton, path: &str) -> Result<Socket, Error> {
    let address = format!("{}/v1{path}", baton.url.replace("http://", "ws://"));
    let mut request = address.into_client_request().expect("an address");
    let protocols = format!("baton, bearer.{}", baton.token);
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(&protocols).expect("a header"));
    Ok(tokio_tungstenite::connect_async(request).await?.0)
}
