//! A live view without a page: connects as a page does, keeps the lossless picture, sends input.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use image::RgbaImage;
use sandbox_core::viewer::{ControlView, FromViewer, InputEvent, ToViewer};
use sandbox_picture::Canvas;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::baton::Baton;
use crate::wait::eventually;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Viewer {
    sink: Arc<tokio::sync::Mutex<SplitSink<Socket, Message>>>,
    seen: Arc<Mutex<Seen>>,
    reader: JoinHandle<()>,
}

/// What the view was shown.
pub struct Seen {
    canvas: Canvas,
    pub picture: RgbaImage,
    pub n_pictures: u64,
    pub control: Option<ControlView>,
    pub denied: Vec<String>,
    pub clipboard: Option<String>,
    /// Whether the page shows what is being composed, if the view was told.
    pub composing_in_page: Option<bool>,
    pub ended: bool,
}

impl Viewer {
    /// Connects to the live view of a sandbox, as a page without video decoding.
    pub async fn connect(baton: &Baton, sandbox: &str) -> Self {
        let address = format!("{}/v1/sandboxes/{sandbox}/stream", baton.url.replace("http://", "ws://"));
        let mut request = address.into_client_request().expect("an address");
        let protocols = format!("baton, bearer.{}", baton.token);
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(&protocols).expect("a header"));
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("the live view connects");
        let (sink, mut stream) = socket.split();
        let sink = Arc::new(tokio::sync::Mutex::new(sink));
        let seen = Arc::new(Mutex::new(Seen::new()));
        let (reading, answering) = (seen.clone(), sink.clone());
        let reader = tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    Message::Binary(bytes) => {
                        let number = reading.lock().expect("no panic while reading").show(&bytes);
                        let shown = FromViewer::Shown { picture: number };
                        if answering.lock().await.send(text(&shown)).await.is_err() {
                            return;
                        }
                    }
                    Message::Text(words) => reading.lock().expect("no panic while reading").hear(words.as_str()),
                    Message::Close(_) => return,
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
        });
        let viewer = Self { sink, seen, reader };
        viewer.say(&FromViewer::Hello { h264: false, scale: None, rate: None }).await;
        viewer
    }

    pub async fn say(&self, words: &FromViewer) {
        self.sink.lock().await.send(text(words)).await.expect("the live view is connected");
    }

    /// Reads nothing any more, as a page that hangs; the connection stays.
    pub fn stop_reading(&self) {
        self.reader.abort();
    }

    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().expect("no panic while reading"))
    }

    /// Takes control, and waits until it is there.
    pub async fn take(&self) {
        self.say(&FromViewer::Take { controller: "a person".to_owned() }).await;
        eventually("control is this person's", || std::future::ready(self.lease())).await;
    }

    pub async fn hand_back(&self, note: Option<&str>) {
        self.say(&FromViewer::HandBack { note: note.map(str::to_owned), typed: None }).await;
        eventually("control is handed back", || std::future::ready(self.lease().is_none().then_some(()))).await;
    }

    pub fn lease(&self) -> Option<sandbox_core::Lease> {
        self.seen(|seen| seen.control.as_ref().filter(|control| control.yours).and_then(|control| control.lease))
    }

    pub async fn input(&self, event: InputEvent) {
        let lease = self.lease().expect("this person holds control");
        self.say(&FromViewer::Input { lease, event }).await;
    }

    pub async fn click(&self, x: i32, y: i32) {
        self.input(InputEvent::Move { x, y }).await;
        self.input(InputEvent::Button { button: 0, down: true, x, y }).await;
        self.input(InputEvent::Button { button: 0, down: false, x, y }).await;
    }

    /// Returns how tall the window's bars above the page are, once the picture is still.
    pub async fn bars(&self, baton: &Baton, sandbox: &str) -> i32 {
        let picture = self.still_picture().await;
        let preview = baton.get(&format!("/sandboxes/{sandbox}/preview")).await;
        let page_height = preview["viewport"]["height"].as_u64().expect("a height");
        i32::try_from(u64::from(picture.height()) - page_height).expect("bars are not that tall")
    }

    /// Clicks at a place of the page.
    pub async fn click_in_page(&self, baton: &Baton, sandbox: &str, (x, y): (i32, i32)) {
        let bars = self.bars(baton, sandbox).await;
        self.click(x, y + bars).await;
    }

    /// Presses and releases a key.
    pub async fn key(&self, code: &str, key: &str) {
        for down in [true, false] {
            self.input(InputEvent::Key { code: code.to_owned(), key: key.to_owned(), down }).await;
        }
    }

    /// Types as committed text.
    pub async fn text(&self, text: &str) {
        self.input(InputEvent::Text { text: text.to_owned() }).await;
    }

    /// Signs in to the practice portal, whose e-mail field has the focus.
    pub async fn sign_in(&self, e_mail: &str, password: &str, code: &str) {
        self.still_picture().await;
        self.text(e_mail).await;
        self.key("Tab", "Tab").await;
        self.text(password).await;
        let before = self.still_picture().await;
        self.key("Enter", "Enter").await;
        eventually("the page asks for the code", || {
            std::future::ready(self.seen(|seen| (seen.picture != before).then_some(())))
        })
        .await;
        self.still_picture().await;
        self.text(code).await;
        self.key("Enter", "Enter").await;
        self.still_picture().await;
    }

    /// Waits until the picture has been still for a moment, and returns it.
    pub async fn still_picture(&self) -> RgbaImage {
        let mut last = u64::MAX;
        eventually("the picture comes to rest", || {
            let now = self.seen(|seen| seen.n_pictures);
            let is_still = now == last && now > 0;
            last = now;
            async move {
                tokio::time::sleep(Duration::from_millis(400)).await;
                is_still.then_some(())
            }
        })
        .await;
        self.seen(|seen| seen.picture.clone())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.reader.abort();
        if std::thread::panicking() {
            let folder = crate::repository().join("target/pictures");
            let name = format!("{}.png", std::thread::current().name().unwrap_or("viewer"));
            let picture = self.seen.lock().map(|seen| seen.picture.clone());
            // Only for whoever wonders why a test failed.
            let _ = std::fs::create_dir_all(&folder);
            let _ = picture.map(|picture| picture.save(folder.join(name)));
        }
    }
}

