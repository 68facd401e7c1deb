//! The viewer's side in Rust: for tests, for recordings, and the reference that the page's decoder must equal.

use crate::wire::{
    self, COMPRESSION_LZ4, COMPRESSION_NONE, HEADER_LEN, Header, KIND_LOSSLESS, MAX_COLOURS, MAX_PIXELS,
};
use crate::{OPAQUE, Rect};

/// A message that cannot be read. What it would have drawn is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPicture {
    #[error("the picture is of another version, or cut short")]
    Header,
    #[error("pictures of kind {0} are not lossless")]
    Kind(u8),
    #[error("the picture is cut short")]
    Short,
    #[error("a rectangle lies outside the screen, or the parts are larger than it")]
    Place,
    #[error("compression {0} is unknown")]
    Compression(u8),
    #[error("the pixels do not have the size that the parts have")]
    Length,
    #[error("an index names no colour")]
    Colour,
}

/// What a viewer shows, each pixel `0xFFRRGGBB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u32>,
}

struct Reader<'a>(&'a [u8]);

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![OPAQUE; width * height] }
    }

    /// Draws a lossless picture; a new size begins with an empty canvas. Nothing is drawn of one that is wrong.
    ///
    /// # Errors
    ///
    /// See [`BadPicture`].
    pub fn draw(&mut self, message: &[u8]) -> Result<Header, BadPicture> {
        let header = Header::read(message).ok_or(BadPicture::Header)?;
        if header.kind != KIND_LOSSLESS {
            return Err(BadPicture::Kind(header.kind));
        }
        let (width, height) = (usize::from(header.width), usize::from(header.height));
        let mut reader = Reader(&message[HEADER_LEN..]);
        let [n_copies, n_indexed, n_true_colour, n_colours] = reader.numbers()?;
        let &[compression, _, _, _] = reader.bytes()?;
        let copies = (0..n_copies).map(|_| reader.copy()).collect::<Result<Vec<_>, _>>()?;
        let indexed = (0..n_indexed).map(|_| reader.rect()).collect::<Result<Vec<_>, _>>()?;
        let true_colour = (0..n_true_colour).map(|_| reader.rect()).collect::<Result<Vec<_>, _>>()?;
        if n_colours > MAX_COLOURS {
            return Err(BadPicture::Colour);
        }
        let colours = (0..n_colours).map(|_| reader.colour()).collect::<Result<Vec<_>, _>>()?;

        let fits = |rect: &Rect| rect.right() <= width && rect.bottom() <= height;
        let areas = |rects: &[Rect]| rects.iter().map(Rect::area).sum::<usize>();
        let copied: usize = copies.iter().map(|(to, _)| to.area()).sum();
        let most = width * height;
        if most > MAX_PIXELS {
            return Err(BadPicture::Place);
        }
        if !copies.iter().flat_map(|(to, from)| [to, from]).chain(&indexed).chain(&true_colour).all(fits)
            || copied > most
            || areas(&indexed) + areas(&true_colour) > most
        {
            return Err(BadPicture::Place);
        }
        let length = areas(&indexed) + areas(&true_colour) * 4;
        let data = unpack(reader.0, compression, length)?;
        let (rgba, indices) = data.split_at(areas(&true_colour) * 4);
        if indices.iter().any(|index| usize::from(*index) >= colours.len()) {
            return Err(BadPicture::Colour);
        }

        if (self.width, self.height) != (width, height) {
            *self = Self::new(width, height);
        }
        for (to, from) in &copies {
            self.copy(to, from);
        }
        self.fill(&indexed, indices.iter().map(|index| colours[usize::from(*index)]));
        self.fill(&true_colour, rgba.chunks_exact(4).map(pixel));
        Ok(header)
    }

    /// Returns the pixels as RGBA bytes.
    pub fn rgba(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|pixel| pixel.rotate_left(8).to_be_bytes()).collect()
    }

    fn copy(&mut self, to: &Rect, from: &Rect) {
        let move_row = |pixels: &mut [u32], row: usize| {
            let start = (from.y + row) * self.width + from.x;
            pixels.copy_within(start..start + to.w, (to.y + row) * self.width + to.x);
        };
        if to.y > from.y {
            (0..to.h).rev().for_each(|row| move_row(&mut self.pixels, row));
        } else {
            (0..to.h).for_each(|row| move_row(&mut self.pixels, row));
        }
    }

    fn fill(&mut self, parts: &[Rect], mut pixels: impl Iterator<Item = u32>) {
        for part in parts {
            for y in part.rows() {
                for (shown, pixel) in self.pixels[y * self.width..][part.columns()].iter_mut().zip(&mut pixels) {
                    *shown = pixel;
                }
            }
        }
    }
}

impl<'a> Reader<'a> {
    fn bytes<const N: usize>(&mut self) -> Result<&'a [u8; N], BadPicture> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(BadPicture::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<usize, BadPicture> {
        Ok(usize::from(u16::from_le_bytes(*self.bytes()?)))
    }

    fn numbers<const N: usize>(&mut self) -> Result<[usize; N], BadPicture> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    fn rect(&mut self) -> Result<Rect, BadPicture> {
        let [x, y, w, h] = self.numbers()?;
        Ok(Rect { x, y, w, h })
    }

    fn copy(&mut self) -> Result<(Rect, Rect), BadPicture> {
        let to = self.rect()?;
        let [x, y] = self.numbers()?;
        Ok((to, Rect { x, y, ..to }))
    }

    fn colour(&mut self) -> Result<u32, BadPicture> {
        Ok(pixel(self.bytes::<4>()?))
    }
}

fn unpack(data: &[u8], compression: u8, length: usize) -> Result<Vec<u8>, BadPicture> {
    let unpacked = match compression {
        COMPRESSION_NONE => data.to_vec(),
        COMPRESSION_LZ4 => lz4_flex::block::decompress(data, length).map_err(|_| BadPicture::Length)?,
        unknown => return Err(BadPicture::Compression(unknown)),
    };
    if unpacked.len() == length { Ok(unpacked) } else { Err(BadPicture::Length) }
}

fn pixel(rgba: &[u8]) -> u32 {
    OPAQUE | u32::from(rgba[0]) << 16 | u32::from(rgba[1]) << 8 | u32::from(rgba[2])
}

const _: () = assert!(wire::RECT_LEN == 8 && wire::COPY_LEN == 12 && wire::COUNTS_LEN == 12);
