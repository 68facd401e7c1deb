//! The stream's WebSocket from a page's side: a real server and a real client, a room over memory.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use sandbox_core::Lease;
use sandbox_core::model::TypedText;
use sandbox_core::viewer::{Aim, FromViewer, InputEvent, Screen, ToViewer, ViewerMode};
use sandbox_link::Link;
use sandbox_link::protocol::{DesktopReport, InputFrame, VideoControl, VideoRequest};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::seat::InputWeight;
use super::serve;
use super::testing::{Asked, FakeDriver, FakeSeat, Room, SCREEN, Seen, h264_picture, soon};

/// A page connected to a room.
struct Page {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    room: Room,
    driver: FakeDriver,
    server: JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Page {
    /// Connects, and reads past the welcome.
    async fn open(mode: ViewerMode, lease: Option<Lease>) -> Self {
        let (room, desktop) = Room::start();
        let (seat, driver) = FakeSeat::new(mode, lease);
        let (address, server) = server(seat, desktop).await;
        let (ws, _) = connect_async(format!("ws://{address}/stream")).await.unwrap();
        let mut page = Self { ws, room, driver, server };
        let ToViewer::Welcome { screen, transport, mode: welcomed, .. } = page.word().await else {
            panic!("no welcome")
        };
        assert_eq!((screen, transport.as_str(), welcomed), (SCREEN, "socket", mode));
        let ToViewer::Control { control } = page.word().await else { panic!("no control") };
        assert_eq!(control.lease, lease);
        page
    }

    async fn say(&mut self, word: FromViewer) {
        self.ws.send(Message::Text(serde_json::to_string(&word).unwrap().into())).await.unwrap();
    }

    async fn input(&mut self, lease: Lease, event: InputEvent) {
        self.say(FromViewer::Input { lease, event }).await;
    }

    async fn message(&mut self) -> Message {
        soon("a message", self.ws.next()).await.expect("the connection lives").unwrap()
    }

    async fn word(&mut self) -> ToViewer {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a word: {other:?}"),
        }
    }

    async fn picture(&mut self) -> Vec<u8> {
        match self.message().await {
            Message::Binary(bytes) => bytes.to_vec(),
            other => panic!("not a picture: {other:?}"),
        }
    }

    async fn denied(&mut self) -> String {
        match self.word().await {
            ToViewer::Denied { code, .. } => code,
            other => panic!("not denied: {other:?}"),
        }
    }

    /// Waits until the driver was asked `expected`, past heartbeats and inputs.
    async fn driver_asked(&mut self, expected: Asked) {
        loop {
            let asked = soon("a request to the driver", self.driver.asked.recv()).await.unwrap();
            if asked == expected {
                return;
            }
        }
    }

    /// Answers come in order: everything said before is dealt with when this returns. Returns what was answered before.
    async fn settled(&mut self) -> Vec<ToViewer> {
        self.say(FromViewer::Ping { sent_at: 4711.5 }).await;
        let mut answers = vec![];
        loop {
            match self.word().await {
                ToViewer::Pong { sent_at: 4711.5, .. } => return answers,
                answer => answers.push(answer),
            }
        }
    }
}

async fn server(seat: FakeSeat, desktop: Link) -> (std::net::SocketAddr, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let once = Arc::new(Mutex::new(Some((seat, desktop))));
    let stream = any(move |upgrade: WebSocketUpgrade| async move {
        let (seat, desktop) = once.lock().unwrap().take().expect("one page");
        upgrade.on_upgrade(move |ws| serve(ws, seat, desktop))
    });
    let app = Router::new().route("/stream", stream);
    (address, tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }))
}

const LEASE: Lease = Lease(3);

fn key(code: &str, key: &str, down: bool) -> InputEvent {
    InputEvent::Key { code: code.into(), key: key.into(), down }
}

#[tokio::test]
async fn pictures_arrive_unchanged_and_are_acknowledged_to_the_room() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    page.say(FromViewer::Hello { h264: true, scale: None, rate: None }).await;
    assert_eq!(page.room.next().await, Seen::VideoAsked(VideoRequest::whole(true, true)));
    let picture = h264_picture(1, 5, &[0, 0, 0, 1, 0x65, 9, 9]);
    page.room.pictures.send(picture.clone()).unwrap();
    assert_eq!(page.picture().await, picture);
    page.say(FromViewer::Shown { picture: 1 }).await;
    assert_eq!(page.room.next().await, Seen::Video(VideoControl::Shown(1)));
}

