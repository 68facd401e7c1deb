//! What a live view and the runtime say to each other, whatever carries it.
//!
//! Owns the rules of the words: who may act through this view, what is answered, when keys are lifted. Leaves the bytes
//! to the transports ([`super::socket`], [`super::whep`]) and the decision who drives to the [`Seat`].

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use sandbox_core::Lease;
use sandbox_core::viewer::{Aim, ControlView, FromViewer, InputEvent, Screen, ToViewer, ViewerMode};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, DesktopReport, InputFrame, Open, VideoRequest};
use sandbox_link::{Link, LinkError, read_message};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::clipboard::{self, CopyKeys};
use super::lane::{Lane, LaneFull, Writer};
use super::seat::{InputWeight, Refusal, Seat};
use crate::{monotonic_us, until};

/// How long the room may take to say how large its screen is.
const GEOMETRY_DEADLINE: Duration = Duration::from_secs(10);
/// How long the driver may take to answer a take or a hand-back.
const CONTROL_DEADLINE: Duration = Duration::from_secs(10);
/// How long a view may leave answers unread before it counts as gone.
const UNREAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a page may say nothing. It pings every five seconds, hidden pages every minute.
pub(super) const SILENCE_DEADLINE: Duration = Duration::from_secs(90);
/// How long the last input may take to reach the room when the view leaves.
const DRAIN_DEADLINE: Duration = Duration::from_secs(2);
/// Refusals closer together than this are one burst, and answered once.
const BURST: Duration = Duration::from_secs(1);
/// Longest text that is typed or pasted at once.
const MAX_TEXT: usize = 1 << 20;
/// How many times smaller a view may want its pictures, and how many of them a second.
const MAX_SCALE: u8 = 16;
const MAX_RATE: u8 = 60;
/// Clipboard reads that may be under way for one view.
const MAX_READS: usize = 4;

/// The channels between a conversation and its transport.
pub(super) struct Wires {
    pub words: mpsc::Receiver<FromViewer>,
    pub answers: mpsc::Sender<ToViewer>,
    /// Where pictures are asked for.
    pub pictures: mpsc::Sender<PictureWord>,
    /// After how long without a word the page counts as gone; `None` where the transport notices by itself.
    pub silence: Option<Duration>,
}

/// What the view says about its pictures.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PictureWord {
    /// From now on, pictures of this kind.
    Show(VideoWish),
    Shown(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VideoWish {
    pub h264: bool,
    pub scale: Option<u8>,
    pub rate: Option<u8>,
}

impl From<VideoWish> for VideoRequest {
    fn from(VideoWish { h264, scale, rate }: VideoWish) -> Self {
        let scale = scale.unwrap_or(1).clamp(1, MAX_SCALE);
        Self { h264, lossless: true, scale, rate: rate.map(|rate| rate.clamp(1, MAX_RATE)) }
    }
}

/// Why a conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    ViewerLeft,
    DesktopGone,
    /// The desktop is gone, and another one takes its place.
    DesktopComesBack,
    /// The desktop lives, but does not answer yet.
    NotReady,
    /// The page said nothing for too long.
    Silent,
    /// The page reads nothing any more.
    Unread,
}

type Aims = Pin<Box<dyn Stream<Item = Aim> + Send>>;
type Reports = Pin<Box<dyn Stream<Item = DesktopReport> + Send>>;

pub(super) struct Conversation<S> {
    seat: S,
    desktop: Link,
    wires: Wires,
    reports: Reports,
    aims: Aims,
    /// Only views that may act have one.
    lane: Option<Lane>,
    /// Whether the page shows what is being composed.
    in_page: watch::Receiver<bool>,
    keys: CopyKeys,
    told: ControlView,
    denied: Option<(String, Instant)>,
    reads: JoinSet<Option<(Lease, String)>>,
}

/// Talks until the view leaves or the desktop goes, then lifts every key that this view's person held.
pub(super) async fn converse<S: Seat>(seat: S, desktop: Link, wires: Wires, transport: &'static str) -> End {
    let (room, comes_back) = (desktop.clone(), seat.comes_back());
    match begin(seat, desktop, wires, transport).await {
        Ok((conversation, writer)) => conversation.run(writer).await,
        Err(error) => {
            tracing::debug!(%error, "a view could not join");
            match error {
                BeginError::Left => End::ViewerLeft,
                BeginError::Link(_) | BeginError::NoGeometry if room.is_closed() => desktop_gone(comes_back),
                BeginError::Link(_) | BeginError::NoGeometry => End::NotReady,
            }
        }
    }
}

