//! Pixels in memory: one `u32` each, `0xFFRRGGBB`, which is the X server's own order with the unused byte set.

use std::ops::Range;

/// Side of the squares whose changes are counted.
pub const TILE: usize = 64;
/// The byte that the X server leaves undefined.
pub const OPAQUE: u32 = 0xFF00_0000;

/// A rectangle of pixels without gaps between rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    pub data: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rect {
    pub x: usize,
    pub y: usize,
    pub w: usize,
    pub h: usize,
}

/// How a screen divides into tiles: row by row, the last ones of a row or column cut off by the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub width: usize,
    pub height: usize,
}

impl Pixels {
    pub fn black(width: usize, height: usize) -> Self {
        Self { width, height, data: vec![OPAQUE; width * height] }
    }

    pub fn whole(&self) -> Rect {
        Rect { x: 0, y: 0, w: self.width, h: self.height }
    }

    pub fn grid(&self) -> Grid {
        Grid { width: self.width, height: self.height }
    }

    /// The pixels of one row within columns.
    pub fn row(&self, y: usize, columns: Range<usize>) -> &[u32] {
        &self.data[y * self.width..][columns]
    }

    pub fn row_mut(&mut self, y: usize, columns: Range<usize>) -> &mut [u32] {
        &mut self.data[y * self.width..][columns]
    }

    /// Copies a rectangle from a picture of the same size.
    pub fn copy_from(&mut self, other: &Self, rect: Rect) {
        for y in rect.rows() {
            self.row_mut(y, rect.columns()).copy_from_slice(other.row(y, rect.columns()));
        }
    }
}

impl Rect {
    pub fn columns(&self) -> Range<usize> {
        self.x..self.x + self.w
    }

    pub fn rows(&self) -> Range<usize> {
        self.y..self.y + self.h
    }

    pub fn right(&self) -> usize {
        self.x + self.w
    }

    pub fn bottom(&self) -> usize {
        self.y + self.h
    }

    pub fn area(&self) -> usize {
        self.w * self.h
    }

    pub fn is_empty(&self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// The smallest rectangle around both.
    pub fn around(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }

    /// The part within `width`×`height`.
    pub fn within(self, width: usize, height: usize) -> Self {
        let (x, y) = (self.x.min(width), self.y.min(height));
        Self { x, y, w: self.right().min(width) - x, h: self.bottom().min(height) - y }
    }
}

impl Grid {
    pub fn columns(self) -> usize {
        self.width.div_ceil(TILE)
    }

    pub fn rows(self) -> usize {
        self.height.div_ceil(TILE)
    }

    pub fn len(self) -> usize {
        self.columns() * self.rows()
    }

    /// The rectangle of one tile.
    pub fn tile(self, index: usize) -> Rect {
        let (x, y) = (index % self.columns() * TILE, index / self.columns() * TILE);
        Rect { x, y, w: TILE.min(self.width - x), h: TILE.min(self.height - y) }
    }

    /// Every tile that `rect` touches, row by row.
    pub fn touched(self, rect: Rect) -> impl Iterator<Item = usize> {
        let rect = rect.within(self.width, self.height);
        let columns = if rect.is_empty() { 0..0 } else { rect.x / TILE..(rect.right() - 1) / TILE + 1 };
        let rows = if rect.is_empty() { 0..0 } else { rect.y / TILE..(rect.bottom() - 1) / TILE + 1 };
        rows.flat_map(move |row| columns.clone().map(move |column| row * self.columns() + column))
    }
}
