use super::{EpochMs, wire};
use crate::{DeliveryId, EventId, WebhookId};

wire! {
    /// What a caller asks for: an address that is told about events.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct NewWebhook {
        /// `https://…`, or `http://…`.
        #[schema(max_length = 2048)]
        pub url: String,
        /// Types of events, such as `sandbox.handoff.requested` or `sandbox.handoff.*`; every type if empty.
        #[serde(default)]
        pub event_types: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        /// Whether the address may be this machine or a private one.
        #[serde(default)]
        pub allow_private: bool,
    }

    /// What is to change; whatever is absent stays.
    #[derive(Default, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct WebhookPatch {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 2048)]
        pub url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub event_types: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub allow_private: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enabled: Option<bool>,
    }

    /// An address that is told about events. Its secret is shown when it is made, and never again.
    #[derive(Eq)]
    pub struct Webhook {
        pub id: WebhookId,
        pub url: String,
        pub description: String,
        /// Every type if empty.
        pub event_types: Vec<String>,
        pub allow_private: bool,
        pub enabled: bool,
        /// Why it is not enabled, where that was not asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disabled_reason: Option<String>,
        /// Until then the secret before the latest rotation signs as well.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub previous_secret_expires_at: Option<EpochMs>,
        pub created_at: EpochMs,
        pub updated_at: EpochMs,
    }

    /// A webhook and its new secret.
    #[derive(Eq)]
    pub struct WebhookSecret {
        #[serde(flatten)]
        pub webhook: Webhook,
        /// `whsec_…`, as libraries of Standard Webhooks take it. Shown here only: the answer that is repeated for an
        /// `Idempotency-Key` is without it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub signing_secret: Option<String>,
    }

    /// Asks for a new secret.
    #[derive(Default, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct SecretRotation {
        /// How long the secret before signs beside the new one: a day without it, at most a week; 0 ends it at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(maximum = 604_800_000)]
        pub overlap_ms: Option<u64>,
    }

    #[derive(Copy, Eq)]
    pub enum DeliveryStatus {
        /// It will be tried, now or at `nextAttemptAt`.
        Pending,
        /// The receiver answered with 2xx.
        Delivered,
        /// Given up; it can be resent.
        Failed,
    }

    /// One message to one webhook.
    #[derive(Eq)]
    pub struct Delivery {
        /// `webhook-id`: the same at each attempt.
        pub id: DeliveryId,
        pub webhook_id: WebhookId,
        /// Absent for a test.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub event_id: Option<EventId>,
        /// Of the event, or `webhook.test`.
        #[serde(rename = "type")]
        pub kind: String,
        pub status: DeliveryStatus,
        /// Since it was made, or resent.
        pub attempts: u32,
        /// What the receiver answered last.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub last_status: Option<u16>,
        /// What went wrong last, in a sentence.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub last_error: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub last_attempt_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_attempt_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub delivered_at: Option<EpochMs>,
        pub created_at: EpochMs,
    }
}
