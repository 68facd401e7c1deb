//! Entries and places for the tests of this folder.

use super::Place;
use crate::CredentialId;
use crate::model::{Credential, CredentialKind, CredentialRule, CredentialSource};

/// A login that is filled in by itself; its id is its site and its user name.
pub fn entry(site: &str, username: &str) -> Credential {
    Credential {
        id: CredentialId::from(format!("{site} {username}")),
        kind: CredentialKind::Login,
        site: Some(site.to_owned()),
        name: site.to_owned(),
        username: Some(username.to_owned()),
        has_password: true,
        has_totp: false,
        passkeys: 0,
        passkey_sites: vec![],
        hosts: vec![],
        rule: CredentialRule::Fill,
        source: CredentialSource::Local,
        source_id: None,
        last_used_at: None,
        last_used_by: None,
        created_at: 0,
        updated_at: 0,
    }
}

/// A page of this origin, in no frame.
pub fn at(origin: &str) -> Place<'_> {
    Place { origin, ancestors: &[], destination: None }
}
