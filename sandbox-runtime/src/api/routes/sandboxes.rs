//! Sandboxes: making, looking, ending.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::SandboxId;
use sandbox_core::model::{Page, Sandbox, SandboxConfig, SandboxStatus};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::lists::page;
use crate::store::SandboxFilter;

const DEFAULT_WAIT: Duration = Duration::from_secs(60);
const MAX_WAIT_MS: u64 = 600_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(create, list)).routes(routes!(get, end))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<SandboxStatus>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitQuery {
    /// Answer when this is reached; 408 `timeout` if it takes longer.
    wait_for: Option<WaitFor>,
    /// 60,000 without it.
    #[param(maximum = 600_000)]
    timeout_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitFor {
    Ready,
}

/// Makes a sandbox. Answers at once; `waitFor=ready` on the sandbox tells when it takes work.
#[utoipa::path(post, path = "/v1/sandboxes", tag = "sandboxes", operation_id = "createSandbox",
    request_body(content = SandboxConfig, description = "everything optional"),
    responses((status = 201, body = Sandbox), Refusals))]
async fn create(
    State(api): State<Api>,
    Body(config): Body<SandboxConfig>,
) -> Result<(StatusCode, Json<Sandbox>), ApiError> {
    let sandbox = api.service().create_sandbox(config).await?;
    Ok((StatusCode::CREATED, Json(sandbox)))
}

/// Lists sandboxes, newest first.
#[utoipa::path(get, path = "/v1/sandboxes", tag = "sandboxes", operation_id = "listSandboxes", params(ListQuery),
    responses((status = 200, body = Page<Sandbox>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<ListQuery>) -> Result<Json<Page<Sandbox>>, ApiError> {
    let filter = SandboxFilter { status: query.status };
    let mut found = api.service().store().sandboxes(filter, page(query.limit, query.cursor)?).await?;
    found.data = api.service().with_live_parts(found.data);
    Ok(Json(found))
}

/// Returns one sandbox, at once or when it is ready.
#[utoipa::path(get, path = "/v1/sandboxes/{id}", tag = "sandboxes", operation_id = "getSandbox",
    params(("id" = String, Path), WaitQuery), responses((status = 200, body = Sandbox), Refusals))]
async fn get(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<WaitQuery>,
) -> Result<Json<Sandbox>, ApiError> {
    let limit = query.timeout_ms.map_or(DEFAULT_WAIT, Duration::from_millis);
    if limit > Duration::from_millis(MAX_WAIT_MS) {
        return Err(ApiError::invalid(format!("timeoutMs is to be at most {MAX_WAIT_MS}")));
    }
    let sandbox = match query.wait_for {
        Some(WaitFor::Ready) => api.service().wait_until_ready(&id, limit).await?,
        None => api.service().sandbox(&id).await?,
    };
    Ok(Json(sandbox))
}

/// Ends a sandbox. Its artifacts and history stay.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}", tag = "sandboxes", operation_id = "endSandbox",
    params(("id" = String, Path)), responses((status = 200, body = Sandbox), Refusals))]
async fn end(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Sandbox>, ApiError> {
    let sandbox = api.service().end_sandbox(&id).await?;
    api.tokens().revoke_viewers(&id);
    Ok(Json(sandbox))
}
