//! What can go wrong in the workspace. Paths are shown as the caller wrote them.

use std::io;

use nix::errno::Errno;
use sandbox_core::model::FileKind;

#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error("{path:?} leads outside the workspace")]
    Outside { path: String },
    #[error("{path:?} is not a usable path: {reason}")]
    InvalidPath { path: String, reason: &'static str },
    #[error("there is no {path:?} in the workspace")]
    NotFound { path: String },
    #[error("{path:?} is not a file but {}", described(*kind))]
    NotAFile { path: String, kind: FileKind },
    #[error("{path:?} is not a folder")]
    NotAFolder { path: String },
    #[error("{path:?} exists already and is not a folder")]
    AlreadyExists { path: String },
    #[error("folder {path:?} is not empty; remove it with its content (recursive)")]
    NotEmpty { path: String },
    /// Nothing was written, or nothing was read.
    #[error("{path:?} is larger than the limit of {limit} bytes")]
    TooLarge { path: String, limit: u64 },
    #[error("the range asked for begins beyond the {size} bytes of {path:?}")]
    Range { path: String, size: u64 },
    /// Programs in the sandbox kept changing the names on the way.
    #[error("{path:?} kept changing while it was used; try again")]
    Changing { path: String },
    #[error("write {path:?}: the disk is full; free some space and try again")]
    Full { path: String },
    /// The caller's source of bytes failed; nothing was written.
    #[error("take in the content of {path:?}: {source}")]
    Source {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("{doing} {path:?}: {source}")]
    Io {
        doing: &'static str,
        path: String,
        #[source]
        source: io::Error,
    },
}

impl WorkspaceError {
    pub(super) fn io(doing: &'static str, path: &str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { doing, path, source },
        }
    }

    /// Says what the kernel's answer means for `path`.
    pub(super) fn errno(doing: &'static str, path: &str, errno: Errno) -> Self {
        let path = path.to_owned();
        match errno {
            Errno::ENOENT => Self::NotFound { path },
            Errno::ENOTDIR => Self::NotAFolder { path },
            Errno::EISDIR => Self::NotAFile { path, kind: FileKind::Directory },
            Errno::ENXIO => Self::NotAFile { path, kind: FileKind::Other },
            Errno::EEXIST => Self::AlreadyExists { path },
            Errno::ENOTEMPTY => Self::NotEmpty { path },
            Errno::EXDEV => Self::Outside { path },
            Errno::ENAMETOOLONG => Self::InvalidPath { path, reason: "a name in it is too long" },
            // Numbers of the kernel are not our enum: whatever is not named here stays what it was.
            errno => Self::io(doing, &path, errno.into()),
        }
    }
}

fn described(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "a file",
        FileKind::Directory => "a folder",
        FileKind::Symlink => "a link",
        FileKind::Other => "a pipe, socket or device",
    }
}
