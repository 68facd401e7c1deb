//! A sender with a screen in memory and a view that loses pictures: what the view shows in the end is the screen.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sandbox_link::protocol::VideoControl;
use sandbox_picture::wire::{FLAG_EXACT, Header, KIND_H264, KIND_LOSSLESS};
use sandbox_picture::{Canvas, Hashes, OPAQUE, Picture, Rect, Seed};
use tokio::sync::mpsc;

use super::capture::random_seed;
use super::frame::{Frame, Memory};
use super::h264::H264Error;
use super::sender::{Able, ON_THE_WAY, Sender, Wanted};
use super::wishes::Asked;
use super::xloop::{Wakeups, wakeups};

/// Longer than any busy machine needs.
const DEADLINE: Duration = Duration::from_secs(60);

struct Rig {
    width: usize,
    height: usize,
    frame: Arc<Frame>,
    asked: Arc<Asked>,
    messages: mpsc::Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<(), H264Error>>>,
    canvas: Canvas,
    is_exact: bool,
    films: usize,
    seed: Seed,
    _wakeups: Wakeups,
}

impl Rig {
    fn start(able: Able, width: usize, height: usize) -> Self {
        Self::start_scaled(able, (1, None), width, height)
    }

    fn start_scaled(able: Able, (scale, rate): (u8, Option<u8>), width: usize, height: usize) -> Self {
        let (waker, wakeups) = wakeups().unwrap();
        let frame = Arc::new(Frame::new(waker));
        {
            let mut latest = frame.write();
            latest.memory = Memory::Owned(vec![0; width * height]);
            latest.hashes = Hashes::unknown(width, height);
        }
        let asked = Arc::new(Asked::new(frame.clone()));
        let (sender, messages) = mpsc::channel(ON_THE_WAY as usize);
        let sender = Sender::new(Wanted::new(able, scale, rate), asked.clone(), frame.clone(), sender);
        let thread = Some(std::thread::spawn(move || sender.run()));
        let canvas = Canvas::new(0, 0);
        let seed = random_seed();
        Self {
            width,
            height,
            frame,
            asked,
            messages,
            thread,
            canvas,
            is_exact: false,
            films: 0,
            seed,
            _wakeups: wakeups,
        }
    }

    /// Changes the screen, as the capture does.
    fn paint(&self, change: impl FnOnce(&mut [u32])) {
        let mut latest = self.frame.write();
        let latest = &mut *latest;
        let Memory::Owned(pixels) = &mut latest.memory else { panic!("not in memory") };
        change(pixels);
        let picture = Picture { width: self.width, height: self.height, pixels };
        if latest.hashes.read(&picture, 0..self.height, &self.seed) {
            latest.version += 1;
        }
        latest.live = true;
        self.frame.ring();
    }

