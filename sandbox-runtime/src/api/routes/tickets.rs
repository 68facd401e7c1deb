//! Tickets: the one thing that pages bring in their address, and give for a token.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sandbox_core::SandboxId;
use sandbox_core::model::EpochMs;
use sandbox_core::viewer::ViewerMode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, Refusals};
use crate::api::extract::Body;
use crate::api::tokens::Access;
use crate::service::ErrorCode;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(make))
}

/// A ticket is all that these want.
pub fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(redeem))
}

/// An address that opens the interface once.
#[derive(Serialize, ToSchema)]
struct InterfaceLink {
    url: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ticket {
    ticket: String,
}

/// A token for the purpose of the ticket.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Redeemed {
    token: String,
    purpose: Purpose,
    /// The sandbox that a viewer's token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_id: Option<SandboxId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<ViewerMode>,
    /// Absent if the token works until the runtime ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<EpochMs>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Purpose {
    Interface,
    Viewer,
}

/// Creates an address that opens the interface in a browser, once.
#[utoipa::path(post, path = "/v1/tickets", tag = "machine", operation_id = "createInterfaceTicket",
    responses((status = 201, body = InterfaceLink), Refusals))]
async fn make(State(api): State<Api>) -> Result<(StatusCode, Json<InterfaceLink>), ApiError> {
    let url =
        api.interface_url().ok_or_else(|| ApiError::new(ErrorCode::Unavailable, "this runtime does not listen"))?;
    Ok((StatusCode::CREATED, Json(InterfaceLink { url })))
}

/// Exchanges a ticket for a token. A ticket works once.
#[utoipa::path(post, path = "/v1/tickets/redeem", tag = "machine", operation_id = "redeemTicket",
    request_body = Ticket, responses((status = 200, body = Redeemed), Refusals))]
async fn redeem(State(api): State<Api>, Body(ticket): Body<Ticket>) -> Result<Json<Redeemed>, ApiError> {
    let Some(session) = api.tokens().redeem(&ticket.ticket, crate::now_ms()) else {
        api.throttle().failed().await?;
        return Err(ApiError::new(
            ErrorCode::Unauthorized,
            "this ticket was used already, is too old, or never was one",
        ));
    };
    let (purpose, sandbox_id, mode) = match session.access {
        Access::Full => (Purpose::Interface, None, None),
        Access::Viewer { sandbox_id, mode } => (Purpose::Viewer, Some(sandbox_id), Some(mode)),
    };
    Ok(Json(Redeemed { token: session.token, purpose, sandbox_id, mode, expires_at: session.expires_at }))
}
