//! The key file: names and keys as JSON, sealed with XChaCha20-Poly1305 under a key that Argon2id makes of a passphrase.
//!
//! The file says how its key is made, and that is sealed with the content: nobody can weaken it unseen.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sandbox_core::model::KeyState;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Argon2id as RFC 9106 recommends it where memory is short: 64 MiB, three passes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The most that a file may ask for: more would be an attack on this machine's memory.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum KeyFileError {
    #[error("the key file is locked")]
    Locked,
    #[error("there is no key file yet, and no passphrase to begin one under")]
    New,
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    #[error("the passphrase is empty")]
    Empty,
    #[error("the key file cannot be read: {0}")]
    Damaged(String),
    #[error("the key file: {0}")]
    Io(#[from] io::Error),
    #[error("the key file could not be sealed")]
    Cryptography,
}

#[derive(Clone)]
pub(super) struct KeyFile {
    path: PathBuf,
    open: Option<Open>,
}

#[derive(Clone)]
struct Open {
    making: Making,
    sealing_key: Zeroizing<[u8; 32]>,
    keys: BTreeMap<String, Zeroizing<String>>,
}

/// How the sealing key is made of the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Making {
    version: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    argon2id: Making,
    nonce: String,
    sealed: String,
}

impl KeyFile {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    pub(super) fn state(&self) -> KeyState {
        match (&self.open, self.path.exists()) {
            (Some(_), _) => KeyState::Open,
            (None, true) => KeyState::Locked,
            (None, false) => KeyState::New,
        }
    }

    /// Opens the file, or begins a new one under this passphrase. Takes a good part of a second, and 64 MiB.
    pub(super) fn open(&mut self, passphrase: &str) -> Result<(), KeyFileError> {
        if passphrase.is_empty() {
            return Err(KeyFileError::Empty);
        }
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.begin(passphrase),
            Err(error) => return Err(error.into()),
        };
        let written: Written =
            serde_json::from_slice(&text).map_err(|error| KeyFileError::Damaged(error.to_string()))?;
        let sealing_key = sealing_key(&written.argon2id, passphrase)?;
        let (nonce, sealed) = (bytes(&written.nonce)?, bytes(&written.sealed)?);
        let nonce = XNonce::try_from(nonce.as_slice()).map_err(|_| KeyFileError::Damaged("its nonce".to_owned()))?;
        let header = header(&written.argon2id);
        let payload = Payload { msg: &sealed, aad: &header };
        let opened = XChaCha20Poly1305::new((&*sealing_key).into()).decrypt(&nonce, payload);
        let plain = Zeroizing::new(opened.map_err(|_| KeyFileError::WrongPassphrase)?);
        let keys: BTreeMap<String, String> =
            serde_json::from_slice(&plain).map_err(|error| KeyFileError::Damaged(error.to_string()))?;
        let keys = keys.into_iter().map(|(name, key)| (name, Zeroizing::new(key))).collect();
        self.open = Some(Open { making: written.argon2id, sealing_key, keys });
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Result<Option<SecretString>, KeyFileError> {
        let open = self.open.as_ref().ok_or_else(|| self.shut())?;
        Ok(open.keys.get(name).map(|key| SecretString::from(key.as_str())))
    }

    pub(super) fn set(&mut self, name: &str, key: &str) -> Result<(), KeyFileError> {
        self.change(|keys| {
            keys.insert(name.to_owned(), Zeroizing::new(key.to_owned()));
        })
    }

    pub(super) fn delete(&mut self, name: &str) -> Result<(), KeyFileError> {
        if self.open.is_none() && !self.path.exists() {
            return Ok(());
        }
        self.change(|keys| {
            keys.remove(name);
        })
    }

