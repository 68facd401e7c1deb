//! `Idempotency-Key`: a request that is sent twice is done once, and answered the same.
//!
//! The answer is kept by the store for a day, under key and route, together with a hash of what was asked. While the first
//! is being worked out the second waits for it. Only answers that say it was done are kept: what was refused may be asked
//! again. The work goes on when its caller hangs up: the caller who comes back with the key gets the answer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use super::Api;
use super::error::ApiError;
use super::extract;
use crate::service::ErrorCode;
use crate::store::Recalled;

const KEY_HEADER: &str = "idempotency-key";
/// Says that an answer was kept from before.
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
pub const MAX_KEY: usize = 255;

/// The routes whose POST creates something that is kept.
pub const CREATING: [&str; 12] = [
    "/v1/sandboxes",
    "/v1/sandboxes/{id}/tasks",
    "/v1/sandboxes/{id}/prompt",
    "/v1/sandboxes/{id}/handoff",
    "/v1/sandboxes/{id}/artifacts",
    "/v1/sandboxes/{id}/checkpoints",
    "/v1/credentials",
    "/v1/demo",
    "/v1/webhooks",
    "/v1/webhooks/{webhookId}/rotate",
    "/v1/webhooks/{webhookId}/test",
    "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/resend",
];

/// Shown once: the answer is kept without it.
const SECRET_FIELD: &str = "signingSecret";
/// Where such a body goes.
const VAULT: &str = "POST /v1/credentials";
/// What a body may have that is kept in no form.
const VALUE_FIELDS: [&str; 5] = ["password", "totp", "totpPicture", "note", "value"];

type Turn = tokio::sync::Mutex<()>;

/// One lock for each key that someone works under.
#[derive(Default)]
pub struct Underway {
    turns: Mutex<HashMap<String, Weak<Turn>>>,
}

impl Underway {
    fn turn(&self, name: String) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&name).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(Turn::default());
        turns.insert(name, Arc::downgrade(&turn));
        turn
    }
}

/// Answers a creating POST that has a key once; everything else passes.
pub async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let creates = request.method() == Method::POST && route.is_some_and(|route| CREATING.contains(&route));
    if !creates || !request.headers().contains_key(KEY_HEADER) {
        return next.run(request).await;
    }
    let detached = api.detached().clone();
    let work = detached.spawn(async move { answer(&api, request, next).await });
    match work.await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        // The panic was counted and logged where it happened.
        Err(_) => ApiError::new(ErrorCode::Internal, "the request could not be finished").into_response(),
    }
}

async fn answer(api: &Api, request: Request, next: Next) -> Result<Response, ApiError> {
    let key = key(request.headers())?.to_owned();
    let route = format!("{} {}", request.method(), request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    // The route's own limit of the body travels in the extensions.
    let bytes = extract::bytes(Request::from_parts(parts.clone(), body), api).await?;
    let hashed = if route == VAULT { without_values(&bytes) } else { Cow::Borrowed(&*bytes) };
    let body_hash = hash(&query, &hashed);

    let turn = api.underway().turn(format!("{route} {key}"));
    let _mine = turn.lock().await;
    if let Some(kept) = api.service().store().recall(&key, &route).await? {
        return replay(kept, &body_hash);
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?.to_bytes();
    if let Ok(text) = std::str::from_utf8(&bytes) {
        let answer = Recalled { body_hash, status: parts.status.as_u16(), body: without_secret(text) };
        if let Err(error) = api.service().store().remember(&key, &route, answer).await {
            // It was done: to refuse now would make the caller do it again.
            tracing::warn!(%error, %route, "an answer could not be kept for its idempotency key");
        }
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// Returns a body without the values of the vault: from the hash of a short password, the password can be found.
fn without_values(body: &[u8]) -> Cow<'_, [u8]> {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_slice(body) else { return body.into() };
    let had = VALUE_FIELDS.iter().filter_map(|name| fields.shift_remove(*name)).count();
    if had == 0 { body.into() } else { serde_json::Value::Object(fields).to_string().into_bytes().into() }
}

fn without_secret(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(mut fields)) => match fields.shift_remove(SECRET_FIELD) {
            Some(_secret) => serde_json::Value::Object(fields).to_string(),
            None => text.to_owned(),
        },
        Ok(_) | Err(_) => text.to_owned(),
    }
}

fn replay(kept: Recalled, body_hash: &str) -> Result<Response, ApiError> {
    if kept.body_hash != body_hash {
        let message = "this Idempotency-Key was used for a request with another body";
        return Err(ApiError::new(ErrorCode::IdempotencyMismatch, message));
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], kept.body).into_response();
    response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    Ok(response)
}

fn key(headers: &HeaderMap) -> Result<&str, ApiError> {
    let key = headers.get(KEY_HEADER).and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(ApiError::invalid(format!("Idempotency-Key is to be 1 to {MAX_KEY} plain letters")));
    }
    Ok(key)
}

pub fn hash(query: &str, body: &[u8]) -> String {
    let digest = Sha256::new().chain_update(query.as_bytes()).chain_update([0]).chain_update(body).finalize();
    sandbox_core::hexadecimal(&digest)
}
