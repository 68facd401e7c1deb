//! Brings a database to the format that this version writes. Forward only, each migration in its own transaction, a
//! copy of the file kept before each one that changes history somebody has.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, table};

/// What leads to a format from the one before; the first leads from nothing to format 1.
pub(super) type Migration = &'static [&'static str];

pub(super) const MIGRATIONS: &[Migration] = &[
    FIRST,
    APPROVALS,
    CONVERSATION,
    MODELS,
    WEBHOOKS,
    CHAIN,
    CHECKPOINTS,
    CREDENTIALS,
    PASSWORD_MANAGERS,
    DESTINATIONS,
];

const CHAIN: Migration = &[table::events::CHAIN];

const APPROVALS: Migration = &[table::approvals::V1, table::grants::V1, table::rules::V1];

const CONVERSATION: Migration = &[table::conversation::V1];

const MODELS: Migration = &[table::models::V1];

const WEBHOOKS: Migration = &[table::webhooks::V1, table::deliveries::V1];

const CREDENTIALS: Migration = &[table::credentials::V1];

const DESTINATIONS: Migration = &[table::destinations::V1];

const PASSWORD_MANAGERS: Migration = &[table::password_managers::V1];

const CHECKPOINTS: Migration = &[table::checkpoints::V1];

const FIRST: Migration = &[
    table::sandboxes::V1,
    table::tasks::V1,
    table::handoffs::V1,
    table::artifacts::V1,
    table::events::V1,
    table::search::V1,
    table::idempotency::V1,
];

/// Migrates the database at `path` and returns the copies that were kept on the way.
///
/// # Errors
///
/// [`StoreError::Newer`] and [`StoreError::NotOurs`] leave the file as it was.
pub(super) fn migrate(db: &mut Connection, path: &Path, migrations: &[Migration]) -> Result<Vec<PathBuf>, StoreError> {
    let known = migrations.len() as i64;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let has_tables: bool = db.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if found < 0 || (found == 0 && has_tables) {
        return Err(StoreError::NotOurs { path: path.to_owned() });
    }
    let mut copies = Vec::new();
    for format in found..known {
        if format > 0 {
            copies.push(keep_copy(db, path, format)?);
        }
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for sql in migrations[format as usize] {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "user_version", format + 1)?;
        transaction.commit()?;
    }
    Ok(copies)
}

/// Copies the database as it is now to `history.db.format-N` beside it, complete or not at all.
fn keep_copy(db: &Connection, path: &Path, format: i64) -> Result<PathBuf, StoreError> {
    let copy = with_suffix(path, &format!(".format-{format}"));
    let part = with_suffix(path, &format!(".format-{format}.part"));
    // SQLite writes into an empty file, so the mode is ours from the beginning.
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    opened.map_err(StoreError::io("create", &part))?;
    db.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", &part))?;
    fs::rename(&part, &copy).map_err(StoreError::io("rename", &part))?;
    Ok(copy)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
