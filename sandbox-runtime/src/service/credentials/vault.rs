//! The vault as one sandbox's browser sees it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::SandboxId;
use sandbox_core::credential::PasskeyRequest;
use sandbox_core::event::CredentialUsed;
use sandbox_core::model::{Credential, CredentialSource};
use secrecy::SecretString;

use crate::browser::{Login, Offered, OneTimeCodes, Passkey, TypedSignIn, Vault, VaultError};
use crate::service::{Service, ServiceError, WeakService};

/// Fills in sign-ins of one sandbox.
pub struct SandboxVault {
    service: WeakService,
    sandbox: SandboxId,
}

impl SandboxVault {
    pub fn new(service: &Service, sandbox: SandboxId) -> Self {
        Self { service: service.downgrade(), sandbox }
    }

    /// The ledger has a use before the value leaves.
    async fn note(&self, service: &Service, entry: &Credential, site: &str, passkey: bool) -> Result<(), VaultError> {
        let used = CredentialUsed {
            credential_id: entry.id.clone(),
            site: site.to_owned(),
            username: entry.username.clone(),
            passkey,
            source: entry.source,
        };
        let driver = service.running(&self.sandbox).ok_or_else(|| VaultError("the sandbox ends".to_owned()))?;
        driver.credential_used(used).await.map_err(|refusal| VaultError(refusal.to_string()))
    }

    fn service(&self) -> Result<Service, VaultError> {
        self.service.upgrade().ok_or_else(|| VaultError("the runtime ends".to_owned()))
    }
}

impl Vault for SandboxVault {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Credential>, VaultError>> {
        async { self.service()?.store().all_credentials().await.map_err(|error| VaultError(error.to_string())) }.boxed()
    }

    fn open<'a>(&'a self, entry: &'a Credential, origin: &'a str) -> BoxFuture<'a, Result<Login, VaultError>> {
        async move {
            let service = self.service()?;
            let (username, mut values) = match entry.source {
                CredentialSource::Local => {
                    let values = service.values_of(&entry.id).await.map_err(said)?;
                    (entry.username.clone().unwrap_or_default(), values)
                }
                CredentialSource::OnePassword | CredentialSource::Bitwarden => {
                    service.values_in_manager(entry).await.map_err(said)?
                }
            };
            self.note(&service, entry, origin, false).await?;
            let codes = values.totp.as_deref().map(OneTimeCodes::parse).transpose();
            Ok(Login {
                username,
                password: values.password.take().map(SecretString::from),
                codes: codes.map_err(|error| VaultError(format!("its key for one-time codes: {error}")))?,
            })
        }
        .boxed()
    }

    fn with_passkeys<'a>(&'a self, request: &'a PasskeyRequest) -> BoxFuture<'a, Result<Vec<Credential>, VaultError>> {
        async { self.service()?.entries_with_passkeys(request).await.map_err(said) }.boxed()
    }

    fn open_passkeys<'a>(
        &'a self,
        entry: &'a Credential,
        request: &'a PasskeyRequest,
    ) -> BoxFuture<'a, Result<Vec<Passkey>, VaultError>> {
        async move {
            let service = self.service()?;
            let keys = service.passkeys_of(entry, request).await.map_err(said)?;
            self.note(&service, entry, &request.origin, true).await?;
            Ok(keys)
        }
        .boxed()
    }

    fn can_keep(&self) -> BoxFuture<'_, Result<(), VaultError>> {
        async { self.service()?.can_keep_passkey().await.map_err(said) }.boxed()
    }

    fn keep_passkey<'a>(&'a self, key: Passkey, request: &'a PasskeyRequest) -> BoxFuture<'a, Result<(), VaultError>> {
        async { self.service()?.keep_passkey(key, request).await.map_err(said) }.boxed()
    }

    fn offer<'a>(&'a self, typed: &'a TypedSignIn) -> BoxFuture<'a, Result<Option<Offered>, VaultError>> {
        async { self.service()?.offer_of(typed).await.map_err(said) }.boxed()
    }

    fn open_secret<'a>(
        &'a self,
        entry: &'a Credential,
        purpose: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, VaultError>> {
        async move {
            let service = self.service()?;
            let mut values = service.values_of(&entry.id).await.map_err(said)?;
            self.note(&service, entry, purpose, false).await?;
            values.value.take().map(SecretString::from).ok_or_else(|| VaultError("the secret has no value".to_owned()))
        }
        .boxed()
    }
}

fn said(error: ServiceError) -> VaultError {
    VaultError(match error.hint {
        Some(hint) => format!("{} ({hint})", error.message),
        None => error.message,
    })
}