#[tokio::test]
async fn no_picture_is_asked_for_before_the_page_says_what_it_can_show() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    assert_eq!(page.settled().await, []);
    assert!(page.room.seen.try_recv().is_err());
    page.say(FromViewer::Hello { h264: false, scale: None, rate: None }).await;
    assert_eq!(page.room.next().await, Seen::VideoAsked(VideoRequest::whole(false, true)));
    // A page whose decoder failed asks again, for what it can show.
    page.say(FromViewer::Hello { h264: false, scale: None, rate: None }).await;
    let mut again = [page.room.next().await, page.room.next().await];
    again.sort_by_key(|seen| *seen == Seen::VideoEnded);
    assert_eq!(again, [Seen::VideoAsked(VideoRequest::whole(false, true)), Seen::VideoEnded]);
}

#[tokio::test]
async fn a_small_view_asks_the_room_for_small_and_few_pictures_within_bounds() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    page.say(FromViewer::Hello { h264: false, scale: Some(4), rate: Some(2) }).await;
    let wanted = VideoRequest { scale: 4, rate: Some(2), ..VideoRequest::whole(false, true) };
    assert_eq!(page.room.next().await, Seen::VideoAsked(wanted));
    page.say(FromViewer::Hello { h264: false, scale: Some(0), rate: Some(255) }).await;
    let within = VideoRequest { scale: 1, rate: Some(60), ..VideoRequest::whole(false, true) };
    let asked = [page.room.next().await, page.room.next().await];
    assert!(asked.contains(&Seen::VideoAsked(within)), "{asked:?}");
}

#[tokio::test]
async fn what_the_agent_aims_at_is_told_to_whoever_watches() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    // The room is asked for nothing: it comes from the driver.
    assert_eq!(page.settled().await, []);
    let page_size = Screen { width: 1280, height: 720 };
    let aim = Aim { x: 5, y: 6, page: page_size, target: None, action: None, name: None, pressed: true };
    page.driver.aims.send(aim.clone()).unwrap();
    assert_eq!(page.word().await, ToViewer::Aim { aim });
}

#[tokio::test]
async fn asking_for_control_and_answering_reach_the_driver() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.say(FromViewer::AskControl { controller: "Bob".into() }).await;
    page.say(FromViewer::KeepControl {}).await;
    page.say(FromViewer::GiveControl {}).await;
    for asked in [Asked::AskControl("Bob".into()), Asked::AnswerAsker(false), Asked::AnswerAsker(true)] {
        page.driver_asked(asked).await;
    }
}

#[tokio::test]
async fn a_persons_input_reaches_the_room_in_order_and_is_counted() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    let events = [
        InputEvent::Move { x: 4, y: 5 },
        InputEvent::Button { button: 0, down: true, x: 4, y: 5 },
        InputEvent::Button { button: 0, down: false, x: 4, y: 5 },
        key("KeyA", "a", true),
        InputEvent::Text { text: "ü".into() },
    ];
    for event in events.clone() {
        page.input(LEASE, event).await;
    }
    page.say(FromViewer::Paste { lease: LEASE, text: "pasted".into() }).await;
    for event in events {
        assert_eq!(page.room.next_input().await, InputFrame::Event(event));
    }
    assert_eq!(page.room.next_input().await, InputFrame::Paste("pasted".into()));
    let mut counted = 0;
    while counted < 4 {
        if soon("a count", page.driver.asked.recv()).await.unwrap() == Asked::Input(InputWeight::Counted) {
            counted += 1;
        }
    }
}

#[tokio::test]
async fn what_is_composed_goes_into_the_page_between_the_keys_before_and_after_it() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    let (compose, text) = (|text: &str| InputEvent::Compose { text: text.into() }, "日本".to_owned());
    page.input(LEASE, key("KeyA", "a", true)).await;
    page.input(LEASE, compose("にほ")).await;
    page.driver_asked(Asked::Compose("にほ".into())).await;
    page.input(LEASE, InputEvent::Text { text: text.clone() }).await;
    page.input(LEASE, key("KeyB", "b", true)).await;
    page.driver_asked(Asked::Commit(text)).await;
    // The room has settled once, before the page got anything, and saw no text.
    for expected in [InputFrame::Event(key("KeyA", "a", true)), InputFrame::Settle] {
        assert_eq!(page.room.next_input().await, expected);
    }
    assert_eq!(page.room.next_input().await, InputFrame::Event(key("KeyB", "b", true)));
    // What is short and was not composed goes by keys.
    let short = InputEvent::Text { text: "日本".into() };
    page.input(LEASE, short.clone()).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(short));
}

