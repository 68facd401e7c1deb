//! Passkeys of the person's vault, for pages that ask for one.
//!
//! ```text
//! page ─> asks.js ─> page.js ─> asked ─> (driver: vault, rule, person) ─> given ─> authenticator ─> page
//!                                  └────────────────────────────────────> refused
//! ```
//!
//! A page's call waits until it is answered here. Only for the moment of an answer that was granted the tab has an
//! authenticator, with the one key that was chosen: at any other time no key is in the browser.
//! Chromium lets every session that knows an authenticator's name read its keys. Only this room knows that name, and outside
//! clients may name none but their own.

mod key;
pub(super) mod standing;

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::web_authn::{
    AddCredentialParams, AddVirtualAuthenticatorParams, AuthenticatorProtocol, AuthenticatorTransport, EnableParams,
    VirtualAuthenticatorOptions,
};
use sandbox_core::credential::PasskeyRequest;
use sandbox_core::event::DialogState;
use sandbox_core::observation::DialogKind;
use serde_json::{Value, json};

pub use key::Passkey;

use self::standing::{Answer, Standing};
use super::pipe::{CallError, Pass, Pipe};
use super::world::{State, World};
use super::{Browser, Shared};

/// How long a page may take with an authenticator that it was given.
const TAKES: Duration = Duration::from_secs(20);

/// A page that waits for a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyAsked {
    number: u64,
    pub request: PasskeyRequest,
}

/// Why a page is given no passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyRefusal {
    /// In words that finish "asked for a passkey; …".
    NotAllowed(String),
    /// It has one that is here already.
    Known,
}

impl Browser {
    /// Resolves when the page does not wait any more: it has its answer, gave up, or is gone.
    pub async fn passkey_left(&self, asked: &PasskeyAsked) {
        self.shared.world.wait_until(|state| state.passkeys.get(asked.number).is_none().then_some(())).await;
    }

    /// Tells the page no.
    pub fn refuse_passkey(&self, asked: &PasskeyAsked, refusal: &PasskeyRefusal) {
        let Shared { world, pipe, .. } = &*self.shared;
        let Some(standing) = world.state().passkeys.remove(asked.number) else { return };
        let why = match refusal {
            PasskeyRefusal::NotAllowed(why) => {
                standing.answer(pipe, Answer::No);
                why
            }
            PasskeyRefusal::Known => {
                standing.answer(pipe, Answer::Known);
                "it has one already"
            }
        };
        world.passkey_refused(&asked.request.origin, why);
        world.bump();
    }

    /// Lets the page make a passkey, or sign in with one of these. Returns the one that it made or used, as it is now, and
    /// keeps the page waiting for [`Browser::finish_passkey`]; `None` if the page came to nothing, and knows that.
    pub async fn give_passkeys(&self, asked: &PasskeyAsked, keys: &[Passkey]) -> Result<Option<Passkey>, CallError> {
        let Shared { world, pipe, .. } = &*self.shared;
        let Some(tab) = world.state().passkeys.get(asked.number).map(|standing| standing.tab_session.clone()) else {
            return Ok(None);
        };
        let authenticator = Authenticator::add(pipe, &tab).await?;
        for key in keys {
            let credential = AddCredentialParams::new(authenticator.id.clone(), key.credential());
            pipe.command(&Pass::Bookkeeping, Some(&tab), credential).await?;
        }
        {
            let mut state = world.state();
            let Some(standing) = state.passkeys.get_mut(asked.number) else { return Ok(None) };
            standing.authenticator = Some(authenticator.id.clone());
            standing.answer(pipe, Answer::Go);
        }
        let came = world.wait_until(|state| match state.passkeys.get_mut(asked.number) {
            None => Some(None),
            Some(standing) => standing.outcome(),
        });
        let came = tokio::time::timeout(TAKES, came).await.unwrap_or_default();
        drop(authenticator);
        if came.is_none() {
            world.state().passkeys.remove(asked.number);
            world.bump();
        }
        Ok(came)
    }

    /// Lets the page have what it made or used, if that is kept; otherwise it is told no.
    pub fn finish_passkey(&self, asked: &PasskeyAsked, is_kept: bool) {
        let Shared { world, pipe, .. } = &*self.shared;
        let Some(standing) = world.state().passkeys.remove(asked.number) else { return };
        standing.answer(pipe, if is_kept { Answer::Kept } else { Answer::No });
        world.bump();
    }

