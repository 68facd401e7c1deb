//! The peer: what most products of this kind do. CDP's screencast as JPEG over a WebSocket into a canvas, input by CDP.
//!
//! It runs as a process of its own (`live peer`), so that its cost can be told from the probe's. Its faults can be set,
//! to show that the rig would see them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Html;
use axum::routing::get;
use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::PAGE_SIZE;
use crate::chromium::{Chromium, Teller};

/// What is wrong with the peer on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Passes no picture on.
    Dead,
    /// Holds each picture back for 20 ms.
    Slow,
    /// Passes every third picture over.
    Dropping,
}

impl Fault {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dead => "dead",
            Self::Slow => "slow",
            Self::Dropping => "dropping",
        }
    }
}

/// A running peer, seen from the rig.
pub struct Peer {
    process: Child,
    pub url: String,
}

impl Peer {
    pub fn start(page: &str, fault: Fault) -> Result<Self> {
        let mut process =
            Command::new(std::env::current_exe()?).args(["peer", page, fault.word()]).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().context("a pipe")?).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its Chromium goes with its pipe.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The peer's own process: serves until it is killed.
pub fn serve(page: &str, fault: &str) -> Result<()> {
    let fault = [Fault::None, Fault::Dead, Fault::Slow, Fault::Dropping]
        .into_iter()
        .find(|known| known.word() == fault)
        .context("an unknown fault")?;
    let chromium = Chromium::open(page, PAGE_SIZE)?;
    let teller = chromium.tell();
    let (pictures, _) = watch::channel::<Vec<u8>>(vec![]);
    chromium.call(
        "Page.startScreencast",
        json!({ "format": "jpeg", "quality": 80, "maxWidth": 1280, "maxHeight": 720, "everyNthFrame": 1 }),
    )?;
    let (sending, acknowledging) = (pictures.clone(), teller.clone());
    std::thread::spawn(move || pass_on(&chromium, &acknowledging, &sending, fault));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let socket = move |upgrade: WebSocketUpgrade| {
            let (pictures, teller) = (pictures.subscribe(), teller.clone());
            async move { upgrade.on_upgrade(move |socket| show(socket, pictures, teller)) }
        };
        let router = Router::new().route("/", get(|| async { Html(PAGE) })).route("/socket", get(socket));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

fn pass_on(chromium: &Chromium, teller: &Teller, pictures: &watch::Sender<Vec<u8>>, fault: Fault) {
    let mut n_pictures = 0u64;
    while let Ok(told) = chromium.told.recv() {
        if told["method"] != "Page.screencastFrame" {
            continue;
        }
        let frame = &told["params"];
        if teller.send("Page.screencastFrameAck", json!({ "sessionId": frame["sessionId"] })).is_err() {
            return;
        }
        n_pictures += 1;
        match fault {
            Fault::None => {}
            Fault::Dead => continue,
            Fault::Slow => std::thread::sleep(Duration::from_millis(20)),
            Fault::Dropping if n_pictures.is_multiple_of(3) => continue,
            Fault::Dropping => {}
        }
        let data = frame["data"].as_str().unwrap_or_default();
        if let Ok(jpeg) = base64::engine::general_purpose::STANDARD.decode(data) {
            pictures.send_replace(jpeg);
        }
    }
}

async fn show(socket: WebSocket, mut pictures: watch::Receiver<Vec<u8>>, teller: Teller) {
    let (mut to, mut from) = socket.split();
    // Whoever comes gets the newest picture at once; a slow one loses pictures, never time.
    pictures.mark_changed();
    tokio::spawn(async move {
        while pictures.changed().await.is_ok() {
            let jpeg = pictures.borrow_and_update().clone();
            if to.send(Message::Binary(jpeg.into())).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(Message::Text(words))) = from.next().await {
        let Ok(event) = serde_json::from_str::<Value>(words.as_str()) else { continue };
        if teller.send("Input.dispatchMouseEvent", event).is_err() {
            return;
        }
    }
}

const PAGE: &str = r#"<!doctype html><title>Peer</title><style>html, body { margin: 0; overflow: hidden } canvas { display: block }</style>
<canvas id=view width=1280 height=720></canvas><script>
  const view = document.getElementById('view'), paint = view.getContext('2d', { alpha: false });
  const socket = new WebSocket(location.href.replace('http', 'ws') + 'socket');
  socket.binaryType = 'blob';
  socket.onmessage = async ({ data }) => { const picture = await createImageBitmap(data); paint.drawImage(picture, 0, 0, 1280, 720); picture.close(); };
  const tell = (type) => ({ offsetX: x, offsetY: y, button }) =>
    socket.send(JSON.stringify({ type, x, y, button: type === 'mouseMoved' ? 'none' : ['left', 'middle', 'right'][button], clickCount: type === 'mouseMoved' ? 0 : 1 }));
  view.onmousedown = tell('mousePressed'); view.onmouseup = tell('mouseReleased'); view.onmousemove = tell('mouseMoved');
</script>"#;
