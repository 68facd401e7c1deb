//! The one thread that writes. It takes what waits, writes it in one transaction with one sync to disk, publishes the
//! events, and only then answers.
//!
//! Each change is atomic on its own: it has a savepoint, and where the transaction as a whole cannot be kept, every
//! change gets one of its own, so that one that fails costs no other.
//!
//! On a full disk a change that must be kept is written into the reserve. Until the reserve stands again, nothing else is
//! taken: it would use up what is left.

use rusqlite::{Connection, TransactionBehavior};
use sandbox_core::event::Event;
use sandbox_core::model::EpochMs;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::batch::remove_list;
use super::blobs::Blobs;
use super::change::ForgetPart;
use super::mark::Mark;
use super::open::use_log_again;
use super::reserve::Reserve;
use super::table::{
    approvals, artifacts, checkpoints, conversation, credentials, deliveries, destinations, events, forget, grants,
    handoffs, idempotency, models, password_managers, rules, sandboxes, tasks, webhooks,
};
use super::{Change, Recalled, StoreError, WebhookChange};

/// How many changes may wait; a caller beyond that waits for room.
pub(super) const QUEUE: usize = 256;
/// How many changes share a transaction at most.
const GROUP: usize = 128;

/// One thing to write, and where to say how it went. A caller that went away does not stop it.
pub(super) struct Order {
    pub work: Work,
    pub answer: oneshot::Sender<Result<Vec<Event>, StoreError>>,
}

pub(super) enum Work {
    Change(Box<Change>),
    Remember { key: String, route: String, answer: Recalled, now: EpochMs },
}

impl Work {
    /// Whether it says what is done already.
    fn must_be_kept(&self) -> bool {
        match self {
            Self::Change(change) => change.must_be_kept,
            Self::Remember { .. } => true,
        }
    }
}

/// What a kept change leads to.
#[derive(Default)]
struct Kept {
    events: Vec<Event>,
    /// Digests of contents that lost a record.
    released: Vec<String>,
    /// A sandbox was forgotten to its end.
    is_forgotten: bool,
}

pub(super) struct Writer {
    pub db: Connection,
    pub reserve: Reserve,
    pub mark: Mark,
    pub blobs: Blobs,
    pub published: broadcast::Sender<Event>,
}

impl Writer {
    /// Serves until every sender is gone and what they sent is written.
    pub(super) fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.drop_uncommitted();
        while let Some(first) = orders.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP {
                let Ok(next) = orders.try_recv() else { break };
                group.push(next);
            }
            self.serve(group);
        }
    }

    fn serve(&mut self, group: Vec<Order>) {
        let results = write_group(&mut self.db, &mut self.reserve, &group);
        if results.iter().flatten().any(|kept| !kept.events.is_empty()) {
            match events::last_number(&self.db) {
                Ok(row) => self.mark.set(row),
                Err(error) => tracing::warn!(%error, "the history's mark stays behind"),
            }
        }
        for (order, result) in group.into_iter().zip(results) {
            let answer = result.map(|kept| {
                self.drop_unused(&kept.released);
                if kept.is_forgotten
                    && let Err(error) = forget::cut_log(&self.db)
                {
                    tracing::warn!(%error, "the log of the history could not be cut");
                }
                for event in &kept.events {
                    // Nobody listening is no failure: the event is kept.
                    let _ = self.published.send(event.clone());
                }
                kept.events
            });
            // A caller that went away does not ask how it went.
            let _ = order.answer.send(answer);
        }
    }

    /// Deletes contents that an earlier runtime kept for checkpoints which it did not live to write.
    fn drop_uncommitted(&self) {
        let lists = self.blobs.left_uncommitted();
        if lists.is_empty() {
            return;
        }
        if let Err(error) = checkpoints::sweep(&self.db) {
            tracing::warn!(%error, "what an unfinished checkpoint left stays on the disk");
            return;
        }
        for (list, names) in lists {
            self.drop_unused(&names);
            remove_list(&list);
        }
    }

    /// The records are gone for good now, so their contents may go. A failure costs only room on the disk.
    fn drop_unused(&self, released: &[String]) {
        for sha256 in released {
            let dropped =
                is_used(&self.db, sha256).and_then(|used| if used { Ok(false) } else { self.blobs.delete(sha256) });
            if let Err(error) = dropped {
                tracing::warn!(sha256, %error, "a content that nothing uses stays on the disk");
            }
        }
    }
}

/// Whether a record has this content. Pictures of events are looked for by the caller that releases a content.
fn is_used(db: &Connection, sha256: &str) -> Result<bool, StoreError> {
    Ok(artifacts::uses(db, sha256)? || checkpoints::uses(db, sha256)?)
}

fn write_group(db: &mut Connection, reserve: &mut Reserve, group: &[Order]) -> Vec<Result<Kept, StoreError>> {
    let has_room = reserve.stands() || reserve.restore();
    if has_room
        && group.len() > 1
        && let Some(results) = try_group(db, group)
    {
        return results;
    }
    let mut results = Vec::with_capacity(group.len());
    for order in group {
        // A lock that was not given up while the one before waited is not waited for again.
        let busy = matches!(results.last(), Some(Err(StoreError::Busy)));
        results.push(if busy { Err(StoreError::Busy) } else { write_one(db, reserve, &order.work) });
    }
    results
}

