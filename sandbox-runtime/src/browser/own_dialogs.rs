//! Dialogs of the browser's own: which stand, which were refused, and how all of them are told.
//!
//! ```text
//! page script, asks.js ─> externalApp, permission, print ──────────┐
//! passkeys ─> passkey ─────────────────────────────────────────────┤
//! an answer's status, an error page ─> httpAuth, certificate ──────┼─> record ─> look, failure, event
//! the room's window manager ─> fileChooser ────────────────────────┘
//! ```
//!
//! Chromium draws most of them into its own window, where neither the debugging protocol nor the window manager sees them:
//! so they are noticed by what brings them up. What nobody here could ever answer is refused before it is drawn.

use std::time::{Duration, Instant};

use sandbox_core::action::DialogRecord;
use sandbox_core::address::without_sign_ins;
use sandbox_core::event::DialogState;
use sandbox_core::observation::DialogKind;
use serde_json::Value;

use super::BrowserEvent;
use super::error::ActionError;
use super::world::{State, World};

/// Makes the functions of a page that bring such a dialog up tell the page script, in the page's own world.
const ASKS_SCRIPT: &str = include_str!("asks.js");
/// Longest name of a site or scheme that is told.
const LONGEST_NAME: usize = 100;
/// After how long the same refusal is told again.
const TOLD_AGAIN: Duration = Duration::from_secs(2);
/// Refusals that wait for the next outcome.
const REFUSED_KEPT: usize = 20;

/// One that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnDialog {
    pub kind: DialogKind,
    pub message: String,
    /// The tab that it belongs to; `None` for a window of its own.
    tab: Option<String>,
}

/// Returns the script for the page's own world; `asks` begins the names of the events that it tells the page script with.
pub fn asks_script(asks: &str) -> String {
    ASKS_SCRIPT.replace("BATON_ASKS", asks)
}

impl World {
    /// The page script says that a page wants something that brings up a dialog.
    pub(super) fn page_asks(&self, session: Option<&str>, report: &Value) {
        let word = |name: &str| report[name].as_str().unwrap_or_default();
        let Some((tab, site)) = self.state().tab_of_session(session).map(|tab| (tab.id.clone(), site(&tab.url))) else {
            return;
        };
        let what: String = word("what").chars().take(LONGEST_NAME).collect();
        match (word("dialog"), report["over"] == true) {
            ("externalApp", _) => {
                let message = format!("{site} wanted to open another program ({what}); it was refused");
                self.refused(DialogKind::ExternalApp, message);
            }
            ("print", _) => {
                let message = format!("{site} printed; the PDF is in `downloads`");
                self.tell_dialog(DialogKind::Print, DialogState::Answered, message);
            }
            ("permission", false) => {
                let message = format!("{site} asks for a permission ({what})");
                self.own_dialog_opened(DialogKind::Permission, Some(tab), message);
            }
            ("permission", true) => self.own_dialog_closed(DialogKind::Permission, Some(&tab)),
            ("certificate", _) => {
                let url = self.state().tab(&tab).map(|tab| tab.url.clone()).unwrap_or_default();
                self.certificate_refused(&tab, &url);
            }
            (other, _) => tracing::warn!(dialog = other, "the page script tells of an unknown dialog"),
        }
    }

    /// A site wants a user name and a password for the document of this tab.
    pub(super) fn sign_in_wanted(&self, tab: &str, url: &str) {
        if self.state().tab(tab).is_none() {
            return;
        }
        let message = format!("{} asks for a user name and a password", site(url));
        self.own_dialog_opened(DialogKind::HttpAuth, Some(tab.to_owned()), message);
    }

    /// A new window or frame leads to another program at once: the page script was not there yet to refuse it.
    pub(super) fn other_program_wanted(&self, session: Option<&str>, url: &str) {
        let Some(tab) = self.state().tab_of_session(session).map(|tab| tab.id.clone()) else { return };
        let scheme: String = url.split(':').next().unwrap_or_default().chars().take(LONGEST_NAME).collect();
        let message = format!("the page wants to open another program ({scheme}:)");
        self.own_dialog_opened(DialogKind::ExternalApp, Some(tab), message);
    }

    /// The room's window manager says whether a file chooser is on the screen.
    pub(super) fn chooser_shown(&self, is_shown: bool) {
        if is_shown {
            self.own_dialog_opened(DialogKind::FileChooser, None, "a file chooser is open".to_owned());
        } else {
            self.own_dialog_closed(DialogKind::FileChooser, None);
        }
    }

    /// The browser does not trust the certificate of the document that this tab asked for.
    pub(super) fn certificate_refused(&self, tab: &str, url: &str) {
        let message = format!("the certificate of {} is not trusted", site(url));
        self.own_dialog_opened(DialogKind::Certificate, Some(tab.to_owned()), message);
    }

    /// A tab asks for another document: it leaves what stood in place of one.
    pub(super) fn document_asked(&self, tab: &str) {
        for kind in [DialogKind::HttpAuth, DialogKind::Certificate] {
            self.own_dialog_closed(kind, Some(tab));
        }
    }

