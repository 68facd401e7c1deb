//! When a request that failed is made again. Pure: chance comes in as an argument.

use std::time::Duration;

use super::error::ModelError;

/// How often and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is made at most, the first time included.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait of our own choosing.
    pub longest_wait: Duration,
    /// The longest wait that a provider may ask for; beyond it, the error is told at once.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            patience: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Returns how long to wait before the next attempt; `None` if there is none.
    ///
    /// `n_failed` counts the attempts that failed, this one included; `chance` is between 0 and 1 and spreads callers that
    /// were refused together.
    pub(super) fn wait(&self, n_failed: u32, error: &ModelError, chance: f64) -> Option<Duration> {
        if !error.kind.is_transient() || n_failed >= self.attempts {
            return None;
        }
        if let Some(asked) = error.retry_after {
            return (asked <= self.patience).then_some(asked);
        }
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(n_failed.saturating_sub(1)).unwrap_or(u32::MAX));
        Some(doubled.min(self.longest_wait).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::ModelErrorKind;
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 4,
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(3),
        patience: Duration::from_secs(60),
    };

    #[track_caller]
    fn check(n_failed: u32, kind: ModelErrorKind, retry_after_s: Option<u64>, expected_s: Option<f64>) {
        let error = ModelError {
            kind,
            model: "m".to_owned(),
            message: String::new(),
            status: None,
            retry_after: retry_after_s.map(Duration::from_secs),
        };
        assert_eq!(POLICY.wait(n_failed, &error, 1.0), expected_s.map(Duration::from_secs_f64));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_last_attempt() {
        for (n_failed, expected) in [(1, Some(1.0)), (2, Some(2.0)), (3, Some(3.0)), (4, None)] {
            check(n_failed, ModelErrorKind::Overloaded, None, expected);
        }
    }

    #[test]
    fn what_the_provider_asks_for_is_honoured_within_patience() {
        check(1, ModelErrorKind::RateLimited, Some(7), Some(7.0));
        check(1, ModelErrorKind::RateLimited, Some(0), Some(0.0));
        check(1, ModelErrorKind::RateLimited, Some(61), None);
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        for kind in [ModelErrorKind::Auth, ModelErrorKind::Refused, ModelErrorKind::TooLong] {
            check(1, kind, None, None);
            check(1, kind, Some(1), None);
        }
    }

    #[test]
    fn chance_spreads_a_wait_over_its_upper_half() {
        let error = ModelError {
            kind: ModelErrorKind::Network,
            model: String::new(),
            message: String::new(),
            status: None,
            retry_after: None,
        };
        assert_eq!(POLICY.wait(1, &error, 0.0), Some(Duration::from_millis(500)));
        assert_eq!(POLICY.wait(1, &error, 0.5), Some(Duration::from_millis(750)));
    }
}
