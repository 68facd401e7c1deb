//! Connections to the database file, with one set of settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// How long a connection waits for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 64;

/// How connections of this run share what the log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// By a file next to the database, which other programs share too.
    #[default]
    Shared,
    /// By the memory of this process: on a full disk there is no room for that file.
    Alone,
}

/// Opens one more connection, which only reads.
pub(super) fn reader(path: &Path, way: Way) -> Result<Connection, StoreError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, way)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

pub(super) fn connect(path: &Path, access: OpenFlags, way: Way) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match way {
        Way::Shared => Connection::open_with_flags(path, flags)?,
        Way::Alone => Connection::open_with_flags_and_vfs(path, flags, c"unix-excl")?,
    };
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}
