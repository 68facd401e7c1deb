//! HTTP: thin over the service; adds no rules.
//!
//! ```text
//!   request ─▶ headers ─▶ same_place ─▶ known_caller ─▶ once ─▶ route ─▶ service
//!                            403            401       (creating)
//! ```
//!
//! Owns addresses, tokens, bodies, status codes and pages. The OpenAPI document is generated from the same lines that
//! make the routes. Leaves to others everything that has a rule in it.

mod error;
mod extract;
#[cfg(test)]
mod fields_tests;
mod following;
mod guard;
mod interface;
mod links;
mod lists;
#[cfg(test)]
mod live_tests;
mod mcp;
mod once;
mod ranges;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod tokens;
mod ttl;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use sandbox_core::SandboxId;
use sandbox_core::model::EpochMs;
use sandbox_core::viewer::ViewerMode;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub use error::{ApiError, ErrorBody};
pub use server::{ServeError, Server};
pub use tokens::{Access, Session};

use crate::service::{ErrorCode, Service, ServiceError};
use crate::stream::WhepSessions;

/// The HTTP interface over one service. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    tokens: tokens::Tokens,
    throttle: guard::Throttle,
    /// Answers that are being worked out under an idempotency key.
    underway: once::Underway,
    whep: WhepSessions,
    port: OnceLock<u16>,
    /// Cancelled when the server stops: streams that would go on for ever end.
    closing: CancellationToken,
    /// Requests that go on although their caller hung up.
    detached: TaskTracker,
    router: OnceLock<Router>,
    mcp: OnceLock<mcp::Mcp>,
}

/// What [`Api::call`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct CallAnswer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Bytes,
}

impl CallAnswer {
    async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        // The body of an answer from our own routes cannot break off, except where a file cannot be read to its end.
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Self { status, content_type, body }
    }
}

