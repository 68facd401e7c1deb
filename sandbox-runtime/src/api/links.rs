//! Addresses that need no token: for a time, to one thing.

use sandbox_core::model::EpochMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use super::tokens::LinkTo;
use super::{Api, guard, ttl};
use crate::service::ErrorCode;

const DEFAULT_LINK_MS: i64 = 15 * 60_000;

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UrlQuery {
    /// How long the address works, in milliseconds: 1,000 to 86,400,000. Default 900,000.
    ttl_ms: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQuery {
    /// The ticket from `url`, instead of the token.
    ticket: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    url: String,
    expires_at: EpochMs,
}

/// Makes an address of the content at `path`, which begins with `/v1`.
pub fn link(api: &Api, query: &UrlQuery, to: LinkTo, path: &str) -> Result<Link, ApiError> {
    let now = crate::now_ms();
    let expires_at = ttl::expires_at(query.ttl_ms, DEFAULT_LINK_MS, now)?;
    let base = api.served_base()?;
    let ticket = api.tokens().link(to, expires_at, now);
    Ok(Link { url: format!("{base}{path}?ticket={ticket}"), expires_at })
}

/// Lets in who has the token, or a ticket that leads there.
///
/// # Errors
///
/// `unauthorized`.
pub async fn admit(api: &Api, query: &TicketQuery, there: &LinkTo, claim: guard::Claim) -> Result<(), ApiError> {
    match &query.ticket {
        None => guard::admit(api, claim).await.map(|_| ()),
        Some(ticket) if api.tokens().opens(ticket, there, crate::now_ms()) => Ok(()),
        Some(_) => {
            api.throttle().failed().await?;
            Err(ApiError::new(ErrorCode::Unauthorized, "this address does not work, or no longer"))
        }
    }
}
