//! A sandbox is paused: its processes are frozen, its clocks stop, and it takes no work until it is resumed.
//!
//! ```text
//!   ready ── pause ──▶ pausing ── the action in flight is over ──▶ paused ── resume ──▶ ready
//! ```
//!
//! What the browser would need to come back is laid into its profile before: a runtime that is stopped or killed meanwhile
//! leaves a sandbox that is paused, with nothing running, and resuming starts its rooms again.

use std::time::Duration;

use sandbox_core::control::State;
use sandbox_core::event::{SandboxPaused, SandboxResumed};
use sandbox_core::model::{Actor as By, EpochMs, Paused, PausedBy, SandboxStatus};

use super::Driver;
use super::actor::{Actor, Pausing, reply};
use super::cause::Cause;
use super::refusal::{Refusal, RefusalCode, Reply};
use crate::browser::{Remembered, forget_open_pages};
use crate::now_ms;

/// An action that is not over by then is frozen in the middle.
const ACTION_LIMIT: Duration = Duration::from_secs(10);

impl Driver {
    /// Freezes the sandbox once the action in flight is over; it is paused when this returns.
    pub async fn pause(&self, by: By) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::Pause { by, answer }).await
    }

    /// Lets a paused sandbox go on.
    pub async fn resume(&self, by: By) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::Resume { by, answer }).await
    }

    /// Waits while the sandbox is paused.
    pub(super) async fn unless_paused(&self) {
        let mut shared = self.shared.clone();
        // An actor that is gone pauses nothing.
        let _ = shared.wait_for(|now| !now.sandbox.status.is_pause()).await;
    }
}

impl Actor {
    pub(super) async fn pause(&mut self, by: By, answer: Reply<()>) {
        if let Some(pausing) = &mut self.pausing {
            pausing.waiting.push(answer);
            return;
        }
        if self.sandbox.status == SandboxStatus::Paused {
            return reply(answer, Ok(()));
        }
        if !self.sandbox.status.takes_work() || self.is_shell_down() || (self.is_browser_away() && !self.rests()) {
            return reply(answer, Err(Refusal::wrong_state("only a sandbox that is ready or active can be paused")));
        }
        if self.driver.is_held() {
            let message = "a person holds control of the browser; pause it after the hand-back".to_owned();
            return reply(answer, Err(Refusal { code: RefusalCode::HeldByPerson, message }));
        }
        self.sandbox.status = SandboxStatus::Pausing;
        let freeze_at = now_ms() + i64::try_from(ACTION_LIMIT.as_millis()).unwrap_or(0);
        self.pausing = Some(Pausing { by, waiting: vec![answer], freeze_at });
        self.run_or_stop_clock();
        self.commit(vec![]).await;
        self.freeze_if_due().await;
    }

    /// When the action in flight is frozen, if it is not over before.
    pub(super) fn freeze_due_at(&self) -> Option<EpochMs> {
        self.pausing.as_ref().map(|pausing| pausing.freeze_at)
    }

    /// Freezes a sandbox that is about to be paused, when nothing is in flight any more.
    pub(super) async fn freeze_if_due(&mut self) {
        let is_due = |pausing: &Pausing| pausing.freeze_at <= now_ms();
        let is_quiet = match self.control.state() {
            State::Idle { in_flight } => in_flight.is_none(),
            State::Agent { in_flight, .. } => !in_flight,
            State::Settling { .. } => false,
            State::Person { .. } | State::Waiting { .. } => true,
        };
        if !self.pausing.as_ref().is_some_and(|pausing| is_quiet || is_due(pausing)) {
            return;
        }
        let Some(Pausing { by, waiting, .. }) = self.pausing.take() else { return };
        let frozen = self.freeze().await;
        let frozen = match frozen {
            Ok(how) => {
                self.sandbox.status = SandboxStatus::Paused;
                self.sandbox.paused = Some(Paused { by: how, at: now_ms() });
                self.must_commit(vec![self.event(SandboxPaused { by: how }, by)]).await;
                Ok(())
            }
            Err(error) => {
                self.kit.frozen.set(false);
                self.sandbox.status = SandboxStatus::Ready;
                self.run_or_stop_clock();
                self.refresh_status().await;
                self.commit(vec![]).await;
                Err(Refusal::wrong_state(format!("it could not be paused: {error}")))
            }
        };
        for answer in waiting {
            reply(answer, frozen.clone());
        }
    }

    async fn freeze(&mut self) -> std::io::Result<PausedBy> {
        // Frozen while it closes, it would lose what it is about to write.
        self.until_stopped().await;
        let remembered = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        let remembered = remembered.map(|desktop| desktop.browser.remembered(true));
        self.kit.frozen.set(true);
        let (backend, id, profile) = (self.kit.backend.clone(), self.sandbox.id.clone(), self.kit.profile.clone());
        let frozen = tokio::task::spawn_blocking(move || {
            if let Some(remembered) = remembered {
                remembered.lay_into(&profile)?;
            }
            backend.freeze(&id)
        });
        frozen.await.map_err(std::io::Error::other)?
    }

    /// Lets the frozen processes go on, if they are.
    pub(super) async fn thaw(&mut self) {
        if !self.kit.frozen.is_set() {
            return;
        }
        let (backend, id, profile) = (self.kit.backend.clone(), self.sandbox.id.clone(), self.kit.profile.clone());
        let thawed = tokio::task::spawn_blocking(move || {
            Remembered::forget_in(&profile);
            backend.thaw(&id)
        });
        if let Ok(Err(error)) = thawed.await {
            tracing::error!(%error, "a paused sandbox could not be let go on");
        }
        self.kit.frozen.set(false);
    }

    pub(super) async fn resume(&mut self, by: By, answer: Reply<()>) {
        if self.sandbox.status.takes_work() {
            return reply(answer, Ok(()));
        }
        if self.sandbox.status != SandboxStatus::Paused {
            return reply(answer, Err(Refusal::wrong_state("the sandbox is not paused")));
        }
        self.thaw().await;
        self.sandbox.status = SandboxStatus::Ready;
        self.sandbox.paused = None;
        self.run_or_stop_clock();
        self.must_commit(vec![self.event(SandboxResumed {}, by)]).await;
        self.refresh_status().await;
        reply(answer, Ok(()));
        self.grant_turns();
    }

    /// The runtime stops while the sandbox is paused: it stays so, with nothing running. Answers whether that can be.
    pub(super) async fn leave_paused(&mut self) -> bool {
        // Values of variables are kept nowhere: without them its commands would do something else.
        if self.sandbox.status != SandboxStatus::Paused || !self.kit.foreign_env().is_empty() {
            return false;
        }
        let remembered = Remembered::of_profile(&self.kit.profile);
        // A frozen browser answers nothing: it goes first.
        self.stop_rooms().await;
        self.abandon_work("the runtime stopped while the sandbox was paused").await;
        let profile = self.kit.profile.clone();
        let kept = tokio::task::spawn_blocking(move || {
            forget_open_pages(&profile)?;
            remembered.lay_into(&profile)
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(%error, "the tabs of a paused sandbox will not come back");
        }
        self.sandbox.paused = Some(Paused { by: PausedBy::Stopped, at: now_ms() });
        self.must_commit(vec![]).await;
        true
    }
}
