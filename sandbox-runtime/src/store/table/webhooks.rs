//! Webhooks. Their secrets lie beside the document, sealed by whoever gives them here.

use rusqlite::{Connection, OptionalExtension, params};
use sandbox_core::WebhookId;
use sandbox_core::model::{EpochMs, Page, Webhook, WebhookPatch};
use sandbox_core::webhook;

use super::json;
use crate::store::page::{Conditions, List, all_documents, documents, one_document};
use crate::store::{PageRequest, SealedSecret, StoreError};

pub const V1: &str = "
    CREATE TABLE webhooks (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        enabled INTEGER NOT NULL,
        secrets TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
";

const TABLE: &str = "webhooks";

pub fn create(db: &Connection, webhook: &Webhook, secret: &SealedSecret) -> Result<(), StoreError> {
    let sql = "INSERT INTO webhooks (id, enabled, secrets, doc) VALUES (?1, ?2, ?3, ?4)";
    let secrets = json(TABLE, &[secret])?;
    db.prepare_cached(sql)?.execute(params![webhook.id.as_str(), webhook.enabled, secrets, json(TABLE, webhook)?])?;
    Ok(())
}

/// Changes what the patch names, on what is there now: reading and writing are one, so that nothing that happened
/// meanwhile is undone.
pub fn patch(db: &Connection, id: &WebhookId, patch: &WebhookPatch, at: EpochMs) -> Result<(), StoreError> {
    let Some(mut webhook) = get(db, id)? else { return Ok(()) };
    webhook::patch(&mut webhook, patch, at);
    update(db, &webhook)
}

/// Puts a new secret first; the one before lasts until `previous_until`, and older ones end.
pub fn rotate(
    db: &Connection,
    id: &WebhookId,
    secret: &SealedSecret,
    previous_until: EpochMs,
    at: EpochMs,
) -> Result<(), StoreError> {
    let Some(mut webhook) = get(db, id)? else { return Ok(()) };
    let mut kept = vec![secret.clone()];
    if previous_until > at {
        let previous = secrets(db, id)?.into_iter().next();
        kept.extend(previous.map(|previous| SealedSecret { expires_at: Some(previous_until), ..previous }));
    }
    webhook.previous_secret_expires_at = kept.get(1).and_then(|previous| previous.expires_at);
    webhook.updated_at = at;
    let sql = "UPDATE webhooks SET secrets = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.as_str(), json(TABLE, &kept)?])?;
    update(db, &webhook)
}

/// Disables the webhook if it still has the address that said that it is gone.
pub fn gone(db: &Connection, id: &WebhookId, url: &str, at: EpochMs) -> Result<bool, StoreError> {
    let Some(mut webhook) = get(db, id)? else { return Ok(false) };
    let disabled = webhook::gone(&mut webhook, url, at);
    if disabled {
        update(db, &webhook)?;
    }
    Ok(disabled)
}

pub fn delete(db: &Connection, id: &WebhookId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM webhooks WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

pub fn get(db: &Connection, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM webhooks WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, page: &PageRequest) -> Result<Page<Webhook>, StoreError> {
    documents(db, List::Webhooks, TABLE, Conditions::default(), page)
}

pub fn count(db: &Connection) -> Result<u32, StoreError> {
    Ok(db.query_row("SELECT count(*) FROM webhooks", [], |row| row.get(0))?)
}

pub fn enabled(db: &Connection) -> Result<Vec<Webhook>, StoreError> {
    all_documents(db, TABLE, "SELECT doc FROM webhooks WHERE enabled ORDER BY row")
}

/// Returns the sealed secrets, the newest first.
pub fn secrets(db: &Connection, id: &WebhookId) -> Result<Vec<SealedSecret>, StoreError> {
    let sql = "SELECT secrets FROM webhooks WHERE id = ?1";
    let text: Option<String> = db.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(StoreError::document(TABLE))
}

fn update(db: &Connection, webhook: &Webhook) -> Result<(), StoreError> {
    let sql = "UPDATE webhooks SET enabled = ?2, doc = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![webhook.id.as_str(), webhook.enabled, json(TABLE, webhook)?])?;
    Ok(())
}
