//! Artifacts: the document as the contract shows it, the columns that lists are filtered by, and which blobs are in use.

use rusqlite::{Connection, OptionalExtension, params};
use sandbox_core::ArtifactKey;
use sandbox_core::model::{Artifact, Page};

use super::json;
use crate::store::page::{Conditions, List, documents, like_anywhere, one_document};
use crate::store::{ArtifactFilter, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE artifacts (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX artifacts_by_sandbox ON artifacts (sandbox_id, row);
    CREATE INDEX artifacts_by_content ON artifacts (sha256);
";

const TABLE: &str = "artifacts";

pub fn put(db: &Connection, artifact: &Artifact) -> Result<(), StoreError> {
    let sql = "INSERT INTO artifacts (key, sandbox_id, name, sha256, doc) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (key) DO UPDATE
        SET sandbox_id = excluded.sandbox_id, name = excluded.name, sha256 = excluded.sha256, doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![
        artifact.key.as_str(),
        artifact.sandbox_id.as_str(),
        artifact.name,
        artifact.sha256,
        json(TABLE, artifact)?
    ])?;
    Ok(())
}

/// Deletes the record and returns the digest of the content it had, which may be unused now.
pub fn delete(db: &Connection, key: &ArtifactKey) -> Result<Option<String>, StoreError> {
    let sql = "DELETE FROM artifacts WHERE key = ?1 RETURNING sha256";
    Ok(db.prepare_cached(sql)?.query_row([key.as_str()], |row| row.get(0)).optional()?)
}

/// Whether an artifact has this content.
pub fn uses(db: &Connection, sha256: &str) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM artifacts WHERE sha256 = ?1 LIMIT 1")?.exists([sha256])?)
}

pub fn get(db: &Connection, key: &ArtifactKey) -> Result<Option<Artifact>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM artifacts WHERE key = ?1", key.as_str())
}

pub fn list(db: &Connection, filter: &ArtifactFilter, page: &PageRequest) -> Result<Page<Artifact>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(sandbox_id) = &filter.sandbox_id {
        conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned());
    }
    if let Some(q) = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        conditions.add(r"name LIKE ? ESCAPE '\'", like_anywhere(q));
    }
    documents(db, List::Artifacts, TABLE, conditions, page)
}
