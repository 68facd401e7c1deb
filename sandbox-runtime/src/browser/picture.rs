//! A picture of the active page, with the fields covered that a person typed in.
//!
//! The page itself is left as it is: nothing is drawn in it, no size or focus changes. The cover is painted into the PNG.

use std::io::Cursor;
use std::time::Duration;

use base64::Engine;
use chromiumoxide_cdp::cdp::browser_protocol::page::{CaptureScreenshotFormat, CaptureScreenshotParams};
use image::{ImageFormat, Rgba, RgbaImage};
use serde_json::Value;

use super::error::BrowserError;
use super::page::Page;
use super::pipe::{CallError, Pass, Pipe};
use super::world::World;

/// How often a picture is taken anew because the page changed under it.
const ATTEMPTS: usize = 3;
/// CSS pixels that a cover reaches beyond its field: carets, outlines, rounding.
const MARGIN: f64 = 2.0;
const COVER: Rgba<u8> = Rgba([120, 120, 120, 255]);
/// How long a picture may take: a page that has just crashed or hangs paints nothing.
const DEADLINE: Duration = Duration::from_secs(15);

/// Rectangles (left, top, right, bottom) of the tab in CSS pixels, and the page's scale and size.
struct Covers {
    boxes: Vec<[f64; 4]>,
    width: f64,
}

/// Takes a PNG of what the active page shows.
pub async fn take(pipe: &Pipe, world: &World, pass: Pass) -> Result<Vec<u8>, BrowserError> {
    tokio::time::timeout(DEADLINE, attempts(pipe, world, pass)).await.unwrap_or_else(|_| {
        let method = "Page.captureScreenshot".to_owned();
        Err(CallError::Deadline { method, after: DEADLINE }.into())
    })
}

async fn attempts(pipe: &Pipe, world: &World, pass: Pass) -> Result<Vec<u8>, BrowserError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match attempt(pipe, world, pass.clone()).await {
            Err(error @ (BrowserError::Uncovered(_) | BrowserError::Call(CallError::Failed { .. }))) => {
                last = Some(error)
            }
            done => return done,
        }
    }
    Err(last.unwrap_or(BrowserError::NoPage))
}

async fn attempt(pipe: &Pipe, world: &World, pass: Pass) -> Result<Vec<u8>, BrowserError> {
    let page = Page::active(pipe, world, pass.clone())?;
    if let Some(dialog) = page.tab.dialog.clone() {
        return Err(BrowserError::DialogOpen { kind: dialog.kind, message: dialog.message });
    }
    // Fields move while the picture is taken: both places are covered.
    let before = covers(&page).await?;
    let format = Some(CaptureScreenshotFormat::Png);
    let params = CaptureScreenshotParams { format, ..CaptureScreenshotParams::default() };
    let shot = pipe.command(&pass, Some(&page.tab.session), params).await?;
    let encoded: String = shot.data.into();
    let png = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .map_err(|cause| CallError::Reply { method: "Page.captureScreenshot".to_owned(), cause: cause.to_string() })?;
    let after = covers(&page).await?;
    if world.state().active().is_none_or(|tab| tab.id != page.tab.id) {
        return Err(BrowserError::Uncovered("another tab came to the front".to_owned()));
    }
    let boxes: Vec<_> = before.boxes.into_iter().chain(after.boxes).collect();
    if boxes.is_empty() {
        return Ok(png);
    }
    cover(&png, &boxes, after.width)
}

async fn covers(page: &Page<'_>) -> Result<Covers, BrowserError> {
    let frames = page.frames().await?;
    let answers = page.ask_all(&frames, "baton.maskedBoxes()").await?;
    let mut boxes = Vec::new();
    for (answer, frame) in answers.into_iter().zip(&frames) {
        let answer = answer.ok_or_else(|| BrowserError::Uncovered("a frame does not answer".to_owned()))?;
        for corners in answer.as_array().into_iter().flatten() {
            let corner = |index: usize| corners[index].as_f64().unwrap_or_default();
            let corners = [corner(0), corner(1), corner(2), corner(3)];
            boxes.push(page.box_to_tab(&frames, frame, corners).await.map_err(BrowserError::Uncovered)?);
        }
    }
    let main = frames.first().ok_or(BrowserError::NoPage)?;
    let scale: Value = page.ask(main, "baton.scale()").await?;
    Ok(Covers { boxes, width: scale["width"].as_f64().unwrap_or_default() })
}

fn cover(png: &[u8], boxes: &[[f64; 4]], width: f64) -> Result<Vec<u8>, BrowserError> {
    let mut picture = image::load_from_memory_with_format(png, ImageFormat::Png)?.into_rgba8();
    let scale = if width > 0.0 { f64::from(picture.width()) / width } else { 1.0 };
    for corners in boxes {
        paint(&mut picture, corners, scale);
    }
    let mut covered = Cursor::new(Vec::new());
    picture.write_to(&mut covered, ImageFormat::Png)?;
    Ok(covered.into_inner())
}

fn paint(picture: &mut RgbaImage, [left, top, right, bottom]: &[f64; 4], scale: f64) {
    // A cast from float saturates: what lies outside the picture is cut off.
    let begin = |at: f64| ((at - MARGIN) * scale).floor() as u32;
    let end = |at: f64, limit: u32| (((at + MARGIN) * scale).ceil() as u32).min(limit);
    let (width, height) = picture.dimensions();
    for y in begin(*top)..end(*bottom, height) {
        for x in begin(*left)..end(*right, width) {
            picture.put_pixel(x, y, COVER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_hides_its_rectangle_at_the_pictures_scale_and_nothing_else() {
        let white = RgbaImage::from_pixel(200, 100, Rgba([255; 4]));
        let mut png = Cursor::new(Vec::new());
        white.write_to(&mut png, ImageFormat::Png).unwrap();
        let covered = cover(png.get_ref(), &[[10.0, 10.0, 20.0, 20.0], [90.0, -5.0, 500.0, 4.0]], 100.0).unwrap();
        let picture = image::load_from_memory(&covered).unwrap().into_rgba8();
        for (x, y, hidden) in
            [(20, 20, true), (39, 39, true), (30, 30, true), (50, 30, false), (10, 30, false), (199, 0, true)]
        {
            assert_eq!(*picture.get_pixel(x, y) == COVER, hidden, "{x},{y}");
        }
    }
}
