//! What an entry may be.

use sandbox_core::credential::Site;
use sandbox_core::model::{Credential, CredentialKind, CredentialRule};
use sandbox_core::policy::Pattern;

use super::values::Values;
use crate::browser::OneTimeCodes;
use crate::service::{Answer, ServiceError};

/// Most entries that the vault has.
pub const MOST: usize = 5_000;
const LONGEST_TEXT: usize = 1_000;
/// Longest value, in bytes: a private key fits.
const LONGEST_VALUE: usize = 64 << 10;
const LONGEST_NAME: usize = 64;

/// Checks an entry as it would be saved, and writes its site in the one way that is compared.
pub fn check(entry: &mut Credential, values: &Values) -> Answer<()> {
    check_texts(entry)?;
    let all = [&values.password, &values.totp, &values.note, &values.value];
    if all.into_iter().flatten().any(|value| value.len() > LONGEST_VALUE) {
        return Err(ServiceError::invalid(format!("a value has at most {LONGEST_VALUE} bytes")));
    }
    match entry.kind {
        CredentialKind::Login => check_login(entry, values),
        CredentialKind::Secret => check_secret(entry, values),
    }
}

/// Checks what is shown of an entry.
pub fn check_texts(entry: &Credential) -> Answer<()> {
    let shown = [("name", Some(&entry.name)), ("username", entry.username.as_ref()), ("site", entry.site.as_ref())];
    for (field, text) in shown {
        if text.is_some_and(|text| text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control)) {
            let message = format!("`{field}` has at most {LONGEST_TEXT} characters, and none that is not shown");
            return Err(ServiceError::invalid(message));
        }
    }
    Ok(())
}

fn check_login(entry: &mut Credential, values: &Values) -> Answer<()> {
    let Some(text) = &entry.site else {
        return Err(ServiceError::invalid("a login needs a `site`, such as `portal.example`"));
    };
    let site: Site = text.parse().map_err(|error| ServiceError::invalid(format!("`site`: {error}")))?;
    if values.value.is_some() || !entry.hosts.is_empty() {
        return Err(ServiceError::invalid("`value` and `hosts` belong to a `secret`, not to a `login`"));
    }
    let has_value = values.password.is_some() || values.totp.is_some() || !values.passkeys.is_empty();
    // A login with only the rule `never` says: keep and fill in nothing there.
    let is_empty = entry.username.as_deref().is_none_or(str::is_empty) && !has_value;
    if is_empty && entry.rule != CredentialRule::Never {
        return Err(ServiceError::invalid("a login needs at least one of `username`, `password` and `totp`"));
    }
    if let Some(totp) = &values.totp {
        OneTimeCodes::parse(totp).map_err(|error| ServiceError::invalid(format!("`totp`: {error}")))?;
    }
    if entry.name.is_empty() {
        entry.name = site.to_string();
    }
    entry.site = Some(site.to_string());
    Ok(())
}

fn check_secret(entry: &Credential, values: &Values) -> Answer<()> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.len() <= LONGEST_NAME
    };
    if !is_name(&entry.name) {
        let message = format!(
            "the `name` of a secret has 1 to {LONGEST_NAME} letters, digits or underscores, the first a letter"
        );
        return Err(ServiceError::invalid(message));
    }
    if values.value.is_none() {
        return Err(ServiceError::invalid("a secret needs a `value`"));
    }
    for host in &entry.hosts {
        let parsed: Pattern = host.parse().map_err(|error| ServiceError::invalid(format!("`hosts`: {error}")))?;
        if parsed.is_any() {
            return Err(ServiceError::invalid("`hosts`: leave it out for a secret that may go anywhere"));
        }
    }
    let of_login = [
        ("site", entry.site.is_some()),
        ("username", entry.username.is_some()),
        ("password", values.password.is_some()),
        ("totp", values.totp.is_some()),
        ("note", values.note.is_some()),
    ];
    match of_login.into_iter().find(|(_, is_there)| *is_there) {
        Some((field, _)) => Err(ServiceError::invalid(format!("`{field}` belongs to a `login`, not to a `secret`"))),
        None => Ok(()),
    }
}

/// Whether both are in Baton's own vault, and would be chosen for the same page and user, or by the same name.
pub fn are_twins(one: &Credential, other: &Credential) -> bool {
    one.id != other.id
        && one.source.is_local()
        && other.source.is_local()
        && one.kind == other.kind
        && match one.kind {
            CredentialKind::Login => one.site == other.site && one.username == other.username,
            CredentialKind::Secret => one.name == other.name,
        }
}
