//! Whatever happens to a screen, and whichever pictures a viewer misses, it ends up with exactly the screen.

use proptest::prelude::*;
use sandbox_picture::wire::{FLAG_EXACT, Header, KIND_LOSSLESS};
use sandbox_picture::{BAND, BadPicture, Canvas, Encoder, Hashes, OPAQUE, Picture, Rect, Seed, Sent};

/// A screen, its hashes as the capture keeps them, and one viewer of it.
struct Rig {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
    hashes: Hashes,
    seed: Seed,
    encoder: Encoder,
    canvas: Canvas,
}

impl Rig {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![OPAQUE; width * height],
            hashes: Hashes::unknown(width, height),
            seed: Seed::new(42),
            encoder: Encoder::new(width, height, Seed::new(43)),
            canvas: Canvas::new(width, height),
        }
    }

    fn whole(&self) -> Rect {
        Rect { x: 0, y: 0, w: self.width, h: self.height }
    }

    fn capture(&mut self) {
        let picture = Picture { width: self.width, height: self.height, pixels: &self.pixels };
        self.hashes.read(&picture, 0..self.height, &self.seed);
    }

    fn message(&mut self, left_out: Option<Rect>) -> Option<(Vec<u8>, Sent)> {
        let mut message = Vec::new();
        let header = Header {
            kind: KIND_LOSSLESS,
            flags: FLAG_EXACT,
            number: 1,
            captured_at_us: 5,
            width: self.width as u16,
            height: self.height as u16,
        };
        header.write(&mut message);
        let picture = Picture { width: self.width, height: self.height, pixels: &self.pixels };
        let sent = self.encoder.encode(&picture, &self.hashes, left_out, &mut message)?;
        Some((message, sent))
    }

    /// Captures, sends and draws.
    fn step(&mut self) -> Option<Sent> {
        self.capture();
        let (message, sent) = self.message(None)?;
        self.canvas.draw(&message).expect("our own message");
        Some(sent)
    }

    fn assert_exact(&self) {
        let wrong = self.pixels.iter().zip(&self.canvas.pixels).filter(|(screen, shown)| **screen | OPAQUE != **shown);
        assert_eq!(wrong.count(), 0, "pixels differ");
        assert!(self.encoder.is_exact(&self.hashes));
    }

    fn fill(&mut self, rect: Rect, colour: u32) {
        for y in rect.rows() {
            self.pixels[y * self.width..][rect.columns()].fill(colour);
        }
    }

    fn noise(&mut self, rect: Rect, seed: u32, colours: u32) {
        let mut state = seed | 1;
        for y in rect.rows() {
            for pixel in &mut self.pixels[y * self.width..][rect.columns()] {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *pixel = state % colours;
            }
        }
    }

    fn scroll(&mut self, rect: Rect, by: isize) {
        let before = self.pixels.clone();
        for y in rect.rows() {
            if let Some(from) = y.checked_add_signed(by).filter(|from| rect.rows().contains(from)) {
                let source = &before[from * self.width..][rect.columns()];
                self.pixels[y * self.width..][rect.columns()].copy_from_slice(source);
            }
        }
    }
}

#[test]
fn a_still_screen_sends_nothing() {
    let mut rig = Rig::new(200, 100);
    assert!(rig.step().is_some());
    assert_eq!(rig.step(), None);
    rig.assert_exact();
}

#[test]
fn the_byte_that_means_nothing_is_always_opaque_at_the_viewer() {
    let mut rig = Rig::new(70, 3);
    rig.pixels.fill(0x0012_3456);
    rig.step();
    assert!(rig.canvas.pixels.iter().all(|pixel| *pixel == 0xFF12_3456));
}

#[test]
fn a_changed_pixel_sends_one_row_of_its_band() {
    let mut rig = Rig::new(200, 100);
    rig.step();
    rig.pixels[70 * 200 + 130] = 0xFF12_3456;
    let sent = rig.step().unwrap();
    assert_eq!(sent.indexed, [Rect { x: 128, y: 70, w: BAND, h: 1 }]);
    rig.assert_exact();
}

