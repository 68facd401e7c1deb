//! A picture as the X server has it.

use std::ops::Range;

/// The byte that the X server leaves undefined, set.
pub const OPAQUE: u32 = 0xFF00_0000;

/// The pixels of a screen, row by row without gaps, each `0x??RRGGBB`: the highest byte means nothing.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pub width: usize,
    pub height: usize,
    pub pixels: &'a [u32],
}

impl<'a> Picture<'a> {
    /// Returns the pixels of one row within columns.
    pub fn row(&self, y: usize, columns: Range<usize>) -> &'a [u32] {
        &self.pixels[y * self.width..][columns]
    }
}
