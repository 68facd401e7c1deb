//! Forgetting a sandbox: every row that tells of it goes, for good.
//!
//! Events go a batch at a time, so that a long history keeps no other change waiting; the sandbox's own row goes last.
//! Of an event only its id and its place in the order stay.
//! What breaks off in between can be asked for again.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use sandbox_core::SandboxId;

use super::checkpoints;
use crate::store::StoreError;

/// How many events go in one transaction.
pub const BATCH: u32 = 500;

/// What forgetting a sandbox begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub n_events: u32,
    /// Digests of contents that only this sandbox used when it was looked for.
    pub contents: BTreeSet<String>,
    /// The newest event at that time.
    pub newest_row: i64,
}

/// Looks through the history for what forgetting this sandbox takes along.
pub fn plan(db: &Connection, id: &SandboxId) -> Result<Plan, StoreError> {
    let n_events =
        db.query_row("SELECT count(*) FROM events WHERE sandbox_id = ?1", [id.as_str()], |row| row.get(0))?;
    let newest_row = db.query_row("SELECT coalesce(max(row), 0) FROM events", [], |row| row.get(0))?;
    let mut contents = BTreeSet::new();
    let mut own = db.prepare(
        "SELECT sha256 FROM artifacts WHERE sandbox_id = ?1
         UNION SELECT json_extract(data, '$.picture') FROM events
         WHERE sandbox_id = ?1 AND json_type(data, '$.picture') = 'text'",
    )?;
    for digest in own.query_map([id.as_str()], |row| row.get::<_, String>(0))? {
        contents.insert(digest?);
    }
    contents.extend(checkpoints::contents_of(db, id)?);
    drop_used(db, id, 0, &mut contents)?;
    Ok(Plan { n_events, contents, newest_row })
}

/// Empties the oldest batch of the sandbox's events; returns the digests of contents that may be unused now.
pub fn batch(db: &Connection, id: &SandboxId, plan: &Plan) -> Result<Vec<String>, StoreError> {
    delete_securely(db, true)?;
    let sql = "SELECT row, id, json_extract(data, '$.picture') FROM events WHERE sandbox_id = ?1 ORDER BY row LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![id.as_str(), BATCH], |row| {
        // A picture is named by a text; anything else under that name is none.
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2).ok()))
    })?;
    let mut released = BTreeSet::new();
    for row in rows.collect::<Result<Vec<_>, _>>()? {
        let (row, event, picture) = row;
        delete_words(db, &event)?;
        // The id stays, of nobody: a reader that saw this event last goes on after it.
        let sql =
            "UPDATE events SET sandbox_id = '', task_id = NULL, seq = row, type = '', by = '', at = 0, data = '{}', hash = NULL
            WHERE row = ?1";
        db.prepare_cached(sql)?.execute([row])?;
        released.extend(picture.filter(|digest| plan.contents.contains(digest)));
    }
    drop_used(db, id, plan.newest_row, &mut released)?;
    delete_securely(db, false)?;
    Ok(released.into_iter().collect())
}

/// Deletes everything but events; returns the digests of contents that may be unused now.
pub fn rest(db: &Connection, id: &SandboxId, plan: &Plan) -> Result<Vec<String>, StoreError> {
    delete_securely(db, true)?;
    let mut released = BTreeSet::new();
    let mut statement = db.prepare("DELETE FROM artifacts WHERE sandbox_id = ?1 RETURNING sha256")?;
    for digest in statement.query_map([id.as_str()], |row| row.get::<_, String>(0))? {
        released.insert(digest?);
    }
    released.extend(checkpoints::delete_of(db, id)?);
    let mut statement = db.prepare("SELECT id FROM tasks WHERE sandbox_id = ?1")?;
    let tasks = statement.query_map([id.as_str()], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for task in tasks {
        delete_words(db, &task)?;
        db.execute("DELETE FROM conversation WHERE task_id = ?1", [&task])?;
    }
    for table in ["tasks", "handoffs", "approvals", "grants", "destinations"] {
        db.execute(&format!("DELETE FROM {table} WHERE sandbox_id = ?1"), [id.as_str()])?;
    }
    // Messages and kept answers tell of it in their bodies.
    db.execute("DELETE FROM deliveries WHERE instr(body, ?1)", [id.as_str()])?;
    db.execute("DELETE FROM idempotency WHERE instr(body, ?1) OR instr(route, ?1)", [id.as_str()])?;
    db.execute("DELETE FROM sandboxes WHERE id = ?1", [id.as_str()])?;
    drop_used(db, id, plan.newest_row, &mut released)?;
    delete_securely(db, false)?;
    Ok(released.into_iter().collect())
}

/// Moves what is still in the log into the file, and cuts the log: deleted rows are in neither then. A reader that is under
/// way puts it off until the log is next moved.
pub fn cut_log(db: &Connection) -> Result<(), StoreError> {
    Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Takes out the contents that events of other sandboxes after this row show.
fn drop_used(db: &Connection, id: &SandboxId, after: i64, contents: &mut BTreeSet<String>) -> Result<(), StoreError> {
    if contents.is_empty() {
        return Ok(());
    }
    let sql = "SELECT json_extract(data, '$.picture') FROM events
        WHERE row > ?2 AND sandbox_id <> ?1 AND instr(data, '\"picture\":\"')";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![id.as_str(), after])?;
    while let Some(row) = rows.next()? {
        if let Ok(digest) = row.get::<_, String>(0) {
            contents.remove(&digest);
        }
    }
    Ok(())
}

fn delete_words(db: &Connection, of: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM search_text WHERE rowid IN (SELECT row FROM search_docs WHERE id = ?1)")?
        .execute([of])?;
    db.prepare_cached("DELETE FROM search_docs WHERE id = ?1")?.execute([of])?;
    Ok(())
}

/// Whether deleted words are overwritten in their index; rows of tables always are.
fn delete_securely(db: &Connection, on: bool) -> Result<(), StoreError> {
    let sql = "INSERT INTO search_text (search_text, rank) VALUES ('secure-delete', ?1)";
    db.prepare_cached(sql)?.execute([i64::from(on)])?;
    Ok(())
}
