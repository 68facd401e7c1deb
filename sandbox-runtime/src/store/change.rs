//! What is written together, and what is asked for.

use sandbox_core::model::{
    Approval, ApprovalStatus, Artifact, EpochMs, EventType, Grant, Handoff, HandoffStatus, ModelInfo, NewEvent, Rule,
    Sandbox, SandboxStatus, Task, TaskStatus,
};
use sandbox_core::{ArtifactKey, EventId, SandboxId, TaskId};

/// Everything that one transaction writes: all of it, or nothing. Records replace those of the same id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub sandboxes: Vec<Sandbox>,
    pub tasks: Vec<Task>,
    pub handoffs: Vec<Handoff>,
    pub approvals: Vec<Approval>,
    pub grants: Vec<Grant>,
    /// A person's rules, all of them, in place of those before.
    pub rules: Option<Vec<Rule>>,
    pub models: Vec<ModelInfo>,
    /// Their names.
    pub deleted_models: Vec<String>,
    pub artifacts: Vec<Artifact>,
    /// Their blobs go too, once no other artifact has the same content.
    pub deleted_artifacts: Vec<ArtifactKey>,
    /// Parts of tasks' conversations, in this order.
    pub conversation: Vec<(TaskId, serde_json::Value)>,
    /// Numbered in this order.
    pub events: Vec<NewEvent>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxFilter {
    pub status: Option<SandboxStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    pub sandbox_id: Option<SandboxId>,
    pub status: Option<TaskStatus>,
    /// Words or parts of words of title, prompt, playbook, result or error; all of them must occur.
    pub q: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoffFilter {
    pub sandbox_id: Option<SandboxId>,
    pub status: Option<HandoffStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    pub sandbox_id: Option<SandboxId>,
    pub status: Option<ApprovalStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    pub sandbox_id: Option<SandboxId>,
    pub task_id: Option<TaskId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactFilter {
    pub sandbox_id: Option<SandboxId>,
    /// A part of the name.
    pub q: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub sandbox_id: Option<SandboxId>,
    pub task_id: Option<TaskId>,
    /// Every type if empty.
    pub types: Vec<EventType>,
    /// Only what was committed after this event.
    pub after: Option<EventId>,
}

/// What had not ended when the runtime did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unfinished {
    pub sandboxes: Vec<Sandbox>,
    pub tasks: Vec<Task>,
    pub handoffs: Vec<Handoff>,
    pub approvals: Vec<Approval>,
}

/// Something that the search found: a task by its own words or by those of its events, or an event outside any task.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    pub sandbox_id: SandboxId,
    /// The task's title, or the event's type.
    pub title: String,
    /// Plain text around the first place that was found; `…` where it was cut.
    pub snippet: String,
    /// When what was found came about.
    pub at: EpochMs,
}

/// The answer that an idempotency key was given first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Of the request's body; another body under the same key is a mistake of the caller.
    pub body_hash: String,
    pub status: u16,
    pub body: String,
}
