//! Tasks: the document as the contract shows it, and the columns that lists are filtered by. Their words are in the
//! search.

use rusqlite::{Connection, params};
use sandbox_core::TaskId;
use sandbox_core::model::{Page, Task};

use super::{json, search, word};
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{PageRequest, StoreError, TaskFilter};

pub const V1: &str = "
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        status TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX tasks_by_sandbox ON tasks (sandbox_id, row);
    CREATE INDEX tasks_by_status ON tasks (status, row);
";

const TABLE: &str = "tasks";

pub fn put(db: &Connection, task: &Task) -> Result<(), StoreError> {
    let sql = "INSERT INTO tasks (id, sandbox_id, status, doc) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE
        SET sandbox_id = excluded.sandbox_id, status = excluded.status, doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![
        task.id.as_str(),
        task.sandbox_id.as_str(),
        word(task.status)?,
        json(TABLE, task)?
    ])?;
    search::put_task(db, task)
}

pub fn get(db: &Connection, id: &TaskId) -> Result<Option<Task>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM tasks WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &TaskFilter, page: &PageRequest) -> Result<Page<Task>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(sandbox_id) = &filter.sandbox_id {
        conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned());
    }
    if let Some(status) = filter.status {
        conditions.add("status = ?", word(status)?);
    }
    if let Some(query) = filter.q.as_deref().and_then(search::Query::parse) {
        query.restrict_tasks(&mut conditions);
    }
    documents(db, List::Tasks, TABLE, conditions, page)
}

pub fn unfinished(db: &Connection) -> Result<Vec<Task>, StoreError> {
    let sql = "SELECT doc FROM tasks WHERE status NOT IN ('completed', 'failed', 'cancelled') ORDER BY row";
    all_documents(db, TABLE, sql)
}
