//! Who is let in. Two checks, in this order:
//!
//! 1. [`same_place`], on everything: the request names us by a loopback name, and comes from no foreign page. This stops
//!    pages of the web, and names that were pointed at the loopback address, even if they had a token.
//! 2. [`known_caller`], on every route of the contract but health and redeeming: the bearer token.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sandbox_core::SandboxId;
use tokio::sync::Semaphore;

use super::Api;
use super::error::ApiError;
use super::tokens::Access;
use crate::service::ErrorCode;

/// The subprotocol of WebSockets of pages; beside it they offer `bearer.TOKEN`.
pub const SUBPROTOCOL: &str = "baton";
const BEARER_SUBPROTOCOL: &str = "bearer.";

/// The pages of the desktop application, for their WebSockets.
const DESKTOP_ORIGINS: [&str; 2] = ["tauri://localhost", "http://tauri.localhost"];

/// Marks a request made inside this process by [`Api::call`]: it has no address and every right.
#[derive(Clone, Copy)]
pub struct Inside;

/// Refuses what was not meant for this runtime, or was sent by a foreign page.
pub async fn same_place(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Inside>().is_some() {
        return next.run(request).await;
    }
    match check_place(request.headers(), request.uri(), api.port()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Refuses whoever has no token, or one that is not for this route. Handlers find the [`Access`] in the extensions.
pub async fn known_caller(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let claim = Claim::of(&request);
    let caller = claim.caller(&api);
    match admit(&api, claim).await {
        Ok(access) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// On whose behalf a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The interface, in the window or opened by its ticket: a person sits before it.
    Interface,
    /// Whoever holds the main token.
    Program,
}

/// What a request says about who makes it, and what it wants.
pub struct Claim {
    inside: bool,
    token: Option<String>,
    method: Method,
    path: String,
}

impl Claim {
    pub fn of(request: &Request) -> Self {
        Self {
            inside: request.extensions().get::<Inside>().is_some(),
            token: token(request.headers()).map(str::to_owned),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
        }
    }
}

impl Claim {
    fn caller(&self, api: &Api) -> Caller {
        let is_session = |token: &String| api.tokens().is_session(token);
        if self.inside || self.token.as_ref().is_some_and(is_session) { Caller::Interface } else { Caller::Program }
    }
}

/// Returns what the claim's token allows, if it allows this request.
pub async fn admit(api: &Api, claim: Claim) -> Result<Access, ApiError> {
    if claim.inside {
        return Ok(Access::Full);
    }
    let Some(token) = claim.token else {
        return Err(ApiError::new(ErrorCode::Unauthorized, "this route needs the header Authorization: Bearer TOKEN"));
    };
    let Some(access) = api.tokens().access(&token, crate::now_ms()) else {
        api.throttle().failed().await?;
        return Err(ApiError::new(ErrorCode::Unauthorized, "this token is not known, or no longer"));
    };
    match &access {
        Access::Full => Ok(access),
        Access::Viewer { sandbox_id, .. } => {
            if !is_of_the_view(&claim.method, &claim.path, sandbox_id) {
                return Err(ApiError::forbidden("this token is for the live view of one sandbox only"));
            }
            let over = api.service().sandbox(sandbox_id).await.map_or(true, |sandbox| sandbox.status.is_over());
            if over {
                api.tokens().revoke_viewers(sandbox_id);
                return Err(ApiError::new(ErrorCode::Unauthorized, "the sandbox of this live view has ended"));
            }
            Ok(access)
        }
    }
}

/// Whether the headers ask for a WebSocket.
pub fn is_websocket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn check_place(headers: &HeaderMap, uri: &Uri, port: Option<u16>) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|value| value.to_str().ok());
    let named = host.is_some_and(|host| is_ours(host, port)) && hosts.next().is_none();
    // The address line may name a host as well; it must not say anything else.
    let line = uri.authority().is_none_or(|authority| is_ours(authority.as_str(), port));
    if !named || !line {
        return Err(ApiError::forbidden("this runtime answers to 127.0.0.1, localhost and [::1] at its own port only"));
    }
    for origin in headers.get_all(header::ORIGIN) {
        if !is_our_origin(origin, port, is_websocket(headers)) {
            return Err(ApiError::forbidden("this runtime does not answer to pages of other origins"));
        }
    }
    Ok(())
}

fn is_our_origin(origin: &HeaderValue, port: Option<u16>, websocket: bool) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    if websocket && DESKTOP_ORIGINS.contains(&origin) {
        return true;
    }
    origin.strip_prefix("http://").is_some_and(|host| is_ours(host, port))
}