#[tokio::test]
async fn a_long_text_goes_into_the_page_and_by_keys_where_no_page_has_the_focus() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    let long = "言".repeat(65);
    let text = InputEvent::Text { text: long.clone() };
    page.input(LEASE, text.clone()).await;
    page.driver_asked(Asked::Commit(long.clone())).await;
    assert_eq!(page.room.next_input().await, InputFrame::Settle);

    page.driver.focus_leaves_the_page();
    page.input(LEASE, InputEvent::Compose { text: "げ".into() }).await;
    assert_eq!(page.word().await, ToViewer::Composing { in_page: false });
    page.input(LEASE, text.clone()).await;
    page.driver_asked(Asked::Commit(long)).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(text));
}

#[tokio::test]
async fn input_under_another_lease_is_denied_once_for_a_burst_and_never_sent() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    for x in 0..50 {
        page.input(Lease(2), InputEvent::Move { x, y: 1 }).await;
    }
    page.input(Lease(2), key("KeyA", "a", true)).await;
    page.say(FromViewer::Paste { lease: Lease(2), text: "secret".into() }).await;
    let answers = page.settled().await;
    assert!(matches!(&answers[..], [ToViewer::Denied { code, .. }] if code == "staleLease"), "{answers:?}");
    page.input(LEASE, InputEvent::Move { x: 1, y: 1 }).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(InputEvent::Move { x: 1, y: 1 }));
}

#[tokio::test]
async fn a_view_that_may_watch_cannot_act() {
    let mut page = Page::open(ViewerMode::Watch, Some(LEASE)).await;
    page.say(FromViewer::Take { controller: "Ann".into() }).await;
    assert_eq!(page.denied().await, "forbidden");
    page.say(FromViewer::HandBack { note: None, typed: None }).await;
    assert_eq!(page.denied().await, "forbidden");
    page.input(LEASE, key("KeyA", "a", true)).await;
    assert_eq!(page.denied().await, "forbidden");
    page.say(FromViewer::Copy { lease: LEASE }).await;
    page.say(FromViewer::Paste { lease: LEASE, text: "x".into() }).await;
    assert_eq!(page.settled().await, []);
    assert!(page.room.seen.try_recv().is_err(), "a watching view opens no input lane");
    assert_eq!(page.driver.asked.try_recv(), Ok(Asked::Heartbeat));
}

#[tokio::test]
async fn taking_and_handing_back_go_to_the_driver_and_come_back_as_control() {
    let mut page = Page::open(ViewerMode::Control, None).await;
    page.say(FromViewer::Take { controller: "Ann".into() }).await;
    let ToViewer::Control { control } = page.word().await else { panic!("no control") };
    assert!(control.yours);
    let lease = control.lease.unwrap();
    page.input(lease, key("ShiftLeft", "Shift", true)).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(key("ShiftLeft", "Shift", true)));
    page.say(FromViewer::HandBack { note: Some("signed in".into()), typed: Some(TypedText::Cleared) }).await;
    assert_eq!(page.room.next_input().await, InputFrame::ReleaseAll);
    let ToViewer::Control { control } = page.word().await else { panic!("no control") };
    assert!(!control.yours);
    page.driver_asked(Asked::Take("Ann".into())).await;
    page.driver_asked(Asked::HandBack(Some("signed in".into()), TypedText::Cleared)).await;
}

#[tokio::test]
async fn keys_go_up_when_control_is_lost() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.input(LEASE, key("KeyA", "a", true)).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(key("KeyA", "a", true)));
    page.driver.lease.send_replace(None);
    assert_eq!(page.room.next_input().await, InputFrame::ReleaseAll);
    let ToViewer::Control { control } = page.word().await else { panic!("no control") };
    assert!(!control.yours);
}

#[tokio::test]
async fn keys_go_up_when_the_page_loses_the_focus_or_leaves() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.input(LEASE, key("KeyA", "a", true)).await;
    page.input(LEASE, InputEvent::Blur {}).await;
    page.input(LEASE, key("KeyB", "b", true)).await;
    assert_eq!(page.room.next_input().await, InputFrame::Event(key("KeyA", "a", true)));
    assert_eq!(page.room.next_input().await, InputFrame::ReleaseAll);
    assert_eq!(page.room.next_input().await, InputFrame::Event(key("KeyB", "b", true)));
    page.ws.close(None).await.unwrap();
    assert_eq!(page.room.next_input().await, InputFrame::ReleaseAll);
    page.driver_asked(Asked::Left).await;
}

