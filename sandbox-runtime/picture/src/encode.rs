//! From what a viewer shows to what the screen holds: one message that makes the two equal, bit for bit.

use crate::columns::{Columns, SEARCH_ROWS, horizontal};
use crate::hash::{Hashes, UNKNOWN, band_columns, touched};
use crate::palette::Palette;
use crate::shift::{Move, in_order, vertical};
use crate::wire::{COMPRESSION_LZ4, COMPRESSION_NONE, COPY_LEN, COUNTS_LEN, RECT_LEN};
use crate::{OPAQUE, Picture, Rect, Seed};

/// Runs of changed rows closer together than this are one part: each part costs the viewer a loop.
const BRIDGED_ROWS: usize = 3;
/// Most parts of a message, whose counts are `u16`.
const MAX_PARTS: usize = u16::MAX as usize;

/// One viewer's side of the lossless picture. It remembers by hash what that viewer shows.
#[derive(Debug)]
pub struct Encoder {
    shown: Hashes,
    /// What the viewer shows by columns, where the last picture could not be explained by rows.
    columns: Option<Columns>,
    seed: Seed,
    /// By band and row: what differs now. Kept for its memory.
    changed: Vec<bool>,
    palette: Palette,
    indices: Vec<u8>,
    data: Vec<u8>,
}

/// What a message carries beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub copies: usize,
    /// Parts of few colours.
    pub indexed: Vec<Rect>,
    /// Parts of many colours: photographs, films, gradients.
    pub true_colour: Vec<Rect>,
    /// Bytes of the pixels before and after compression.
    pub raw_bytes: usize,
    pub packed_bytes: usize,
}

impl Encoder {
    /// Returns an encoder for a viewer that shows nothing yet.
    pub fn new(width: usize, height: usize, seed: Seed) -> Self {
        Self {
            shown: Hashes::unknown(width, height),
            columns: None,
            seed,
            changed: Vec::new(),
            palette: Palette::new(),
            indices: Vec::new(),
            data: Vec::new(),
        }
    }

    /// The viewer has lost everything.
    pub fn forget(&mut self) {
        self.shown = Hashes::unknown(self.shown.width(), self.shown.height());
        self.columns = None;
    }

    /// What the viewer shows within `area` is no longer exact.
    pub fn forget_within(&mut self, area: Rect) {
        self.columns = None;
        for band in touched(area, self.shown.width()) {
            self.shown.band_mut(band)[area.rows()].fill(UNKNOWN);
        }
    }

    /// Returns whether the viewer shows exactly the screen with these hashes.
    pub fn is_exact(&self, hashes: &Hashes) -> bool {
        self.shown == *hashes
    }

    /// Appends what makes the viewer show the picture, as [`crate::wire`] lays it out after the header; `None`, and nothing
    /// appended, if it does. `hashes` are those of the picture, whose size is the viewer's. The bands and rows of
    /// `left_out` are not looked at.
    pub fn encode(
        &mut self,
        picture: &Picture<'_>,
        hashes: &Hashes,
        left_out: Option<Rect>,
        out: &mut Vec<u8>,
    ) -> Option<Sent> {
        if !self.find_changes(hashes, left_out) {
            return None;
        }
        let copies = self.copies(picture, hashes, left_out);
        cover(&mut self.changed, &copies, hashes);
        let parts = self.parts(hashes);
        self.remember(hashes, left_out);
        Some(self.write(picture, &copies, parts, out))
    }

    /// Marks the rows that differ; returns whether there are any.
    fn find_changes(&mut self, hashes: &Hashes, left_out: Option<Rect>) -> bool {
        let height = hashes.height();
        self.changed.clear();
        let mut any = false;
        for band in 0..hashes.bands() {
            let rows = self.shown.band(band).iter().zip(hashes.band(band)).map(|(shown, new)| shown != new);
            self.changed.extend(rows.inspect(|differs| any |= differs));
        }
        if let Some(area) = left_out.filter(|_| any) {
            for band in touched(area, hashes.width()) {
                self.changed[band * height..][area.rows()].fill(false);
            }
            any = self.changed.iter().any(|differs| *differs);
        }
        any
    }

    /// Finds what moved: up and down first, and to the side what that leaves.
    fn copies(&mut self, picture: &Picture<'_>, hashes: &Hashes, left_out: Option<Rect>) -> Vec<Move> {
        let mut found = vertical(&self.shown, hashes, &self.changed);
        let shown = self.columns.take();
        let mut left = self.changed.clone();
        cover(&mut left, &found, hashes);
        if left.iter().filter(|row| **row).count() < SEARCH_ROWS {
            return in_order(found);
        }
        let area = around(&left, hashes);
        let mut new = None;
        // Columns of a much larger part cost more than they can save here.
        if let Some(shown) = shown.filter(|shown| shown.area.area() <= area.area() * 2) {
            let columns = Columns::read(picture, shown.area, &self.seed);
            found.extend(horizontal(&shown, &columns, &left, hashes));
            new = Some(columns);
        }
        if left_out.is_none_or(|left_out| !left_out.meets(&area)) {
            self.columns = match new {
                Some(columns) if columns.area == area => Some(columns),
                _ => Some(Columns::read(picture, area, &self.seed)),
            };
        }
        in_order(found)
    }

