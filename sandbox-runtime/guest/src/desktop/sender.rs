//! One view's pictures: decides what the newest state of the screen is sent as, and makes the messages. A thread of its own.
//!
//! ```text
//!   whole screen as H.264 (WebRTC)     sharp once it rests
//!   lossless                           every pixel exact after each message
//!   lossless beside a film (H.264)     the film alone is inexact, until it rests
//! ```
//!
//! At most two pictures are on the way unacknowledged, and none waits: a slow view loses pictures, never time. What cannot
//! be shown is not encoded, and while this view is not ready the capture does not run for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox_picture::wire::{FLAG_EXACT, Header, KIND_H264, KIND_LOSSLESS};
use sandbox_picture::{Encoder, Hashes, Rect, Sent};
use tokio::sync::mpsc;

use super::capture::random_seed;
use super::frame::{Frame, Latest, Ready};
use super::h264::{H264Error, Video};
use super::motion::Motion;
use super::quantiser::{self, Quantiser};
use super::small::Small;
use super::wishes::Asked;

/// Pictures that may be on the way.
pub const ON_THE_WAY: u32 = 2;
/// How long the whole screen must be without a change until it is sent sharp, where only video may go.
const REST: Duration = Duration::from_millis(100);
/// The first pictures of a film are as sharp as text: it may be a page that only moves for a moment.
const SHARP_PICTURES: u32 = 6;

/// What the view can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Able {
    /// The lossless picture alone.
    Lossless,
    /// Video of the whole screen alone.
    Video,
    Both,
}

/// What the view wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    able: Able,
    /// How many times smaller than the screen.
    scale: usize,
    /// The least time between two pictures.
    pause: Duration,
}

impl Wanted {
    pub fn new(able: Able, scale: u8, rate: Option<u8>) -> Self {
        let scale = if able == Able::Video { 1 } else { usize::from(scale.max(1)) };
        let pause = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / u32::from(rate.max(1)));
        Self { able, scale, pause }
    }
}

pub struct Sender {
    able: Able,
    /// The screen made smaller, where the view wants that.
    small: Option<Small>,
    pause: Duration,
    /// No picture is sent before.
    next_at: Duration,
    asked: Arc<Asked>,
    frame: Arc<Frame>,
    messages: mpsc::Sender<Vec<u8>>,
    began: Instant,
    encoder: Encoder,
    motion: Motion,
    quantiser: Quantiser,
    video: Option<Video>,
    /// The next video picture starts a sequence.
    key: bool,
    /// The view shows nothing of what was sent.
    anew: bool,
    /// The state that was sent last: its version, and its hashes where a film is compared by them.
    version: u64,
    filmed: Hashes,
    film_pictures: u32,
    /// When the whole screen changed last, while the view is not sharp because of it.
    changed_at: Option<Duration>,
    sent: u32,
    acknowledged: u32,
    ready: Option<Ready>,
}

/// What became of a look at the newest state.
enum Step {
    Sent,
    /// Nothing to do, until the bell or the deadline.
    Wait(Option<Duration>),
    /// The stream is over.
    Over,
}

impl Sender {
    pub fn new(wanted: Wanted, asked: Arc<Asked>, frame: Arc<Frame>, messages: mpsc::Sender<Vec<u8>>) -> Self {
        Self {
            able: wanted.able,
            small: (wanted.scale > 1).then(|| Small::new(wanted.scale)),
            pause: wanted.pause,
            next_at: Duration::ZERO,
            asked,
            frame,
            messages,
            began: Instant::now(),
            encoder: Encoder::new(0, 0, random_seed()),
            motion: Motion::new(0, 0),
            quantiser: Quantiser::new(),
            video: None,
            key: false,
            anew: true,
            version: 0,
            filmed: Hashes::unknown(0, 0),
            film_pictures: 0,
            changed_at: None,
            sent: 0,
            acknowledged: 0,
            ready: None,
        }
    }