#[test]
fn scrolled_text_costs_a_copy_and_a_strip() {
    let mut rig = Rig::new(640, 400);
    rig.noise(rig.whole(), 9, 200);
    rig.step();
    rig.scroll(rig.whole(), 12);
    rig.noise(Rect { x: 0, y: 388, w: 640, h: 12 }, 5, 200);
    let sent = rig.step().unwrap();
    assert_eq!((sent.copies, sent.indexed), (1, vec![Rect { x: 0, y: 388, w: 640, h: 12 }]));
    rig.assert_exact();
}

#[test]
fn a_carousel_that_slides_to_the_side_costs_a_strip() {
    let mut rig = Rig::new(640, 400);
    rig.noise(rig.whole(), 9, 200);
    let carousel = Rect { x: 64, y: 100, w: 512, h: 160 };
    rig.step();
    for slide in 1..5 {
        let before = rig.pixels.clone();
        for y in carousel.rows() {
            let row = &mut rig.pixels[y * 640..][carousel.columns()];
            row[..512 - 20].copy_from_slice(&before[y * 640 + 84..][..512 - 20]);
        }
        rig.noise(Rect { x: 64 + 512 - 20, w: 20, ..carousel }, slide, 200);
        let sent = rig.step().unwrap();
        rig.assert_exact();
        if slide > 1 {
            assert!(sent.copies > 0 && sent.raw_bytes < 64 * 160 + 640 * 32, "{sent:?}");
        }
    }
}

#[test]
fn few_colours_are_indexed_beside_many_that_are_not() {
    let mut rig = Rig::new(256, 64);
    rig.step();
    rig.noise(Rect { x: 64, y: 0, w: 64, h: 64 }, 7, 1 << 24);
    rig.noise(Rect { x: 192, y: 0, w: 64, h: 64 }, 7, 16);
    let sent = rig.step().unwrap();
    assert_eq!(sent.true_colour, [Rect { x: 64, y: 0, w: 64, h: 64 }]);
    assert_eq!(sent.indexed, [Rect { x: 192, y: 0, w: 64, h: 64 }]);
    rig.assert_exact();
}

#[test]
fn what_video_painted_is_left_out_and_made_exact_afterwards() {
    let mut rig = Rig::new(256, 128);
    rig.step();
    let film = Rect { x: 64, y: 64, w: 64, h: 32 };
    rig.noise(film, 3, 1 << 24);
    rig.fill(Rect { x: 192, y: 0, w: 10, h: 10 }, 0xFF00_FF00);
    rig.capture();
    let (message, sent) = rig.message(Some(film)).unwrap();
    rig.canvas.draw(&message).unwrap();
    assert_eq!((sent.true_colour.len(), sent.indexed.len()), (0, 1));
    assert!(!rig.encoder.is_exact(&rig.hashes));
    // The viewer's decoder draws something there.
    rig.encoder.forget_within(film);
    for y in film.rows() {
        rig.canvas.pixels[y * 256..][film.columns()].fill(0xFFAB_CDEF);
    }
    assert!(rig.step().is_some());
    rig.assert_exact();
}

#[test]
fn another_size_begins_with_an_empty_canvas() {
    let mut rig = Rig::new(64, 64);
    rig.fill(rig.whole(), 0xFFFF_FFFF);
    rig.step();
    let canvas = std::mem::replace(&mut rig, Rig::new(80, 20)).canvas;
    rig.canvas = canvas;
    rig.step();
    rig.assert_exact();
}

/// What may happen to a screen.
#[derive(Clone, Debug)]
enum Step {
    Fill(Rect, u32),
    Noise(Rect, u32, u32),
    Scroll(Rect, isize),
    /// To the side, several times.
    Slide(Rect, usize),
    /// The viewer paints this with a decoder of its own while it changes.
    Video(Rect, u32),
    /// The viewer joins again, and what was on its way is lost.
    Join,
}

