//! Keeping a sign-in that a person typed: asked about first, and only on a yes in the vault.

use sandbox_core::credential::{Keepable, keepable};
use sandbox_core::model::{
    Credential, CredentialKind, CredentialPatch, CredentialRule, KeepDecision, NewCredential, Secret, SignInAnswer,
    SignInAnswered, SignInOffer, SignInOffers,
};
use sandbox_core::{SandboxId, SignInOfferId};
use secrecy::ExposeSecret;

use crate::browser::{Offered, TypedSignIn};
use crate::service::{Answer, Service, ServiceError};

impl Service {
    /// Returns the sign-ins of a sandbox that a person may keep, without their passwords; none of a sandbox that ended.
    pub async fn sign_in_offers(&self, id: &SandboxId) -> Answer<SignInOffers> {
        let data = match self.running(id) {
            Some(driver) => driver.sign_in_offers(),
            None => {
                self.sandbox(id).await?;
                vec![]
            }
        };
        Ok(SignInOffers { data })
    }

    /// Carries out a person's answer. If the vault is locked, the offer stays open.
    ///
    /// # Errors
    ///
    /// `notFound` where it is not open any more, and as [`Service::create_credential`] where it cannot be kept.
    pub async fn answer_sign_in_offer(
        &self,
        id: &SandboxId,
        offer: &SignInOfferId,
        answer: SignInAnswer,
    ) -> Answer<SignInAnswered> {
        let SignInAnswer { decision, rule } = answer;
        if rule.is_some() && decision != KeepDecision::Keep {
            return Err(ServiceError::invalid("`rule` belongs to `keep`"));
        }
        let driver = self.running(id).ok_or_else(|| ServiceError::not_found("sign-in to keep", offer))?;
        let found = driver.sign_in_offer(offer);
        let (asked, typed) = found.ok_or_else(|| ServiceError::not_found("sign-in to keep", offer))?;
        let credential = match decision {
            KeepDecision::Keep => Some(self.keep_typed(&asked, &typed, rule).await?),
            KeepDecision::NotNow => None,
            KeepDecision::Never => Some(self.create_credential(never(asked.site)).await?),
        };
        driver.forget_sign_in_offer(offer);
        Ok(SignInAnswered { credential, offers: driver.sign_in_offers() })
    }

    async fn keep_typed(
        &self,
        asked: &SignInOffer,
        typed: &TypedSignIn,
        rule: Option<CredentialRule>,
    ) -> Answer<Credential> {
        let password = Some(Secret(typed.password.expose_secret().to_owned()));
        if let Some(entry) = &asked.updates {
            return self
                .patch_credential(entry, CredentialPatch { password, rule, ..CredentialPatch::default() })
                .await;
        }
        let (site, username) = (Some(asked.site.clone()), asked.username.clone());
        let rule = rule.unwrap_or_default();
        self.create_credential(NewCredential { site, username, password, rule, ..login() }).await
    }

    /// Returns how a sign-in that was typed may be kept; `None` where the vault holds it already, or nobody is asked.
    pub(super) async fn offer_of(&self, typed: &TypedSignIn) -> Answer<Option<Offered>> {
        let entries = self.store().all_credentials().await?;
        let Some(Keepable { site, same_user }) = keepable(&entries, typed.place(), &typed.username) else {
            return Ok(None);
        };
        for entry in &same_user {
            let values = self.values_of(&entry.id).await?;
            if values.password.as_deref() == Some(typed.password.expose_secret()) {
                return Ok(None);
            }
        }
        let updates = match same_user.as_slice() {
            [] => None,
            [only] => Some(only.id.clone()),
            // Which of them it would change is not known.
            [_, _, ..] if typed.username.is_empty() => return Ok(None),
            [first, ..] => Some(first.id.clone()),
        };
        Ok(Some(Offered { site: site.to_string(), updates }))
    }
}

/// Returns the entry of a site where nobody is asked: it holds nothing, and is filled in nowhere.
fn never(site: String) -> NewCredential {
    NewCredential { site: Some(site), rule: CredentialRule::Never, ..login() }
}

fn login() -> NewCredential {
    NewCredential {
        kind: CredentialKind::Login,
        site: None,
        name: None,
        username: None,
        password: None,
        totp: None,
        totp_picture: None,
        note: None,
        value: None,
        hosts: vec![],
        rule: CredentialRule::default(),
    }
}
