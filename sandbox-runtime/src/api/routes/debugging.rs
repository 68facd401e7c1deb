//! The debugging endpoint: Playwright, Puppeteer and whoever speaks the protocol connect here.
//!
//! The same routes twice: beneath the sandbox, for clients that send the token as a header; and beneath an address with a
//! ticket, for those that send no headers.

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use sandbox_core::SandboxId;
use sandbox_core::model::EpochMs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};
use crate::api::tokens::LinkTo;
use crate::api::{Api, guard, ttl};
use crate::browser::clients::{MAX_MESSAGE, Place};
use crate::service::{ErrorCode, ServiceError};

const DEFAULT_TTL_MS: i64 = 60 * 60_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(debugging_url))
        .routes(routes!(connect))
        .routes(routes!(connect_page))
        .routes(routes!(version))
        .routes(routes!(version_slash))
        .routes(routes!(list))
        .routes(routes!(list_short))
}

pub fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(ticket_connect))
        .routes(routes!(ticket_connect_page))
        .routes(routes!(ticket_version))
        .routes(routes!(ticket_version_slash))
        .routes(routes!(ticket_list))
        .routes(routes!(ticket_list_short))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UrlRequest {
    /// For how long the addresses can be connected to: 1,000 to 86,400,000; 3,600,000 without it.
    #[serde(default)]
    ttl_ms: Option<i64>,
}

/// Addresses that need no token; whoever has them drives the browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DebuggingUrl {
    http_url: String,
    ws_url: String,
    expires_at: EpochMs,
}

/// As browsers answer `/json/version`.
#[derive(Serialize, ToSchema)]
struct Version {
    #[serde(rename = "Browser")]
    browser: String,
    #[serde(rename = "Protocol-Version")]
    protocol: String,
    #[serde(rename = "User-Agent")]
    user_agent: String,
    #[serde(rename = "V8-Version")]
    v8: String,
    #[serde(rename = "webSocketDebuggerUrl")]
    web_socket: String,
}

/// As browsers answer `/json/list`.
#[derive(Serialize, ToSchema)]
struct Listed {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    url: String,
    #[serde(rename = "webSocketDebuggerUrl")]
    web_socket: String,
}

/// Makes addresses for clients that send no headers. They end with the sandbox.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/cdp-url", tag = "browser and live view",
    operation_id = "createDebuggingUrl", params(("id" = String, Path)), request_body = UrlRequest,
    responses((status = 200, body = DebuggingUrl), Refusals))]
async fn debugging_url(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<UrlRequest>,
) -> Result<Json<DebuggingUrl>, ApiError> {
    let now = crate::now_ms();
    let expires_at = ttl::expires_at(request.ttl_ms, DEFAULT_TTL_MS, now)?;
    let base = api.served_base()?;
    let sandbox = api.service().sandbox(&id).await?;
    if sandbox.status.is_over() {
        return Err(ServiceError::conflict("the sandbox has ended", sandbox.status).into());
    }
    let ticket = api.tokens().link(LinkTo::Debugging(id), expires_at, now);
    let http_url = format!("{base}/v1/cdp/{ticket}");
    Ok(Json(DebuggingUrl { ws_url: with_ws(&http_url), http_url, expires_at }))
}

/// The browser, over the debugging protocol.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp", tag = "browser and live view", operation_id = "connectDebugger",
    params(("id" = String, Path)), responses((status = 101, description = "WebSocket"), Refusals))]
async fn connect(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    request: Request,
) -> Result<Response, ApiError> {
    upgrade(api, id, Place::Browser, request).await
}

/// One page, over the debugging protocol.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp/devtools/page/{tabId}", tag = "browser and live view",
    operation_id = "connectPageDebugger", params(("id" = String, Path), ("tabId" = String, Path)),
    responses((status = 101, description = "WebSocket"), Refusals))]
async fn connect_page(
    State(api): State<Api>,
    InPath((id, tab)): InPath<(SandboxId, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    upgrade(api, id, Place::Page(tab), request).await
}

/// Says where the debugging protocol is spoken.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp/json/version", tag = "browser and live view",
    operation_id = "getDebuggerVersion", params(("id" = String, Path)),
    responses((status = 200, body = Version), Refusals))]
async fn version(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Version>, ApiError> {
    let at = place_of(&api, &id)?;
    version_at(&api, &id, &at).await
}

/// As without the slash; some clients ask so.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp/json/version/", tag = "browser and live view",
    operation_id = "getDebuggerVersionSlash", params(("id" = String, Path)),
    responses((status = 200, body = Version), Refusals))]
async fn version_slash(api: State<Api>, id: InPath<SandboxId>) -> Result<Json<Version>, ApiError> {
    version(api, id).await
}

/// Lists the pages; refused while a person holds control.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp/json/list", tag = "browser and live view",
    operation_id = "listDebuggerPages", params(("id" = String, Path)),
    responses((status = 200, body = [Listed]), Refusals))]
async fn list(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Vec<Listed>>, ApiError> {
    let at = place_of(&api, &id)?;
    list_at(&api, &id, &at).await
}

/// As `/json/list`.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/cdp/json", tag = "browser and live view",
    operation_id = "listDebuggerPagesShort", params(("id" = String, Path)),
    responses((status = 200, body = [Listed]), Refusals))]
async fn list_short(api: State<Api>, id: InPath<SandboxId>) -> Result<Json<Vec<Listed>>, ApiError> {
    list(api, id).await
}

