//! Checkpoints of a sandbox.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sandbox_core::model::{Checkpoint, CheckpointDiff, Page, Sandbox};
use sandbox_core::{CheckpointId, SandboxId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::lists::PageQuery;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(delete))
        .routes(routes!(restore))
        .routes(routes!(diff))
        .routes(routes!(file))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewCheckpoint {
    /// A name for people to find it by, of at most 200 characters.
    label: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// Path in the workspace, of a file of at most 16 MiB.
    path: String,
}

/// Lists the checkpoints of a sandbox, newest first.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/checkpoints", tag = "outputs", operation_id = "listCheckpoints",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<Checkpoint>), Refusals))]
async fn list(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Checkpoint>>, ApiError> {
    let page = query.try_into()?;
    Ok(Json(api.service().checkpoints(&id, page).await?))
}

/// Takes a checkpoint of a sandbox while it runs: its files, its browser's sign-ins and its open tabs. Refused while a person
/// holds control. Unchanged files take no room again.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/checkpoints", tag = "outputs", operation_id = "createCheckpoint",
    params(("id" = String, Path)), request_body = NewCheckpoint,
    responses((status = 201, body = Checkpoint), Refusals))]
async fn create(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(wanted): Body<NewCheckpoint>,
) -> Result<(StatusCode, Json<Checkpoint>), ApiError> {
    let checkpoint = api.service().create_checkpoint(&id, wanted.label).await?;
    Ok((StatusCode::CREATED, Json(checkpoint)))
}

/// Deletes a checkpoint and returns its record. What no other checkpoint or artifact uses is freed.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/checkpoints/{checkpointId}", tag = "outputs",
    operation_id = "deleteCheckpoint", params(("id" = String, Path), ("checkpointId" = String, Path)),
    responses((status = 200, body = Checkpoint), Refusals))]
async fn delete(
    State(api): State<Api>,
    InPath((id, checkpoint)): InPath<(SandboxId, CheckpointId)>,
) -> Result<Json<Checkpoint>, ApiError> {
    Ok(Json(api.service().delete_checkpoint(&id, &checkpoint).await?))
}

/// Makes a sandbox as it was. Its rooms start again, with the files, sign-ins and tabs of the checkpoint; wait with
/// `GET /v1/sandboxes/{id}?waitFor=ready`. Refused while something is under way in it. A checkpoint of how it is now is taken
/// first, so that this can be undone. Of a sandbox that has ended, the files come back.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/checkpoints/{checkpointId}/restore", tag = "outputs",
    operation_id = "restoreCheckpoint", params(("id" = String, Path), ("checkpointId" = String, Path)),
    responses((status = 200, body = Sandbox), Refusals))]
async fn restore(
    State(api): State<Api>,
    InPath((id, checkpoint)): InPath<(SandboxId, CheckpointId)>,
) -> Result<Json<Sandbox>, ApiError> {
    Ok(Json(api.service().restore_checkpoint(&id, &checkpoint).await?))
}

/// Compares the files of a sandbox, as they are now, with those of a checkpoint. Changes nothing.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/checkpoints/{checkpointId}/diff", tag = "outputs",
    operation_id = "compareCheckpoint", params(("id" = String, Path), ("checkpointId" = String, Path)),
    responses((status = 200, body = CheckpointDiff), Refusals))]
async fn diff(
    State(api): State<Api>,
    InPath((id, checkpoint)): InPath<(SandboxId, CheckpointId)>,
) -> Result<Json<CheckpointDiff>, ApiError> {
    Ok(Json(api.service().compare_checkpoint(&id, &checkpoint).await?))
}

/// Returns a file of the workspace as it was at a checkpoint.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/checkpoints/{checkpointId}/file", tag = "outputs",
    operation_id = "readCheckpointFile", params(("id" = String, Path), ("checkpointId" = String, Path), FileQuery),
    responses((status = 200, content((Vec<u8> = "application/octet-stream"))), Refusals))]
async fn file(
    State(api): State<Api>,
    InPath((id, checkpoint)): InPath<(SandboxId, CheckpointId)>,
    Query(query): Query<FileQuery>,
) -> Result<Response, ApiError> {
    let content = api.service().checkpoint_file(&id, &checkpoint, &query.path).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], content).into_response())
}
