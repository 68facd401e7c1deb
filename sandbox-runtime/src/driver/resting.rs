//! A browser that nobody uses or watches for a while is stopped, and started again when somebody does.
//!
//! ```text
//!   up ── capabilities.browser.idleMs without use, or a program's word ──▶ stopped
//!    ▲                                                                       │
//!    └── a turn, a person, a live view, a debugging client ◀─────────────────┘
//! ```
//!
//! Files and the profile stay where they are. The tabs and cookies come back as after a loss ([`super::recovery`]).

use std::time::Duration;

use sandbox_core::event::AgentMessage;
use sandbox_core::model::{Actor as By, EpochMs, PreviewStatus};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Driver;
use super::actor::Actor;
use super::cause::Cause;
use super::idle::in_words;
use super::recovery::Again;
use super::refusal::Refusal;
use super::start::{Rest, RestsFor};
use crate::now_ms;

/// `capabilities.browser.idleMs` where nothing is said.
const IDLE_MS: u64 = 600_000;
/// How long the browser may take to write down what it keeps.
const LAST_WORDS: Duration = Duration::from_secs(3);

impl Actor {
    /// Returns when the browser will have been idle for as long as it may be.
    pub(super) fn rest_due_at(&self) -> Option<EpochMs> {
        let browser = self.sandbox.capabilities.browser.browser()?;
        let limit_ms = browser.idle_ms.unwrap_or(IDLE_MS);
        if limit_ms == 0 || !self.may_rest() {
            return None;
        }
        self.idle_for_at(limit_ms)
    }

    /// Stops the browser if it was idle for as long as it may be.
    pub(super) async fn rest_if_due(&mut self) {
        if self.rest_due_at().is_none_or(|due_at| due_at > now_ms()) {
            return;
        }
        let limit_ms = self.sandbox.capabilities.browser.browser().and_then(|browser| browser.idle_ms);
        let unused = in_words(limit_ms.unwrap_or(IDLE_MS));
        let why = format!(
            "nobody used the browser for {unused}: it is stopped, and comes back with its tabs when it is used"
        );
        self.rest(why, RestsFor::NoUse).await;
    }

    /// Stops the browser because a program says so; its tabs are forgotten.
    pub(super) async fn stop_browser(&mut self) -> Result<(), Refusal> {
        let desktop = self.rooms.as_mut().and_then(|rooms| rooms.desktop.as_mut());
        if let Some(desktop) = desktop
            && let Some(rest) = &mut desktop.rest
        {
            rest.why = RestsFor::Word;
            desktop.browser.will_close(false);
            self.show();
            return Ok(());
        }
        if self.task.is_some() || !self.may_rest() {
            return Err(Refusal::wrong_state("a task, a question or a download needs the browser; stop it first"));
        }
        self.rest("the browser was stopped; it starts when it is used".to_owned(), RestsFor::Word).await;
        Ok(())
    }

    /// Whether nothing that is under way needs the browser.
    fn may_rest(&self) -> bool {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        self.sandbox.status.takes_work()
            && self.is_at_rest()
            && self.trust.asked.is_empty()
            && !self.trust.holds()
            && desktop.is_some_and(|desktop| {
                desktop.is_back && desktop.room.life.is_some() && !desktop.browser.is_downloading()
            })
    }

    async fn rest(&mut self, told: String, why: RestsFor) {
        let Some(desktop) = self.rooms.as_mut().and_then(|rooms| rooms.desktop.as_mut()) else { return };
        let Some(life) = desktop.room.life.take() else { return };
        let (browser, stopped) = (desktop.browser.clone(), CancellationToken::new());
        browser.will_close(why == RestsFor::NoUse);
        let is_over = stopped.clone();
        let stopping = tokio::spawn(async move {
            // One that is ended at once may lose what pages stored last, and its newest cookies.
            let closing = async {
                browser.remember().await;
                browser.close().await;
            };
            if tokio::time::timeout(LAST_WORDS, closing).await.is_err() {
                tracing::debug!("a browser did not close by itself");
            }
            life.end().await;
            is_over.cancel();
        });
        desktop.is_back = false;
        desktop.rest = Some(Rest { why, stopped, _stopping: AbortOnDropHandle::new(stopping) });
        self.sandbox.preview.status = PreviewStatus::Off;
        self.must_commit(vec![self.event(AgentMessage::new(&told), By::System)]).await;
        self.show();
    }

    /// Starts the browser again, if it is stopped and the sandbox takes work.
    pub(super) fn wake(&mut self) {
        if !self.sandbox.status.takes_work() {
            return;
        }
        let desktop = self.rooms.as_mut().and_then(|rooms| rooms.desktop.as_mut());
        let Some(rest) = desktop.and_then(|desktop| desktop.rest.take()) else { return };
        self.sandbox.preview.status = PreviewStatus::Starting;
        let ended = async move {
            let Rest { stopped, _stopping, why: _ } = rest;
            stopped.cancelled().await;
        };
        self.restart(Again::Wanted, ended, true);
        self.show();
    }

    /// Waits until a browser that is stopped has ended.
    pub(super) async fn until_stopped(&self) {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        if let Some(rest) = desktop.and_then(|desktop| desktop.rest.as_ref()) {
            rest.stopped.cancelled().await;
        }
    }

    /// Whether the browser is stopped because nobody uses it.
    pub(super) fn rests(&self) -> bool {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        desktop.is_some_and(|desktop| desktop.rest.is_some())
    }
}

impl Driver {
    /// Stops the browser until it is used again, and forgets its tabs.
    ///
    /// # Errors
    ///
    /// Something that is under way needs it.
    pub async fn stop_browser(&self) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::StopBrowser { answer }).await
    }

    /// Whether the browser is stopped because nobody uses it.
    pub fn rests(&self) -> bool {
        self.shared.borrow().rest.is_some()
    }

    /// Whether a program stopped the browser: a live view does not start it.
    pub fn is_stopped_by_word(&self) -> bool {
        self.shared.borrow().rest == Some(RestsFor::Word)
    }

    /// Has a browser that is stopped started again.
    pub(super) async fn wake(&self) {
        if self.rests() {
            // An actor that ended starts nothing.
            let _ = self.inbox.send(Cause::Wake).await;
        }
    }
}
