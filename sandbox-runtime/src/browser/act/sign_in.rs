//! Signing in: page after page, until the site asks for nothing more.
//!
//! The values are written by the page script in one step with the check of where it is. From before that step on, the document
//! is closed to programs, as one that a person typed in.

use std::time::{Duration, Instant};

use sandbox_core::action::SignIn;
use sandbox_core::model::{Credential, CredentialRule};
use secrecy::ExposeSecret;

use super::Doing;
use super::done::Done;
use super::forms::key_calls;
use crate::browser::documents::Filled;
use crate::browser::error::ActionError;
use crate::browser::page::Frame;
use crate::browser::pipe::CallError;
use crate::browser::sign_in::form::{self, Form, Found, Stage};
use crate::browser::sign_in::{self, Login};
use crate::browser::world::World;

/// Between looks at what became of a form.
const PAUSE: Duration = Duration::from_millis(150);
/// For how long nothing may be asked for, so that the sign-in counts as done.
const QUIET: Duration = Duration::from_millis(600);
/// How long a form that was sent may stand as it is.
const STANDS: Duration = Duration::from_secs(8);
/// A form that was sent and complains is given this long to go away all the same.
const COMPLAINS: Duration = Duration::from_millis(1_200);
/// How long a button may stay disabled after its fields were filled in.
const DISABLED: Duration = Duration::from_secs(3);
/// A code that expires sooner is not used: the site may check it too late.
const SHORTEST_CODE: Duration = Duration::from_secs(3);

