//! Events: what happened in a sandbox, as it is stored, sent and told.
//!
//! ```text
//!   { id, sandboxId, taskId?, seq, by, at,   type,            data }
//!     └───────────── Event ─────────────┘    └─ EventData ───────┘   one variant, and one struct, for each type
//! ```
//!
//! Owns every type and what its payload holds: [`table`] names them all, each family has a file. Writers build the struct;
//! readers match on [`EventData`]. Whatever does not read as the payload of its type is [`EventData::Unknown`], and is
//! written back as it came.
//! A payload grows by fields that may be absent: what an older version wrote still reads.

mod approval;
mod browser;
pub mod chain;
mod checkpoint;
mod files;
mod handoff;
mod sandbox;
mod schema;
mod table;
mod task;
#[cfg(test)]
mod tests;
pub mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use approval::*;
pub use browser::*;
pub use checkpoint::*;
pub use files::*;
pub use handoff::*;
pub use sandbox::*;
pub use schema::messages;
pub use table::{EventData, EventType};
pub use task::*;

use crate::address::cut_sign_ins;
use crate::model::{Actor, EpochMs};
use crate::{EventId, SandboxId, TaskId};

/// Derives what every payload derives.
macro_rules! payload {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        $item
    )*};
}
pub(crate) use payload;

/// Something that happened, as it is stored: committed before it is published, numbered without gaps per sandbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub id: EventId,
    pub sandbox_id: SandboxId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// From 1, without gaps, per sandbox.
    pub seq: u64,
    pub by: Actor,
    pub at: EpochMs,
    #[serde(flatten)]
    pub data: EventData,
}

/// An event before the store numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub sandbox_id: SandboxId,
    pub task_id: Option<TaskId>,
    pub by: Actor,
    pub at: EpochMs,
    pub data: EventData,
}

impl NewEvent {
    /// Returns an event of a sandbox, and of no task.
    pub fn new(sandbox: &SandboxId, by: Actor, at: EpochMs, data: impl Into<EventData>) -> Self {
        Self { sandbox_id: sandbox.clone(), task_id: None, by, at, data: data.into() }
    }

    /// Makes it one of this task.
    #[must_use]
    pub fn of_task(self, task: Option<&TaskId>) -> Self {
        Self { task_id: task.cloned(), ..self }
    }
}

/// An event that this version does not know, as another version wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnknownEvent {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub data: Value,
}

impl EventData {
    /// Reads a type and its payload as they were stored; what does not fit its type is [`Self::Unknown`].
    pub fn from_parts(kind: String, payload: Value) -> Self {
        let parts = Map::from_iter([("type".to_owned(), Value::String(kind)), ("data".to_owned(), payload)]);
        serde_json::from_value(Value::Object(parts)).expect("an unknown event has any type and any payload")
    }

    /// Returns the payload alone, as it is stored.
    pub fn payload(&self) -> Value {
        let mut parts = serde_json::to_value(self).expect("an event is plain data");
        parts["data"].take()
    }

    /// Cuts the sign-ins out of every address in the payload.
    #[must_use]
    pub fn without_sign_ins(self) -> Self {
        let mut payload = self.payload();
        cut_sign_ins(&mut payload);
        Self::from_parts(self.kind().to_owned(), payload)
    }
}
