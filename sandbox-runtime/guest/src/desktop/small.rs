//! The screen made smaller for a view that shows many at once: each pixel the mean of a square of the screen's.

use sandbox_picture::{Encoder, Hashes, Picture, Seed};

use super::capture::random_seed;

/// The screen as a view shows it, so many times smaller in each direction.
pub struct Small {
    by: usize,
    seed: Seed,
    pixels: Vec<u32>,
    hashes: Hashes,
    encoder: Encoder,
}

impl Small {
    pub fn new(by: usize) -> Self {
        Self {
            by,
            seed: random_seed(),
            pixels: vec![],
            hashes: Hashes::unknown(0, 0),
            encoder: Encoder::new(0, 0, random_seed()),
        }
    }

    pub fn width(&self) -> usize {
        self.hashes.width()
    }

    pub fn height(&self) -> usize {
        self.hashes.height()
    }

    /// The view shows nothing any more.
    pub fn forget(&mut self) {
        self.encoder.forget();
    }

    /// Takes the screen as it is now. Right and bottom edges that fill no square are left out.
    pub fn read(&mut self, screen: &Picture<'_>) {
        let (width, height) = ((screen.width / self.by).max(1), (screen.height / self.by).max(1));
        if (width, height) != (self.width(), self.height()) {
            self.hashes = Hashes::unknown(width, height);
            self.encoder = Encoder::new(width, height, random_seed());
            self.pixels = vec![0; width * height];
        }
        let area = (self.by * self.by) as u32;
        let mut sums = vec![[0_u32; 3]; width];
        for y in 0..height {
            sums.fill([0; 3]);
            for row in y * self.by..((y + 1) * self.by).min(screen.height) {
                let row = screen.row(row, 0..(width * self.by).min(screen.width));
                for (sum, square) in sums.iter_mut().zip(row.chunks(self.by)) {
                    for pixel in square {
                        sum[0] += (pixel >> 16) & 0xFF;
                        sum[1] += (pixel >> 8) & 0xFF;
                        sum[2] += pixel & 0xFF;
                    }
                }
            }
            for (pixel, [red, green, blue]) in self.pixels[y * width..][..width].iter_mut().zip(&sums) {
                *pixel = ((red / area) << 16) | ((green / area) << 8) | (blue / area);
            }
        }
        let picture = Picture { width, height, pixels: &self.pixels };
        self.hashes.read(&picture, 0..height, &self.seed);
    }

    /// Appends what makes the view show it; `false`, and nothing appended, if it does.
    pub fn encode(&mut self, message: &mut Vec<u8>) -> bool {
        let picture = Picture { width: self.width(), height: self.height(), pixels: &self.pixels };
        self.encoder.encode(&picture, &self.hashes, None, message).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_its_square() {
        let pixels = [0x0010_2030, 0x0030_4050, 0, 0, 0x0010_2030, 0x0030_4050, 0, 0x00FF_FFFF];
        let mut small = Small::new(2);
        small.read(&Picture { width: 4, height: 2, pixels: &pixels });
        assert_eq!((small.width(), small.height()), (2, 1));
        assert_eq!(small.pixels, [0x0020_3040, 0x003F_3F3F]);
    }

    #[test]
    fn what_did_not_change_is_not_sent_again_and_a_view_that_forgot_gets_it_all() {
        let mut small = Small::new(4);
        let mut pixels = vec![0x0012_3456; 64 * 32];
        let mut message = vec![];
        small.read(&Picture { width: 64, height: 32, pixels: &pixels });
        assert!(small.encode(&mut message));
        assert!(!small.encode(&mut message));
        pixels[0] = 0x00FF_FFFF;
        small.read(&Picture { width: 64, height: 32, pixels: &pixels });
        assert!(small.encode(&mut message));
        small.forget();
        assert!(small.encode(&mut message));
    }

    #[test]
    fn a_screen_of_another_size_starts_over() {
        let mut small = Small::new(3);
        for (width, height) in [(64, 32), (70, 31), (2, 1)] {
            small.read(&Picture { width, height, pixels: &vec![7; width * height] });
            assert!(small.encode(&mut vec![]));
        }
    }
}
