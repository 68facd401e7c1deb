//! Finds what moved up or down: the parts of scrolled pages that the viewer can copy from what it shows; and puts moves, also
//! those to the side ([`crate::columns`]), into an order that works.
//!
//! Each band votes by itself, so that a scroll bar, a fixed column or a picture beside the text does not hide a movement,
//! and two areas that scroll by different distances are both found. Rows are equal when their hashes are.

use crate::Rect;
use crate::hash::{Hashes, UNKNOWN, band_columns};

/// Fewer changed rows, counted over all bands, are not searched for movement.
const SEARCH_ROWS: usize = 96;
/// Fewer rows that agree on a distance are chance.
const MIN_VOTES: u32 = 8;
/// A copy that mends fewer changed rows costs more than it saves.
const MIN_ROWS: usize = 6;
/// Distances that are followed at once.
const MAX_DISTANCES: usize = 4;
/// Copies of one message; the smallest are left out.
const MAX_COPIES: usize = 192;

/// `to` of the new picture equals the same-sized rectangle of the shown one at (`from_x`, `from_y`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub to: Rect,
    pub from_x: usize,
    pub from_y: usize,
}

impl Move {
    fn from(&self) -> Rect {
        Rect { x: self.from_x, y: self.from_y, ..self.to }
    }
}

/// Returns what moved up or down.
///
/// `changed` says which rows of a band may be mended: those that differ and that are not left to somebody else.
pub(crate) fn vertical(shown: &Hashes, new: &Hashes, changed: &[bool]) -> Vec<Move> {
    if changed.iter().filter(|row| **row).count() < SEARCH_ROWS {
        return Vec::new();
    }
    let (bands, height) = (new.bands(), new.height());
    let mut index = LineIndex::new(height);
    let mut votes = Votes::new(height);
    for band in 0..bands {
        let changed = &changed[band * height..][..height];
        if changed.iter().any(|row| *row) {
            index.fill(shown.band(band));
            votes.count(&index, shown.band(band), new.band(band), changed);
        }
    }
    let distances = votes.best();
    let mut found: Vec<Move> = Vec::new();
    for band in 0..bands {
        let mut free = changed[band * height..][..height].to_vec();
        for &distance in &distances {
            pieces(shown, new, band, distance, &mut free, &mut found);
        }
    }
    joined(found)
}

/// Where each line (a row of a band, a column of a stripe) is, by its hash.
pub(crate) struct LineIndex {
    /// Line + 1, [`EMPTY`], or [`TWICE`]; open addressing over a power of two.
    slots: Vec<(u64, u32)>,
    mask: usize,
}

const EMPTY: u32 = 0;
const TWICE: u32 = u32::MAX;

impl LineIndex {
    pub fn new(rows: usize) -> Self {
        let slots = (rows * 2).next_power_of_two().max(2);
        Self { slots: vec![(0, EMPTY); slots], mask: slots - 1 }
    }

    pub fn fill(&mut self, rows: &[u64]) {
        self.slots.fill((0, EMPTY));
        for (y, &hash) in rows.iter().enumerate().filter(|(_, hash)| **hash != UNKNOWN) {
            let slot = self.slot(hash);
            let row = if self.slots[slot].1 == EMPTY { y as u32 + 1 } else { TWICE };
            self.slots[slot] = (hash, row);
        }
    }

    /// The line with this hash, if it is the only one.
    pub fn line(&self, hash: u64) -> Option<usize> {
        match self.slots[self.slot(hash)].1 {
            EMPTY | TWICE => None,
            row => Some(row as usize - 1),
        }
    }

    fn slot(&self, hash: u64) -> usize {
        let mut slot = hash as usize & self.mask;
        while self.slots[slot].1 != EMPTY && self.slots[slot].0 != hash {
            slot = (slot + 1) & self.mask;
        }
        slot
    }
}

/// How many rows came from how far above (negative: from below).
struct Votes {
    height: usize,
    by_distance: Vec<u32>,
}

