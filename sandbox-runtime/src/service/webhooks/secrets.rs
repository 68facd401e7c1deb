//! Secrets of webhooks. Beside the history lies a key that is not in it: a copy of `history.db` alone signs nothing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use sandbox_core::WebhookId;
use sandbox_core::model::EpochMs;
use sandbox_core::webhook::signed_text;

use crate::service::{Answer, ServiceError};
use crate::store::SealedSecret;

/// In the data directory, 0600.
const KEY_FILE: &str = "webhooks.key";
const KEY_LEN: usize = 32;
const SECRET_LEN: usize = 32;
/// How secrets begin, so that they are known where they do not belong.
const SECRET_PREFIX: &str = "whsec_";

/// Seals and opens secrets, and signs with them.
pub(super) struct Secrets {
    key: LessSafeKey,
}

#[derive(Debug, thiserror::Error)]
#[error("{doing} the key of the webhooks, {}: {source}", path.display())]
pub(super) struct KeyError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Secrets {
    /// Reads the key, making one if there is none.
    pub(super) fn open(home: &Path) -> Result<Self, KeyError> {
        let path = home.join(KEY_FILE);
        let failed = |doing| {
            let path = path.clone();
            move |source| KeyError { doing, path, source }
        };
        let key = match std::fs::read(&path) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(home, &path).map_err(failed("make"))?,
            Err(error) => return Err(failed("read")(error)),
        };
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "it is not 32 bytes; move it away and rotate");
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_| failed("use")(invalid()))?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Makes a secret: as it is shown, and sealed for the history.
    pub(super) fn make(&self, webhook: &WebhookId) -> Answer<(String, SealedSecret)> {
        let secret: [u8; SECRET_LEN] = random().map_err(ServiceError::internal)?;
        let sealed = self.seal(webhook.as_str(), &secret)?;
        let shown = format!("{SECRET_PREFIX}{}", STANDARD.encode(secret));
        Ok((shown, SealedSecret { sealed, expires_at: None }))
    }

    /// Seals bytes for the history; only with the same `owner` they are opened again.
    pub(super) fn seal(&self, owner: &str, bytes: &[u8]) -> Answer<String> {
        let nonce: [u8; NONCE_LEN] = random().map_err(ServiceError::internal)?;
        let mut sealed = bytes.to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_used, Aad::from(owner), &mut sealed)
            .map_err(|_| ServiceError::internal("the secret could not be sealed"))?;
        Ok(STANDARD.encode([&nonce, sealed.as_slice()].concat()))
    }

    /// Returns the value of `webhook-signature`: one signature for each secret that is good now.
    ///
    /// `None` if none can be opened: the key is not the one that sealed them.
    pub(super) fn sign(
        &self,
        webhook: &WebhookId,
        secrets: &[SealedSecret],
        message: (&str, EpochMs, &str),
    ) -> Option<String> {
        let (id, at, body) = message;
        let text = signed_text(id, at.div_euclid(1000), body);
        let good = secrets.iter().filter(|secret| secret.expires_at.is_none_or(|expires_at| expires_at > at));
        let signatures: Vec<String> = good
            .filter_map(|secret| self.unseal(webhook.as_str(), &secret.sealed))
            .map(|secret| {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), text.as_bytes());
                format!("v1,{}", STANDARD.encode(tag))
            })
            .collect();
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }

    /// Opens what [`Self::seal`] sealed; `None` where another key or for another owner sealed it.
    pub(super) fn unseal(&self, owner: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let secret = self.key.open_in_place(nonce, Aad::from(owner), sealed).ok()?;
        Some(secret.to_vec())
    }
}

fn make_key(home: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let key: [u8; KEY_LEN] = random()?;
    // The temporary file is 0600 from its first moment.
    let mut file = tempfile::NamedTempFile::new_in(home)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|refused| refused.error)?;
    std::fs::File::open(home)?.sync_all()?;
    Ok(key.to_vec())
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn opened() -> (Secrets, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        (Secrets::open(home.path()).unwrap(), home)
    }

    /// What a receiver computes from the secret that it was shown.
    fn expected(shown: &str, text: &str) -> String {
        let secret = STANDARD.decode(shown.strip_prefix(SECRET_PREFIX).unwrap()).unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), text.as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }

    #[test]
    fn a_sealed_secret_signs_as_the_shown_one_also_after_a_restart() {
        let (secrets, home) = opened();
        let (shown, sealed) = secrets.make(&"wh_1".into()).unwrap();
        assert!(!sealed.sealed.contains(shown.trim_start_matches(SECRET_PREFIX)));
        let again = Secrets::open(home.path()).unwrap();
        let signature = again.sign(&"wh_1".into(), &[sealed], ("msg_1", 1_500, "{}"));
        assert_eq!(signature, Some(expected(&shown, "msg_1.1.{}")));
    }

    #[test]
    fn the_secret_before_signs_until_it_expires() {
        let (secrets, _home) = opened();
        let id = WebhookId::from("wh_1");
        let (old_shown, old) = secrets.make(&id).unwrap();
        let (new_shown, new) = secrets.make(&id).unwrap();
        let both = [new, SealedSecret { expires_at: Some(5_000), ..old }];
        let signed = |at| secrets.sign(&id, &both, ("msg_1", at, "{}")).unwrap();
        let expected = |at: i64, shown: &str| expected(shown, &format!("msg_1.{}.{{}}", at / 1000));
        assert_eq!(signed(4_999), format!("{} {}", expected(4_999, &new_shown), expected(4_999, &old_shown)));
        assert_eq!(signed(5_000), expected(5_000, &new_shown));
    }

    #[test]
    fn a_sealed_secret_is_of_its_webhook_and_its_key() {
        let ((secrets, _home), (other, _other_home)) = (opened(), opened());
        let (_, sealed) = secrets.make(&"wh_1".into()).unwrap();
        assert_eq!(secrets.sign(&"wh_2".into(), std::slice::from_ref(&sealed), ("m", 0, "")), None);
        assert_eq!(other.sign(&"wh_1".into(), std::slice::from_ref(&sealed), ("m", 0, "")), None);
        let spoiled = SealedSecret { sealed: "AAAA".to_owned(), expires_at: None };
        assert_eq!(secrets.sign(&"wh_1".into(), &[spoiled], ("m", 0, "")), None);
    }

    #[test]
    fn the_key_is_for_its_owner_only() {
        let (_secrets, home) = opened();
        assert_eq!(std::fs::metadata(home.path().join(KEY_FILE)).unwrap().mode() & 0o777, 0o600);
    }
}
