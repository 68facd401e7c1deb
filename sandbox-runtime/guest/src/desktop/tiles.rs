//! From two pictures to the parts of a tiles message that turn one into the other, bit for bit. Pure.
//!
//! First what moved is copied, then each 64×64 tile that still differs is sent: as one colour where it is one, else the
//! rectangle of it that changed. Neighbours are joined, because each part costs the view a call.

use sandbox_core::viewer::picture;

use super::pixels::{Pixels, Rect};
use super::scroll::{Moved, moved};

/// Fewer changed tiles than this are not searched for movement.
const SCROLL_MIN_TILES: usize = 6;
/// Most tiles of a message: its count is a `u16`.
const MAX_PARTS: usize = u16::MAX as usize;

/// One part of a tiles message, applied in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pixels of the new picture.
    Raw(Rect),
    Solid(Rect, u32),
    /// From the picture before this message.
    Copy(Moved),
}

/// A tile to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    pub index: usize,
    /// Whether the view shows exactly what `old` holds there; otherwise the whole tile is sent.
    pub known: bool,
}

/// Returns the parts that turn `old` into `new` within the tiles named. With `copies`, every tile of the screen is known.
pub fn parts(old: &Pixels, new: &Pixels, tiles: &[Tile], copies: bool) -> Vec<Part> {
    let grid = new.grid();
    let mut found = Vec::new();
    let mut between: Option<Pixels> = None;
    if copies && tiles.len() >= SCROLL_MIN_TILES {
        let area = tiles.iter().map(|tile| grid.tile(tile.index)).reduce(Rect::around).unwrap_or(new.whole());
        let moves = moved(old, new, area);
        if !moves.is_empty() {
            let between = between.insert(old.clone());
            for piece in moves {
                between.copy_from(new, piece.to);
                found.push(Part::Copy(piece));
            }
        }
    }
    let before = between.as_ref().unwrap_or(old);
    let mut joined: Vec<Part> = Vec::new();
    for tile in tiles {
        let whole = grid.tile(tile.index);
        let changed = if tile.known { changed_within(before, new, whole) } else { Some(whole) };
        let Some(changed) = changed else { continue };
        let part = match colour(new, whole) {
            Some(colour) => Part::Solid(whole, colour),
            None => Part::Raw(changed),
        };
        match joined.last_mut().and_then(|left| join(*left, part)) {
            Some(wider) => *joined.last_mut().expect("there is a last part") = wider,
            None => joined.push(part),
        }
    }
    found.append(&mut joined);
    if found.len() > MAX_PARTS {
        return vec![Part::Raw(new.whole())];
    }
    found
}

/// Bytes that the parts take in a message.
pub fn cost(parts: &[Part]) -> usize {
    parts.iter().map(|part| 9 + body_len(part)).sum()
}

/// Appends the count and the parts as `sandbox_core::viewer::picture` lays them out.
pub fn write(parts: &[Part], new: &Pixels, out: &mut Vec<u8>) {
    out.reserve(2 + cost(parts));
    put(out, parts.len());
    for part in parts {
        let (rect, encoding) = match part {
            Part::Raw(rect) => (rect, picture::TILE_RAW),
            Part::Solid(rect, _) => (rect, picture::TILE_SOLID),
            Part::Copy(piece) => (&piece.to, picture::TILE_COPY),
        };
        for number in [rect.x, rect.y, rect.w, rect.h] {
            put(out, number);
        }
        out.push(encoding);
        match part {
            Part::Raw(rect) => {
                for y in rect.rows() {
                    put_rgba(out, new.row(y, rect.columns()));
                }
            }
            Part::Solid(_, colour) => put_rgba(out, &[*colour]),
            Part::Copy(piece) => {
                put(out, piece.to.x);
                put(out, piece.from_y);
            }
        }
    }
}

fn body_len(part: &Part) -> usize {
    match part {
        Part::Raw(rect) => rect.area() * 4,
        Part::Solid(..) | Part::Copy(_) => 4,
    }
}

