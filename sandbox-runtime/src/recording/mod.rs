//! Recordings as files: H.264 in MP4, with the true times, and the gaps in them.
//!
//! ```text
//!   pictures ──▶ Reel: fragments, each on its own      ──▶ finish ──▶ Movie: an ordinary MP4, its index first
//!                └── gaps, one line each                             (an artifact)
//! ```
//!
//! A reel loses nothing to a kill: each picture is a fragment that is whole or is not there. What a runtime left is finished
//! by the next one. Owns the two layouts and the lines of gaps; leaves to the driver what may be recorded, and when.

mod avc;
mod keep;
mod movie;
mod reel;

pub use avc::AccessUnit;
pub use keep::{Kept, keep_all};
pub use reel::{Reel, ReelError, Unfinished, find, folders, unfinished};
