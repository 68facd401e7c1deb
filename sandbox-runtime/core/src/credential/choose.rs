//! Choosing the entry for a page.

use super::site::{Site, may_hold};
use crate::action::SignIn;
use crate::model::{Credential, CredentialKind, CredentialRule};

/// Most user names that a refusal names.
const NAMED: usize = 8;

/// The document with the sign-in form.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// As reported by the document itself.
    pub origin: &'a str,
    /// Origins of the documents around it, the nearest first.
    pub ancestors: &'a [String],
    /// Origin that its form sends to, where the page's own code does not decide that.
    pub destination: Option<&'a str>,
}

/// Why nothing is filled in, in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The vault has nothing for the page.
    #[error("{0}")]
    NoCredential(String),
    /// The vault has it, and not for this page.
    #[error("{0}")]
    WrongOrigin(String),
    /// The vault has it, and it must not be filled in this way.
    #[error("{0}")]
    Refused(String),
}

/// Returns the login for a page: the one that matches its origin and the request.
///
/// # Errors
///
/// The page has none, the page is not the entry's own, a rule forbids it, or several are left.
pub fn choose<'a>(all: &'a [Credential], wanted: &SignIn, place: Place<'_>) -> Result<&'a Credential, Unfit> {
    let named: Vec<(Site, &Credential)> = logins(all).filter(|(site, entry)| is_wanted(wanted, site, entry)).collect();
    let here: Vec<&(Site, &Credential)> = named.iter().filter(|(site, _)| site.covers(place.origin)).collect();
    if here.is_empty() {
        return Err(nothing_here(&named, wanted, place.origin));
    }
    if let Some(outer) = place.ancestors.iter().find(|outer| !may_hold(outer, place.origin)) {
        let message = format!(
            "the sign-in form of {} is in a frame of a page of {}; nothing is filled in there",
            place.origin,
            if outer == "null" { "an unknown origin" } else { outer }
        );
        return Err(Unfit::WrongOrigin(message));
    }
    if let Some(elsewhere) = place.destination.filter(|to| *to != place.origin && !may_hold(to, place.origin)) {
        let message = format!("the sign-in form of {} sends what is filled in to {elsewhere}", place.origin);
        return Err(Unfit::WrongOrigin(message + "; nothing is filled in there"));
    }
    let allowed: Vec<_> = here.into_iter().filter(|(_, entry)| entry.rule != CredentialRule::Never).collect();
    let has_exact = allowed.iter().any(|(site, _)| site.is_exact());
    let best = allowed.into_iter().filter(|(site, _)| site.is_exact() == has_exact).map(|(_, entry)| *entry);
    match first_of_each_user(best).as_slice() {
        [] => Err(Unfit::Refused(format!("the sign-in for {} is set to `never`", place.origin))),
        [only] => Ok(only),
        several => {
            let names = several.iter().filter_map(|entry| entry.username.as_deref());
            let names: Vec<&str> = names.take(NAMED).collect();
            let message = format!("there are several sign-ins for {}; give one `username` of: ", place.origin);
            Err(Unfit::Refused(message + &names.join(", ")))
        }
    }
}

/// Keeps one entry of each user: what two keepers have of one user cannot be told apart by the caller. Baton's own goes before a
/// password manager's, then the one that was used last.
fn first_of_each_user<'a>(entries: impl Iterator<Item = &'a Credential>) -> Vec<&'a Credential> {
    let mut kept: Vec<&Credential> = Vec::new();
    let rank = |entry: &Credential| (entry.source.is_local(), entry.last_used_at);
    for entry in entries {
        match kept.iter_mut().find(|other| other.username == entry.username) {
            Some(other) if rank(entry) > rank(other) => *other = entry,
            Some(_) => {}
            None => kept.push(entry),
        }
    }
    kept
}

/// Returns the site for which a sign-in is missing at a place, as an entry names it; `None` where there is one, or none may be
/// filled in.
pub fn missing(all: &[Credential], place: Place<'_>) -> Option<Site> {
    match choose(all, &SignIn::default(), place) {
        Err(Unfit::NoCredential(_)) if is_safe(place) => Site::of_origin(place.origin),
        Ok(_) | Err(Unfit::NoCredential(_) | Unfit::WrongOrigin(_) | Unfit::Refused(_)) => None,
    }
}

