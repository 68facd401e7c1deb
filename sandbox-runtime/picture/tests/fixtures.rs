//! Pictures that the page's decoder is tested with: `ui/src/live/fixtures/pictures.bin`.
//!
//! Each is a u32 length, a message, and a u32 FNV-1a of the RGBA that the canvas shows after it. After a change of the
//! format, write them again with `BATON_WRITE_FIXTURES=1 cargo test -p sandbox-picture --test fixtures`.

use std::path::PathBuf;

use sandbox_picture::wire::{FLAG_EXACT, Header, KIND_LOSSLESS};
use sandbox_picture::{Canvas, Encoder, Hashes, Picture, Rect, Seed};

const WIDTH: usize = 150;
const HEIGHT: usize = 90;

/// Numbers that are the same in every run.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        self.next() as usize % most
    }

    fn rect(&mut self) -> Rect {
        let (x, y) = (self.below(WIDTH), self.below(HEIGHT));
        Rect { x, y, w: 1 + self.below(WIDTH), h: 1 + self.below(HEIGHT) }.within(WIDTH, HEIGHT)
    }
}

/// Changes a screen as pages do: fills, noise of few and of many colours, gradients, scrolling.
fn change(pixels: &mut [u32], numbers: &mut Numbers) {
    let kind = numbers.below(6);
    // What is scrolled is most often large.
    let rect = if kind > 3 { Rect { x: 0, y: 8, w: WIDTH, h: HEIGHT - 8 } } else { numbers.rect() };
    let (colour, by) = (numbers.next(), numbers.below(40) + 1);
    let before = pixels.to_vec();
    for y in rect.rows() {
        for x in rect.columns() {
            pixels[y * WIDTH + x] = match kind {
                0 => colour,
                1 => (numbers.next() % 9) * 0x0013_2705,
                2 => numbers.next(),
                3 => ((x as u32) << 16 | (y as u32) << 8 | (x as u32 ^ y as u32)) & 0x00FF_FFFF,
                _ if y + by < rect.bottom() => before[(y + by) * WIDTH + x],
                _ => (x as u32 / 7).wrapping_mul(colour),
            };
        }
    }
}

fn fixtures() -> Vec<u8> {
    let mut numbers = Numbers(2_463_534_242);
    let mut pixels = vec![0; WIDTH * HEIGHT];
    let mut hashes = Hashes::unknown(WIDTH, HEIGHT);
    let mut encoder = Encoder::new(WIDTH, HEIGHT, Seed::new(2));
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let mut out = Vec::new();
    let header = Header {
        kind: KIND_LOSSLESS,
        flags: FLAG_EXACT,
        number: 1,
        captured_at_us: 1_234_567,
        width: WIDTH as u16,
        height: HEIGHT as u16,
    };
    for number in 1..=40 {
        change(&mut pixels, &mut numbers);
        let picture = Picture { width: WIDTH, height: HEIGHT, pixels: &pixels };
        hashes.read(&picture, 0..HEIGHT, &Seed::new(1));
        let mut message = Vec::new();
        Header { number, ..header }.write(&mut message);
        if encoder.encode(&picture, &hashes, None, &mut message).is_none() {
            continue;
        }
        canvas.draw(&message).unwrap();
        out.extend((message.len() as u32).to_le_bytes());
        out.extend(&message);
        let rgba = canvas.pixels.iter().flat_map(|pixel| pixel.rotate_left(8).to_be_bytes());
        let fnv = rgba.fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        out.extend(fnv.to_le_bytes());
    }
    out
}

#[test]
fn the_page_is_tested_with_what_this_encoder_writes() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/live/fixtures/pictures.bin");
    let fixtures = fixtures();
    if std::env::var_os("BATON_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &fixtures).unwrap();
    }
    assert!(std::fs::read(&file).unwrap() == fixtures, "{} is of an older format", file.display());
}
