//! What goes on: event streams, WebSockets, and the server's own beginning and end, over a real socket.

use std::time::Duration;

use futures_util::StreamExt;
use sandbox_core::event::{
    Event, EventData, FileChange, FileChanged, NewEvent, SandboxCreated, SandboxEnded, SandboxReady,
};
use sandbox_core::model::Actor;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Api, Server};
use crate::service::Service;
use crate::service::home::{Home, Running};
use crate::store::Change;

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Served {
    api: Api,
    server: Server,
    home: Home,
    _folder: tempfile::TempDir,
}

impl Served {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let api = Api::new(Service::start(home.path()).await.unwrap());
        let server = api.serve(0).await.unwrap();
        Self { api, server, home, _folder: folder }
    }

    async fn happen(&self, sandbox: &str, data: impl Into<EventData>) -> Event {
        let data = data.into();
        let event = NewEvent { sandbox_id: sandbox.into(), task_id: None, by: Actor::System, at: 1, data };
        let change = Change { events: vec![event], ..Change::default() };
        self.api.service().store().commit(change).await.unwrap().remove(0)
    }

    fn http(&self, path: &str) -> reqwest::RequestBuilder {
        crate::choose_cryptography();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("{}{path}", self.server.url())).bearer_auth(self.api.token())
    }

    /// Opens a WebSocket as a page does: no header, subprotocols only.
    async fn socket(&self, path: &str, offers: &str, origin: &str) -> Result<(Socket, Option<String>), Error> {
        let mut request = format!("ws://{}{path}", self.server.address()).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offers.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (socket, response) = timeout(PATIENCE, connect_async(request)).await.unwrap()?;
        let chosen = response.headers().get("sec-websocket-protocol");
        Ok((socket, chosen.map(|name| name.to_str().unwrap().to_owned())))
    }

    fn bearer(&self) -> String {
        format!("baton, bearer.{}", self.api.token())
    }
}

fn created(name: &str) -> SandboxCreated {
    SandboxCreated { name: name.to_owned() }
}

