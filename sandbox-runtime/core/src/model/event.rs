use super::{EpochMs, wire};
use crate::{EventId, SandboxId, TaskId};

wire! {
    /// Something that happened, as it is stored: committed before it is published, numbered without gaps per sandbox.
    pub struct Event {
        pub id: EventId,
        pub sandbox_id: SandboxId,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
        /// From 1, without gaps, per sandbox.
        pub seq: u64,
        #[serde(rename = "type")]
        pub kind: EventType,
        pub by: Actor,
        pub at: EpochMs,
        pub data: serde_json::Value,
    }

    #[derive(Copy, Eq)]
    pub enum Actor {
        Agent,
        Person,
        Api,
        System,
    }

    #[derive(Copy, Eq, Hash, PartialOrd, Ord)]
    pub enum EventType {
        #[serde(rename = "sandbox.created")] SandboxCreated,
        #[serde(rename = "sandbox.assigned")] SandboxAssigned,
        #[serde(rename = "sandbox.ready")] SandboxReady,
        #[serde(rename = "sandbox.ended")] SandboxEnded,
        #[serde(rename = "sandbox.failed")] SandboxFailed,
        #[serde(rename = "sandbox.agent.ready")] AgentReady,
        #[serde(rename = "sandbox.agent.failed")] AgentFailed,
        #[serde(rename = "sandbox.browser.ready")] BrowserReady,
        #[serde(rename = "sandbox.browser.failed")] BrowserFailed,
        #[serde(rename = "sandbox.browser.navigated")] BrowserNavigated,
        #[serde(rename = "sandbox.browser.dialog")] BrowserDialog,
        #[serde(rename = "sandbox.agent.task.queued")] TaskQueued,
        #[serde(rename = "sandbox.agent.task.started")] TaskStarted,
        #[serde(rename = "sandbox.agent.task.completed")] TaskCompleted,
        #[serde(rename = "sandbox.agent.task.failed")] TaskFailed,
        #[serde(rename = "sandbox.agent.task.cancelled")] TaskCancelled,
        #[serde(rename = "sandbox.agent.step")] AgentStep,
        #[serde(rename = "sandbox.agent.action")] AgentAction,
        #[serde(rename = "sandbox.agent.message")] AgentMessage,
        #[serde(rename = "sandbox.approval.requested")] ApprovalRequested,
        #[serde(rename = "sandbox.approval.decided")] ApprovalDecided,
        #[serde(rename = "sandbox.handoff.requested")] HandoffRequested,
        #[serde(rename = "sandbox.handoff.accepted")] HandoffAccepted,
        #[serde(rename = "sandbox.handoff.completed")] HandoffCompleted,
        #[serde(rename = "sandbox.handoff.cancelled")] HandoffCancelled,
        #[serde(rename = "sandbox.handoff.expired")] HandoffExpired,
        #[serde(rename = "sandbox.control.changed")] ControlChanged,
        #[serde(rename = "sandbox.exec.completed")] ExecCompleted,
        #[serde(rename = "sandbox.file.changed")] FileChanged,
        #[serde(rename = "sandbox.document.converted")] DocumentConverted,
        #[serde(rename = "sandbox.artifacts.updated")] ArtifactsUpdated,
        #[serde(rename = "sandbox.network.denied")] NetworkDenied,
        #[serde(rename = "sandbox.recovered")] Recovered,
    }
}

/// An event before the store numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub sandbox_id: SandboxId,
    pub task_id: Option<TaskId>,
    pub kind: EventType,
    pub by: Actor,
    pub at: EpochMs,
    pub data: serde_json::Value,
}
