//! Records the page of a sandbox, and never what a person does.
//!
//! ```text
//!   clear ──▶ shoot ── a person takes control, or a page holds what they typed ──▶ gap ──┐
//!     ▲                                                                                  │
//!     └── control is back, no open page holds it, and the screen shows that ◀────────────┘
//! ```
//!
//! A picture waits for [`WAIT`] before it is kept: one that was taken when a gap began is thrown away, even if the news of the gap arrives after the picture. A gap begins before control is given, because the gate is asked when a picture arrives and
//! once more when it is kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::ArtifactKey;
use sandbox_core::control::State;
use sandbox_core::model::{Actor as By, EpochMs, GapReason};
use sandbox_link::protocol::Open;
use sandbox_link::{Stream, read_frame};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::recorded::{Clock, Gap, Picture, caption, read};
use super::{Driver, Shared};
use crate::recording::{Kept, Reel, ReelError, find, keep_all};
use crate::{now_ms, until};

/// How long a picture waits before it is kept.
const WAIT: Duration = Duration::from_millis(600);
/// How long the screen has after a gap to show what the pages have drawn.
const SETTLE: Duration = Duration::from_millis(1_000);
/// Between looks at pages that hold what a person typed.
const LOOK_AGAIN: Duration = Duration::from_millis(400);
/// Pause between checks for disk space or a browser.
const TRY_AGAIN: Duration = Duration::from_millis(1_000);
/// What a sandbox records at most.
const MAX_BYTES: u64 = 500 << 20;
const MAX_LENGTH_MS: EpochMs = 4 * 3_600_000;
/// How long the newest pictures may take to the disk when the sandbox ends.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The task that records. Dropping it ends it; what it wrote stays.
pub(super) struct Recorder {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Recorder {
    /// Begins to record a sandbox that has a browser.
    pub(super) fn start(driver: &Driver) -> Self {
        let stop = CancellationToken::new();
        let camera = Camera {
            held: driver.gate.held(),
            shared: driver.shared.clone(),
            driver: driver.clone(),
            after_person: false,
            reel: None,
            bytes_before: 0,
            began_at: None,
        };
        let task = tokio::spawn(camera.record(stop.clone()));
        Self { stop, task }
    }

    /// Ends the recording; returns when what was recorded is written.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP_LIMIT, &mut self.task).await.is_err() {
            tracing::error!("the newest pictures of a recording are lost");
            self.task.abort();
        }
    }
}

/// Why no more pictures come from a stream.
enum Cut {
    Stopped,
    Blind(GapReason),
    /// The largest size or length is reached.
    Limit,
    Failed(ReelError),
}

struct Camera {
    driver: Driver,
    held: watch::Receiver<bool>,
    shared: watch::Receiver<Arc<Shared>>,
    /// A person had control and it has not been given back since.
    after_person: bool,
    reel: Option<Reel>,
    /// Bytes in earlier reels.
    bytes_before: u64,
    began_at: Option<EpochMs>,
}

