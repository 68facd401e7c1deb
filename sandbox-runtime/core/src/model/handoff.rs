use super::{EpochMs, Preview, wire};
use crate::{HandoffId, SandboxId, TaskId};

/// Why a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoffReason {
    Mfa,
    Captcha,
    Approval,
    LoginFailed,
    AmbiguousUi,
    FileDownload,
    Custom,
}

wire! {
    /// A request for a person.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct HandoffRequest {
        pub reason: HandoffReason,
        pub message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resume_prompt: Option<String>,
        /// Time until the request expires, in milliseconds. Default: it does not expire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_in_ms: Option<u64>,
        /// Checked when the person hands control back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub until: Option<Until>,
    }

    /// When a handoff counts as done. Every field that is set must match.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Until {
        /// Address pattern. `*` matches within one path segment, `**` across segments.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub selector: Option<String>,
        /// Name of a cookie that must be set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cookie: Option<String>,
    }

    /// What becomes at the hand-back of what a person typed and is still on the page.
    #[derive(Copy, Eq, Default)]
    pub enum TypedText {
        /// It stays, and the document is closed to programs.
        #[default]
        Veiled,
        /// Those fields are emptied.
        Cleared,
        /// Programs may read it.
        Revealed,
    }

    #[derive(Copy, Eq)]
    pub enum HandoffStatus {
        Pending,
        Accepted,
        Completed,
        Cancelled,
        Expired,
    }

    #[derive(Copy, Eq)]
    pub enum RequestedBy {
        Agent,
        Worker,
        Sdk,
        Dashboard,
    }

    /// A recorded request that a person do something.
    pub struct Handoff {
        pub request_id: HandoffId,
        pub sandbox_id: SandboxId,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
        pub status: HandoffStatus,
        pub reason: HandoffReason,
        pub message: String,
        pub requested_by: RequestedBy,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub controller: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resume_prompt: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub until: Option<Until>,
        /// Site of the sign-in form on the page, if the vault has no sign-in for it. Save one, then fill it in with
        /// `POST /v1/sandboxes/{id}/handoff/sign-in`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub missing_sign_in: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub receipt: Option<Receipt>,
        pub requested_at: EpochMs,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub accepted_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub completed_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<EpochMs>,
        pub updated_at: EpochMs,
    }

    /// What changed while a person held control. Names only, never values.
    #[derive(Default, Eq)]
    pub struct Receipt {
        pub held_ms: u64,
        pub before: PageName,
        pub after: PageName,
        pub tabs_opened: Vec<String>,
        pub tabs_closed: Vec<String>,
        /// Sites whose sign-in state changed.
        pub signed_in_changed: Vec<String>,
        /// Labels or names of fields that the person typed in.
        pub fields_touched: Vec<String>,
        /// Names of fields that still hold what the person typed: their documents are closed to programs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub fields_veiled: Vec<String>,
        /// Workspace paths.
        pub files_arrived: Vec<String>,
        /// Number of clicks, keys and pastes.
        pub inputs: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        /// Whether `until` was met when control was handed back. Absent if there was no condition.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub until_met: Option<bool>,
    }

    #[derive(Default, Eq)]
    pub struct PageName {
        pub url: String,
        pub title: String,
    }

    /// The answer of every handoff route.
    pub struct HandoffEnvelope {
        pub ok: bool,
        #[schema(required)]
        pub handoff: Option<Handoff>,
        pub preview: Preview,
    }
}