impl Doing<'_> {
    pub(super) async fn sign_in(&self, wanted: &SignIn) -> Result<Done, ActionError> {
        let mut found = form::wait(self.shared, &self.pass(), self.deadline()).await?;
        let entry = sign_in::entry_for(self.shared, wanted, &found.form).await?;
        if entry.rule == CredentialRule::Ask && wanted.agreed.as_ref() != Some(&entry.id) {
            return Err(sign_in::failed(&found.form, "the person has to be asked first".to_owned()));
        }
        // A password manager may ask the person first.
        let opened = self.uncounted(self.shared.vault.open(&entry, &found.form.origin)).await;
        let login = opened.map_err(|error| sign_in::failed(&found.form, error.to_string()))?;
        let site = found.form.origin.clone();
        let mut sent = Vec::new();
        loop {
            self.check_again(&entry, wanted, &found.form)?;
            self.fill(&found, &login).await?;
            self.send(&found).await?;
            sent.push(found.form.stage);
            match self.became(&found, &sent).await? {
                Some(next) => found = next,
                None => break,
            }
        }
        Ok(Done::said(format!("signed in at {site} with {} ({})", login.username, entry.source.called())))
    }

    /// Every page on the way has to be the entry's own.
    fn check_again(&self, entry: &Credential, wanted: &SignIn, form: &Form) -> Result<(), ActionError> {
        let narrowed = SignIn { agreed: Some(entry.id.clone()), ..wanted.clone() };
        sign_in::fitting(std::slice::from_ref(entry), &narrowed, form).map(drop)
    }

    async fn fill(&self, found: &Found, login: &Login) -> Result<(), ActionError> {
        let form = &found.form;
        let missing = |what: &str, has: &str| {
            let why = format!("it asks for {what}, and its entry {has}; a person can enter it");
            sign_in::failed(form, why)
        };
        let secret = match form.stage {
            Stage::Username => None,
            Stage::Password => {
                let password = login.password.as_ref().ok_or_else(|| missing("a password", "has none"))?;
                Some(password.expose_secret().to_owned())
            }
            Stage::Code => {
                let codes = login.codes.as_ref().ok_or_else(|| missing("a one-time code", "makes none"))?;
                let (code, left) = codes.at(since_epoch());
                if left >= SHORTEST_CODE {
                    Some(code)
                } else {
                    tokio::time::sleep(left).await;
                    Some(codes.at(since_epoch()).0)
                }
            }
        };
        let page = self.page()?;
        let plan = form.plan(&login.username, secret.as_deref().unwrap_or_default());
        let _closed = secret.map(|_| Closing::begin(&self.shared.world, &found.frame, &page.tab.id));
        let step = match form::call(&page, &found.frame, "fill", plan).await {
            Ok(step) => step,
            Err(CallError::Refused(refused)) => return Err(refused.into()),
            Err(error) if error.is_passing() => {
                return Err(sign_in::failed(form, "the page went away while it was filled in".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        match step.why {
            None => Ok(()),
            Some(why) if step.moved => Err(ActionError::WrongOrigin(format!("{why}; nothing was filled in"))),
            Some(why) => Err(sign_in::failed(form, why)),
        }
    }

    async fn send(&self, found: &Found) -> Result<(), ActionError> {
        let until = Instant::now() + DISABLED;
        loop {
            let page = self.page()?;
            let tabs = self.shared.world.state().tabs.len();
            // The page may need a moment to take in what was written.
            let _ = page.ask(&found.frame, "baton.still()").await;
            let step = match form::call(&page, &found.frame, "send", found.form.plan("", "")).await {
                Ok(step) => step,
                // It went away with its document: it was sent.
                Err(error) if error.is_passing() => return self.settle(tabs).await,
                Err(error) => return Err(error.into()),
            };
            if step.enter {
                self.input(key_calls(Some(&found.frame.session), "Enter")?).await?;
                return Ok(());
            }
            match step.why {
                None => return self.settle(tabs).await,
                Some(_) if step.retry && Instant::now() < until => tokio::time::sleep(PAUSE).await,
                Some(why) if step.moved => return Err(ActionError::WrongOrigin(format!("{why}; it was not sent"))),
                Some(why) => return Err(sign_in::failed(&found.form, why)),
            }
        }
    }

    /// Waits for what comes of a form that was sent: the next one, or none.
    async fn became(&self, before: &Found, sent: &[Stage]) -> Result<Option<Found>, ActionError> {
        let begun = Instant::now();
        let mut quiet_since = None;
        loop {
            tokio::time::sleep(PAUSE).await;
            let is_still = self.is_still();
            let next = form::find(self.shared, &self.pass()).await?;
            let after_password = sent.last() > Some(&Stage::Username);
            match next {
                // A field for a name on the page behind a sign-in is not part of it.
                Some(next)
                    if after_password && next.form.stage == Stage::Username && next.form.complaint.is_empty() =>
                {
                    quiet_since.get_or_insert_with(Instant::now);
                }
                Some(next) if after_password && next.form.stage == Stage::Username => {
                    return Err(asks_again(&next.form));
                }
                Some(next) if !sent.contains(&next.form.stage) => return Ok(Some(next)),
                Some(next) => {
                    quiet_since = None;
                    let is_another = next.form.document != before.form.document && is_still;
                    let complains = !next.form.complaint.is_empty() && begun.elapsed() >= COMPLAINS;
                    if is_another || complains || begun.elapsed() >= STANDS || self.left() < PAUSE * 2 {
                        return Err(asks_again(&next.form));
                    }
                }
                None if is_still => {
                    quiet_since.get_or_insert_with(Instant::now);
                }
                None => quiet_since = None,
            }
            if quiet_since.is_some_and(|since| since.elapsed() >= QUIET) {
                return Ok(None);
            }
            if self.left() < PAUSE * 2 {
                return Err(sign_in::failed(
                    &before.form,
                    "the form was sent, and the next page did not come".to_owned(),
                ));
            }
        }
    }

    fn is_still(&self) -> bool {
        let state = self.shared.world.state();
        state.active().is_some_and(|tab| !tab.navigating && (tab.dom_ready || tab.loaded))
    }
}

fn asks_again(form: &Form) -> ActionError {
    let what = match form.stage {
        Stage::Username => "the user name",
        Stage::Password => "the password",
        Stage::Code => "the code",
    };
    let said = if form.complaint.is_empty() { String::new() } else { format!(": {:?}", form.complaint) };
    sign_in::failed(form, format!("the site asks for {what} again{said}"))
}

fn since_epoch() -> Duration {
    Duration::from_millis(crate::now_ms().unsigned_abs())
}

/// A document that is being filled in: closed to programs, whatever its fields hold at the moment.
struct Closing<'a> {
    world: &'a World,
    filled: Filled,
}

impl<'a> Closing<'a> {
    fn begin(world: &'a World, frame: &Frame, tab: &str) -> Self {
        Self { world, filled: world.begin_filling(&frame.session, frame.context(), tab) }
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.world.state().documents.end_filling(&self.filled);
    }
}
