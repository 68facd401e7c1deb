//! People: asked, taking control, handing back.

use super::payload;
use crate::HandoffId;
use crate::model::{HandoffReason, Receipt};

payload! {
    /// A person is asked for, or takes control without being asked (`by` is `person`).
    pub struct HandoffRequested {
        pub request_id: HandoffId,
        pub reason: HandoffReason,
        pub message: String,
        /// This was asked before: the person who drove left without handing back, or the runtime was restarted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub again: bool,
    }

    /// A person drives.
    pub struct HandoffAccepted {
        pub request_id: HandoffId,
        /// Who drives, by name.
        pub controller: String,
    }

    /// Control was handed back, or what was asked for was met without anybody.
    pub struct HandoffCompleted {
        pub request_id: HandoffId,
        /// What changed while the person drove. Absent if nobody was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub receipt: Option<Receipt>,
        pub note: Option<String>,
        /// For how long persons held control.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_ms: Option<u64>,
        /// How often a person took control.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub takeovers: Option<u32>,
        /// Set if nobody was asked because `until` was met already; `reason` and `message` then say what was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub until_met: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<HandoffReason>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub message: Option<String>,
    }

    /// A request was called off.
    pub struct HandoffCancelled {
        pub request_id: HandoffId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub takeovers: Option<u32>,
        /// Why, if the runtime stopped while it stood.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub message: Option<String>,
    }

    /// A request ran out of time.
    pub struct HandoffExpired {
        pub request_id: HandoffId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub takeovers: Option<u32>,
    }
}
