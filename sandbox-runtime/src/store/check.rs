//! Looks for damage: a glance before anything listens, the whole file in the background.
//!
//! The glance opens every table at both ends. What makes it doubt (a file shorter than it says, a damage that the whole
//! check found in an earlier run) is answered by the whole check at once, before the file is used.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::thread::{self, JoinHandle};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle, OpenFlags};

use super::connection::{Way, connect};
use super::migrate::with_suffix;
use super::trouble::Findings;
use super::{StoreError, table};

/// SQLite's header: "Database File Format", 1.3.
const HEADER: usize = 100;
/// Beside the database: what the whole check found, for the next start to look at first.
const SUSPECT: &str = ".suspect";

/// What a look at the file found.
pub(super) struct Glance {
    /// What is wrong with its content, if anything is.
    pub damage: Option<String>,
    /// The number of the newest event; 0 where there is none.
    pub newest_event: i64,
}

/// Looks at the file as it is, and leaves it and its log as they are.
///
/// # Errors
///
/// Trouble that is not the content's: a lock, a missing right, a full or failing disk. The file is then not to be moved.
pub(super) fn glance(path: &Path, way: Way) -> Result<Glance, StoreError> {
    // SQLite takes a file that is shorter than its header for an empty one, and would write over what is left of it.
    let mut header = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(HEADER as u64).read_to_end(&mut header));
    read.map_err(StoreError::io("read", path))?;
    if !header.is_empty() && header.len() < HEADER {
        return Ok(Glance::damaged(format!("the file ends after {} bytes", header.len())));
    }
    let looked = look(path, way);
    let doubts = is_cut(path, &header)? || with_suffix(path, SUSPECT).exists();
    if let (Ok(newest_event), false) = (&looked, doubts) {
        return Ok(Glance { damage: None, newest_event: *newest_event });
    }
    let found = whole(path, way);
    if matches!(found, Ok(None)) {
        forget_suspicion(path);
    }
    match (found, looked) {
        (Ok(Some(cause)), _) => Ok(Glance::damaged(cause)),
        (Ok(None), Ok(newest_event)) => Ok(Glance { damage: None, newest_event }),
        (Ok(None), Err(StoreError::Damaged(error))) | (Err(StoreError::Damaged(error)), _) => {
            Ok(Glance::damaged(error.to_string()))
        }
        (Ok(None), Err(other)) | (Err(other), _) => Err(other),
    }
}

impl Glance {
    fn damaged(cause: String) -> Self {
        Self { damage: Some(cause), newest_event: 0 }
    }
}

/// The damaged file is gone from here: the finding does not hold for the next one.
pub(super) fn forget_suspicion(path: &Path) {
    // What is not there is forgotten.
    let _ = fs::remove_file(with_suffix(path, SUSPECT));
}

/// Checks the whole file while everything else goes on; a finding is told, and looked at first by the next start.
///
/// Interrupting it ends it early.
///
/// # Errors
///
/// The file cannot be opened once more, or the system gives no thread.
pub(super) fn in_background(
    path: &Path,
    way: Way,
    findings: Findings,
) -> Result<(JoinHandle<()>, InterruptHandle), StoreError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, way)?;
    let interrupt = db.get_interrupt_handle();
    let path = path.to_owned();
    let name = path.clone();
    let check = move || match quick_check(&db) {
        Ok(None) => {}
        Ok(Some(cause)) => report(&path, &findings, cause),
        Err(StoreError::Damaged(error)) => report(&path, &findings, error.to_string()),
        // Interrupted by the end of the runtime, or the disk: nothing was found out.
        Err(error) => tracing::debug!(%error, "the history was not checked to its end"),
    };
    let thread = thread::Builder::new().name("history-check".to_owned()).spawn(check);
    Ok((thread.map_err(StoreError::io("start the check of", name))?, interrupt))
}

fn report(path: &Path, findings: &Findings, cause: String) {
    if let Err(error) = fs::write(with_suffix(path, SUSPECT), &cause) {
        tracing::warn!(%error, "the next start will not know of the damage");
    }
    findings.damaged(cause);
}

fn look(path: &Path, way: Way) -> Result<i64, StoreError> {
    let db = untouched(path, way)?;
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE '%VIRTUAL%'";
    let names = db.prepare(sql)?.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for name in &names {
        for order in ["ASC", "DESC"] {
            let sql = format!("SELECT * FROM \"{name}\" ORDER BY rowid {order} LIMIT 1");
            // A table without rowids is none of ours: migrate says whose it is.
            let Ok(mut statement) = db.prepare(&sql) else { continue };
            statement.query([])?.next()?;
        }
    }
    match table::events::last_number(&db) {
        // A new file, or one that is none of ours.
        Err(StoreError::Sql(_)) => Ok(0),
        number => number,
    }
}

fn whole(path: &Path, way: Way) -> Result<Option<String>, StoreError> {
    quick_check(&untouched(path, way)?)
}

/// A damaged file is kept as it was found, with its log.
fn untouched(path: &Path, way: Way) -> Result<Connection, StoreError> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, way)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(db)
}

fn quick_check(db: &Connection) -> Result<Option<String>, StoreError> {
    let finding: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((finding != "ok").then_some(finding))
}

/// Whether the file is shorter than its header says. With a log that may be as it should be.
fn is_cut(path: &Path, header: &[u8]) -> Result<bool, StoreError> {
    let Some(header) = header.first_chunk::<HEADER>() else { return Ok(false) };
    let page_size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    let len = fs::metadata(path).map_err(StoreError::io("look at", path))?.len();
    Ok(len < pages * page_size)
}
