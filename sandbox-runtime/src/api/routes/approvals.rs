//! What a person is asked before it is done, what they permitted, and their rules.

use axum::extract::State;
use axum::{Extension, Json};
use sandbox_core::model::{Actor, Approval, ApprovalDecision, ApprovalStatus, Grant, Page, Rules};
use sandbox_core::{ApprovalId, GrantId, SandboxId, TaskId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::guard::Caller;
use crate::api::lists::page;
use crate::store::{ApprovalFilter, GrantFilter};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(decide))
        .routes(routes!(grants))
        .routes(routes!(revoke))
        .routes(routes!(rules, replace_rules))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<ApprovalStatus>,
    sandbox_id: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GrantQuery {
    sandbox_id: Option<String>,
    task_id: Option<String>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Lists approval requests of all sandboxes, newest first.
#[utoipa::path(get, path = "/v1/approvals", tag = "trust", operation_id = "listApprovals", params(ListQuery),
    responses((status = 200, body = Page<Approval>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<ListQuery>) -> Result<Json<Page<Approval>>, ApiError> {
    let filter = ApprovalFilter { sandbox_id: query.sandbox_id.map(SandboxId), status: query.status };
    Ok(Json(api.service().store().approvals(filter, page(query.limit, query.cursor)?).await?))
}

/// Answers a question: once, or with a scope for the rest of the task. What is not as it was shown any more is void (409).
#[utoipa::path(post, path = "/v1/approvals/{approvalId}", tag = "trust", operation_id = "decideApproval",
    params(("approvalId" = String, Path)), request_body = ApprovalDecision,
    responses((status = 200, body = Approval), Refusals))]
async fn decide(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    InPath(id): InPath<ApprovalId>,
    Body(decision): Body<ApprovalDecision>,
) -> Result<Json<Approval>, ApiError> {
    let by = match caller {
        Caller::Interface => Actor::Person,
        Caller::Program => Actor::Api,
    };
    Ok(Json(api.service().decide(&id, decision, by).await?))
}

/// Lists standing permissions and their use, newest first.
#[utoipa::path(get, path = "/v1/grants", tag = "trust", operation_id = "listGrants", params(GrantQuery),
    responses((status = 200, body = Page<Grant>), Refusals))]
async fn grants(State(api): State<Api>, Query(query): Query<GrantQuery>) -> Result<Json<Page<Grant>>, ApiError> {
    let filter = GrantFilter { sandbox_id: query.sandbox_id.map(SandboxId), task_id: query.task_id.map(TaskId) };
    Ok(Json(api.service().store().grants(filter, page(query.limit, query.cursor)?).await?))
}

/// Revokes a standing permission at once.
#[utoipa::path(delete, path = "/v1/grants/{grantId}", tag = "trust", operation_id = "revokeGrant",
    params(("grantId" = String, Path)), responses((status = 200, body = Grant), Refusals))]
async fn revoke(State(api): State<Api>, InPath(id): InPath<GrantId>) -> Result<Json<Grant>, ApiError> {
    Ok(Json(api.service().revoke(&id).await?))
}

/// Returns the rules.
#[utoipa::path(get, path = "/v1/rules", tag = "trust", operation_id = "getRules",
    responses((status = 200, body = Rules), Refusals))]
async fn rules(State(api): State<Api>) -> Result<Json<Rules>, ApiError> {
    Ok(Json(Rules { rules: api.service().store().rules().await? }))
}

/// Replaces all rules. The new rules apply when this returns.
#[utoipa::path(put, path = "/v1/rules", tag = "trust", operation_id = "putRules", request_body = Rules,
    responses((status = 200, body = Rules), Refusals))]
async fn replace_rules(State(api): State<Api>, Body(new): Body<Rules>) -> Result<Json<Rules>, ApiError> {
    Ok(Json(Rules { rules: api.service().replace_rules(new.rules).await? }))
}