impl Camera {
    async fn record(mut self, stop: CancellationToken) {
        let mut gap: Option<Gap> = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.clear(gap.is_some()) => {}
            }
            let Some(stream) = self.open(gap).await else {
                gap = gap.or(self.reel.is_some().then(|| Gap { from: now_ms(), why: GapReason::Browser }));
                tokio::select! { () = stop.cancelled() => break, () = sleep(TRY_AGAIN) => continue }
            };
            let mut pending = VecDeque::new();
            let cut = self.shoot(stream, &mut gap, &mut pending, &stop).await;
            let from = pending.front().map_or_else(now_ms, |picture: &Picture| picture.at);
            let why = match cut {
                Cut::Stopped => break,
                Cut::Blind(why) => why,
                Cut::Limit => {
                    tracing::warn!(sandbox = %self.driver.id, "the recording has reached its limit");
                    self.begin_gap(Gap { from: now_ms(), why: GapReason::Limit });
                    stop.cancelled().await;
                    break;
                }
                Cut::Failed(error) => {
                    tracing::warn!(sandbox = %self.driver.id, %error, "the recording is interrupted");
                    // Its last picture may be cut: nothing more goes into this file.
                    self.close().await;
                    if error.is_full() { GapReason::DiskFull } else { GapReason::Browser }
                }
            };
            if gap.is_none() && self.reel.is_some() {
                gap = Some(self.begin_gap(Gap { from, why }));
            }
        }
        self.end_reel();
    }

    /// Notes the end of the file that grows, and lets go of it.
    fn end_reel(&mut self) -> Option<Reel> {
        let mut reel = self.reel.take()?;
        if let Err(error) = reel.ended(now_ms()) {
            tracing::warn!(%error, "the end of a recording is not noted");
        }
        Some(reel)
    }

    fn begin_gap(&mut self, gap: Gap) -> Gap {
        if let Some(reel) = &mut self.reel
            && let Err(error) = reel.gap_began(gap.from, gap.why)
        {
            tracing::warn!(%error, "a gap of a recording is not noted");
        }
        gap
    }

    /// Why nothing may be recorded now.
    fn blind(&mut self) -> Option<GapReason> {
        let shared = self.shared.borrow_and_update().clone();
        let is_held = *self.held.borrow_and_update() || matches!(shared.control, State::Person { .. });
        self.after_person |= is_held;
        // A person who left midway has not handed control back.
        if is_held || (self.after_person && matches!(shared.control, State::Waiting { .. })) {
            return Some(GapReason::Person);
        }
        if shared.browser.as_ref().is_some_and(|browser| browser.may_show_typed()) {
            return Some(GapReason::Typed);
        }
        if shared.desktop_down || shared.desktop.is_none() {
            return Some(GapReason::Browser);
        }
        self.driver.kit.store.room_for_work().is_err().then_some(GapReason::DiskFull)
    }

    /// Waits until something may be recorded: after a gap, until nothing of it is left on the screen.
    async fn clear(&mut self, after_gap: bool) {
        loop {
            match self.blind() {
                None => {}
                Some(GapReason::Person) => {
                    self.changed().await;
                    continue;
                }
                Some(GapReason::Typed) => {
                    let browser = self.shared.borrow().browser.clone();
                    let still = match browser {
                        Some(browser) => browser.shows_typed().await,
                        None => false,
                    };
                    if still {
                        sleep(LOOK_AGAIN).await;
                    }
                    continue;
                }
                Some(GapReason::Browser | GapReason::DiskFull | GapReason::Limit) => {
                    sleep(TRY_AGAIN).await;
                    continue;
                }
            }
            if after_gap {
                let browser = self.shared.borrow().browser.clone();
                if let Some(browser) = browser {
                    browser.painted().await;
                }
                sleep(SETTLE).await;
                if self.blind().is_some() {
                    continue;
                }
            }
            self.after_person = false;
            return;
        }
    }

    /// Waits until the driver may have changed.
    async fn changed(&mut self) {
        tokio::select! {
            Ok(()) = self.held.changed() => {}
            Ok(()) = self.shared.changed() => {}
            // The driver is gone; the recorder will be stopped.
            else => std::future::pending().await,
        }
    }

    async fn open(&self, gap: Option<Gap>) -> Option<Stream> {
        let link = self.shared.borrow().desktop.clone()?;
        let caption = gap.map(|gap| caption(gap.why, now_ms() - gap.from));
        link.open_for(&Open::Recording { caption }).await.ok()
    }

    /// Records from a stream until something ends it. What is left in `pending` must not be kept.
    async fn shoot(
        &mut self,
        mut stream: Stream,
        gap: &mut Option<Gap>,
        pending: &mut VecDeque<Picture>,
        stop: &CancellationToken,
    ) -> Cut {
        let clock = Clock::now();
        let mut card_comes = gap.is_some();
        let mut card: Option<Picture> = None;
        // A reader of its own: a picture that is half read must not be lost when something else happens.
        let (pictures, mut arriving) = tokio::sync::mpsc::channel(1);
        let mut reading = tokio::task::JoinSet::new();
        reading.spawn(async move {
            while let Ok(Some(bytes)) = read_frame(&mut stream).await {
                if pictures.send(bytes).await.is_err() {
                    return;
                }
            }
        });
        loop {
            let due = pending.front().map(|picture| picture.arrived + WAIT);
            let arrived = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    // What waits was taken before the end, and is kept unless a person came.
                    if self.blind().is_none() {
                        while let Some(picture) = pending.pop_front() {
                            if let Err(error) = self.keep(picture, gap, &mut card).await {
                                return Cut::Failed(error);
                            }
                        }
                    }
                    return Cut::Stopped;
                }
                () = self.changed() => None,
                arrived = arriving.recv() => match arrived {
                    Some(bytes) => Some(bytes),
                    None => return Cut::Blind(self.blind().unwrap_or(GapReason::Browser)),
                },
                () = until(due) => None,
            };
            // Asked after a picture has arrived: what it shows was there before.
            if let Some(why) = self.blind() {
                return Cut::Blind(why);
            }
            if let Some(picture) = arrived.and_then(|bytes| read(&bytes, clock)) {
                if std::mem::take(&mut card_comes) {
                    card = Some(picture);
                } else {
                    pending.push_back(picture);
                }
            }
            while pending.front().is_some_and(|picture| picture.arrived + WAIT <= Instant::now()) {
                let Some(picture) = pending.pop_front() else { break };
                if let Err(error) = self.keep(picture, gap, &mut card).await {
                    return Cut::Failed(error);
                }
            }
            if self.is_at_limit() {
                return Cut::Limit;
            }
        }
    }

    fn is_at_limit(&self) -> bool {
        let bytes = self.bytes_before + self.reel.as_ref().map_or(0, Reel::bytes);
        bytes >= MAX_BYTES || self.began_at.is_some_and(|at| now_ms() - at >= MAX_LENGTH_MS)
    }

    /// Writes a picture; the first after a gap with the plain one that stands for the gap.
    async fn keep(
        &mut self,
        picture: Picture,
        gap: &mut Option<Gap>,
        card: &mut Option<Picture>,
    ) -> Result<(), ReelError> {
        if let (Some(card), Some(gap)) = (card.take(), gap.take()) {
            let ended_at = picture.at;
            self.write(Picture { at: gap.from, ..card }).await?;
            if let Some(reel) = &mut self.reel {
                reel.gap_ended(ended_at)?;
            }
        }
        self.write(picture).await
    }

    async fn write(&mut self, Picture { at, size, unit, .. }: Picture) -> Result<(), ReelError> {
        if self.reel.as_ref().is_some_and(|reel| !reel.takes(size, unit.parameters.as_ref())) {
            // The page has another size: one video has one.
            self.close().await;
        }
        let reel = self.reel.take();
        // A recording begins with a picture that depends on no other.
        let Some(parameters) = unit.parameters.clone().or_else(|| reel.as_ref().map(|reel| reel.parameters().clone()))
        else {
            return Ok(());
        };
        let folder = self.driver.kit.recordings.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut reel = match reel {
                Some(reel) => reel,
                None => Reel::begin(&folder, &ArtifactKey::from_unique(crate::unique()), at, size, parameters)?,
            };
            let added = reel.add(at, unit.key, &unit.sample);
            Ok::<_, ReelError>((reel, added))
        });
        let (reel, added) = written.await.expect("writing does not panic")?;
        self.began_at.get_or_insert(reel.began_at());
        self.reel = Some(reel);
        added
    }

    /// Ends the file that grows, and makes an artifact of it beside what follows.
    async fn close(&mut self) {
        let Some(reel) = self.end_reel() else { return };
        self.bytes_before += reel.bytes();
        let key = reel.key();
        drop(reel);
        let driver = self.driver.clone();
        tokio::spawn(async move {
            let (folder, id, blobs) =
                (driver.kit.recordings.clone(), driver.id.clone(), driver.kit.store.blobs().clone());
            let kept =
                tokio::task::spawn_blocking(move || keep_all(find(&folder, &key).into_iter().collect(), &id, &blobs));
            for Kept { artifact, blob, source } in kept.await.unwrap_or_default() {
                // What is not committed now is kept when the sandbox ends.
                if driver.add_artifact(artifact, By::System).await.is_ok() {
                    source.remove();
                }
                drop(blob);
            }
        });
    }
}
