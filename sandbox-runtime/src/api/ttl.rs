//! `ttlMs`: how long an address that was given out works.

use std::ops::RangeInclusive;

use sandbox_core::model::EpochMs;

use super::error::ApiError;

/// From a second to a day.
const TTL_MS: RangeInclusive<i64> = 1_000..=24 * 60 * 60 * 1000;

/// Returns when an address that is made `now` ends.
///
/// # Errors
///
/// `invalid` for a time that is too short or too long.
pub fn expires_at(asked_ms: Option<i64>, default_ms: i64, now: EpochMs) -> Result<EpochMs, ApiError> {
    let ttl_ms = asked_ms.unwrap_or(default_ms);
    if !TTL_MS.contains(&ttl_ms) {
        return Err(ApiError::invalid(format!("ttlMs is to be {} to {}, not {ttl_ms}", TTL_MS.start(), TTL_MS.end())));
    }
    Ok(now + ttl_ms)
}
