//! A sign-in that was missing when a person was asked: filled in on their word, and handed back for them.
//!
//! Baton takes a seat for the moment in which it fills in: control, record and receipt are as of any person who drives. A
//! sign-in that does not come about leaves the seat, and the request stands as before.

use std::time::Duration;

use sandbox_core::action::{Action, SignIn};
use sandbox_core::control::State;
use sandbox_core::model::{Credential, TypedText};
use sandbox_core::viewer::ViewerMode;

use super::Driver;
use super::refusal::Refusal;
use super::seat::ViewerSeat;
use crate::browser::{ActionError, Browser};

/// How long looking for a form may hold up a request for a person.
const LOOK: Duration = Duration::from_secs(1);
/// How long a sign-in may take, over all its pages.
const SIGN_IN: Duration = Duration::from_secs(30);
/// How often the seat says that somebody is at it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long control may take to be where it was before.
const GIVEN_UP: Duration = Duration::from_secs(5);
/// Who fills in, as others see it.
const NAME: &str = "Baton";

/// Why nothing was filled in, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Action(#[from] ActionError),
}

impl Driver {
    /// Returns the site of the sign-in form that is open, if the vault has no sign-in for it. Of a person's page nothing is
    /// looked at.
    pub(super) async fn missing_sign_in(&self) -> Option<String> {
        let browser = self.browser().filter(|_| !self.is_held())?;
        tokio::time::timeout(LOOK, browser.missing_sign_in()).await.ok()?
    }

    /// Fills in an entry of the vault for the person who was asked, and completes the request for them.
    ///
    /// # Errors
    ///
    /// Nobody waits for a person, or the sign-in did not come about: then the request stands.
    pub async fn fill_for_person(&self, entry: &Credential) -> Result<(), FillError> {
        if !matches!(self.shared.borrow().control, State::Waiting { .. }) {
            return Err(Refusal::wrong_state("nobody was asked, or somebody is at the browser already").into());
        }
        let browser = self.browser_when_up().await;
        let browser = browser.ok_or_else(|| Refusal::wrong_state("this sandbox has no browser"))?;
        let seat = self.join(ViewerMode::Control).await;
        seat.take(NAME.to_owned()).await?;
        match self.fill_from(&seat, &browser, entry).await {
            Ok(()) => {
                let site = entry.site.as_deref().unwrap_or_default();
                let note = format!("Filled in the saved sign-in for {site}.");
                Ok(seat.hand_back(Some(note), TypedText::Veiled).await?)
            }
            Err(error) => {
                self.give_up(seat).await;
                Err(error)
            }
        }
    }

    async fn fill_from(&self, seat: &ViewerSeat, browser: &Browser, entry: &Credential) -> Result<(), FillError> {
        let Some(lease) = seat.control().lease else {
            return Err(Refusal::wrong_state("the request was over before it could be filled in").into());
        };
        let permit = self.gate.permit_of_person(lease);
        let wanted = Action::SignIn(SignIn { agreed: Some(entry.id.clone()), ..SignIn::default() });
        let filling = browser.act(&permit, &wanted, SIGN_IN);
        let beating = async {
            let mut beats = tokio::time::interval(HEARTBEAT);
            loop {
                beats.tick().await;
                seat.heartbeat();
            }
        };
        tokio::select! {
            filled = filling => Ok(filled.map(drop)?),
            () = beating => unreachable!("a heart beats until the sign-in is over"),
        }
    }

    /// Leaves the seat, and waits until the request stands as before.
    async fn give_up(&self, seat: ViewerSeat) {
        let viewer = seat.id().clone();
        drop(seat);
        let mut shared = self.shared.clone();
        let left = shared.wait_for(|now| !now.control_for(&viewer).yours);
        if tokio::time::timeout(GIVEN_UP, left).await.is_err() {
            tracing::warn!(sandbox = %self.id, "control did not come back after a sign-in that failed");
        }
    }
}
