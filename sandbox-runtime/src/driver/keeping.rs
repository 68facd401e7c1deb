//! Sign-ins that a person typed while they drove: at the hand-back, Baton offers to keep them.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use sandbox_core::SignInOfferId;
use sandbox_core::model::SignInOffer;
use tokio::time::Instant;

use super::Driver;
use super::actor::Actor;
use super::offers::Offers;
use crate::browser::TypedSignIn;
use crate::now_ms;

/// How long the vault may take to say which sign-ins it has: the hand-back waits for it.
const LOOK: Duration = Duration::from_secs(2);

impl Driver {
    /// Returns the sign-ins that a person may keep: where they were typed and by whom, never the password.
    pub fn sign_in_offers(&self) -> Vec<SignInOffer> {
        self.offers().asked()
    }

    /// Returns one of them, with what was typed.
    pub fn sign_in_offer(&self, id: &SignInOfferId) -> Option<(SignInOffer, TypedSignIn)> {
        self.offers().get(id)
    }

    /// Forgets one of them: it was answered.
    pub fn forget_sign_in_offer(&self, id: &SignInOfferId) {
        self.offers().forget(id);
    }

    pub(super) fn offers(&self) -> MutexGuard<'_, Offers> {
        // Each change is of one question: a panic in one leaves the others as they are.
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actor {
    /// Opens a question for each sign-in that the person typed and the vault does not hold.
    pub(super) async fn offer_sign_ins(&mut self) {
        let Some(desktop) = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref()) else { return };
        let until = Instant::now() + LOOK;
        for typed in desktop.browser.take_typed_sign_ins() {
            let offered = tokio::time::timeout_at(until, self.kit.vault.offer(&typed)).await;
            match offered {
                Ok(Ok(Some(offered))) => self.driver.offers().open(offered, typed, now_ms()),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "nobody is asked about a sign-in that was typed"),
                Err(_) => tracing::warn!("the vault takes too long: nobody is asked about a sign-in that was typed"),
            }
        }
    }
}
