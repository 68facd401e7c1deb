//! Files beneath one folder, opened by descriptor; never outside it.
//!
//! Code in the sandbox may change the folder while we work in it, so no name is trusted twice: every way down goes
//! through the kernel's own fence (`openat2` with `RESOLVE_BENEATH`), and what was opened is looked at through its
//! descriptor. Links are followed as a program in the room sees them (`/workspace/x` is `x`); one that leads outside is
//! an error. Content is read from and written to regular files only; pipes, sockets and devices are never opened.
//!
//! Owns the bytes and names of the workspace, and the making of artifacts from them.
//! Leaves to others: quotas, and who may ask. All calls block.
//!
//! Files belong to the user who runs the runtime, which is the room's user too (it is mapped to it).

mod arrive;
pub mod artifacts;
mod beneath;
pub mod checkpoint;
mod content_type;
mod error;
mod hand_out;
mod list;
mod path;
mod read;
mod remove;
mod search;
#[cfg(test)]
mod tests;
mod trash;
mod usage;
mod watch;
mod write;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc;
use sandbox_core::model::EpochMs;

pub use arrive::plain_name;
pub use content_type::{HEAD as CONTENT_TYPE_HEAD, content_type};
pub use error::WorkspaceError;
pub use hand_out::HandedOut;
pub use list::{Listing, MAX_ENTRIES};
pub use read::MAX_READ;
pub use search::{FileMatch, Found, MATCHES_MAX, Query};
pub use trash::{Trash, Trashed};
pub use usage::DiskUsage;
pub use watch::{Changed, Watch};

/// One sandbox's folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: Arc<OwnedFd>,
    path: Arc<Path>,
}

/// The content of a file, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    pub bytes: Vec<u8>,
    /// Of the whole file, in bytes.
    pub size: u64,
    pub modified_at: EpochMs,
}

impl Workspace {
    /// Opens the folder at `path` on the host, making it if there is none.
    pub fn create(path: &Path) -> Result<Self, WorkspaceError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
        made.map_err(|source| WorkspaceError::io("create", &path.to_string_lossy(), source))?;
        let mut options = File::options();
        options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW);
        let root = options.open(path).map_err(|source| WorkspaceError::io("open", &path.to_string_lossy(), source))?;
        Ok(Self { root: Arc::new(root.into()), path: PathBuf::from(path).into() })
    }

    /// Returns where the folder is on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
