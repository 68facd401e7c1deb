//! Tells a page whose script does not end from a server that is slow, and ends such a script where the page is left.

use std::time::Duration;

use serde_json::json;

use super::error::ActionError;
use super::pipe::{CallError, Pass, Pipe};
use super::tab::Tab;

/// How long a page may take to answer while a script of its own runs. Chromium tells a person after 15 s.
const PATIENCE: Duration = Duration::from_secs(2);

const SCRIPT: &str = "a script in it does not end; reload it, open another page, or close the tab";
const AWAITED: &str =
    "the tab waits for another page, whose server has not answered yet; open another page, or reload this one";

/// Returns whether a script keeps the main document of the tab from answering. Takes up to [`PATIENCE`].
pub async fn hangs(pipe: &Pipe, pass: &Pass, tab: &Tab) -> bool {
    // A page behind a dialog waits for a person, and Chromium keeps questions back while a tab goes elsewhere.
    if tab.dialog.is_some() || tab.crashed || tab.navigating {
        return false;
    }
    let trivial = json!({ "expression": "1", "returnByValue": true });
    let asked = pipe.call_within(PATIENCE, pass, Some(&tab.session), "Runtime.evaluate", trivial);
    matches!(asked.await, Err(CallError::Deadline { .. }))
}

/// Ends a script that would keep its page from being left. A page that answers goes on as it is.
///
/// Call it before the page is left: from then on Chromium gives what it is told to the next document.
pub async fn free(pipe: &Pipe, pass: &Pass, tab: &Tab) {
    if hangs(pipe, pass, tab).await {
        tracing::debug!(tab = tab.id, "a script that did not end is ended");
        pipe.note(Some(&tab.session), "Runtime.terminateExecution", json!({}));
    }
}

/// Gives up on a page that was asked for and does not come: the tab goes on with the page it shows.
pub fn stay(pipe: &Pipe, tab: &Tab) {
    pipe.note(Some(&tab.session), "Page.stopLoading", json!({}));
}

/// Names a page that does not answer as the cause of an action that failed there.
pub async fn cause(error: ActionError, pipe: &Pipe, pass: &Pass, tab: Option<Tab>) -> ActionError {
    let may_be_silence = match &error {
        ActionError::Late { .. } | ActionError::NotFound { .. } | ActionError::NotReady { .. } => true,
        ActionError::OtherAddress { .. } | ActionError::Download { .. } | ActionError::Browser(_) => true,
        ActionError::Refused(_) | ActionError::Invalid(_) | ActionError::OldReference(..) => false,
        ActionError::NoCredential(_) | ActionError::WrongOrigin(_) | ActionError::SignIn { .. } => false,
        // It names the page that was to come, and not the one that stands.
        ActionError::Navigation { .. } | ActionError::Silent { .. } | ActionError::DialogInTheWay { .. } => false,
    };
    let Some(tab) = tab.filter(|_| may_be_silence) else { return error };
    let why = if tab.navigating {
        AWAITED
    } else if hangs(pipe, pass, &tab).await {
        SCRIPT
    } else {
        return error;
    };
    ActionError::Silent { url: tab.url, why }
}
