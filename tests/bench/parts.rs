//! The parts of a run: what is done, in which order, and what is said of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baton_tests::measure::{Frames, Spread, gaps, median};
use baton_tests::{Baton, Viewer, eventually};
use sandbox_core::viewer::FromViewer;
use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::{Mode, Stage};
use crate::peer::Fault;
use crate::subjects::{Ours, Subject};
use crate::table::{Measured, number, print};
use crate::{PAGE_SIZE, cost};

/// Rounds of interleaved blocks; the median of their ratios is what is said.
const ROUNDS: usize = 6;
const CLICKS: usize = 16;
const FLOW: Duration = Duration::from_secs(5);
const FLOW_ROUNDS: usize = 3;

/// Shows that the rig sees what it is there to see: no picture, a late one, a missing one.
pub async fn selftest(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let healthy = Subject::peer(&stage, "peer", Fault::None)?;
    let slow = Subject::peer(&stage, "slow", Fault::Slow)?;
    let dead = Subject::peer(&stage, "dead", Fault::Dead)?;
    let dropping = Subject::peer(&stage, "dropping", Fault::Dropping)?;
    let (mut late, mut missed) = (vec![], 0);
    for _ in 0..3 {
        let before = healthy.probe.clicks(healthy.marks, CLICKS)?;
        let after = slow.probe.clicks(slow.marks, CLICKS)?;
        missed += dead.probe.clicks(dead.marks, 2)?.misses;
        late.push(after.p50 - before.p50);
    }
    let delivered = |subject: &Subject| -> Result<f64> {
        stage.set(subject.name, Mode::Scroll);
        std::thread::sleep(Duration::from_secs(1));
        let frames = Frames::of(&subject.probe.frames(subject.marks, Duration::from_secs(4))?);
        stage.set(subject.name, Mode::Still);
        Ok(frames.delivered())
    };
    let (whole, thinned) = (delivered(&healthy)?, delivered(&dropping)?);
    print(
        "Self-test of the rig",
        &["fault set", "seen"],
        &[
            vec!["no picture is passed on".into(), format!("{missed} of 6 clicks missed")],
            vec![
                "each picture 20 ms late".into(),
                format!("{} ms later (median of 3 blocks)", number(median(&late), 1)),
            ],
            vec!["every third picture dropped".into(), format!("{} of the healthy peer's", number(thinned / whole, 2))],
        ],
    );
    measured.add("selftest", json!({ "deadMisses": missed, "lateMs": median(&late), "dropped": thinned / whole }))?;
    anyhow::ensure!(missed == 6 && (12.0..40.0).contains(&median(&late)), "the rig does not see what was set");
    Ok(())
}

/// P1, P2, P9: from the press of a button to the changed pixel, at rest and while the page scrolls.
pub async fn click(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let subjects = [
        Subject::floor(&stage)?,
        Subject::peer(&stage, "peer", Fault::None)?,
        Subject::ours(&stage, "socket", "socket").await?,
        Subject::ours(&stage, "webrtc", "webrtc").await?,
        Subject::window(&stage).await?,
    ];
    for (title, key, mode) in [
        ("Click at rest", "clickAtRest", Mode::Still),
        ("Click while the page scrolls", "clickWhileScrolling", Mode::Scroll),
    ] {
        let mut blocks: Vec<Vec<Spread>> = vec![vec![]; subjects.len()];
        for _ in 0..ROUNDS {
            // The floor stands before and after the others: 0 1 2 3 4 0.
            for n in (0..subjects.len()).chain([0]) {
                let subject = &subjects[n];
                stage.set(subject.name, mode);
                std::thread::sleep(Duration::from_millis(600));
                blocks[n].push(subject.probe.clicks(subject.marks, CLICKS)?);
                stage.set(subject.name, Mode::Still);
            }
        }
        let of_floor = |blocks: &[Spread], value: fn(&Spread) -> f64, floors: &[Spread]| {
            let ratio = |(n, block): (usize, &Spread)| {
                let at = n * floors.len() / blocks.len();
                let near = &floors[at..(at + floors.len() / blocks.len()).max(at + 1)];
                value(block) / median(&near.iter().map(value).collect::<Vec<_>>())
            };
            median(&blocks.iter().enumerate().map(ratio).collect::<Vec<_>>())
        };
        let mut rows = vec![];
        for (subject, found) in subjects.iter().zip(&blocks) {
            let p50 = of_floor(found, |block| block.p50, &blocks[0]);
            let p95 = of_floor(found, |block| block.p95, &blocks[0]);
            let middle = |value: fn(&Spread) -> f64| median(&found.iter().map(value).collect::<Vec<_>>());
            let misses: usize = found.iter().map(|block| block.misses).sum();
            let worst = found.iter().map(|block| block.max).fold(0.0, f64::max);
            rows.push(vec![
                subject.name.to_owned(),
                number(p50, 2),
                number(p95, 2),
                number(middle(|block| block.p50), 1),
                number(middle(|block| block.p95), 1),
                number(worst, 1),
                misses.to_string(),
            ]);
            let figures = json!({ "p50OfFloor": p50, "p95OfFloor": p95, "blocks": found });
            measured.add(&format!("{key}.{}", subject.name), figures)?;
        }
        print(title, &["", "p50 × floor", "p95 × floor", "p50 ms", "p95 ms", "max ms", "misses"], &rows);
    }
    Ok(())
}

