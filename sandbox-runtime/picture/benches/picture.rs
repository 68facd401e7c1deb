//! What each part of the picture path costs, on a 1280×808 screen: `cargo bench -p sandbox-picture`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sandbox_picture::wire::{Header, KIND_LOSSLESS};
use sandbox_picture::{Canvas, Encoder, Hashes, Picture, Seed};

const WIDTH: usize = 1280;
const HEIGHT: usize = 808;

/// Something like text: dark runs of uneven length on white, in lines, with some grey at their ends.
fn text(first_row: usize) -> Vec<u32> {
    let pixel = |x: usize, y: usize| {
        let (line, row) = (y / 18, y % 18);
        let letter = (x / 3 + line * 977).wrapping_mul(2_654_435_761) >> 7;
        match (row, letter % 5) {
            (0..4 | 14..18, _) => 0xFFFF_FFFF,
            (_, 0) => 0xFF20_2428,
            (_, 1) => 0xFF00_0000 | (0x0001_0101 * ((letter + row) % 200) as u32),
            _ => 0xFFFF_FFFF,
        }
    };
    (first_row..first_row + HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| pixel(x, y))).collect()
}

/// Something like a film: smooth, with some noise in the lowest bits.
fn film(frame: u32) -> Vec<u32> {
    let mut state = frame.wrapping_mul(2_654_435_761) | 1;
    (0..WIDTH * HEIGHT)
        .map(|at| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let (x, y) = ((at % WIDTH) as u32, (at / WIDTH) as u32);
            0xFF00_0000
                | ((x / 5 + frame) & 255) << 16
                | ((y / 3 + frame) & 255) << 8
                | (((x + y) / 8) & 248)
                | (state & 7)
        })
        .collect()
}

fn picture(pixels: &[u32]) -> Picture<'_> {
    Picture { width: WIDTH, height: HEIGHT, pixels }
}

fn hashes(pixels: &[u32]) -> Hashes {
    let mut hashes = Hashes::unknown(WIDTH, HEIGHT);
    hashes.read(&picture(pixels), 0..HEIGHT, &Seed::new(1));
    hashes
}

/// The message that turns one screen into the other.
fn message(before: &[u32], after: &[u32]) -> (Encoder, Vec<u8>) {
    let mut encoder = Encoder::new(WIDTH, HEIGHT, Seed::new(2));
    encoder.encode(&picture(before), &hashes(before), None, &mut Vec::new());
    let mut out = Vec::new();
    let header = Header {
        kind: KIND_LOSSLESS,
        flags: 0,
        number: 1,
        captured_at_us: 0,
        width: WIDTH as u16,
        height: HEIGHT as u16,
    };
    header.write(&mut out);
    encoder.encode(&picture(after), &hashes(after), None, &mut out);
    (encoder, out)
}

fn hash(c: &mut Criterion) {
    let pixels = text(0);
    let mut group = c.benchmark_group("hash");
    group.throughput(Throughput::Bytes((WIDTH * HEIGHT * 4) as u64));
    let (mut hashes, seed) = (Hashes::unknown(WIDTH, HEIGHT), Seed::new(1));
    group.bench_function("whole screen", |b| b.iter(|| hashes.read(&picture(black_box(&pixels)), 0..HEIGHT, &seed)));
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut patch = text(0);
    for y in 400..464 {
        patch[y * WIDTH + 600..][..64].fill(0xFF00_80FF);
    }
    let cases = [
        ("click: a patch of 64x64", text(0), patch),
        ("scroll by 12 rows", text(0), text(12)),
        ("new page of text", film(0), text(0)),
        ("film", film(0), film(1)),
    ];
    let mut group = c.benchmark_group("encode");
    for (name, before, after) in &cases {
        let (first, new) = (hashes(before), hashes(after));
        let (_, bytes) = message(before, after);
        println!("{name}: {} bytes", bytes.len());
        group.bench_function(*name, |b| {
            let ready = || {
                let mut encoder = Encoder::new(WIDTH, HEIGHT, Seed::new(2));
                encoder.encode(&picture(before), &first, None, &mut Vec::new());
                (encoder, Vec::with_capacity(8 << 20))
            };
            b.iter_batched_ref(
                ready,
                |(encoder, out)| encoder.encode(&picture(after), &new, None, out),
                BatchSize::LargeInput,
            )
        });
    }
    group.finish();
    let mut group = c.benchmark_group("decode");
    for (name, before, after) in &cases {
        let (_, bytes) = message(before, after);
        let mut canvas = Canvas::new(WIDTH, HEIGHT);
        group.bench_function(*name, |b| b.iter(|| canvas.draw(black_box(&bytes)).expect("our own message")));
    }
    group.finish();
}

/// LZ4 beside zstd on what a picture carries, as it is and by palette: the figures behind the choice.
fn compression(c: &mut Criterion) {
    let rgba: Vec<u8> = text(0).iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let indices: Vec<u8> = text(0).iter().map(|pixel| (pixel & 255) as u8).collect();
    let noise: Vec<u8> = film(0).iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let mut group = c.benchmark_group("compression");
    for (name, data) in [("text as RGBA", &rgba), ("text by palette", &indices), ("film as RGBA", &noise)] {
        let mut out = vec![0; lz4_flex::block::get_maximum_output_size(data.len())];
        let lz4 = lz4_flex::block::compress_into(data, &mut out).expect("room enough");
        let zstd = zstd::bulk::compress(data, 1).expect("room enough").len();
        println!("{name}: {} bytes, LZ4 {lz4}, zstd level 1 {zstd}", data.len());
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function(format!("LZ4: {name}"), |b| {
            b.iter(|| lz4_flex::block::compress_into(black_box(data), &mut out))
        });
        let mut zstd = zstd::bulk::Compressor::new(1).expect("a compressor");
        group.bench_function(format!("zstd level 1: {name}"), |b| b.iter(|| zstd.compress(black_box(data))));
    }
    group.finish();
}

criterion_group!(benches, hash, encode, compression);
criterion_main!(benches);
