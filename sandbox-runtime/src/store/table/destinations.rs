//! Destinations that sandboxes reached, with what went there: sums, added to as it is counted.

use rusqlite::{Connection, params};
use sandbox_core::SandboxId;
use sandbox_core::model::NetworkDestination;

use super::{from_word, word};
use crate::store::StoreError;

pub const V1: &str = "
    CREATE TABLE destinations (
        sandbox_id TEXT NOT NULL,
        used_by TEXT NOT NULL,
        host TEXT NOT NULL,
        port INTEGER NOT NULL,
        connections INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        sent_bytes INTEGER NOT NULL,
        received_bytes INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (sandbox_id, used_by, host, port)
    ) STRICT, WITHOUT ROWID;
";

/// Adds what was counted to what is there.
pub fn add(db: &Connection, sandbox: &SandboxId, counted: &NetworkDestination) -> Result<(), StoreError> {
    let sql = "INSERT INTO destinations
            (sandbox_id, used_by, host, port, connections, refused, sent_bytes, received_bytes, first_at, last_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (sandbox_id, used_by, host, port) DO UPDATE SET
            connections = connections + excluded.connections,
            refused = refused + excluded.refused,
            sent_bytes = sent_bytes + excluded.sent_bytes,
            received_bytes = received_bytes + excluded.received_bytes,
            first_at = min(first_at, excluded.first_at),
            last_at = max(last_at, excluded.last_at)";
    let NetworkDestination { host, port, by, connections, refused, sent_bytes, received_bytes, first_at, last_at } =
        counted;
    let [connections, refused, sent, received] =
        [connections, refused, sent_bytes, received_bytes].map(|count| i64::try_from(*count).unwrap_or(i64::MAX));
    let row = params![sandbox.as_str(), word(by)?, host, port, connections, refused, sent, received, first_at, last_at];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Returns those of a sandbox, the most bytes first.
pub fn of(db: &Connection, sandbox: &SandboxId) -> Result<Vec<NetworkDestination>, StoreError> {
    let sql = "SELECT used_by, host, port, connections, refused, sent_bytes, received_bytes, first_at, last_at
        FROM destinations WHERE sandbox_id = ?1
        ORDER BY sent_bytes + received_bytes DESC, host, port, used_by";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([sandbox.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let count = |at: usize| Ok::<_, StoreError>(row.get::<_, i64>(at)?.unsigned_abs());
        found.push(NetworkDestination {
            by: from_word("destination", row.get(0)?)?,
            host: row.get(1)?,
            port: row.get(2)?,
            connections: count(3)?,
            refused: count(4)?,
            sent_bytes: count(5)?,
            received_bytes: count(6)?,
            first_at: row.get(7)?,
            last_at: row.get(8)?,
        });
    }
    Ok(found)
}
