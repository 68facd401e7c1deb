//! The lossless picture of a screen: what a guest sends to its viewers, and what they do with it. Pure: no X server, no
//! socket, no clock.
//!
//! ```text
//!   pixels ── Hashes ──┐
//!                      ├── Encoder ── message ── Canvas ── pixels
//!   shown  ── Hashes ──┘      (shift, columns, palette, LZ4)
//! ```
//!
//! The encoder keeps one hash for each row of each column band that the viewer shows, and no old picture: equal hashes
//! mean equal pixels, and a hash that appears at another row means that the page scrolled. Whatever the order of pictures,
//! after a message the canvas holds exactly the screen, or what [`Encoder::forget_within`] was told is not exact.

mod columns;
mod decode;
mod encode;
mod hash;
mod palette;
mod picture;
pub mod pieces;
mod rect;
mod shift;
pub mod wire;

pub use decode::{BadPicture, Canvas};
pub use encode::{Encoder, Sent};
pub use hash::{BAND, Hashes, Seed};
pub use picture::{OPAQUE, Picture};
pub use rect::Rect;
