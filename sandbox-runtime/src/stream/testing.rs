//! A desktop room and a driver to test views with: the room speaks the real link protocol over memory, the driver keeps
//! the one fact that the views ask about.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbox_core::model::{ControlMode, TypedText};
use sandbox_core::viewer::{Aim, ControlView, Screen, ViewerMode};
use sandbox_core::{Lease, ViewerId};
use sandbox_link::protocol::{
    DesktopAnswer, DesktopCall, DesktopReport, InputFrame, Open, Settled, VideoControl, VideoRequest,
};
use sandbox_link::{Incoming, Link, Side, Stream, read_message, write_frame, write_message};
use sandbox_picture::wire::{FLAG_KEY, Header, KIND_H264};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::seat::{InputWeight, Refusal, Seat, Typist};

/// Longer than any busy machine needs; a test that reaches it has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) const SCREEN: Screen = Screen { width: 1280, height: 807 };

/// Waits for what must come.
pub(super) async fn soon<T>(what: &str, waited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// One picture as the guest sends it.
pub(super) fn h264_picture(number: u32, captured_at_us: u64, access_unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { kind: KIND_H264, flags: FLAG_KEY, number, captured_at_us, width: 1280, height: 808 }.write(&mut bytes);
    bytes.extend([0u16, 0, 1280, 808].map(u16::to_le_bytes).concat());
    bytes.extend(access_unit);
    bytes
}

/// What the room saw.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    Input(InputFrame),
    InputEnded,
    VideoAsked(VideoRequest),
    Video(VideoControl),
    VideoEnded,
}

/// A desktop room. Dropping it is the end of the room.
pub(super) struct Room {
    pub seen: mpsc::UnboundedReceiver<Seen>,
    /// Pictures for every open video stream.
    pub pictures: tokio::sync::broadcast::Sender<Vec<u8>>,
    pub reports: tokio::sync::broadcast::Sender<DesktopReport>,
    pub clipboard: Arc<Mutex<String>>,
    task: JoinHandle<()>,
    _runtime_incoming: Incoming,
}

impl Room {
    pub(super) fn start() -> (Self, Link) {
        let (runtime_io, guest_io) = tokio::io::duplex(1 << 20);
        let (desktop, runtime_incoming) = Link::start(runtime_io, Side::Runtime);
        let (_, mut incoming) = Link::start(guest_io, Side::Guest);
        let (seen_in, seen) = mpsc::unbounded_channel();
        let pictures = tokio::sync::broadcast::Sender::new(64);
        let reports = tokio::sync::broadcast::Sender::new(64);
        let clipboard = Arc::new(Mutex::new("room text".to_owned()));
        let guest =
            Guest { seen: seen_in, pictures: pictures.clone(), reports: reports.clone(), clipboard: clipboard.clone() };
        let task = tokio::spawn(async move {
            while let Some(stream) = incoming.accept().await {
                tokio::spawn(guest.clone().serve(stream));
            }
        });
        (Self { seen, pictures, reports, clipboard, task, _runtime_incoming: runtime_incoming }, desktop)
    }

    /// Waits for the next thing the room saw.
    pub(super) async fn next(&mut self) -> Seen {
        soon("something in the room", self.seen.recv()).await.expect("the room lives")
    }

