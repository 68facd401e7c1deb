//! One file a table: its migration, its row, its queries.

pub(super) mod approvals;
pub(super) mod artifacts;
pub(super) mod checkpoints;
pub(super) mod conversation;
pub(super) mod credentials;
pub(super) mod deliveries;
pub(super) mod destinations;
pub(super) mod events;
pub(super) mod forget;
pub(super) mod grants;
pub(super) mod handoffs;
pub(super) mod idempotency;
pub(super) mod models;
pub(super) mod password_managers;
pub(super) mod rules;
pub(super) mod sandboxes;
pub(super) mod search;
pub(super) mod tasks;
pub(super) mod webhooks;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// Returns the word that stands for a value of one of our enums on the wire, which is also what columns hold.
fn word(value: impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(StoreError::document("word"))? {
        serde_json::Value::String(word) => Ok(word),
        other => unreachable!("only enums of words are stored in columns, not {other}"),
    }
}

fn from_word<T: DeserializeOwned>(what: &'static str, word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(StoreError::document(what))
}

fn json(what: &'static str, record: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(StoreError::document(what))
}
