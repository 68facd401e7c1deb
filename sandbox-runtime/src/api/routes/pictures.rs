//! Pictures of what the agent did, which its events name.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::io::AsyncReadExt;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::InPath;
use crate::api::ranges::{self, Disposition};
use crate::service::{ErrorCode, ServiceError};
use crate::store::StoreError;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get))
}

/// Returns a picture of the page after a step of the agent: `picture` of its `sandbox.agent.action` event.
#[utoipa::path(get, path = "/v1/pictures/{picture}", tag = "tasks and handoff", operation_id = "getPicture",
    params(("picture" = String, Path, description = "SHA-256 of its content, in hexadecimal digits")),
    responses((status = 200, content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"))),
        (status = 206, content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"))), Refusals))]
async fn get(State(api): State<Api>, InPath(picture): InPath<String>, request: Request) -> Result<Response, ApiError> {
    let none = || ApiError::new(ErrorCode::NotFound, format!("there is no picture {picture:?}"));
    let blobs = api.service().store().blobs().clone();
    let name = picture.clone();
    let opened = tokio::task::spawn_blocking(move || blobs.open(&name)).await.map_err(ServiceError::internal)?;
    let file = match opened {
        Err(StoreError::NoSuchBlob(_) | StoreError::InvalidDigest(_)) => return Err(none()),
        opened => opened?,
    };
    let mut file = tokio::fs::File::from_std(file);
    // Other contents are kept by their digests as well; they have routes of their own.
    let mut head = [0; 4];
    let is_read = file.read_exact(&mut head).await.is_ok();
    let content_type = match head {
        [0xff, 0xd8, 0xff, _] if is_read => "image/jpeg",
        [0x89, b'P', b'N', b'G'] if is_read => "image/png",
        _ => return Err(none()),
    };
    let size = file.metadata().await.map_err(ServiceError::internal)?.len();
    let file = file.into_std().await;
    let mut response = ranges::file(file, size, "picture", content_type, request.headers(), Disposition::Plain).await?;
    // A name by content never means anything else.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    Ok(response)
}
