//! What the readers of the two formats have in common.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::reply::{Delta, Reply};

/// Puts an answer together from its events, one format each.
pub(super) trait ReplyReader: Send {
    /// Takes one event, which was JSON.
    fn event(&mut self, event: Value, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<(), Unreadable>;

    /// Whether the provider said that nothing more comes.
    fn is_over(&self) -> bool;

    /// Returns the answer, when the stream has ended.
    fn finish(self: Box<Self>) -> Result<Reply, Unreadable>;
}

/// Why a stream gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It ended before the answer did.
    Cut,
    /// The provider said so in the middle of it.
    Refused(Refusal),
    Malformed(String),
}

impl Unreadable {
    pub(super) fn malformed(what: &str) -> Self {
        Self::Malformed(what.to_owned())
    }
}

/// Reads the arguments of a tool as they were written; text that is no JSON is kept as text.
pub(super) fn arguments(written: &str) -> Value {
    if written.trim().is_empty() {
        return Value::Object(Map::new());
    }
    serde_json::from_str(written).unwrap_or_else(|_| Value::String(written.to_owned()))
}