#[tokio::test]
async fn what_the_person_copies_comes_out_to_them() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.input(LEASE, key("ControlLeft", "Control", true)).await;
    page.input(LEASE, key("KeyC", "c", true)).await;
    assert_eq!(page.word().await, ToViewer::Clipboard { text: "room text".into() });
    *page.room.clipboard.lock().unwrap() = "more".into();
    page.say(FromViewer::Copy { lease: LEASE }).await;
    assert_eq!(page.word().await, ToViewer::Clipboard { text: "more".into() });
}

#[tokio::test]
async fn the_clipboard_stays_in_the_room_once_control_is_lost() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.input(LEASE, key("ControlLeft", "Control", true)).await;
    page.input(LEASE, key("KeyC", "c", true)).await;
    assert_eq!(page.settled().await, []);
    page.driver.lease.send_replace(None);
    let ToViewer::Control { .. } = page.word().await else { panic!("no control") };
    page.say(FromViewer::Copy { lease: LEASE }).await;
    assert_eq!(page.denied().await, "heldByAgent");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(page.settled().await, []);
}

#[tokio::test]
async fn pings_are_answered_and_keep_the_lease() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.say(FromViewer::Ping { sent_at: 12.25 }).await;
    let ToViewer::Pong { sent_at, clock_us: first, .. } = page.word().await else { panic!("no pong") };
    assert_eq!(sent_at, 12.25);
    page.say(FromViewer::Ping { sent_at: 13.0 }).await;
    let ToViewer::Pong { clock_us: second, .. } = page.word().await else { panic!("no pong") };
    assert!(first > 0 && second >= first);
    page.driver_asked(Asked::Heartbeat).await;
}

#[tokio::test]
async fn the_rooms_reports_reach_the_page() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    // The room listens for reports before it is asked for anything else on this view, but in its own task.
    soon("a listener", async {
        while page.room.reports.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    page.room.reports.send(DesktopReport::Cursor("text".into())).unwrap();
    assert_eq!(page.word().await, ToViewer::Cursor { cursor: "text".into() });
    let screen = Screen { width: 800, height: 700 };
    page.room.reports.send(DesktopReport::ScreenChanged(screen)).unwrap();
    assert_eq!(page.word().await, ToViewer::Screen { screen });
}

#[tokio::test]
async fn nonsense_is_denied_and_the_view_goes_on() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    for nonsense in ["", "{", "{\"type\":\"fly\"}", "{\"type\":\"ping\"}", "[]"] {
        page.ws.send(Message::Text(nonsense.into())).await.unwrap();
        assert_eq!(page.denied().await, "invalid", "{nonsense}");
    }
    page.ws.send(Message::Binary(vec![1, 2, 3].into())).await.unwrap();
    page.say(FromViewer::Paste { lease: LEASE, text: "x".repeat((1 << 20) + 1) }).await;
    assert_eq!(page.denied().await, "tooLarge");
    assert_eq!(page.settled().await, []);
}

#[tokio::test]
async fn the_page_is_told_when_the_desktop_is_gone() {
    let mut page = Page::open(ViewerMode::Watch, None).await;
    page.say(FromViewer::Hello { h264: true, scale: None, rate: None }).await;
    page.room.next().await;
    let (spare, _) = Room::start();
    drop(std::mem::replace(&mut page.room, spare));
    assert!(matches!(page.word().await, ToViewer::Ended { .. }));
    let Message::Close(Some(close)) = page.message().await else { panic!("not closed") };
    assert_eq!(close.code, CloseCode::Normal);
    page.driver_asked(Asked::Left).await;
}

#[tokio::test]
async fn a_page_that_does_not_read_holds_up_pictures_and_nothing_else() {
    let mut page = Page::open(ViewerMode::Control, Some(LEASE)).await;
    page.say(FromViewer::Hello { h264: false, scale: None, rate: None }).await;
    page.room.next().await;
    // Far more than the sockets between them hold; the page reads none of it.
    let large = vec![1; 8 << 20];
    for _ in 0..8 {
        page.room.pictures.send(large.clone()).unwrap();
    }
    for x in 0..20 {
        page.input(LEASE, InputEvent::Button { button: 0, down: x % 2 == 0, x, y: 0 }).await;
        let InputFrame::Event(InputEvent::Button { x: seen, .. }) = page.room.next_input().await else { panic!() };
        assert_eq!(seen, x);
    }
}
