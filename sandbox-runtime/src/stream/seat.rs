//! What a viewer asks of the driver. The driver's own seat implements it; tests use a fake.

use std::future::Future;

use futures_util::Stream;
use sandbox_core::model::TypedText;
use sandbox_core::viewer::{Aim, ControlView, ViewerMode};
use sandbox_core::{Lease, ViewerId};

/// A connected live view's place at a sandbox. Dropping it is leaving.
pub trait Seat: Send + Sync + 'static {
    fn id(&self) -> &ViewerId;

    fn mode(&self) -> ViewerMode;

    /// Returns who drives, as this view sees it.
    fn control(&self) -> ControlView;

    /// Resolves when [`Seat::control`] may differ. May be dropped and asked again without losing a change.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;

    fn take(&self, controller: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    fn hand_back(&self, note: Option<String>, typed: TypedText) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Asks the person who drives for control, under this name.
    fn ask_control(&self, controller: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Accepts or declines a request for control, as the view that is driving.
    fn answer_asker(&self, gives: bool) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Returns what the agent's side does on the page, from now on. Aims that are not read in time are lost.
    fn aims(&self) -> impl Stream<Item = Aim> + Send + 'static;

    /// Returns the way of this view's texts into the page.
    fn typist(&self) -> impl Typist + 'static;

    /// Whether a desktop that goes away comes back: the view is to connect again.
    fn comes_back(&self) -> bool;

    /// The page is alive: keeps the lease, if this view's person holds it.
    fn heartbeat(&self);

    /// Runs `send`, which only queues to the room, if `lease` is this person's live lease.
    fn input<R>(&self, lease: Lease, weight: InputWeight, send: impl FnOnce() -> R) -> Result<R, Refusal>;
}

/// Puts texts into the page that has the focus. Each answer says whether one has it; if not, nothing was done. Nothing is
/// done either once the lease is over.
pub trait Typist: Send + Sync + 'static {
    /// Shows what is being composed; nothing, when that is empty.
    fn compose(&self, lease: Lease, text: &str) -> impl Future<Output = bool> + Send;

    /// Commits a text, in place of what was composed. The page has it when this returns.
    fn commit(&self, lease: Lease, text: &str) -> impl Future<Output = bool> + Send;
}

/// What an input means for the receipt and the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputWeight {
    /// Moves, scrolls and releases: kept out of the receipt's count.
    Light,
    /// Clicks, keys, text and pastes: counted.
    Counted,
}

/// Why a view's person may not, now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs: the codes of the contract, such as `heldByOther`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refusal {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
