//! Events: numbered here, without gaps per sandbox; `row` is the order of commits across sandboxes.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sandbox_core::event::chain::{self, Stored};
use sandbox_core::event::{Event, EventData, NewEvent};
use sandbox_core::{EventId, SandboxId, TaskId};

use super::{from_word, json, search, word};
use crate::store::page::Conditions;
use crate::store::{ChainedLine, EventFilter, StoreError};

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

/// Events from before it have no hash.
pub const CHAIN: &str = "ALTER TABLE events ADD COLUMN hash TEXT;";

/// How many events one reading gives at most.
pub const MAX_LIMIT: usize = 1000;

/// Numbers the event and keeps it. Only the writer calls this, so the next number cannot be taken twice.
pub fn append(db: &Connection, new: &NewEvent) -> Result<Event, StoreError> {
    let sql = "SELECT seq, hash FROM events WHERE sandbox_id = ?1 ORDER BY seq DESC LIMIT 1";
    let before = db
        .prepare_cached(sql)?
        .query_row([new.sandbox_id.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))
        .optional()?;
    let (seq, previous) = before.map_or((1, None), |(seq, hash)| (seq + 1, hash));
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
    let data = payload.to_string();
    let stored = Stored {
        id: event.id.as_str(),
        sandbox_id: event.sandbox_id.as_str(),
        task_id: event.task_id.as_ref().map(TaskId::as_str),
        seq: event.seq,
        by: event.by,
        at: event.at,
        kind: event.data.kind(),
        data: &data,
    };
    let hash = chain::link(&previous.unwrap_or_default(), &stored.line());
    let sql = "INSERT INTO events (id, sandbox_id, task_id, seq, type, by, at, data, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    db.prepare_cached(sql)?.execute(params![
        event.id.as_str(),
        event.sandbox_id.as_str(),
        event.task_id.as_ref().map(TaskId::as_str),
        seq,
        event.data.kind(),
        word(event.by)?,
        event.at,
        data,
        hash
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

/// Returns the first and the last number of a task's events in their sandbox; `None` if it has none.
pub fn span(db: &Connection, task: &TaskId) -> Result<Option<(u64, u64)>, StoreError> {
    let sql = "SELECT min(seq), max(seq) FROM events WHERE task_id = ?1";
    let (first, last): (Option<i64>, Option<i64>) =
        db.prepare_cached(sql)?.query_row([task.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.zip(last).map(|(first, last)| (number(first), number(last))))
}

/// Reads the lines of a sandbox's events as they were hashed, in order, from this number on.
pub fn lines(db: &Connection, id: &SandboxId, from: u64, limit: usize) -> Result<Vec<ChainedLine>, StoreError> {
    let sql = "SELECT id, task_id, seq, type, by, at, data, hash FROM events
        WHERE sandbox_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query(params![id.as_str(), from as i64, limit.clamp(1, MAX_LIMIT) as i64])?;
    let mut lines = Vec::new();
    while let Some(row) = found.next()? {
        let (event, task): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let (kind, data): (String, String) = (row.get(3)?, row.get(6)?);
        let stored = Stored {
            id: &event,
            sandbox_id: id.as_str(),
            task_id: task.as_deref(),
            seq: number(row.get(2)?),
            by: from_word("actor", row.get(4)?)?,
            at: row.get(5)?,
            kind: &kind,
            data: &data,
        };
        lines.push(ChainedLine { seq: stored.seq, line: stored.line(), hash: row.get(7)? });
    }
    Ok(lines)
}

/// Returns the hash of the event before this number; `None` if there is none, or it has none.
pub fn hash_before(db: &Connection, id: &SandboxId, seq: u64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT hash FROM events WHERE sandbox_id = ?1 AND seq = ?2 - 1";
    Ok(db.prepare_cached(sql)?.query_row(params![id.as_str(), seq as i64], |row| row.get(0)).optional()?.flatten())
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
