//! Sandboxes: the document as the contract shows it, and the columns that lists are filtered by.

use rusqlite::{Connection, params};
use sandbox_core::SandboxId;
use sandbox_core::model::{Page, Sandbox};

use super::{json, word};
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{PageRequest, SandboxFilter, StoreError};

pub const V1: &str = "
    CREATE TABLE sandboxes (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX sandboxes_by_status ON sandboxes (status, row);
";

const TABLE: &str = "sandboxes";

pub fn put(db: &Connection, sandbox: &Sandbox) -> Result<(), StoreError> {
    let sql = "INSERT INTO sandboxes (id, status, doc) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![sandbox.id.as_str(), word(sandbox.status)?, json(TABLE, sandbox)?])?;
    Ok(())
}

pub fn get(db: &Connection, id: &SandboxId) -> Result<Option<Sandbox>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM sandboxes WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &SandboxFilter, page: &PageRequest) -> Result<Page<Sandbox>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(status) = filter.status {
        conditions.add("status = ?", word(status)?);
    }
    documents(db, List::Sandboxes, TABLE, conditions, page)
}

pub fn unfinished(db: &Connection) -> Result<Vec<Sandbox>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM sandboxes WHERE status NOT IN ('ended', 'failed') ORDER BY row")
}
