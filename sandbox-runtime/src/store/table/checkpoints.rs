//! Checkpoints: the document as the contract shows it, and which contents each of them uses.
//!
//! Contents are written before their checkpoint, a batch in each transaction, so that a large one keeps no other change
//! waiting. Those of a checkpoint that was never written go at the next start.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use sandbox_core::model::{Checkpoint, Page};
use sandbox_core::{CheckpointId, SandboxId};

use super::json;
use crate::store::page::{Conditions, List, documents, one_document};
use crate::store::{CheckpointFilter, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE checkpoints (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        automatic INTEGER NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX checkpoints_by_sandbox ON checkpoints (sandbox_id, row);
    CREATE TABLE checkpoint_contents (
        checkpoint_id TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        PRIMARY KEY (checkpoint_id, sha256)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX checkpoint_contents_by_content ON checkpoint_contents (sha256);
";

const TABLE: &str = "checkpoints";

pub fn put(db: &Connection, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let sql = "INSERT INTO checkpoints (id, sandbox_id, automatic, doc) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
    let Checkpoint { id, sandbox_id, automatic, .. } = checkpoint;
    db.prepare_cached(sql)?.execute(params![id.as_str(), sandbox_id.as_str(), automatic, json(TABLE, checkpoint)?])?;
    Ok(())
}

/// Notes contents that a checkpoint uses.
pub fn put_contents(db: &Connection, id: &CheckpointId, contents: &[String]) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO checkpoint_contents (checkpoint_id, sha256) VALUES (?1, unhex(?2))";
    let mut statement = db.prepare_cached(sql)?;
    for sha256 in contents {
        statement.execute(params![id.as_str(), sha256])?;
    }
    Ok(())
}

/// Deletes a checkpoint, and returns the contents that may be unused now.
pub fn delete(db: &Connection, id: &CheckpointId) -> Result<Vec<String>, StoreError> {
    let sql = "DELETE FROM checkpoints WHERE id = ?1 RETURNING sandbox_id";
    let sandbox: Option<String> = db.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    let sql = "DELETE FROM checkpoint_contents WHERE checkpoint_id = ?1 RETURNING lower(hex(sha256))";
    let mut statement = db.prepare_cached(sql)?;
    let mut released: BTreeSet<String> =
        statement.query_map([id.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if let Some(sandbox) = sandbox {
        drop_pictures(db, &sandbox, &mut released)?;
    }
    Ok(released.into_iter().collect())
}

/// Deletes every checkpoint of a sandbox, and returns the contents that may be unused now.
pub fn delete_of(db: &Connection, sandbox: &SandboxId) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached("SELECT id FROM checkpoints WHERE sandbox_id = ?1")?;
    let ids: Vec<String> = statement.query_map([sandbox.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut released = Vec::new();
    for id in ids {
        released.extend(delete(db, &CheckpointId(id))?);
    }
    Ok(released)
}

/// Returns the contents that only checkpoints of this sandbox use, among all of checkpoints.
pub fn contents_of(db: &Connection, sandbox: &SandboxId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT lower(hex(contents.sha256)) FROM checkpoint_contents AS contents
        JOIN checkpoints ON checkpoints.id = contents.checkpoint_id WHERE checkpoints.sandbox_id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_map([sandbox.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Deletes the contents of checkpoints that were never written.
pub fn sweep(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM checkpoint_contents WHERE checkpoint_id NOT IN (SELECT id FROM checkpoints)", [])?;
    Ok(())
}

/// Whether a checkpoint has this content.
pub fn uses(db: &Connection, sha256: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM checkpoint_contents WHERE sha256 = unhex(?1) LIMIT 1";
    Ok(db.prepare_cached(sql)?.exists([sha256])?)
}

pub fn get(db: &Connection, id: &CheckpointId) -> Result<Option<Checkpoint>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM checkpoints WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &CheckpointFilter, page: &PageRequest) -> Result<Page<Checkpoint>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.add("sandbox_id = ?", filter.sandbox_id.as_str().to_owned());
    if let Some(automatic) = filter.automatic {
        conditions.add("automatic = ?", i64::from(automatic));
    }
    documents(db, List::Checkpoints, TABLE, conditions, page)
}

/// Takes out the contents that the sandbox's own events show as pictures.
fn drop_pictures(db: &Connection, sandbox: &str, contents: &mut BTreeSet<String>) -> Result<(), StoreError> {
    let sql = "SELECT json_extract(data, '$.picture') FROM events
        WHERE sandbox_id = ?1 AND json_type(data, '$.picture') = 'text'";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([sandbox])?;
    while let Some(row) = rows.next()? {
        contents.remove(&row.get::<_, String>(0)?);
    }
    Ok(())
}
