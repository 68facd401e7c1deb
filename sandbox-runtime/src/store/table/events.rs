//! Events: numbered here, without gaps per sandbox; `row` is the order of commits across sandboxes.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sandbox_core::event::{Event, EventData, NewEvent};
use sandbox_core::{EventId, SandboxId, TaskId};

use super::{from_word, json, search, word};
use crate::store::page::Conditions;
use crate::store::{EventFilter, StoreError};

pub const V1: &str = "
    CREATE TABLE events (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        sandbox_id TEXT NOT NULL,
        task_id TEXT,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        data TEXT NOT NULL,
        UNIQUE (sandbox_id, seq)
    ) STRICT;
    CREATE INDEX events_by_task ON events (task_id, row) WHERE task_id IS NOT NULL;
    CREATE INDEX events_by_sandbox ON events (sandbox_id, row);
";

/// How many events one reading gives at most.
pub const MAX_LIMIT: usize = 1000;

/// Numbers the event and keeps it. Only the writer calls this, so the next number cannot be taken twice.
pub fn append(db: &Connection, new: &NewEvent) -> Result<Event, StoreError> {
    let sql = "SELECT coalesce(max(seq), 0) + 1 FROM events WHERE sandbox_id = ?1";
    let seq: i64 = db.prepare_cached(sql)?.query_row([new.sandbox_id.as_str()], |row| row.get(0))?;
    let event = Event {
        id: EventId::from_unique(crate::unique()),
        sandbox_id: new.sandbox_id.clone(),
        task_id: new.task_id.clone(),
        seq: number(seq),
        by: new.by,
        at: new.at,
        data: new.data.clone(),
    };
    let payload = event.data.payload();
    let sql = "INSERT INTO events (id, sandbox_id, task_id, seq, type, by, at, data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        event.id.as_str(),
        event.sandbox_id.as_str(),
        event.task_id.as_ref().map(TaskId::as_str),
        seq,
        event.data.kind(),
        word(event.by)?,
        event.at,
        payload.to_string()
    ])?;
    search::put_event(db, &event, &payload)?;
    Ok(event)
}

/// Reads events in the order of their commits.
pub fn list(db: &Connection, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
    let mut conditions = Conditions::default();
    match &filter.sandbox_id {
        Some(sandbox_id) => conditions.add("sandbox_id = ?", sandbox_id.as_str().to_owned()),
        // Events of a sandbox that was forgotten are of nobody.
        None => conditions.add("sandbox_id <> ?", String::new()),
    }
    if let Some(task_id) = &filter.task_id {
        conditions.add("task_id = ?", task_id.as_str().to_owned());
    }
    if !filter.types.is_empty() {
        conditions.add("type IN (SELECT value FROM json_each(?))", json("event types", &filter.types)?);
    }
    if let Some(after) = &filter.after {
        conditions.add("row > ?", row_of(db, after)?);
    }
    let sql = format!(
        "SELECT id, sandbox_id, task_id, seq, type, by, at, data FROM events WHERE {} ORDER BY row LIMIT {}",
        conditions.sql(),
        limit.clamp(1, MAX_LIMIT)
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query(conditions.values().as_slice())?;
    let mut events = Vec::new();
    while let Some(row) = found.next()? {
        events.push(read(row)?);
    }
    Ok(events)
}

pub fn newest(db: &Connection) -> Result<Option<EventId>, StoreError> {
    let sql = "SELECT id FROM events ORDER BY row DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.map(EventId))
}

/// Returns the number in the order of commits that was given out last, also if that event is gone; 0 before the first.
pub fn last_number(db: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'events'";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

fn row_of(db: &Connection, id: &EventId) -> Result<i64, StoreError> {
    let row = db
        .prepare_cached("SELECT row FROM events WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    row.ok_or_else(|| StoreError::NoSuchEvent(id.clone()))
}

fn read(row: &Row<'_>) -> Result<Event, StoreError> {
    let payload: String = row.get(7)?;
    let payload = serde_json::from_str(&payload).map_err(StoreError::document("event"))?;
    Ok(Event {
        id: EventId(row.get(0)?),
        sandbox_id: SandboxId(row.get(1)?),
        task_id: row.get::<_, Option<String>>(2)?.map(TaskId),
        seq: number(row.get(3)?),
        by: from_word("actor", row.get(5)?)?,
        at: row.get(6)?,
        data: EventData::from_parts(row.get(4)?, payload),
    })
}

/// SQLite counts in signed numbers; ours begin at 1.
fn number(seq: i64) -> u64 {
    seq.unsigned_abs()
}