/// Returns the logins that have a site, with it.
pub(super) fn logins(all: &[Credential]) -> impl Iterator<Item = (Site, &Credential)> {
    let logins = all.iter().filter(|entry| entry.kind == CredentialKind::Login);
    logins.filter_map(|entry| Some((entry.site.as_ref()?.parse().ok()?, entry)))
}

/// Whether neither the documents around a form nor the place that it sends to belong to another owner.
pub(super) fn is_safe(place: Place<'_>) -> bool {
    let leads_away = place.destination.is_some_and(|to| to != place.origin && !may_hold(to, place.origin));
    !leads_away && place.ancestors.iter().all(|outer| may_hold(outer, place.origin))
}

fn is_wanted(wanted: &SignIn, site: &Site, entry: &Credential) -> bool {
    let is_entry = wanted.agreed.as_ref().is_none_or(|agreed| *agreed == entry.id);
    let is_user = wanted.username.is_none() || wanted.username == entry.username;
    let is_site =
        wanted.site.as_ref().is_none_or(|text| text.parse::<Site>().is_ok_and(|asked| site.has_host_of(&asked)));
    is_entry && is_user && is_site
}

fn nothing_here(named: &[(Site, &Credential)], wanted: &SignIn, origin: &str) -> Unfit {
    let user = wanted.username.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
    let asked = wanted.site.is_some() || wanted.agreed.is_some();
    let near = named.iter().find(|(site, _)| asked || site.is_near(origin));
    match (near, &wanted.site) {
        (Some((site, _)), _) => Unfit::WrongOrigin(format!(
            "this page is of {}; the sign-in{user} for {site} is filled in at {site} alone",
            shown(origin)
        )),
        (None, Some(site)) => Unfit::NoCredential(format!("the vault has no sign-in{user} for {site}")),
        (None, None) => Unfit::NoCredential(format!("the vault has no sign-in{user} for {}", shown(origin))),
    }
}

