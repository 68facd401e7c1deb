//! What a webhook is sent, when, and what an answer means: the Standard Webhooks format without its I/O.
//!
//! ```text
//!   event ─▶ wants? ─▶ pending ──2xx──▶ delivered
//!                      ▲     │
//!                      │     ├─ anything else: at the time of the schedule, or of Retry-After ─▶ pending
//!                   resend   ├─ the schedule is used up ─▶ failed
//!                      └─────┴─ 410 ─▶ failed, and the webhook is disabled
//! ```

mod delivery;
mod message;
mod schedule;
mod types;

pub use delivery::{Answer, GONE, Outcome, record, resend};
pub use message::{body, iso_8601, signed_text, test_body};
pub use schedule::{Schedule, ScheduleError};
pub use types::{TypesError, check_types, wants};

use crate::WebhookId;
use crate::model::{EpochMs, NewWebhook, Webhook, WebhookPatch};

/// The type of the message that tries a webhook out.
pub const TEST_TYPE: &str = "webhook.test";
/// How long the secret before signs beside a new one, unless asked for otherwise.
pub const OVERLAP_DEFAULT_MS: u64 = 24 * 60 * 60 * 1000;
pub const OVERLAP_MAX_MS: u64 = 7 * OVERLAP_DEFAULT_MS;

/// Returns the webhook that was asked for.
pub fn new(id: WebhookId, asked: NewWebhook, at: EpochMs) -> Webhook {
    Webhook {
        id,
        url: asked.url,
        description: asked.description.unwrap_or_default(),
        event_types: asked.event_types,
        allow_private: asked.allow_private,
        enabled: true,
        disabled_reason: None,
        previous_secret_expires_at: None,
        created_at: at,
        updated_at: at,
    }
}

/// Changes what the patch names, and nothing else.
pub fn patch(webhook: &mut Webhook, patch: &WebhookPatch, at: EpochMs) {
    let WebhookPatch { url, event_types, description, allow_private, enabled } = patch.clone();
    if let Some(url) = url {
        webhook.url = url;
    }
    if let Some(event_types) = event_types {
        webhook.event_types = event_types;
    }
    if let Some(description) = description {
        webhook.description = description;
    }
    if let Some(allow_private) = allow_private {
        webhook.allow_private = allow_private;
    }
    if let Some(enabled) = enabled {
        webhook.enabled = enabled;
        webhook.disabled_reason = None;
    }
    webhook.updated_at = at;
}

/// Disables the webhook because the receiver at `url` said that it is gone; one that has another address by now stays.
pub fn gone(webhook: &mut Webhook, url: &str, at: EpochMs) -> bool {
    if !webhook.enabled || webhook.url != url {
        return false;
    }
    webhook.enabled = false;
    webhook.disabled_reason = Some("the receiver answered 410 Gone".to_owned());
    webhook.updated_at = at;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        let asked = NewWebhook {
            url: "https://a.example/hook".to_owned(),
            event_types: vec![],
            description: None,
            allow_private: false,
        };
        new("wh_1".into(), asked, 5)
    }

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let mut changed = webhook();
        patch(&mut changed, &WebhookPatch { description: Some("bell".to_owned()), ..WebhookPatch::default() }, 9);
        assert_eq!(changed, Webhook { description: "bell".to_owned(), updated_at: 9, ..webhook() });
    }

    #[test]
    fn a_patch_that_does_not_speak_of_it_leaves_a_webhook_that_is_gone_disabled() {
        let mut changed = webhook();
        assert!(gone(&mut changed, "https://a.example/hook", 7));
        patch(&mut changed, &WebhookPatch { description: Some("bell".to_owned()), ..WebhookPatch::default() }, 9);
        assert!(!changed.enabled && changed.disabled_reason.is_some());
        patch(&mut changed, &WebhookPatch { enabled: Some(true), ..WebhookPatch::default() }, 10);
        assert!(changed.enabled && changed.disabled_reason.is_none());
    }

    #[test]
    fn gone_is_about_the_address_that_said_so() {
        let mut changed = webhook();
        assert!(!gone(&mut changed, "https://old.example/hook", 7));
        assert_eq!(changed, webhook());
    }
}
