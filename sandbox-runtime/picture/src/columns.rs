//! Finds what moved to the side: carousels, maps, wide tables. By hashes of columns, in stripes of rows.
//!
//! Columns are hashed only where rows alone did not explain the picture before: most screens never pay for it.

use crate::hash::{Hashes, Seed, band_columns, hash, touched};
use crate::shift::{LineIndex, Move};
use crate::{Picture, Rect};

/// Fewer changed rows that rows do not explain, counted over all bands, are not searched.
pub(crate) const SEARCH_ROWS: usize = 512;
/// Rows of a stripe.
const STRIPE: usize = 32;
/// Fewer columns that agree on a distance are chance.
const MIN_VOTES: u32 = 8;

/// The hashes of the columns of a part of a screen.
#[derive(Debug)]
pub(crate) struct Columns {
    pub area: Rect,
    /// Stripe by stripe from the top, each from the left. Rows that do not fill a stripe are left out.
    stripes: Vec<Vec<u64>>,
}

impl Columns {
    pub fn read(picture: &Picture<'_>, area: Rect, seed: &Seed) -> Self {
        let stripe = |n: usize| {
            let top = area.y + n * STRIPE;
            let column = |x: usize| {
                let pixels: [u32; STRIPE] = std::array::from_fn(|row| picture.pixels[(top + row) * picture.width + x]);
                hash(&pixels, seed)
            };
            area.columns().map(column).collect()
        };
        Self { area, stripes: (0..area.h / STRIPE).map(stripe).collect() }
    }
}

/// Returns what moved to the side, in whole bands and stripes. Both are of the same area; `changed` says which rows of a
/// band differ.
pub(crate) fn horizontal(shown: &Columns, new: &Columns, changed: &[bool], hashes: &Hashes) -> Vec<Move> {
    let area = new.area;
    let mut index = LineIndex::new(area.w);
    let mut found: Vec<Move> = Vec::new();
    for (n, (shown, new)) in shown.stripes.iter().zip(&new.stripes).enumerate() {
        let top = area.y + n * STRIPE;
        index.fill(shown);
        let Some(distance) = distance(&index, shown, new) else { continue };
        let came = |x: usize| x.checked_add_signed(-distance).and_then(|from| shown.get(from)) == Some(&new[x]);
        for band in touched(area, hashes.width()) {
            let columns = band_columns(band, hashes.width());
            let rows = &changed[band * hashes.height()..][top..top + STRIPE];
            let differs = rows.iter().filter(|row| **row).count() * 2 >= STRIPE;
            let within = columns.start - area.x..columns.end - area.x;
            if !differs || !within.clone().all(came) {
                continue;
            }
            let from_x = columns.start.checked_add_signed(-distance).expect("columns that came have a source");
            let to = Rect { x: columns.start, y: top, w: columns.len(), h: STRIPE };
            match found.last_mut() {
                Some(left) if left.to.y == top && left.to.right() == to.x && left.from_x + left.to.w == from_x => {
                    left.to.w += to.w;
                }
                _ => found.push(Move { to, from_x, from_y: top }),
            }
        }
    }
    stacked(found)
}

/// How far most columns that occur only once came to the right (negative: to the left).
fn distance(index: &LineIndex, shown: &[u64], new: &[u64]) -> Option<isize> {
    let mut votes = vec![0; shown.len() * 2];
    for (x, hash) in new.iter().enumerate().filter(|(x, hash)| shown[*x] != **hash) {
        if let Some(from) = index.line(*hash) {
            votes[x + shown.len() - from] += 1;
        }
    }
    let (at, most) = votes.iter().enumerate().max_by_key(|(_, votes)| **votes)?;
    (*most >= MIN_VOTES).then_some(at as isize - shown.len() as isize)
}

/// Joins moves of neighbouring stripes that are alike.
fn stacked(found: Vec<Move>) -> Vec<Move> {
    let mut stacked: Vec<Move> = Vec::with_capacity(found.len());
    for piece in found {
        let above = stacked.iter_mut().find(|above| {
            (above.to.x, above.to.w, above.from_x) == (piece.to.x, piece.to.w, piece.from_x)
                && above.to.bottom() == piece.to.y
        });
        match above {
            Some(above) => above.to.h += piece.to.h,
            None => stacked.push(piece),
        }
    }
    stacked
}