    /// Waits for the next input, past what concerns pictures.
    pub(super) async fn next_input(&mut self) -> InputFrame {
        loop {
            if let Seen::Input(frame) = self.next().await
                && !matches!(frame, InputFrame::Under(_))
            {
                return frame;
            }
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Guest {
    seen: mpsc::UnboundedSender<Seen>,
    pictures: tokio::sync::broadcast::Sender<Vec<u8>>,
    reports: tokio::sync::broadcast::Sender<DesktopReport>,
    clipboard: Arc<Mutex<String>>,
}

impl Guest {
    async fn serve(self, mut stream: Stream) {
        match read_message::<Open>(&mut stream).await {
            Ok(Some(Open::Desktop(call))) => {
                let answer = match call {
                    DesktopCall::Geometry => DesktopAnswer::Geometry { screen: SCREEN },
                    DesktopCall::ReadClipboard => DesktopAnswer::Clipboard(self.clipboard.lock().unwrap().clone()),
                    DesktopCall::WriteClipboard(text) => {
                        *self.clipboard.lock().unwrap() = text;
                        DesktopAnswer::Done
                    }
                    DesktopCall::EndInput(_) => DesktopAnswer::Done,
                    DesktopCall::Resize(_) => DesktopAnswer::Failed("not in this room".into()),
                };
                let _ = write_message(&mut stream, &answer).await;
            }
            Ok(Some(Open::Input)) => {
                while let Ok(Some(frame)) = read_message(&mut stream).await {
                    if frame == InputFrame::Settle {
                        let _ = write_message(&mut stream, &Settled).await;
                    }
                    let _ = self.seen.send(Seen::Input(frame));
                }
                let _ = self.seen.send(Seen::InputEnded);
            }
            Ok(Some(Open::Reports)) => {
                let mut reports = self.reports.subscribe();
                while let Ok(report) = reports.recv().await {
                    if write_message(&mut stream, &report).await.is_err() {
                        return;
                    }
                }
            }
            Ok(Some(Open::Video(request))) => self.serve_video(stream, request).await,
            other => panic!("the runtime opened {other:?}"),
        }
    }

    /// Sends each picture at once; what the view says back is only noted.
    async fn serve_video(self, stream: Stream, request: VideoRequest) {
        let mut pictures = self.pictures.subscribe();
        let _ = self.seen.send(Seen::VideoAsked(request));
        let (mut controls, mut out) = tokio::io::split(stream);
        let sending = async {
            while let Ok(picture) = pictures.recv().await {
                if write_frame(&mut out, &picture).await.is_err() {
                    return;
                }
            }
        };
        let noting = async {
            while let Ok(Some(control)) = read_message(&mut controls).await {
                let _ = self.seen.send(Seen::Video(control));
            }
        };
        tokio::select! { () = sending => {}, () = noting => {} }
        let _ = self.seen.send(Seen::VideoEnded);
    }
}

/// A driver with one fact: the lease of the person, if the view's person drives.
pub(super) struct FakeSeat {
    id: ViewerId,
    mode: ViewerMode,
    lease: watch::Sender<Option<Lease>>,
    changes: watch::Receiver<Option<Lease>>,
    log: mpsc::UnboundedSender<Asked>,
    aims: tokio::sync::broadcast::Sender<Aim>,
    page_has_focus: Arc<AtomicBool>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    Heartbeat,
    Take(String),
    HandBack(Option<String>, TypedText),
    AskControl(String),
    AnswerAsker(bool),
    Input(InputWeight),
    Compose(String),
    Commit(String),
    Left,
}

/// The driver's end of a [`FakeSeat`].
pub(super) struct FakeDriver {
    pub lease: watch::Sender<Option<Lease>>,
    pub asked: mpsc::UnboundedReceiver<Asked>,
    pub aims: tokio::sync::broadcast::Sender<Aim>,
    page_has_focus: Arc<AtomicBool>,
}

impl FakeDriver {
    /// The person clicks into the browser's own field.
    pub(super) fn focus_leaves_the_page(&self) {
        self.page_has_focus.store(false, Ordering::SeqCst);
    }
}

/// Says what it was given.
struct FakeTypist {
    log: mpsc::UnboundedSender<Asked>,
    page_has_focus: Arc<AtomicBool>,
}

impl FakeTypist {
    fn put(&self, asked: Asked) -> bool {
        let _ = self.log.send(asked);
        self.page_has_focus.load(Ordering::SeqCst)
    }
}

impl Typist for FakeTypist {
    async fn compose(&self, _: Lease, text: &str) -> bool {
        self.put(Asked::Compose(text.to_owned()))
    }

    async fn commit(&self, _: Lease, text: &str) -> bool {
        self.put(Asked::Commit(text.to_owned()))
    }
}

impl FakeSeat {
    pub(super) fn new(mode: ViewerMode, lease: Option<Lease>) -> (Self, FakeDriver) {
        let (lease, changes) = watch::channel(lease);
        let (log, asked) = mpsc::unbounded_channel();
        let aims = tokio::sync::broadcast::Sender::new(16);
        let page_has_focus = Arc::new(AtomicBool::new(true));
        let id = ViewerId::from("view_1");
        let (told, focus) = (aims.clone(), page_has_focus.clone());
        let seat = Self { id, mode, lease: lease.clone(), changes, log, aims: told, page_has_focus: focus };
        (seat, FakeDriver { lease, asked, aims, page_has_focus })
    }
}

impl Drop for FakeSeat {
    fn drop(&mut self) {
        let _ = self.log.send(Asked::Left);
    }
}

impl Seat for FakeSeat {
    fn id(&self) -> &ViewerId {
        &self.id
    }

    fn mode(&self) -> ViewerMode {
        self.mode
    }

    fn control(&self) -> ControlView {
        let lease = *self.lease.borrow();
        ControlView {
            mode: if lease.is_some() { ControlMode::Human } else { ControlMode::Ai },
            yours: lease.is_some(),
            lease,
            controller: None,
            settling: false,
            since: None,
            lapses_at: None,
            job: None,
            asks: None,
            wanted_by: None,
            wanted_by_you: false,
        }
    }

    async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending().await
        }
    }

    async fn take(&self, controller: String) -> Result<(), Refusal> {
        let _ = self.log.send(Asked::Take(controller));
        self.lease.send_replace(Some(Lease(7)));
        Ok(())
    }

    async fn hand_back(&self, note: Option<String>, typed: TypedText) -> Result<(), Refusal> {
        let _ = self.log.send(Asked::HandBack(note, typed));
        self.lease.send_replace(None);
        Ok(())
    }

    async fn ask_control(&self, controller: String) -> Result<(), Refusal> {
        let _ = self.log.send(Asked::AskControl(controller));
        Ok(())
    }

    async fn answer_asker(&self, gives: bool) -> Result<(), Refusal> {
        let _ = self.log.send(Asked::AnswerAsker(gives));
        Ok(())
    }

    fn aims(&self) -> impl futures_util::Stream<Item = Aim> + Send + 'static {
        futures_util::stream::unfold(self.aims.subscribe(), |mut aims| async move {
            let aim = aims.recv().await.ok()?;
            Some((aim, aims))
        })
    }

    fn typist(&self) -> impl Typist + 'static {
        FakeTypist { log: self.log.clone(), page_has_focus: self.page_has_focus.clone() }
    }

    fn comes_back(&self) -> bool {
        false
    }

    fn heartbeat(&self) {
        let _ = self.log.send(Asked::Heartbeat);
    }

    fn input<R>(&self, lease: Lease, weight: InputWeight, send: impl FnOnce() -> R) -> Result<R, Refusal> {
        match *self.lease.borrow() {
            Some(live) if live == lease => {
                let _ = self.log.send(Asked::Input(weight));
                Ok(send())
            }
            Some(_) => Err(Refusal::new("staleLease", "this lease is over")),
            None => Err(Refusal::new("heldByAgent", "the agent holds control")),
        }
    }
}
