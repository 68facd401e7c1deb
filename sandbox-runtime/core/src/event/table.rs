//! Every type of event, in one table: its name on the wire, and the struct of that name that is its payload.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::*;

/// Is shown the payload of every type.
pub(super) trait PayloadVisitor {
    fn visit<P: ToSchema>(&mut self, event_type: EventType);
}

macro_rules! events {
    (
        written { $( $name:ident = $wire:literal, )* }
        reserved { $( $reserved:ident = $reserved_wire:literal, )* }
    ) => {
        /// The type of an event.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum EventType {
            $( #[serde(rename = $wire)] $name, )*
            $( #[serde(rename = $reserved_wire)] $reserved, )*
        }

        impl EventType {
            /// Every type of the contract.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* $( Self::$reserved, )* ];

            /// Returns the name on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$name => $wire, )*
                    $( Self::$reserved => $reserved_wire, )*
                }
            }

            /// Whether this version writes events of this type. The others are named in the contract, and have no payload yet.
            pub fn is_written(self) -> bool {
                match self {
                    $( Self::$name => true, )*
                    $( Self::$reserved => false, )*
                }
            }
        }

        /// The type of an event, with its payload.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "data")]
        pub enum EventData {
            $( #[serde(rename = $wire)] $name($name), )*
            /// Of a type, or with a payload, that this version does not know. Pages make a type of their own of it.
            #[serde(untagged)]
            Unknown(UnknownEvent),
        }

        impl EventData {
            /// Returns the name of the type on the wire.
            pub fn kind(&self) -> &str {
                match self {
                    $( Self::$name(_) => $wire, )*
                    Self::Unknown(unknown) => &unknown.kind,
                }
            }
        }

        $(
            impl From<$name> for EventData {
                fn from(payload: $name) -> Self {
                    Self::$name(payload)
                }
            }
        )*

        /// Shows the payload of every type to `visitor`.
        pub(super) fn visit_payloads(visitor: &mut impl PayloadVisitor) {
            $( visitor.visit::<$name>(EventType::$name); )*
        }
    };
}

// One more also needs a line of `events.jsonl`, its words in `words.rs` and in the interface, and script/generate.
events! {
    written {
        SandboxCreated = "sandbox.created",
        SandboxAssigned = "sandbox.assigned",
        SandboxReady = "sandbox.ready",
        SandboxPaused = "sandbox.paused",
        SandboxResumed = "sandbox.resumed",
        SandboxEnded = "sandbox.ended",
        SandboxFailed = "sandbox.failed",
        Recovered = "sandbox.recovered",
        AgentReady = "sandbox.agent.ready",
        TaskQueued = "sandbox.agent.task.queued",
        TaskStarted = "sandbox.agent.task.started",
        TaskCompleted = "sandbox.agent.task.completed",
        TaskFailed = "sandbox.agent.task.failed",
        TaskCancelled = "sandbox.agent.task.cancelled",
        AgentStep = "sandbox.agent.step",
        AgentAction = "sandbox.agent.action",
        AgentMessage = "sandbox.agent.message",
        BrowserReady = "sandbox.browser.ready",
        BrowserFailed = "sandbox.browser.failed",
        BrowserNavigated = "sandbox.browser.navigated",
        BrowserDialog = "sandbox.browser.dialog",
        ApprovalRequested = "sandbox.approval.requested",
        ApprovalDecided = "sandbox.approval.decided",
        HandoffRequested = "sandbox.handoff.requested",
        HandoffAccepted = "sandbox.handoff.accepted",
        HandoffCompleted = "sandbox.handoff.completed",
        HandoffCancelled = "sandbox.handoff.cancelled",
        HandoffExpired = "sandbox.handoff.expired",
        ControlChanged = "sandbox.control.changed",
        ExecCompleted = "sandbox.exec.completed",
        FileChanged = "sandbox.file.changed",
        DocumentConverted = "sandbox.document.converted",
        CheckpointCreated = "sandbox.checkpoint.created",
        CheckpointRestored = "sandbox.checkpoint.restored",
        ArtifactsUpdated = "sandbox.artifacts.updated",
        NetworkDenied = "sandbox.network.denied",
        CredentialUsed = "sandbox.credential.used",
    }
    reserved {
        AgentFailed = "sandbox.agent.failed",
    }
}

impl EventData {
    /// Returns the type; `None` for one that is not in the contract.
    pub fn event_type(&self) -> Option<EventType> {
        EventType::ALL.iter().copied().find(|known| known.as_str() == self.kind())
    }
}