impl Seen {
    fn new() -> Self {
        Self {
            canvas: Canvas::new(0, 0),
            picture: RgbaImage::new(0, 0),
            n_pictures: 0,
            control: None,
            denied: Vec::new(),
            clipboard: None,
            composing_in_page: None,
            ended: false,
        }
    }

    fn hear(&mut self, words: &str) {
        match serde_json::from_str(words).unwrap_or_else(|error| panic!("{words}: {error}")) {
            ToViewer::Control { control } => self.control = Some(control),
            ToViewer::Denied { code, .. } => self.denied.push(code),
            ToViewer::Clipboard { text } => self.clipboard = Some(text),
            ToViewer::Composing { in_page } => self.composing_in_page = Some(in_page),
            ToViewer::Ended { .. } => self.ended = true,
            // The pictures say how large they are.
            ToViewer::Welcome { .. }
            | ToViewer::Screen { .. }
            | ToViewer::Pong { .. }
            | ToViewer::Cursor { .. }
            | ToViewer::Aim { .. } => {}
        }
    }

    /// Draws a picture message; returns its number.
    fn show(&mut self, bytes: &[u8]) -> u32 {
        self.n_pictures += 1;
        let header = self.canvas.draw(bytes).expect("a view that decodes no video gets lossless pictures");
        let (width, height) = (self.canvas.width as u32, self.canvas.height as u32);
        self.picture = RgbaImage::from_raw(width, height, self.canvas.rgba()).expect("four bytes a pixel");
        header.number
    }
}

fn text(words: &FromViewer) -> Message {
    Message::text(serde_json::to_string(words).expect("words are JSON"))
}
