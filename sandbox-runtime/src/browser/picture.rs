//! A picture of the active page, with the fields covered that a person typed in.
//!
//! The page itself is left as it is: nothing is drawn in it, no size or focus changes. The cover is painted into the picture.

use std::io::Cursor;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use chromiumoxide_cdp::cdp::browser_protocol::page::{CaptureScreenshotFormat, CaptureScreenshotParams};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::error::BrowserError;
use super::page::Page;
use super::pipe::{CallError, Pass, Pipe};
use super::world::World;

/// How often a picture is taken anew because the page changed under it.
const ATTEMPTS: usize = 3;
/// CSS pixels that a cover reaches beyond its field: carets, outlines, rounding.
const MARGIN: f64 = 2.0;
const COVER: Rgb<u8> = Rgb([120, 120, 120]);
/// Of 100: words stay readable, and a page of text takes about 60 KB.
const JPEG_QUALITY: u8 = 60;
/// How long a picture may take: a page that has just crashed or hangs paints nothing.
const DEADLINE: Duration = Duration::from_secs(15);

/// Rectangles (left, top, right, bottom) of the tab in CSS pixels, and the page's scale and size.
struct Covers {
    boxes: Vec<[f64; 4]>,
    width: f64,
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Pixel by pixel, as somebody asked for it.
    Png,
    /// Small, for the story.
    Jpeg,
}

/// Takes a picture of what the active page shows.
pub async fn take(pipe: &Pipe, world: &World, pass: Pass, format: Format) -> Result<Vec<u8>, BrowserError> {
    tokio::time::timeout(DEADLINE, attempts(pipe, world, pass, format)).await.unwrap_or_else(|_| {
        let method = "Page.captureScreenshot".to_owned();
        Err(CallError::Deadline { method, after: DEADLINE }.into())
    })
}

async fn attempts(pipe: &Pipe, world: &World, pass: Pass, format: Format) -> Result<Vec<u8>, BrowserError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match attempt(pipe, world, pass.clone(), format).await {
            Err(error @ (BrowserError::Uncovered(_) | BrowserError::Call(CallError::Failed { .. }))) => {
                last = Some(error)
            }
            done => return done,
        }
    }
    Err(last.unwrap_or(BrowserError::NoPage))
}

async fn attempt(pipe: &Pipe, world: &World, pass: Pass, format: Format) -> Result<Vec<u8>, BrowserError> {
    let page = Page::active(pipe, world, pass.clone())?;
    if let Some(dialog) = page.tab.dialog.clone() {
        return Err(BrowserError::DialogOpen { kind: dialog.kind, message: dialog.message });
    }
    // Fields move while the picture is taken: both places are covered.
    let before = covers(&page).await?;
    let (kind, quality) = match format {
        Format::Png => (CaptureScreenshotFormat::Png, None),
        Format::Jpeg => (CaptureScreenshotFormat::Jpeg, Some(i64::from(JPEG_QUALITY))),
    };
    let params = CaptureScreenshotParams { format: Some(kind), quality, ..CaptureScreenshotParams::default() };
    let shot = pipe.command(&pass, Some(&page.tab.session), params).await?;
    let encoded: String = shot.data.into();
    let encoded = BASE64_STANDARD
        .decode(encoded)
        .map_err(|cause| CallError::Reply { method: "Page.captureScreenshot".to_owned(), cause: cause.to_string() })?;
    let after = covers(&page).await?;
    if world.state().active().is_none_or(|tab| tab.id != page.tab.id) {
        return Err(BrowserError::Uncovered("another tab came to the front".to_owned()));
    }
    let boxes: Vec<_> = before.boxes.into_iter().chain(after.boxes).collect();
    if boxes.is_empty() {
        return Ok(encoded);
    }
    cover(&encoded, &boxes, after.width, format)
}

