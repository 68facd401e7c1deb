//! The debugging endpoint as the shell room reaches it: a site of its own name on that room's way out, and on no other.
//!
//! It is open only where the sandbox's settings say so (`capabilities.browser.shellAccess`). What is done through it is under
//! the rules of whoever runs there: of the task, or of the program that started the command.
//!
//! Pages of the browser cannot name it: the desktop room's way out does not have it, and whoever says an origin is a page.

use std::sync::Weak;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use sandbox_core::SandboxId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Answer, ErrorCode, Inner, Service, ServiceError};
use crate::browser::clients::{MAX_MESSAGE, Place};

/// The endpoint's own name within the shell room.
pub const HOST: &str = "browser.baton.internal";
/// The variable that names it to commands.
pub const VARIABLE: &str = "BATON_CDP_URL";

#[derive(Clone)]
struct Site {
    /// The sandbox's driver holds this site, and the service the driver.
    service: Weak<Inner>,
    id: SandboxId,
    /// Host and port in the addresses that are given out.
    authority: String,
    on_host: bool,
    closing: CancellationToken,
}

/// Returns the site of one sandbox.
pub(super) fn router(service: &Service, id: &SandboxId) -> Router {
    router_at(service, id, HOST, None)
}

/// Returns the same site as it answers at `authority`, until `closing`; with it, to programs of this machine.
pub(super) fn router_at(
    service: &Service,
    id: &SandboxId,
    authority: &str,
    closing: Option<CancellationToken>,
) -> Router {
    let site = Site {
        service: std::sync::Arc::downgrade(&service.inner),
        id: id.clone(),
        authority: authority.to_owned(),
        on_host: closing.is_some(),
        closing: closing.unwrap_or_default(),
    };
    Router::new()
        .route("/", get(connect))
        .route("/devtools/browser/{any}", get(connect))
        // chromedriver names no browser.
        .route("/devtools/browser/", get(connect))
        .route("/devtools/page/{tab}", get(connect_page))
        .route("/json/version", get(version))
        .route("/json/version/", get(version))
        .route("/json/list", get(list))
        .route("/json", get(list))
        .layer(from_fn(no_pages))
        .with_state(site)
}

/// Returns the site of a sandbox whose shell may not drive the browser.
pub(super) fn closed() -> Router {
    Router::new().fallback(|| async {
        let why =
            "commands in this sandbox may not drive its browser: make one with capabilities.browser.shellAccess\n";
        (StatusCode::FORBIDDEN, why)
    })
}

async fn no_pages(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

impl Site {
    fn service(&self) -> Answer<Service> {
        let gone = || ServiceError::new(ErrorCode::Unavailable, "the runtime stops");
        self.service.upgrade().map(|inner| Service { inner }).ok_or_else(gone)
    }

    async fn open(&self, place: Place, upgrade: WebSocketUpgrade) -> Result<Response, Failed> {
        let (debugging, ears) = self.service()?.debug(&self.id, place).await?;
        if self.on_host {
            debugging.runs_on_host();
        }
        let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
        let closing = self.closing.clone();
        Ok(upgrade.on_upgrade(async move |socket| {
            let _left = closing.run_until_cancelled(debugging.talk(socket, ears)).await;
        }))
    }
}

async fn connect(State(site): State<Site>, upgrade: WebSocketUpgrade) -> Result<Response, Failed> {
    site.open(Place::Browser, upgrade).await
}

async fn connect_page(
    State(site): State<Site>,
    Path(tab): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failed> {
    site.open(Place::Page(tab), upgrade).await
}

async fn version(State(site): State<Site>) -> Result<Json<serde_json::Value>, Failed> {
    let said = site.service()?.browser_version(&site.id).await?;
    Ok(Json(json!({
        "Browser": said["product"],
        "Protocol-Version": said["protocolVersion"],
        "User-Agent": said["userAgent"],
        "V8-Version": said["jsVersion"],
        "WebKit-Version": format!("537.36 ({})", said["revision"].as_str().unwrap_or_default()),
        "webSocketDebuggerUrl": format!("ws://{}/devtools/browser/{}", site.authority, site.id),
    })))
}

async fn list(State(site): State<Site>) -> Result<Json<serde_json::Value>, Failed> {
    let tabs = site.service()?.debuggable_tabs(&site.id).await?;
    let at = &site.authority;
    let listed = tabs.into_iter().map(|tab| {
        json!({
            "id": tab.id, "type": "page", "title": tab.title, "url": tab.url,
            "webSocketDebuggerUrl": format!("ws://{at}/devtools/page/{}", tab.id),
        })
    });
    Ok(Json(listed.collect()))
}

/// A refusal, in words for whoever reads the script's output.
struct Failed(ServiceError);

impl From<ServiceError> for Failed {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, self.0.to_string()).into_response()
    }
}