/// The smallest rectangle of `tile` that holds every difference.
fn changed_within(old: &Pixels, new: &Pixels, tile: Rect) -> Option<Rect> {
    let differs = |y: &usize| old.row(*y, tile.columns()) != new.row(*y, tile.columns());
    let top = tile.rows().find(differs)?;
    let bottom = tile.rows().rev().find(differs)? + 1;
    let (mut left, mut right) = (tile.right(), tile.x);
    for y in top..bottom {
        let (old, new) = (old.row(y, tile.columns()), new.row(y, tile.columns()));
        let mut different = old.iter().zip(new).map(|(old, new)| old != new);
        if let Some(first) = different.clone().position(|differs| differs) {
            left = left.min(tile.x + first);
        }
        if let Some(last) = different.rposition(|differs| differs) {
            right = right.max(tile.x + last + 1);
        }
    }
    Some(Rect { x: left, y: top, w: right - left, h: bottom - top })
}

/// The one colour of a rectangle.
fn colour(pixels: &Pixels, rect: Rect) -> Option<u32> {
    let first = pixels.row(rect.y, rect.columns())[0];
    rect.rows().all(|y| pixels.row(y, rect.columns()).iter().all(|pixel| *pixel == first)).then_some(first)
}

/// Joins a part with its right neighbour, if little is sent in vain.
fn join(left: Part, right: Part) -> Option<Part> {
    match (left, right) {
        (Part::Raw(a), Part::Raw(b)) => {
            let both = a.around(b);
            let beside = b.x >= a.right() && b.y < a.bottom() && a.y < b.bottom();
            (beside && both.area() * 4 <= (a.area() + b.area()) * 5).then_some(Part::Raw(both))
        }
        (Part::Solid(a, colour), Part::Solid(b, other)) => {
            let beside = b.x == a.right() && a.y == b.y && a.h == b.h;
            (beside && colour == other).then_some(Part::Solid(a.around(b), colour))
        }
        (Part::Raw(_) | Part::Solid(..) | Part::Copy(_), _) => None,
    }
}

fn put(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u16).to_le_bytes());
}