    /// Sends until the stream ends.
    pub fn run(mut self) -> Result<(), H264Error> {
        let frame = self.frame.clone();
        loop {
            let heard = frame.rings();
            if !self.heed() {
                return Ok(());
            }
            match self.step(&frame)? {
                Step::Sent => {}
                Step::Wait(deadline) => frame.sleep(heard, deadline.map(|at| self.began + at)),
                Step::Over => return Ok(()),
            }
        }
    }

    /// Takes in what the view said; returns whether the stream goes on.
    fn heed(&mut self) -> bool {
        let wishes = self.asked.take();
        if let Some(number) = wishes.shown {
            // Only what is newer, and was sent: a late or wrong number must not open the gate too far.
            if number.wrapping_sub(self.acknowledged) <= self.on_the_way() {
                self.acknowledged = number;
            }
        }
        if let Some(bits_per_second) = wishes.bitrate {
            let now = self.now();
            self.quantiser.limit(bits_per_second, now);
        }
        if wishes.refresh {
            self.anew = true;
            self.key = true;
            // A view that asks again has lost what was on the way.
            self.acknowledged = self.sent;
        }
        !wishes.ended
    }

    fn step(&mut self, frame: &Arc<Frame>) -> Result<Step, H264Error> {
        if self.on_the_way() >= ON_THE_WAY {
            self.ready = None;
            return Ok(Step::Wait(None));
        }
        let now = self.now();
        if self.next_at > now {
            // Nothing is captured for this view until then.
            self.ready = None;
            return Ok(Step::Wait(Some(self.next_at)));
        }
        self.ready.get_or_insert_with(|| frame.ready());
        if self.able == Able::Video {
            let ready_at = self.quantiser.ready_at(now);
            if ready_at > now {
                return Ok(Step::Wait(Some(ready_at)));
            }
        }
        let latest = frame.read();
        if !latest.live {
            return Ok(Step::Wait(None));
        }
        if self.small.is_some() {
            return Ok(self.step_small(latest));
        }
        self.fit(&latest);
        if std::mem::take(&mut self.anew) {
            self.encoder.forget();
            self.filmed = Hashes::unknown(latest.hashes.width(), latest.hashes.height());
            self.version = 0;
        }
        match self.able {
            Able::Video => self.step_video(latest, now),
            Able::Lossless | Able::Both => self.step_lossless(latest, now),
        }
    }

    /// The whole screen, smaller.
    fn step_small(&mut self, latest: std::sync::RwLockReadGuard<'_, Latest>) -> Step {
        let mut header = self.header(&latest, KIND_LOSSLESS);
        let Some(small) = &mut self.small else { return Step::Wait(None) };
        if std::mem::take(&mut self.anew) {
            small.forget();
        } else if latest.version == self.version {
            return Step::Wait(None);
        }
        self.version = latest.version;
        small.read(&latest.picture());
        drop(latest);
        let mut message = Vec::new();
        (header.width, header.height) = (small.width() as u16, small.height() as u16);
        header.write(&mut message);
        // What changed may be too little to be seen in it.
        if !small.encode(&mut message) {
            return Step::Wait(None);
        }
        if self.send(message) { Step::Sent } else { Step::Over }
    }

    /// Starts over when the screen has another size.
    fn fit(&mut self, latest: &Latest) {
        let (width, height) = (latest.hashes.width(), latest.hashes.height());
        if (width, height) != (self.filmed.width(), self.filmed.height()) {
            self.encoder = Encoder::new(width, height, random_seed());
            self.motion = Motion::new(width, height);
            self.anew = true;
        }
    }

    /// The whole screen as video.
    fn step_video(&mut self, latest: std::sync::RwLockReadGuard<'_, Latest>, now: Duration) -> Result<Step, H264Error> {
        let is_news = latest.version != self.version;
        let rests_at = self.changed_at.map(|at| at + REST);
        if !is_news && rests_at.is_none_or(|at| at > now) {
            return Ok(Step::Wait(rests_at));
        }
        self.version = latest.version;
        let qp = if is_news { self.quantiser.qp() } else { quantiser::REST };
        self.changed_at = is_news.then_some(now);
        let (width, height) = (latest.hashes.width(), latest.hashes.height());
        // 4:2:0 has whole pairs only: the odd edge of an odd screen is left out.
        let whole = Rect { x: 0, y: 0, w: width & !1, h: height & !1 };
        self.load(&latest, whole)?;
        let header = self.header(&latest, KIND_H264);
        drop(latest);
        Ok(if self.send_video(header, whole, qp)? { Step::Sent } else { Step::Over })
    }

