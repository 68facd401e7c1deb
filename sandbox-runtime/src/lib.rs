//! Everything Baton does.
//!
//! ```text
//! api ─> service ─> driver ─> agent | browser ─> sandbox ─> link
//!           ├─> stream, workspace, bundle, store, egress
//!           every one of them ─> core
//! ```

pub mod agent;
pub mod api;
pub mod browser;
pub mod bundle;
pub mod demo;
pub mod driver;
pub mod egress;
pub mod recording;
pub mod sandbox;
pub mod service;
pub mod store;
pub mod stream;
pub mod workspace;

/// What programs log unless `RUST_LOG` asks otherwise: warnings, without those that each WebRTC connection makes.
pub const LOG_FILTER: &str = "warn,rtc_ice=error,rtc_dtls=error,rtc_sctp=error";

/// Returns the time in milliseconds since the Unix epoch: the one place that reads the wall clock.
pub fn now_ms() -> sandbox_core::model::EpochMs {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the clock that pictures are stamped with: the machine's monotonic one in microseconds, the same in every room.
pub(crate) fn monotonic_us() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("the machine has a monotonic clock");
    u64::try_from(std::time::Duration::from(now).as_micros()).unwrap_or(u64::MAX)
}

/// Waits until a time, or for ever where there is none.
pub(crate) async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Returns a new unique part for an id, sorted by time of making (UUID version 7).
pub fn unique() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Chooses the cryptography of every connection; to be called before an HTTP client is built.
pub fn choose_cryptography() {
    // The first to ask for one chooses it; whichever it is, it does.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
