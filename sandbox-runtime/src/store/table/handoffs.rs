//! Handoffs: the document as the contract shows it, and the columns that lists are filtered by.

use rusqlite::{Connection, params};
use sandbox_core::HandoffId;
use sandbox_core::model::{Handoff, Page};

use super::{json, word};
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{HandoffFilter, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE handoffs (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        status TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX handoffs_by_sandbox ON handoffs (sandbox_id, row);
    CREATE INDEX handoffs_by_status ON handoffs (status, row);
";

const TABLE: &str = "handoffs";

pub fn put(db: &Connection, handoff: &Handoff) -> Result<(), StoreError> {
    let sql = "INSERT INTO handoffs (id, sandbox_id, status, doc) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE
        SET sandbox_id = excluded.sandbox_id, status = excluded.status, doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![
        handoff.request_id.as_str(),
        handoff.sandbox_id.as_str(),
        word(handoff.status)?,
        json(TABLE, handoff)?
    ])?;
    Ok(())
}

pub fn get(db: &Connection, id: &HandoffId) -> Result<Option<Handoff>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM handoffs WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &HandoffFilter, page: &PageRequest) -> Result<Page<Handoff>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(sandbox_id) = &filter.sandbox_id {
        conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned());
    }
    if let Some(status) = filter.status {
        conditions.add("status = ?", word(status)?);
    }
    documents(db, List::Handoffs, TABLE, conditions, page)
}

pub fn unfinished(db: &Connection) -> Result<Vec<Handoff>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM handoffs WHERE status IN ('pending', 'accepted') ORDER BY row")
}
