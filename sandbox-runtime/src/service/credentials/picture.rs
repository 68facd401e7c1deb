//! The key for one-time codes in the picture of a QR code, as sites show it.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{ImageReader, Limits};

/// Longest side that is looked at, in pixels.
const LONGEST_SIDE: u32 = 6_000;

/// Returns the `otpauth://` address that a picture shows.
///
/// # Errors
///
/// In words: it is no picture, or shows no such code.
pub fn otpauth_in(base64: &str) -> Result<String, &'static str> {
    let bytes = BASE64_STANDARD.decode(base64.trim()).map_err(|_| "it is not base64")?;
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| "it is no picture")?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
    reader.limits(limits);
    let grey = reader.decode().map_err(|_| "it is neither PNG nor JPEG, or too large")?.into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| grey.get_pixel(x as u32, y as u32).0[0]);
    let mut found = prepared.detect_grids().into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text);
    found.find(|text| text.to_ascii_lowercase().starts_with("otpauth://")).ok_or("it shows no `otpauth://` QR code")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `otpauth://totp/a?secret=JBSWY3DPEHPK3PXP` as modules, drawn by another program.
    const CODE: &str = include_str!("code.txt");

    fn picture(rows: &str) -> String {
        let rows: Vec<&str> = rows.lines().collect();
        let (scale, margin) = (6, 4);
        let side = (rows.len() as u32 + 2 * margin) * scale;
        let drawn = image::GrayImage::from_fn(side, side, |x, y| {
            let module = |at: u32| (at / scale).checked_sub(margin).map(|at| at as usize);
            let row = module(y).and_then(|y| rows.get(y));
            let is_dark = row.zip(module(x)).is_some_and(|(row, x)| row.as_bytes().get(x) == Some(&b'#'));
            image::Luma([if is_dark { 0 } else { 255 }])
        });
        let mut png = Cursor::new(Vec::new());
        drawn.write_to(&mut png, image::ImageFormat::Png).unwrap();
        BASE64_STANDARD.encode(png.into_inner())
    }

    #[test]
    fn the_key_is_read_from_its_picture() {
        assert_eq!(otpauth_in(&picture(CODE)).unwrap(), "otpauth://totp/a?secret=JBSWY3DPEHPK3PXP");
    }

    #[test]
    fn a_picture_without_a_code_says_so() {
        assert_eq!(otpauth_in("not base64!"), Err("it is not base64"));
        assert!(otpauth_in(&BASE64_STANDARD.encode("text")).is_err());
        assert_eq!(otpauth_in(&picture("")), Err("it shows no `otpauth://` QR code"));
    }
}
