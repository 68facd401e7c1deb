//! Anthropic's Messages, streamed, as its documents of version 2023-06-01 describe them.

mod read;
mod write;

pub(super) use read::MessageReader;
pub(super) use write::body;