/// Takes the picture that an outside client asks for of a tab that a person typed in; `params` are those of
/// `Page.captureScreenshot`.
///
/// # Errors
///
/// A picture of more than is in view is not taken: the page would be laid out again under it.
pub async fn covered(
    pipe: &Pipe,
    world: &World,
    pass: Pass,
    tab: &str,
    params: &Value,
) -> Result<Vec<u8>, BrowserError> {
    let uncovered = |why: &str| BrowserError::Uncovered(why.to_owned());
    let format = match params["format"].as_str() {
        None | Some("png") => Format::Png,
        Some("jpeg") => Format::Jpeg,
        Some(_) => return Err(uncovered("of a page that a person typed in, pictures are png or jpeg")),
    };
    if params["captureBeyondViewport"] == true {
        return Err(uncovered("of a page that a person typed in, the part in view is shown alone"));
    }
    let tab = world.state().tab(tab).cloned().ok_or(BrowserError::NoPage)?;
    let taken = async {
        let page = Page::of(pipe, world, tab, pass);
        let before = covers(&page).await?;
        let view = page.call("Page.getLayoutMetrics", json!({})).await?;
        let mut asked = json!({ "format": params["format"].as_str().unwrap_or("png") });
        for key in ["quality", "clip"] {
            if !params[key].is_null() {
                asked[key] = params[key].clone();
            }
        }
        let shot = page.call("Page.captureScreenshot", asked).await?;
        let encoded = shot["data"].as_str().and_then(|data| BASE64_STANDARD.decode(data).ok());
        let encoded = encoded.ok_or_else(|| uncovered("the browser gave no picture"))?;
        let after = covers(&page).await?;
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        // A part is named by its place in the document, the fields by theirs in the view.
        let (left, top, width) = match &params["clip"] {
            Value::Null => (0.0, 0.0, after.width),
            clip => {
                let visual = &view["cssVisualViewport"];
                let (x, y) = (number(&clip["x"]), number(&clip["y"]));
                (x - number(&visual["pageX"]), y - number(&visual["pageY"]), number(&clip["width"]))
            }
        };
        let all = before.boxes.into_iter().chain(after.boxes);
        let boxes: Vec<_> = all.map(|[l, t, r, b]| [l - left, t - top, r - left, b - top]).collect();
        cover(&encoded, &boxes, width, format)
    };
    let late = || CallError::Deadline { method: "Page.captureScreenshot".to_owned(), after: DEADLINE };
    tokio::time::timeout(DEADLINE, taken).await.unwrap_or_else(|_| Err(late().into()))
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

fn cover(encoded: &[u8], boxes: &[[f64; 4]], width: f64, format: Format) -> Result<Vec<u8>, BrowserError> {
    let coded_as = match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
    };
    let mut picture = image::load_from_memory_with_format(encoded, coded_as)?.into_rgb8();
    let scale = if width > 0.0 { f64::from(picture.width()) / width } else { 1.0 };
    for corners in boxes {
        paint(&mut picture, corners, scale);
    }
    let mut covered = Cursor::new(Vec::new());
    match format {
        Format::Png => picture.write_to(&mut covered, ImageFormat::Png)?,
        Format::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut covered, JPEG_QUALITY))?,
    }
    Ok(covered.into_inner())
}

fn paint(picture: &mut RgbImage, [left, top, right, bottom]: &[f64; 4], scale: f64) {
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
        let white = RgbImage::from_pixel(200, 100, Rgb([255; 3]));
        // What is coded as JPEG is not exact, least of all at an edge.
        for (format, coded_as, tolerance, [right, left]) in
            [(Format::Png, ImageFormat::Png, 0, [50, 10]), (Format::Jpeg, ImageFormat::Jpeg, 11, [55, 8])]
        {
            let mut encoded = Cursor::new(Vec::new());
            white.write_to(&mut encoded, coded_as).unwrap();
            let boxes = [[10.0, 10.0, 20.0, 20.0], [90.0, -5.0, 500.0, 4.0]];
            let covered = cover(encoded.get_ref(), &boxes, 100.0, format).unwrap();
            assert_eq!(image::guess_format(&covered).unwrap(), coded_as);
            let picture = image::load_from_memory(&covered).unwrap().into_rgb8();
            for (x, y, hidden) in
                [(20, 20, true), (39, 39, true), (30, 30, true), (right, 30, false), (left, 30, false), (199, 0, true)]
            {
                let is_cover = picture.get_pixel(x, y).0.iter().all(|part| part.abs_diff(COVER.0[0]) <= tolerance);
                assert_eq!(is_cover, hidden, "{format:?} {x},{y}");
            }
        }
    }
}
