//! Pictures for a recording: the page alone, as H.264, on damage. A thread of its own for each stream.
//!
//! The browser's bars are left out: they show addresses, and an address can hold what a person typed. It has its own encoder, because a viewer's does not suit a file: it shows the bars, has no key frames to seek to, and follows the way to the viewer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox_link::{Stream, write_frame};
use sandbox_picture::wire::{Header, KIND_H264};
use sandbox_picture::{Hashes, Picture, Rect};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::capture::{Capture, monotonic_us};
use super::card;
use super::frame::{Frame, Latest, Ready};
use super::h264::{H264Error, Video};
use super::quantiser::{MOVING, SHARP};
use super::wishes::{Asked, Ending};

/// Between two pictures: five a second.
const PAUSE: Duration = Duration::from_millis(200);
/// A change so long after the last key frame begins with one, so that a player can seek to it.
const KEY_EVERY: Duration = Duration::from_secs(5);
/// After so many pictures in a row the page is a film, and coarser until it rests.
const FILM: u32 = 8;
/// How long a film must be without a change until its last picture is sharp.
const REST: Duration = Duration::from_millis(600);
/// Pictures that wait for the runtime.
const WAITING: usize = 2;

/// What of the screen is around the page, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// Right of the page.
    pub width: usize,
    /// Above the page.
    pub height: usize,
}

/// Serves one [`sandbox_link::protocol::Open::Recording`] stream until either side ends it.
pub async fn serve(
    mut stream: Stream,
    caption: Option<String>,
    around: Around,
    capture: &Capture,
) -> std::io::Result<()> {
    let watching = capture.watch();
    let asked = Arc::new(Asked::new(capture.frame().clone()));
    let (messages, mut ready) = mpsc::channel::<Vec<u8>>(WAITING);
    let camera = Camera::new(around, caption, asked.clone(), capture.frame().clone(), messages);
    let thread = tokio::task::spawn_blocking(move || camera.run());
    // Ends the thread however this function ends.
    let _ending = Ending(asked.clone());
    let mut said = [0; 1];
    let ended = loop {
        tokio::select! {
            message = ready.recv() => match message {
                Some(message) => if let Err(error) = write_frame(&mut stream, &message).await { break Err(error) },
                None => break Ok(()),
            },
            // The runtime says nothing on this stream but its end.
            _ = stream.read(&mut said) => break Ok(()),
        }
    };
    asked.end();
    drop(ready);
    if let Ok(Err(error)) = thread.await {
        tracing::error!(%error, "the pictures of a recording ended");
    }
    drop(watching);
    ended
}

struct Camera {
    around: Around,
    /// What the plain picture before all others says.
    caption: Option<String>,
    asked: Arc<Asked>,
    frame: Arc<Frame>,
    messages: mpsc::Sender<Vec<u8>>,
    video: Option<Video>,
    /// What the screen showed before this stream is not for it.
    renewal: usize,
    /// What was recorded last: the state of the screen, and its version.
    seen: Hashes,
    version: u64,
    sent: u32,
    /// Pictures in a row, without a rest.
    moving: u32,
    sent_at: Option<Instant>,
    key_at: Option<Instant>,
    ready: Option<Ready>,
}

/// What became of a look at the newest state.
enum Step {
    Sent,
    Wait(Option<Instant>),
    Over,
}

impl Camera {
    fn new(
        around: Around,
        caption: Option<String>,
        asked: Arc<Asked>,
        frame: Arc<Frame>,
        messages: mpsc::Sender<Vec<u8>>,
    ) -> Self {
        let (video, seen) = (None, Hashes::unknown(0, 0));
        let (version, sent, moving) = (0, 0, 0);
        let renewal = frame.renew();
        Self {
            around,
            caption,
            asked,
            frame,
            messages,
            video,
            renewal,
            seen,
            version,
            sent,
            moving,
            sent_at: None,
            key_at: None,
            ready: None,
        }
    }

    fn run(mut self) -> Result<(), H264Error> {
        let frame = self.frame.clone();
        loop {
            let heard = frame.rings();
            if self.asked.take().ended {
                return Ok(());
            }
            match self.step(&frame, Instant::now())? {
                Step::Sent => {}
                Step::Wait(deadline) => frame.sleep(heard, deadline),
                Step::Over => return Ok(()),
            }
        }
    }

