//! Sandboxes: making, looking, ending.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::SandboxId;
use sandbox_core::model::{NetworkDestination, Page, Sandbox, SandboxConfig, SandboxStatus};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query, switch};
use crate::api::lists::page;
use crate::store::SandboxFilter;

const DEFAULT_WAIT: Duration = Duration::from_secs(60);
const MAX_WAIT_MS: u64 = 600_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(create, list))
        .routes(routes!(get, end))
        .routes(routes!(destinations))
        .routes(routes!(pause))
        .routes(routes!(resume))
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
    /// Wait until this status is reached. Answers 408 `timeout` if it takes longer than `timeoutMs`.
    wait_for: Option<WaitFor>,
    /// How long to wait, in milliseconds. Default 60,000.
    #[param(maximum = 600_000)]
    timeout_ms: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EndQuery {
    /// Also delete its files, artifacts, pictures and history.
    #[serde(default, deserialize_with = "switch")]
    #[param(value_type = Option<bool>)]
    forget: bool,
}

/// The sandbox as it ended; with `forget`, what was deleted.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum Ended {
    Sandbox(Box<Sandbox>),
    Forgotten(Forgotten),
}

/// The answer with `forget`: nothing of the sandbox is left.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Forgotten {
    /// Always `true`.
    forgotten: bool,
    /// Bytes of files that were deleted.
    freed_bytes: u64,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitFor {
    Ready,
}

/// Creates a sandbox. Returns at once. `GET /v1/sandboxes/{id}?waitFor=ready` waits until it is ready.
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

/// Lists where a sandbox went: the destinations that its browser and its commands reached or were refused, with connections
/// and bytes, the most bytes first. It stays after the sandbox has ended.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/network", tag = "sandboxes", operation_id = "listNetworkDestinations",
    params(("id" = String, Path)), responses((status = 200, body = Page<NetworkDestination>), Refusals))]
async fn destinations(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
) -> Result<Json<Page<NetworkDestination>>, ApiError> {
    Ok(Json(Page { data: api.service().destinations(&id).await?, next_cursor: None }))
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

/// Freezes a sandbox: its processes stand still, its task's clocks stop, and it takes no work until it is resumed. Waits for
/// the action in flight. `paused.by` says what keeps it from running. Refused while a person holds control.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/pause", tag = "sandboxes", operation_id = "pauseSandbox",
    params(("id" = String, Path)), responses((status = 200, body = Sandbox), Refusals))]
async fn pause(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Sandbox>, ApiError> {
    Ok(Json(api.service().pause_sandbox(&id).await?))
}

/// Lets a paused sandbox go on. One that the runtime left paused when it stopped starts again, with its files, sign-ins and
/// tabs; wait with `GET /v1/sandboxes/{id}?waitFor=ready`.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/resume", tag = "sandboxes", operation_id = "resumeSandbox",
    params(("id" = String, Path)), responses((status = 200, body = Sandbox), Refusals))]
async fn resume(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Sandbox>, ApiError> {
    Ok(Json(api.service().resume_sandbox(&id).await?))
}

/// Ends a sandbox. Its artifacts and history are kept. With `forget`, its files, artifacts, pictures and history are also
/// deleted once it has ended. This cannot be undone.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}", tag = "sandboxes", operation_id = "endSandbox",
    params(("id" = String, Path), EndQuery), responses((status = 200, body = Ended), Refusals))]
async fn end(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<EndQuery>,
) -> Result<Json<Ended>, ApiError> {
    if query.forget {
        let freed_bytes = api.service().forget_sandbox(&id).await?;
        api.tokens().revoke_viewers(&id);
        return Ok(Json(Ended::Forgotten(Forgotten { forgotten: true, freed_bytes })));
    }
    let sandbox = api.service().end_sandbox(&id).await?;
    api.tokens().revoke_viewers(&id);
    Ok(Json(Ended::Sandbox(Box::new(sandbox))))
}
