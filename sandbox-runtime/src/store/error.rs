//! What can go wrong with the history, named for what a caller does about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use sandbox_core::EventId;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing of the change was kept. Reading still works, and so does a later change once there is room.
    #[error("keep history: the disk is full; free some space and try again")]
    Full,
    /// Another program holds the file's lock; nothing of the change was kept.
    #[error("keep history: another program holds the database; close it and try again")]
    Busy,
    /// Found while running; at the next start the file is set aside, see [`super::Opened`].
    #[error("use history: the database is damaged: {0}")]
    Damaged(#[source] rusqlite::Error),
    #[error(
        "open history: {} was written by a newer Baton (format {found}, this one knows up to {known}); \
         install the newer version again, or choose another data directory with BATON_HOME", path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("open history: {} is a database of another program; move it away", path.display())]
    NotOurs { path: PathBuf },
    #[error("this cursor is not one that this list gave out; begin again without it")]
    InvalidCursor,
    #[error("no event {0} is in the history")]
    NoSuchEvent(EventId),
    #[error("a blob is named by 64 lower-case hexadecimal digits, not {0:?}")]
    InvalidDigest(String),
    #[error("no blob {0} is kept")]
    NoSuchBlob(String),
    #[error("read the content {0}: its file was changed on the disk, so it is not given out")]
    ContentChanged(String),
    /// A stored record does not have the shape that this version reads.
    #[error("read a stored {what}: {source}")]
    Document {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("{doing} {}: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("use history: {0}")]
    Sql(#[source] rusqlite::Error),
    #[error("the history is closed")]
    Closed,
}

impl StoreError {
    /// Names the file that an operation failed on; a full disk keeps its own variant.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| if is_full(&source) { Self::Full } else { Self::Io { doing, path, source } }
    }

    pub(super) fn document(what: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Document { what, source }
    }

    /// Whether the same change may succeed later.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Full | Self::Busy => true,
            Self::Damaged(_)
            | Self::Newer { .. }
            | Self::NotOurs { .. }
            | Self::InvalidCursor
            | Self::NoSuchEvent(_)
            | Self::InvalidDigest(_)
            | Self::NoSuchBlob(_)
            | Self::ContentChanged(_)
            | Self::Document { .. }
            | Self::Io { .. }
            | Self::Sql(_)
            | Self::Closed => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let extended_code = error.sqlite_error().map(|error| error.extended_code);
        // The memory that readers and writer share is a file too, and growing it takes room.
        if extended_code == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        // Codes of SQLite are not our enum: whatever is not named here stays what it was.
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Sql(error),
        }
    }
}

/// Whether an error of the file system means that there is no room: the disk, or a quota.
fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}
