//! A plain picture with one line of text, in place of what a recording does not show.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};

const GROUND: u32 = 0x0023_272E;
const INK: u32 = 0x00D8_DCE2;
/// Pixels of a letter's side, before it is enlarged.
const LETTER: usize = 8;
/// The largest that a letter is drawn.
const MOST: usize = 4;

/// Draws `text` in the middle of a picture of this size, as large as it fits.
pub fn draw(text: &str, width: usize, height: usize) -> Vec<u32> {
    let mut pixels = vec![GROUND; width * height];
    let letters: Vec<[u8; 8]> = text
        .chars()
        .map(|letter| BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).unwrap_or([0; 8]))
        .collect();
    let scale = (width * 9 / 10 / (LETTER * letters.len().max(1))).clamp(1, MOST);
    let (left, top) =
        (width.saturating_sub(letters.len() * LETTER * scale) / 2, height.saturating_sub(LETTER * scale) / 2);
    for (at, rows) in letters.iter().enumerate() {
        for y in 0..LETTER * scale {
            for x in 0..LETTER * scale {
                let (column, row) = (left + at * LETTER * scale + x, top + y);
                if rows[y / scale] >> (x / scale) & 1 == 1 && column < width && row < height {
                    pixels[row * width + column] = INK;
                }
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inked(pixels: &[u32]) -> usize {
        pixels.iter().filter(|pixel| **pixel == INK).count()
    }

    #[test]
    fn a_line_stands_in_the_middle_and_is_cut_where_there_is_no_room() {
        let pixels = draw("A person drove · 00:42", 1280, 720);
        let rows: Vec<usize> = (0..720).filter(|row| inked(&pixels[row * 1280..][..1280]) > 0).collect();
        assert!(rows[0] >= 340 && rows[rows.len() - 1] < 380, "{rows:?}");
        assert!(inked(&draw("·", 64, 64)) > 0, "the dot has its letter");
        assert!(inked(&draw("A person drove · 00:42", 40, 16)) > 0);
    }
}
