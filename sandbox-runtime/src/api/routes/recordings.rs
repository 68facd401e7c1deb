//! Recordings of browsers.

use axum::Json;
use axum::extract::State;
use sandbox_core::SandboxId;
use sandbox_core::model::Recordings;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::InPath;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(of_sandbox))
}

/// Lists the recordings of a sandbox, oldest first: those that are whole, and the one that grows. The content is that of the
/// artifact with the same key.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/recordings", tag = "outputs", operation_id = "listRecordings",
    params(("id" = String, Path)), responses((status = 200, body = Recordings), Refusals))]
async fn of_sandbox(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Recordings>, ApiError> {
    Ok(Json(Recordings { data: api.service().recordings(&id).await? }))
}
