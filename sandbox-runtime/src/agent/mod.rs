//! What does a task: the playbook runner.
//!
//! Owns the order of steps and what a failure says. Leaves to the driver, through [`Workbench`]: whose turn it is, what is
//! recorded, and every state.

mod playbook;
mod workbench;

pub use playbook::run_playbook;
pub use workbench::{HandedBack, Outcome, Stopped, Turn, WorkError, Workbench};
