//! Handoffs and control, for programs.

use std::time::Duration;

use sandbox_core::model::{
    CredentialKind, Handoff, HandoffEnvelope, HandoffRequest, HandoffStatus, Preview, RequestedBy, TypedText,
};
use sandbox_core::{CredentialId, HandoffId, SandboxId, plain_name};

use tokio::sync::broadcast::error::RecvError;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::driver::{Driver, FillError};
use crate::store::{HandoffFilter, PageRequest};

const LONGEST_MESSAGE: usize = 2_000;
const LONGEST_CONTROLLER: usize = 100;

impl Service {
    /// Returns the handoff that stands, or else the newest of this sandbox.
    pub async fn handoff(&self, id: &SandboxId) -> Answer<HandoffEnvelope> {
        let sandbox = self.sandbox(id).await?;
        let handoff = match sandbox.handoff {
            Some(standing) => Some(standing),
            None => self.newest_handoff(id).await?,
        };
        Ok(HandoffEnvelope { ok: true, handoff, preview: sandbox.preview })
    }

    pub async fn request_handoff(
        &self,
        id: &SandboxId,
        request: HandoffRequest,
        by: RequestedBy,
    ) -> Answer<HandoffEnvelope> {
        if request.message.trim().is_empty() || request.message.chars().count() > LONGEST_MESSAGE {
            return Err(ServiceError::invalid(format!("`message` needs 1 to {LONGEST_MESSAGE} characters")));
        }
        if request.expires_in_ms == Some(0) {
            return Err(ServiceError::invalid("`expiresInMs` is 0; leave it out for a request without expiry"));
        }
        let driver = self.working_driver(id).await?;
        driver.request_handoff(request, by).await?;
        self.envelope(id, &driver).await
    }

    /// Waits until a handoff has ended, at most for `limit`; returns it as it is then.
    pub async fn handoff_ended(&self, id: &HandoffId, limit: Duration) -> Answer<Handoff> {
        // Subscribed before looking: an end between the two is not missed.
        let mut events = self.store().subscribe();
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let handoff = self.store().handoff(id).await?.ok_or_else(|| ServiceError::not_found("handoff", id))?;
            let stands = matches!(handoff.status, HandoffStatus::Pending | HandoffStatus::Accepted);
            if !stands {
                return Ok(handoff);
            }
            loop {
                match tokio::time::timeout_at(deadline, events.recv()).await {
                    Err(_) => return Ok(handoff),
                    Ok(Ok(event)) if event.sandbox_id == handoff.sandbox_id => break,
                    Ok(Ok(_)) => {}
                    Ok(Err(RecvError::Lagged(_))) => break,
                    Ok(Err(RecvError::Closed)) => {
                        return Err(ServiceError::new(ErrorCode::Unavailable, "history is closed"));
                    }
                }
            }
        }
    }

    pub async fn accept_handoff(&self, id: &SandboxId, controller: String) -> Answer<HandoffEnvelope> {
        let controller = checked_controller(controller)?;
        let driver = self.working_driver(id).await?;
        let standing = driver.sandbox().handoff.filter(|handoff| handoff.status == HandoffStatus::Pending);
        if standing.is_none() {
            return Err(match driver.sandbox().handoff {
                Some(handoff) => ServiceError::conflict("this handoff was accepted already", handoff.status),
                None => ServiceError::conflict("no handoff waits in this sandbox", driver.sandbox().status),
            });
        }
        driver.take(controller).await?;
        self.envelope(id, &driver).await
    }

    pub async fn complete_handoff(
        &self,
        id: &SandboxId,
        note: Option<String>,
        typed: TypedText,
    ) -> Answer<HandoffEnvelope> {
        let driver = self.working_driver(id).await?;
        if driver.sandbox().handoff.is_none() {
            return Err(ServiceError::conflict("no handoff stands in this sandbox", driver.sandbox().status));
        }
        driver.release(note, typed).await?;
        self.envelope(id, &driver).await
    }

    /// Fills in a sign-in of the vault on the word of the person who was asked, and completes the handoff for them.
    ///
    /// # Errors
    ///
    /// `conflict` where nobody was asked, or the sign-in did not come about: then the handoff stands, and the message says why.
    pub async fn sign_in_at_handoff(&self, id: &SandboxId, credential: &CredentialId) -> Answer<HandoffEnvelope> {
        let entry = self.credential(credential).await?;
        if entry.kind != CredentialKind::Login {
            return Err(ServiceError::invalid("`credentialId` names a secret; only a login is filled in"));
        }
        let driver = self.working_driver(id).await?;
        driver.fill_for_person(&entry).await?;
        self.envelope(id, &driver).await
    }

    pub async fn cancel_handoff(&self, id: &SandboxId, note: Option<String>) -> Answer<HandoffEnvelope> {
        let driver = self.working_driver(id).await?;
        driver.cancel_handoff(note).await?;
        self.envelope(id, &driver).await
    }

    pub async fn take_control(&self, id: &SandboxId, controller: String) -> Answer<Preview> {
        let controller = checked_controller(controller)?;
        let driver = self.working_driver(id).await?;
        driver.take(controller).await?;
        Ok(driver.sandbox().preview)
    }

    pub async fn release_control(&self, id: &SandboxId, note: Option<String>, typed: TypedText) -> Answer<Preview> {
        let driver = self.working_driver(id).await?;
        if !driver.is_held() {
            return Err(ServiceError::conflict("nobody holds control", driver.sandbox().preview.control_mode));
        }
        driver.release(note, typed).await?;
        Ok(driver.sandbox().preview)
    }

    async fn envelope(&self, id: &SandboxId, driver: &Driver) -> Answer<HandoffEnvelope> {
        let sandbox = driver.sandbox();
        let handoff = match sandbox.handoff {
            Some(standing) => Some(standing),
            None => self.newest_handoff(id).await?,
        };
        Ok(HandoffEnvelope { ok: true, handoff, preview: sandbox.preview })
    }

    async fn newest_handoff(&self, id: &SandboxId) -> Answer<Option<Handoff>> {
        let filter = HandoffFilter { sandbox_id: Some(id.clone()), ..HandoffFilter::default() };
        let page = self.store().handoffs(filter, PageRequest { limit: 1, cursor: None }).await?;
        Ok(page.data.into_iter().next())
    }
}

fn checked_controller(controller: String) -> Answer<String> {
    let plain = plain_name(&controller);
    if (1..=LONGEST_CONTROLLER).contains(&plain.chars().count()) {
        return Ok(plain);
    }
    Err(ServiceError::invalid(format!("`controller` needs 1 to {LONGEST_CONTROLLER} characters: who takes control")))
}

impl From<FillError> for ServiceError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Refused(refusal) => refusal.into(),
            FillError::Action(error) => error.into(),
        }
    }
}
