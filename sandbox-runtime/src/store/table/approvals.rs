//! Questions to a person: the document as the contract shows it, and the columns that lists are filtered by.

use rusqlite::{Connection, params};
use sandbox_core::ApprovalId;
use sandbox_core::model::{Approval, Page};

use super::{json, word};
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{ApprovalFilter, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE approvals (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        status TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX approvals_by_sandbox ON approvals (sandbox_id, row);
    CREATE INDEX approvals_by_status ON approvals (status, row);
";

const TABLE: &str = "approvals";

pub fn put(db: &Connection, approval: &Approval) -> Result<(), StoreError> {
    let sql = "INSERT INTO approvals (id, sandbox_id, status, doc) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![
        approval.approval_id.as_str(),
        approval.sandbox_id.as_str(),
        word(approval.status)?,
        json(TABLE, approval)?
    ])?;
    Ok(())
}

pub fn get(db: &Connection, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM approvals WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &ApprovalFilter, page: &PageRequest) -> Result<Page<Approval>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(sandbox_id) = &filter.sandbox_id {
        conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned());
    }
    if let Some(status) = filter.status {
        conditions.add("status = ?", word(status)?);
    }
    documents(db, List::Approvals, TABLE, conditions, page)
}

pub fn unfinished(db: &Connection) -> Result<Vec<Approval>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM approvals WHERE status = 'pending' ORDER BY row")
}
