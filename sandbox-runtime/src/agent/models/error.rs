//! Why a model did not answer.

use std::time::Duration;

/// A request to a model that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ask {model}: {message}")]
pub struct ModelError {
    pub kind: ModelErrorKind,
    /// The model that was asked.
    pub model: String,
    /// The provider's own words where it said any.
    pub message: String,
    /// The HTTP status that it answered with, if it did.
    pub status: Option<u16>,
    /// When the provider says that it may be asked again.
    pub retry_after: Option<Duration>,
}

/// What kind of end it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// The key is missing, wrong, or not allowed to do this; or there is no credit.
    Auth,
    /// Too many requests.
    RateLimited,
    /// The provider has no room, or failed.
    Overloaded,
    /// It could not be reached, or the answer broke off.
    Network,
    /// The provider did not take the request as it is.
    Refused,
    /// The conversation is longer than the model's context: make it shorter and ask again.
    TooLong,
    /// The answer is none that we can read.
    Malformed,
}

impl ModelErrorKind {
    /// Whether the same request may well succeed a little later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::RateLimited | Self::Overloaded | Self::Network | Self::Malformed => true,
            Self::Auth | Self::Refused | Self::TooLong => false,
        }
    }

    /// What a person may do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Auth => "check the model's key in the settings, and whether its account has credit",
            Self::RateLimited => "wait a moment, or choose another model",
            Self::Overloaded => "the provider has trouble: try again later, or choose another model",
            Self::Network => "check the connection and the model's address in the settings",
            Self::Refused => "check the model's name and address in the settings",
            Self::TooLong => "give the task fewer or shorter documents, or choose a model with a larger context",
            Self::Malformed => "check that the address in the settings is the provider's API and of the right kind",
        }
    }
}
