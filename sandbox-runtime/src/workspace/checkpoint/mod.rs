//! A workspace and a browser's profile as they are at one moment, kept by content, and put back.
//!
//! ```text
//! folders ─> take ─> contents in the blobs, and a list of files: the manifest, itself a content
//!                                      manifest ─> build ─> a folder beside ─> swap ─> the folders
//! ```
//!
//! Files are cut into chunks of 1 MiB, each kept once under its hash: what did not change costs nothing, and of a large
//! file that grows or changes in place only the chunks that differ. A file whose inode, size and times are those of the
//! checkpoint before is not read again. Bytes that a program writes through a memory map count when the kernel has noted
//! the write.
//!
//! Owns the form of the manifest. Leaves to others: which folders of a profile matter, and what the state beside the files
//! means.

mod build;
mod diff;
mod manifest;
mod selection;
mod swap;
mod take;
#[cfg(test)]
mod tests;
mod walk;

use crate::store::StoreError;
use crate::workspace::WorkspaceError;

pub use diff::{differences, file_at};
pub use manifest::{Entry, Kind, Manifest, Part};
pub use selection::Selection;
pub use swap::{Finished, Staged, Target, finish_all};
pub use take::{Source, Taken, take};

/// Bytes that are kept as one content.
pub const CHUNK: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error("read the list of files of the checkpoint: {0}")]
    Manifest(String),
    #[error("{doing} {path}: {source}")]
    Io {
        doing: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the checkpoint has no file {0}")]
    NoSuchFile(String),
    #[error("it was given up: whoever asked for it has gone")]
    Stopped,
}

impl CheckpointError {
    fn io(doing: &'static str, path: impl AsRef<std::path::Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_string_lossy().into_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Store(StoreError::Full) | Self::Workspace(WorkspaceError::Full { .. }) => true,
            Self::Io { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            Self::Store(_) | Self::Workspace(_) | Self::Manifest(_) | Self::NoSuchFile(_) | Self::Stopped => false,
        }
    }
}
