//! What a handler takes from a request, refused in words when it does not fit.

use std::fmt;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::json;

use super::error::ApiError;
use crate::service::{ErrorCode, ServiceError};

/// Longest JSON body: a playbook, a script or a command's input with room to spare.
pub const MAX_JSON: usize = 4 << 20;

/// A JSON body. No body at all reads as `{}`, for routes where everything is optional.
pub struct Body<T>(pub T);

/// The query of an address. `name=` counts as not given; unknown names are refused.
pub struct Query<T>(pub T);

/// The parts of the path that have names.
pub struct InPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let headers = request.headers().clone();
        let bytes = bytes(request, state).await?;
        if headers.contains_key(header::CONTENT_TYPE) || !bytes.is_empty() {
            wants_json(&headers)?;
        }
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let given: Vec<&str> =
            parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.ends_with('=')).collect();
        let uri =
            format!("/?{}", given.join("&")).parse().map_err(|_| ApiError::invalid("the query cannot be read"))?;
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(&uri)
            .map_err(|rejection| ApiError::invalid(sentence("query", &rejection.body_text())))?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection| ApiError::invalid(sentence("path", &rejection.body_text())))
    }
}

/// Checks that a body says that it is JSON.
///
/// # Errors
///
/// `unsupportedMediaType`.
pub fn wants_json(headers: &HeaderMap) -> Result<(), ApiError> {
    match media_type(headers).as_deref() {
        Some("application/json") => Ok(()),
        other => Err(wrong_media_type("application/json", other.unwrap_or("none"))),
    }
}

/// Reads the whole body within the route's limit.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(unreadable)
}

/// Returns the media type that the request names, in lower case, without parameters.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    // Letters that are not ASCII name no media type that any route takes.
    let text = value.to_str().unwrap_or("unreadable");
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

pub fn wrong_media_type(wanted: &str, said: &str) -> ApiError {
    let message = format!("the body is to be {wanted}; the request says {said}");
    let hint = format!("send the header Content-Type: {wanted}");
    ServiceError::new(ErrorCode::UnsupportedMediaType, message).with_hint(hint).into()
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::TooLarge, "the body is longer than this route takes"),
        _ => ApiError::invalid(sentence("body", &rejection.body_text())),
    }
}

/// Parses JSON, and says where it does not fit: line, column, and the field's name.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    // A list of values would be read as the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::invalid("the body does not fit: expected a JSON object, not a list"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json);
    let value = parsed.map_err(|error| {
        let field = error.path().to_string();
        misfit(error.inner(), (field != ".").then_some(field))
    })?;
    json.end().map_err(|error| misfit(&error, None))?;
    Ok(value)
}

fn misfit(error: &serde_json::Error, field: Option<String>) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    // The place is said once, at the front.
    let cause = error.to_string().replace(&place, "");
    let message = match &field {
        Some(field) => format!("the body does not fit at line {line}, column {column}, field `{field}`: {cause}"),
        None => format!("the body does not fit at line {line}, column {column}: {cause}"),
    };
    let details = json!({ "line": line, "column": column, "field": field });
    ServiceError { details: Some(Box::new(details)), ..ServiceError::invalid(message) }.into()
}

fn sentence(what: &str, cause: &str) -> String {
    let cause = cause.split_once(": ").map_or(cause, |(_, cause)| cause);
    format!("the {what} does not fit: {cause}")
}

/// Reads a switch of a query: `1`, `true` or the bare name; `0`, `false`.
pub fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Switch;
    impl Visitor<'_> for Switch {
        type Value = bool;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("1, true, 0 or false")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<bool, E> {
            match text {
                "1" | "true" | "" => Ok(true),
                "0" | "false" => Ok(false),
                _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
            }
        }
    }
    deserializer.deserialize_str(Switch)
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::{ExecRequest, SandboxConfig};

    use super::*;

    fn refusal<T: DeserializeOwned>(body: &str) -> ServiceError {
        parse::<T>(body.as_bytes()).map(|_| ()).unwrap_err().into()
    }

    #[test]
    fn a_body_that_does_not_fit_says_line_column_and_field() {
        let error = refusal::<SandboxConfig>("{\n  \"limits\": { \"memoryMb\": \"much\" }\n}");
        assert_eq!(error.code, ErrorCode::Invalid);
        assert_eq!(error.details, Some(Box::new(json!({ "line": 2, "column": 32, "field": "limits.memoryMb" }))));
        assert!(error.message.contains("line 2, column 32, field `limits.memoryMb`: invalid type"), "{error}");
        assert_eq!(error.message.matches("column").count(), 1, "{error}");
    }

    #[test]
    fn what_follows_the_body_is_refused() {
        assert_eq!(refusal::<SandboxConfig>("{} {}").code, ErrorCode::Invalid);
    }

    #[test]
    fn a_list_is_not_read_as_the_fields_in_their_order() {
        assert_eq!(refusal::<SandboxConfig>(" []").code, ErrorCode::Invalid);
    }

    #[test]
    fn an_unknown_field_is_named() {
        assert!(refusal::<ExecRequest>(r#"{"command":"ls","shell":true}"#).message.contains("`shell`"));
    }

    #[test]
    fn no_body_reads_as_an_empty_object() {
        assert!(parse::<SandboxConfig>(b"").is_ok());
        assert!(refusal::<ExecRequest>("").message.contains("`command`"));
    }
}