    /// A tab shows another document: what the one before asked for is gone.
    pub(super) fn document_replaced(&self, tab: &str, is_error: bool) {
        for kind in [DialogKind::Permission, DialogKind::ExternalApp] {
            self.own_dialog_closed(kind, Some(tab));
        }
        // Such a dialog stands over the error page that takes the place of its document.
        if !is_error {
            self.document_asked(tab);
        }
    }

    fn own_dialog_opened(&self, kind: DialogKind, tab: Option<String>, message: String) {
        {
            let mut state = self.state();
            if state.own_dialogs.iter().any(|other| other.kind == kind && other.tab == tab) {
                return;
            }
            state.own_dialogs.push(OwnDialog { kind, message: message.clone(), tab });
        }
        self.tell_dialog(kind, DialogState::Open, message);
        self.bump();
    }

    fn own_dialog_closed(&self, kind: DialogKind, tab: Option<&str>) {
        let gone = {
            let mut state = self.state();
            let at = state.own_dialogs.iter().position(|other| other.kind == kind && other.tab.as_deref() == tab);
            at.map(|at| state.own_dialogs.remove(at))
        };
        if let Some(gone) = gone {
            self.tell_dialog(kind, DialogState::Closed, gone.message);
            self.bump();
        }
    }

    /// A page that asks again and again is told no each time; that is told once in a while.
    pub(super) fn refused(&self, kind: DialogKind, message: String) {
        {
            let mut state = self.state();
            let is_news = |(told, at): &(String, Instant)| *told != message || at.elapsed() > TOLD_AGAIN;
            if !state.last_refused.as_ref().is_none_or(is_news) {
                return;
            }
            state.last_refused = Some((message.clone(), Instant::now()));
        }
        if self.gate.dispatch_look(|| ()).is_ok() {
            let record = DialogRecord { kind: kind.name().to_owned(), message: message.clone(), accepted: false };
            let mut state = self.state();
            if state.late_dialogs.len() < REFUSED_KEPT {
                state.late_dialogs.push(record);
            }
        }
        self.tell_dialog(kind, DialogState::Refused, message);
    }

    pub(super) fn tell_dialog(&self, kind: DialogKind, state: DialogState, message: String) {
        self.tell(BrowserEvent::Dialog { kind, state, message });
    }
}

impl State {
    /// Returns the browser's own dialog that stands over the tab in front.
    pub fn own_dialog(&self) -> Option<&OwnDialog> {
        let front = self.active().map(|tab| tab.id.as_str());
        self.own_dialogs.iter().find(|dialog| dialog.tab.is_none() || dialog.tab.as_deref() == front)
    }

    /// Forgets the file chooser that stands; says whether one did.
    pub fn forget_chooser(&mut self) -> bool {
        let before = self.own_dialogs.len();
        self.own_dialogs.retain(|dialog| dialog.kind != DialogKind::FileChooser);
        before != self.own_dialogs.len()
    }

    /// Forgets what stood over a tab that is gone.
    pub fn own_dialogs_gone(&mut self, tab: &str) {
        self.own_dialogs.retain(|dialog| dialog.tab.as_deref() != Some(tab));
    }

    /// Says of an action's failure which dialog stands in its way, if one does and the failure can come of it.
    pub fn in_the_way(&self, error: ActionError) -> ActionError {
        let may_come_of_it = match &error {
            ActionError::NotFound { .. }
            | ActionError::NotReady { .. }
            | ActionError::OtherAddress { .. }
            | ActionError::Navigation { .. }
            | ActionError::Download { .. }
            | ActionError::Silent { .. }
            | ActionError::SignIn { .. }
            | ActionError::Late { .. } => true,
            ActionError::Refused(_)
            | ActionError::OldReference(..)
            | ActionError::Invalid(_)
            | ActionError::NoCredential(_)
            | ActionError::WrongOrigin(_)
            | ActionError::DialogInTheWay { .. }
            | ActionError::Browser(_) => false,
        };
        match self.own_dialog() {
            Some(dialog) if may_come_of_it => {
                let (kind, shown) = (dialog.kind, dialog.message.clone());
                ActionError::DialogInTheWay { error: Box::new(error), kind, shown }
            }
            Some(_) | None => error,
        }
    }
}

/// Whether an address is one that Chromium would open with another program.
pub fn leads_out(url: &str) -> bool {
    const OPENED_HERE: [&str; 14] = [
        "http",
        "https",
        "about",
        "data",
        "blob",
        "file",
        "filesystem",
        "javascript",
        "view-source",
        "chrome",
        "chrome-error",
        "chrome-extension",
        "chrome-untrusted",
        "devtools",
    ];
    url.split_once(':').is_some_and(|(scheme, _)| !OPENED_HERE.contains(&scheme.to_ascii_lowercase().as_str()))
}

/// Returns a site as it is told: scheme and host.
fn site(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(address) if address.host_str().is_some() => address.origin().ascii_serialization(),
        Ok(_) | Err(_) => {
            let short: String = without_sign_ins(url).chars().take(LONGEST_NAME).collect();
            if short.is_empty() { "the page".to_owned() } else { short }
        }
    }
}
