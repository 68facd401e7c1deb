//! Whether what is shown is what is there.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::pages::{Mode, Stage};
use crate::subjects::{Ours, Subject};
use crate::table::{Measured, number, print};

/// P8: a second after the last change, which part of the page's pixels is the same as at the source.
pub async fn measure(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let subjects = [Subject::ours(&stage, "socket", "socket").await?, Subject::ours(&stage, "webrtc", "webrtc").await?];
    let mut rows = vec![];
    for subject in &subjects {
        let Some(Ours { baton, sandbox, view }) = &subject.ours else { continue };
        stage.set(subject.name, Mode::Scroll);
        std::thread::sleep(Duration::from_secs(2));
        // Typing leaves its text standing when it stops.
        stage.set(subject.name, Mode::Typing);
        std::thread::sleep(Duration::from_secs(3));
        stage.set(subject.name, Mode::Still);
        std::thread::sleep(Duration::from_secs(1));
        let shown = view.evaluate(
            "(() => { const view = [...document.querySelectorAll('canvas, video')].find((one) => one.style.visibility === 'visible'); \
             const copy = document.createElement('canvas'); copy.width = view.videoWidth ?? view.width; \
             copy.height = view.videoHeight ?? view.height; copy.getContext('2d').drawImage(view, 0, 0); \
             return copy.toDataURL('image/png').slice(22); })()",
        )?;
        let png =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, shown.as_str().context("a picture")?)?;
        let shown = image::load_from_memory(&png)?.to_rgb8();
        // Nothing of the page is told while a person drives: control goes back before the source is asked.
        view.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'F9' }))")?;
        view.evaluate("document.querySelector('form').requestSubmit()")?;
        view.until("control is handed back", "document.body.dataset.driver === 'idle'")?;
        let source =
            image::load_from_memory(&baton.bytes(&format!("/sandboxes/{sandbox}/preview/screenshot")).await)?.to_rgb8();
        let bars = shown.height().saturating_sub(source.height());
        let (mut same, mut error) = (0u64, 0f64);
        for (x, y, pixel) in source.enumerate_pixels() {
            let other = shown.get_pixel_checked(x, y + bars).copied().unwrap_or(image::Rgb([0, 0, 0]));
            same += u64::from(*pixel == other);
            error += pixel.0.iter().zip(other.0).map(|(a, b)| f64::from(a.abs_diff(b)).powi(2)).sum::<f64>();
        }
        let n_pixels = f64::from(source.width() * source.height());
        let (part, psnr) = (same as f64 / n_pixels, 10.0 * (255f64.powi(2) / (error / n_pixels / 3.0)).log10());
        let ssim = luma_ssim(&source, &shown, bars);
        rows.push(vec![
            subject.name.to_owned(),
            format!("{:.3} %", part * 100.0),
            number(psnr, 1),
            format!("{ssim:.5}"),
        ]);
        measured.add(&format!("exact.{}", subject.name), json!({ "equal": part, "psnrDb": psnr, "lumaSsim": ssim }))?;
    }
    print("One second after the last change", &["", "equal pixels", "PSNR dB (– is exact)", "luma SSIM"], &rows);
    Ok(())
}

/// Structural similarity of brightness, the mean of all whole 8×8 blocks (Wang et al. 2004, K1 = .01, K2 = .03); `shown` has
/// `bars` rows above the page.
fn luma_ssim(source: &image::RgbImage, shown: &image::RgbImage, bars: u32) -> f64 {
    const BLOCK: u32 = 8;
    let luma = |pixel: &image::Rgb<u8>| {
        let [r, g, b] = pixel.0.map(f64::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (c1, c2) = ((0.01f64 * 255.0).powi(2), (0.03f64 * 255.0).powi(2));
    let (mut sum, mut count) = (0.0, 0u32);
    for top in (0..source.height() / BLOCK).map(|row| row * BLOCK) {
        for left in (0..source.width() / BLOCK).map(|column| column * BLOCK) {
            let pairs = (0..BLOCK * BLOCK).map(|n| {
                let (x, y) = (left + n % BLOCK, top + n / BLOCK);
                let other = shown.get_pixel_checked(x, y + bars).map_or(0.0, luma);
                (luma(source.get_pixel(x, y)), other)
            });
            let (mut a, mut b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (x, y) in pairs {
                (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y);
            }
            let n = f64::from(BLOCK * BLOCK);
            let (a, b) = (a / n, b / n);
            let (var_a, var_b, cov) = (aa / n - a * a, bb / n - b * b, ab / n - a * b);
            sum += (2.0 * a * b + c1) * (2.0 * cov + c2) / ((a * a + b * b + c1) * (var_a + var_b + c2));
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}
