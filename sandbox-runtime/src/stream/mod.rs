//! Viewers: a person's page connected to a desktop room, by WebSocket or by WebRTC (WHEP).
//!
//! ```text
//!                 ┌ words ──▶ Conversation ─▶ Seat (the driver's gate) ─▶ Lane ─▶ Open::Input ┐
//!   page ◀──▶ socket │ whep                                                              desktop room
//!                 └ pictures ◀────────────────────────────────────────── Open::Video ◀────────┘
//! ```
//!
//! Owns the way between page and room: which words are allowed now, one lane of input for each viewer, one picture in
//! hand. Leaves to others who drives (the driver, through [`Seat`]), capture and injection (the guest), tokens and
//! tickets (the api).

mod clipboard;
mod conversation;
mod lane;
mod pictures;
mod room_input;
mod seat;
mod socket;
#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod testing;
mod video;
pub mod whep;

pub use seat::{InputWeight, Refusal, Seat, Typist};
pub use socket::{MAX_MESSAGE, serve};
pub use whep::{WhepError, WhepSessions};
