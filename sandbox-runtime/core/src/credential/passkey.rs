//! Passkeys: for which site a page may ask for one, and which entry of the vault is used there.

use url::{Host, Url};

use crate::model::{Credential, CredentialRule};

/// What a page asks for. Names and identifiers only, never keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRequest {
    /// Origin of the document that asks, as it tells it itself.
    pub origin: String,
    /// The site that the passkey is for: WebAuthn's relying party identifier.
    pub site: String,
    pub wants: PasskeyWants,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyWants {
    /// To sign in with one of these; with any of the site's where none is named. In base64url.
    SignIn { ids: Vec<String> },
    /// A new one for this user, unless one of `known` is there.
    New { user: String, known: Vec<String> },
}

/// Why no passkey is used, in words that finish "asked for a passkey; …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPasskey {
    #[error("there is none here")]
    None,
    #[error("the rule of the sign-in is never to use it")]
    Never,
}

/// Returns the site of a request: the one that it names if its origin may use it, or else the origin's own host.
///
/// A page may ask for its own host, and for a name above it that belongs to the same owner (WebAuthn, section 5.1.3).
pub fn site_of(named: Option<&str>, origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Some(host.to_owned()) };
    let is_above = host.strip_suffix(named).is_some_and(|rest| rest.ends_with('.'));
    let is_owned = psl::domain(named.as_bytes()).is_some();
    (host == named || (is_above && is_owned)).then(|| named.to_owned())
}

/// Returns the entry whose passkey is used, of those that have a fitting one: the one that was used last.
///
/// # Errors
///
/// None has one, or their rules forbid it.
pub fn choose_passkey(fitting: &[Credential]) -> Result<&Credential, NoPasskey> {
    let allowed = fitting.iter().filter(|entry| entry.rule != CredentialRule::Never);
    let newest = allowed.max_by_key(|entry| (entry.last_used_at, entry.created_at));
    newest.ok_or(if fitting.is_empty() { NoPasskey::None } else { NoPasskey::Never })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CredentialId;

    #[test]
    fn a_page_asks_for_its_own_site_or_for_one_above_it_of_the_same_owner() {
        let check = |named: Option<&str>, origin: &str, expected: Option<&str>| {
            assert_eq!(site_of(named, origin).as_deref(), expected, "{named:?} at {origin}");
        };
        check(None, "https://login.shop.com", Some("login.shop.com"));
        check(Some(""), "https://shop.com:8443", Some("shop.com"));
        check(Some("shop.com"), "https://login.shop.com", Some("shop.com"));
        check(Some("login.shop.com"), "https://login.shop.com", Some("login.shop.com"));
        check(Some("localhost"), "http://localhost:8080", Some("localhost"));

        check(Some("com"), "https://shop.com", None);
        check(Some("co.uk"), "https://shop.co.uk", None);
        check(Some("github.io"), "https://shop.github.io", None);
        check(Some("evil.com"), "https://shop.com", None);
        check(Some("op.com"), "https://shop.com", None);
        check(Some("www.shop.com"), "https://shop.com", None);
        check(None, "http://127.0.0.1:8080", None);
        check(None, "null", None);
    }

    #[test]
    fn the_entry_that_was_used_last_is_used_unless_its_rule_forbids_it() {
        let entry = |id: &str, rule: CredentialRule, last_used_at: Option<i64>| Credential {
            id: CredentialId::from(id.to_owned()),
            username: None,
            has_password: false,
            passkeys: 1,
            passkey_sites: vec!["shop.com".to_owned()],
            rule,
            last_used_at,
            ..super::super::testing::entry("shop.com", "")
        };
        let all = [
            entry("old", CredentialRule::Fill, Some(1)),
            entry("new", CredentialRule::Ask, Some(2)),
            entry("unused", CredentialRule::Ask, None),
            entry("never", CredentialRule::Never, Some(3)),
        ];
        assert_eq!(choose_passkey(&all).map(|entry| entry.id.to_string()), Ok("new".to_owned()));
        assert_eq!(choose_passkey(&all[3..]), Err(NoPasskey::Never));
        assert_eq!(choose_passkey(&[]), Err(NoPasskey::None));
    }
}
