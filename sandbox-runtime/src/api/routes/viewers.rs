//! The live view: links for people, and the two ways of the picture.

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sandbox_core::SandboxId;
use sandbox_core::model::EpochMs;
use sandbox_core::viewer::ViewerMode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{Body, InPath, Query};
use crate::api::tokens::Access;
use crate::api::{Api, extract, guard, ttl};
use crate::service::{ErrorCode, ServiceError};
use crate::stream::{self, WhepError};

const SDP: &str = "application/sdp";
const DEFAULT_TTL_MS: i64 = 5 * 60_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(viewer_url))
        .routes(routes!(socket))
        .routes(routes!(open_whep))
        .routes(routes!(close_whep))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LinkRequest {
    mode: ViewerMode,
    /// How long the link can be opened, in milliseconds: 1,000 to 86,400,000. Default 300,000.
    #[serde(default)]
    ttl_ms: Option<i64>,
    /// `true` is refused: links work on this machine only.
    #[serde(default)]
    shareable: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ViewerLink {
    url: String,
    expires_at: EpochMs,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ViewQuery {
    /// `watch` or `control`. Default: `control`, if the token allows it.
    mode: Option<ViewerMode>,
}

impl ViewQuery {
    /// Returns what this view may do: what was asked for, within what the token allows.
    pub fn mode_within(&self, access: &Access) -> ViewerMode {
        match (access, self.mode) {
            (Access::Viewer { mode: ViewerMode::Watch, .. }, _) | (_, Some(ViewerMode::Watch)) => ViewerMode::Watch,
            (Access::Full | Access::Viewer { mode: ViewerMode::Control, .. }, Some(ViewerMode::Control) | None) => {
                ViewerMode::Control
            }
        }
    }
}

/// Creates an address of the live view that any browser on this machine can open once.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/preview/viewer-url", tag = "browser and live view",
    operation_id = "createViewerUrl", params(("id" = String, Path)), request_body = LinkRequest,
    responses((status = 200, body = ViewerLink), Refusals))]
async fn viewer_url(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<LinkRequest>,
) -> Result<Json<ViewerLink>, ApiError> {
    if request.shareable {
        let refusal = ServiceError::invalid("`shareable`: this version has no links that work from other machines");
        return Err(refusal
            .with_hint("leave shareable out: the link then works in any browser on this machine")
            .into());
    }
    let expires_at = ttl::expires_at(request.ttl_ms, DEFAULT_TTL_MS, crate::now_ms())?;
    let url = api.viewer_link(&id, request.mode, expires_at).await?;
    Ok(Json(ViewerLink { url, expires_at }))
}

/// Opens the live view over a WebSocket: pictures as binary messages, everything else as text. A text message is a
/// `FromViewer` or a `ToViewer` of this document, as JSON.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/stream", tag = "browser and live view", operation_id = "streamView",
    params(("id" = String, Path), ViewQuery), responses((status = 101, description = "WebSocket"), Refusals))]
async fn socket(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<ViewQuery>,
    Extension(access): Extension<Access>,
    request: Request,
) -> Result<Response, ApiError> {
    let mode = query.mode_within(&access);
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| ApiError::invalid(rejection.body_text()))?;
    let upgrade = upgrade.protocols([guard::SUBPROTOCOL]).max_message_size(stream::MAX_MESSAGE);
    let (seat, desktop) = api.service().join(&id, mode).await?;
    Ok(upgrade.on_upgrade(async move |socket| {
        let _left = api.closing().run_until_cancelled(stream::serve(socket, seat, desktop)).await;
    }))
}

/// Opens a WebRTC view: takes an SDP offer and returns an SDP answer. `DELETE` the `Location` to leave.
///
/// The answer has an H.264 track with the whole screen. A viewer may open data channels. `input` carries the words of the
/// WebSocket stream, each a text message. `pictures`, opened before it, ordered and reliable, carries the binary messages of
/// that stream in pieces, and the track then rests: each piece is a little-endian `u32`, how many bytes of the message come
/// after it, and then its part of the message. Close `pictures` to get the track again. A word of more than 60 KiB, such as
/// a long text of the clipboard, comes on `input` in such pieces too, each a binary message, and may be sent so.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/whep", tag = "browser and live view", operation_id = "openWhep",
    params(("id" = String, Path), ViewQuery), request_body(content = String, content_type = "application/sdp"),
    responses((status = 201, body = String, content_type = "application/sdp",
        headers(("Location" = String, description = "the session"))), Refusals))]
async fn open_whep(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<ViewQuery>,
    Extension(access): Extension<Access>,
    request: Request,
) -> Result<Response, ApiError> {
    match extract::media_type(request.headers()).as_deref() {
        Some(SDP) => {}
        said => return Err(extract::wrong_media_type(SDP, said.unwrap_or("none"))),
    }
    let mode = query.mode_within(&access);
    let offer = extract::bytes(request, &api).await?;
    let offer = String::from_utf8(offer.to_vec()).map_err(|_| ApiError::invalid("the offer is not text"))?;
    let (seat, desktop) = api.service().join(&id, mode).await?;
    // Boxed: answering an offer keeps much, and every other request would carry the room for it.
    let (session, answer) = Box::pin(api.whep().open(offer, seat, desktop)).await?;
    let location = format!("/v1/sandboxes/{id}/whep/{session}");
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, SDP), (header::LOCATION, &location)], answer).into_response())
}

/// Ends a WebRTC view.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/whep/{session}", tag = "browser and live view",
    operation_id = "closeWhep", params(("id" = String, Path), ("session" = String, Path)),
    responses((status = 200, description = "it has ended"), Refusals))]
async fn close_whep(
    State(api): State<Api>,
    InPath((_id, session)): InPath<(SandboxId, String)>,
) -> Result<StatusCode, ApiError> {
    match api.whep().close(&session) {
        true => Ok(StatusCode::OK),
        false => Err(ServiceError::not_found("view", session).into()),
    }
}

impl From<WhepError> for ApiError {
    fn from(error: WhepError) -> Self {
        let code = match &error {
            WhepError::BadOffer(_) | WhepError::NoH264 => ErrorCode::Invalid,
            WhepError::TooMany => ErrorCode::Overloaded,
            WhepError::NoCandidates => ErrorCode::Unavailable,
            WhepError::Random(_) | WhepError::Peer(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}
