//! Files of the workspace.

use std::io;
use std::os::unix::fs::FileExt;

use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::TryStreamExt;
use sandbox_core::SandboxId;
use sandbox_core::event::FileChange;
use sandbox_core::model::{EpochMs, FileEntry, FileKind};
use serde::{Deserialize, Serialize};
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query, switch};
use crate::api::ranges::{self, Disposition};
use crate::service::ServiceError;
use crate::workspace::{CONTENT_TYPE_HEAD, Workspace, WorkspaceError, content_type};

/// Longest file that one request writes.
const MAX_FILE: u64 = 4 << 30;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(read))
        .routes(routes!(write))
        .routes(routes!(list))
        .routes(routes!(stat))
        .routes(routes!(mkdir))
        .routes(routes!(rename))
        .routes(routes!(remove))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PathQuery {
    /// Relative to `/workspace`, or starting with it.
    path: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Default: the workspace root.
    #[serde(default)]
    #[param(required = false)]
    path: String,
    /// `1` or `true`: also list the contents of subfolders.
    #[serde(default, deserialize_with = "switch")]
    #[param(required = false)]
    recursive: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RemoveQuery {
    path: String,
    /// `1` or `true`: remove a folder with its contents.
    #[serde(default, deserialize_with = "switch")]
    #[param(required = false)]
    recursive: bool,
    /// `1` or `true`: move it into the trash, from which it can be restored; a folder goes with its contents.
    #[serde(default, deserialize_with = "switch")]
    #[param(required = false)]
    trash: bool,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RemovedFile {
    path: String,
    kind: FileKind,
    /// Bytes.
    size: u64,
    modified_at: EpochMs,
    /// Names it in the trash, where it went there.
    #[serde(skip_serializing_if = "Option::is_none")]
    trash_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Entries {
    data: Vec<FileEntry>,
    /// Whether entries were left out because there are too many.
    truncated: bool,
}

#[derive(Serialize, ToSchema)]
struct Written {
    path: String,
    size: u64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Folder {
    path: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    from: String,
    to: String,
}

/// Runs file work on a thread that may wait.
async fn off<T: Send + 'static>(
    workspace: Workspace,
    work: impl FnOnce(&Workspace) -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(move || work(&workspace)).await.map_err(ServiceError::internal)?;
    Ok(done.map_err(ServiceError::from)?)
}

/// Returns the content of a file, or the part that `Range` asks for.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/read", tag = "commands and files", operation_id = "readFile",
    params(("id" = String, Path), PathQuery),
    responses((status = 200, content((Vec<u8> = "application/octet-stream"), (Vec<u8> = "*/*"))),
        (status = 206, content((Vec<u8> = "application/octet-stream"), (Vec<u8> = "*/*"))), Refusals))]
async fn read(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<PathQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let workspace = api.service().workspace(&id).await?;
    let (file, entry, content_type) = off(workspace, move |workspace| {
        let (file, entry) = workspace.open_file(&query.path)?;
        let mut head = vec![0; CONTENT_TYPE_HEAD];
        // What cannot be read now shows when the content is; until then the name alone decides.
        let read = file.read_at(&mut head, 0).unwrap_or(0);
        let content_type = content_type(&entry.path, &head[..read]);
        Ok((file, entry, content_type))
    })
    .await?;
    ranges::file(file, entry.size, &entry.path, &content_type, &headers, Disposition::Plain).await
}

/// Writes a file. Creates parent folders. Readers see either the old or the new file.
#[utoipa::path(put, path = "/v1/sandboxes/{id}/fs/write", tag = "commands and files", operation_id = "writeFile",
    params(("id" = String, Path), PathQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Written), Refusals))]
async fn write(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<PathQuery>,
    body: RawBody,
) -> Result<Json<Written>, ApiError> {
    let workspace = api.service().writable_workspace(&id).await?;
    // The reader waits for the network on a thread of its own; it ends with the connection.
    let reader = SyncIoBridge::new(StreamReader::new(body.into_data_stream().map_err(io::Error::other)));
    let entry = off(workspace, move |workspace| workspace.write(&query.path, reader, MAX_FILE)).await?;
    api.service().file_changed(&id, &entry.path, FileChange::Written).await?;
    Ok(Json(Written { path: entry.path, size: entry.size }))
}

/// Lists a folder.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/list", tag = "commands and files", operation_id = "listFiles",
    params(("id" = String, Path), ListQuery), responses((status = 200, body = Entries), Refusals))]
async fn list(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Entries>, ApiError> {
    let workspace = api.service().workspace(&id).await?;
    let listing = off(workspace, move |workspace| workspace.list(&query.path, query.recursive)).await?;
    Ok(Json(Entries { data: listing.entries, truncated: listing.truncated }))
}

/// Describes the entry at a path.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/stat", tag = "commands and files", operation_id = "statFile",
    params(("id" = String, Path), PathQuery), responses((status = 200, body = FileEntry), Refusals))]
async fn stat(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<PathQuery>,
) -> Result<Json<FileEntry>, ApiError> {
    let workspace = api.service().workspace(&id).await?;
    Ok(Json(off(workspace, move |workspace| workspace.stat(&query.path)).await?))
}

/// Creates a folder and its parents.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/fs/mkdir", tag = "commands and files", operation_id = "makeFolder",
    params(("id" = String, Path)), request_body = Folder, responses((status = 200, body = FileEntry), Refusals))]
async fn mkdir(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(folder): Body<Folder>,
) -> Result<Json<FileEntry>, ApiError> {
    let workspace = api.service().writable_workspace(&id).await?;
    let entry = off(workspace, move |workspace| workspace.mkdir(&folder.path)).await?;
    api.service().file_changed(&id, &entry.path, FileChange::Written).await?;
    Ok(Json(entry))
}

/// Moves or renames a file or folder.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/fs/move", tag = "commands and files", operation_id = "moveFile",
    params(("id" = String, Path)), request_body = Move, responses((status = 200, body = FileEntry), Refusals))]
async fn rename(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(way): Body<Move>,
) -> Result<Json<FileEntry>, ApiError> {
    let workspace = api.service().writable_workspace(&id).await?;
    let from = way.from.clone();
    let entry = off(workspace, move |workspace| workspace.rename(&way.from, &way.to)).await?;
    api.service().file_changed(&id, &from, FileChange::Removed).await?;
    api.service().file_changed(&id, &entry.path, FileChange::Written).await?;
    Ok(Json(entry))
}

/// Removes a file or an empty folder; with `recursive`, a folder with its contents. Returns the removed entry. Also of a
/// sandbox that is over.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/fs", tag = "commands and files", operation_id = "removeFile",
    params(("id" = String, Path), RemoveQuery), responses((status = 200, body = RemovedFile), Refusals))]
async fn remove(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<RemoveQuery>,
) -> Result<Json<RemovedFile>, ApiError> {
    let removed = api.service().remove_file(&id, query.path, query.recursive, query.trash).await?;
    let FileEntry { path, kind, size, modified_at } = removed.entry;
    Ok(Json(RemovedFile { path, kind, size, modified_at, trash_id: removed.trash_id }))
}
