//! One hash for each row of each column band: how the encoder knows what changed, and what moved.

use std::ops::Range;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

use crate::{Picture, Rect};

/// Width of a column band. A row of a band is the smallest thing that is compared.
pub const BAND: usize = 64;

/// Stands for pixels that are not known: no pixels have this hash.
pub(crate) const UNKNOWN: u64 = 0;

/// What the hashes of one screen are mixed with. A page that knew it could draw two pictures with one hash, and the viewer
/// would go on showing the first.
#[derive(Clone, Debug)]
pub struct Seed(RapidSecrets);

/// The hashes of one state of a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashes {
    width: usize,
    height: usize,
    /// Band by band, each from the top row down.
    rows: Vec<u64>,
}

impl Seed {
    pub fn new(random: u64) -> Self {
        Self(RapidSecrets::seed(random))
    }
}

impl Hashes {
    /// Returns the hashes of a screen of which nothing is known.
    pub fn unknown(width: usize, height: usize) -> Self {
        Self { width, height, rows: vec![UNKNOWN; width.div_ceil(BAND) * height] }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn bands(&self) -> usize {
        self.width.div_ceil(BAND)
    }

    /// Reads rows of the picture, which has the same size. Returns whether any of them differs from before.
    pub fn read(&mut self, picture: &Picture<'_>, rows: Range<usize>, seed: &Seed) -> bool {
        debug_assert_eq!((self.width, self.height), (picture.width, picture.height));
        let mut changed = false;
        // Row by row, as the pixels lie in memory.
        for y in rows {
            for band in 0..self.bands() {
                let hash = hash(picture.row(y, band_columns(band, self.width)), seed);
                let known = &mut self.rows[band * self.height + y];
                changed |= *known != hash;
                *known = hash;
            }
        }
        changed
    }

    /// Returns the hashes of one band, from the top row down.
    pub(crate) fn band(&self, band: usize) -> &[u64] {
        &self.rows[band * self.height..][..self.height]
    }

    pub(crate) fn band_mut(&mut self, band: usize) -> &mut [u64] {
        &mut self.rows[band * self.height..][..self.height]
    }

    /// Returns whether any row within `area` differs from the other's, which have the same size.
    pub fn differ_within(&self, other: &Self, area: Rect) -> bool {
        touched(area, self.width).any(|band| self.band(band)[area.rows()] != other.band(band)[area.rows()])
    }
}

/// Returns the columns of a band.
pub(crate) fn band_columns(band: usize, width: usize) -> Range<usize> {
    band * BAND..width.min((band + 1) * BAND)
}

/// Returns the bands that a rectangle touches.
pub(crate) fn touched(area: Rect, width: usize) -> Range<usize> {
    let area = area.within(width, area.bottom());
    if area.is_empty() { 0..0 } else { area.x / BAND..(area.right() - 1) / BAND + 1 }
}

pub(crate) fn hash(row: &[u32], seed: &Seed) -> u64 {
    rapidhash_v3_seeded(bytemuck::cast_slice(row), &seed.0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_were_read_are_known_and_a_changed_pixel_is_seen() {
        let mut pixels = vec![0; 130 * 3];
        let mut hashes = Hashes::unknown(130, 3);
        let seed = Seed::new(7);
        let read = |hashes: &mut Hashes, pixels: &[u32], rows| {
            hashes.read(&Picture { width: 130, height: 3, pixels }, rows, &seed)
        };
        assert!(read(&mut hashes, &pixels, 1..2));
        assert_eq!(hashes.band(0)[0], UNKNOWN);
        assert!(!read(&mut hashes, &pixels, 1..2));
        pixels[130 + 129] = 1;
        let before = hashes.clone();
        assert!(read(&mut hashes, &pixels, 1..2));
        assert!(hashes.differ_within(&before, Rect { x: 128, y: 0, w: 2, h: 3 }));
        assert!(!hashes.differ_within(&before, Rect { x: 0, y: 0, w: 128, h: 3 }));
    }

    #[test]
    fn another_seed_gives_other_hashes() {
        let row = [5; BAND];
        assert_ne!(hash(&row, &Seed::new(1)), hash(&row, &Seed::new(2)));
    }
}
