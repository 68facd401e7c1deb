//! The vault's entries without their values, and the ledger of each use. The values are where keys are kept.

use rusqlite::{Connection, params};
use sandbox_core::CredentialId;
use sandbox_core::model::{Credential, CredentialUse, Page};

use super::json;
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE credentials (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE TABLE credential_uses (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        credential_id TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX credential_uses_by_credential ON credential_uses (credential_id, row);
";

const TABLE: &str = "credentials";
const USES: &str = "credential_uses";

/// Puts an entry as it is now. A use that was written down meanwhile stays.
pub fn put(db: &Connection, entry: &Credential) -> Result<(), StoreError> {
    let mut entry = entry.clone();
    if let Some(kept) = get(db, &entry.id)?.filter(|kept| kept.last_used_at > entry.last_used_at) {
        (entry.last_used_at, entry.last_used_by) = (kept.last_used_at, kept.last_used_by);
    }
    let sql = "INSERT INTO credentials (id, doc) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
    db.prepare_cached(sql)?.execute(params![entry.id.as_str(), json(TABLE, &entry)?])?;
    Ok(())
}

/// Deletes an entry. Its uses stay: what was done was done.
pub fn delete(db: &Connection, id: &CredentialId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM credentials WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

/// Writes down a use, also at the entry itself.
pub fn used(db: &Connection, used: &CredentialUse) -> Result<(), StoreError> {
    let sql = "INSERT INTO credential_uses (credential_id, doc) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![used.credential_id.as_str(), json(USES, used)?])?;
    let Some(entry) = get(db, &used.credential_id)? else { return Ok(()) };
    put(db, &Credential { last_used_at: Some(used.at), last_used_by: used.task_id.clone(), ..entry })
}

pub fn get(db: &Connection, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM credentials WHERE id = ?1", id.as_str())
}

pub fn all(db: &Connection) -> Result<Vec<Credential>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM credentials ORDER BY row")
}

pub fn list(db: &Connection, page: &PageRequest) -> Result<Page<Credential>, StoreError> {
    documents(db, List::Credentials, TABLE, Conditions::default(), page)
}

pub fn uses(db: &Connection, id: &CredentialId, page: &PageRequest) -> Result<Page<CredentialUse>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.add("credential_id = ?", id.as_str().to_owned());
    documents(db, List::CredentialUses, USES, conditions, page)
}