    /// The lossless picture, and the film in it if there is one.
    fn step_lossless(
        &mut self,
        latest: std::sync::RwLockReadGuard<'_, Latest>,
        now: Duration,
    ) -> Result<Step, H264Error> {
        let has_rested = self.motion.rest(now);
        if latest.version == self.version && !has_rested {
            return Ok(Step::Wait(self.motion.rests_at()));
        }
        self.version = latest.version;
        let film = self.motion.film();
        let film_changed = film.is_some_and(|film| latest.hashes.differ_within(&self.filmed, film));
        let lossless = self.lossless(&latest, film);
        if let Some((_, sent)) = &lossless
            && self.able == Able::Both
        {
            self.motion.lossless(&sent.true_colour, sent.packed_bytes, now);
        }
        let mut picture = None;
        if let Some(film) = film.filter(|_| film_changed) {
            let filmed = &self.filmed;
            self.motion.filmed(|cell| latest.hashes.differ_within(filmed, cell), now);
            self.load(&latest, film)?;
            self.encoder.forget_within(film);
            self.filmed.clone_from(&latest.hashes);
            picture = Some((self.header(&latest, KIND_H264), film));
        } else if film.is_none() {
            self.film_pictures = 0;
        }
        drop(latest);
        if self.motion.film() != film {
            // What is a film and what is not has changed: the same state is looked at again.
            self.version = 0;
        }
        // What is exact first: it is small and quick, and the film's encoding takes its time.
        if let Some((message, _)) = lossless
            && !self.send(message)
        {
            return Ok(Step::Over);
        }
        if let Some((header, film)) = picture {
            self.film_pictures += 1;
            let qp = self.quantiser.qp();
            let qp = if self.film_pictures > SHARP_PICTURES { qp.max(quantiser::MOVING) } else { qp };
            if !self.send_video(header, film, qp)? {
                return Ok(Step::Over);
            }
        }
        Ok(Step::Sent)
    }

    /// Makes the lossless message, if anything but the film differs.
    fn lossless(&mut self, latest: &Latest, film: Option<Rect>) -> Option<(Vec<u8>, Sent)> {
        let mut header = self.header(latest, KIND_LOSSLESS);
        if film.is_none() {
            header.flags = FLAG_EXACT;
        }
        let mut message = Vec::new();
        header.write(&mut message);
        let sent = self.encoder.encode(&latest.picture(), &latest.hashes, film, &mut message)?;
        Some((message, sent))
    }

    fn load(&mut self, latest: &Latest, part: Rect) -> Result<(), H264Error> {
        Video::load_into(&mut self.video, &latest.picture(), part)
    }

    /// Encodes what was loaded, and sends it; returns whether the stream goes on.
    fn send_video(&mut self, mut header: Header, part: Rect, qp: i32) -> Result<bool, H264Error> {
        let Some(video) = &mut self.video else { return Ok(true) };
        let Some(unit) = video.encode(qp, self.key)? else { return Ok(true) };
        self.key = false;
        let now = self.now();
        self.quantiser.sent(unit.bytes.len(), now);
        header.number = self.sent.wrapping_add(1);
        Ok(self.send(unit.message(header, part)))
    }

    /// Sends one message; returns whether the stream goes on.
    fn send(&mut self, message: Vec<u8>) -> bool {
        self.sent = self.sent.wrapping_add(1);
        self.next_at = self.now() + self.pause;
        self.messages.blocking_send(message).is_ok()
    }

    fn header(&self, latest: &Latest, kind: u8) -> Header {
        Header {
            kind,
            flags: 0,
            number: self.sent.wrapping_add(1),
            captured_at_us: latest.captured_at_us,
            width: latest.hashes.width() as u16,
            height: latest.hashes.height() as u16,
        }
    }

    fn on_the_way(&self) -> u32 {
        self.sent.wrapping_sub(self.acknowledged)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}
