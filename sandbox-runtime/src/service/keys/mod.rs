//! The keys of models: in the system's keyring, or in a file under a passphrase where no keyring answers. Never in the open.
//!
//! Which of the two it is, is found once: the keyring, if it answers a question; the file, if it does not or if the runtime
//! was given a passphrase. Leaves to others what a key is for.

mod file;
mod keyring;

use std::path::Path;

use sandbox_core::model::{KeyState, KeyStorage, KeyStore};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};

use self::file::{KeyFile, KeyFileError};
use self::keyring::Keyring;
use super::{Answer, ErrorCode, ServiceError};

/// The environment variable with the passphrase of the file, for runtimes that nobody sits at.
pub const PASSPHRASE_VARIABLE: &str = "BATON_PASSPHRASE";

const LOCKED_HINT: &str = "no keyring answers on this machine: give the passphrase of the key file in the settings, by POST /v1/keys/unlock, \
     or to the runtime as BATON_PASSPHRASE";

/// The keys of one data directory.
pub struct Keys {
    keyring: Keyring,
    file: Mutex<KeyFile>,
    passphrase: Option<SecretString>,
    store: OnceCell<KeyStore>,
}

impl Keys {
    /// Opens nothing yet: a keyring may ask a person, and is not asked before it is needed.
    pub fn beneath(home: &Path, passphrase: Option<SecretString>) -> Self {
        Self {
            keyring: Keyring::of(home),
            file: Mutex::new(KeyFile::at(home.join("keys.json"))),
            passphrase,
            store: OnceCell::new(),
        }
    }

    /// Returns where keys are kept, and whether they can be read.
    pub async fn storage(&self) -> KeyStorage {
        match self.store().await {
            KeyStore::Keyring => KeyStorage { store: KeyStore::Keyring, state: KeyState::Open },
            KeyStore::File => KeyStorage { store: KeyStore::File, state: self.file.lock().await.state() },
        }
    }

    /// Opens the file with its passphrase, or begins one under it.
    ///
    /// # Errors
    ///
    /// `conflict` where the keyring is used, `invalid` for a wrong or empty passphrase.
    pub async fn unlock(&self, passphrase: SecretString) -> Answer<KeyStorage> {
        if self.store().await == KeyStore::Keyring {
            let message = "the keys are in the system's keyring, which has no passphrase of ours";
            return Err(ServiceError::conflict(message, KeyState::Open));
        }
        self.open_file(passphrase).await?;
        Ok(self.storage().await)
    }

    pub async fn get(&self, name: &str) -> Answer<Option<SecretString>> {
        match self.store().await {
            KeyStore::Keyring => self.keyring.get(name).await.map_err(unavailable),
            KeyStore::File => self.file.lock().await.get(name).map_err(refused),
        }
    }

    pub async fn set(&self, name: &str, key: SecretString) -> Answer<()> {
        match self.store().await {
            KeyStore::Keyring => self.keyring.set(name, key).await.map_err(unavailable),
            KeyStore::File => self.file.lock().await.set(name, key.expose_secret()).map_err(refused),
        }
    }

    /// Forgets a key; one that is not there is forgotten already.
    pub async fn delete(&self, name: &str) -> Answer<()> {
        match self.store().await {
            KeyStore::Keyring => self.keyring.delete(name).await.map_err(unavailable),
            KeyStore::File => self.file.lock().await.delete(name).map_err(refused),
        }
    }

    async fn store(&self) -> KeyStore {
        let find = async {
            if let Some(passphrase) = self.passphrase.clone() {
                if let Err(error) = self.open_file(passphrase).await {
                    tracing::warn!(%error, "{PASSPHRASE_VARIABLE} does not open the key file");
                }
                return KeyStore::File;
            }
            match self.keyring.answers().await {
                Ok(()) => KeyStore::Keyring,
                Err(error) => {
                    tracing::info!(%error, "no keyring answers; keys go to an encrypted file");
                    KeyStore::File
                }
            }
        };
        *self.store.get_or_init(|| find).await
    }

    async fn open_file(&self, passphrase: SecretString) -> Answer<()> {
        // The lock is taken for the work in a thread of its own: deriving a key takes a while by design.
        let mut file = self.file.lock().await;
        let mut opened = file.clone();
        let work = tokio::task::spawn_blocking(move || opened.open(passphrase.expose_secret()).map(|()| opened));
        *file = work.await.map_err(ServiceError::internal)?.map_err(refused)?;
        Ok(())
    }
}

fn unavailable(error: keyring::KeyringError) -> ServiceError {
    ServiceError::new(ErrorCode::Unavailable, format!("the keyring: {error}"))
        .with_hint("unlock the system's keyring, and try again")
}

fn refused(error: KeyFileError) -> ServiceError {
    let message = error.to_string();
    match error {
        KeyFileError::Locked => ServiceError::conflict(message, KeyState::Locked).with_hint(LOCKED_HINT),
        KeyFileError::New => ServiceError::conflict(message, KeyState::New).with_hint(LOCKED_HINT),
        KeyFileError::WrongPassphrase | KeyFileError::Empty => ServiceError::invalid(message),
        KeyFileError::Damaged(_) | KeyFileError::Io(_) | KeyFileError::Cryptography => {
            ServiceError::new(ErrorCode::Unavailable, message)
        }
    }
}
