//! Pages that wait for a passkey.

use std::collections::BTreeMap;

use sandbox_core::credential::{PasskeyRequest, PasskeyWants, site_of};
use serde::Deserialize;
use serde_json::json;

use super::key::Passkey;
use crate::browser::documents::Documents;
use crate::browser::pipe::Pipe;

/// Longest user name that a person is shown.
const LONGEST_USER: usize = 200;
/// Most credentials that a page may name.
const MOST_NAMED: usize = 200;

/// Every page that waits, by number.
#[derive(Default)]
pub struct Standings {
    waiting: BTreeMap<u64, Standing>,
    asked: u64,
}

/// One page that waits.
pub struct Standing {
    tab: String,
    /// The tab's own session: an authenticator of a tab serves all of its frames.
    pub(super) tab_session: String,
    session: String,
    /// The lasting name of the page script's world in the document that asks.
    world: String,
    /// The call, as the document counts them.
    call: i64,
    pub(super) authenticator: Option<String>,
    came: Option<Passkey>,
    /// Whether its call succeeded, once it is over.
    succeeded: Option<bool>,
}

/// What a page is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It may ask Chromium.
    Go,
    No,
    /// It is told that one of those that it named is here.
    Known,
    /// It may have what came.
    Kept,
}

/// A request as the page's own world writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    what: What,
    #[serde(default)]
    site: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum What {
    Get,
    Create,
}

/// Reads what a document of this origin asks for; `None` for what it may not ask for.
pub(super) fn read(origin: &str, ask: &str) -> Option<PasskeyRequest> {
    let Asked { what, site, mut ids, user } = serde_json::from_str(ask).ok()?;
    ids.truncate(MOST_NAMED);
    let site = site_of(site.as_deref(), origin)?;
    let wants = match what {
        What::Get => PasskeyWants::SignIn { ids },
        What::Create => PasskeyWants::New { user: user.chars().take(LONGEST_USER).collect(), known: ids },
    };
    Some(PasskeyRequest { origin: origin.to_owned(), site, wants })
}

impl Standings {
    /// Returns the number of a page that waits from now on; gives it back if its tab has one that waits already.
    pub(super) fn add(&mut self, standing: Standing) -> Result<u64, Box<Standing>> {
        if self.waiting.values().any(|other| other.tab == standing.tab) {
            return Err(Box::new(standing));
        }
        self.asked += 1;
        self.waiting.insert(self.asked, standing);
        Ok(self.asked)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Standing> {
        self.waiting.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Standing> {
        self.waiting.get_mut(&number)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Standing> {
        self.waiting.remove(&number)
    }

    /// A call is over. One that was given up before it was answered is forgotten.
    pub(super) fn ended(&mut self, session: &str, world: &str, call: i64, end: &str) {
        let is_it =
            |standing: &Standing| standing.session == session && standing.world == world && standing.call == call;
        if end == "gone" {
            self.waiting.retain(|_, standing| !is_it(standing));
        } else if let Some(standing) = self.waiting.values_mut().find(|standing| is_it(standing)) {
            standing.succeeded = Some(end == "made");
        }
    }

    /// An authenticator made or used a passkey.
    pub(super) fn came(&mut self, authenticator: &str, key: Passkey) {
        let its = |standing: &&mut Standing| standing.authenticator.as_deref() == Some(authenticator);
        if let Some(standing) = self.waiting.values_mut().find(its) {
            standing.came = Some(key);
        }
    }

    /// Forgets those whose documents are gone.
    pub(in crate::browser) fn keep_those_of(&mut self, documents: &Documents) {
        self.waiting.retain(|_, standing| documents.context_named(&standing.session, &standing.world).is_some());
    }
}

impl Standing {
    /// Returns a page as it begins to wait: in the tab of this id and session, by the call of a document's page script.
    pub(super) fn new((tab, tab_session): (&str, &str), (session, world): (&str, &str), call: i64) -> Self {
        Self {
            tab: tab.to_owned(),
            tab_session: tab_session.to_owned(),
            session: session.to_owned(),
            world: world.to_owned(),
            call,
            authenticator: None,
            came: None,
            succeeded: None,
        }
    }

    pub(super) fn answer(&self, pipe: &Pipe, answer: Answer) {
        let word = match answer {
            Answer::Go => "go",
            Answer::No => "no",
            Answer::Known => "known",
            Answer::Kept => "kept",
        };
        let expression = format!("baton.passkey({}, {word:?})", self.call);
        pipe.note(
            Some(&self.session),
            "Runtime.evaluate",
            json!({ "expression": expression, "uniqueContextId": self.world }),
        );
    }

    /// Returns what came of it, once it is known: a passkey, or nothing.
    pub(super) fn outcome(&mut self) -> Option<Option<Passkey>> {
        match self.succeeded {
            Some(false) => Some(None),
            Some(true) if self.came.is_some() => Some(self.came.take()),
            Some(true) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(tab: &str, call: i64) -> Standing {
        let session = format!("session of {tab}");
        Standing::new((tab, &session), (&session, "1.2"), call)
    }

    fn key() -> Passkey {
        let told = json!({ "credentialId": "AA==", "rpId": "shop.com", "privateKey": "AAAA" });
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn a_request_is_read_for_the_site_that_its_origin_may_use() {
        let check = |ask: &str, expected: Option<(&str, PasskeyWants)>| {
            let read = read("https://login.shop.com", ask).map(|request| (request.site, request.wants));
            assert_eq!(read, expected.map(|(site, wants)| (site.to_owned(), wants)), "{ask}");
        };
        let ids = vec!["AA".to_owned()];
        check(r#"{"what":"get"}"#, Some(("login.shop.com", PasskeyWants::SignIn { ids: vec![] })));
        check(
            r#"{"what":"get","site":"shop.com","ids":["AA"]}"#,
            Some(("shop.com", PasskeyWants::SignIn { ids: ids.clone() })),
        );
        check(
            r#"{"what":"create","site":"shop.com","ids":["AA"],"user":"ada"}"#,
            Some(("shop.com", PasskeyWants::New { user: "ada".to_owned(), known: ids })),
        );
        check(r#"{"what":"get","site":"evil.com"}"#, None);
        check(r#"{"what":"other"}"#, None);
        check("no JSON", None);
    }

    #[test]
    fn one_page_of_a_tab_waits_and_what_its_authenticator_made_is_its_own() {
        let mut all = Standings::default();
        let number = all.add(standing("a", 1)).ok().unwrap();
        assert!(all.add(standing("a", 2)).is_err(), "its tab waits already");
        let other = all.add(standing("b", 1)).ok().unwrap();
        all.get_mut(number).unwrap().authenticator = Some("one".to_owned());
        all.came("another", key());
        all.came("one", key());
        assert!(all.get_mut(number).unwrap().outcome().is_none(), "its call is not over");
        all.ended("session of a", "1.2", 1, "made");
        assert!(all.get_mut(number).unwrap().outcome().is_some_and(|came| came == Some(key())));
        all.ended("session of b", "1.2", 1, "failed");
        assert!(all.get_mut(other).unwrap().outcome().is_some_and(|came| came.is_none()));
        all.ended("session of b", "1.2", 1, "gone");
        assert!(all.get(other).is_none());
    }
}