/// Whether `host` is a loopback name with our port. Before a port is bound there is nothing that could be reached.
fn is_ours(host: &str, port: Option<u16>) -> bool {
    let Some(port) = port else { return false };
    let (name, said) = match host.rsplit_once(':') {
        Some((name, said)) if !said.ends_with(']') => (name, said),
        // Without a port it is HTTP's own.
        _ => (host, "80"),
    };
    let is_loopback = name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost") || name == "[::1]";
    is_loopback && said.parse() == Ok(port)
}

/// Returns the token of the header, or for WebSockets that of the subprotocol.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    if !is_websocket(headers) {
        return None;
    }
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|offer| offer.split(',')).find_map(|offer| offer.trim().strip_prefix(BEARER_SUBPROTOCOL))
}

/// Whether a request is one of those that a live view makes.
fn is_of_the_view(method: &Method, path: &str, sandbox_id: &SandboxId) -> bool {
    let Some(rest) = path.strip_prefix("/v1/sandboxes/") else { return false };
    let Some(rest) = rest.strip_prefix(sandbox_id.as_str()) else { return false };
    match rest {
        "/preview" | "/stream" => method == Method::GET,
        "/whep" => method == Method::POST,
        _ => rest.strip_prefix("/whep/").is_some_and(|session| !session.contains('/') && method == Method::DELETE),
    }
}

/// Makes guessing slow: beyond a few wrong tokens every further one is answered late, and many at once not at all.
pub struct Throttle {
    failures: Mutex<VecDeque<Instant>>,
    waiting: Semaphore,
}

const FAILURES_AT_ONCE: usize = 20;
const FAILURES_FORGOTTEN_AFTER: Duration = Duration::from_secs(10);
const FAILURE_DELAY: Duration = Duration::from_millis(200);
const FAILURES_WAITING: usize = 32;

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Mutex::new(VecDeque::new()), waiting: Semaphore::new(FAILURES_WAITING) }
    }
}

impl Throttle {
    /// Counts a wrong secret, and waits if there were many.
    ///
    /// # Errors
    ///
    /// `Overloaded` when many wait already. Right secrets never come here.
    pub async fn failed(&self) -> Result<(), ApiError> {
        if !self.is_excess(Instant::now()) {
            return Ok(());
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(ApiError::new(ErrorCode::Overloaded, "too many wrong tokens"));
        };
        tokio::time::sleep(FAILURE_DELAY).await;
        Ok(())
    }

