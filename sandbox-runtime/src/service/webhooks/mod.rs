//! Webhooks: addresses that are told about events, in the Standard Webhooks format.
//!
//! ```text
//!   commit ─▶ event + outbox, one transaction ─▶ sender ─▶ post ─▶ receiver
//!                                                  └──── how it ended ─▶ outbox
//! ```
//!
//! Owns the secrets and the sending. Leaves to others what a message says and when it is sent again
//! (`sandbox_core::webhook`), the outbox (`store`), and which addresses are open (`egress`).

mod post;
mod secrets;
mod sender;

use std::time::Duration;

use sandbox_core::model::{
    Delivery, DeliveryStatus, NetworkConfig, NewWebhook, SecretRotation, Webhook, WebhookPatch, WebhookSecret,
};
use sandbox_core::policy::{Host, Policy};
use sandbox_core::webhook::{self, OVERLAP_DEFAULT_MS, OVERLAP_MAX_MS, TEST_TYPE};
use sandbox_core::{DeliveryId, WebhookId};
use url::Url;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::now_ms;
use crate::store::{Change, WebhookChange};

pub(super) use sender::Sender;

const MAX_WEBHOOKS: u32 = 50;
const LONGEST_URL: usize = 2048;
const LONGEST_DESCRIPTION: usize = 500;
/// How long a test waits for the receiver's answer: longer than one attempt may take.
const TEST_DEADLINE: Duration = Duration::from_secs(20);

impl Service {
    /// Makes a webhook and its secret, which is not shown again.
    ///
    /// # Errors
    ///
    /// `invalid` for an address that cannot be used, and for event types that never come.
    pub async fn create_webhook(&self, asked: NewWebhook) -> Answer<WebhookSecret> {
        check(&asked.url, asked.allow_private, &asked.event_types, asked.description.as_deref())?;
        if self.store().count_webhooks().await? >= MAX_WEBHOOKS {
            return Err(ServiceError::new(ErrorCode::Conflict, format!("there are {MAX_WEBHOOKS} webhooks already"))
                .with_hint("delete one that is not needed: DELETE /v1/webhooks/{id}"));
        }
        let webhook = webhook::new(WebhookId::from_unique(crate::unique()), asked, now_ms());
        let (signing_secret, secret) = self.sender().secrets().make(&webhook.id)?;
        self.change_webhook(WebhookChange::Create { webhook: webhook.clone(), secret }).await?;
        Ok(WebhookSecret { webhook, signing_secret: Some(signing_secret) })
    }

    pub async fn webhook(&self, id: &WebhookId) -> Answer<Webhook> {
        self.store().webhook(id).await?.ok_or_else(|| ServiceError::not_found("webhook", id))
    }

    /// Changes what the patch names. What happens meanwhile, such as an answer of 410, is not undone by it.
    ///
    /// # Errors
    ///
    /// As [`Self::create_webhook`], and `notFound`.
    pub async fn patch_webhook(&self, id: &WebhookId, patch: WebhookPatch) -> Answer<Webhook> {
        // Read only to refuse early what its next message would be refused for.
        let now = self.webhook(id).await?;
        check(
            patch.url.as_ref().unwrap_or(&now.url),
            patch.allow_private.unwrap_or(now.allow_private),
            patch.event_types.as_ref().unwrap_or(&now.event_types),
            patch.description.as_deref(),
        )?;
        self.change_webhook(WebhookChange::Patch { id: id.clone(), patch, at: now_ms() }).await?;
        self.webhook(id).await
    }

    /// Deletes the webhook and its messages; nothing is sent to it any more.
    pub async fn delete_webhook(&self, id: &WebhookId) -> Answer<Webhook> {
        let webhook = self.webhook(id).await?;
        self.change_webhook(WebhookChange::Delete { id: id.clone() }).await?;
        Ok(Webhook { enabled: false, ..webhook })
    }

    /// Makes a new secret; the one before signs beside it for a while, so that receivers can change over.
    pub async fn rotate_secret(&self, id: &WebhookId, rotation: SecretRotation) -> Answer<WebhookSecret> {
        let overlap_ms = rotation.overlap_ms.unwrap_or(OVERLAP_DEFAULT_MS);
        if overlap_ms > OVERLAP_MAX_MS {
            return Err(ServiceError::invalid(format!("`overlapMs` is to be 0 to {OVERLAP_MAX_MS} (a week)")));
        }
        self.webhook(id).await?;
        let (signing_secret, secret) = self.sender().secrets().make(id)?;
        let at = now_ms();
        let previous_until = at.saturating_add_unsigned(overlap_ms);
        self.change_webhook(WebhookChange::Rotate { id: id.clone(), secret, previous_until, at }).await?;
        Ok(WebhookSecret { webhook: self.webhook(id).await?, signing_secret: Some(signing_secret) })
    }

