//! Webhooks and their deliveries.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::event;
use sandbox_core::model::{
    Delivery, DeliveryStatus, NewWebhook, Page, SecretRotation, Webhook, WebhookPatch, WebhookSecret,
};
use sandbox_core::{DeliveryId, WebhookId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, HttpMethod, ObjectBuilder, PathItem, Paths, Required, Response, Schema, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::lists::{PageQuery, page};
use crate::store::DeliveryFilter;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(create, list))
        .routes(routes!(get, patch, delete))
        .routes(routes!(rotate))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(resend))
}

/// Describes what is sent to a webhook, for each type of event.
pub fn messages() -> Paths {
    let described = event::messages().into_iter().map(|message| {
        let body = RequestBodyBuilder::new()
            .content("application/json", Content::new(Some(message.body)))
            .required(Some(Required::True));
        let operation = OperationBuilder::new()
            .operation_id(Some(format!("on{:?}", message.event_type)))
            .tag("events")
            // The signature says who sends it.
            .securities(Some([]))
            .summary(Some(message.summary))
            .parameters(Some(headers()))
            .request_body(Some(body.build()))
            .response("2XX", Response::new("Accepted: it is not sent again."))
            .response("410", Response::new("The receiver is gone: the webhook is disabled."))
            .response("default", Response::new("It is sent again later."));
        (message.event_type.as_str(), PathItem::new(HttpMethod::Post, operation.build()))
    });
    described.fold(PathsBuilder::new(), |all, (name, item)| all.path(name, item)).build()
}

fn headers() -> impl Iterator<Item = ParameterBuilder> {
    [
        ("webhook-id", "The same at each attempt: a message that came before is known by it."),
        ("webhook-timestamp", "Time of this attempt, in seconds since the Unix epoch."),
        ("webhook-signature", "`v1,` and the signature of id, timestamp and body, as in Standard Webhooks."),
    ]
    .into_iter()
    .map(|(name, words)| {
        let text: Schema = ObjectBuilder::new().schema_type(Type::String).build().into();
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(words))
            .schema(Some(text))
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    status: Option<DeliveryStatus>,
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Creates a webhook. Its secret is shown only in this answer.
#[utoipa::path(post, path = "/v1/webhooks", tag = "events", operation_id = "createWebhook", request_body = NewWebhook,
    responses((status = 201, body = WebhookSecret), Refusals))]
async fn create(
    State(api): State<Api>,
    Body(asked): Body<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookSecret>), ApiError> {
    Ok((StatusCode::CREATED, Json(api.service().create_webhook(asked).await?)))
}

/// Lists webhooks, newest first.
#[utoipa::path(get, path = "/v1/webhooks", tag = "events", operation_id = "listWebhooks", params(PageQuery),
    responses((status = 200, body = Page<Webhook>), Refusals))]
async fn list(State(api): State<Api>, Query(query): Query<PageQuery>) -> Result<Json<Page<Webhook>>, ApiError> {
    Ok(Json(api.service().store().webhooks(query.try_into()?).await?))
}

/// Returns a webhook, without its secret.
#[utoipa::path(get, path = "/v1/webhooks/{webhookId}", tag = "events", operation_id = "getWebhook",
    params(("webhookId" = String, Path)), responses((status = 200, body = Webhook), Refusals))]
async fn get(State(api): State<Api>, InPath(id): InPath<WebhookId>) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(api.service().webhook(&id).await?))
}

/// Changes the fields in the body. While a webhook is disabled, its messages wait.
#[utoipa::path(patch, path = "/v1/webhooks/{webhookId}", tag = "events", operation_id = "patchWebhook",
    params(("webhookId" = String, Path)), request_body = WebhookPatch,
    responses((status = 200, body = Webhook), Refusals))]
async fn patch(
    State(api): State<Api>,
    InPath(id): InPath<WebhookId>,
    Body(patch): Body<WebhookPatch>,
) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(api.service().patch_webhook(&id, patch).await?))
}

/// Deletes a webhook and its deliveries.
#[utoipa::path(delete, path = "/v1/webhooks/{webhookId}", tag = "events", operation_id = "deleteWebhook",
    params(("webhookId" = String, Path)), responses((status = 200, body = Webhook), Refusals))]
async fn delete(State(api): State<Api>, InPath(id): InPath<WebhookId>) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(api.service().delete_webhook(&id).await?))
}

/// Creates a new secret, shown only in this answer. The previous secret also signs for `overlapMs`.
#[utoipa::path(post, path = "/v1/webhooks/{webhookId}/rotate", tag = "events", operation_id = "rotateWebhookSecret",
    params(("webhookId" = String, Path)), request_body = SecretRotation,
    responses((status = 200, body = WebhookSecret), Refusals))]
async fn rotate(
    State(api): State<Api>,
    InPath(id): InPath<WebhookId>,
    Body(rotation): Body<SecretRotation>,
) -> Result<Json<WebhookSecret>, ApiError> {
    Ok(Json(api.service().rotate_secret(&id, rotation).await?))
}

/// Sends a message of type `webhook.test` and returns when the receiver has answered.
#[utoipa::path(post, path = "/v1/webhooks/{webhookId}/test", tag = "events", operation_id = "testWebhook",
    params(("webhookId" = String, Path)), responses((status = 200, body = Delivery), Refusals))]
async fn test(State(api): State<Api>, InPath(id): InPath<WebhookId>) -> Result<Json<Delivery>, ApiError> {
    Ok(Json(api.service().test_webhook(&id).await?))
}

/// Lists sent and pending messages, newest first. Messages are kept for 30 days after they end.
#[utoipa::path(get, path = "/v1/webhooks/{webhookId}/deliveries", tag = "events", operation_id = "listDeliveries",
    params(("webhookId" = String, Path), DeliveriesQuery),
    responses((status = 200, body = Page<Delivery>), Refusals))]
async fn deliveries(
    State(api): State<Api>,
    InPath(id): InPath<WebhookId>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<Page<Delivery>>, ApiError> {
    api.service().webhook(&id).await?;
    let filter = DeliveryFilter { webhook_id: id, status: query.status };
    Ok(Json(api.service().store().deliveries(filter, page(query.limit, query.cursor)?).await?))
}

/// Sends a message again, with the same id and body.
#[utoipa::path(post, path = "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/resend", tag = "events",
    operation_id = "resendDelivery", params(("webhookId" = String, Path), ("deliveryId" = String, Path)),
    responses((status = 202, body = Delivery), Refusals))]
async fn resend(
    State(api): State<Api>,
    InPath((id, delivery)): InPath<(WebhookId, DeliveryId)>,
) -> Result<(StatusCode, Json<Delivery>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(api.service().resend(&id, &delivery).await?)))
}