fn desktop_gone(comes_back: bool) -> End {
    if comes_back { End::DesktopComesBack } else { End::DesktopGone }
}

#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the desktop does not say how large its screen is")]
    NoGeometry,
    #[error("the view left before it was welcomed")]
    Left,
}

async fn begin<S: Seat>(
    seat: S,
    desktop: Link,
    wires: Wires,
    transport: &'static str,
) -> Result<(Conversation<S>, Option<Writer>), BeginError> {
    let screen = screen(&desktop).await.ok_or(BeginError::NoGeometry)?;
    let (composed, in_page) = watch::channel(true);
    let (lane, writer) = match seat.mode() {
        ViewerMode::Watch => (None, None),
        ViewerMode::Control => {
            let (lane, writer) = Lane::open(&desktop, seat.typist(), composed).await?;
            (Some(lane), Some(writer))
        }
    };
    let reports = reports(&desktop).await?;
    let welcome =
        ToViewer::Welcome { viewer_id: seat.id().clone(), mode: seat.mode(), screen, transport: transport.to_owned() };
    let told = seat.control();
    let aims: Aims = Box::pin(seat.aims());
    for word in [welcome, ToViewer::Control { control: told.clone() }] {
        wires.answers.send(word).await.map_err(|_| BeginError::Left)?;
    }
    let conversation = Conversation {
        seat,
        desktop,
        wires,
        reports,
        aims,
        lane,
        in_page,
        keys: CopyKeys::default(),
        told,
        denied: None,
        reads: JoinSet::new(),
    };
    Ok((conversation, writer))
}

async fn screen(desktop: &Link) -> Option<Screen> {
    match timeout(GEOMETRY_DEADLINE, clipboard::call(desktop, DesktopCall::Geometry)).await {
        Ok(Some(DesktopAnswer::Geometry { screen })) => Some(screen),
        Ok(Some(DesktopAnswer::Done | DesktopAnswer::Clipboard(_) | DesktopAnswer::Failed(_)) | None) | Err(_) => None,
    }
}

async fn reports(desktop: &Link) -> Result<Reports, LinkError> {
    let room = desktop.open_for(&Open::Reports).await?;
    Ok(Box::pin(stream::unfold(room, |mut room| async move {
        // An unreadable report ends the reports, not the view: `closed` says when the room is gone.
        let report = read_message::<DesktopReport>(&mut room).await.ok().flatten()?;
        Some((report, room))
    })))
}

impl<S: Seat> Conversation<S> {
    async fn run(mut self, writer: Option<Writer>) -> End {
        let end = self.talk().await;
        self.reads.abort_all();
        if let (Some(lane), Some(writer)) = (&self.lane, writer) {
            if self.told.yours {
                lane.release_all();
            }
            // A room that does not read its input is going away itself; its keys go with it.
            let _ = timeout(DRAIN_DEADLINE, writer.drain()).await;
        }
        end
    }

    async fn talk(&mut self) -> End {
        let mut heard_at = Instant::now();
        let mut reporting = true;
        let mut aiming = true;
        loop {
            let silent_at = self.wires.silence.map(|silence| heard_at + silence);
            let answered = tokio::select! {
                biased;
                () = self.desktop.closed() => return desktop_gone(self.seat.comes_back()),
                // Before the words: however many a page says, it learns at once that it lost control.
                () = self.seat.changed() => self.handle_control_change().await,
                word = self.wires.words.recv() => match word {
                    Some(word) => {
                        heard_at = Instant::now();
                        self.handle_word(word).await
                    }
                    None => return End::ViewerLeft,
                },
                Some(read) = self.reads.join_next(), if !self.reads.is_empty() => self.handle_copied(read.ok().flatten()).await,
                Ok(()) = self.in_page.changed(), if self.lane.is_some() => {
                    let in_page = *self.in_page.borrow_and_update();
                    self.answer(ToViewer::Composing { in_page }).await
                }
                report = self.reports.next(), if reporting => match report {
                    Some(report) => self.handle_report(report).await,
                    None => {
                        reporting = false;
                        Ok(())
                    }
                },
                aim = self.aims.next(), if aiming => match aim {
                    Some(aim) => self.handle_aim(aim).await,
                    None => {
                        aiming = false;
                        Ok(())
                    }
                },
                () = until(silent_at) => return End::Silent,
            };
            if let Err(end) = answered {
                return end;
            }
        }
    }