    /// Sends a message of the type `webhook.test` and waits for the first answer.
    ///
    /// # Errors
    ///
    /// `conflict` for a webhook that is not enabled.
    pub async fn test_webhook(&self, id: &WebhookId) -> Answer<Delivery> {
        let webhook = self.enabled_webhook(id).await?;
        let at = now_ms();
        let delivery = Delivery {
            id: DeliveryId::from_unique(crate::unique()),
            webhook_id: webhook.id,
            event_id: None,
            kind: TEST_TYPE.to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_status: None,
            last_error: None,
            last_attempt_at: None,
            next_attempt_at: Some(at),
            delivered_at: None,
            created_at: at,
        };
        let body = webhook::test_body(id, at).to_string();
        let mut tried = self.sender().tried();
        self.change_webhook(WebhookChange::Enqueue { delivery: delivery.clone(), body }).await?;
        let answered = tokio::time::timeout(TEST_DEADLINE, async {
            loop {
                let now = self.delivery(id, &delivery.id).await?;
                // It waits behind others if many are due; a sender that ended tries nothing more.
                if now.attempts > 0 || tried.changed().await.is_err() {
                    return Ok(now);
                }
            }
        });
        match answered.await {
            Ok(answered) => answered,
            Err(_) => self.delivery(id, &delivery.id).await,
        }
    }

    /// Sends a message again, with the same `webhook-id` and body, whatever became of it before.
    ///
    /// # Errors
    ///
    /// `conflict` for a webhook that is not enabled.
    pub async fn resend(&self, id: &WebhookId, delivery: &DeliveryId) -> Answer<Delivery> {
        self.enabled_webhook(id).await?;
        self.delivery(id, delivery).await?;
        self.change_webhook(WebhookChange::Resend { id: delivery.clone(), at: now_ms() }).await?;
        self.delivery(id, delivery).await
    }

    async fn enabled_webhook(&self, id: &WebhookId) -> Answer<Webhook> {
        let webhook = self.webhook(id).await?;
        if !webhook.enabled {
            return Err(ServiceError::conflict("this webhook is not enabled", "disabled")
                .with_hint("enable it first: PATCH /v1/webhooks/{id} {\"enabled\":true}"));
        }
        Ok(webhook)
    }

    async fn delivery(&self, webhook: &WebhookId, id: &DeliveryId) -> Answer<Delivery> {
        let found = self.store().delivery(id).await?.filter(|delivery| delivery.webhook_id == *webhook);
        found.ok_or_else(|| ServiceError::not_found("delivery", id))
    }

    async fn change_webhook(&self, change: WebhookChange) -> Answer<()> {
        self.store().commit(Change { webhooks: vec![change], ..Change::default() }).await?;
        self.sender().wake();
        Ok(())
    }

    fn sender(&self) -> &Sender {
        &self.inner.sender
    }
}

fn check(url: &str, allow_private: bool, types: &[String], description: Option<&str>) -> Answer<()> {
    destination(url, allow_private).map_err(|cause| ServiceError::invalid(format!("`url`: {cause}")))?;
    webhook::check_types(types).map_err(|error| ServiceError::invalid(format!("`eventTypes`: {error}")))?;
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(ServiceError::invalid(format!("`description` has more than {LONGEST_DESCRIPTION} characters")));
    }
    Ok(())
}

/// Where a message goes, and by which rules.
#[derive(Debug)]
struct Destination {
    url: Url,
    host: Host,
    port: u16,
    network: NetworkConfig,
}

/// Reads the address and decides on what it says; what a name stands for is decided when it is dialled.
fn destination(url: &str, allow_private: bool) -> Result<Destination, String> {
    const PRIVATE: &str = "set allowPrivate if this address may be told about your events";
    if url.len() > LONGEST_URL {
        return Err(format!("it has more than {LONGEST_URL} letters"));
    }
    let url = Url::parse(url).map_err(|error| format!("it is no address: {error}"))?;
    let Some(port) = url.port_or_known_default().filter(|_| ["http", "https"].contains(&url.scheme())) else {
        return Err(format!("the scheme is to be https or http, not {}", url.scheme()));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave out user and password; the receiver verifies the signature instead".to_owned());
    }
    if url.fragment().is_some() {
        return Err("leave out the part after #, which is never sent".to_owned());
    }
    let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    let allow_private_hosts = if allow_private { vec![host.to_string()] } else { vec![] };
    let network = NetworkConfig { allow_private: allow_private_hosts, ..NetworkConfig::default() };
    let policy = Policy::new(&network).map_err(|error| error.to_string())?;
    policy.by_name(&host, port).map_err(|refusal| format!("{refusal}; {PRIVATE}"))?;
    if host.is_localhost() && !allow_private {
        return Err(format!("{host} is this machine itself; {PRIVATE}"));
    }
    Ok(Destination { url, host, port, network })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_however_they_are_written_unless_allowed() {
        for url in [
            "http://127.0.0.1/",
            "http://localhost:9000/hook",
            "http://a.localhost/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://10.0.0.8/",
            "https://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]:8080/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::a00:1]/",
            "http://0.0.0.0/",
        ] {
            let refused = destination(url, false).expect_err(url);
            assert!(refused.contains("allowPrivate"), "{url}: {refused}");
            assert!(destination(url, true).is_ok(), "{url}");
        }
        for url in ["https://hooks.example.org/a?b=c", "http://[2606:4700::1111]:8443/", "https://8.8.8.8/"] {
            assert!(destination(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_address_is_one_that_can_be_posted_to() {
        for url in [
            "",
            "hooks.example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://",
            "https://user:word@example.org/",
            "https://example.org/#part",
            "https://example.org:99999/",
        ] {
            assert!(destination(url, true).is_err(), "{url}");
        }
        assert!(destination(&format!("https://example.org/{}", "a".repeat(LONGEST_URL)), true).is_err());
    }
}
