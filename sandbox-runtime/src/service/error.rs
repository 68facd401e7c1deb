//! What an operation answers when it cannot be done: a code for programs, a sentence for people.

use serde::Serialize;

use crate::driver::Driver;

/// The error codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Invalid,
    Conflict,
    HeldByPerson,
    WaitingForPerson,
    HeldByOther,
    StaleLease,
    TooLarge,
    UnsupportedMediaType,
    IdempotencyMismatch,
    Overloaded,
    Timeout,
    NoModel,
    /// The vault has no sign-in for the page.
    NoCredential,
    /// The vault has a sign-in, and it is not for this page.
    WrongOrigin,
    Internal,
    Unavailable,
}

/// An operation was refused or failed. Nothing was changed unless the message says so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    pub code: ErrorCode,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub details: Option<Box<serde_json::Value>>,
}

impl ServiceError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what} {id}"))
    }

    /// The sandbox was made without a browser, or its browser is not there now.
    pub(super) fn no_browser(driver: &Driver) -> Self {
        Self::conflict("this sandbox has no browser", driver.sandbox().preview.status)
    }

    /// The thing is in a state in which this cannot be done; `status` goes into the details.
    pub fn conflict(message: impl Into<String>, status: impl Serialize) -> Self {
        let status = serde_json::to_value(status).unwrap_or_default();
        Self {
            details: Some(Box::new(serde_json::json!({ "status": status }))),
            ..Self::new(ErrorCode::Conflict, message)
        }
    }

    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, error.to_string())
    }

    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
