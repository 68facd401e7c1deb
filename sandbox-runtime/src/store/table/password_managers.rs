//! The password managers that a person connected, with when they were listed last.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use sandbox_core::model::{CredentialSource, EpochMs};

use super::{from_word, word};
use crate::store::StoreError;

pub const V1: &str = "
    CREATE TABLE password_managers (
        source TEXT PRIMARY KEY,
        listed_at INTEGER NOT NULL
    ) STRICT;
";

pub fn put(db: &Connection, source: CredentialSource, listed_at: EpochMs) -> Result<(), StoreError> {
    let sql = "INSERT INTO password_managers (source, listed_at) VALUES (?1, ?2)
               ON CONFLICT (source) DO UPDATE SET listed_at = excluded.listed_at";
    db.prepare_cached(sql)?.execute(params![word(source)?, listed_at])?;
    Ok(())
}

pub fn delete(db: &Connection, source: CredentialSource) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM password_managers WHERE source = ?1")?.execute([word(source)?])?;
    Ok(())
}

pub fn all(db: &Connection) -> Result<BTreeMap<CredentialSource, EpochMs>, StoreError> {
    let mut select = db.prepare_cached("SELECT source, listed_at FROM password_managers")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(|(source, at)| Ok((from_word("password manager", source)?, at))).collect()
}
