//! The system's keyring: Secret Service on Linux, the Keychain on macOS, the Credential Manager on Windows.
//!
//! Its calls block and may ask a person, so that each has a thread of its own and a deadline.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What our entries are called in the keyring.
const SERVICE: &str = "baton";

/// How long a keyring may take to answer at all; one that asks a person to unlock it is given up here.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

/// How long a person may take to unlock it.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// The keyring did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyringError {
    #[error("{0}")]
    Refused(#[from] Error),
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("its thread could not be started or broke down")]
    Broken,
}

/// The entries of one data directory.
#[derive(Clone, Debug)]
pub(super) struct Keyring {
    /// Tells data directories apart, for programs and for a person who looks into the keyring.
    place: String,
}

impl Keyring {
    pub(super) fn of(home: &Path) -> Self {
        Self { place: home.display().to_string() }
    }

    /// Whether a keyring is there and can be read: that it opens says nothing yet.
    pub(super) async fn answers(&self) -> Result<(), KeyringError> {
        self.read("is a keyring there", PROBE_DEADLINE).await.map(drop)
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<SecretString>, KeyringError> {
        self.read(name, ANSWER_DEADLINE).await
    }

    pub(super) async fn set(&self, name: &str, key: SecretString) -> Result<(), KeyringError> {
        self.with_entry(name, ANSWER_DEADLINE, move |entry| entry.set_password(key.expose_secret())).await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), KeyringError> {
        let delete = |entry: Entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            other => other,
        };
        self.with_entry(name, ANSWER_DEADLINE, delete).await
    }

    async fn read(&self, name: &str, deadline: Duration) -> Result<Option<SecretString>, KeyringError> {
        let read = |entry: Entry| match entry.get_password() {
            Ok(key) => Ok(Some(SecretString::from(key))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        };
        self.with_entry(name, deadline, read).await
    }

    async fn with_entry<T: Send + 'static>(
        &self,
        name: &str,
        deadline: Duration,
        work: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let user = format!("{name} in {}", self.place);
        let (answer, answered) = oneshot::channel();
        let run = move || {
            let done = store().and_then(|store| Entry::new_in_store(&store, SERVICE, &user)).and_then(work);
            // Whoever asked may have given up.
            let _ = answer.send(done);
        };
        std::thread::Builder::new().name("keyring".to_owned()).spawn(run).map_err(|_| KeyringError::Broken)?;
        match timeout(deadline, answered).await {
            Ok(Ok(done)) => Ok(done?),
            Ok(Err(_)) => Err(KeyringError::Broken),
            Err(_) => Err(KeyringError::Silent(deadline)),
        }
    }
}

#[cfg(target_os = "linux")]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}
