//! Password managers that are on this machine already. What a person types to open one is passed on and forgotten.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::model::{CredentialSource, Page, PasswordManager, PasswordManagerConnect};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};
use crate::service::ServiceError;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(connect, disconnect))
}

/// Lists the password managers that Baton can fill sign-ins from, and whether each is on this machine, connected and open.
#[utoipa::path(get, path = "/v1/password-managers", tag = "sign-ins", operation_id = "listPasswordManagers",
    responses((status = 200, body = Page<PasswordManager>), Refusals))]
async fn list(State(api): State<Api>) -> Result<Json<Page<PasswordManager>>, ApiError> {
    Ok(Json(Page { data: api.service().password_managers().await?, next_cursor: None }))
}

/// Connects a password manager, or lists its sign-ins again. They stand among the credentials, without values: a value is
/// fetched from the password manager each time it is filled in.
#[utoipa::path(post, path = "/v1/password-managers/{source}", tag = "sign-ins", operation_id = "connectPasswordManager",
    params(("source" = String, Path, description = "`1password` or `bitwarden`")),
    request_body = PasswordManagerConnect, responses((status = 200, body = PasswordManager), Refusals))]
async fn connect(
    State(api): State<Api>,
    InPath(source): InPath<String>,
    Body(asked): Body<PasswordManagerConnect>,
) -> Result<Json<PasswordManager>, ApiError> {
    Ok(Json(api.service().connect_password_manager(called(source)?, asked).await?))
}

/// Forgets what was listed of a password manager, and what opened it. Nothing changes in the password manager itself.
#[utoipa::path(delete, path = "/v1/password-managers/{source}", tag = "sign-ins", operation_id = "disconnectPasswordManager",
    params(("source" = String, Path, description = "`1password` or `bitwarden`")),
    responses((status = 204), Refusals))]
async fn disconnect(State(api): State<Api>, InPath(source): InPath<String>) -> Result<StatusCode, ApiError> {
    api.service().disconnect_password_manager(called(source)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the name of a password manager, as `source` of an entry has it.
fn called(source: String) -> Result<CredentialSource, ServiceError> {
    let unknown = || ServiceError::not_found("password manager", &source).with_hint("use `1password` or `bitwarden`");
    serde_json::from_value(serde_json::Value::String(source.clone())).map_err(|_| unknown())
}
