//! The models that tasks may use, and where their keys are kept. Keys come in and are never returned.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::model::{KeyStorage, ModelInfo, ModelSettings, ModelTest, Page, Passphrase};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(get, put, delete))
        .routes(routes!(test))
        .routes(routes!(key_storage))
        .routes(routes!(unlock))
}

/// Lists the models that tasks can use, by name: models that were set, and models from the runtime's environment.
#[utoipa::path(get, path = "/v1/models", tag = "models", operation_id = "listModels",
    responses((status = 200, body = Page<ModelInfo>), Refusals))]
async fn list(State(api): State<Api>) -> Result<Json<Page<ModelInfo>>, ApiError> {
    Ok(Json(Page { data: api.service().models().await?, next_cursor: None }))
}

/// Returns one model.
#[utoipa::path(get, path = "/v1/models/{name}", tag = "models", operation_id = "getModel",
    params(("name" = String, Path)), responses((status = 200, body = ModelInfo), Refusals))]
async fn get(State(api): State<Api>, InPath(name): InPath<String>) -> Result<Json<ModelInfo>, ApiError> {
    Ok(Json(api.service().model(&name).await?))
}

/// Adds or changes a model. The key is stored in the keyring. Without a key, the old one is kept if kind and address stay the same.
#[utoipa::path(put, path = "/v1/models/{name}", tag = "models", operation_id = "putModel",
    params(("name" = String, Path)), request_body = ModelSettings,
    responses((status = 200, body = ModelInfo), Refusals))]
async fn put(
    State(api): State<Api>,
    InPath(name): InPath<String>,
    Body(settings): Body<ModelSettings>,
) -> Result<Json<ModelInfo>, ApiError> {
    Ok(Json(api.service().put_model(&name, settings).await?))
}

/// Deletes a model and its key.
#[utoipa::path(delete, path = "/v1/models/{name}", tag = "models", operation_id = "deleteModel",
    params(("name" = String, Path)), responses((status = 204), Refusals))]
async fn delete(State(api): State<Api>, InPath(name): InPath<String>) -> Result<StatusCode, ApiError> {
    api.service().delete_model(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks the model for one word. If it fails, the answer is 200 with `ok: false` and the provider's message.
#[utoipa::path(post, path = "/v1/models/{name}/test", tag = "models", operation_id = "testModel",
    params(("name" = String, Path)), responses((status = 200, body = ModelTest), Refusals))]
async fn test(State(api): State<Api>, InPath(name): InPath<String>) -> Result<Json<ModelTest>, ApiError> {
    Ok(Json(api.service().test_model(&name).await?))
}

/// Reports where keys are stored: in the system's keyring, or in an encrypted file that may need its passphrase.
#[utoipa::path(get, path = "/v1/keys", tag = "models", operation_id = "getKeyStorage",
    responses((status = 200, body = KeyStorage), Refusals))]
async fn key_storage(State(api): State<Api>) -> Result<Json<KeyStorage>, ApiError> {
    Ok(Json(api.service().key_storage().await))
}

/// Unlocks the encrypted key file until the runtime ends, or creates one with this passphrase.
#[utoipa::path(post, path = "/v1/keys/unlock", tag = "models", operation_id = "unlockKeys",
    request_body = Passphrase, responses((status = 200, body = KeyStorage), Refusals))]
async fn unlock(State(api): State<Api>, Body(body): Body<Passphrase>) -> Result<Json<KeyStorage>, ApiError> {
    Ok(Json(api.service().unlock_keys(body.passphrase).await?))
}
