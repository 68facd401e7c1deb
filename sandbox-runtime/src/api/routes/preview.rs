//! The browser, driven directly by a program.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sandbox_core::SandboxId;
use sandbox_core::model::{Preview, Viewport};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};
use crate::service::BrowseCommand;

type Shown = Result<Json<Preview>, ApiError>;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(preview))
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(navigate))
        .routes(routes!(back))
        .routes(routes!(forward))
        .routes(routes!(reload))
        .routes(routes!(resize))
        .routes(routes!(activate_tab))
        .routes(routes!(close_tab))
        .routes(routes!(screenshot))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NavigateRequest {
    url: String,
}

async fn browse(api: &Api, id: &SandboxId, command: BrowseCommand) -> Shown {
    Ok(Json(api.service().browse(id, command).await?))
}

/// Returns what the browser shows and who has control. While a person holds control, page details are hidden.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/preview", tag = "browser and live view", operation_id = "getPreview",
    params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn preview(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    Ok(Json(api.service().preview(&id).await?))
}

/// Starts the browser if it is not running, with the tabs that it had if it was stopped because nobody used it.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/start", tag = "browser and live view",
    operation_id = "startPreview", params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn start(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    browse(&api, &id, BrowseCommand::Start).await
}

/// Stops the browser, and forgets its tabs. Cookies and other sign-ins stay, and it starts again when it is used. Refused while
/// a task is running.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/stop", tag = "browser and live view",
    operation_id = "stopPreview", params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn stop(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    browse(&api, &id, BrowseCommand::Stop).await
}

/// Opens an address in the active tab.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/navigate", tag = "browser and live view",
    operation_id = "navigate", params(("id" = String, Path)), request_body = NavigateRequest,
    responses((status = 200, body = Preview), Refusals))]
async fn navigate(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(to): Body<NavigateRequest>) -> Shown {
    browse(&api, &id, BrowseCommand::Navigate { url: to.url }).await
}

/// Goes back in the active tab.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/back", tag = "browser and live view", operation_id = "goBack",
    params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn back(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    browse(&api, &id, BrowseCommand::Back).await
}

/// Goes forward in the active tab.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/forward", tag = "browser and live view",
    operation_id = "goForward", params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn forward(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    browse(&api, &id, BrowseCommand::Forward).await
}

/// Reloads the active tab.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/reload", tag = "browser and live view",
    operation_id = "reload", params(("id" = String, Path)), responses((status = 200, body = Preview), Refusals))]
async fn reload(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Shown {
    browse(&api, &id, BrowseCommand::Reload).await
}

/// Changes the size of the page.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/resize", tag = "browser and live view",
    operation_id = "resizePreview", params(("id" = String, Path)), request_body = Viewport,
    responses((status = 200, body = Preview), Refusals))]
async fn resize(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(viewport): Body<Viewport>) -> Shown {
    browse(&api, &id, BrowseCommand::Resize(viewport)).await
}

/// Activates a tab.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/tabs/{tabId}/activate", tag = "browser and live view",
    operation_id = "activateTab", params(("id" = String, Path), ("tabId" = String, Path)),
    responses((status = 200, body = Preview), Refusals))]
async fn activate_tab(State(api): State<Api>, InPath((id, tab_id)): InPath<(SandboxId, String)>) -> Shown {
    browse(&api, &id, BrowseCommand::ActivateTab { tab_id }).await
}

/// Closes a tab.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/preview/tabs/{tabId}", tag = "browser and live view",
    operation_id = "closeTab", params(("id" = String, Path), ("tabId" = String, Path)),
    responses((status = 200, body = Preview), Refusals))]
async fn close_tab(State(api): State<Api>, InPath((id, tab_id)): InPath<(SandboxId, String)>) -> Shown {
    browse(&api, &id, BrowseCommand::CloseTab { tab_id }).await
}

/// Takes a screenshot of the page. Refused while a person holds control.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/preview/screenshot", tag = "browser and live view",
    operation_id = "screenshot", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), Refusals))]
async fn screenshot(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Response, ApiError> {
    let png = api.service().screenshot(&id).await?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}
