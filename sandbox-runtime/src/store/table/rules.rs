//! A person's rules, in the order in which they were given.

use rusqlite::{Connection, params};
use sandbox_core::model::Rule;

use super::json;
use crate::store::StoreError;
use crate::store::page::all_documents;

pub const V1: &str = "
    CREATE TABLE rules (
        row INTEGER PRIMARY KEY,
        doc TEXT NOT NULL
    ) STRICT;
";

const TABLE: &str = "rules";

/// Puts these rules in place of all others.
pub fn replace(db: &Connection, rules: &[Rule]) -> Result<(), StoreError> {
    db.execute("DELETE FROM rules", [])?;
    let mut insert = db.prepare_cached("INSERT INTO rules (row, doc) VALUES (?1, ?2)")?;
    for (row, rule) in (0_i64..).zip(rules) {
        insert.execute(params![row, json(TABLE, rule)?])?;
    }
    Ok(())
}

pub fn all(db: &Connection) -> Result<Vec<Rule>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM rules ORDER BY row")
}