/// The browser, over the debugging protocol, by an address from `cdp-url`.
#[utoipa::path(get, path = "/v1/cdp/{ticket}", tag = "browser and live view", operation_id = "connectDebuggerByTicket",
    params(("ticket" = String, Path)), responses((status = 101, description = "WebSocket"), Refusals))]
async fn ticket_connect(
    State(api): State<Api>,
    InPath(ticket): InPath<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = sandbox_of(&api, &ticket).await?;
    upgrade(api, id, Place::Browser, request).await
}

/// One page, over the debugging protocol, by an address from `cdp-url`.
#[utoipa::path(get, path = "/v1/cdp/{ticket}/devtools/page/{tabId}", tag = "browser and live view",
    operation_id = "connectPageDebuggerByTicket", params(("ticket" = String, Path), ("tabId" = String, Path)),
    responses((status = 101, description = "WebSocket"), Refusals))]
async fn ticket_connect_page(
    State(api): State<Api>,
    InPath((ticket, tab)): InPath<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = sandbox_of(&api, &ticket).await?;
    upgrade(api, id, Place::Page(tab), request).await
}

/// Says where the debugging protocol is spoken, by an address from `cdp-url`.
#[utoipa::path(get, path = "/v1/cdp/{ticket}/json/version", tag = "browser and live view",
    operation_id = "getDebuggerVersionByTicket", params(("ticket" = String, Path)),
    responses((status = 200, body = Version), Refusals))]
async fn ticket_version(State(api): State<Api>, InPath(ticket): InPath<String>) -> Result<Json<Version>, ApiError> {
    let id = sandbox_of(&api, &ticket).await?;
    let at = format!("{}/v1/cdp/{ticket}", api.served_base()?);
    version_at(&api, &id, &at).await
}

/// As without the slash; some clients ask so.
#[utoipa::path(get, path = "/v1/cdp/{ticket}/json/version/", tag = "browser and live view",
    operation_id = "getDebuggerVersionByTicketSlash", params(("ticket" = String, Path)),
    responses((status = 200, body = Version), Refusals))]
async fn ticket_version_slash(api: State<Api>, ticket: InPath<String>) -> Result<Json<Version>, ApiError> {
    ticket_version(api, ticket).await
}

/// Lists the pages, by an address from `cdp-url`.
#[utoipa::path(get, path = "/v1/cdp/{ticket}/json/list", tag = "browser and live view",
    operation_id = "listDebuggerPagesByTicket", params(("ticket" = String, Path)),
    responses((status = 200, body = [Listed]), Refusals))]
async fn ticket_list(State(api): State<Api>, InPath(ticket): InPath<String>) -> Result<Json<Vec<Listed>>, ApiError> {
    let id = sandbox_of(&api, &ticket).await?;
    let at = format!("{}/v1/cdp/{ticket}", api.served_base()?);
    list_at(&api, &id, &at).await
}

/// As `/json/list`.
#[utoipa::path(get, path = "/v1/cdp/{ticket}/json", tag = "browser and live view",
    operation_id = "listDebuggerPagesByTicketShort", params(("ticket" = String, Path)),
    responses((status = 200, body = [Listed]), Refusals))]
async fn ticket_list_short(api: State<Api>, ticket: InPath<String>) -> Result<Json<Vec<Listed>>, ApiError> {
    ticket_list(api, ticket).await
}

/// Returns the sandbox that a ticket is for, while it runs.
async fn sandbox_of(api: &Api, ticket: &str) -> Result<SandboxId, ApiError> {
    let unknown = || ApiError::new(ErrorCode::Unauthorized, "this address is too old, or its sandbox has ended");
    let Some(id) = api.tokens().debugging(ticket, crate::now_ms()) else {
        api.throttle().failed().await?;
        return Err(unknown());
    };
    if api.service().sandbox(&id).await.map_or(true, |sandbox| sandbox.status.is_over()) {
        api.tokens().revoke_debugging(&id);
        return Err(unknown());
    }
    Ok(id)
}

fn place_of(api: &Api, id: &SandboxId) -> Result<String, ApiError> {
    Ok(format!("{}/v1/sandboxes/{id}/cdp", api.served_base()?))
}

async fn version_at(api: &Api, id: &SandboxId, at: &str) -> Result<Json<Version>, ApiError> {
    let said = api.service().browser_version(id).await?;
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    Ok(Json(Version {
        browser: text("product"),
        protocol: text("protocolVersion"),
        user_agent: text("userAgent"),
        v8: text("jsVersion"),
        web_socket: with_ws(at),
    }))
}

async fn list_at(api: &Api, id: &SandboxId, at: &str) -> Result<Json<Vec<Listed>>, ApiError> {
    let tabs = api.service().debuggable_tabs(id).await?;
    let listed = tabs.into_iter().map(|tab| Listed {
        web_socket: format!("{}/devtools/page/{}", with_ws(at), tab.id),
        id: tab.id,
        kind: "page",
        title: tab.title,
        url: tab.url,
    });
    Ok(Json(listed.collect()))
}

fn with_ws(url: &str) -> String {
    url.replacen("http://", "ws://", 1)
}

async fn upgrade(api: Api, id: SandboxId, place: Place, request: Request) -> Result<Response, ApiError> {
    api.service().driver(&id).await?;
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| ApiError::invalid(rejection.body_text()))?;
    let (debugging, ears) = api.service().debug(&id, place).await?;
    debugging.runs_on_host();
    let upgrade = upgrade.protocols([guard::SUBPROTOCOL]);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(async move |socket| {
        let _left = api.closing().run_until_cancelled(debugging.talk(socket, ears)).await;
    }))
}