fn put_rgba(out: &mut Vec<u8>, row: &[u32]) {
    let start = out.len();
    out.resize(start + row.len() * 4, 0);
    for (bytes, pixel) in out[start..].chunks_exact_mut(4).zip(row) {
        bytes.copy_from_slice(&pixel.rotate_left(8).to_be_bytes());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::desktop::pixels::TILE;
    use proptest::prelude::*;

    /// What a view does with a tiles message: the reference that the real ones must equal.
    pub fn apply(message: &[u8], shown: &mut Pixels) {
        let before = shown.clone();
        let mut at = 0;
        let mut byte = || {
            at += 1;
            message[at - 1]
        };
        let number = |byte: &mut dyn FnMut() -> u8| usize::from(byte()) | usize::from(byte()) << 8;
        let parts = number(&mut byte);
        for _ in 0..parts {
            let [x, y, w, h] = std::array::from_fn(|_| number(&mut byte));
            let pixel = |byte: &mut dyn FnMut() -> u8| {
                let [r, g, b, a] = std::array::from_fn(|_| byte());
                u32::from_be_bytes([a, r, g, b])
            };
            match byte() {
                picture::TILE_RAW => {
                    for row in y..y + h {
                        for column in x..x + w {
                            shown.data[row * shown.width + column] = pixel(&mut byte);
                        }
                    }
                }
                picture::TILE_SOLID => {
                    let colour = pixel(&mut byte);
                    for row in y..y + h {
                        shown.row_mut(row, x..x + w).fill(colour);
                    }
                }
                picture::TILE_COPY => {
                    let (from_x, from_y) = (number(&mut byte), number(&mut byte));
                    for row in 0..h {
                        let source = before.row(from_y + row, from_x..from_x + w);
                        shown.row_mut(y + row, x..x + w).copy_from_slice(source);
                    }
                }
                other => panic!("no such encoding: {other}"),
            }
        }
        assert_eq!(at, message.len(), "bytes are left over");
    }

    fn check(old: &Pixels, new: &Pixels) -> Vec<Part> {
        let tiles: Vec<Tile> = (0..new.grid().len()).map(|index| Tile { index, known: true }).collect();
        let parts = parts(old, new, &tiles, true);
        let mut message = Vec::new();
        write(&parts, new, &mut message);
        assert_eq!(message.len(), 2 + cost(&parts));
        let mut shown = old.clone();
        apply(&message, &mut shown);
        assert!(shown == *new, "the view differs");
        parts
    }

    #[test]
    fn equal_pictures_need_nothing() {
        let picture = Pixels::black(130, 70);
        assert_eq!(check(&picture, &picture), []);
    }

    #[test]
    fn a_changed_pixel_is_one_pixel() {
        let old = Pixels::black(130, 70);
        let mut new = old.clone();
        new.data[65 * 130 + 129] = 0xFF12_3456;
        assert_eq!(check(&old, &new), [Part::Raw(Rect { x: 129, y: 65, w: 1, h: 1 })]);
    }

    #[test]
    fn one_colour_is_a_few_bytes() {
        let old = Pixels::black(TILE * 4, TILE);
        let new = Pixels { data: vec![0xFFFF_FFFF; old.data.len()], ..old.clone() };
        assert_eq!(check(&old, &new), [Part::Solid(old.whole(), 0xFFFF_FFFF)]);
    }

    #[test]
    fn channels_go_in_the_order_red_green_blue_alpha() {
        let new = Pixels { width: 1, height: 1, data: vec![0xFF01_0203] };
        let mut message = Vec::new();
        write(&[Part::Raw(new.whole())], &new, &mut message);
        assert_eq!(message[11..], [1, 2, 3, 255]);
    }

    #[test]
    fn scrolled_text_costs_a_copy_and_a_strip() {
        let text = |first: usize| {
            let data = (0..640 * 400usize).map(|at| {
                let (x, y) = (at % 640, at / 640 + first);
                OPAQUE_WHITE ^ ((x * y * 2654435761) as u32 & 0x00FF_FFFF)
            });
            Pixels { width: 640, height: 400, data: data.collect() }
        };
        const OPAQUE_WHITE: u32 = 0xFFFF_FFFF;
        let parts = check(&text(0), &text(12));
        assert!(cost(&parts) < 640 * 16 * 4, "{} bytes", cost(&parts));
    }

    /// What may happen to a screen.
    #[derive(Clone, Debug)]
    enum Step {
        Fill(Rect, u32),
        Noise(Rect, u32),
        Scroll(Rect, isize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let rect = (0usize..200, 0usize..200, 1usize..200, 1usize..200)
            .prop_map(|(x, y, w, h)| Rect { x, y, w, h }.within(200, 200));
        prop_oneof![
            (rect.clone(), any::<u32>()).prop_map(|(rect, colour)| Step::Fill(rect, colour | 0xFF00_0000)),
            (rect.clone(), any::<u32>()).prop_map(|(rect, seed)| Step::Noise(rect, seed)),
            (rect, -60isize..60).prop_map(|(rect, by)| Step::Scroll(rect, by)),
        ]
    }

    fn take(step: &Step, picture: &mut Pixels) {
        let before = picture.clone();
        match step {
            Step::Fill(rect, colour) => rect.rows().for_each(|y| picture.row_mut(y, rect.columns()).fill(*colour)),
            Step::Noise(rect, seed) => {
                let mut state = *seed | 1;
                for y in rect.rows() {
                    for pixel in picture.row_mut(y, rect.columns()) {
                        state ^= state << 13;
                        state ^= state >> 17;
                        state ^= state << 5;
                        *pixel = state | 0xFF00_0000;
                    }
                }
            }
            Step::Scroll(rect, by) => {
                for y in rect.rows() {
                    if let Some(from) = y.checked_add_signed(*by).filter(|from| rect.rows().contains(from)) {
                        picture.row_mut(y, rect.columns()).copy_from_slice(before.row(from, rect.columns()));
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_sequence_of_changes_arrives_bit_exact(pictures in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..6)) {
            let mut old = Pixels::black(200, 200);
            for steps in pictures {
                let mut new = old.clone();
                steps.iter().for_each(|step| take(step, &mut new));
                check(&old, &new);
                old = new;
            }
        }
    }
}