fn step() -> impl Strategy<Value = Step> {
    let rect = (0usize..200, 0usize..200, 1usize..200, 1usize..200)
        .prop_map(|(x, y, w, h)| Rect { x, y, w, h }.within(200, 200));
    prop_oneof![
        3 => (rect.clone(), any::<u32>()).prop_map(|(rect, colour)| Step::Fill(rect, colour)),
        3 => (rect.clone(), any::<u32>(), prop_oneof![Just(4u32), Just(300), Just(u32::MAX)])
            .prop_map(|(rect, seed, colours)| Step::Noise(rect, seed, colours)),
        6 => (rect.clone(), -60isize..60).prop_map(|(rect, by)| Step::Scroll(rect, by)),
        4 => (rect.clone(), 0usize..60).prop_map(|(rect, by)| Step::Slide(rect, by)),
        1 => (rect, any::<u32>()).prop_map(|(rect, seed)| Step::Video(rect, seed)),
        1 => Just(Step::Join),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_sequence_of_screens_and_losses_ends_in_the_exact_picture(
        pictures in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..8)
    ) {
        let mut rig = Rig::new(200, 200);
        for steps in pictures {
            for step in steps {
                match step {
                    Step::Fill(rect, colour) => rig.fill(rect, colour),
                    Step::Noise(rect, seed, colours) => rig.noise(rect, seed, colours),
                    Step::Scroll(rect, by) => rig.scroll(rect, by),
                    Step::Slide(rect, by) => {
                        for _ in 0..2 {
                            for y in rect.rows() {
                                let row = &mut rig.pixels[y * 200..][rect.columns()];
                                row.rotate_left(by % row.len());
                            }
                            rig.step();
                            rig.assert_exact();
                        }
                    }
                    Step::Video(rect, seed) => {
                        rig.noise(rect, seed, u32::MAX);
                        rig.encoder.forget_within(rect);
                        for y in rect.rows() {
                            rig.canvas.pixels[y * 200..][rect.columns()].fill(seed | OPAQUE);
                        }
                    }
                    Step::Join => {
                        rig.capture();
                        // Encoded, and lost.
                        rig.message(None);
                        rig.encoder.forget();
                        rig.canvas = Canvas::new(200, 200);
                    }
                }
            }
            rig.step();
            rig.assert_exact();
        }
    }

    #[test]
    fn a_message_that_was_tampered_with_is_refused_or_drawn_within_the_canvas(
        steps in prop::collection::vec((0usize..4000, any::<u8>()), 1..12),
        cut in prop::option::of(0usize..4000),
    ) {
        let mut rig = Rig::new(96, 80);
        rig.noise(rig.whole(), 9, 100);
        rig.step();
        rig.scroll(rig.whole(), 7);
        rig.noise(Rect { x: 0, y: 60, w: 96, h: 10 }, 3, 1 << 24);
        rig.capture();
        let (mut message, _) = rig.message(None).unwrap();
        for (at, byte) in steps {
            let length = message.len();
            message[at % length] = byte;
        }
        if let Some(cut) = cut {
            message.truncate(cut);
        }
        // The size is the sender's word; a viewer compares it with the one that it was told.
        let size_is_kept = message.get(16..20) == Some(&[96, 0, 80, 0]);
        if size_is_kept {
            let before = rig.canvas.clone();
            if rig.canvas.draw(&message).is_err() {
                prop_assert_eq!(rig.canvas, before);
            } else {
                prop_assert_eq!(rig.canvas.pixels.len(), 96 * 80);
            }
        }
    }
}

#[test]
fn a_bomb_is_refused() {
    let mut rig = Rig::new(64, 64);
    rig.noise(rig.whole(), 9, 100);
    rig.capture();
    let (message, _) = rig.message(None).unwrap();
    let counts = 20;
    let mut many_parts = message[..counts + 12].to_vec();
    many_parts[counts + 2..counts + 4].copy_from_slice(&2000u16.to_le_bytes());
    many_parts.extend((0..2000).flat_map(|_| [0u16, 0, 64, 64]).flat_map(u16::to_le_bytes));
    many_parts.extend([0; 4096]);
    assert_eq!(rig.canvas.draw(&many_parts), Err(BadPicture::Place));
    assert_eq!(rig.canvas.draw(&message[..message.len() - 1]), Err(BadPicture::Length));
}
