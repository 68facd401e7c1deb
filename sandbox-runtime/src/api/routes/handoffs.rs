//! Asking a person, and control.

use axum::Json;
use axum::extract::State;
use sandbox_core::model::{
    Handoff, HandoffEnvelope, HandoffRequest, HandoffStatus, Page, Preview, RequestedBy, TypedText,
};
use sandbox_core::{CredentialId, SandboxId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::lists::page;
use crate::store::HandoffFilter;

type Enveloped = Result<Json<HandoffEnvelope>, ApiError>;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(current, request))
        .routes(routes!(accept))
        .routes(routes!(complete))
        .routes(routes!(sign_in))
        .routes(routes!(cancel))
        .routes(routes!(list))
        .routes(routes!(take))
        .routes(routes!(release))
}

/// Who takes control, as others are to see it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ByController {
    controller: String,
}

/// What is filled in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WithCredential {
    /// A login of the vault.
    credential_id: CredentialId,
}

/// A line for the agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithNote {
    #[serde(default)]
    note: Option<String>,
}

/// A line for the agent, and what becomes of what the person typed and is still on the page. Without a word about it the
/// document stays closed to programs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandBack {
    #[serde(default)]
    note: Option<String>,
    /// Programs may read it.
    #[serde(default)]
    reveal: bool,
    /// Those fields are emptied. Not together with `reveal`.
    #[serde(default)]
    clear: bool,
}

impl HandBack {
    fn typed(&self) -> Result<TypedText, ApiError> {
        match (self.reveal, self.clear) {
            (false, false) => Ok(TypedText::Veiled),
            (true, false) => Ok(TypedText::Revealed),
            (false, true) => Ok(TypedText::Cleared),
            (true, true) => Err(ApiError::invalid("either `reveal` or `clear`: what is cleared cannot be read")),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<HandoffStatus>,
    sandbox_id: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Returns the current handoff of the sandbox, or the last one.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/handoff", tag = "tasks and handoff", operation_id = "getHandoff",
    params(("id" = String, Path)), responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn current(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Enveloped {
    Ok(Json(api.service().handoff(&id).await?))
}

/// Asks a person to do something.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/handoff", tag = "tasks and handoff", operation_id = "requestHandoff",
    params(("id" = String, Path)), request_body = HandoffRequest,
    responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn request(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<HandoffRequest>,
) -> Enveloped {
    Ok(Json(api.service().request_handoff(&id, request, RequestedBy::Sdk).await?))
}

/// Accepts the pending request. The person holds control until it is completed or cancelled, or expires.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/handoff/accept", tag = "tasks and handoff",
    operation_id = "acceptHandoff", params(("id" = String, Path)), request_body = ByController,
    responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn accept(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(by): Body<ByController>) -> Enveloped {
    Ok(Json(api.service().accept_handoff(&id, by.controller).await?))
}

/// Completes the handoff. The agent continues with a fresh look at the page.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/handoff/complete", tag = "tasks and handoff",
    operation_id = "completeHandoff", params(("id" = String, Path)), request_body(content = HandBack),
    responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn complete(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(with): Body<HandBack>) -> Enveloped {
    let typed = with.typed()?;
    Ok(Json(api.service().complete_handoff(&id, with.note, typed).await?))
}

/// Fills in a sign-in of the vault for the person who was asked, and completes the handoff for them. Whatever its rule, the
/// request is their word; one that is set to `never` is not filled in. If it fails, the handoff stands.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/handoff/sign-in", tag = "tasks and handoff",
    operation_id = "signInAtHandoff", params(("id" = String, Path)), request_body = WithCredential,
    responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn sign_in(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(with): Body<WithCredential>) -> Enveloped {
    Ok(Json(api.service().sign_in_at_handoff(&id, &with.credential_id).await?))
}

/// Cancels the handoff.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/handoff/cancel", tag = "tasks and handoff",
    operation_id = "cancelHandoff", params(("id" = String, Path)), request_body(content = WithNote),
    responses((status = 200, body = HandoffEnvelope), Refusals))]
async fn cancel(State(api): State<Api>, InPath(id): InPath<SandboxId>, Body(with): Body<WithNote>) -> Enveloped {
    Ok(Json(api.service().cancel_handoff(&id, with.note).await?))
}

/// Lists the handoffs of all sandboxes, newest first.
#[utoipa::path(get, path = "/v1/handoffs", tag = "tasks and handoff", operation_id = "listHandoffs", params(ListQuery),
    responses((status = 200, body = Page<Handoff>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<ListQuery>) -> Result<Json<Page<Handoff>>, ApiError> {
    let filter = HandoffFilter { sandbox_id: query.sandbox_id.map(SandboxId), status: query.status };
    Ok(Json(api.service().store().handoffs(filter, page(query.limit, query.cursor)?).await?))
}

/// Takes control for a person, with or without a request.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/control/take", tag = "tasks and handoff", operation_id = "takeControl",
    params(("id" = String, Path)), request_body = ByController, responses((status = 200, body = Preview), Refusals))]
async fn take(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(by): Body<ByController>,
) -> Result<Json<Preview>, ApiError> {
    Ok(Json(api.service().take_control(&id, by.controller).await?))
}

/// Hands control back.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/control/release", tag = "tasks and handoff",
    operation_id = "releaseControl", params(("id" = String, Path)), request_body(content = HandBack),
    responses((status = 200, body = Preview), Refusals))]
async fn release(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(with): Body<HandBack>,
) -> Result<Json<Preview>, ApiError> {
    let typed = with.typed()?;
    Ok(Json(api.service().release_control(&id, with.note, typed).await?))
}
