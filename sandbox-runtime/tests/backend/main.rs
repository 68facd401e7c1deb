//! The contract of a backend, on the real thing. Every case speaks to [`sandbox_runtime::sandbox::Backend`] and to the
//! link: `BATON_TEST_BACKEND=docker` runs the cases of commands, terminals, isolation and endings on containers instead of
//! bubblewrap (`script/with-docker` has an engine for it).
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
