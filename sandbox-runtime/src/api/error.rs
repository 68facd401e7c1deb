//! Every refusal as the contract's error object, whoever refuses.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::{ErrorCode, ServiceError};
use crate::store::StoreError;

/// An answer that is a refusal. Whatever fails behind a route becomes one.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError(Box<ServiceError>);

/// The body of every refusal.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    /// For programs.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

/// What a route may answer besides its own. Which these are is told from the route itself, for all of them in one place.
pub struct Refusals;

impl utoipa::IntoResponses for Refusals {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        std::collections::BTreeMap::new()
    }
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ServiceError::new(code, message).into()
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }
}

/// Returns the status that a code travels with.
pub fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::NoCredential => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::Conflict
        | ErrorCode::HeldByPerson
        | ErrorCode::WaitingForPerson
        | ErrorCode::HeldByOther
        | ErrorCode::StaleLease
        | ErrorCode::NoModel
        | ErrorCode::WrongOrigin => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<ServiceError> for ErrorDetail {
    fn from(error: ServiceError) -> Self {
        let ServiceError { code, message, hint, details } = error;
        Self { code, message, hint, details: details.map(|details| *details) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = ErrorDetail::from(*self.0);
        let code = error.code;
        match code {
            ErrorCode::Internal => tracing::error!(error.message, "a request failed"),
            ErrorCode::Unavailable => tracing::warn!(error.message, "a request could not be served"),
            _ => {}
        }
        let mut response = (status_of(code), Json(ErrorBody { error })).into_response();
        let headers = response.headers_mut();
        match code {
            ErrorCode::Overloaded => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            ErrorCode::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self(Box::new(error))
    }
}

impl From<ApiError> for ServiceError {
    fn from(error: ApiError) -> Self {
        *error.0
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::InvalidCursor | StoreError::NoSuchEvent(_) => ErrorCode::Invalid,
            StoreError::Full | StoreError::Busy | StoreError::Closed => ErrorCode::Unavailable,
            StoreError::NoSuchBlob(_) => ErrorCode::NotFound,
            StoreError::Damaged(_)
            | StoreError::ContentChanged(_)
            | StoreError::Newer { .. }
            | StoreError::NotOurs { .. }
            | StoreError::InvalidDigest(_)
            | StoreError::Document { .. }
            | StoreError::Io { .. }
            | StoreError::Sql(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}