/// P4 to P7: pictures that flow, and what they cost.
pub async fn flow(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let subjects = [
        Subject::floor(&stage)?,
        Subject::peer(&stage, "peer", Fault::None)?,
        Subject::ours(&stage, "socket", "socket").await?,
        Subject::ours(&stage, "webrtc", "webrtc").await?,
        Subject::window(&stage).await?,
    ];
    for mode in [Mode::Still, Mode::Typing, Mode::Scroll, Mode::Video] {
        let mut runs: Vec<Vec<Run>> = vec![vec![]; subjects.len()];
        for _ in 0..FLOW_ROUNDS {
            for (n, subject) in subjects.iter().enumerate() {
                runs[n].push(run(&stage, subject, mode)?);
            }
        }
        let middle = |n: usize, value: fn(&Run) -> f64| median(&runs[n].iter().map(value).collect::<Vec<_>>());
        let above = |n: usize, value: fn(&Run) -> f64| middle(n, value) - middle(0, |run| run.source_s_per_min);
        let whole = |run: &Run| run.source_s_per_min + run.viewer_s_per_min;
        let mut rows = vec![];
        for (n, subject) in subjects.iter().enumerate() {
            let is_above = n > 0;
            rows.push(vec![
                subject.name.to_owned(),
                if mode == Mode::Still { "–".into() } else { number(middle(n, |run| run.frames.delivered()), 3) },
                if mode == Mode::Still { "–".into() } else { number(middle(n, |run| run.frames.longest_gap_ms), 0) },
                number(middle(n, |run| run.mb_per_min), 3),
                number(middle(n, |run| run.source_s_per_min), 1),
                if is_above {
                    number(above(n, |run| run.source_s_per_min) / above(1, |run| run.source_s_per_min), 2)
                } else {
                    "–".into()
                },
                if is_above { number(above(n, whole) / above(1, whole), 2) } else { "–".into() },
            ]);
            measured.add(
                &format!("flow.{}.{}", serde_json::to_value(mode)?.as_str().unwrap_or(""), subject.name),
                &runs[n],
            )?;
        }
        print(
            &format!("{mode:?}"),
            &["", "frames", "longest gap ms", "MB/min", "source CPU s/min", "above floor × peer", "with viewer × peer"],
            &rows,
        );
    }
    Ok(())
}

#[derive(Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    frames: Frames,
    mb_per_min: f64,
    source_s_per_min: f64,
    viewer_s_per_min: f64,
}

fn run(stage: &Stage, subject: &Subject, mode: Mode) -> Result<Run> {
    stage.set(subject.name, mode);
    std::thread::sleep(Duration::from_millis(1_500));
    let (source, viewer, bytes) = (subject.source_time(), subject.viewer_time(), cost::loopback_bytes());
    let begun = Instant::now();
    let seen = subject.probe.frames(subject.marks, FLOW)?;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let spent = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / minutes;
    let run = Run {
        frames: Frames::of(&seen),
        mb_per_min: (cost::loopback_bytes() - bytes) as f64 / 1e6 / minutes,
        source_s_per_min: spent(source, subject.source_time()),
        viewer_s_per_min: spent(viewer, subject.viewer_time()),
    };
    stage.set(subject.name, Mode::Still);
    std::thread::sleep(Duration::from_millis(500));
    Ok(run)
}

