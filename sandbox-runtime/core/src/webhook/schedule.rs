//! When a message that was not accepted is tried again.

use crate::model::EpochMs;

/// The waits before the second attempt, the third, and so on; after the last one there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    waits_ms: Vec<u32>,
}

/// A schedule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no list of waits in milliseconds, such as 5000,30000")]
pub struct ScheduleError {
    text: String,
}

/// A receiver may ask for more time than the schedule gives, up to this.
const RETRY_AFTER_MAX_MS: u64 = 24 * 60 * 60 * 1000;

impl Default for Schedule {
    /// 5 s, 30 s, 2 min, 15 min, 1 h, 6 h, 24 h.
    fn default() -> Self {
        const S: u32 = 1000;
        Self { waits_ms: vec![5 * S, 30 * S, 120 * S, 900 * S, 3600 * S, 6 * 3600 * S, 24 * 3600 * S] }
    }
}

impl Schedule {
    /// Reads waits in milliseconds with commas between.
    ///
    /// # Errors
    ///
    /// Anything else, and no wait at all.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let waits_ms: Result<Vec<u32>, _> = text.split(',').map(|wait| wait.trim().parse()).collect();
        waits_ms.map(|waits_ms| Self { waits_ms }).map_err(|_| ScheduleError { text: text.to_owned() })
    }

    /// Returns when attempt `attempts + 1` is to be made; `None` if the schedule is used up.
    pub fn next(&self, attempts: u32, retry_after_ms: Option<u64>, now: EpochMs) -> Option<EpochMs> {
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        let wait_ms = u64::from(*self.waits_ms.get(index)?);
        let asked_ms = retry_after_ms.unwrap_or_default().min(RETRY_AFTER_MAX_MS);
        now.checked_add_unsigned(wait_ms.max(asked_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_the_contract() {
        let schedule = Schedule::default();
        let waits: Vec<_> = (1..=8).map(|attempts| schedule.next(attempts, None, 1_000)).collect();
        let expected = [5, 30, 120, 900, 3_600, 21_600, 86_400].map(|s| Some(1_000 + s * 1_000));
        assert_eq!(waits[..7], expected);
        assert_eq!(waits[7], None);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_less_and_not_for_ever() {
        let schedule = Schedule::default();
        assert_eq!(schedule.next(1, Some(60_000), 0), Some(60_000));
        assert_eq!(schedule.next(2, Some(1), 0), Some(30_000));
        assert_eq!(schedule.next(1, Some(u64::MAX), 0), Some(86_400_000));
        assert_eq!(schedule.next(8, Some(60_000), 0), None);
    }

    #[test]
    fn a_schedule_is_a_list_of_milliseconds() {
        assert_eq!(Schedule::parse("10, 20").unwrap().next(2, None, 0), Some(20));
        for text in ["", "5s", "1,,2", "-1", "99999999999"] {
            assert!(Schedule::parse(text).is_err(), "{text:?}");
        }
    }
}
