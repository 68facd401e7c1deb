//! The contract of a backend, on the real thing. Every case speaks to [`sandbox_runtime::sandbox::Backend`] and to the
//! link, so that another engine passes the same suite by being named in [`bench::Bench::new`].
//!
//! Each case that expects a refusal has a positive control: the same line succeeds outside.
//! Run as root, the suite runs once more as a plain user.

mod bench;
mod commands;
mod endings;
mod isolation;
mod limits;
mod plain_user;
mod refusals;
mod terminals;
mod walls;
