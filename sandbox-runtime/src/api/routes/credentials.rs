//! The person's vault. Values come in and are never returned.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::model::{
    Credential, CredentialImport, CredentialPatch, CredentialUse, ImportedCredentials, NewCredential, Page,
    SignInAnswer, SignInAnswered, SignInOffers,
};
use sandbox_core::{CredentialId, SandboxId, SignInOfferId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::lists::PageQuery;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(create, list))
        .routes(routes!(get, patch, delete))
        .routes(routes!(uses))
        .routes(routes!(import))
        .routes(routes!(offers))
        .routes(routes!(answer_offer))
}

/// Saves a sign-in or a secret. Its values go to the keyring, or to the encrypted key file, and are never returned.
#[utoipa::path(post, path = "/v1/credentials", tag = "sign-ins", operation_id = "createCredential",
    request_body = NewCredential, responses((status = 201, body = Credential), Refusals))]
async fn create(
    State(api): State<Api>,
    Body(asked): Body<NewCredential>,
) -> Result<(StatusCode, Json<Credential>), ApiError> {
    Ok((StatusCode::CREATED, Json(api.service().create_credential(asked).await?)))
}

/// Lists the entries of the vault, newest first.
#[utoipa::path(get, path = "/v1/credentials", tag = "sign-ins", operation_id = "listCredentials", params(PageQuery),
    responses((status = 200, body = Page<Credential>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<PageQuery>) -> Result<Json<Page<Credential>>, ApiError> {
    Ok(Json(api.service().store().credentials(query.try_into()?).await?))
}

/// Returns an entry, without its values.
#[utoipa::path(get, path = "/v1/credentials/{credentialId}", tag = "sign-ins", operation_id = "getCredential",
    params(("credentialId" = String, Path)), responses((status = 200, body = Credential), Refusals))]
async fn get(State(api): State<Api>, InPath(id): InPath<CredentialId>) -> Result<Json<Credential>, ApiError> {
    Ok(Json(api.service().credential(&id).await?))
}

/// Changes the fields in the body. An empty text removes a value.
#[utoipa::path(patch, path = "/v1/credentials/{credentialId}", tag = "sign-ins", operation_id = "patchCredential",
    params(("credentialId" = String, Path)), request_body = CredentialPatch,
    responses((status = 200, body = Credential), Refusals))]
async fn patch(
    State(api): State<Api>,
    InPath(id): InPath<CredentialId>,
    Body(patch): Body<CredentialPatch>,
) -> Result<Json<Credential>, ApiError> {
    Ok(Json(api.service().patch_credential(&id, patch).await?))
}

/// Deletes an entry and its values. The ledger of its uses is kept.
#[utoipa::path(delete, path = "/v1/credentials/{credentialId}", tag = "sign-ins", operation_id = "deleteCredential",
    params(("credentialId" = String, Path)), responses((status = 204), Refusals))]
async fn delete(State(api): State<Api>, InPath(id): InPath<CredentialId>) -> Result<StatusCode, ApiError> {
    api.service().delete_credential(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Saves the sign-ins of a CSV file, as browsers and password managers export them. Entries that are there already stay.
#[utoipa::path(post, path = "/v1/credentials/import", tag = "sign-ins", operation_id = "importCredentials",
    request_body = CredentialImport, responses((status = 200, body = ImportedCredentials), Refusals))]
async fn import(
    State(api): State<Api>,
    Body(asked): Body<CredentialImport>,
) -> Result<Json<ImportedCredentials>, ApiError> {
    Ok(Json(api.service().import_credentials(asked).await?))
}

/// Lists every use of an entry, newest first: where it was filled in, and by which task.
#[utoipa::path(get, path = "/v1/credentials/{credentialId}/uses", tag = "sign-ins", operation_id = "listCredentialUses",
    params(("credentialId" = String, Path), PageQuery), responses((status = 200, body = Page<CredentialUse>), Refusals))]
async fn uses(
    State(api): State<Api>,
    InPath(id): InPath<CredentialId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CredentialUse>>, ApiError> {
    Ok(Json(api.service().credential_uses(&id, query.try_into()?).await?))
}

/// Lists the sign-ins that a person typed while they drove, and that the vault does not hold. Their passwords are in memory
/// alone, and are forgotten after the answer, after a few minutes, and with the sandbox.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/sign-in-offers", tag = "sign-ins", operation_id = "listSignInOffers",
    params(("id" = String, Path)), responses((status = 200, body = SignInOffers), Refusals))]
async fn offers(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<SignInOffers>, ApiError> {
    Ok(Json(api.service().sign_in_offers(&id).await?))
}

/// Answers an offer to keep a sign-in that a person typed. If it cannot be kept now, the offer stays open.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/sign-in-offers/{offerId}", tag = "sign-ins",
    operation_id = "answerSignInOffer", params(("id" = String, Path), ("offerId" = String, Path)),
    request_body = SignInAnswer, responses((status = 200, body = SignInAnswered), Refusals))]
async fn answer_offer(
    State(api): State<Api>,
    InPath((id, offer)): InPath<(SandboxId, SignInOfferId)>,
    Body(answer): Body<SignInAnswer>,
) -> Result<Json<SignInAnswered>, ApiError> {
    Ok(Json(api.service().answer_sign_in_offer(&id, &offer, answer).await?))
}
