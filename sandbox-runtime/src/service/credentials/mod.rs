//! The person's vault: sign-ins and secrets that are filled in without being seen.
//!
//! Owns which entries there are and where each value belongs. Values come in and never go out, but to the page that an entry is
//! for ([`vault`]). Leaves keeping them to `keys` or to a password manager ([`managers`]), and which entry fits a page to
//! [`sandbox_core::credential`].

mod checks;
mod csv;
mod import;
mod keep;
mod managers;
mod passkeys;
mod picture;
mod values;
pub mod vault;

use sandbox_core::CredentialId;
use sandbox_core::model::{
    Credential, CredentialKind, CredentialPatch, CredentialRule, CredentialSource, CredentialUse, EpochMs,
    NewCredential, Page, Secret,
};

pub use self::managers::PasswordManagers;
use self::values::{Values, given, name_of};
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::now_ms;
use crate::store::{Change, PageRequest};

impl Service {
    /// Returns an entry, without its values.
    pub async fn credential(&self, id: &CredentialId) -> Answer<Credential> {
        self.store().credential(id).await?.ok_or_else(|| ServiceError::not_found("credential", id))
    }

    /// Returns the ledger of an entry, newest first; also of one that was deleted.
    ///
    /// # Errors
    ///
    /// `notFound` for one that never was.
    pub async fn credential_uses(&self, id: &CredentialId, page: PageRequest) -> Answer<Page<CredentialUse>> {
        let uses = self.store().credential_uses(id.clone(), page).await?;
        if uses.data.is_empty() {
            self.credential(id).await?;
        }
        Ok(uses)
    }

