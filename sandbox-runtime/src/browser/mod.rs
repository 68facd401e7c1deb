//! Chromium, driven over its debugging pipe: one connection, one [`gate`], actions, observation.

pub mod gate;

pub use gate::{Gate, Live, Permit, Refused};
