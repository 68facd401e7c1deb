//! What a task and its model said to each other: only ever appended, read whole when a task goes on.

use rusqlite::{Connection, params};
use sandbox_core::TaskId;
use serde_json::Value;

use super::json;
use crate::store::StoreError;

pub const V1: &str = "
    CREATE TABLE conversation (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        task_id TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX conversation_by_task ON conversation (task_id, row);
";

const TABLE: &str = "conversation";

pub fn append(db: &Connection, task: &TaskId, part: &Value) -> Result<(), StoreError> {
    let sql = "INSERT INTO conversation (task_id, doc) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![task.as_str(), json(TABLE, part)?])?;
    Ok(())
}

pub fn of(db: &Connection, task: &TaskId) -> Result<Vec<Value>, StoreError> {
    let mut found = db.prepare_cached("SELECT doc FROM conversation WHERE task_id = ?1 ORDER BY row")?;
    let rows = found.query_map([task.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|doc| serde_json::from_str(&doc?).map_err(StoreError::document(TABLE))).collect()
}
