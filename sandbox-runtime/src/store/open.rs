//! Opens the database file: checks it, sets a damaged one aside, migrates it, and gives connections with one set of
//! settings.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::migrate::{Migration, migrate, with_suffix};

/// How long a connection waits for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this after it has grown.
const LOG_KEPT_BYTES: i64 = 32 * 1024 * 1024;
/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 64;

/// What was met when the history was opened. A caller shows it: history that is gone from sight is no small thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The file was damaged and is kept under another name; the history begins anew.
    pub set_aside: Option<SetAside>,
    /// Copies that were kept before the format changed.
    pub copies: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub kept_at: PathBuf,
    /// What the check said.
    pub cause: String,
}

/// Opens the file for writing, making it if there is none.
pub(super) fn writer(path: &Path, migrations: &[Migration]) -> Result<(Connection, Opened), StoreError> {
    make_private(path)?;
    let mut opened = Opened::default();
    if let Some(cause) = damage(path)? {
        let kept_at = set_aside(path)?;
        tracing::error!(kept_at = %kept_at.display(), cause, "the history was damaged and is set aside");
        opened.set_aside = Some(SetAside { kept_at, cause });
        make_private(path)?;
    }
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // A file that we may not touch must not even change its journal mode: migrate refuses it first.
    opened.copies = migrate(&mut db, path, migrations)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the history cannot use a write-ahead log here; readers will wait for the writer");
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    Ok((db, opened))
}

/// Opens one more connection, which only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// Makes the folder and the file if they are not there, for the owner only; SQLite gives its log the file's mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(StoreError::io("create folder", folder))?;
    }
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map_err(StoreError::io("open", path))?;
    Ok(())
}

/// Returns what is wrong with the file's content, if anything is.
///
/// # Errors
///
/// Trouble that is not the content's: a lock, a missing right, a failing disk. The file is then not to be moved.
fn damage(path: &Path) -> Result<Option<String>, StoreError> {
    // SQLite takes a file that is shorter than its header for an empty one, and would write over what is left of it.
    let mut header = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header));
    read.map_err(StoreError::io("read", path))?;
    if !header.is_empty() && header.len() < 100 {
        return Ok(Some(format!("the file ends after {} bytes", header.len())));
    }
    match check(path) {
        Ok(finding) if finding == "ok" => Ok(None),
        Ok(finding) => Ok(Some(finding)),
        Err(StoreError::Damaged(error)) => Ok(Some(error.to_string())),
        Err(other) => Err(other),
    }
}

fn check(path: &Path) -> Result<String, StoreError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What is found damaged is kept as it was found, its log beside it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?)
}

/// Renames the file and its log, so that nothing of them is lost and nothing of them is read again.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let kept_at = with_suffix(path, &format!(".damaged-{}", crate::unique()));
    // The log first: a crash in between must not leave an old log beside a new file.
    for part in ["-wal", "-shm", "-journal", ""] {
        let from = with_suffix(path, part);
        match fs::rename(&from, with_suffix(&kept_at, part)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("set aside", from)(error)),
        }
    }
    Ok(kept_at)
}
