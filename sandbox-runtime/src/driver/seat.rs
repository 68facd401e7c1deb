//! The seat of one live view: what its person may ask for, and the way of their input through the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use futures_util::{Stream, stream};
use sandbox_core::control::{Controller, Denial, Releaser};
use sandbox_core::model::{TypedText, Viewport};
use sandbox_core::viewer::{Aim, ControlView, Screen, ViewerMode};
use sandbox_core::{Lease, ViewerId};
use tokio::sync::{broadcast, mpsc, watch};

use super::cause::Cause;
use super::refusal::Refusal;
use super::typist::Typist;
use super::{Driver, Shared};
use crate::browser::{Browser, Refused};

/// How often input renews the lease, in milliseconds: not with every mouse move.
const RENEW_EVERY_MS: i64 = 1_000;

/// Whether an input counts in the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputWeight {
    /// A click, a key, a paste.
    Counts,
    /// A move, a release, a scroll.
    Light,
}

/// How many inputs of the person were dispatched, and when the last was.
#[derive(Default)]
pub(super) struct InputTally {
    pub counted: AtomicU64,
    renewed_at: AtomicI64,
}

/// One connected live view. Dropping it is leaving.
pub struct ViewerSeat {
    pub(super) id: ViewerId,
    pub(super) mode: ViewerMode,
    pub(super) driver: Driver,
    pub(super) shared: watch::Receiver<Arc<Shared>>,
}

impl ViewerSeat {
    pub fn id(&self) -> &ViewerId {
        &self.id
    }

    pub fn mode(&self) -> ViewerMode {
        self.mode
    }

    /// Returns who drives, as this view sees it.
    pub fn control(&self) -> ControlView {
        self.shared.borrow().control_for(&self.id)
    }

    /// Resolves when [`Self::control`] may differ; never again when the sandbox is gone.
    pub async fn changed(&mut self) {
        // The sender lives as long as the actor; its end is the sandbox's end, which the desktop's link shows.
        if self.shared.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Takes control for this view's person, who is shown as `controller`.
    ///
    /// # Errors
    ///
    /// A watching view may not; another person may hold control.
    pub async fn take(&self, controller: String) -> Result<(), Refusal> {
        self.may_act()?;
        let viewer = Controller::Viewer(self.id.clone());
        self.driver.ask_actor(|answer| Cause::Take { controller: viewer, name: controller, answer }).await
    }

    /// Hands control back.
    pub async fn hand_back(&self, note: Option<String>, typed: TypedText) -> Result<(), Refusal> {
        self.may_act()?;
        let by = Releaser::Viewer(self.id.clone());
        self.driver.ask_actor(|answer| Cause::HandBack { by, note, typed, answer }).await
    }

    /// Asks the person who drives for control.
    ///
    /// # Errors
    ///
    /// A watching view may not; nobody drives, or it cannot be asked.
    pub async fn ask_control(&self, name: String) -> Result<(), Refusal> {
        self.may_act()?;
        let viewer = self.id.clone();
        self.driver.ask_actor(|answer| Cause::AskControl { viewer, name, answer }).await
    }

    /// Accepts or declines a request for control.
    pub async fn answer_asker(&self, gives: bool) -> Result<(), Refusal> {
        self.may_act()?;
        let viewer = self.id.clone();
        self.driver.ask_actor(|answer| Cause::AnswerAsker { viewer, gives, answer }).await
    }

    /// Returns what the agent's side does on the page, from now on, also in a browser that is started again.
    pub fn aims(&self) -> impl Stream<Item = Aim> + Send + 'static {
        stream::unfold((self.shared.clone(), None), |(mut shared, mut aims)| async move {
            loop {
                let Some(following) = &mut aims else {
                    let found = shared.wait_for(|now| now.browser.is_some()).await.ok()?;
                    aims = found.browser.as_ref().map(Browser::aims);
                    continue;
                };
                match following.recv().await {
                    Ok(mut aim) => {
                        let Viewport { width, height } = shared.borrow().sandbox.preview.viewport;
                        aim.page = Screen { width, height };
                        return Some((aim, (shared, aims)));
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    // The browser is gone with its last owner.
                    Err(broadcast::error::RecvError::Closed) => aims = None,
                }
            }
        })
    }

    /// Returns the way of this view's texts into the page.
    pub fn typist(&self) -> Typist {
        Typist { shared: self.shared.clone() }
    }

    /// Whether a desktop that goes away comes back.
    pub fn comes_back(&self) -> bool {
        self.driver.comes_back()
    }

    /// Says that the page is alive.
    pub fn heartbeat(&self) {
        self.driver.tell(Cause::Heartbeat { viewer: self.id.clone() });
    }

    /// Runs `send`, which only queues the input towards the guest, if this view's person holds control under `lease`.
    pub fn input<R>(&self, lease: Lease, weight: InputWeight, send: impl FnOnce() -> R) -> Result<R, Refusal> {
        self.may_act()?;
        // A lease belongs to one view: the gate knows its number, the seat knows whose it is.
        if !self.shared.borrow().is_held_by(&self.id, lease) {
            return Err(Refusal::from(self.refused_because(lease)));
        }
        let sent = self.driver.gate.dispatch_person(lease, send)?;
        let tally = &self.driver.tally;
        if weight == InputWeight::Counts {
            tally.counted.fetch_add(1, Ordering::Relaxed);
        }
        let now = crate::now_ms();
        let renewed_at = tally.renewed_at.load(Ordering::Relaxed);
        if now - renewed_at >= RENEW_EVERY_MS {
            tally.renewed_at.store(now, Ordering::Relaxed);
            self.driver.tell(Cause::Input { viewer: self.id.clone(), lease });
        }
        Ok(sent)
    }

    fn refused_because(&self, lease: Lease) -> Denial {
        match self.driver.gate.dispatch_person(lease, || ()) {
            // Someone's live lease, but not this view's.
            Ok(()) | Err(Refused::HeldByPerson) => Denial::HeldByOther,
            Err(Refused::StaleLease) => Denial::StaleLease,
            Err(Refused::WaitingForPerson) => Denial::WaitingForPerson,
            Err(Refused::HeldByAgent) => Denial::HeldByAgent,
        }
    }

    fn may_act(&self) -> Result<(), Refusal> {
        match self.mode {
            ViewerMode::Control => Ok(()),
            ViewerMode::Watch => Err(Refusal::wrong_state("this view may only watch")),
        }
    }
}

impl Drop for ViewerSeat {
    fn drop(&mut self) {
        // A full inbox must not lose a leaving: the heartbeat's lapse would be the only way to notice.
        let cause = Cause::ViewerLeft { viewer: self.id.clone() };
        if let Err(mpsc::error::TrySendError::Full(cause)) = self.driver.inbox.try_send(cause) {
            let inbox = self.driver.inbox.clone();
            tokio::spawn(async move {
                // The actor may end meanwhile, and its viewers with it.
                let _ = inbox.send(cause).await;
            });
        }
    }
}
