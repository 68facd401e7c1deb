//! The models that a person or a program set, by name. Their keys are elsewhere.

use rusqlite::{Connection, params};
use sandbox_core::model::ModelInfo;

use super::json;
use crate::store::StoreError;
use crate::store::page::{all_documents, one_document};

pub const V1: &str = "
    CREATE TABLE models (
        name TEXT PRIMARY KEY,
        doc TEXT NOT NULL
    ) STRICT;
";

const TABLE: &str = "models";

pub fn put(db: &Connection, model: &ModelInfo) -> Result<(), StoreError> {
    let sql = "INSERT INTO models (name, doc) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![model.name, json(TABLE, model)?])?;
    Ok(())
}

pub fn delete(db: &Connection, name: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM models WHERE name = ?1")?.execute([name])?;
    Ok(())
}

pub fn get(db: &Connection, name: &str) -> Result<Option<ModelInfo>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM models WHERE name = ?1", name)
}

pub fn all(db: &Connection) -> Result<Vec<ModelInfo>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM models ORDER BY name")
}