impl Votes {
    fn new(height: usize) -> Self {
        Self { height, by_distance: vec![0; height * 2] }
    }

    fn count(&mut self, index: &LineIndex, shown: &[u64], new: &[u64], changed: &[bool]) {
        let mut last: Option<isize> = None;
        for (y, hash) in new.iter().enumerate() {
            if !changed[y] || shown[y] == *hash {
                last = None;
                continue;
            }
            // The row below a row that moved has most often moved as far.
            let guess = last.and_then(|distance| y.checked_add_signed(-distance));
            let from = match guess {
                Some(from) if shown.get(from) == Some(hash) => Some(from),
                _ => index.line(*hash),
            };
            let Some(from) = from else { continue };
            let distance = y as isize - from as isize;
            self.by_distance[(distance + self.height as isize) as usize] += 1;
            last = Some(distance);
        }
    }

    fn best(&self) -> Vec<isize> {
        let mut distances: Vec<usize> =
            (0..self.by_distance.len()).filter(|at| self.by_distance[*at] >= MIN_VOTES).collect();
        distances.sort_by_key(|at| std::cmp::Reverse(self.by_distance[*at]));
        distances.truncate(MAX_DISTANCES);
        distances.into_iter().map(|at| at as isize - self.height as isize).filter(|distance| *distance != 0).collect()
    }
}

/// Appends the runs of rows of one band that came from `distance` above, and takes them from `free`.
///
/// Rows within a run that are right already are copied too: the run then ends where its neighbours' runs end.
fn pieces(shown: &Hashes, new: &Hashes, band: usize, distance: isize, free: &mut [bool], found: &mut Vec<Move>) {
    let (rows, was) = (new.band(band), shown.band(band));
    let came = |y: usize| {
        y.checked_add_signed(-distance).and_then(|from| was.get(from)) == Some(&rows[y]) && rows[y] != UNKNOWN
    };
    // A row that another copy mends is not touched again; one that was right may be.
    let may = |free: &[bool], y: usize| (free[y] || was[y] == rows[y]) && came(y);
    let mut y = 0;
    while y < rows.len() {
        let start = y;
        while y < rows.len() && may(free, y) {
            y += 1;
        }
        let mended = free[start..y].iter().filter(|row| **row).count();
        if mended >= MIN_ROWS {
            let columns = band_columns(band, new.width());
            let to = Rect { x: columns.start, y: start, w: columns.len(), h: y - start };
            let from_y = start.checked_add_signed(-distance).expect("rows that came have a source");
            found.push(Move { to, from_x: to.x, from_y });
            free[start..y].fill(false);
        }
        y = y.max(start + 1);
    }
}

/// Joins equal runs of neighbouring bands.
fn joined(mut found: Vec<Move>) -> Vec<Move> {
    found.sort_by_key(|piece| (piece.to.y, piece.from_y, piece.to.h, piece.to.x));
    let mut joined: Vec<Move> = Vec::with_capacity(found.len());
    for piece in found {
        match joined.last_mut() {
            Some(left)
                if left.to.right() == piece.to.x
                    && (left.to.y, left.to.h, left.from_y) == (piece.to.y, piece.to.h, piece.from_y) =>
            {
                left.to.w += piece.to.w;
            }
            _ => joined.push(piece),
        }
    }
    joined
}

