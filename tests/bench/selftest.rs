//! The rig tests itself: it must see a dead peer, a late one and one that drops pictures.

use std::time::Duration;

use anyhow::Result;
use baton_tests::measure::{Frames, median};
use serde_json::json;

use crate::pages::{Mode, Stage};
use crate::peer::Fault;
use crate::probe::Press;
use crate::subjects::Subject;
use crate::table::{Measured, number, print};

const CLICKS: usize = 16;

/// Shows that the rig sees what it is there to see: no picture, a late one, a missing one.
pub async fn measure(measured: &mut Measured) -> Result<()> {
    let stage = Stage::serve().await?;
    let healthy = Subject::peer(&stage, "peer", Fault::None)?;
    let slow = Subject::peer(&stage, "slow", Fault::Slow)?;
    let dead = Subject::peer(&stage, "dead", Fault::Dead)?;
    let dropping = Subject::peer(&stage, "dropping", Fault::Dropping)?;
    let (mut late, mut missed) = (vec![], 0);
    for _ in 0..3 {
        let before = healthy.probe.presses(Press::Button, healthy.marks, CLICKS)?;
        let after = slow.probe.presses(Press::Button, slow.marks, CLICKS)?;
        missed += dead.probe.presses(Press::Button, dead.marks, 2)?.misses;
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
