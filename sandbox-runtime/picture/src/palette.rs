//! Parts with few colours travel as one byte a pixel.

use crate::wire::MAX_COLOURS;

const SLOTS: usize = 1024;
const FREE: u32 = u32::MAX;

/// The colours of one message, in the order of their first use.
#[derive(Debug)]
pub(crate) struct Palette {
    colours: Vec<u32>,
    /// For each slot a colour and its index; open addressing.
    slots: Vec<(u32, u8)>,
}

impl Palette {
    pub fn new() -> Self {
        Self { colours: Vec::with_capacity(MAX_COLOURS), slots: vec![(FREE, 0); SLOTS] }
    }

    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The colours, each `0x00RRGGBB`.
    pub fn colours(&self) -> &[u32] {
        &self.colours
    }

    /// Appends one index for each pixel of the rows. Where there would be too many colours it returns `false`, and the
    /// palette is what it was; what was appended means nothing then.
    pub fn index<'a>(&mut self, rows: impl Iterator<Item = &'a [u32]>, out: &mut Vec<u8>) -> bool {
        let known = self.colours.len();
        let mut last = (FREE, 0);
        for row in rows {
            for pixel in row {
                let colour = pixel & 0x00FF_FFFF;
                if colour != last.0 {
                    let Some(index) = self.place(colour) else {
                        self.truncate(known);
                        return false;
                    };
                    last = (colour, index);
                }
                out.push(last.1);
            }
        }
        true
    }

    fn place(&mut self, colour: u32) -> Option<u8> {
        let mut slot = slot(colour);
        loop {
            match self.slots[slot] {
                (FREE, _) => break,
                (known, index) if known == colour => return Some(index),
                _ => slot = (slot + 1) % SLOTS,
            }
        }
        let index = u8::try_from(self.colours.len()).ok()?;
        self.colours.push(colour);
        self.slots[slot] = (colour, index);
        Some(index)
    }

    fn truncate(&mut self, known: usize) {
        if self.colours.len() == known {
            return;
        }
        self.colours.truncate(known);
        self.slots.fill((FREE, 0));
        for (index, &colour) in self.colours.iter().enumerate() {
            let mut slot = slot(colour);
            while self.slots[slot].0 != FREE {
                slot = (slot + 1) % SLOTS;
            }
            self.slots[slot] = (colour, index as u8);
        }
    }
}

fn slot(colour: u32) -> usize {
    (colour.wrapping_mul(0x9E37_79B1) >> 22) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_and_fifty_six_colours_fit_and_one_more_takes_nothing() {
        let mut palette = Palette::new();
        let mut indices = Vec::new();
        let many: Vec<u32> = (0..255).map(|n| n * 65_793).collect();
        assert!(palette.index([&many[..], &many[..]].into_iter(), &mut indices));
        assert_eq!(indices, [(0..255).collect::<Vec<u8>>(), (0..255).collect()].concat());
        assert!(!palette.index([&[1, 2][..]].into_iter(), &mut indices));
        assert_eq!(palette.colours().len(), 255);
        indices.clear();
        assert!(palette.index([&[1, 0xFF00_0000][..]].into_iter(), &mut indices), "the unused byte is no colour");
        assert_eq!(indices, [255, 0]);
    }
}