    async fn handle_word(&mut self, word: FromViewer) -> Result<(), End> {
        match word {
            FromViewer::Hello { h264, scale, rate } => {
                self.ask_for_pictures(PictureWord::Show(VideoWish { h264, scale, rate }));
                Ok(())
            }
            FromViewer::Shown { picture } => {
                self.ask_for_pictures(PictureWord::Shown(picture));
                Ok(())
            }
            FromViewer::Ping { sent_at } => {
                self.seat.heartbeat();
                let lapses_at = self.seat.control().lapses_at;
                self.answer(ToViewer::Pong { sent_at, clock_us: monotonic_us(), lapses_at }).await
            }
            FromViewer::Take { controller } => {
                if let Err(refusal) = self.may_act() {
                    return self.deny(refusal).await;
                }
                let answer = in_time(self.seat.take(controller)).await;
                self.settle(answer).await
            }
            FromViewer::HandBack { note, typed } => {
                if let Err(refusal) = self.may_act() {
                    return self.deny(refusal).await;
                }
                // Before anyone else may drive: nothing of this person's is held or on its way any more.
                self.let_go();
                let answer = in_time(self.seat.hand_back(note, typed.unwrap_or_default())).await;
                self.settle(answer).await
            }
            FromViewer::AskControl { controller } => {
                if let Err(refusal) = self.may_act() {
                    return self.deny(refusal).await;
                }
                let answer = in_time(self.seat.ask_control(controller)).await;
                self.settle(answer).await
            }
            FromViewer::GiveControl {} => {
                if let Err(refusal) = self.may_act() {
                    return self.deny(refusal).await;
                }
                self.let_go();
                let answer = in_time(self.seat.answer_asker(true)).await;
                self.settle(answer).await
            }
            FromViewer::KeepControl {} => {
                if let Err(refusal) = self.may_act() {
                    return self.deny(refusal).await;
                }
                let answer = in_time(self.seat.answer_asker(false)).await;
                self.settle(answer).await
            }
            FromViewer::Input { lease, event } => self.handle_input(lease, event).await,
            FromViewer::Paste { lease, text } => {
                let pasted = within_limit(&text)
                    .and_then(|()| self.dispatch(lease, InputWeight::Counted, InputFrame::Paste(text)));
                self.settle_input(pasted).await
            }
            FromViewer::Copy { lease } => {
                let allowed = self.may_act().and_then(|()| self.seat.input(lease, InputWeight::Light, || ()));
                if allowed.is_ok() && self.reads.len() < MAX_READS {
                    let desktop = self.desktop.clone();
                    self.reads.spawn(async move { clipboard::read(&desktop).await.map(|text| (lease, text)) });
                }
                self.settle_input(allowed).await
            }
        }
    }

    async fn handle_input(&mut self, lease: Lease, event: InputEvent) -> Result<(), End> {
        let sent = match &event {
            InputEvent::Blur {} => {
                // Losing the focus after losing control is nothing to complain about.
                let _ = self.dispatch(lease, InputWeight::Light, InputFrame::ReleaseAll);
                self.keys.released();
                return Ok(());
            }
            InputEvent::Text { text } | InputEvent::Compose { text } => {
                within_limit(text).and_then(|()| self.dispatch(lease, weight(&event), InputFrame::Event(event.clone())))
            }
            InputEvent::Move { .. } | InputEvent::Button { .. } | InputEvent::Wheel { .. } | InputEvent::Key { .. } => {
                self.dispatch(lease, weight(&event), InputFrame::Event(event.clone()))
            }
        };
        if sent.is_ok() && self.keys.copied(&event) && self.reads.len() < MAX_READS {
            let desktop = self.desktop.clone();
            self.reads.spawn(async move { clipboard::read_after_copy(&desktop).await.map(|text| (lease, text)) });
        }
        self.settle_input(sent).await
    }

    /// Passes the gate and queues one frame to the room.
    fn dispatch(&self, lease: Lease, weight: InputWeight, frame: InputFrame) -> Result<(), Refusal> {
        let lane = self.acting_lane()?;
        match self.seat.input(lease, weight, || lane.push(lease, frame))? {
            Ok(()) => Ok(()),
            Err(full @ LaneFull) => Err(Refusal::new("overloaded", full.to_string())),
        }
    }

    fn may_act(&self) -> Result<(), Refusal> {
        self.acting_lane().map(|_| ())
    }

    fn acting_lane(&self) -> Result<&Lane, Refusal> {
        self.lane.as_ref().ok_or_else(|| Refusal::new("forbidden", "this view may watch, not act"))
    }

