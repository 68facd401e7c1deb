//! A port of its own for programs that take nothing but `host:port`: Selenium, pydoll, DrissionPage.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::SandboxId;
use sandbox_core::model::DebuggingPort;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};
use crate::api::{Api, ttl};

const DEFAULT_TTL_MS: i64 = 60 * 60_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(open)).routes(routes!(close))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortRequest {
    /// For how long the port is open: 1,000 to 86,400,000; 3,600,000 without it.
    #[serde(default)]
    ttl_ms: Option<i64>,
}

/// Opens a loopback port that speaks the debugging protocol as a browser does. One at a time; it ends with the sandbox.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/cdp-port", tag = "browser and live view",
    operation_id = "openDebuggingPort", params(("id" = String, Path)), request_body = PortRequest,
    responses((status = 200, body = DebuggingPort), Refusals))]
async fn open(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<PortRequest>,
) -> Result<Json<DebuggingPort>, ApiError> {
    let expires_at = ttl::expires_at(request.ttl_ms, DEFAULT_TTL_MS, crate::now_ms())?;
    Ok(Json(api.service().open_cdp_port(&id, expires_at).await?))
}

/// Closes the port, and ends what is connected by it. Fine without one.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/cdp-port", tag = "browser and live view",
    operation_id = "closeDebuggingPort", params(("id" = String, Path)),
    responses((status = 204, description = "Closed"), Refusals))]
async fn close(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<StatusCode, ApiError> {
    api.service().sandbox(&id).await?;
    api.service().close_cdp_port(&id);
    Ok(StatusCode::NO_CONTENT)
}
