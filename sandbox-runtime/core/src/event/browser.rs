//! The browser: where it is, and its own dialogs.

use super::payload;
use crate::CredentialId;
use crate::model::{CredentialSource, HandoffReason, wire};
use crate::observation::DialogKind;

payload! {
    /// The browser of a sandbox is up.
    pub struct BrowserReady {}

    /// The browser, or a page of it, was lost.
    pub struct BrowserFailed {
        pub message: String,
    }

    /// The active page has another address. Not told while a person drives.
    pub struct BrowserNavigated {
        pub url: String,
        pub title: String,
    }

    /// A dialog of the browser's own came, was refused, or went.
    pub struct BrowserDialog {
        pub kind: DialogKind,
        pub state: DialogState,
        pub message: String,
        /// What a person can be asked to do about one that stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub handoff: Option<DialogAsk>,
    }

    /// An entry of the vault was opened to be filled in. Its values are in no event.
    pub struct CredentialUsed {
        pub credential_id: CredentialId,
        /// Origin of the document that it was filled into.
        pub site: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        /// It signs in with a passkey: nothing is filled in.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub passkey: bool,
        /// Who keeps its values. Default `local`: Baton's own vault.
        #[serde(default, skip_serializing_if = "CredentialSource::is_local")]
        pub source: CredentialSource,
    }

    /// A request for a person, ready to be made.
    pub struct DialogAsk {
        pub reason: HandoffReason,
        pub message: String,
    }
}

wire! {
    /// What became of a dialog of the browser's own.
    #[derive(Copy, Eq)]
    pub enum DialogState {
        /// It stands, and waits for an answer.
        Open,
        /// It does not stand any more.
        Closed,
        /// It was never shown: the page was told no.
        Refused,
        /// It was answered without asking anybody.
        Answered,
    }
}

impl BrowserDialog {
    /// Tells a dialog, with what a person can be asked to do where it stands.
    pub fn new(kind: DialogKind, state: DialogState, message: impl Into<String>) -> Self {
        let handoff = match state {
            DialogState::Open => {
                kind.proposal().map(|(reason, message)| DialogAsk { reason, message: message.to_owned() })
            }
            DialogState::Closed | DialogState::Refused | DialogState::Answered => None,
        };
        Self { kind, state, message: message.into(), handoff }
    }
}