    fn step(&mut self, frame: &Arc<Frame>, now: Instant) -> Result<Step, H264Error> {
        if let Some(next_at) = self.sent_at.map(|at| at + PAUSE).filter(|at| *at > now) {
            // Nothing is captured for what would not be taken.
            self.ready = None;
            return Ok(Step::Wait(Some(next_at)));
        }
        self.ready.get_or_insert_with(|| frame.ready());
        let latest = frame.read();
        let page = page_of(&latest, self.around).filter(|_| latest.renewed >= self.renewal);
        let Some(page) = page else { return Ok(Step::Wait(None)) };
        if let Some(caption) = self.caption.take() {
            drop(latest);
            return self.show_caption(&caption, page, now);
        }
        let is_same_size = (self.seen.width(), self.seen.height()) == (latest.hashes.width(), latest.hashes.height());
        let is_news =
            !is_same_size || (latest.version != self.version && latest.hashes.differ_within(&self.seen, page));
        self.version = latest.version;
        let rests_at = self.sent_at.map(|at| at + REST);
        if !is_news {
            if self.moving <= FILM {
                return Ok(Step::Wait(None));
            }
            if let Some(rests_at) = rests_at.filter(|at| *at > now) {
                return Ok(Step::Wait(Some(rests_at)));
            }
        }
        self.moving = if is_news && rests_at.is_some_and(|at| at > now) { self.moving + 1 } else { 0 };
        Video::load_into(&mut self.video, &latest.picture(), page)?;
        self.seen.clone_from(&latest.hashes);
        let captured_at_us = latest.captured_at_us;
        drop(latest);
        self.send(page, captured_at_us, now)
    }

    /// The plain picture: nothing of the screen is in it.
    fn show_caption(&mut self, caption: &str, page: Rect, now: Instant) -> Result<Step, H264Error> {
        let pixels = card::draw(caption, page.w, page.h);
        let picture = Picture { width: page.w, height: page.h, pixels: &pixels };
        Video::load_into(&mut self.video, &picture, Rect { x: 0, y: 0, ..page })?;
        let step = self.send(page, monotonic_us(), now);
        // What follows looks nothing like it, and comes at once.
        (self.sent_at, self.key_at) = (None, None);
        step
    }

    fn send(&mut self, page: Rect, captured_at_us: u64, now: Instant) -> Result<Step, H264Error> {
        let is_key = self.key_at.is_none_or(|at| now.duration_since(at) >= KEY_EVERY);
        let qp = if self.moving > FILM { MOVING } else { SHARP };
        let Some(video) = &mut self.video else { return Ok(Step::Wait(None)) };
        let Some(unit) = video.encode(qp, is_key)? else { return Ok(Step::Wait(None)) };
        self.sent += 1;
        self.sent_at = Some(now);
        if unit.key {
            self.key_at = Some(now);
        }
        let (width, height) = (page.w as u16, page.h as u16);
        let header = Header { kind: KIND_H264, flags: 0, number: self.sent, captured_at_us, width, height };
        let message = unit.message(header, page);
        Ok(if self.messages.blocking_send(message).is_ok() { Step::Sent } else { Step::Over })
    }
}

/// Where the page is on the screen; `None` while the screen is not known, or has no room for one.
fn page_of(latest: &Latest, around: Around) -> Option<Rect> {
    let (width, height) = (latest.hashes.width(), latest.hashes.height());
    // 4:2:0 has whole pairs only.
    let w = width.checked_sub(around.width)? & !1;
    let h = height.checked_sub(around.height)? & !1;
    (latest.live && w >= 16 && h >= 16).then_some(Rect { x: 0, y: around.height, w, h })
}

#[cfg(test)]
mod tests {
    use sandbox_picture::Seed;
    use sandbox_picture::wire::FLAG_KEY;

    use super::super::frame::Memory;
    use super::super::xloop::wakeups;
    use super::*;

    const AROUND: Around = Around { width: 0, height: 10 };
    const SCREEN: (usize, usize) = (64, 58);

    fn shown(frame: &Frame, pixels: Vec<u32>) {
        let mut latest = frame.write();
        let mut hashes = Hashes::unknown(SCREEN.0, SCREEN.1);
        let picture = Picture { width: SCREEN.0, height: SCREEN.1, pixels: &pixels };
        hashes.read(&picture, 0..SCREEN.1, &Seed::new(7));
        latest.hashes = hashes;
        latest.memory = Memory::Owned(pixels);
        latest.version += 1;
        latest.live = true;
        latest.renewed = frame.renewals();
    }