fn shown(origin: &str) -> &str {
    if origin == "null" { "no origin of its own" } else { origin }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, entry};
    use super::*;
    use crate::CredentialId;
    use crate::model::CredentialSource;

    fn wanted(site: Option<&str>, username: Option<&str>) -> SignIn {
        SignIn { site: site.map(str::to_owned), username: username.map(str::to_owned), ..SignIn::default() }
    }

    #[track_caller]
    fn refused(all: &[Credential], wanted: &SignIn, place: Place<'_>, expected: &str) -> Unfit {
        let unfit = choose(all, wanted, place).unwrap_err();
        assert!(unfit.to_string().contains(expected), "{unfit}");
        unfit
    }

    #[test]
    fn the_only_entry_of_the_origin_is_chosen() {
        let all = [entry("shop.com", "ada"), entry("bank.com", "ada"), entry("*.bank.com", "bob")];
        let id = |wanted: &SignIn, origin: &str| choose(&all, wanted, at(origin)).unwrap().id.to_string();
        assert_eq!(id(&wanted(None, None), "https://shop.com"), "shop.com ada");
        assert_eq!(id(&wanted(None, None), "https://bank.com"), "bank.com ada", "its own goes before a wider one");
        assert_eq!(id(&wanted(None, None), "https://login.bank.com"), "*.bank.com bob");
        assert_eq!(id(&wanted(Some("shop.com"), Some("ada")), "https://shop.com"), "shop.com ada");
    }

    #[test]
    fn several_are_told_apart_by_their_user_names() {
        let all = [entry("shop.com", "ada"), entry("shop.com", "bob")];
        refused(&all, &wanted(None, None), at("https://shop.com"), "give one `username` of: ada, bob");
        assert_eq!(
            choose(&all, &wanted(None, Some("bob")), at("https://shop.com")).unwrap().username.as_deref(),
            Some("bob")
        );
    }

    #[test]
    fn of_one_user_the_vaults_own_entry_is_chosen_then_the_one_used_last() {
        let theirs = |id: &str, last_used_at: Option<i64>| Credential {
            id: CredentialId::from(id.to_owned()),
            source: CredentialSource::OnePassword,
            last_used_at,
            ..entry("shop.com", "ada")
        };
        let all = [theirs("unused", None), theirs("used", Some(1)), entry("shop.com", "ada")];
        let id = |all: &[Credential]| choose(all, &wanted(None, None), at("https://shop.com")).unwrap().id.to_string();
        assert_eq!(id(&all), "shop.com ada");
        assert_eq!(id(&all[..2]), "used");
        let two = [theirs("ada", None), entry("shop.com", "bob"), entry("shop.com", "ada")];
        refused(&two, &wanted(None, None), at("https://shop.com"), "give one `username` of: ada, bob");
    }

    #[test]
    fn each_refusal_has_its_words() {
        let all = [entry("shop.com", "ada")];
        let nothing = wanted(None, None);
        let check = |origin: &str, expected: &str| refused(&all, &nothing, at(origin), expected);
        assert!(matches!(check("https://other.com", "no sign-in for https://other.com"), Unfit::NoCredential(_)));
        assert!(matches!(check("null", "no sign-in for no origin of its own"), Unfit::NoCredential(_)));
        let words = "this page is of http://shop.com; the sign-in for shop.com is filled in at shop.com alone";
        assert!(matches!(check("http://shop.com", words), Unfit::WrongOrigin(_)));
        assert!(matches!(check("https://www.shop.com", "this page is of https://www.shop.com"), Unfit::WrongOrigin(_)));

        let asked = wanted(Some("shop.com"), None);
        assert!(matches!(
            refused(&all, &asked, at("https://evil.com"), "this page is of https://evil.com"),
            Unfit::WrongOrigin(_)
        ));
        let unknown = wanted(Some("bank.com"), None);
        assert!(matches!(
            refused(&all, &unknown, at("https://bank.com"), "no sign-in for bank.com"),
            Unfit::NoCredential(_)
        ));

        let evil = ["https://evil.com".to_owned()];
        let framed = Place { ancestors: &evil, ..at("https://shop.com") };
        assert!(matches!(
            refused(&all, &nothing, framed, "in a frame of a page of https://evil.com"),
            Unfit::WrongOrigin(_)
        ));

        let posts = Place { destination: Some("https://evil.com"), ..at("https://shop.com") };
        assert!(matches!(
            refused(&all, &nothing, posts, "sends what is filled in to https://evil.com"),
            Unfit::WrongOrigin(_)
        ));
        assert!(choose(&all, &nothing, Place { destination: Some("https://auth.shop.com"), ..posts }).is_ok());

        let never = [Credential { rule: CredentialRule::Never, ..entry("shop.com", "ada") }];
        assert!(matches!(refused(&never, &nothing, at("https://shop.com"), "set to `never`"), Unfit::Refused(_)));
    }

    #[test]
    fn a_sign_in_is_missing_only_where_one_could_be_filled_in() {
        let all = [entry("shop.com", "ada")];
        let named = |place: Place<'_>| missing(&all, place).map(|site| site.to_string());
        assert_eq!(named(at("https://other.com")).as_deref(), Some("other.com"));
        assert_eq!(named(at("https://shop.com")), None, "there is one");
        assert_eq!(named(at("https://www.shop.com")), None, "there is one of the same owner");
        assert_eq!(named(at("null")), None);
        let evil = ["https://evil.com".to_owned()];
        assert_eq!(named(Place { ancestors: &evil, ..at("https://other.com") }), None);
        assert_eq!(named(Place { destination: Some("https://evil.com"), ..at("https://other.com") }), None);
        let never = [Credential { rule: CredentialRule::Never, ..entry("other.com", "ada") }];
        assert_eq!(missing(&never, at("https://other.com")), None);
    }

    #[test]
    fn what_a_person_agreed_to_is_that_entry_alone() {
        let all = [entry("shop.com", "ada"), entry("bank.com", "ada")];
        let agreed = SignIn { agreed: Some(CredentialId::from("shop.com ada")), ..SignIn::default() };
        assert!(choose(&all, &agreed, at("https://shop.com")).is_ok());
        let unfit = refused(&all, &agreed, at("https://bank.com"), "this page is of https://bank.com");
        assert!(matches!(unfit, Unfit::WrongOrigin(_)));
    }
}
