//! The door to the person's vault: what the browser asks of it when a page is signed in to.

use futures_util::future::BoxFuture;
use sandbox_core::CredentialId;
use sandbox_core::credential::PasskeyRequest;
use sandbox_core::model::Credential;
use secrecy::SecretString;

use super::code::OneTimeCodes;
use super::typed::TypedSignIn;
use crate::browser::passkeys::Passkey;

/// What fills in sign-ins. The service implements it for each sandbox; a test may, too.
pub trait Vault: Send + Sync {
    /// Returns every entry, without values.
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Credential>, VaultError>>;

    /// Writes down that the entry is used at this origin, then returns its values.
    fn open<'a>(&'a self, entry: &'a Credential, origin: &'a str) -> BoxFuture<'a, Result<Login, VaultError>>;

    /// Returns the entries with a passkey that fits a request; none is opened for the caller.
    fn with_passkeys<'a>(&'a self, _: &'a PasskeyRequest) -> BoxFuture<'a, Result<Vec<Credential>, VaultError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Writes down that the entry signs in with a passkey, then returns those of its passkeys that fit.
    fn open_passkeys<'a>(
        &'a self,
        _: &'a Credential,
        _: &'a PasskeyRequest,
    ) -> BoxFuture<'a, Result<Vec<Passkey>, VaultError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Whether a new passkey could be kept now.
    fn can_keep(&self) -> BoxFuture<'_, Result<(), VaultError>> {
        Box::pin(std::future::ready(Err(VaultError("this vault keeps none".to_owned()))))
    }

    /// Keeps a passkey that was made or used, as it is now.
    fn keep_passkey<'a>(&'a self, _: Passkey, _: &'a PasskeyRequest) -> BoxFuture<'a, Result<(), VaultError>> {
        Box::pin(std::future::ready(Err(VaultError("this vault keeps none".to_owned()))))
    }

    /// Returns how a sign-in that a person typed may be kept; `None` where there is nothing to ask them.
    fn offer<'a>(&'a self, _: &'a TypedSignIn) -> BoxFuture<'a, Result<Option<Offered>, VaultError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Writes down that a secret is given to a command, then returns it.
    fn open_secret<'a>(
        &'a self,
        entry: &'a Credential,
        purpose: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, VaultError>>;
}

/// The values of a login, for the moment in which they are filled in.
pub struct Login {
    pub username: String,
    pub password: Option<SecretString>,
    pub codes: Option<OneTimeCodes>,
}

/// What a person may be asked about a sign-in that they typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    pub site: String,
    /// The entry that has another password; `None` for a new one.
    pub updates: Option<CredentialId>,
}

/// Why the vault refused, in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VaultError(pub String);

/// A vault without entries.
pub struct EmptyVault;

impl Vault for EmptyVault {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Credential>, VaultError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn open<'a>(&'a self, _: &'a Credential, _: &'a str) -> BoxFuture<'a, Result<Login, VaultError>> {
        Box::pin(std::future::ready(Err(VaultError("the vault is empty".to_owned()))))
    }

    fn open_secret<'a>(&'a self, _: &'a Credential, _: &'a str) -> BoxFuture<'a, Result<SecretString, VaultError>> {
        Box::pin(std::future::ready(Err(VaultError("the vault is empty".to_owned()))))
    }
}
