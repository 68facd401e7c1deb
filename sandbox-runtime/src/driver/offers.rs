//! Offers to keep the sign-ins that a person typed. They are in memory only, and dropped after the answer, after a few minutes,
//! and with the sandbox.

use std::time::Duration;

use sandbox_core::SignInOfferId;
use sandbox_core::model::{EpochMs, SignInOffer};

use crate::browser::{Offered, TypedSignIn};

/// How long an offer stands.
const STANDS: Duration = Duration::from_secs(5 * 60);
/// Most that stand at once; the oldest go first.
const MOST: usize = 8;

/// The offers of one sandbox, the oldest first.
#[derive(Default)]
pub struct Offers(Vec<(SignInOffer, TypedSignIn)>);

impl Offers {
    /// Adds an offer. It replaces one for the same site: the last sign-in counts.
    pub fn open(&mut self, offered: Offered, typed: TypedSignIn, now: EpochMs) {
        self.0.retain(|(known, _)| known.site != offered.site);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        let offer = SignInOffer {
            offer_id: SignInOfferId::from_unique(crate::unique()),
            site: offered.site,
            username: Some(typed.username.clone()).filter(|name| !name.is_empty()),
            updates: offered.updates,
            expires_at: now.saturating_add(i64::try_from(STANDS.as_millis()).unwrap_or(i64::MAX)),
        };
        self.0.push((offer, typed));
    }

    /// Returns the offers, without the passwords.
    pub fn asked(&self) -> Vec<SignInOffer> {
        self.0.iter().map(|(offer, _)| offer.clone()).collect()
    }

    /// Returns an offer, with the sign-in.
    pub fn get(&self, id: &SignInOfferId) -> Option<(SignInOffer, TypedSignIn)> {
        self.0.iter().find(|(offer, _)| offer.offer_id == *id).cloned()
    }

    /// Forgets an offer.
    pub fn forget(&mut self, id: &SignInOfferId) {
        self.0.retain(|(offer, _)| offer.offer_id != *id);
    }

    pub fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Forgets those whose time is over.
    pub fn expire(&mut self, now: EpochMs) {
        self.0.retain(|(offer, _)| now < offer.expires_at);
    }

    /// Returns when the next one is over.
    pub fn due_at(&self) -> Option<EpochMs> {
        self.0.iter().map(|(offer, _)| offer.expires_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(offers: &mut Offers, site: &str, username: &str, now: EpochMs) {
        let typed = TypedSignIn::at(&format!("https://{site}"), username, "canary");
        offers.open(Offered { site: site.to_owned(), updates: None }, typed, now);
    }

    #[track_caller]
    fn check(offers: &Offers, expected: &[(&str, Option<&str>)]) {
        let asked = offers.asked();
        let found: Vec<_> = asked.iter().map(|offer| (offer.site.as_str(), offer.username.as_deref())).collect();
        assert_eq!(found, expected);
        assert!(!serde_json::to_string(&asked).expect("JSON").contains("canary"));
    }

    #[test]
    fn what_was_typed_last_at_a_site_is_asked_about() {
        let mut offers = Offers::default();
        opened(&mut offers, "a.example", "ada", 1);
        opened(&mut offers, "b.example", "", 1);
        opened(&mut offers, "a.example", "bob", 2);
        check(&offers, &[("b.example", None), ("a.example", Some("bob"))]);
        let id = offers.asked()[0].offer_id.clone();
        assert!(offers.get(&id).is_some());
        offers.forget(&id);
        assert!(offers.get(&id).is_none());
        check(&offers, &[("a.example", Some("bob"))]);
    }

    #[test]
    fn a_question_is_forgotten_when_its_time_is_over() {
        let mut offers = Offers::default();
        assert_eq!(offers.due_at(), None);
        opened(&mut offers, "a.example", "ada", 1_000);
        opened(&mut offers, "b.example", "ada", 2_000);
        let due_at = offers.due_at().expect("two are open");
        offers.expire(due_at - 1);
        assert_eq!(offers.asked().len(), 2);
        offers.expire(due_at);
        check(&offers, &[("b.example", Some("ada"))]);
    }
}