    /// Writes the changed keys; memory follows only when the disk has them.
    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<String, Zeroizing<String>>)) -> Result<(), KeyFileError> {
        let mut open = self.open.clone().ok_or_else(|| self.shut())?;
        change(&mut open.keys);
        self.write(&open)?;
        self.open = Some(open);
        Ok(())
    }

    fn begin(&mut self, passphrase: &str) -> Result<(), KeyFileError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| KeyFileError::Cryptography)?;
        let salt = BASE64_STANDARD.encode(salt);
        let making = Making { version: 1, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt };
        let sealing_key = sealing_key(&making, passphrase)?;
        let open = Open { making, sealing_key, keys: BTreeMap::new() };
        self.write(&open)?;
        self.open = Some(open);
        Ok(())
    }

    fn write(&self, open: &Open) -> Result<(), KeyFileError> {
        let keys: BTreeMap<&str, &str> = open.keys.iter().map(|(name, key)| (name.as_str(), key.as_str())).collect();
        let plain = Zeroizing::new(serde_json::to_vec(&keys).map_err(io::Error::other)?);
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|_| KeyFileError::Cryptography)?;
        let header = header(&open.making);
        let payload = Payload { msg: &plain, aad: &header };
        let cipher = XChaCha20Poly1305::new((&*open.sealing_key).into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyFileError::Cryptography)?;
        let written = Written {
            argon2id: open.making.clone(),
            nonce: BASE64_STANDARD.encode(nonce),
            sealed: BASE64_STANDARD.encode(sealed),
        };
        let folder = self.path.parent().ok_or_else(|| io::Error::other("it lies in no folder"))?;
        // The temporary file is 0600 from its first moment.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(&written).map_err(io::Error::other)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|refused| refused.error)?;
        Ok(())
    }

    fn shut(&self) -> KeyFileError {
        if self.path.exists() { KeyFileError::Locked } else { KeyFileError::New }
    }
}

fn sealing_key(making: &Making, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let damaged = |what: &str| KeyFileError::Damaged(what.to_owned());
    if making.version != 1 {
        return Err(damaged("it is of a later version of Baton"));
    }
    if making.memory_kib > MOST_MEMORY_KIB || making.passes > 100 {
        return Err(damaged("it asks for more work than any of ours"));
    }
    let params = Params::new(making.memory_kib, making.passes, making.lanes, Some(32))
        .map_err(|_| damaged("how its key is made"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &bytes(&making.salt)?, &mut *key)
        .map_err(|_| KeyFileError::Cryptography)?;
    Ok(key)
}

/// What is sealed with the content without being hidden.
fn header(making: &Making) -> Vec<u8> {
    let Making { version, memory_kib, passes, lanes, salt } = making;
    format!("baton keys {version} {memory_kib} {passes} {lanes} {salt}").into_bytes()
}

fn bytes(text: &str) -> Result<Vec<u8>, KeyFileError> {
    BASE64_STANDARD.decode(text).map_err(|error| KeyFileError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    fn key(file: &KeyFile, name: &str) -> Option<String> {
        file.get(name).unwrap().map(|key| key.expose_secret().to_owned())
    }

    #[test]
    fn keys_are_there_again_under_their_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let mut file = KeyFile::at(path.clone());
        assert_eq!(file.state(), KeyState::New);
        assert!(matches!(file.get("a"), Err(KeyFileError::New)));
        assert!(matches!(file.set("a", "k"), Err(KeyFileError::New)));
        assert!(matches!(file.open(""), Err(KeyFileError::Empty)));
        file.open("correct horse").unwrap();
        file.set("a", "sk-canary").unwrap();
        file.set("b", "sk-other").unwrap();
        file.delete("b").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("canary"));

        let mut again = KeyFile::at(path.clone());
        assert_eq!(again.state(), KeyState::Locked);
        assert!(matches!(again.get("a"), Err(KeyFileError::Locked)));
        assert!(matches!(again.open("wrong"), Err(KeyFileError::WrongPassphrase)));
        assert_eq!(again.state(), KeyState::Locked);
        again.open("correct horse").unwrap();
        assert_eq!((key(&again, "a"), key(&again, "b")), (Some("sk-canary".to_owned()), None));
    }

    #[test]
    fn a_file_that_was_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let mut file = KeyFile::at(path.clone());
        file.open("p").unwrap();
        file.set("a", "k").unwrap();
        let mut written: Written = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let check = |written: &Written, expected: &str| {
            std::fs::write(&path, serde_json::to_vec(written).unwrap()).unwrap();
            let error = KeyFile::at(path.clone()).open("p").unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        written.argon2id.passes = 2;
        check(&written, "passphrase is wrong");
        written.argon2id.memory_kib = u32::MAX;
        check(&written, "more work");
        written.argon2id.version = 2;
        check(&written, "later version");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(KeyFile::at(path.clone()).open("p"), Err(KeyFileError::Damaged(_))));
    }
}
