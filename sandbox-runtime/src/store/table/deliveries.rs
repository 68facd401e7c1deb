//! The outbox: messages to webhooks, written in the transaction of the event that they tell about.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use sandbox_core::event::Event;
use sandbox_core::model::{Delivery, DeliveryStatus, EpochMs, Page};
use sandbox_core::webhook::{self, Answer, Outcome, Schedule};
use sandbox_core::{DeliveryId, WebhookId};

use super::{json, tasks, webhooks, word};
use crate::store::page::{Conditions, List, documents, one_document};
use crate::store::{DeliveryFilter, Due, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE deliveries (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        webhook_id TEXT NOT NULL,
        status TEXT NOT NULL,
        next_at INTEGER,
        round INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        body TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, row);
    CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX deliveries_by_age ON deliveries (created_at);
";

const TABLE: &str = "deliveries";

/// What is delivered or given up is kept this long.
const KEPT_MS: EpochMs = 30 * 24 * 60 * 60 * 1000;

/// Writes a message for each webhook that wants the event.
pub fn enqueue(db: &Connection, event: &Event) -> Result<(), StoreError> {
    let kind = event.data.kind();
    let wanting: Vec<_> = webhooks::enabled(db)?;
    let mut body = None;
    for webhook in wanting.iter().filter(|webhook| webhook::wants(&webhook.event_types, kind)) {
        if body.is_none() {
            let task = event.task_id.as_ref().map(|id| tasks::get(db, id)).transpose()?.flatten();
            body = Some(webhook::body(event, task.as_ref().map(|task| &task.metadata)).to_string());
        }
        let delivery = Delivery {
            id: DeliveryId::from_unique(crate::unique()),
            webhook_id: webhook.id.clone(),
            event_id: Some(event.id.clone()),
            kind: kind.to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_status: None,
            last_error: None,
            last_attempt_at: None,
            next_attempt_at: Some(event.at),
            delivered_at: None,
            created_at: event.at,
        };
        create(db, &delivery, body.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

pub fn create(db: &Connection, delivery: &Delivery, body: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO deliveries (id, webhook_id, status, next_at, round, created_at, body, doc)
        VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        delivery.id.as_str(),
        delivery.webhook_id.as_str(),
        word(delivery.status)?,
        delivery.next_attempt_at,
        delivery.created_at,
        body,
        json(TABLE, delivery)?
    ])?;
    Ok(())
}

/// Writes down how an attempt ended, if it was of the round that still goes on: a resend begins a new one.
pub fn tried(db: &Connection, due: &Due, answer: &Answer, schedule: &Schedule, now: EpochMs) -> Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE id = ?1 AND round = ?2)";
    let goes_on = db.prepare_cached(sql)?.query_row(params![due.id.as_str(), due.round], |row| row.get(0))?;
    let Some(mut delivery) = get(db, &due.id)?.filter(|_| goes_on) else { return Ok(()) };
    let outcome = webhook::record(&mut delivery, answer, schedule, now);
    update(db, &delivery)?;
    if outcome == Outcome::Gone && webhooks::gone(db, &due.webhook.id, &due.webhook.url, now)? {
        give_up(db, &due.webhook.id, answer, now)?;
    }
    Ok(())
}

/// Makes a message due now, whatever became of it before.
pub fn resend(db: &Connection, id: &DeliveryId, now: EpochMs) -> Result<(), StoreError> {
    let Some(mut delivery) = get(db, id)? else { return Ok(()) };
    webhook::resend(&mut delivery, now);
    db.prepare_cached("UPDATE deliveries SET round = round + 1 WHERE id = ?1")?.execute([id.as_str()])?;
    update(db, &delivery)
}

pub fn delete_of(db: &Connection, webhook: &WebhookId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM deliveries WHERE webhook_id = ?1")?.execute([webhook.as_str()])?;
    Ok(())
}

/// Forgets what ended long ago.
pub fn forget_old(db: &Connection, now: EpochMs) -> Result<(), StoreError> {
    let sql = "DELETE FROM deliveries WHERE created_at <= ?1 AND next_at IS NULL";
    db.prepare_cached(sql)?.execute([now - KEPT_MS])?;
    Ok(())
}

pub fn get(db: &Connection, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
    one_document(db, TABLE, "SELECT doc FROM deliveries WHERE id = ?1", id.as_str())
}

pub fn list(db: &Connection, filter: &DeliveryFilter, page: &PageRequest) -> Result<Page<Delivery>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.add("webhook_id = ?", filter.webhook_id.as_str().to_owned());
    if let Some(status) = filter.status {
        conditions.add("status = ?", word(status)?);
    }
    documents(db, List::Deliveries, TABLE, conditions, page)
}

/// Returns what is due of the enabled webhooks, and when the next is. Each webhook has `per_webhook` places, less those of
/// its messages `in_hand`: a slow receiver keeps no other waiting.
pub fn due(
    db: &Connection,
    in_hand: &BTreeMap<WebhookId, BTreeSet<DeliveryId>>,
    per_webhook: usize,
    now: EpochMs,
) -> Result<(Vec<Due>, Option<EpochMs>), StoreError> {
    let none = BTreeSet::new();
    let (mut found, mut next_at) = (Vec::new(), None);
    for webhook in webhooks::enabled(db)? {
        let busy = in_hand.get(&webhook.id).unwrap_or(&none);
        let mut free = per_webhook.saturating_sub(busy.len());
        if free == 0 {
            continue; // It is asked again when one of them ends.
        }
        let secrets = webhooks::secrets(db, &webhook.id)?;
        let read_at_most = i64::try_from(per_webhook + busy.len() + 1).unwrap_or(i64::MAX);
        let sql = "SELECT id, round, next_at, body FROM deliveries
            WHERE webhook_id = ?1 AND next_at IS NOT NULL ORDER BY next_at, row LIMIT ?2";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(params![webhook.id.as_str(), read_at_most])?;
        while let Some(row) = rows.next()? {
            let id = DeliveryId(row.get(0)?);
            if busy.contains(&id) {
                continue;
            }
            let at: EpochMs = row.get(2)?;
            if at > now {
                next_at = Some(next_at.map_or(at, |earlier: EpochMs| earlier.min(at)));
                break;
            }
            if free == 0 {
                break;
            }
            free -= 1;
            let (round, body) = (row.get(1)?, row.get(3)?);
            found.push(Due { id, round, body, webhook: webhook.clone(), secrets: secrets.clone() });
        }
    }
    Ok((found, next_at))
}

/// Ends what waits for a webhook that is gone; each can be resent.
fn give_up(db: &Connection, webhook: &WebhookId, answer: &Answer, now: EpochMs) -> Result<(), StoreError> {
    let sql = "SELECT id FROM deliveries WHERE webhook_id = ?1 AND next_at IS NOT NULL";
    let ids: Vec<String> =
        db.prepare_cached(sql)?.query_map([webhook.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        if let Some(mut delivery) = get(db, &DeliveryId(id))? {
            webhook::record(&mut delivery, answer, &Schedule::default(), now);
            update(db, &delivery)?;
        }
    }
    Ok(())
}

fn update(db: &Connection, delivery: &Delivery) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET status = ?2, next_at = ?3, doc = ?4 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        delivery.id.as_str(),
        word(delivery.status)?,
        delivery.next_attempt_at,
        json(TABLE, delivery)?
    ])?;
    Ok(())
}
