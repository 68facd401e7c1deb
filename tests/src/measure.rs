//! The arithmetic of the benchmarks: what is said of many times, the frame counter in a picture, and gaps between clicks.

use std::time::Duration;

use serde::Serialize;

/// What is said of the times of one block, in milliseconds; a miss is a click whose change never came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    pub n: usize,
    pub misses: usize,
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(times: &[Option<Duration>]) -> Self {
        let mut found: Vec<f64> = times.iter().flatten().map(|time| time.as_secs_f64() * 1e3).collect();
        found.sort_by(f64::total_cmp);
        Self {
            n: times.len(),
            misses: times.len() - found.len(),
            p50: quantile(&found, 0.5),
            p95: quantile(&found, 0.95),
            max: found.last().copied().unwrap_or(f64::NAN),
        }
    }
}

/// Returns the value below which `part` of the sorted values lie, by the nearest rank; NaN of nothing.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Returns the median; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Returns the number whose Gray code the cells show, the first cell being the highest bit.
///
/// Neighbouring numbers differ in one cell, so a picture taken in the middle of a change shows one of the two.
pub fn from_gray(cells: impl IntoIterator<Item = bool>) -> u32 {
    let mut number = 0;
    let mut bit = false;
    for cell in cells {
        bit ^= cell;
        number = number << 1 | u32::from(bit);
    }
    number
}

/// Gaps between clicks: 150 to 250 ms, stepped by a prime, so that they never lock to the screen's refresh.
pub fn gaps() -> impl Iterator<Item = Duration> {
    (0u64..).map(|n| Duration::from_millis(150 + n * 37 % 101))
}

/// A counter cannot be farther ahead of the one before: that many frames take four seconds.
const FARTHEST: u32 = 240;

/// Frames as they came: counter and time of each change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frames {
    /// Frames that were seen, and frames that the page drew meanwhile.
    pub seen: u32,
    pub drawn: u32,
    /// Longest time without a new frame, in milliseconds.
    pub longest_gap_ms: f64,
}

impl Frames {
    /// `seen` are counters of 16 bits in the order of their time. A number that goes back, or far ahead, was read from a
    /// picture that was just being painted over: it is left out.
    pub fn of(seen: &[(Duration, u32)]) -> Self {
        let step = |from: u32, to: u32| to.wrapping_sub(from) & 0xffff;
        let mut frames = Self { seen: 0, drawn: 0, longest_gap_ms: 0.0 };
        let mut last: Option<(Duration, u32)> = None;
        for &(at, counter) in seen {
            let Some((before, from)) = last else {
                last = Some((at, counter));
                continue;
            };
            let ahead = step(from, counter);
            if (1..=FARTHEST).contains(&ahead) {
                frames.seen += 1;
                frames.drawn += ahead;
                frames.longest_gap_ms = frames.longest_gap_ms.max((at - before).as_secs_f64() * 1e3);
                last = Some((at, counter));
            }
        }
        frames
    }

    pub fn delivered(&self) -> f64 {
        f64::from(self.seen) / f64::from(self.drawn.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(times: &[u64]) -> Vec<Option<Duration>> {
        times.iter().map(|time| Some(Duration::from_millis(*time))).collect()
    }

    #[test]
    fn a_spread_counts_misses_and_leaves_them_out_of_the_times() {
        let mut times = ms(&[4, 2, 1, 3]);
        times.push(None);
        assert_eq!(Spread::of(&times), Spread { n: 5, misses: 1, p50: 2.0, p95: 4.0, max: 4.0 });
        assert!(Spread::of(&[None]).p50.is_nan());
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.95, 1.0].map(|part| quantile(&hundred, part)), [50.0, 95.0, 100.0]);
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(median(&[3.0, 1.0, 9.0]), 3.0);
    }

    #[test]
    fn the_counter_in_the_picture_is_read_back() {
        for number in [0u32, 1, 2, 3, 1000, 32_767, 65_535] {
            let gray = number ^ (number >> 1);
            assert_eq!(from_gray((0..16).rev().map(|bit| gray >> bit & 1 == 1)), number);
        }
    }

    #[test]
    fn gaps_stay_within_their_bounds_and_meet_every_length() {
        let some: std::collections::BTreeSet<u128> = gaps().take(101).map(|gap| gap.as_millis()).collect();
        assert_eq!((some.len(), some.first(), some.last()), (101, Some(&150), Some(&250)));
    }

    #[test]
    fn frames_that_were_passed_over_and_pauses_are_seen() {
        let at = |time: u64, frame: u32| (Duration::from_millis(time), frame);
        let frames = Frames::of(&[at(0, 65_534), at(16, 65_535), at(50, 1), at(55, 40_000), at(60, 0), at(66, 2)]);
        assert_eq!(frames, Frames { seen: 3, drawn: 4, longest_gap_ms: 34.0 });
        assert_eq!(frames.delivered(), 0.75);
    }
}
