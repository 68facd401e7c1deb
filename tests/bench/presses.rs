//! How soon a press shows.

use std::time::Duration;

use anyhow::Result;
use baton_tests::measure::{Spread, median};
use serde_json::json;

use crate::pages::{Mode, Stage};
use crate::probe::Press;
use crate::subjects;
use crate::table::{Measured, number, print};

/// Rounds of interleaved blocks; the median of their ratios is what is said.
const ROUNDS: usize = 6;
const PRESSES: usize = 16;

/// P1, P2, P3, P9: from the press of a button or key to the changed pixel, at rest and while the page scrolls.
pub async fn measure(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let subjects = subjects::all(&stage).await?;
    for (title, key, press, mode) in [
        ("Click at rest", "clickAtRest", Press::Button, Mode::Still),
        ("Key at rest", "keyAtRest", Press::Key, Mode::Still),
        ("Click while the page scrolls", "clickWhileScrolling", Press::Button, Mode::Scroll),
    ] {
        let mut blocks: Vec<Vec<Spread>> = vec![vec![]; subjects.len()];
        for _ in 0..ROUNDS {
            // The floor stands before and after the others: 0 1 2 3 4 0.
            for n in (0..subjects.len()).chain([0]) {
                let subject = &subjects[n];
                stage.set(subject.name, mode);
                std::thread::sleep(Duration::from_millis(600));
                blocks[n].push(subject.probe.presses(press, subject.marks, PRESSES)?);
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
