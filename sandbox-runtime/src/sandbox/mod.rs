//! Rooms: isolated processes with the workspace mounted. A backend starts the guest in a room and gives back one byte
//! stream; everything else is said over that stream.

pub mod calls;
mod check;
pub mod checks;
pub mod docker;
mod exceeded;
mod home;
mod layer_checks;
pub mod limits;
pub mod local;
mod room;
mod words;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use sandbox_core::SandboxId;
use sandbox_core::layout::{PROFILE_DIR, WORKSPACE_DIR};
use sandbox_core::model::{Limits, LimitsInForce, PausedBy};
use sandbox_link::protocol::RoomSettings;
use sandbox_link::{Incoming, Link};

pub use exceeded::{Exceeded, tell_exceeded};
pub use limits::LimitError;
pub use room::file_owner;

/// One engine that can start rooms.
pub trait Backend: Send + Sync {
    /// Starts the guest in a new room, and returns once the link stands; whether the room is usable comes over the link
    /// as [`sandbox_link::protocol::GuestOpen::Ready`].
    fn start(&self, spec: RoomSpec) -> BoxFuture<'_, Result<Room, BackendError>>;

    /// Looks whether rooms can be started now. Answers at once.
    ///
    /// # Errors
    /// What is missing, and what mends it.
    fn is_there(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async { Ok(()) })
    }

    /// Decides what a sandbox is held to, from what was asked for by name.
    ///
    /// # Errors
    /// The first limit that was asked for and cannot be held here.
    fn limits(&self, asked: &Limits) -> Result<LimitsInForce, LimitError>;

    /// How often a sandbox that runs has exceeded each of its limits.
    fn exceeded(&self, sandbox: &SandboxId) -> Exceeded;

    /// Freezes every process of a sandbox that runs, and says how. Blocks.
    fn freeze(&self, sandbox: &SandboxId) -> std::io::Result<PausedBy>;

    /// Lets the processes of a frozen sandbox go on. Blocks.
    fn thaw(&self, sandbox: &SandboxId) -> std::io::Result<()>;
}

/// What a room is made of.
#[derive(Clone, Debug)]
pub struct RoomSpec {
    pub sandbox: SandboxId,
    pub settings: RoomSettings,
    /// What the sandbox is held to, all its rooms together.
    pub limits: LimitsInForce,
    /// Host folder seen as `/workspace`, writable.
    pub workspace: PathBuf,
    /// Host folder seen as the browser's profile at [`PROFILE_DIR`]; only the desktop room has one.
    pub profile: Option<PathBuf>,
}

/// A running room. Dropping it kills every process in it.
pub struct Room {
    pub link: Link,
    pub incoming: Incoming,
    /// Keeps the room's processes; dropped last.
    pub processes: Box<dyn RoomProcesses>,
}

/// The processes of a room, seen from the host.
pub trait RoomProcesses: Send + Sync {
    /// Kills every process of the room and waits until none is left.
    fn kill(&mut self) -> BoxFuture<'_, ()>;
}

#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A layer of the isolation cannot be set up; nothing was started.
    #[error("{layer}: {cause}; {fix}")]
    Refused { layer: &'static str, cause: String, fix: String },
    #[error("start a room: {0}")]
    Io(#[from] std::io::Error),
}
