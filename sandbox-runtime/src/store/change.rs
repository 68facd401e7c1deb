//! What is written together, and what is asked for.

use sandbox_core::event::{EventType, NewEvent};
use sandbox_core::model::{
    Approval, ApprovalStatus, Artifact, Checkpoint, Credential, CredentialSource, CredentialUse, Delivery,
    DeliveryStatus, EpochMs, Grant, Handoff, HandoffStatus, ModelInfo, NetworkDestination, Rule, Sandbox,
    SandboxStatus, Task, TaskStatus, Webhook, WebhookPatch,
};
use sandbox_core::webhook::{Answer, Schedule};
use sandbox_core::{ArtifactKey, CheckpointId, CredentialId, DeliveryId, EventId, SandboxId, TaskId, WebhookId};

use super::table::forget::Plan;

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
    /// Without their values.
    pub credentials: Vec<Credential>,
    pub deleted_credentials: Vec<CredentialId>,
    /// Lines of the ledger, in this order.
    pub credential_uses: Vec<CredentialUse>,
    /// With when they were listed.
    pub connected_password_managers: Vec<(CredentialSource, EpochMs)>,
    pub disconnected_password_managers: Vec<CredentialSource>,
    /// What was counted of them since the last change: added to what is there.
    pub destinations: Vec<(SandboxId, NetworkDestination)>,
    pub artifacts: Vec<Artifact>,
    /// Their blobs go too, once no other artifact has the same content.
    pub deleted_artifacts: Vec<ArtifactKey>,
    pub checkpoints: Vec<Checkpoint>,
    /// Contents that a checkpoint uses; committed before the checkpoint itself, in parts.
    pub checkpoint_contents: Vec<(CheckpointId, Vec<String>)>,
    /// Contents that nothing else uses go too.
    pub deleted_checkpoints: Vec<CheckpointId>,
    /// A part of the history of a sandbox that goes for good.
    pub forgotten: Option<Forget>,
    /// Parts of tasks' conversations, in this order.
    pub conversation: Vec<(TaskId, serde_json::Value)>,
    pub webhooks: Vec<WebhookChange>,
    /// Numbered in this order. Each is put into the outbox of every webhook that wants it.
    pub events: Vec<NewEvent>,
    /// Whether it says what is done already, and so is kept on a full disk too, as far as the reserve goes.
    pub must_be_kept: bool,
}

impl Change {
    /// Returns this change and a later one as one.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.sandboxes.extend(later.sandboxes);
        self.tasks.extend(later.tasks);
        self.handoffs.extend(later.handoffs);
        self.approvals.extend(later.approvals);
        self.grants.extend(later.grants);
        self.rules = later.rules.or(self.rules);
        self.models.extend(later.models);
        self.deleted_models.extend(later.deleted_models);
        self.credentials.extend(later.credentials);
        self.deleted_credentials.extend(later.deleted_credentials);
        self.credential_uses.extend(later.credential_uses);
        self.connected_password_managers.extend(later.connected_password_managers);
        self.disconnected_password_managers.extend(later.disconnected_password_managers);
        self.destinations.extend(later.destinations);
        self.artifacts.extend(later.artifacts);
        self.deleted_artifacts.extend(later.deleted_artifacts);
        self.checkpoints.extend(later.checkpoints);
        self.checkpoint_contents.extend(later.checkpoint_contents);
        self.deleted_checkpoints.extend(later.deleted_checkpoints);
        self.conversation.extend(later.conversation);
        self.webhooks.extend(later.webhooks);
        self.events.extend(later.events);
        self.must_be_kept |= later.must_be_kept;
        self
    }
}

/// What goes of a sandbox that is forgotten; see [`super::Store::forget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    pub(super) id: SandboxId,
    pub(super) plan: Plan,
    pub(super) part: ForgetPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForgetPart {
    /// The oldest events.
    Events,
    /// All else.
    Rest,
}

/// What is done to webhooks and their messages. Each reads and writes within the transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookChange {
    Create {
        webhook: Webhook,
        secret: SealedSecret,
    },
    Patch {
        id: WebhookId,
        patch: WebhookPatch,
        at: EpochMs,
    },
    Rotate {
        id: WebhookId,
        secret: SealedSecret,
        previous_until: EpochMs,
        at: EpochMs,
    },
    /// Its messages go with it.
    Delete {
        id: WebhookId,
    },
    Enqueue {
        delivery: Delivery,
        body: String,
    },
    Resend {
        id: DeliveryId,
        at: EpochMs,
    },
    /// How an attempt ended.
    Tried {
        due: Due,
        answer: Answer,
        schedule: Schedule,
        at: EpochMs,
    },
    /// Forgets messages that ended long ago.
    ForgetOld {
        at: EpochMs,
    },
}

/// A secret of a webhook, sealed with a key that is not in the history.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedSecret {
    /// Base64.
    pub sealed: String,
    /// `None` for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<EpochMs>,
}

/// A message that is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: DeliveryId,
    /// Which sending of the message this is; a resend begins the next.
    pub round: i64,
    pub body: String,
    pub webhook: Webhook,
    /// The newest first.
    pub secrets: Vec<SealedSecret>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub webhook_id: WebhookId,
    pub status: Option<DeliveryStatus>,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFilter {
    pub sandbox_id: SandboxId,
    pub automatic: Option<bool>,
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

/// An event as the history's chain knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedLine {
    pub seq: u64,
    /// See [`sandbox_core::event::chain`].
    pub line: String,
    /// `None` for an event from before there was a chain.
    pub hash: Option<String>,
}

/// A task's part of its sandbox's events: from its first to its last, those of others between them also.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chained {
    /// The hash before the first; empty where the chain begins.
    pub previous: String,
    pub lines: Vec<ChainedLine>,
}

/// What people did in a sandbox, and what it kept; each oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    pub handoffs: Vec<Handoff>,
    pub approvals: Vec<Approval>,
    pub artifacts: Vec<Artifact>,
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