    /// Saves an entry.
    ///
    /// # Errors
    ///
    /// `invalid` for what cannot be an entry, `conflict` for one that is there already, and while the key file is locked.
    pub async fn create_credential(&self, asked: NewCredential) -> Answer<Credential> {
        let (entry, values) = entry_of(asked)?;
        let _changing = self.inner.changing_credentials.lock().await;
        check_room_for(&entry, &self.store().all_credentials().await?)?;
        self.keep(&entry, &values).await?;
        Ok(entry)
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    ///
    /// As [`Self::create_credential`].
    pub async fn patch_credential(&self, id: &CredentialId, patch: CredentialPatch) -> Answer<Credential> {
        let _changing = self.inner.changing_credentials.lock().await;
        let mut entry = self.credential(id).await?;
        if !entry.source.is_local() {
            return self.set_rule(entry, patch).await;
        }
        let mut values = if holds_nothing(&entry) { Values::default() } else { self.values_of(id).await? };
        let CredentialPatch { site, name, username, password, totp, totp_picture, note, value, hosts, passkeys, rule } =
            patch;
        let totp = pictured(totp, totp_picture)?;
        for (kept, new) in [
            (&mut values.password, password),
            (&mut values.totp, totp),
            (&mut values.note, note),
            (&mut values.value, value),
        ] {
            if new.is_some() {
                *kept = given(new);
            }
        }
        match passkeys {
            None => {}
            Some(0) => values.passkeys.clear(),
            Some(_) => return Err(ServiceError::invalid("`passkeys` can only be set to 0, which forgets them")),
        }
        passkeys::count(&mut entry, &values);
        entry.site = site.or(entry.site.take());
        entry.name = name.unwrap_or(entry.name);
        if let Some(username) = username {
            entry.username = Some(username).filter(|name| !name.is_empty());
        }
        entry.hosts = hosts.unwrap_or(entry.hosts);
        entry.rule = rule.unwrap_or(entry.rule);
        entry.has_password = values.password.is_some();
        entry.has_totp = values.totp.is_some();
        entry.updated_at = now_ms();
        checks::check(&mut entry, &values)?;
        check_room_for(&entry, &self.store().all_credentials().await?)?;
        self.keep(&entry, &values).await?;
        Ok(entry)
    }

    /// Sets the rule of an entry that a password manager keeps, and of which nothing else is ours.
    async fn set_rule(&self, mut entry: Credential, patch: CredentialPatch) -> Answer<Credential> {
        let only_rule = CredentialPatch { rule: patch.rule, ..CredentialPatch::default() };
        if patch != only_rule {
            return Err(
                elsewhere(&entry).with_hint("change it there, then refresh its list; here its `rule` can be changed")
            );
        }
        entry.rule = patch.rule.unwrap_or(entry.rule);
        self.store().commit(Change { credentials: vec![entry.clone()], ..Change::default() }).await?;
        Ok(entry)
    }

    /// Forgets an entry and its values; the ledger of its uses stays.
    ///
    /// # Errors
    ///
    /// `notFound`, and `conflict` for one that a password manager keeps.
    pub async fn delete_credential(&self, id: &CredentialId) -> Answer<()> {
        let _changing = self.inner.changing_credentials.lock().await;
        let entry = self.credential(id).await?;
        if !entry.source.is_local() {
            return Err(
                elsewhere(&entry).with_hint("delete it there and refresh its list, or set its `rule` to `never`")
            );
        }
        self.inner.keys.delete(&name_of(id)).await?;
        self.store().commit(Change { deleted_credentials: vec![id.clone()], ..Change::default() }).await?;
        Ok(())
    }

    /// The values first: an entry that is listed can be filled in.
    async fn keep(&self, entry: &Credential, values: &Values) -> Answer<()> {
        // A site that is set to `never` can be written down while the vault is locked.
        if *values != Values::default() || !holds_nothing(entry) {
            self.inner.keys.set(&name_of(&entry.id), values.sealed()).await?;
        }
        self.store().commit(Change { credentials: vec![entry.clone()], ..Change::default() }).await?;
        Ok(())
    }

    async fn values_of(&self, id: &CredentialId) -> Answer<Values> {
        let sealed = self.inner.keys.get(&name_of(id)).await?;
        let Some(sealed) = sealed else {
            let message = "the values of this entry are not where keys are kept any more";
            return Err(ServiceError::new(ErrorCode::Unavailable, message).with_hint("save the entry again"));
        };
        Ok(Values::unsealed(&sealed))
    }
}

fn elsewhere(entry: &Credential) -> ServiceError {
    ServiceError::conflict(format!("this sign-in is kept in {}", entry.source.called()), entry.source)
}

/// Whether an entry has no values: it says only that its site is set to `never`.
fn holds_nothing(entry: &Credential) -> bool {
    entry.rule == CredentialRule::Never
        && entry.username.is_none()
        && !entry.has_password
        && !entry.has_totp
        && entry.passkeys == 0
}

/// Returns a login without anything in it, which asks the person each time.
fn new_login(source: CredentialSource, now: EpochMs) -> Credential {
    Credential {
        id: CredentialId::from_unique(crate::unique()),
        kind: CredentialKind::Login,
        site: None,
        name: String::new(),
        username: None,
        has_password: false,
        has_totp: false,
        passkeys: 0,
        passkey_sites: vec![],
        hosts: vec![],
        rule: CredentialRule::Ask,
        source,
        source_id: None,
        last_used_at: None,
        last_used_by: None,
        created_at: now,
        updated_at: now,
    }
}

/// Reads an entry and its values from what was sent.
fn entry_of(asked: NewCredential) -> Answer<(Credential, Values)> {
    let NewCredential { kind, site, name, username, password, totp, totp_picture, note, value, hosts, rule } = asked;
    let totp = given(pictured(totp, totp_picture)?);
    let (password, note, value) = (given(password), given(note), given(value));
    let values = Values { password, totp, note, value, passkeys: vec![] };
    let mut entry = Credential {
        kind,
        site,
        name: name.unwrap_or_default(),
        username: username.filter(|name| !name.is_empty()),
        has_password: values.password.is_some(),
        has_totp: values.totp.is_some(),
        hosts,
        rule,
        ..new_login(CredentialSource::Local, now_ms())
    };
    checks::check(&mut entry, &values)?;
    Ok((entry, values))
}

/// Refuses an entry that stands among `all` already, or has no room beside them.
fn check_room_for(entry: &Credential, all: &[Credential]) -> Answer<()> {
    if let Some(twin) = all.iter().find(|other| checks::are_twins(entry, other)) {
        let what = match entry.kind {
            CredentialKind::Login => format!(
                "a sign-in for {} with {}",
                entry.site.as_deref().unwrap_or_default(),
                entry.username.as_deref().unwrap_or("no user name")
            ),
            CredentialKind::Secret => format!("a secret `{}`", entry.name),
        };
        let refusal = ServiceError::conflict(format!("there is {what} already"), "exists");
        return Err(refusal.with_hint(format!("change it with PATCH /v1/credentials/{}", twin.id)));
    }
    let n_ours = all.iter().filter(|other| other.source.is_local()).count();
    if n_ours >= checks::MOST && !all.iter().any(|other| other.id == entry.id) {
        return Err(ServiceError::conflict(
            format!("the vault has {} entries, which is all it takes", checks::MOST),
            "full",
        ));
    }
    Ok(())
}

/// Returns the key for one-time codes: as it was written, or as a picture shows it.
fn pictured(written: Option<Secret>, picture: Option<Secret>) -> Answer<Option<Secret>> {
    let Some(Secret(picture)) = picture else { return Ok(written) };
    if written.is_some() {
        return Err(ServiceError::invalid("give one of `totp` and `totpPicture`"));
    }
    let read = picture::otpauth_in(&picture).map_err(|why| ServiceError::invalid(format!("`totpPicture`: {why}")))?;
    Ok(Some(Secret(read)))
}
