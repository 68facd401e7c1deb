//! Finds what moved up or down: the part of a scrolling page that can be copied from the picture before.
//!
//! Strips of 64 columns are looked at on their own, so that a scroll bar, a fixed column or a picture beside the text
//! does not hide the movement. Rows are compared by hash to find the distance and by pixels before anything is copied.

use std::collections::HashMap;

use super::pixels::{Pixels, Rect, TILE};

/// Copies shorter than this cost more calls than they save bytes.
const MIN_ROWS: usize = 16;
/// Fewer rows that agree on a distance are chance.
const MIN_VOTES: usize = 8;

/// One copy: `to` of the new picture equals the same-sized rectangle of the old one at (`to.x`, `from_y`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub to: Rect,
    pub from_y: usize,
}

/// Returns copies within `area` that turn pixels of `old` into those of `new`; they do not overlap.
pub fn moved(old: &Pixels, new: &Pixels, area: Rect) -> Vec<Moved> {
    if area.h < 2 * MIN_ROWS {
        return Vec::new();
    }
    let strips: Vec<Strip> = (area.x..area.right())
        .step_by(TILE)
        .map(|x| Strip::read(old, new, Rect { x, w: TILE.min(area.right() - x), ..area }))
        .collect();
    let Some(distance) = most_common(strips.iter().filter_map(Strip::distance)) else { return Vec::new() };
    let mut found: Vec<Moved> = Vec::new();
    for strip in &strips {
        for piece in strip.pieces(old, new, distance) {
            let widened = found
                .iter_mut()
                .find(|left| left.to.right() == piece.to.x && left.to.y == piece.to.y && left.to.h == piece.to.h);
            match widened {
                Some(left) => left.to.w += piece.to.w,
                None => found.push(piece),
            }
        }
    }
    found
}

/// A column of the area with the hashes of its rows.
struct Strip {
    rect: Rect,
    old: Vec<u64>,
    new: Vec<u64>,
}

impl Strip {
    fn read(old: &Pixels, new: &Pixels, rect: Rect) -> Self {
        let hashes = |pixels: &Pixels| rect.rows().map(|y| hash(pixels.row(y, rect.columns()))).collect();
        Self { rect, old: hashes(old), new: hashes(new) }
    }

    /// How far most rows that occur only once came down (negative: went up).
    fn distance(&self) -> Option<(isize, usize)> {
        let mut places: HashMap<u64, Option<usize>> = HashMap::with_capacity(self.old.len());
        for (y, &hash) in self.old.iter().enumerate() {
            places.entry(hash).and_modify(|place| *place = None).or_insert(Some(y));
        }
        let mut votes: HashMap<isize, usize> = HashMap::new();
        for (y, hash) in self.new.iter().enumerate() {
            if self.old[y] != *hash
                && let Some(Some(from)) = places.get(hash)
            {
                *votes.entry(y as isize - *from as isize).or_default() += 1;
            }
        }
        votes.into_iter().filter(|(_, votes)| *votes >= MIN_VOTES).max_by_key(|(distance, votes)| (*votes, *distance))
    }

    /// Runs of rows that came from `distance` above, where at least some row differs from what was there.
    fn pieces(&self, old: &Pixels, new: &Pixels, distance: isize) -> Vec<Moved> {
        let came = |y: usize| {
            y.checked_add_signed(-distance).is_some_and(|from| from < self.old.len() && self.old[from] == self.new[y])
        };
        let mut pieces = Vec::new();
        let mut y = 0;
        while y < self.new.len() {
            let start = y;
            while y < self.new.len() && came(y) {
                y += 1;
            }
            if let Some(piece) = self.piece(old, new, start, y, distance) {
                pieces.push(piece);
            }
            y += 1;
        }
        pieces
    }

    fn piece(&self, old: &Pixels, new: &Pixels, mut start: usize, mut end: usize, distance: isize) -> Option<Moved> {
        let unchanged = |y: usize| self.old[y] == self.new[y];
        while start < end && unchanged(start) {
            start += 1;
        }
        while start < end && unchanged(end - 1) {
            end -= 1;
        }
        if end - start < MIN_ROWS {
            return None;
        }
        let to = Rect { y: self.rect.y + start, h: end - start, ..self.rect };
        let from_y = to.y.checked_add_signed(-distance)?;
        let same = (0..to.h).all(|row| old.row(from_y + row, to.columns()) == new.row(to.y + row, to.columns()));
        same.then_some(Moved { to, from_y })
    }
}

fn most_common(votes: impl Iterator<Item = (isize, usize)>) -> Option<isize> {
    let mut sums: HashMap<isize, usize> = HashMap::new();
    for (distance, count) in votes {
        *sums.entry(distance).or_default() += count;
    }
    sums.into_iter().max_by_key(|(distance, votes)| (*votes, *distance)).map(|(distance, _)| distance)
}

/// Quick and good enough to tell rows apart; equality is checked by pixels before a copy.
fn hash(row: &[u32]) -> u64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    // Four lanes, so that a multiplication need not wait for the one before.
    let mut lanes = [1u64, 2, 3, 4];
    let mut chunks = row.chunks_exact(8);
    for chunk in &mut chunks {
        for (lane, pair) in lanes.iter_mut().zip(chunk.chunks_exact(2)) {
            *lane = (*lane ^ (u64::from(pair[0]) | u64::from(pair[1]) << 32)).wrapping_mul(PRIME).rotate_left(29);
        }
    }
    for pixel in chunks.remainder() {
        lanes[0] = (lanes[0] ^ u64::from(*pixel)).wrapping_mul(PRIME).rotate_left(29);
    }
    lanes.iter().fold(0, |hash: u64, lane| (hash.rotate_left(17) ^ lane).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: usize, height: usize, first: usize) -> Pixels {
        let data = (0..height).flat_map(|y| (0..width).map(move |x| 0xFF00_0000 | ((y + first) * 7919 + x % 5) as u32));
        Pixels { width, height, data: data.collect() }
    }

    #[test]
    fn a_scrolled_page_is_one_copy() {
        let (old, new) = (lines(200, 120, 0), lines(200, 120, 12));
        let whole = Rect { x: 0, y: 0, w: 200, h: 108 };
        assert_eq!(moved(&old, &new, old.whole()), [Moved { to: whole, from_y: 12 }]);
    }

    #[test]
    fn a_fixed_column_does_not_hide_the_scroll_beside_it() {
        let (old, mut new) = (lines(192, 120, 20), lines(192, 120, 0));
        new.copy_from(&old, Rect { x: 0, y: 0, w: 64, h: 120 });
        let beside = Rect { x: 64, y: 20, w: 128, h: 100 };
        assert_eq!(moved(&old, &new, old.whole()), [Moved { to: beside, from_y: 0 }]);
    }

    #[test]
    fn unrelated_pictures_have_no_copy() {
        assert_eq!(moved(&lines(128, 100, 0), &lines(128, 100, 5000), Rect { x: 0, y: 0, w: 128, h: 100 }), []);
    }
}
