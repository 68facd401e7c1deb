//! One sender for each view: takes the newest picture whenever the view is ready for one, and sends what changed.
//!
//! A thread of its own decides and encodes; the stream's two directions run as tasks beside it. At most two pictures are
//! on the way unacknowledged, and none waits: a slow view loses pictures, never time.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::viewer::picture;
use sandbox_link::protocol::{VideoControl, VideoRequest};
use sandbox_link::{Stream, read_message, write_frame};
use tokio::io::split;
use tokio::sync::mpsc;

use super::capture::Capture;
use super::frame::{Frame, Latest};
use super::h264::{H264Error, Video};
use super::pace::{Able, Kind, Pace};
use super::pixels::Pixels;
use super::quantiser::{self, Quantiser};
use super::tiles::{self, Tile};

/// Pictures that may be on the way.
const ON_THE_WAY: u32 = 2;
/// When a view is made exact, at most this much goes at once, so that news need not wait behind it.
const EXACT_BYTES_AT_ONCE: usize = 1 << 20;

/// Serves one [`sandbox_link::protocol::Open::Video`] stream until either side ends it.
pub async fn serve(stream: Stream, request: VideoRequest, capture: &Capture) -> io::Result<()> {
    let able = match request {
        VideoRequest { h264: true, tiles: true } => Able::Both,
        VideoRequest { h264: false, tiles: true } => Able::Tiles,
        VideoRequest { h264: true, tiles: false } => Able::Video,
        VideoRequest { h264: false, tiles: false } => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let watching = capture.watch();
    let asked = Arc::new(Asked::new(capture.frame().clone()));
    let (pictures, mut ready) = mpsc::channel::<Vec<u8>>(ON_THE_WAY as usize);
    let sender = Sender::new(able, asked.clone(), pictures);
    let thread = tokio::task::spawn_blocking(move || sender.run());
    // Ends the thread however this function ends.
    let _ending = Ending(asked.clone());

    let (mut from_view, mut to_view) = split(stream);
    let controls = async {
        while let Some(control) = read_message::<VideoControl>(&mut from_view).await? {
            asked.note(control);
        }
        Ok(())
    };
    let sending = async {
        while let Some(picture) = ready.recv().await {
            write_frame(&mut to_view, &picture).await?;
        }
        Ok(())
    };
    let ended = tokio::select! {
        ended = controls => ended,
        ended = sending => ended,
    };
    asked.end();
    drop(ready);
    if let Ok(Err(error)) = thread.await {
        tracing::error!(%error, "a view's pictures ended");
    }
    drop(watching);
    ended
}

/// What the view asked for since the sender last looked.
struct Asked {
    state: Mutex<Wishes>,
    frame: Arc<Frame>,
}

#[derive(Clone, Copy, Default)]
struct Wishes {
    shown: Option<u32>,
    refresh: bool,
    bitrate: Option<u32>,
    ended: bool,
}

struct Ending(Arc<Asked>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Asked {
    fn new(frame: Arc<Frame>) -> Self {
        Self { state: Mutex::new(Wishes::default()), frame }
    }

    fn note(&self, control: VideoControl) {
        {
            let mut wishes = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match control {
                VideoControl::Shown(number) => wishes.shown = Some(number),
                VideoControl::Refresh => wishes.refresh = true,
                VideoControl::Bitrate(bits_per_second) => wishes.bitrate = Some(bits_per_second),
            }
        }
        self.frame.ring();
    }

    fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.frame.ring();
    }

    /// Takes what was asked; only the end stays.
    fn take(&self) -> Wishes {
        let mut wishes = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = wishes.ended;
        std::mem::replace(&mut *wishes, Wishes { ended, ..Wishes::default() })
    }
}

/// The thread's side.
struct Sender {
    able: Able,
    asked: Arc<Asked>,
    pictures: mpsc::Sender<Vec<u8>>,
    began: Instant,
    /// What the view shows where `exact` says so.
    shown: Pixels,
    next: Pixels,
    /// Versions that `next` holds.
    versions: Vec<u64>,
    exact: Vec<bool>,
    pace: Pace,
    quantiser: Quantiser,
    video: Option<Video>,
    key: bool,
    /// The next picture holds everything, whatever that costs.
    whole: bool,
    sent: u32,
    acknowledged: u32,
}

/// What to send, decided under the frame's lock.
struct Job {
    /// Tiles that changed since the last picture.
    changed: Vec<usize>,
    /// Time to make exact what video left inexact.
    exact_due: bool,
    captured_at_us: u64,
}

impl Sender {
    fn new(able: Able, asked: Arc<Asked>, pictures: mpsc::Sender<Vec<u8>>) -> Self {
        Self {
            able,
            asked,
            pictures,
            began: Instant::now(),
            shown: Pixels::black(0, 0),
            next: Pixels::black(0, 0),
            versions: Vec::new(),
            exact: Vec::new(),
            pace: Pace::new(able, 0),
            quantiser: Quantiser::new(),
            video: None,
            key: false,
            whole: true,
            sent: 0,
            acknowledged: 0,
        }
    }

    fn run(mut self) -> Result<(), H264Error> {
        let frame = self.asked.frame.clone();
        while let Some(job) = self.job(&frame) {
            let Some(message) = self.message(&job)? else { continue };
            self.sent = self.sent.wrapping_add(1);
            if self.pictures.blocking_send(message).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits until there is something to send and the view is ready for it; `None` at the end.
    fn job(&mut self, frame: &Frame) -> Option<Job> {
        let mut latest = frame.lock();
        loop {
            let wishes = self.asked.take();
            if wishes.ended {
                return None;
            }
            self.heed(wishes);
            let deadline = match self.due(&latest) {
                Ok(exact_due) => {
                    let changed = self.take_news(&latest);
                    let captured_at_us = latest.captured_at_us;
                    return Some(Job { changed, exact_due, captured_at_us });
                }
                Err(deadline) => deadline,
            };
            latest = frame.sleep(latest, deadline.map(|at| self.began + at));
        }
    }

    fn heed(&mut self, wishes: Wishes) {
        if let Some(number) = wishes.shown {
            // Only what is newer, and was sent: a late or wrong number must not open the gate too far.
            let on_the_way = self.sent.wrapping_sub(self.acknowledged);
            if number.wrapping_sub(self.acknowledged) <= on_the_way {
                self.acknowledged = number;
            }
        }
        if let Some(bits_per_second) = wishes.bitrate {
            let now = self.now();
            self.quantiser.limit(bits_per_second, now);
        }
        if wishes.refresh {
            self.whole = true;
            self.key = true;
            // A view that asks anew has lost what was on the way.
            self.acknowledged = self.sent;
        }
    }

    /// Whether to send now, and then whether the view is to be made exact; else when to look again, unless woken.
    fn due(&mut self, latest: &Latest) -> Result<bool, Option<Duration>> {
        let on_the_way = self.sent.wrapping_sub(self.acknowledged);
        if !latest.live || on_the_way >= ON_THE_WAY {
            return Err(None);
        }
        let now = self.now();
        if self.able == Able::Video {
            let ready = self.quantiser.ready_at(now);
            if ready > now {
                return Err(Some(ready));
            }
        }
        let exact_at = self.pace.exact_at(now);
        let exact_due = exact_at.is_some_and(|at| at <= now);
        if self.whole || exact_due || latest.versions != self.versions { Ok(exact_due) } else { Err(exact_at) }
    }

    /// Brings `next` up to the newest state, and says which tiles that changed.
    fn take_news(&mut self, latest: &Latest) -> Vec<usize> {
        let grid = latest.pixels.grid();
        if grid != self.next.grid() {
            self.next = latest.pixels.clone();
            self.shown = self.next.clone();
            self.versions = latest.versions.clone();
            self.exact = vec![false; grid.len()];
            self.pace = Pace::new(self.able, grid.width * grid.height * 4);
            self.whole = true;
            return (0..grid.len()).collect();
        }
        let changed: Vec<usize> =
            (0..grid.len()).filter(|&tile| self.versions[tile] != latest.versions[tile]).collect();
        for &tile in &changed {
            self.next.copy_from(&latest.pixels, grid.tile(tile));
            self.versions[tile] = latest.versions[tile];
        }
        changed
    }

    fn message(&mut self, job: &Job) -> Result<Option<Vec<u8>>, H264Error> {
        let now = self.now();
        if self.able == Able::Video {
            let sharp = job.exact_due && job.changed.is_empty() && !self.whole;
            self.whole = false;
            if sharp {
                self.pace.exact();
                return self.video(job, quantiser::REST);
            }
            self.pace.change(0, || 0, now);
            let qp = self.quantiser.qp();
            return self.video(job, qp);
        }
        let grid = self.next.grid();
        if std::mem::take(&mut self.whole) {
            self.exact.fill(false);
            let all: Vec<Tile> = (0..grid.len()).map(|index| Tile { index, known: false }).collect();
            return Ok(Some(self.tiles(job, &all)));
        }
        let changed: Vec<Tile> = job.changed.iter().map(|&index| Tile { index, known: self.exact[index] }).collect();
        let area_bytes = changed.iter().map(|tile| grid.tile(tile.index).area() * 4).sum();
        if !changed.is_empty() {
            let copies = self.exact.iter().all(|exact| *exact);
            let mut parts = None;
            let cost = || tiles::cost(parts.insert(tiles::parts(&self.shown, &self.next, &changed, copies)));
            let kind = self.pace.change(area_bytes, cost, now);
            match (kind, parts) {
                (Kind::Video, _) => {
                    let qp = self.quantiser.qp();
                    let sent = self.video(job, qp)?;
                    self.exact.fill(false);
                    return Ok(sent);
                }
                (Kind::Tiles, Some(parts)) => return Ok(Some(self.parts(job, &changed, &parts))),
                (Kind::Tiles, None) => return Ok(Some(self.tiles(job, &changed))),
            }
        }
        let mut bytes = 0;
        let inexact: Vec<Tile> = (0..grid.len())
            .filter(|&tile| !self.exact[tile])
            .take_while(|&tile| {
                let fits = bytes < EXACT_BYTES_AT_ONCE;
                bytes += grid.tile(tile).area() * 4;
                fits
            })
            .map(|index| Tile { index, known: false })
            .collect();
        Ok((!inexact.is_empty()).then(|| self.tiles(job, &inexact)))
    }

    fn tiles(&mut self, job: &Job, sent: &[Tile]) -> Vec<u8> {
        let copies = self.exact.iter().all(|exact| *exact);
        let parts = tiles::parts(&self.shown, &self.next, sent, copies);
        self.parts(job, sent, &parts)
    }

    /// A tiles message, after which the view shows `next` in the tiles named.
    fn parts(&mut self, job: &Job, sent: &[Tile], parts: &[tiles::Part]) -> Vec<u8> {
        let grid = self.next.grid();
        for tile in sent {
            self.shown.copy_from(&self.next, grid.tile(tile.index));
            self.exact[tile.index] = true;
        }
        let exact = self.exact.iter().all(|exact| *exact);
        if exact {
            self.pace.exact();
        }
        self.pace.sent_tiles(tiles::cost(parts));
        let mut message = self.header(picture::KIND_TILES, if exact { picture::FLAG_EXACT } else { 0 }, job);
        tiles::write(parts, &self.next, &mut message);
        message
    }

    fn video(&mut self, job: &Job, qp: i32) -> Result<Option<Vec<u8>>, H264Error> {
        let video = match &mut self.video {
            Some(video) => video,
            none => none.insert(Video::new()?),
        };
        let Some(unit) = video.encode(&self.next, qp, self.key)? else { return Ok(None) };
        self.key = false;
        let now = self.now();
        self.quantiser.sent(unit.bytes.len(), now);
        let mut message = self.header(picture::KIND_H264, if unit.key { picture::FLAG_KEY } else { 0 }, job);
        message.extend_from_slice(&(self.next.width as u16).to_le_bytes());
        message.extend_from_slice(&(self.next.height as u16).to_le_bytes());
        message.extend_from_slice(&unit.bytes);
        Ok(Some(message))
    }

    fn header(&self, kind: u8, flags: u8, job: &Job) -> Vec<u8> {
        let mut header = Vec::with_capacity(picture::HEADER_LEN);
        header.extend_from_slice(&[kind, flags, 0, 0]);
        header.extend_from_slice(&self.sent.wrapping_add(1).to_le_bytes());
        header.extend_from_slice(&job.captured_at_us.to_le_bytes());
        header
    }
}