impl Api {
    pub fn new(service: Service) -> Self {
        let inner = Inner {
            service,
            tokens: tokens::Tokens::new(),
            throttle: guard::Throttle::default(),
            underway: once::Underway::default(),
            whep: WhepSessions::default(),
            port: OnceLock::new(),
            closing: CancellationToken::new(),
            detached: TaskTracker::new(),
            router: OnceLock::new(),
            mcp: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub fn service(&self) -> &Service {
        &self.inner.service
    }

    /// Returns every route, guarded.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Makes a request inside this process, with every right: no socket, no token.
    ///
    /// `path` begins with `/v1` and may have a query. Answers that never end, such as event streams, are not for this way.
    pub async fn call(&self, method: Method, path: &str, body: Option<serde_json::Value>) -> CallAnswer {
        match body {
            Some(body) => self.send(method, path, Some("application/json"), body.to_string().into()).await,
            None => self.send(method, path, None, Bytes::new()).await,
        }
    }

    /// As [`Self::call`], with a body that need not be JSON.
    pub async fn send(&self, method: Method, path: &str, content_type: Option<&str>, body: Bytes) -> CallAnswer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        self.carry_out(request, body).await
    }

    /// Reads what a GET answers, or the part that `range` asks for as the header `Range` would: `bytes=0-99`.
    pub async fn read(&self, path: &str, range: Option<&str>) -> CallAnswer {
        let mut request = Request::builder().method(Method::GET).uri(path);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        self.carry_out(request, Bytes::new()).await
    }

    /// Writes what a GET answers into a file, a part after the other: an answer may be larger than the memory.
    ///
    /// # Errors
    ///
    /// The answer, if it is a refusal; of the file what the system said, as `internal`.
    pub async fn save(&self, path: &str, mut file: tokio::fs::File) -> Result<(), CallAnswer> {
        let response = self.respond(Request::builder().method(Method::GET).uri(path), Bytes::new()).await;
        if !response.status().is_success() {
            return Err(CallAnswer::of(response).await);
        }
        let saved = async {
            let mut parts = response.into_body().into_data_stream();
            while let Some(part) = parts.try_next().await.map_err(std::io::Error::other)? {
                file.write_all(&part).await?;
            }
            file.flush().await
        };
        match saved.await {
            Ok(()) => Ok(()),
            Err(error) => {
                Err(CallAnswer::of(ApiError::new(ErrorCode::Internal, error.to_string()).into_response()).await)
            }
        }
    }

    async fn carry_out(&self, request: http::request::Builder, body: Bytes) -> CallAnswer {
        CallAnswer::of(self.respond(request, body).await).await
    }

    async fn respond(&self, request: http::request::Builder, body: Bytes) -> Response {
        match request.extension(guard::Inside).body(Body::from(body)) {
            Ok(request) => self.answer(request).await,
            Err(error) => ApiError::invalid(format!("the request cannot be made: {error}")).into_response(),
        }
    }

    /// Listens on the loopback address; port 0 picks one. Others find it by `runtime.json`.
    ///
    /// # Errors
    ///
    /// When the port is taken, or this interface is served already.
    pub async fn serve(&self, port: u16) -> Result<Server, server::ServeError> {
        Server::start(self.clone(), port).await
    }

    /// Returns the address of the interface with a ticket that opens it once; `None` before [`Self::serve`].
    pub fn interface_url(&self) -> Option<String> {
        let base = self.base()?;
        let now = crate::now_ms();
        let ticket = self.tokens().ticket(Access::Full, now + tokens::INTERFACE_TICKET_MS, now);
        Some(format!("{base}/#ticket={ticket}"))
    }

    /// Returns the token that may do everything.
    pub fn token(&self) -> &str {
        self.inner.tokens.main()
    }

    /// Returns the port that is listened on.
    pub fn port(&self) -> Option<u16> {
        self.inner.port.get().copied()
    }

    /// Returns `http://127.0.0.1:PORT`, once there is a port.
    pub fn base(&self) -> Option<String> {
        self.port().map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// Returns the OpenAPI document with this runtime's own address.
    fn openapi_json(&self) -> String {
        let mut document = routes::openapi();
        if let Some(base) = self.base() {
            document.servers = Some(vec![routes::own_server(&base)]);
        }
        as_json(&document)
    }

    /// Returns the base for addresses that others are to open.
    fn served_base(&self) -> Result<String, ApiError> {
        self.base()
            .ok_or_else(|| ApiError::new(ErrorCode::Unavailable, "this runtime listens nowhere, so it has no address"))
    }

    fn answer(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let router = self.inner.router.get_or_init(|| self.router()).clone();
        Box::pin(async move {
            match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    }

    fn tokens(&self) -> &tokens::Tokens {
        &self.inner.tokens
    }

    fn throttle(&self) -> &guard::Throttle {
        &self.inner.throttle
    }

    fn underway(&self) -> &once::Underway {
        &self.inner.underway
    }

    fn whep(&self) -> &WhepSessions {
        &self.inner.whep
    }

    fn mcp(&self) -> &mcp::Mcp {
        self.inner.mcp.get_or_init(|| mcp::Mcp::new(self))
    }

    /// Makes the address of a live view for any browser on this machine, opened once; and until when it can be.
    async fn viewer_link(&self, id: &SandboxId, mode: ViewerMode, expires_at: EpochMs) -> Result<String, ApiError> {
        let base = self.served_base()?;
        let sandbox = self.service().sandbox(id).await?;
        if sandbox.status.is_over() {
            return Err(ServiceError::conflict("the sandbox has ended", sandbox.status).into());
        }
        let access = Access::Viewer { sandbox_id: id.clone(), mode };
        let ticket = self.tokens().ticket(access, expires_at, crate::now_ms());
        Ok(format!("{base}/viewer.html#ticket={ticket}"))
    }

    fn closing(&self) -> &CancellationToken {
        &self.inner.closing
    }

    fn detached(&self) -> &TaskTracker {
        &self.inner.detached
    }
}

/// Returns the OpenAPI document of the contract, as JSON with a line end.
pub fn openapi_json() -> String {
    as_json(&routes::openapi())
}

fn as_json(document: &utoipa::openapi::OpenApi) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("the document is plain data");
    text.push('\n');
    text
}
