//! The values of an entry, as they are sealed: JSON under a name of its own, where the keys of models are.

use sandbox_core::CredentialId;
use sandbox_core::model::Secret;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::browser::Passkey;

/// Wiped from memory when dropped.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Each wipes itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
}

impl Values {
    /// Reads what was sealed; what cannot be read counts as nothing.
    pub fn unsealed(sealed: &SecretString) -> Self {
        serde_json::from_str(sealed.expose_secret()).unwrap_or_default()
    }

    pub fn sealed(&self) -> SecretString {
        SecretString::from(serde_json::to_string(self).expect("values are texts"))
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        for value in [&mut self.password, &mut self.totp, &mut self.note, &mut self.value] {
            value.zeroize();
        }
    }
}

/// Returns a value that was given; an empty one is none.
pub fn given(secret: Option<Secret>) -> Option<String> {
    secret.map(|Secret(text)| text).filter(|text| !text.is_empty())
}

/// The name under which an entry's values are kept. No model has a name with a slash.
pub fn name_of(id: &CredentialId) -> String {
    format!("credential/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_back_whole() {
        let values = Values::unsealed(&SecretString::from(r#"{"password":"p","totp":"JBSWY3DPEHPK3PXP"}"#));
        assert!(values.password.as_deref() == Some("p") && values.totp.as_deref() == Some("JBSWY3DPEHPK3PXP"));
        assert!(Values::unsealed(&values.sealed()) == values);
        let key = r#"{"passkeys":[{"credentialId":"AA==","rpId":"shop.com","privateKey":"AAAA","signCount":3}]}"#;
        let values = Values::unsealed(&SecretString::from(key));
        assert!(values.passkeys.len() == 1 && Values::unsealed(&values.sealed()) == values);
        assert!(Values::unsealed(&SecretString::from("no JSON")) == Values::default());
    }
}
