//! Durable outputs.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sandbox_core::model::{Artifact, Page};
use sandbox_core::{ArtifactKey, SandboxId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::guard::Claim;
use crate::api::links::{self, Link, TicketQuery, UrlQuery};
use crate::api::lists::{PageQuery, page};
use crate::api::ranges::{self, Disposition};
use crate::api::tokens::LinkTo;
use crate::service::ServiceError;
use crate::store::ArtifactFilter;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(of_sandbox, save))
        .routes(routes!(all))
        .routes(routes!(url))
        .routes(routes!(delete))
}

/// The content looks at its own ticket, or else at the token.
pub fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(content))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AllQuery {
    /// Text to search for in the name.
    q: Option<String>,
    sandbox_id: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Save {
    /// Path of a file in the workspace, of at most 2 GiB, or of a folder: it is packed as a zip.
    path: String,
    /// Name of the artifact. Default: the file's own name.
    #[serde(default)]
    name: Option<String>,
}

/// Lists the artifacts of a sandbox, newest first.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/artifacts", tag = "outputs", operation_id = "listSandboxArtifacts",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<Artifact>), Refusals))]
async fn of_sandbox(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Artifact>>, ApiError> {
    let page = query.try_into()?;
    api.service().sandbox(&id).await?;
    let filter = ArtifactFilter { sandbox_id: Some(id), q: None };
    Ok(Json(api.service().store().artifacts(filter, page).await?))
}

/// Saves a workspace file, or a folder as a zip, as an artifact that is kept after the sandbox ends.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/artifacts", tag = "outputs", operation_id = "saveArtifact",
    params(("id" = String, Path)), request_body = Save, responses((status = 201, body = Artifact), Refusals))]
async fn save(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(save): Body<Save>,
) -> Result<(StatusCode, Json<Artifact>), ApiError> {
    let artifact = api.service().save_artifact(&id, &save.path, save.name).await?;
    Ok((StatusCode::CREATED, Json(artifact)))
}

/// Lists the artifacts of all sandboxes, newest first.
#[utoipa::path(get, path = "/v1/artifacts", tag = "outputs", operation_id = "listArtifacts", params(AllQuery),
    responses((status = 200, body = Page<Artifact>), Refusals))]
async fn all(State(api): State<Api>, Query(query): Query<AllQuery>) -> Result<Json<Page<Artifact>>, ApiError> {
    let filter = ArtifactFilter { sandbox_id: query.sandbox_id.map(SandboxId), q: query.q };
    Ok(Json(api.service().store().artifacts(filter, page(query.limit, query.cursor)?).await?))
}

/// Returns an address of the content that needs no token and expires.
#[utoipa::path(get, path = "/v1/artifacts/{key}/url", tag = "outputs", operation_id = "getArtifactUrl",
    params(("key" = String, Path), UrlQuery), responses((status = 200, body = Link), Refusals))]
async fn url(
    State(api): State<Api>,
    InPath(key): InPath<ArtifactKey>,
    Query(query): Query<UrlQuery>,
) -> Result<Json<Link>, ApiError> {
    if let Err(error) = api.service().artifact(&key).await
        && !api.service().is_growing(&key).await?
    {
        return Err(error.into());
    }
    let path = format!("/v1/artifacts/{key}/content");
    Ok(Json(links::link(&api, &query, LinkTo::Artifact(key), &path)?))
}

/// Returns the content of an artifact, or the part that `Range` asks for. Needs the token or a ticket.
#[utoipa::path(get, path = "/v1/artifacts/{key}/content", tag = "outputs", operation_id = "getArtifactContent",
    params(("key" = String, Path), TicketQuery),
    responses((status = 200, content((Vec<u8> = "application/octet-stream"), (Vec<u8> = "*/*"))),
        (status = 206, content((Vec<u8> = "application/octet-stream"), (Vec<u8> = "*/*"))), Refusals))]
async fn content(
    State(api): State<Api>,
    InPath(key): InPath<ArtifactKey>,
    Query(query): Query<TicketQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    links::admit(&api, &query, &LinkTo::Artifact(key.clone()), Claim::of(&request)).await?;
    let artifact = match api.service().artifact(&key).await {
        Ok(artifact) => artifact,
        Err(error) => {
            // A recording can be played while it grows.
            let Some((file, size)) = api.service().growing_recording(&key).await? else { return Err(error.into()) };
            let headers = request.headers();
            return ranges::file(file, size, "recording.mp4", "video/mp4", headers, Disposition::ForPerson).await;
        }
    };
    let blobs = api.service().store().blobs().clone();
    let opened = tokio::task::spawn_blocking(move || blobs.open(&artifact.sha256)).await;
    let file = opened.map_err(ServiceError::internal)??;
    ranges::file(file, artifact.size, &artifact.name, &artifact.content_type, request.headers(), Disposition::ForPerson)
        .await
}

/// Deletes an artifact and returns its record.
#[utoipa::path(delete, path = "/v1/artifacts/{key}", tag = "outputs", operation_id = "deleteArtifact",
    params(("key" = String, Path)), responses((status = 200, body = Artifact), Refusals))]
async fn delete(State(api): State<Api>, InPath(key): InPath<ArtifactKey>) -> Result<Json<Artifact>, ApiError> {
    Ok(Json(api.service().delete_artifact(&key).await?))
}
