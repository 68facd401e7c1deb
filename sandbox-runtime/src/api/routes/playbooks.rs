//! Playbooks before they run.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::Body;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(check))
}

/// A playbook to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaybookCheck {
    /// The playbook as YAML text.
    playbook: String,
    /// Values for its `params`.
    #[serde(default)]
    params: BTreeMap<String, String>,
}

/// What a playbook that can run holds.
#[derive(Serialize, ToSchema)]
struct CheckedPlaybook {
    name: String,
    /// The names of its steps, in order.
    steps: Vec<&'static str>,
    /// The defaults of its parameters; `null` for one without a default.
    params: BTreeMap<String, Option<String>>,
}

/// Checks a playbook and its parameters without running it. A refusal is the one that starting a task would give:
/// `details` has line and column.
#[utoipa::path(post, path = "/v1/playbooks/check", tag = "tasks and handoff", operation_id = "checkPlaybook",
    request_body = PlaybookCheck, responses((status = 200, body = CheckedPlaybook), Refusals))]
async fn check(State(api): State<Api>, Body(asked): Body<PlaybookCheck>) -> Result<Json<CheckedPlaybook>, ApiError> {
    let playbook = api.service().check_playbook(&asked.playbook, &asked.params)?;
    let steps = playbook.steps.iter().map(|step| step.name()).collect();
    Ok(Json(CheckedPlaybook { name: playbook.name, steps, params: playbook.params }))
}