fn changed(path: &str) -> FileChanged {
    FileChanged { path: path.to_owned(), change: FileChange::Written }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Reads server-sent events until there are `n` with data.
async fn read_frames(response: reqwest::Response, n: usize) -> Vec<(String, Value)> {
    let mut body = response.bytes_stream();
    let mut text = String::new();
    let mut frames = Vec::new();
    loop {
        while let Some(end) = text.find("\n\n") {
            let frame: String = text.drain(..end + 2).collect();
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
            // A comment keeps the connection alive.
            let Some((id, data)) = field("id: ").zip(field("data: ")) else { continue };
            frames.push((id.to_owned(), serde_json::from_str(data).unwrap()));
        }
        if frames.len() >= n {
            return frames;
        }
        let piece =
            timeout(PATIENCE, body.next()).await.expect("an event in time").expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
}

async fn read_event(socket: &mut Socket) -> Event {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an event in time").unwrap().unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_with_the_last_id_misses_nothing() {
    let served = Served::new().await;
    let first = served.happen("sbx_1", created("1")).await;
    let mut all = Vec::new();
    // More than one batch of history.
    for at in 0..450 {
        all.push(served.happen("sbx_1", changed(&at.to_string())).await);
    }
    let response = served.http("/v1/events").header("last-event-id", first.id.as_str()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    all.push(served.happen("sbx_2", SandboxReady {}).await);
    let frames = read_frames(response, all.len()).await;
    let expected: Vec<_> = all.iter().map(|event| (event.id.to_string(), json!(event))).collect();
    assert_eq!(frames, expected);
}

#[tokio::test]
async fn a_reader_without_a_last_id_hears_what_is_new_and_only_what_it_asked_for() {
    let served = Served::new().await;
    served.happen("sbx_1", SandboxReady {}).await;
    let address = "/v1/events?sandboxId=sbx_1&types=sandbox.ready,sandbox.ended";
    let response = served.http(address).send().await.unwrap();
    served.happen("sbx_2", SandboxReady {}).await;
    served.happen("sbx_1", changed("another type")).await;
    let ready = served.happen("sbx_1", SandboxReady {}).await;
    served.happen("sbx_1", changed("another type")).await;
    let ended = served.happen("sbx_1", SandboxEnded::default()).await;
    let expected = [(ready.id.to_string(), json!(ready)), (ended.id.to_string(), json!(ended))];
    assert_eq!(read_frames(response, 2).await, expected);
}

/// More than a subscriber may lag behind, in one group of commits.
async fn much_happens(served: &Served) -> Vec<Event> {
    let mut all = Vec::new();
    for group in 0..60 {
        let event = |at| NewEvent {
            sandbox_id: "sbx_1".into(),
            task_id: None,
            by: Actor::System,
            at,
            data: changed(&"x".repeat(500)).into(),
        };
        let change = Change { events: (0..100).map(|at| event(group * 100 + at)).collect(), ..Change::default() };
        let committed = timeout(PATIENCE, served.api.service().store().commit(change)).await;
        all.extend(committed.expect("a reader that does not read holds nothing back").unwrap());
    }
    all
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nothing_back_and_then_reads_all_of_it() {
    let served = Served::new().await;
    served.happen("sbx_1", SandboxReady {}).await;
    let response = served.http("/v1/events").send().await.unwrap();
    let (mut socket, _) = served.socket("/v1/events", &served.bearer(), &served.server.url()).await.unwrap();
    let all = much_happens(&served).await;
    let expected: Vec<_> = all.iter().map(|event| (event.id.to_string(), json!(event))).collect();
    assert_eq!(read_frames(response, all.len()).await, expected);
    for event in &all {
        assert_eq!(read_event(&mut socket).await, *event);
    }
}

#[tokio::test]
async fn nothing_is_lost_between_the_history_and_what_is_new() {
    let served = Served::new().await;
    let first = served.happen("sbx_1", created("1")).await;
    // Readers come while events are committed all the time.
    let committing = async {
        let mut all = Vec::new();
        for at in 0..300 {
            all.push(served.happen("sbx_1", changed(&at.to_string())).await.id.to_string());
        }
        all
    };
    let reading = futures_util::future::join_all((0..8).map(|_| async {
        let response = served.http("/v1/events").header("last-event-id", first.id.as_str()).send().await.unwrap();
        read_frames(response, 300).await.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    }));
    let (all, read) = tokio::join!(committing, reading);
    assert_eq!(read, vec![all; 8]);
}

#[tokio::test]
async fn an_id_that_was_never_given_out_is_refused_before_the_stream_begins() {
    let served = Served::new().await;
    let response = served.http("/v1/events").header("last-event-id", "evt_none").send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn pages_follow_events_over_a_websocket() {
    let served = Served::new().await;
    let first = served.happen("sbx_1", created("1")).await;
    let second = served.happen("sbx_1", SandboxReady {}).await;
    let path = format!("/v1/events?after={}", first.id);
    let (mut socket, chosen) = served.socket(&path, &served.bearer(), &served.server.url()).await.unwrap();
    assert_eq!(chosen.as_deref(), Some("baton"));
    assert_eq!(read_event(&mut socket).await, second);
    let third = served.happen("sbx_1", SandboxEnded::default()).await;
    assert_eq!(read_event(&mut socket).await, third);
    let (_, chosen) = served.socket("/v1/events", &served.bearer(), "tauri://localhost").await.unwrap();
    assert_eq!(chosen.as_deref(), Some("baton"), "the desktop's page");
}

#[tokio::test]
async fn a_websocket_is_refused_without_a_token_and_from_a_foreign_page() {
    let served = Served::new().await;
    let ours = served.server.url();
    for (offers, origin, expected) in [
        ("baton".to_owned(), ours.as_str(), 401),
        (format!("baton, bearer.{}", "0".repeat(64)), ours.as_str(), 401),
        (served.bearer(), "http://evil.example", 403),
        (served.bearer(), "https://tauri.localhost.evil.example", 403),
    ] {
        let Err(Error::Http(response)) = served.socket("/v1/events", &offers, origin).await else {
            panic!("{offers} from {origin} was let in");
        };
        assert_eq!(response.status(), expected, "{offers} from {origin}");
    }
}

#[tokio::test]
async fn the_address_is_written_when_it_listens_and_taken_back_when_it_stops() {
    let served = Served::new().await;
    let running = Running::read(served.home.path()).unwrap();
    assert_eq!(running.url, served.server.url());
    assert_eq!(running.token, served.api.token());
    assert_eq!(running.pid, std::process::id());
    assert!(served.server.address().ip().is_loopback());
    assert!(served.api.serve(0).await.is_err(), "served once only");

    // Readers that would stay for ever do not keep it.
    let stream = served.http("/v1/events").send().await.unwrap();
    let (mut socket, _) = served.socket("/v1/events", &served.bearer(), &served.server.url()).await.unwrap();
    let address = served.server.address();
    timeout(PATIENCE, served.server.stop()).await.expect("it stops");
    assert_eq!(Running::read(served.home.path()), None);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    timeout(PATIENCE, stream.bytes()).await.expect("the stream ends").unwrap();
    timeout(PATIENCE, async { while socket.next().await.is_some_and(|message| message.is_ok()) {} })
        .await
        .expect("the socket ends");
}
