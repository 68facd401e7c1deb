//! Waiting for something to become true, with a limit that is only there for the day it never does.

use std::time::{Duration, Instant};

/// Long enough for a busy machine with two cores.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Asks `look` until it answers `Some`, and returns that.
///
/// # Panics
///
/// When it never does; `what` says what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl FnMut() -> F) -> T {
    eventually_within(LIMIT, what, look).await
}

pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