    fn is_excess(&self, now: Instant) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|at| now.duration_since(*at) < FAILURES_FORGOTTEN_AFTER);
        if failures.len() >= FAILURES_AT_ONCE {
            return true;
        }
        failures.push_back(now);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceError;

    const PORT: Option<u16> = Some(4242);

    fn place(headers: &[(&str, &str)]) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        check_place(&headers, &Uri::from_static("/v1/health"), PORT).is_ok()
    }

    #[test]
    fn only_loopback_names_with_our_port_are_us() {
        for host in ["127.0.0.1:4242", "localhost:4242", "LocalHost:4242", "[::1]:4242"] {
            assert!(place(&[("host", host)]), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost",
            "127.0.0.1:4243",
            "evil.example:4242",
            "127.0.0.1.evil.example:4242",
            "localhost.evil.example:4242",
            "127.0.0.2:4242",
            "0.0.0.0:4242",
            "[::]:4242",
            "[::1]",
            "",
            ":4242",
            "2130706433:4242",
            "127.1:4242",
            "user@127.0.0.1:4242",
            "localhost.:4242",
        ] {
            assert!(!place(&[("host", host)]), "{host}");
        }
        assert!(!place(&[]), "no host at all");
    }

    #[test]
    fn two_hosts_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("localhost:4242"));
        headers.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(check_place(&headers, &Uri::from_static("/"), PORT).is_err());
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        for origin in ["http://127.0.0.1:4242", "http://localhost:4242", "http://[::1]:4242"] {
            assert!(place(&[("host", "127.0.0.1:4242"), ("origin", origin)]), "{origin}");
        }
        for origin in [
            "null",
            "http://evil.example",
            "https://127.0.0.1:4242",
            "http://127.0.0.1:4243",
            "http://localhost",
            "tauri://localhost",
            "",
        ] {
            assert!(!place(&[("host", "127.0.0.1:4242"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn the_desktops_pages_may_open_websockets() {
        for origin in DESKTOP_ORIGINS {
            assert!(place(&[("host", "127.0.0.1:4242"), ("origin", origin), ("upgrade", "websocket")]), "{origin}");
            assert!(!place(&[("host", "127.0.0.1:4242"), ("origin", origin)]), "{origin}");
        }
        assert!(!place(&[("host", "127.0.0.1:4242"), ("origin", "http://evil.example"), ("upgrade", "websocket")]));
    }

    #[test]
    fn the_token_comes_in_a_header_or_for_websockets_as_a_subprotocol() {
        let check = |headers: &[(&str, &str)], expected: Option<&str>| {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(token(&headers), expected, "{headers:?}");
        };
        check(&[("authorization", "Bearer abc")], Some("abc"));
        check(&[("authorization", "bearer abc")], Some("abc"));
        check(&[("authorization", "Basic abc")], None);
        check(&[("authorization", "abc")], None);
        check(&[("upgrade", "websocket"), ("sec-websocket-protocol", "baton, bearer.abc")], Some("abc"));
        check(&[("sec-websocket-protocol", "baton, bearer.abc")], None);
        check(&[("upgrade", "websocket"), ("sec-websocket-protocol", "baton")], None);
    }

    #[test]
    fn a_viewers_token_is_for_the_view_of_its_own_sandbox() {
        let check = |method: Method, path: &str| is_of_the_view(&method, path, &"sbx_1".into());
        assert!(check(Method::GET, "/v1/sandboxes/sbx_1/stream"));
        assert!(check(Method::GET, "/v1/sandboxes/sbx_1/preview"));
        assert!(check(Method::POST, "/v1/sandboxes/sbx_1/whep"));
        assert!(check(Method::DELETE, "/v1/sandboxes/sbx_1/whep/7"));
        for (method, path) in [
            (Method::GET, "/v1/sandboxes"),
            (Method::GET, "/v1/sandboxes/sbx_1"),
            (Method::DELETE, "/v1/sandboxes/sbx_1"),
            (Method::GET, "/v1/sandboxes/sbx_2/stream"),
            (Method::GET, "/v1/sandboxes/sbx_12/stream"),
            (Method::POST, "/v1/sandboxes/sbx_1/exec"),
            (Method::POST, "/v1/sandboxes/sbx_1/preview/navigate"),
            (Method::GET, "/v1/sandboxes/sbx_1/preview/screenshot"),
            (Method::POST, "/v1/sandboxes/sbx_1/preview/viewer-url"),
            (Method::DELETE, "/v1/sandboxes/sbx_1/whep/7/../.."),
            (Method::GET, "/v1/events"),
        ] {
            assert!(!check(method.clone(), path), "{method} {path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_is_slowed_and_then_refused() {
        let throttle = Throttle::default();
        let began = tokio::time::Instant::now();
        for _ in 0..FAILURES_AT_ONCE {
            throttle.failed().await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        throttle.failed().await.unwrap();
        assert_eq!(began.elapsed(), FAILURE_DELAY);
        let many = futures_util::future::join_all((0..FAILURES_WAITING + 1).map(|_| throttle.failed())).await;
        let refused: Vec<_> =
            many.into_iter().filter_map(Result::err).map(|error| ServiceError::from(error).code).collect();
        assert_eq!(refused, [ErrorCode::Overloaded]);
    }
}
