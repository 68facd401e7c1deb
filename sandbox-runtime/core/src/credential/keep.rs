//! Where a sign-in that a person typed may be kept.

use super::choose::{Place, is_safe, logins};
use super::site::Site;
use crate::model::{Credential, CredentialRule, CredentialSource};

/// A sign-in that a person may be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepable<'a> {
    /// The site of a new entry: exactly where it was typed.
    pub site: Site,
    /// Entries for this place and user. One of them may hold the same password; if none does, a new one would change it.
    pub same_user: Vec<&'a Credential>,
}

/// Returns how a sign-in that was typed at a place may be kept; `None` where nobody is asked.
///
/// Nobody is asked where Baton would fill nothing in, or where an entry of the place is set to `never`. Nor about the user of an
/// entry of another password manager: that one is changed there.
pub fn keepable<'a>(all: &'a [Credential], place: Place<'_>, username: &str) -> Option<Keepable<'a>> {
    if !is_safe(place) {
        return None;
    }
    let site = Site::of_origin(place.origin)?;
    let here: Vec<&Credential> =
        logins(all).filter(|(site, _)| site.covers(place.origin)).map(|(_, entry)| entry).collect();
    if here.iter().any(|entry| entry.rule == CredentialRule::Never) {
        return None;
    }
    let is_same = |entry: &&Credential| {
        let known = entry.username.as_deref().unwrap_or_default();
        // A page that shows the user name without a field for it: any entry of the place may be meant.
        username.is_empty() || known.eq_ignore_ascii_case(username)
    };
    let same_user: Vec<&Credential> = here.into_iter().filter(is_same).collect();
    let is_ours = same_user.iter().all(|entry| entry.source == CredentialSource::Local);
    is_ours.then_some(Keepable { site, same_user })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, entry};
    use super::*;

    /// The site, and the user names of entries that may be the same.
    #[track_caller]
    fn check(all: &[Credential], place: Place<'_>, username: &str, expected: Option<(&str, &[&str])>) {
        let found = keepable(all, place, username);
        let told = found.map(|found| {
            let users = found.same_user.iter().filter_map(|entry| entry.username.clone()).collect::<Vec<_>>();
            (found.site.to_string(), users)
        });
        let expected = expected.map(|(site, users)| (site.to_owned(), users.iter().map(|&user| user.into()).collect()));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_new_sign_in_is_kept_exactly_where_it_was_typed() {
        check(&[], at("https://shop.com:8443"), "ada", Some(("shop.com:8443", &[])));
        check(&[entry("shop.com", "ada")], at("https://www.shop.com"), "ada", Some(("www.shop.com", &[])));
        check(&[], at("null"), "ada", None);
        check(&[], at("file://"), "ada", None);
    }

    #[test]
    fn an_entry_of_the_same_user_may_be_the_same_or_change() {
        let all = [entry("shop.com", "ada"), entry("*.shop.com", "Bob"), entry("other.com", "ada")];
        check(&all, at("https://shop.com"), "ada", Some(("shop.com", &["ada"])));
        check(&all, at("https://shop.com"), "bob", Some(("shop.com", &["Bob"])));
        check(&all, at("https://shop.com"), "eve", Some(("shop.com", &[])));
        check(&all, at("https://shop.com"), "", Some(("shop.com", &["ada", "Bob"])));
    }

    #[test]
    fn nobody_is_asked_at_a_site_that_is_set_to_never() {
        let all = [entry("shop.com", "ada"), Credential { rule: CredentialRule::Never, ..entry("*.shop.com", "bob") }];
        check(&all, at("https://shop.com"), "ada", None);
        check(&all, at("https://www.shop.com"), "eve", None);
        check(&all, at("https://other.com"), "ada", Some(("other.com", &[])));
    }

    #[test]
    fn nobody_is_asked_where_nothing_would_be_filled_in() {
        let evil = ["https://evil.com".to_owned()];
        check(&[], Place { ancestors: &evil, ..at("https://shop.com") }, "ada", None);
        check(&[], Place { destination: Some("https://evil.com"), ..at("https://shop.com") }, "ada", None);
        let sign_in = Place { destination: Some("https://login.shop.com"), ..at("https://shop.com") };
        check(&[], sign_in, "ada", Some(("shop.com", &[])));
    }

    #[test]
    fn an_entry_of_another_manager_is_changed_there() {
        let theirs = [Credential { source: CredentialSource::Bitwarden, ..entry("shop.com", "ada") }];
        check(&theirs, at("https://shop.com"), "ada", None);
        check(&theirs, at("https://shop.com"), "bob", Some(("shop.com", &[])));
    }
}
