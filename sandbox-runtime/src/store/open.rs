//! Opens the database file for writing: looks at it, sets a damaged one aside, migrates it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::check::{forget_suspicion, glance};
use super::connection::{Way, connect};
use super::mark::Mark;
use super::migrate::{Migration, migrate, with_suffix};
use super::{StoreError, Trouble};

/// The write-ahead log is cut back to this after it has grown.
const LOG_KEPT_BYTES: i64 = 32 * 1024 * 1024;
/// What was met when the history was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The file was damaged and is kept under another name; the history begins anew.
    pub set_aside: Option<SetAside>,
    /// Events that were kept once are not in the history any more.
    pub lost: Option<Lost>,
    /// Copies that were kept before the format changed.
    pub copies: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub kept_at: PathBuf,
    /// What the check said.
    pub cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub events: u64,
    /// A copy of the log as it was found.
    pub log_kept_at: Option<PathBuf>,
}

impl Opened {
    /// Returns what to tell a person.
    pub fn troubles(&self) -> Vec<Trouble> {
        let aside = self.set_aside.clone().map(|SetAside { kept_at, cause }| Trouble::SetAside { kept_at, cause });
        let lost = self.lost.clone().map(|Lost { events, log_kept_at }| Trouble::EventsLost { events, log_kept_at });
        aside.into_iter().chain(lost).collect()
    }
}

/// Opens the file for writing, making it if there is none.
pub(super) fn writer(
    path: &Path,
    migrations: &[Migration],
    mark: &Mark,
    way: Way,
) -> Result<(Connection, Opened), StoreError> {
    make_private(path)?;
    let mut opened = Opened::default();
    let found = glance(path, way)?;
    if let Some(cause) = found.damage {
        let kept_at = set_aside(path)?;
        forget_suspicion(path);
        mark.set(0);
        tracing::error!(kept_at = %kept_at.display(), cause, "the history was damaged and is set aside");
        opened.set_aside = Some(SetAside { kept_at, cause });
        make_private(path)?;
    } else {
        opened.lost = lost(path, found.newest_event, mark);
    }
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, way)?;
    // A file that we may not touch must not even change its journal mode: migrate refuses it first.
    opened.copies = migrate(&mut db, path, migrations)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the history cannot use a write-ahead log here; readers will wait for the writer");
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    // What is forgotten must not stay in pages that were freed before.
    let _: i64 = db.pragma_update_and_check(None, "secure_delete", true, |row| row.get(0))?;
    db.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    // What is in the file need not fit into the room that is left when the disk is full.
    use_log_again(&db);
    if opened.lost.is_some() {
        // Told once; what comes now is counted from here.
        mark.set(found.newest_event);
    }
    Ok((db, opened))
}

/// Carries what the log holds into the file, so that the next change is written over it: that takes less room than to add.
pub(super) fn use_log_again(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the log of the history grows");
    }
}

/// Makes the folder and the file if they are not there, for the owner only; SQLite gives its log the file's mode.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(StoreError::io("create folder", folder))?;
    }
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map_err(StoreError::io("open", path))?;
    Ok(())
}

/// Returns what the mark knows of and the history does not have; the log is copied as it is, before anything writes to it.
fn lost(path: &Path, newest_event: i64, mark: &Mark) -> Option<Lost> {
    let events = u64::try_from(mark.last()?.checked_sub(newest_event)?).ok().filter(|events| *events > 0)?;
    let log = with_suffix(path, "-wal");
    let copy = with_suffix(path, &format!("-wal.damaged-{}", crate::unique()));
    let copied = fs::copy(&log, &copy);
    let log_kept_at = match copied {
        Ok(0) => {
            // An empty copy tells nothing.
            let _ = fs::remove_file(&copy);
            None
        }
        Ok(_) => Some(copy),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "the damaged log could not be copied");
            None
        }
    };
    tracing::error!(events, ?log_kept_at, "the newest events of the history are missing");
    Some(Lost { events, log_kept_at })
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
