//! The passkeys of entries: found for a site, counted when used, kept when made.

use sandbox_core::credential::{PasskeyRequest, PasskeyWants, Site};
use sandbox_core::model::{Credential, CredentialKind, CredentialSource, KeyState};

use super::values::Values;
use super::{check_room_for, checks, new_login};
use crate::browser::Passkey;
use crate::now_ms;
use crate::service::{Answer, Service, ServiceError};

impl Service {
    /// Returns the entries that have a passkey which fits a request.
    pub(super) async fn entries_with_passkeys(&self, request: &PasskeyRequest) -> Answer<Vec<Credential>> {
        let mut fitting = Vec::new();
        for entry in self.store().all_credentials().await? {
            if entry.passkey_sites.contains(&request.site) && !self.passkeys_of(&entry, request).await?.is_empty() {
                fitting.push(entry);
            }
        }
        Ok(fitting)
    }

    /// Returns the passkeys of an entry that fit a request.
    pub(super) async fn passkeys_of(&self, entry: &Credential, request: &PasskeyRequest) -> Answer<Vec<Passkey>> {
        let ids = match &request.wants {
            PasskeyWants::SignIn { ids } => ids,
            PasskeyWants::New { known, .. } => known,
        };
        let values = self.values_of(&entry.id).await?;
        let fits = |key: &&Passkey| key.rp_id == request.site && key.is_among(ids);
        Ok(values.passkeys.iter().filter(fits).cloned().collect())
    }

    /// Whether a new passkey could be kept.
    pub(super) async fn can_keep_passkey(&self) -> Answer<()> {
        match self.inner.keys.storage().await.state {
            KeyState::Open => Ok(()),
            state @ (KeyState::Locked | KeyState::New) => Err(ServiceError::conflict("the vault is locked", state)),
        }
    }

    /// Keeps a passkey as it is now: one that is there already is counted, a new one goes to the entry of its user.
    pub(super) async fn keep_passkey(&self, key: Passkey, request: &PasskeyRequest) -> Answer<()> {
        let _changing = self.inner.changing_credentials.lock().await;
        let all = self.store().all_credentials().await?;
        for entry in all.iter().filter(|entry| entry.passkey_sites.contains(&key.rp_id)) {
            let mut values = self.values_of(&entry.id).await?;
            let same = values.passkeys.iter_mut().find(|kept| kept.credential_id == key.credential_id);
            if let Some(same) = same {
                same.sign_count = key.sign_count;
                return self.keep(entry, &values).await;
            }
        }
        let site = site_of(request);
        let user = key.user_name.clone().filter(|user| !user.is_empty());
        let of_user = |entry: &&Credential| {
            entry.source.is_local()
                && entry.kind == CredentialKind::Login
                && entry.username == user
                && entry.site.as_ref() == Some(&site)
        };
        let (mut entry, mut values) = match all.iter().find(of_user) {
            Some(entry) => (entry.clone(), self.values_of(&entry.id).await?),
            None => {
                let entry =
                    Credential { site: Some(site), username: user, ..new_login(CredentialSource::Local, now_ms()) };
                (entry, Values::default())
            }
        };
        // A site that registers a user again means this one from now on.
        values.passkeys.retain(|kept| kept.rp_id != key.rp_id || kept.user_handle != key.user_handle);
        values.passkeys.push(key);
        count(&mut entry, &values);
        entry.updated_at = now_ms();
        checks::check(&mut entry, &values)?;
        check_room_for(&entry, &all)?;
        self.keep(&entry, &values).await
    }
}

/// Says at an entry what it has of passkeys.
pub(super) fn count(entry: &mut Credential, values: &Values) {
    entry.passkeys = u32::try_from(values.passkeys.len()).unwrap_or(u32::MAX);
    entry.passkey_sites = values.passkeys.iter().map(|key| key.rp_id.clone()).collect();
    entry.passkey_sites.sort();
    entry.passkey_sites.dedup();
}

/// Returns the site of an entry for a passkey: that of the page, unless the passkey is for a wider one.
fn site_of(request: &PasskeyRequest) -> String {
    let own = Site::of_origin(&request.origin)
        .filter(|_| url::Url::parse(&request.origin).is_ok_and(|url| url.host_str() == Some(&request.site)));
    own.map_or_else(|| request.site.clone(), |site| site.to_string())
}
