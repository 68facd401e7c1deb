//! What does a task: the playbook runner, the loop that follows a model; what both ask before they act; and the models.
//!
//! Owns the order of steps and what a failure says. Leaves to the driver, through [`Workbench`]: whose turn it is, what is
//! recorded, and every state.

mod attempt;
mod consent;
mod files;
mod follow;
mod handoff;
pub mod models;
mod place;
mod playbook;
mod secrets;
mod workbench;

pub(crate) use attempt::{Attempt, attempt};
pub(crate) use consent::{ConsentError, proposal};
pub use follow::{Ordered, PromptOrder, follow_prompt, heard, messages_in, saved};
pub use place::{Begun, Place};
pub use playbook::run_playbook;
pub use secrets::Secrets;
pub use workbench::{
    ApprovalRequest, Asks, Converted, Decision, Doing, HandedBack, HeldAnswer, Kept, Mail, Outcome, Stopped, Turn,
    WorkError, Workbench,
};
