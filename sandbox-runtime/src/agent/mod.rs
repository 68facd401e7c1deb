//! What does a task: the playbook runner; and what it asks before it acts.
//!
//! Owns the order of steps and what a failure says. Leaves to the driver, through [`Workbench`]: whose turn it is, what is
//! recorded, and every state.

mod consent;
mod playbook;
mod workbench;

pub(crate) use consent::proposal;
pub use consent::{Consent, consent};
pub use playbook::run_playbook;
pub use workbench::{ApprovalRequest, Decision, HandedBack, HeldAnswer, Outcome, Stopped, Turn, WorkError, Workbench};
