//! Signing in with an entry of the person's vault.
//!
//! Owns finding the form and the entry for it, one-time codes, and sign-ins that a person types. Leaves the rule of which entry fits to
//! [`sandbox_core::credential`], storing values to the [`Vault`], and acting to `act`.

mod code;
pub mod form;
pub mod typed;
mod vault;

use std::time::Instant;

use sandbox_core::action::SignIn;
use sandbox_core::approval::judge::Foreseen;
use sandbox_core::credential::{self, Site, Unfit, choose};
use sandbox_core::model::{Credential, CredentialRule, ShownField};

pub use code::{CodeError, OneTimeCodes};
pub use typed::TypedSignIn;
pub use vault::{EmptyVault, Login, Offered, Vault, VaultError};

use self::form::{Form, Stage};
use super::Shared;
use super::error::ActionError;
use super::pipe::Pass;

/// Returns the question for a person before a sign-in; `None` if the entry needs no approval.
pub async fn foresee(
    shared: &Shared,
    pass: Pass,
    wanted: &SignIn,
    deadline: Instant,
) -> Result<Option<Foreseen>, ActionError> {
    let found = form::wait(shared, &pass, deadline).await?;
    let entry = entry_for(shared, wanted, &found.form).await?;
    match entry.rule {
        CredentialRule::Fill | CredentialRule::Never => Ok(None),
        CredentialRule::Ask => Ok(Some(foreseen(&entry, &found.form))),
    }
}

/// Returns the site of the form that the page shows now, if the vault has no sign-in for it.
pub async fn missing(shared: &Shared) -> Option<Site> {
    let found = form::find(shared, &Pass::Look(shared.gate.clone())).await.ok()??;
    // A code alone is no sign-in.
    if found.form.stage == Stage::Code {
        return None;
    }
    let entries = shared.vault.entries().await.ok()?;
    credential::missing(&entries, found.form.place())
}

/// Returns the entry for a form.
pub async fn entry_for(shared: &Shared, wanted: &SignIn, form: &Form) -> Result<Credential, ActionError> {
    let entries = shared.vault.entries().await.map_err(|error| failed(form, error.to_string()))?;
    Ok(fitting(&entries, wanted, form)?.clone())
}

/// Returns the one of these entries that fits a form.
pub fn fitting<'a>(entries: &'a [Credential], wanted: &SignIn, form: &Form) -> Result<&'a Credential, ActionError> {
    choose(entries, wanted, form.place()).map_err(|unfit| match unfit {
        Unfit::NoCredential(words) => ActionError::NoCredential(words),
        Unfit::WrongOrigin(words) => ActionError::WrongOrigin(words),
        Unfit::Refused(why) => failed(form, why),
    })
}

/// Says why a sign-in at this form failed.
pub fn failed(form: &Form, why: String) -> ActionError {
    ActionError::SignIn { site: form.origin.clone(), why }
}

fn foreseen(entry: &Credential, form: &Form) -> Foreseen {
    let masked = |name: &str| ShownField { name: name.to_owned(), value: "•".to_owned(), masked: true };
    let user = entry.username.clone().unwrap_or_default();
    let mut fields = vec![ShownField { name: "user name".to_owned(), value: user.clone(), masked: false }];
    fields.extend(entry.has_password.then(|| masked("password")));
    fields.extend(entry.has_totp.then(|| masked("one-time code")));
    Foreseen {
        words: user,
        page: form.origin.clone(),
        destination: Some(form.origin.clone()),
        fields,
        credential: Some(entry.id.clone()),
        ..Foreseen::default()
    }
}
