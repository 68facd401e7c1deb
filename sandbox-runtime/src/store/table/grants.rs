//! The ledger of standing permissions.

use rusqlite::{Connection, params};
use sandbox_core::GrantId;
use sandbox_core::model::{Grant, Page};

use super::json;
use crate::store::page::{Conditions, List, documents, one_document};
use crate::store::{GrantFilter, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE grants (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX grants_by_sandbox ON grants (sandbox_id, row);
    CREATE INDEX grants_by_task ON grants (task_id, row);
";

const TABLE: &str = "grants";

pub fn put(db: &Connection, grant: &Grant) -> Result<(), StoreError> {
    let sql = "INSERT INTO grants (id, sandbox_id, task_id, doc) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![
        grant.grant_id.as_str(),
        grant.sandbox_id.as_str(),
        grant.task_id.as_str(),
        json(TABLE, grant)?
    ])?;
    Ok(())
}

pub fn get(db: &Connection, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM grants WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &GrantFilter, page: &PageRequest) -> Result<Page<Grant>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(sandbox_id) = &filter.sandbox_id {
        conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned());
    }
    if let Some(task_id) = &filter.task_id {
        conditions.add("task_id = ?", task_id.as_str().to_owned());
    }
    documents(db, List::Grants, TABLE, conditions, page)
}
