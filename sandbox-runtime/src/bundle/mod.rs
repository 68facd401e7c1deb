//! A task as one file: a zip of its story, its files, its recording, its receipts and approvals, with a manifest of hashes.
//!
//! ```text
//!   report.html       the task as a page that opens anywhere
//!   task.json         the record, as the API gives it
//!   events.jsonl      one event a line, from the task's first to its last
//!   events.sha256     the hash before the first line, then the hash of each line; `-` where there is none
//!   handoffs.json     with their receipts
//!   approvals.json
//!   network.json      where the sandbox went until the bundle was made, with bytes
//!   artifacts.json    the records of what lies in files/ and recording/
//!   files/NAME        what the task kept
//!   recording/NAME
//!   pictures/SHA.png  what the events show
//!   manifest.json     size and SHA-256 of all of these
//! ```
//!
//! The hashes of the events are those that the history kept when each happened ([`sandbox_core::event::chain`]). They cover
//! the contents also: an event about a picture or an artifact names its hash.
//!
//! Owns the format. Leaves to others which records belong to a task. All calls block.

mod contents;
mod make;
mod manifest;
mod report;
#[cfg(test)]
mod tests;
mod verify;

pub use contents::Contents;
pub use make::make;
pub use verify::{Verdict, VerifyError, verify};