/// P8: a second after the last change, which part of the page's pixels is the same as at the source.
pub async fn exact(measured: &mut Measured) -> Result<()> {
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

/// P10: from the request until ready, against Xvfb and the same Chromium started by hand.
pub async fn start(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let (mut ours, mut by_hand) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let chromium = Chromium::open("about:blank", PAGE_SIZE)?;
        by_hand.push(begun.elapsed().as_secs_f64());
        drop(chromium);
        let begun = Instant::now();
        let sandbox = baton.post("/sandboxes", json!({})).await["id"].as_str().context("an id")?.to_owned();
        baton.get(&format!("/sandboxes/{sandbox}?waitFor=ready&timeoutMs=60000")).await;
        ours.push(begun.elapsed().as_secs_f64());
        baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
        baton.until(&format!("/sandboxes/{sandbox}"), "/status", "ended").await;
    }
    let ratios: Vec<f64> = ours.iter().zip(&by_hand).map(|(ours, by_hand)| ours / by_hand).collect();
    let row = vec![number(median(&ours), 2), number(median(&by_hand), 2), number(median(&ratios), 2)];
    print("Launch until ready", &["ours, s", "by hand, s", "ratio (median of 6)"], &[row]);
    measured.add("start", json!({ "oursS": ours, "byHandS": by_hand, "ratio": median(&ratios) }))
}

/// P13: from asking for the wheel until the first input goes out, while an agent works and is between its actions.
pub async fn take(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let sandbox = baton.post("/sandboxes", json!({})).await["id"].as_str().context("an id")?.to_owned();
    baton.get(&format!("/sandboxes/{sandbox}?waitFor=ready&timeoutMs=60000")).await;
    let steps: Vec<_> = (0..400).map(|_| json!({ "code": { "language": "bash", "code": "sleep 0.2" } })).collect();
    let playbook = json!({ "name": "Between actions", "steps": steps }).to_string();
    baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.still_picture().await;
    let mut times = vec![];
    for gap in gaps().take(20) {
        let begun = Instant::now();
        viewer.say(&FromViewer::Take { controller: "the bench".to_owned() }).await;
        while viewer.lease().is_none() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        viewer.click(600, 400).await;
        times.push(Some(begun.elapsed()));
        viewer.hand_back(None).await;
        tokio::time::sleep(gap).await;
    }
    eventually("the wheel is free", || std::future::ready(viewer.lease().is_none().then_some(()))).await;
    let spread = Spread::of(&times);
    let row = vec![number(spread.p50, 1), number(spread.p95, 1), number(spread.max, 1)];
    print("Take control until the first input is sent", &["p50 ms", "p95 ms", "max ms"], &[row]);
    measured.add("take", spread)
}

/// P11: `exec` of `true` on a running sandbox, against bubblewrap alone.
pub async fn exec(measured: &mut Measured) -> Result<()> {
    let baton = Baton::start().await;
    let config = json!({ "capabilities": { "browser": false } });
    let sandbox = baton.post("/sandboxes", config).await["id"].as_str().context("an id")?.to_owned();
    baton.get(&format!("/sandboxes/{sandbox}?waitFor=ready&timeoutMs=60000")).await;
    let (mut ours, mut alone) = (vec![], vec![]);
    for _ in 0..200 {
        let begun = Instant::now();
        baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "true" })).await;
        ours.push(Some(begun.elapsed()));
        let begun = Instant::now();
        let status =
            std::process::Command::new("bwrap").args("--ro-bind / / --unshare-all true".split(' ')).status()?;
        anyhow::ensure!(status.success(), "bubblewrap ran");
        alone.push(Some(begun.elapsed()));
    }
    let (ours, alone) = (Spread::of(&ours), Spread::of(&alone));
    let row = vec![number(ours.p50, 2), number(ours.p95, 2), number(alone.p50, 2), number(ours.p50 / alone.p50, 2)];
    print("exec of true", &["p50 ms", "p95 ms", "bubblewrap alone p50 ms", "ratio"], &[row]);
    measured.add("exec", json!({ "ours": ours, "bubblewrapAlone": alone }))
}
