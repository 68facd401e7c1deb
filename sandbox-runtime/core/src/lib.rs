//! The rules of Baton, pure.
//!
//! Owns the vocabulary ([`model`]), what happens ([`event`]), the machine that says who drives ([`control`]), the life of tasks and handoffs,
//! what a person is asked before it is done ([`approval`]), which sign-in belongs to a page ([`credential`]), playbooks as data, the network policy as a function,
//! and what a webhook is sent and when ([`webhook`]).
//! Leaves to others: everything that opens, waits, or reads a clock. Time comes in as an argument, effects go out as values.

pub mod action;
pub mod address;
pub mod approval;
pub mod control;
pub mod credential;
pub mod document;
pub mod event;
pub mod handoff;
pub mod ids;
pub mod layout;
pub mod model;
mod names;
pub mod observation;
pub mod playbook;
pub mod policy;
pub mod task;
pub mod viewer;
pub mod webhook;
pub mod work;

pub use ids::*;
pub use names::{MAX_FILE_NAME, file_name, hexadecimal, plain_name};
