//! One passkey, as the vault keeps it and an authenticator takes it.

use chromiumoxide_cdp::cdp::browser_protocol::web_authn::Credential;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A passkey with its private key: wiped from memory when dropped, and never shown. Binary values are in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    pub credential_id: String,
    /// The site that it is for.
    pub rp_id: String,
    /// PKCS#8.
    private_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
    /// How often it was used; a site may refuse one that counts backwards.
    #[serde(default)]
    pub sign_count: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_display_name: Option<String>,
}

impl Passkey {
    /// Whether it is one of these, named in base64url without padding; any is, where none is named.
    pub fn is_among(&self, ids: &[String]) -> bool {
        ids.is_empty() || ids.contains(&self.id())
    }

    /// Returns its name as pages write it: base64url without padding.
    fn id(&self) -> String {
        self.credential_id.trim_end_matches('=').replace('+', "-").replace('/', "_")
    }

    pub(super) fn credential(&self) -> Credential {
        let (id, key) = (self.credential_id.clone(), self.private_key.clone());
        let mut credential = Credential::new(id, true, key, self.sign_count);
        credential.rp_id = Some(self.rp_id.clone());
        credential.user_handle = self.user_handle.clone().map(Into::into);
        credential.user_name.clone_from(&self.user_name);
        credential.user_display_name.clone_from(&self.user_display_name);
        credential
    }
}

impl Drop for Passkey {
    fn drop(&mut self) {
        self.private_key.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_passkey_is_named_as_pages_name_it_and_goes_back_as_it_came() {
        let told = json!({ "credentialId": "+/+A==", "rpId": "shop.com", "privateKey": "AAAA", "userHandle": "AQID",
            "signCount": 2, "userName": "ada", "userDisplayName": "Ada", "isResidentCredential": true });
        let key: Passkey = serde_json::from_value(told.clone()).unwrap();
        assert!(key.is_among(&[]));
        assert!(key.is_among(&["other".to_owned(), "-_-A".to_owned()]));
        assert!(!key.is_among(&["other".to_owned()]));
        assert_eq!(serde_json::to_value(key.credential()).unwrap(), told);
    }
}