    async fn handle_control_change(&mut self) -> Result<(), End> {
        let control = self.seat.control();
        if is_same_but_for_the_lapse(&self.told, &control) {
            return Ok(());
        }
        if self.told.yours && (!control.yours || control.lease != self.told.lease) {
            self.let_go();
        }
        if control.yours {
            self.denied = None;
        }
        self.told = control.clone();
        self.answer(ToViewer::Control { control }).await
    }

    async fn handle_copied(&mut self, copied: Option<(Lease, String)>) -> Result<(), End> {
        let Some((lease, text)) = copied else { return Ok(()) };
        let control = self.seat.control();
        if !control.yours || control.lease != Some(lease) {
            return Ok(());
        }
        self.answer(ToViewer::Clipboard { text }).await
    }

    /// Stale aims are dropped; nothing waits for a pointer.
    async fn handle_aim(&mut self, aim: Aim) -> Result<(), End> {
        let is_free = self.wires.answers.capacity() > 0;
        if is_free { self.answer(ToViewer::Aim { aim }).await } else { Ok(()) }
    }

    async fn handle_report(&mut self, report: DesktopReport) -> Result<(), End> {
        match report {
            DesktopReport::ScreenChanged(screen) => self.answer(ToViewer::Screen { screen }).await,
            DesktopReport::Cursor(cursor) => self.answer(ToViewer::Cursor { cursor }).await,
            // The driver starts the browser again or ends the sandbox; either is seen by itself.
            DesktopReport::BrowserExited { .. } | DesktopReport::FileChooser { .. } => Ok(()),
        }
    }

    /// Lifts what this view's person holds, and forgets what was not sent yet.
    fn let_go(&mut self) {
        self.keys.released();
        self.reads.abort_all();
        if let Some(lane) = &self.lane
            && self.told.yours
        {
            lane.release_all();
        }
    }

    fn ask_for_pictures(&self, word: PictureWord) {
        // Full only if a page says more than it was shown; what it adds changes nothing.
        if let Err(error) = self.wires.pictures.try_send(word) {
            tracing::trace!(%error, "a word about pictures was dropped");
        }
    }

    async fn settle(&mut self, answer: Result<(), Refusal>) -> Result<(), End> {
        match answer {
            Ok(()) => Ok(()),
            Err(refusal) => self.deny(refusal).await,
        }
    }

    /// Answers a refused input once for each burst, not once for each move.
    async fn settle_input(&mut self, answer: Result<(), Refusal>) -> Result<(), End> {
        let Err(refusal) = answer else {
            self.denied = None;
            return Ok(());
        };
        let now = Instant::now();
        let told = self.denied.as_ref().is_some_and(|(code, at)| *code == refusal.code && now - *at < BURST);
        self.denied = Some((refusal.code.clone(), now));
        if told { Ok(()) } else { self.deny(refusal).await }
    }

    async fn deny(&mut self, refusal: Refusal) -> Result<(), End> {
        self.answer(ToViewer::Denied { code: refusal.code, message: refusal.message }).await
    }

    async fn answer(&mut self, word: ToViewer) -> Result<(), End> {
        match timeout(UNREAD_DEADLINE, self.wires.answers.send(word)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::ViewerLeft),
            Err(_) => Err(End::Unread),
        }
    }
}

/// Input moves the time at which the lease lapses. A word for that would make the page draw its bar just before the picture
/// of the input comes, and the picture then waits for the next refresh; the next pong says it.
fn is_same_but_for_the_lapse(told: &ControlView, now: &ControlView) -> bool {
    *told == ControlView { lapses_at: told.lapses_at, ..now.clone() }
}

fn within_limit(text: &str) -> Result<(), Refusal> {
    if text.len() <= MAX_TEXT {
        return Ok(());
    }
    Err(Refusal::new("tooLarge", format!("text of {} bytes is too long; at most {MAX_TEXT}", text.len())))
}

/// Clicks, keys and text are counted; moving, scrolling, composing and letting go are not.
fn weight(event: &InputEvent) -> InputWeight {
    match event {
        InputEvent::Button { down: true, .. } | InputEvent::Key { down: true, .. } | InputEvent::Text { .. } => {
            InputWeight::Counted
        }
        InputEvent::Move { .. }
        | InputEvent::Wheel { .. }
        | InputEvent::Button { down: false, .. }
        | InputEvent::Key { down: false, .. }
        | InputEvent::Compose { .. }
        | InputEvent::Blur {} => InputWeight::Light,
    }
}

async fn in_time(asked: impl Future<Output = Result<(), Refusal>>) -> Result<(), Refusal> {
    match timeout(CONTROL_DEADLINE, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(Refusal::new("unavailable", "the sandbox did not answer in time")),
    }
}