    /// Tells that the page made a passkey.
    pub fn tell_new_passkey(&self, asked: &PasskeyAsked) {
        let message = format!("{} made a passkey; it is in the vault", asked.request.origin);
        self.shared.world.tell_dialog(DialogKind::Passkey, DialogState::Answered, message);
    }
}

/// An authenticator of a tab. Dropping it takes it away, with its keys.
struct Authenticator<'a> {
    pipe: &'a Pipe,
    tab: &'a str,
    id: String,
}

impl<'a> Authenticator<'a> {
    async fn add(pipe: &'a Pipe, tab: &'a str) -> Result<Self, CallError> {
        pipe.command(&Pass::Bookkeeping, Some(tab), EnableParams::default()).await?;
        let mut options =
            VirtualAuthenticatorOptions::new(AuthenticatorProtocol::Ctap2, AuthenticatorTransport::Internal);
        options.has_resident_key = Some(true);
        options.has_user_verification = Some(true);
        // The person was asked, or said beforehand that they need not be.
        options.is_user_verified = Some(true);
        options.automatic_presence_simulation = Some(true);
        let params = AddVirtualAuthenticatorParams::new(options);
        let added = pipe.command(&Pass::Bookkeeping, Some(tab), params).await?;
        Ok(Self { pipe, tab, id: added.authenticator_id.into() })
    }
}

impl Drop for Authenticator<'_> {
    fn drop(&mut self) {
        let id = json!({ "authenticatorId": self.id });
        self.pipe.note(Some(self.tab), "WebAuthn.removeVirtualAuthenticator", id);
        self.pipe.note(Some(self.tab), "WebAuthn.disable", json!({}));
    }
}

impl World {
    /// The page script tells of a page that asks for a passkey, or that waits no more.
    pub(super) fn passkey_reported(&self, pipe: &Pipe, session: Option<&str>, context: i64, report: &Value) {
        let Some(session) = session else { return };
        let Some(call) = report["number"].as_i64() else { return };
        let Some(world) = self.state().documents.context(session, context).map(|known| known.unique.clone()) else {
            return;
        };
        if let Some(end) = report["end"].as_str() {
            return self.state().passkeys.ended(session, &world, call, end);
        }
        let origin = report["origin"].as_str().unwrap_or_default();
        let tab = self.state().tab_at(session).map(|tab| (tab.id.clone(), tab.session.clone()));
        let Some((tab, tab_session)) = tab else { return };
        let standing = Standing::new((&tab, &tab_session), (session, &world), call);
        let Some(request) = standing::read(origin, report["ask"].as_str().unwrap_or_default()) else {
            standing.answer(pipe, Answer::No);
            return self.passkey_refused(origin, "it may not ask for one of that site");
        };
        let added = self.state().passkeys.add(standing);
        let number = match added {
            Ok(number) => number,
            Err(standing) => return standing.answer(pipe, Answer::No),
        };
        // Whoever drives: a person who signs in is asked as well.
        if !self.send(super::BrowserEvent::PasskeyAsked(Box::new(PasskeyAsked { number, request })))
            && let Some(standing) = self.state().passkeys.remove(number)
        {
            standing.answer(pipe, Answer::No);
        }
    }

    /// Documents are gone, and what they waited for with them.
    pub(super) fn passkeys_left(&self) {
        self.state().forget_passkeys();
    }

    /// An authenticator made or used a passkey.
    pub(super) fn passkey_came(&self, params: &Value) {
        let id = params["authenticatorId"].as_str().unwrap_or_default();
        match serde_json::from_value::<Passkey>(params["credential"].clone()) {
            Ok(key) => self.state().passkeys.came(id, key),
            Err(_) => tracing::warn!("a passkey that was made or used is not understood"),
        }
    }

    fn passkey_refused(&self, origin: &str, why: &str) {
        self.refused(DialogKind::Passkey, format!("{origin} asked for a passkey; {why}, and the page was told no"));
    }
}

impl State {
    /// Forgets pages that waited and are gone.
    pub(super) fn forget_passkeys(&mut self) {
        let Self { passkeys, documents, .. } = self;
        passkeys.keep_those_of(documents);
    }
}
