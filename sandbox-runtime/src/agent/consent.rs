//! Before an action: what it would do, and whether a person has to say yes to it first.
//!
//! Owns the order: look, ask without holding the turn, take the turn again, look again. Only what still is exactly what was
//! shown is done; anything else is asked anew. Leaves to the driver what the rules say.

use std::time::Duration;

use sandbox_core::CredentialId;
use sandbox_core::action::Action;
use sandbox_core::approval::hash;
use sandbox_core::approval::judge::{self, Foreseen};
use sandbox_core::model::{ActKind, Proposal};

use super::workbench::{ApprovalRequest, Asks, Decision, Doing, Stopped, Turn, WorkError};
use crate::browser::{ActionError, Browser};

/// What follows for the action.
pub enum Consent {
    /// It may be done now, under this turn.
    Act {
        turn: Turn,
        /// The entry of the vault that a person agreed to, where one was asked about.
        agreed_entry: Option<CredentialId>,
    },
    /// Somebody was asked, or took over: take a turn and come again.
    Again,
    Denied {
        note: Option<String>,
    },
    /// Nobody answered for as long as the asker waits. Nothing was done, and the question stands.
    Unanswered,
}

#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Work(WorkError),
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// Asks for consent to an action, if anyone has to be asked. `agreed` is the hash of what was agreed to for this action so far.
pub async fn consent(
    bench: &(impl Asks + ?Sized),
    browser: &Browser,
    turn: Turn,
    action: &Action,
    limit: Duration,
    agreed: &mut Option<String>,
) -> Result<Consent, ConsentError> {
    let unasked = |turn| Ok(Consent::Act { turn, agreed_entry: None });
    // Whether a sign-in is asked about is its entry's own rule.
    if !bench.may_ask() && !matches!(action, Action::SignIn(_)) {
        return unasked(turn);
    }
    let foreseen = tokio::select! {
        biased;
        () = bench.stopped() => return Err(Stopped.into()),
        () = turn.cancelled.cancelled() => return Ok(Consent::Again),
        foreseen = browser.foresee(&turn.permit, action, limit) => foreseen,
    };
    let foreseen = match foreseen {
        Ok(Some(foreseen)) => foreseen,
        Ok(None) => return unasked(turn),
        Err(ActionError::Refused(_)) => return Ok(Consent::Again),
        Err(error) => return Err(error.into()),
    };
    let Some(proposal) = proposal(action, &foreseen) else { return unasked(turn) };
    let shown = hash(&proposal);
    if agreed.as_ref() == Some(&shown) {
        let doing = Doing { proposal, sent: foreseen.sent };
        return match bench.doing(doing).await {
            Ok(()) => Ok(Consent::Act { turn, agreed_entry: foreseen.credential }),
            Err(WorkError::Stopped(stopped)) => Err(stopped.into()),
            Err(error) => Err(ConsentError::Work(error)),
        };
    }
    drop(turn);
    let asked = ApprovalRequest { proposal, page: foreseen.page, action: Some(action.clone()) };
    match bench.approve(asked).await {
        Ok(Decision::Allowed | Decision::Approved(_)) => *agreed = Some(shown),
        Ok(Decision::Void { .. }) => {}
        Ok(Decision::Unanswered) => return Ok(Consent::Unanswered),
        Ok(Decision::Denied { note }) => return Ok(Consent::Denied { note }),
        Err(WorkError::Stopped(stopped)) => return Err(stopped.into()),
        Err(error) => return Err(ConsentError::Work(error)),
    }
    Ok(Consent::Again)
}

/// Returns what a person would be shown of an action; `None` for one that nobody could want to be asked about.
pub(crate) fn proposal(action: &Action, foreseen: &Foreseen) -> Option<Proposal> {
    if let Action::SignIn(_) = action {
        let summary = format!("sign in with {}", foreseen.words);
        return Some(judge::propose(ActKind::SignIn, summary, foreseen));
    }
    // Whatever leads elsewhere may lead to a site that the task was not told about.
    let leads = foreseen.destination.is_some().then_some(ActKind::NewDestination);
    let kind = judge::by_foresight(foreseen).or(leads)?;
    let summary = match (action, action.target()) {
        (Action::Navigate(navigate), _) => format!("open {}", navigate.url()),
        // A reference means nothing to a person.
        (_, Some(target)) if target.reference.is_some() && !foreseen.words.is_empty() => {
            format!("{} {:?}", action.name(), foreseen.words)
        }
        (_, Some(target)) => format!("{} {target}", action.name()),
        (_, None) => action.name().to_owned(),
    };
    Some(judge::propose(kind, summary, foreseen))
}
