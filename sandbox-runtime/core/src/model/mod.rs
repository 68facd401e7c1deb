//! The words of the contract: what crosses HTTP. What is stored in events is in [`crate::event`]. camelCase on the wire, times in ms since the epoch.

mod actor;
mod approval;
mod artifact;
mod checkpoint;
mod credential;
mod destination;
mod exec;
mod handoff;
mod models;
mod page;
mod password_manager;
mod preview;
mod sandbox;
mod task;
mod webhook;

pub use actor::*;
pub use approval::*;
pub use artifact::*;
pub use checkpoint::*;
pub use credential::*;
pub use destination::*;
pub use exec::*;
pub use handoff::*;
pub use models::*;
pub use page::*;
pub use password_manager::*;
pub use preview::*;
pub use sandbox::*;
pub use task::*;
pub use webhook::*;

/// Milliseconds since the Unix epoch.
pub type EpochMs = i64;

/// Derives what every type of the contract derives.
macro_rules! wire {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        $item
    )*};
}
pub(crate) use wire;