    /// Returns the rectangles that are still wrong after the copies.
    fn parts(&self, hashes: &Hashes) -> Vec<Rect> {
        let height = hashes.height();
        let mut parts: Vec<Rect> = Vec::new();
        for band in 0..hashes.bands() {
            let columns = band_columns(band, hashes.width());
            let rows = &self.changed[band * height..][..height];
            let mut y = 0;
            while let Some(start) = rows[y..].iter().position(|row| *row).map(|ahead| y + ahead) {
                let mut end = start + 1;
                while let Some(ahead) = rows[end..].iter().take(BRIDGED_ROWS).position(|row| *row) {
                    end += ahead + 1;
                }
                parts.push(Rect { x: columns.start, y: start, w: columns.len(), h: end - start });
                y = end;
            }
        }
        let mut parts = joined(parts);
        if parts.len() > MAX_PARTS {
            parts = vec![Rect { x: 0, y: 0, w: hashes.width(), h: height }];
        }
        parts
    }

    fn remember(&mut self, hashes: &Hashes, left_out: Option<Rect>) {
        let Some(area) = left_out else {
            self.shown.clone_from(hashes);
            return;
        };
        let left_out = touched(area, hashes.width());
        for band in 0..hashes.bands() {
            let (shown, new) = (self.shown.band_mut(band), hashes.band(band));
            if left_out.contains(&band) {
                shown[..area.y].copy_from_slice(&new[..area.y]);
                shown[area.bottom()..].copy_from_slice(&new[area.bottom()..]);
            } else {
                shown.copy_from_slice(new);
            }
        }
    }

    fn write(&mut self, picture: &Picture<'_>, copies: &[Move], parts: Vec<Rect>, out: &mut Vec<u8>) -> Sent {
        let mut sent = Sent { copies: copies.len(), ..Sent::default() };
        self.palette.clear();
        self.indices.clear();
        self.data.clear();
        for part in parts {
            let known = self.indices.len();
            let rows = || part.rows().map(|y| picture.row(y, part.columns()));
            if self.palette.index(rows(), &mut self.indices) {
                sent.indexed.push(part);
            } else {
                self.indices.truncate(known);
                rows().for_each(|row| put_rgba(&mut self.data, row));
                sent.true_colour.push(part);
            }
        }
        self.data.extend_from_slice(&self.indices);
        let n_parts = sent.indexed.len() + sent.true_colour.len();
        let colours = self.palette.colours();
        let most = lz4_flex::block::get_maximum_output_size(self.data.len());
        out.reserve(COUNTS_LEN + copies.len() * COPY_LEN + n_parts * RECT_LEN + colours.len() * 4 + most);
        for count in [copies.len(), sent.indexed.len(), sent.true_colour.len(), colours.len()] {
            put(out, count);
        }
        let compression_at = out.len();
        out.extend_from_slice(&[COMPRESSION_NONE, 0, 0, 0]);
        for copy in copies {
            put_rect(out, &copy.to);
            put(out, copy.from_x);
            put(out, copy.from_y);
        }
        for part in sent.indexed.iter().chain(&sent.true_colour) {
            put_rect(out, part);
        }
        put_rgba(out, colours);
        let start = out.len();
        out.resize(start + most, 0);
        let packed = lz4_flex::block::compress_into(&self.data, &mut out[start..]);
        sent.raw_bytes = self.data.len();
        sent.packed_bytes = match packed {
            Ok(length) if length < self.data.len() => {
                out[compression_at] = COMPRESSION_LZ4;
                length
            }
            // What does not get shorter goes as it is.
            Ok(_) | Err(_) => {
                out[start..][..self.data.len()].copy_from_slice(&self.data);
                self.data.len()
            }
        };
        out.truncate(start + sent.packed_bytes);
        sent
    }
}

/// Takes out the rows that copies mend.
fn cover(changed: &mut [bool], copies: &[Move], hashes: &Hashes) {
    for copy in copies {
        for band in touched(copy.to, hashes.width()) {
            changed[band * hashes.height()..][copy.to.rows()].fill(false);
        }
    }
}

/// The rectangle around changed rows.
fn around(changed: &[bool], hashes: &Hashes) -> Rect {
    let bands = (0..hashes.bands()).filter_map(|band| {
        let rows = &changed[band * hashes.height()..][..hashes.height()];
        let (first, last) = (rows.iter().position(|row| *row)?, rows.iter().rposition(|row| *row)?);
        let columns = band_columns(band, hashes.width());
        Some(Rect { x: columns.start, y: first, w: columns.len(), h: last + 1 - first })
    });
    bands.reduce(Rect::around).unwrap_or_default()
}

/// Joins equal runs of neighbouring bands.
fn joined(mut parts: Vec<Rect>) -> Vec<Rect> {
    parts.sort_by_key(|part| (part.y, part.h, part.x));
    let mut joined: Vec<Rect> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(left) if left.right() == part.x && (left.y, left.h) == (part.y, part.h) => left.w += part.w,
            _ => joined.push(part),
        }
    }
    joined
}

fn put(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&(number as u16).to_le_bytes());
}

fn put_rect(out: &mut Vec<u8>, rect: &Rect) {
    for number in [rect.x, rect.y, rect.w, rect.h] {
        put(out, number);
    }
}

fn put_rgba(out: &mut Vec<u8>, row: &[u32]) {
    let start = out.len();
    out.resize(start + row.len() * 4, 0);
    for (bytes, pixel) in out[start..].chunks_exact_mut(4).zip(row) {
        bytes.copy_from_slice(&(pixel | OPAQUE).rotate_left(8).to_be_bytes());
    }
}
