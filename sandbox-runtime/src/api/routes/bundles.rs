//! A task as one file.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::Response;
use sandbox_core::TaskId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{InPath, Query};
use crate::api::guard::Claim;
use crate::api::links::{self, Link, TicketQuery, UrlQuery};
use crate::api::ranges::{self, Disposition};
use crate::api::tokens::LinkTo;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(url))
}

/// The bundle looks at its own ticket, or else at the token.
pub fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(bundle))
}

/// Returns everything that a task left as one zip: story, files, recording, receipts, approvals, and a manifest of hashes.
/// `baton verify` checks it. The task must be over. Needs the token or a ticket.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/bundle", tag = "outputs", operation_id = "getTaskBundle",
    params(("taskId" = String, Path), TicketQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), Refusals))]
async fn bundle(
    State(api): State<Api>,
    InPath(id): InPath<TaskId>,
    Query(query): Query<TicketQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    links::admit(&api, &query, &LinkTo::Bundle(id.clone()), Claim::of(&request)).await?;
    let made = api.service().bundle(&id).await?;
    ranges::file(made.file, made.size, &made.name, "application/zip", request.headers(), Disposition::ForPerson).await
}

/// Returns an address of the bundle that needs no token and expires.
#[utoipa::path(get, path = "/v1/tasks/{taskId}/bundle/url", tag = "outputs", operation_id = "getTaskBundleUrl",
    params(("taskId" = String, Path), UrlQuery), responses((status = 200, body = Link), Refusals))]
async fn url(
    State(api): State<Api>,
    InPath(id): InPath<TaskId>,
    Query(query): Query<UrlQuery>,
) -> Result<Json<Link>, ApiError> {
    let task = api.service().task_that_is_over(&id).await?;
    let path = format!("/v1/tasks/{id}/bundle");
    Ok(Json(links::link(&api, &query, LinkTo::Bundle(task.id), &path)?))
}
