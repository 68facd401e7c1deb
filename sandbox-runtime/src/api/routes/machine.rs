//! The runtime itself: whether it lives, what this machine can do, what it speaks.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sandbox_core::model::{Check, Viewport};
use sandbox_core::{SandboxId, TaskId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::Body;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(document))
        .routes(routes!(doctor))
        .routes(routes!(runtime))
        .routes(routes!(demo))
}

pub fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(health))
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    version: &'static str,
}

#[derive(Serialize, ToSchema)]
struct RuntimeInfo {
    version: &'static str,
    /// The data directory.
    home: String,
    /// Path of the program `baton`, for clients that start it (`baton mcp`). Absent if it is not installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    data: Vec<Check>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDemo {
    /// The size of the page.
    #[serde(default)]
    viewport: Option<Viewport>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Demo {
    sandbox_id: SandboxId,
    task_id: TaskId,
}

/// Reports that the runtime is alive. Needs no token.
#[utoipa::path(get, path = "/v1/health", tag = "machine", operation_id = "health",
    responses((status = 200, body = Health), Refusals))]
async fn health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Returns this document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "machine", operation_id = "openapi",
    responses((status = 200, body = serde_json::Value), Refusals))]
async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.openapi_json()).into_response()
}

/// Checks this machine: what works, what is missing, and the command that fixes it.
#[utoipa::path(get, path = "/v1/doctor", tag = "machine", operation_id = "doctor",
    responses((status = 200, body = Checks), Refusals))]
async fn doctor(State(api): State<Api>) -> Json<Checks> {
    Json(Checks { data: api.service().checks().await })
}

/// Returns the version of the runtime and its data directory.
#[utoipa::path(get, path = "/v1/runtime", tag = "machine", operation_id = "runtime",
    responses((status = 200, body = RuntimeInfo), Refusals))]
async fn runtime(State(api): State<Api>) -> Json<RuntimeInfo> {
    let home = api.service().home().display().to_string();
    Json(RuntimeInfo { version: env!("CARGO_PKG_VERSION"), home, program: program() })
}

/// Returns the path of `baton`, which lies beside whichever program this is.
fn program() -> Option<String> {
    let beside = std::env::current_exe().ok()?.with_file_name("baton");
    beside.exists().then(|| beside.display().to_string())
}

/// Starts the guided first task in a new sandbox.
#[utoipa::path(post, path = "/v1/demo", tag = "machine", operation_id = "demo",
    request_body(content = NewDemo), responses((status = 201, body = Demo), Refusals))]
async fn demo(
    State(api): State<Api>,
    Body(NewDemo { viewport }): Body<NewDemo>,
) -> Result<(StatusCode, Json<Demo>), ApiError> {
    let (sandbox_id, task_id) = api.service().demo(viewport).await?;
    Ok((StatusCode::CREATED, Json(Demo { sandbox_id, task_id })))
}
