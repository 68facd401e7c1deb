//! The workspace as a whole: what it holds, what is in its trash, finding files, and following what changes.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use sandbox_core::SandboxId;
use sandbox_core::model::{EpochMs, FileEntry, FileKind, Page};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{InPath, Query, switch};
use crate::api::following::{self, Told};
use crate::service::{Holdings, ServiceError};
use crate::workspace::{Changed, MATCHES_MAX, Query as Wanted, Trashed};

const DEFAULT_MATCHES: usize = 100;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(search))
        .routes(routes!(usage))
        .routes(routes!(watch))
        .routes(routes!(trash, empty))
        .routes(routes!(restore))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Words that a path, or a line of a file, has; upper and lower case are the same.
    q: String,
    /// The folder to look in. Default: the workspace root.
    #[serde(default)]
    #[param(required = false)]
    path: String,
    /// `1` or `true`: also look into files.
    #[serde(default, deserialize_with = "switch")]
    #[param(required = false)]
    content: bool,
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
}

/// A file whose path has the words, or a line of a file that does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FileMatch {
    /// Relative to the workspace, `/` between parts.
    path: String,
    kind: FileKind,
    /// Bytes.
    size: u64,
    modified_at: EpochMs,
    /// Counted from 1; absent where the path has the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// What stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct FileMatches {
    data: Vec<FileMatch>,
    /// Whether there may be more: the search ended at its limit, or took too long.
    truncated: bool,
}

/// What a sandbox holds on the disk, in bytes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DiskUsage {
    /// Of the workspace.
    workspace_bytes: u64,
    files: u64,
    folders: u64,
    trash_bytes: u64,
    artifact_bytes: u64,
    /// Of the contents of its checkpoints, each counted once.
    checkpoint_bytes: u64,
    /// Whether the workspace has more than was counted.
    truncated: bool,
}

impl From<Holdings> for DiskUsage {
    fn from(Holdings { workspace, trash_bytes, artifact_bytes, checkpoint_bytes }: Holdings) -> Self {
        Self {
            workspace_bytes: workspace.bytes,
            files: workspace.files,
            folders: workspace.folders,
            trash_bytes,
            artifact_bytes,
            checkpoint_bytes,
            truncated: workspace.truncated,
        }
    }
}

/// A deletion that can be undone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrashedFile {
    trash_id: String,
    /// Where it was.
    path: String,
    kind: FileKind,
    /// Bytes.
    size: u64,
    deleted_at: EpochMs,
}

impl From<Trashed> for TrashedFile {
    fn from(Trashed { trash_id, entry, deleted_at }: Trashed) -> Self {
        Self { trash_id, path: entry.path, kind: entry.kind, size: entry.size, deleted_at }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Emptied {
    freed_bytes: u64,
}

/// Finds files by their path, and by what stands in them. Stops after ten seconds with what it has.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/search", tag = "commands and files", operation_id = "searchFiles",
    params(("id" = String, Path), SearchQuery), responses((status = 200, body = FileMatches), Refusals))]
async fn search(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<FileMatches>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_MATCHES);
    if !(1..=MATCHES_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` is {limit}; it goes from 1 to {MATCHES_MAX}")));
    }
    let workspace = api.service().workspace(&id).await?;
    let wanted = Wanted { words: query.q, content: query.content, limit };
    let stop = CancellationToken::new();
    let _stops_when_dropped = stop.clone().drop_guard();
    let found = tokio::task::spawn_blocking(move || workspace.search(&query.path, &wanted, &stop)).await;
    let found = found.map_err(ServiceError::internal)?.map_err(ServiceError::from)?;
    let told = found.matches.into_iter().map(|found| {
        let FileEntry { path, kind, size, modified_at } = found.entry;
        FileMatch { path, kind, size, modified_at, line: found.line, text: found.text }
    });
    Ok(Json(FileMatches { data: told.collect(), truncated: found.truncated }))
}

/// Counts what the sandbox holds on the disk: files, trash and artifacts. Also of a sandbox that is over.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/usage", tag = "commands and files", operation_id = "getUsage",
    params(("id" = String, Path)), responses((status = 200, body = DiskUsage), Refusals))]
async fn usage(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<DiskUsage>, ApiError> {
    Ok(Json(api.service().holdings(&id).await?.into()))
}

/// Follows all changes in the workspace: `{"paths":[…],"more":false}` as server-sent events, or over a WebSocket.
/// With `more`, list the workspace again: some paths are left out. Changes from before the connection are not sent.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/watch", tag = "commands and files", operation_id = "watchFiles",
    params(("id" = String, Path)), responses((status = 200, content_type = "text/event-stream",
    description = "Server-sent events `changed`; over a WebSocket their data as text messages"), Refusals))]
async fn watch(State(api): State<Api>, InPath(id): InPath<SandboxId>, request: Request) -> Result<Response, ApiError> {
    let watched = api.service().watch_files(&id).await?;
    let changes = stream::unfold(watched, |mut watched| async {
        let changed = match watched.news.recv().await {
            Ok(changed) => changed,
            Err(RecvError::Lagged(_)) => Changed { paths: Vec::new(), more: true },
            Err(RecvError::Closed) => return None,
        };
        let data = serde_json::to_string(&changed).unwrap_or_default();
        Some((Told { id: None, kind: "changed".to_owned(), data }, watched))
    });
    let until_closing = api.closing().clone().cancelled_owned();
    following::answer(request, changes.take_until(until_closing).boxed()).await
}

/// Lists what a person deleted and can have back, newest first.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/fs/trash", tag = "commands and files", operation_id = "listTrash",
    params(("id" = String, Path)), responses((status = 200, body = Page<TrashedFile>), Refusals))]
async fn trash(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Page<TrashedFile>>, ApiError> {
    let kept = api.service().trashed(&id).await?;
    Ok(Json(Page { data: kept.into_iter().map(TrashedFile::from).collect(), next_cursor: None }))
}

/// Deletes what is in the trash for good.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/fs/trash", tag = "commands and files", operation_id = "emptyTrash",
    params(("id" = String, Path)), responses((status = 200, body = Emptied), Refusals))]
async fn empty(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Emptied>, ApiError> {
    Ok(Json(Emptied { freed_bytes: api.service().empty_trash(&id).await? }))
}

/// Restores a deletion to its old path; under a new name next to it if the path is in use.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/fs/trash/{trashId}/restore", tag = "commands and files",
    operation_id = "restoreFile", params(("id" = String, Path), ("trashId" = String, Path)),
    responses((status = 200, body = FileEntry), Refusals))]
async fn restore(
    State(api): State<Api>,
    InPath((id, trash_id)): InPath<(SandboxId, String)>,
) -> Result<Json<FileEntry>, ApiError> {
    Ok(Json(api.service().restore_file(&id, trash_id).await?))
}
