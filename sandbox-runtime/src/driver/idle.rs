//! When nobody works in a sandbox or watches it for long enough, it ends: `limits.idleMs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use sandbox_core::model::{EpochMs, HandoffStatus, SandboxStatus};

use super::actor::Actor;
use crate::now_ms;

/// What the actor does not see of those who work: the last call, and who is connected.
#[derive(Default)]
pub(super) struct Activity {
    last_at: AtomicI64,
    present: AtomicUsize,
}

/// Keeps the sandbox from being idle until it is dropped: a terminal, a client of the debugging protocol.
pub struct Presence {
    activity: Arc<Activity>,
}

/// Since when nobody works in the sandbox or watches it.
#[derive(Default)]
pub(super) struct Idle {
    since: Option<EpochMs>,
}

impl Activity {
    /// Notes that somebody works.
    pub fn touch(&self) {
        self.last_at.fetch_max(now_ms(), Ordering::Relaxed);
    }

    pub fn presence(self: &Arc<Self>) -> Presence {
        self.present.fetch_add(1, Ordering::Relaxed);
        Presence { activity: self.clone() }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.activity.touch();
        self.activity.present.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Actor {
    /// Starts or stops the clock as what is going on has changed.
    pub(super) fn note_idle(&mut self) {
        self.idle.since = if self.is_busy() { None } else { self.idle.since.or_else(|| Some(now_ms())) };
    }

    /// Returns when the sandbox will have been idle for as long as it may be.
    pub(super) fn idle_due_at(&self) -> Option<EpochMs> {
        self.idle_for_at(self.sandbox.limits.idle_ms?)
    }

    /// Returns when the sandbox will have been idle for that long.
    pub(super) fn idle_for_at(&self, limit_ms: u64) -> Option<EpochMs> {
        let activity = &self.driver.activity;
        // Whoever is connected may leave unseen: it is looked at again after the same time.
        let present = activity.present.load(Ordering::Relaxed) > 0;
        let last_at = if present { now_ms() } else { activity.last_at.load(Ordering::Relaxed) };
        Some(self.idle.since?.max(last_at).saturating_add_unsigned(limit_ms))
    }

    /// Ends the sandbox if it was idle for as long as it may be.
    pub(super) async fn end_idle(&mut self) {
        let Some(limit_ms) = self.sandbox.limits.idle_ms else { return };
        if self.idle_due_at().is_some_and(|due_at| due_at <= now_ms()) {
            let why = format!("nobody worked in it or watched it for {}", in_words(limit_ms));
            self.end_because(Some(&why), None).await;
        }
    }

    fn is_busy(&self) -> bool {
        self.sandbox.status != SandboxStatus::Ready
            || self.task.is_some()
            || self.is_watched()
            || self
                .handoff
                .as_ref()
                .is_some_and(|handoff| matches!(handoff.status, HandoffStatus::Pending | HandoffStatus::Accepted))
            || !self.is_at_rest()
    }
}

pub(super) fn in_words(ms: u64) -> String {
    match ms {
        ms if ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_said_in_its_largest_unit() {
        let check = |ms, expected: &str| assert_eq!(in_words(ms), expected);
        check(7_200_000, "2 h");
        check(5_400_000, "90 min");
        check(45_000, "45 s");
        check(1_500, "1500 ms");
    }

    #[test]
    fn who_leaves_has_worked_until_then() {
        let activity = Arc::new(Activity::default());
        let presence = activity.presence();
        assert_eq!(activity.present.load(Ordering::Relaxed), 1);
        drop(presence);
        assert_eq!(activity.present.load(Ordering::Relaxed), 0);
        assert!(activity.last_at.load(Ordering::Relaxed) > 0);
    }
}
