//! Answers that were given under an idempotency key, kept a day, so that a repeated request creates nothing twice.

use rusqlite::{Connection, OptionalExtension, params};
use sandbox_core::model::EpochMs;

use crate::store::{Recalled, StoreError};

pub const V1: &str = "
    CREATE TABLE idempotency (
        key TEXT NOT NULL,
        route TEXT NOT NULL,
        body_hash TEXT NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (key, route)
    ) STRICT;
    CREATE INDEX idempotency_by_age ON idempotency (at);
";

pub const KEPT_MS: EpochMs = 24 * 60 * 60 * 1000;

pub fn get(db: &Connection, key: &str, route: &str, now: EpochMs) -> Result<Option<Recalled>, StoreError> {
    let sql = "SELECT body_hash, status, body FROM idempotency WHERE key = ?1 AND route = ?2 AND at > ?3";
    let found = db
        .prepare_cached(sql)?
        .query_row(params![key, route, now - KEPT_MS], |row| {
            Ok(Recalled { body_hash: row.get(0)?, status: row.get(1)?, body: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}

/// Keeps the answer unless the key has one already, and forgets those whose day is over.
pub fn put(db: &Connection, key: &str, route: &str, answer: &Recalled, now: EpochMs) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM idempotency WHERE at <= ?1")?.execute([now - KEPT_MS])?;
    let sql = "INSERT INTO idempotency (key, route, body_hash, status, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (key, route) DO NOTHING";
    db.prepare_cached(sql)?.execute(params![key, route, answer.body_hash, answer.status, answer.body, now])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recalled_for_a_day_by_key_and_route_and_the_first_one_stays() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(V1).unwrap();
        let first = Recalled { body_hash: "a".into(), status: 201, body: "{}".into() };
        let second = Recalled { body_hash: "b".into(), status: 409, body: "[]".into() };
        put(&db, "k", "POST /v1/sandboxes", &first, 1000).unwrap();
        put(&db, "k", "POST /v1/sandboxes", &second, 2000).unwrap();
        put(&db, "k", "POST /v1/webhooks", &second, 2000).unwrap();

        assert_eq!(get(&db, "k", "POST /v1/sandboxes", 1000 + KEPT_MS - 1).unwrap(), Some(first));
        assert_eq!(get(&db, "k", "POST /v1/webhooks", 2000).unwrap(), Some(second.clone()));
        assert_eq!(get(&db, "other", "POST /v1/sandboxes", 2000).unwrap(), None);
        assert_eq!(get(&db, "k", "POST /v1/sandboxes", 1000 + KEPT_MS).unwrap(), None);

        put(&db, "k", "POST /v1/sandboxes", &second, 1000 + KEPT_MS).unwrap();
        assert_eq!(get(&db, "k", "POST /v1/sandboxes", 1000 + KEPT_MS).unwrap(), Some(second));
    }
}