/// Returns `None` if the shared transaction could not be kept; then nothing of it was.
fn try_group(db: &mut Connection, group: &[Order]) -> Option<Vec<Result<Kept, StoreError>>> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).ok()?;
    let mut results = Vec::with_capacity(group.len());
    for order in group {
        let savepoint = transaction.savepoint().ok()?;
        // Dropping the savepoint undoes what was written since.
        let result = apply(&savepoint, &order.work).and_then(|kept| Ok(savepoint.commit().map(|()| kept)?));
        // Some failures, a full disk among them, end the whole transaction; and what must be kept is tried again.
        let is_owed = matches!(result, Err(StoreError::Full)) && order.work.must_be_kept();
        if transaction.is_autocommit() || is_owed {
            return None;
        }
        results.push(result);
    }
    transaction.commit().ok()?;
    Some(results)
}

fn write_one(db: &mut Connection, reserve: &mut Reserve, work: &Work) -> Result<Kept, StoreError> {
    if !work.must_be_kept() {
        return if reserve.stands() { write_once(db, work) } else { Err(StoreError::Full) };
    }
    let mut written = write_once(db, work);
    if matches!(written, Err(StoreError::Full)) && reserve.release() {
        written = write_once(db, work);
    }
    if written.is_ok() && !reserve.stands() {
        use_log_again(db);
    }
    written
}

fn write_once(db: &mut Connection, work: &Work) -> Result<Kept, StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kept = apply(&transaction, work)?;
    transaction.commit()?;
    Ok(kept)
}

fn apply(db: &Connection, work: &Work) -> Result<Kept, StoreError> {
    match work {
        Work::Change(change) => apply_change(db, change),
        Work::Remember { key, route, answer, now } => {
            idempotency::put(db, key, route, answer, *now)?;
            Ok(Kept::default())
        }
    }
}

fn apply_change(db: &Connection, change: &Change) -> Result<Kept, StoreError> {
    let mut kept = Kept::default();
    for sandbox in &change.sandboxes {
        sandboxes::put(db, sandbox)?;
    }
    for task in &change.tasks {
        tasks::put(db, task)?;
    }
    for handoff in &change.handoffs {
        handoffs::put(db, handoff)?;
    }
    for approval in &change.approvals {
        approvals::put(db, approval)?;
    }
    for grant in &change.grants {
        grants::put(db, grant)?;
    }
    if let Some(all) = &change.rules {
        rules::replace(db, all)?;
    }
    for name in &change.deleted_models {
        models::delete(db, name)?;
    }
    for model in &change.models {
        models::put(db, model)?;
    }
    for entry in &change.credentials {
        credentials::put(db, entry)?;
    }
    for id in &change.deleted_credentials {
        credentials::delete(db, id)?;
    }
    for used in &change.credential_uses {
        credentials::used(db, used)?;
    }
    for (source, listed_at) in &change.connected_password_managers {
        password_managers::put(db, *source, *listed_at)?;
    }
    for source in &change.disconnected_password_managers {
        password_managers::delete(db, *source)?;
    }
    for (sandbox, counted) in &change.destinations {
        destinations::add(db, sandbox, counted)?;
    }
    for artifact in &change.artifacts {
        artifacts::put(db, artifact)?;
    }
    for key in &change.deleted_artifacts {
        kept.released.extend(artifacts::delete(db, key)?);
    }
    for (id, contents) in &change.checkpoint_contents {
        checkpoints::put_contents(db, id, contents)?;
    }
    for checkpoint in &change.checkpoints {
        checkpoints::put(db, checkpoint)?;
    }
    for id in &change.deleted_checkpoints {
        kept.released.extend(checkpoints::delete(db, id)?);
    }
    if let Some(forgotten) = &change.forgotten {
        kept.released.extend(match forgotten.part {
            ForgetPart::Events => forget::batch(db, &forgotten.id, &forgotten.plan)?,
            ForgetPart::Rest => forget::rest(db, &forgotten.id, &forgotten.plan)?,
        });
        kept.is_forgotten = forgotten.part == ForgetPart::Rest;
    }
    for (task, part) in &change.conversation {
        conversation::append(db, task, part)?;
    }
    for webhook in &change.webhooks {
        apply_webhook(db, webhook)?;
    }
    for event in &change.events {
        let event = events::append(db, event)?;
        deliveries::enqueue(db, &event)?;
        kept.events.push(event);
    }
    Ok(kept)
}

fn apply_webhook(db: &Connection, change: &WebhookChange) -> Result<(), StoreError> {
    match change {
        WebhookChange::Create { webhook, secret } => webhooks::create(db, webhook, secret),
        WebhookChange::Patch { id, patch, at } => webhooks::patch(db, id, patch, *at),
        WebhookChange::Rotate { id, secret, previous_until, at } => {
            webhooks::rotate(db, id, secret, *previous_until, *at)
        }
        WebhookChange::Delete { id } => deliveries::delete_of(db, id).and_then(|()| webhooks::delete(db, id)),
        WebhookChange::Enqueue { delivery, body } => deliveries::create(db, delivery, body),
        WebhookChange::Resend { id, at } => deliveries::resend(db, id, *at),
        WebhookChange::Tried { due, answer, schedule, at } => deliveries::tried(db, due, answer, schedule, *at),
        WebhookChange::ForgetOld { at } => deliveries::forget_old(db, *at),
    }
}