/// Orders moves so that none reads what an earlier one has written. Where they need each other, the smaller is left out.
pub(crate) fn in_order(mut found: Vec<Move>) -> Vec<Move> {
    if found.len() > MAX_COPIES {
        found.sort_by_key(|piece| std::cmp::Reverse(piece.to.area()));
        found.truncate(MAX_COPIES);
    }
    let spoils = |writer: &Move, reader: &Move| writer.to.meets(&reader.from());
    // How many others still have to read what each would overwrite.
    let mut readers: Vec<usize> = (0..found.len())
        .map(|at| (0..found.len()).filter(|other| *other != at && spoils(&found[at], &found[*other])).count())
        .collect();
    let mut left: Vec<usize> = (0..found.len()).collect();
    let mut ordered = Vec::with_capacity(found.len());
    while !left.is_empty() {
        let (at, is_free) = match left.iter().position(|at| readers[*at] == 0) {
            Some(at) => (at, true),
            None => {
                let smallest = (0..left.len()).min_by_key(|at| found[left[*at]].to.area());
                (smallest.expect("some are left"), false)
            }
        };
        let gone = left.swap_remove(at);
        for &other in &left {
            if spoils(&found[other], &found[gone]) {
                readers[other] -= 1;
            }
        }
        if is_free {
            ordered.push(found[gone]);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Picture, Seed};

    const WIDTH: usize = 192;
    const HEIGHT: usize = 240;

    fn hashes(pixels: &[u32]) -> Hashes {
        let mut hashes = Hashes::unknown(WIDTH, HEIGHT);
        hashes.read(&Picture { width: WIDTH, height: HEIGHT, pixels }, 0..HEIGHT, &Seed::new(3));
        hashes
    }

    /// A page whose rows are told apart by a number for each column and row.
    fn page(line: impl Fn(usize, usize) -> u32) -> Hashes {
        let pixels: Vec<u32> =
            (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).map(|(x, y)| line(x, y)).collect();
        hashes(&pixels)
    }

    fn text(x: usize, line: usize) -> u32 {
        (line * 7919 + x % 5) as u32
    }

    fn all_moves(shown: &Hashes, new: &Hashes) -> Vec<Move> {
        let changed: Vec<bool> = (0..new.bands())
            .flat_map(|band| (0..HEIGHT).map(move |y| (band, y)))
            .map(|(band, y)| shown.band(band)[y] != new.band(band)[y])
            .collect();
        in_order(vertical(shown, new, &changed))
    }

    #[test]
    fn a_scrolled_page_is_one_copy() {
        let (shown, new) = (page(text), page(|x, y| text(x, y + 12)));
        let to = Rect { x: 0, y: 0, w: WIDTH, h: HEIGHT - 12 };
        assert_eq!(all_moves(&shown, &new), [Move { to, from_x: 0, from_y: 12 }]);
    }

    #[test]
    fn a_fixed_header_and_a_fixed_column_do_not_hide_the_scroll_beside_them() {
        let fixed = |x: usize, y: usize| x < 64 || y < 30;
        let shown = page(|x, y| if fixed(x, y) { text(x, y) } else { text(x, y + 500) });
        let new = page(|x, y| if fixed(x, y) { text(x, y) } else { text(x, y + 480) });
        let to = Rect { x: 64, y: 50, w: 128, h: HEIGHT - 50 };
        assert_eq!(all_moves(&shown, &new), [Move { to, from_x: 64, from_y: 30 }]);
    }

    #[test]
    fn two_areas_that_scroll_by_different_distances_are_both_found() {
        let shown = page(|x, y| text(x, y + 1000));
        let new = page(|x, y| text(x, if x < 64 { y + 1008 } else { y + 980 }));
        let left = Move { to: Rect { x: 0, y: 0, w: 64, h: HEIGHT - 8 }, from_x: 0, from_y: 8 };
        let right = Move { to: Rect { x: 64, y: 20, w: 128, h: HEIGHT - 20 }, from_x: 64, from_y: 0 };
        let mut found = all_moves(&shown, &new);
        found.sort_by_key(|piece| piece.to.x);
        assert_eq!(found, [left, right]);
    }

    #[test]
    fn unrelated_pictures_and_unknown_rows_have_no_copy() {
        assert_eq!(all_moves(&page(text), &page(|x, y| text(x, y + 5000))), []);
        assert_eq!(all_moves(&Hashes::unknown(WIDTH, HEIGHT), &page(text)), []);
    }

    #[test]
    fn moves_that_need_each_other_are_not_both_done() {
        // The halves change places: either copy would spoil the other's source.
        let half = HEIGHT / 2;
        let found = all_moves(&page(text), &page(|x, y| text(x, (y + half) % HEIGHT)));
        assert_eq!(found.len(), 1);
    }
}
