//! What can go wrong with the browser and with an action, in words that a reader can act on.

use sandbox_core::observation::DialogKind;
use sandbox_link::LinkError;

use super::address::AddressError;
use super::gate::Refused;
use super::observe::references::Stale;
use super::pipe::CallError;

#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("reach the browser: {0}")]
    Link(#[from] LinkError),
    #[error("ask the browser: {0}")]
    Call(CallError),
    #[error("no page is open")]
    NoPage,
    #[error("the page crashed; reload it")]
    Crashed,
    /// A page with an open dialog answers nothing.
    #[error("the page shows a dialog ({kind}: {message:?}) that has to be answered first, with `dialog`")]
    DialogOpen { kind: String, message: String },
    #[error("there is no tab {0:?}")]
    NoTab(String),
    #[error("read the picture: {0}")]
    Picture(#[from] image::ImageError),
    /// Hiding what a person typed comes before showing anything.
    #[error("the picture is withheld, because fields that a person typed in could not be covered: {0}")]
    Uncovered(String),
}

#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Control is elsewhere; what was begun is cancelled.
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("looked for {target}; {instead}")]
    NotFound { target: String, instead: String },
    #[error("{target} is there, but {why}")]
    NotReady { target: String, why: String },
    #[error("looked for the address {pattern:?}; the page was at {url} instead")]
    OtherAddress { pattern: String, url: String },
    #[error("the reference {0:?} {1}; look again and use a new one")]
    OldReference(String, Stale),
    #[error("{0}")]
    Invalid(String),
    #[error("open {url}: {cause}")]
    Navigation { url: String, cause: String },
    #[error("download after clicking {target}: {cause}")]
    Download { target: String, cause: String },
    /// The vault has nothing for the page.
    #[error("{0}")]
    NoCredential(String),
    /// The vault has it, and not for this page.
    #[error("{0}")]
    WrongOrigin(String),
    #[error("sign in at {site}: {why}")]
    SignIn { site: String, why: String },
    /// Neither a look nor an input reaches the page.
    #[error("the page at {url} does not answer, because {why}")]
    Silent { url: String, why: &'static str },
    #[error("{what}: not done after {after_ms} ms")]
    Late { what: String, after_ms: u128 },
    /// A dialog of the browser's own stands, which only a person can answer.
    #[error("{error}; a dialog is in the way ({}): {shown}; {}", kind.name(), kind.advice())]
    DialogInTheWay { error: Box<ActionError>, kind: DialogKind, shown: String },
    #[error(transparent)]
    Browser(BrowserError),
}

impl From<CallError> for BrowserError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refused) => Self::Refused(refused),
            CallError::Closed | CallError::Deadline { .. } | CallError::Failed { .. } | CallError::Reply { .. } => {
                Self::Call(error)
            }
        }
    }
}

impl From<BrowserError> for ActionError {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Refused(refused) => Self::Refused(refused),
            error => Self::Browser(error),
        }
    }
}

impl From<AddressError> for ActionError {
    fn from(error: AddressError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<CallError> for ActionError {
    fn from(error: CallError) -> Self {
        BrowserError::from(error).into()
    }
}

impl CallError {
    /// Whether asking again may help: the document changed under the question.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Reply { .. } => true,
            Self::Refused(_) | Self::Closed | Self::Deadline { .. } => false,
        }
    }
}
