//! Pictures that flow, and what they cost.

use std::time::{Duration, Instant};

use anyhow::Result;
use baton_tests::measure::{Frames, median};

use crate::cost;
use crate::pages::{Mode, Stage};
use crate::subjects::{self, Subject};
use crate::table::{Measured, number, print};

const DURATION: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;

/// P4 to P7: pictures that flow, and what they cost.
pub async fn measure(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let subjects = subjects::all(&stage).await?;
    for mode in [Mode::Still, Mode::Typing, Mode::Scroll, Mode::Video] {
        let mut runs: Vec<Vec<Run>> = vec![vec![]; subjects.len()];
        for _ in 0..ROUNDS {
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
    let seen = subject.probe.frames(subject.marks, DURATION)?;
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