    fn camera(caption: Option<&str>) -> (Camera, mpsc::Receiver<Vec<u8>>) {
        let (waker, _) = wakeups().unwrap();
        let frame = Arc::new(Frame::new(waker));
        let (messages, ready) = mpsc::channel(16);
        let asked = Arc::new(Asked::new(frame.clone()));
        (Camera::new(AROUND, caption.map(str::to_owned), asked, frame, messages), ready)
    }

    fn plain(colour: u32) -> Vec<u32> {
        vec![colour; SCREEN.0 * SCREEN.1]
    }

    #[test]
    fn what_changes_is_recorded_and_what_changes_in_the_bars_is_not() {
        let (mut camera, mut ready) = camera(None);
        let (frame, began) = (camera.frame.clone(), Instant::now());
        assert!(matches!(camera.step(&frame, began).unwrap(), Step::Wait(None)), "nothing is known of the screen");
        shown(&frame, plain(0xFFFFFF));
        assert!(matches!(camera.step(&frame, began).unwrap(), Step::Sent));
        let first = ready.try_recv().unwrap();
        let header = Header::read(&first).unwrap();
        assert_eq!((header.flags, header.width, header.height), (FLAG_KEY, 64, 48));
        let mut bars = plain(0xFFFFFF);
        bars[..64].fill(0);
        shown(&frame, bars.clone());
        assert!(matches!(camera.step(&frame, began + PAUSE).unwrap(), Step::Wait(None)));
        bars[64 * 30..64 * 40].fill(0);
        shown(&frame, bars);
        assert!(matches!(camera.step(&frame, began + PAUSE / 2).unwrap(), Step::Wait(Some(_))), "five a second");
        assert!(matches!(camera.step(&frame, began + PAUSE).unwrap(), Step::Sent));
        assert_eq!(Header::read(&ready.try_recv().unwrap()).unwrap().flags, 0);
    }

    #[test]
    fn what_the_screen_showed_before_the_stream_is_not_recorded() {
        let (waker, _) = wakeups().unwrap();
        let frame = Arc::new(Frame::new(waker));
        shown(&frame, plain(0xFF00FF));
        let (messages, mut ready) = mpsc::channel(16);
        let asked = Arc::new(Asked::new(frame.clone()));
        let mut camera = Camera::new(AROUND, None, asked, frame.clone(), messages);
        assert!(matches!(camera.step(&frame, Instant::now()).unwrap(), Step::Wait(None)));
        assert!(ready.try_recv().is_err(), "the memory may be older than the stream");
        frame.write().renewed = frame.renewals();
        assert!(matches!(camera.step(&frame, Instant::now()).unwrap(), Step::Sent));
    }

    #[test]
    fn a_change_after_a_while_begins_with_a_key_frame() {
        let (mut camera, mut ready) = camera(None);
        let (frame, began) = (camera.frame.clone(), Instant::now());
        let mut flags = Vec::new();
        for (seconds, colour) in [(0, 0xFFFFFF), (1, 0), (6, 0xFF0000), (7, 0)] {
            // A part of it: where all of a page is new, the encoder may make a key frame by itself.
            let mut pixels = plain(0xFFFFFF);
            pixels[64 * 30..64 * 40].fill(colour);
            shown(&frame, pixels);
            camera.step(&frame, began + Duration::from_secs(seconds)).unwrap();
            flags.push(Header::read(&ready.try_recv().unwrap()).unwrap().flags);
        }
        assert_eq!(flags, [FLAG_KEY, 0, FLAG_KEY, 0]);
    }

    #[test]
    fn a_caption_comes_first_and_the_page_after_it_as_a_key_frame() {
        let (mut camera, mut ready) = camera(Some("A person drove"));
        let (frame, now) = (camera.frame.clone(), Instant::now());
        shown(&frame, plain(0xFFFFFF));
        camera.step(&frame, now).unwrap();
        camera.step(&frame, now).unwrap();
        let both = [ready.try_recv().unwrap(), ready.try_recv().unwrap()];
        assert_eq!(both.each_ref().map(|message| Header::read(message).unwrap().flags), [FLAG_KEY, FLAG_KEY]);
        assert!(ready.try_recv().is_err());
    }
}
