//! One byte stream between the runtime and a guest, carrying many by yamux; and the words spoken on it.
//!
//! A crate of its own because it has two consumers that share nothing else: the runtime and the guest.

mod framing;
mod handshake;
mod mux;
pub mod protocol;
pub mod walls;

pub use framing::{read_frame, read_message, write_frame, write_message};
pub use handshake::{greet_guest, greet_runtime};
pub use mux::{Incoming, Link, LinkError, Side, Stream};
