//! One attempt at one action, with a turn in hand: consent, the action itself, and whatever of it was held on its way out.

use std::borrow::Cow;
use std::time::Duration;

use sandbox_core::CredentialId;
use sandbox_core::action::{Action, Outcome as Done, SignIn};

use super::consent::{Consent, ConsentError, consent};
use super::workbench::{Asks, HeldAnswer, Turn, Workbench};
use crate::browser::{ActionError, Browser};

/// How long the story waits for its picture of a step.
const PICTURE_DEADLINE: Duration = Duration::from_millis(1_500);

/// What came of it.
pub enum Attempt {
    Done(Box<Done>),
    /// It leads elsewhere, and got there only after a person approved.
    Approved,
    /// Nothing was done: somebody was asked meanwhile. Take a turn and come again.
    Again,
    /// Somebody took over in the middle; how much of it was done is not known.
    Interrupted,
    /// A person said no.
    Denied {
        note: Option<String>,
    },
    /// Nobody answered for as long as the asker waits. Nothing was done, and the question stands.
    Unanswered,
    /// It was done, and what it sends stands still at the network: nobody answered for as long as the asker waits.
    Held,
    Failed(ActionError),
}

/// Does the action unless a person says no. `agreed` is the hash of what was agreed to for this action so far.
///
/// # Errors
///
/// The task is to stop, or could not ask.
pub async fn attempt(
    bench: &(impl Asks + ?Sized),
    browser: &Browser,
    turn: Turn,
    action: &Action,
    limit: Duration,
    agreed: &mut Option<String>,
) -> Result<Attempt, ConsentError> {
    let (turn, action) = match consent(bench, browser, turn, action, limit, agreed).await {
        Ok(Consent::Act { turn, agreed_entry }) => (turn, with_entry(action, agreed_entry)),
        Ok(Consent::Again) => return Ok(Attempt::Again),
        Ok(Consent::Denied { note }) => return Ok(Attempt::Denied { note }),
        Ok(Consent::Unanswered) => return Ok(Attempt::Unanswered),
        Err(ConsentError::Action(error)) => return Ok(Attempt::Failed(error)),
        Err(error @ (ConsentError::Stopped(_) | ConsentError::Work(_))) => return Err(error),
    };
    let done = tokio::select! {
        biased;
        () = bench.stopped() => return Err(super::workbench::Stopped.into()),
        () = turn.cancelled.cancelled() => None,
        // A page that is held before it comes is waited for outside the turn, as a person may want it.
        () = bench.is_held(), if travels(&action) => Some(Ok(None)),
        done = browser.act(&turn.permit, &action, limit) => Some(done.map(Some)),
    };
    drop(turn);
    let held = bench.held_requests().await.map_err(ConsentError::Work)?;
    match held {
        HeldAnswer::Denied { note } => return Ok(Attempt::Denied { note }),
        HeldAnswer::Unanswered => return Ok(Attempt::Held),
        HeldAnswer::NoneHeld | HeldAnswer::LetGo | HeldAnswer::Gone | HeldAnswer::Closed => {}
    }
    Ok(match done {
        // It was the page itself that was held, or only something that the page uses.
        Some(Ok(None)) => tokio::select! {
            biased;
            () = bench.stopped() => return Err(super::workbench::Stopped.into()),
            came = browser.page_came(limit) => came.map_or_else(Attempt::Failed, |()| Attempt::Approved),
        },
        Some(Ok(Some(done))) => Attempt::Done(Box::new(done)),
        // What it waited for could not come while a person was asked.
        Some(Err(error)) if held == HeldAnswer::LetGo && nothing_was_done(&error) => Attempt::Again,
        None | Some(Err(ActionError::Refused(_))) => Attempt::Interrupted,
        Some(Err(error)) => Attempt::Failed(error),
    })
}

/// Keeps a picture of the page as an action left it, and returns its name. A page that does not paint, or that a person has
/// taken over, has none.
pub async fn picture_after(bench: &dyn Workbench, browser: &Browser) -> Option<String> {
    let picture = tokio::time::timeout(PICTURE_DEADLINE, browser.story_picture()).await.ok()?.ok()?;
    match bench.keep_picture(picture).await {
        Ok(sha256) => Some(sha256),
        Err(error) => {
            tracing::warn!(%error, "a picture of the page is not kept");
            None
        }
    }
}

/// A sign-in that a person agreed to is that of the entry which they were shown.
fn with_entry(action: &Action, agreed_entry: Option<CredentialId>) -> Cow<'_, Action> {
    match action {
        Action::SignIn(wanted) => Cow::Owned(Action::SignIn(SignIn { agreed: agreed_entry, ..wanted.clone() })),
        _ => Cow::Borrowed(action),
    }
}

/// Whether the action only leads elsewhere.
fn travels(action: &Action) -> bool {
    matches!(action, Action::Navigate(_) | Action::NewTab(_) | Action::Back(_) | Action::Forward(_) | Action::Reload(_))
}

/// Whether the failure says that the action never began.
fn nothing_was_done(error: &ActionError) -> bool {
    matches!(error, ActionError::NotFound { .. } | ActionError::NotReady { .. } | ActionError::OtherAddress { .. })
}