    fn message(&mut self, within: Duration) -> Option<Vec<u8>> {
        let until = Instant::now() + within;
        loop {
            match self.messages.try_recv() {
                Ok(message) => return Some(message),
                Err(_) if Instant::now() > until => return None,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Draws a message; says that it is shown.
    fn show(&mut self, message: &[u8]) {
        let header = Header::read(message).unwrap();
        match header.kind {
            KIND_LOSSLESS => {
                self.canvas.draw(message).unwrap();
                self.is_exact = header.flags & FLAG_EXACT != 0;
            }
            KIND_H264 => {
                self.films += 1;
                self.is_exact = false;
            }
            other => panic!("no such kind: {other}"),
        }
        self.asked.note(VideoControl::Shown(header.number));
    }

    fn wrong(&self) -> usize {
        let latest = self.frame.read();
        if self.canvas.pixels.len() != self.width * self.height {
            return usize::MAX;
        }
        latest
            .picture()
            .pixels
            .iter()
            .zip(&self.canvas.pixels)
            .filter(|(screen, shown)| **screen | OPAQUE != **shown)
            .count()
    }

    /// Shows what comes until the view says that it is exact and is the screen.
    fn until_exact(&mut self) {
        let until = Instant::now() + DEADLINE;
        while !self.is_exact || self.wrong() > 0 {
            assert!(Instant::now() < until, "{} pixels are wrong, exact: {}", self.wrong(), self.is_exact);
            if let Some(message) = self.message(Duration::from_millis(20)) {
                self.show(&message);
            }
        }
    }

    fn end(mut self) {
        self.asked.end();
        drop(self.messages);
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

fn noise(pixels: &mut [u32], width: usize, rect: Rect, seed: u32, colours: u32) {
    let mut state = seed | 1;
    for y in rect.rows() {
        for pixel in &mut pixels[y * width..][rect.columns()] {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *pixel = state % colours;
        }
    }
}

#[test]
fn a_view_that_shows_nothing_gets_two_pictures_and_then_the_newest() {
    let mut rig = Rig::start(Able::Lossless, 128, 64);
    for value in 1..=2 {
        rig.paint(|pixels| pixels.fill(value));
        assert!(rig.message(DEADLINE).is_some());
    }
    for value in 3..50 {
        rig.paint(|pixels| pixels.fill(value));
    }
    assert_eq!(rig.message(Duration::from_millis(50)), None, "two are on the way");
    // It lost both, and says so.
    rig.asked.note(VideoControl::Refresh);
    let newest = rig.message(DEADLINE).unwrap();
    rig.show(&newest);
    assert_eq!(rig.wrong(), 0);
    assert_eq!(rig.message(Duration::from_millis(50)), None, "a screen at rest sends nothing");
    rig.end();
}

#[test]
fn a_film_goes_as_video_the_text_beside_it_stays_exact_and_at_rest_all_is() {
    let mut rig = Rig::start(Able::Both, 640, 320);
    let film = Rect { x: 64, y: 64, w: 320, h: 192 };
    rig.paint(|pixels| pixels.fill(0x00FF_FFFF));
    rig.until_exact();
    let mut frame = 0;
    let until = Instant::now() + DEADLINE;
    while rig.films == 0 {
        assert!(Instant::now() < until, "no film");
        frame += 1;
        rig.paint(|pixels| {
            // Seeds that differ in more than the lowest bit, which `noise` sets.
            noise(pixels, 640, film, frame * 2, u32::MAX);
            // A word of text, far from it.
            pixels[300 * 640 + 600] = frame;
        });
        // What is not a film is shown as it is.
        while rig.canvas.pixels[300 * 640 + 600] != frame | OPAQUE {
            let message = rig.message(DEADLINE).expect("the text comes");
            rig.show(&message);
        }
    }
    rig.until_exact();
    assert_eq!(rig.message(Duration::from_millis(150)), None);
    rig.end();
}

#[test]
fn video_alone_is_even_and_gets_sharp_once() {
    let mut rig = Rig::start(Able::Video, 129, 65);
    rig.paint(|pixels| noise(pixels, 129, Rect { x: 0, y: 0, w: 129, h: 65 }, 3, u32::MAX));
    let first = rig.message(DEADLINE).unwrap();
    let place = &first[sandbox_picture::wire::HEADER_LEN..][..8];
    assert_eq!(place, [0, 0, 0, 0, 128, 0, 64, 0]);
    rig.show(&first);
    let sharp = rig.message(DEADLINE).expect("a sharp picture once it rests");
    rig.show(&sharp);
    assert_eq!(rig.message(Duration::from_millis(200)), None);
    rig.end();
}

/// What may happen between a screen and its view.
#[derive(Clone, Debug)]
enum Event {
    Fill(u32),
    Noise(u32),
    Scroll(usize),
    /// The view shows what has come.
    Show,
    /// What has come is lost, and the view asks again.
    Lose,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<u32>().prop_map(Event::Fill),
        any::<u32>().prop_map(Event::Noise),
        (1usize..40).prop_map(Event::Scroll),
        Just(Event::Show),
        Just(Event::Show),
        Just(Event::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_sequence_of_screens_and_losses_ends_in_the_exact_picture(events in prop::collection::vec(event(), 1..24)) {
        let mut rig = Rig::start(Able::Lossless, 200, 150);
        rig.paint(|_| ());
        for event in events {
            match event {
                Event::Fill(colour) => rig.paint(|pixels| pixels[4000..9000].fill(colour)),
                Event::Noise(seed) => {
                    let rect = Rect { x: 20, y: 10, w: 150, h: 120 };
                    rig.paint(|pixels| noise(pixels, 200, rect, seed, if seed % 2 == 0 { 200 } else { u32::MAX }));
                }
                Event::Scroll(rows) => rig.paint(|pixels| pixels.copy_within(rows * 200.., 0)),
                Event::Show => while let Some(message) = rig.message(Duration::from_millis(1)) {
                    rig.show(&message);
                },
                Event::Lose => {
                    while rig.message(Duration::ZERO).is_some() {}
                    rig.canvas = Canvas::new(0, 0);
                    rig.asked.note(VideoControl::Refresh);
                }
            }
        }
        // What was on the way when it was lost may still come: the view asks again, as a page does.
        rig.asked.note(VideoControl::Refresh);
        rig.until_exact();
        rig.end();
    }
}

#[test]
fn a_view_that_wants_a_smaller_screen_gets_it_in_that_size() {
    let mut rig = Rig::start_scaled(Able::Both, (4, None), 256, 128);
    rig.paint(|pixels| pixels.fill(0x0012_3456));
    let message = rig.message(DEADLINE).unwrap();
    let header = Header::read(&message).unwrap();
    assert_eq!((header.kind, header.width, header.height), (KIND_LOSSLESS, 64, 32));
    rig.show(&message);
    assert!(rig.canvas.pixels.iter().all(|pixel| *pixel == 0x0012_3456 | OPAQUE));
    rig.end();
}

#[test]
fn a_view_that_wants_few_pictures_gets_the_newest_after_each_pause() {
    let mut rig = Rig::start_scaled(Able::Lossless, (2, Some(10)), 128, 64);
    let began = Instant::now();
    let mut n_pictures = 0;
    for value in 1..50 {
        rig.paint(|pixels| pixels.fill(value));
    }
    while rig.canvas.pixels.first() != Some(&(49 | OPAQUE)) {
        let message = rig.message(DEADLINE).expect("the newest comes");
        n_pictures += 1;
        rig.show(&message);
    }
    let pauses = Duration::from_millis(100) * (n_pictures - 1);
    assert!(began.elapsed() >= pauses, "{n_pictures} pictures in {:?}", began.elapsed());
    rig.end();
}
