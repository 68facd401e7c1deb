//! Why a program's request is not carried, and how that is said to it.

use ::http::{Response, StatusCode, header};
use axum::body::Body;
use sandbox_core::policy::{HostError, Refusal};

use super::failure::{FAILURE_HEADER, Failure, FailureKind};
use super::{Denied, Target};

#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    #[error("{target}: {refusal}; {} of this sandbox decides that", .refusal.setting())]
    Policy { target: Target, refusal: Refusal },
    /// Two places of one request name different destinations.
    #[error("{target}: {place} says {said:?} instead; no setting opens that")]
    Disagrees { target: Target, place: &'static str, said: String },
    #[error("{cause}; no setting opens that")]
    BadHost { text: String, cause: HostError },
    #[error("this is no request that a proxy can carry: {0}")]
    BadRequest(&'static str),
    #[error("{0}: this built-in site is served over plain http at port 80 only")]
    SitePort(Target),
    #[error("{}: its address was not found: {cause}", .target.host)]
    Unresolved { target: Target, cause: String },
    #[error("{target}: {cause}")]
    Unreachable { target: Target, kind: FailureKind, cause: String },
}

impl Rejection {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Policy { .. } | Self::Disagrees { .. } | Self::BadHost { .. } => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::SitePort(_) | Self::Unresolved { .. } | Self::Unreachable { .. } => StatusCode::BAD_GATEWAY,
        }
    }

    /// Returns what is written down about a refusal; `None` for what merely failed.
    pub(super) fn denied(&self) -> Option<Denied> {
        match self {
            Self::Policy { target, refusal } => Some(Denied {
                host: target.host.to_string(),
                port: target.port,
                reason: refusal.to_string(),
                setting: Some(refusal.setting()),
            }),
            Self::Disagrees { target, place, said } => Some(Denied {
                host: target.host.to_string(),
                port: target.port,
                reason: format!("{place} says {said:?} instead"),
                setting: None,
            }),
            Self::BadHost { text, cause } => {
                // What stands before an '@' may be a password, and is not written down.
                let host = text.rsplit('@').next().unwrap_or_default().to_owned();
                Some(Denied { host, port: 0, reason: cause.to_string(), setting: None })
            }
            Self::BadRequest(_) | Self::SitePort(_) | Self::Unresolved { .. } | Self::Unreachable { .. } => None,
        }
    }

    pub(super) fn failure(&self) -> Failure {
        let kind = match self {
            Self::Policy { .. } | Self::Disagrees { .. } | Self::BadHost { .. } => FailureKind::Refused,
            Self::BadRequest(_) => FailureKind::Other,
            Self::SitePort(_) => FailureKind::ConnectionRefused,
            Self::Unresolved { .. } => FailureKind::NotResolved,
            Self::Unreachable { kind, .. } => *kind,
        };
        Failure { kind, sentence: self.to_string() }
    }

    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Policy { target, .. }
            | Self::Disagrees { target, .. }
            | Self::SitePort(target)
            | Self::Unresolved { target, .. }
            | Self::Unreachable { target, .. } => Some(target),
            Self::BadHost { .. } | Self::BadRequest(_) => None,
        }
    }

    /// Returns the page that says it in one sentence.
    pub(super) fn page(&self) -> Response<Body> {
        let verb = if self.denied().is_some() { "refused" } else { "could not carry" };
        let mut response = Response::new(Body::from(format!("Baton {verb} this request: {self}.\n")));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(FAILURE_HEADER, self.failure().header());
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
        response
    }
}
