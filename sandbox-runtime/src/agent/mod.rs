//! What does a task: the playbook runner; what it asks before it acts; the models that an agent asks.
//!
//! Owns the order of steps and what a failure says. Leaves to the driver, through [`Workbench`]: whose turn it is, what is
//! recorded, and every state.

mod consent;
pub mod models;
mod playbook;
mod workbench;

pub(crate) use consent::proposal;
pub use consent::{Consent, consent};
pub use playbook::run_playbook;
pub use workbench::{ApprovalRequest, Decision, HandedBack, HeldAnswer, Outcome, Stopped, Turn, WorkError, Workbench};
