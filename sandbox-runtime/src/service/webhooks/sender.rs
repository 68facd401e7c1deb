//! Sends what the outbox holds. One loop; it wakes by a commit, by the time of the next attempt, and by a start.
//!
//! An attempt that a kill cuts off was not written down, so the message is still due at the next start: every message is
//! sent at least once, and its id is the same each time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sandbox_core::event::Event;
use sandbox_core::model::EpochMs;
use sandbox_core::webhook::{Answer, Schedule};
use sandbox_core::{DeliveryId, WebhookId};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::post::post;
use super::secrets::Secrets;
use crate::now_ms;
use crate::service::{ErrorCode, ServiceError};
use crate::store::{Change, Due, Store, StoreError, WebhookChange};

/// Replaces the waits between attempts, in milliseconds with commas between.
const RETRIES_VARIABLE: &str = "BATON_WEBHOOK_RETRIES_MS";
/// How many messages of one webhook are under way at once.
const PER_WEBHOOK: usize = 4;
/// How long to wait after the history could not be read or written.
const HISTORY_PAUSE: Duration = Duration::from_secs(2);
/// The clock is looked at again after this at the latest: it may be set, and the machine may sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The running loop; it ends when this is dropped.
pub(in crate::service) struct Sender {
    secrets: Arc<Secrets>,
    wake: Arc<Notify>,
    tried: watch::Receiver<()>,
    stop: CancellationToken,
    running: Mutex<Option<JoinHandle<()>>>,
    _stops_when_dropped: DropGuard,
}

impl Sender {
    /// Starts the loop. Blocks for a moment, as it reads the key.
    ///
    /// # Errors
    ///
    /// The key cannot be read or made, or the schedule of the environment is none.
    pub(in crate::service) async fn start(home: &Path, store: Store) -> Result<Self, ServiceError> {
        let home = home.to_owned();
        let opened = tokio::task::spawn_blocking(move || Secrets::open(&home)).await.map_err(ServiceError::internal)?;
        let secrets = opened.map_err(|error| ServiceError::new(ErrorCode::Unavailable, error.to_string()))?;
        let secrets = Arc::new(secrets);
        let schedule = match std::env::var(RETRIES_VARIABLE) {
            Ok(text) => Schedule::parse(&text)
                .map_err(|error| ServiceError::new(ErrorCode::Unavailable, format!("{RETRIES_VARIABLE}: {error}")))?,
            Err(_) => Schedule::default(),
        };
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let (tell, tried) = watch::channel(());
        let sending = Sending {
            published: store.subscribe(),
            store,
            secrets: secrets.clone(),
            schedule,
            wake: wake.clone(),
            tell,
            stop: stop.clone(),
            attempts: JoinSet::new(),
            in_hand: HashMap::new(),
            unwritten: vec![WebhookChange::ForgetOld { at: now_ms() }],
        };
        let running = Mutex::new(Some(tokio::spawn(sending.run())));
        Ok(Self { secrets, wake, tried, running, _stops_when_dropped: stop.clone().drop_guard(), stop })
    }

    /// Says that the outbox may hold something new.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Seals bytes for the history with the key that lies next to it.
    pub(in crate::service) fn seal(&self, owner: &str, bytes: &[u8]) -> Result<String, ServiceError> {
        self.secrets.seal(owner, bytes)
    }

    /// Opens what was sealed for the same owner.
    pub(in crate::service) fn unseal(&self, owner: &str, sealed: &str) -> Option<Vec<u8>> {
        self.secrets.unseal(owner, sealed)
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Hears each time that attempts were written down.
    pub(super) fn tried(&self) -> watch::Receiver<()> {
        self.tried.clone()
    }

    /// Ends the loop; what is under way is sent again at the next start.
    pub(in crate::service) async fn stop(&self) {
        self.stop.cancel();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            // A panic was logged where it happened.
            let _ = running.await;
        }
    }
}

struct Sending {
    store: Store,
    published: broadcast::Receiver<Event>,
    secrets: Arc<Secrets>,
    schedule: Schedule,
    wake: Arc<Notify>,
    tell: watch::Sender<()>,
    stop: CancellationToken,
    attempts: JoinSet<Answer>,
    /// What each attempt under way sends.
    in_hand: HashMap<Id, Due>,
    /// What is still to be written down; nothing is begun before it is, or it would be sent again.
    unwritten: Vec<WebhookChange>,
}

impl Sending {
    async fn run(mut self) {
        loop {
            let sleep = match self.advance().await {
                Ok(next_at) => sleep_until(next_at),
                Err(error) => {
                    tracing::warn!(%error, "webhooks wait for the history");
                    HISTORY_PAUSE
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(ended) = self.attempts.join_next_with_id() => self.note(ended),
                () = self.wake.notified() => {}
                published = self.published.recv() => match published {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                () = tokio::time::sleep(sleep) => {}
            }
            // Whatever else has come meanwhile is served by one look at the outbox.
            while self.published.try_recv().is_ok() {}
            while let Some(ended) = self.attempts.try_join_next_with_id() {
                self.note(ended);
            }
        }
        self.attempts.shutdown().await;
    }

    /// Writes down what ended, begins what is due, and returns when there is more to do.
    async fn advance(&mut self) -> Result<Option<EpochMs>, StoreError> {
        if !self.unwritten.is_empty() {
            let change = Change { webhooks: self.unwritten.clone(), ..Change::default() };
            self.store.commit(change).await?;
            self.unwritten.clear();
            // Nobody may be waiting for it.
            let _ = self.tell.send(());
        }
        let mut in_hand: BTreeMap<WebhookId, BTreeSet<DeliveryId>> = BTreeMap::new();
        for due in self.in_hand.values() {
            in_hand.entry(due.webhook.id.clone()).or_default().insert(due.id.clone());
        }
        let (found, next_at) = self.store.due_deliveries(in_hand, PER_WEBHOOK, now_ms()).await?;
        for due in found {
            let (secrets, sent) = (self.secrets.clone(), due.clone());
            let attempt = self.attempts.spawn(async move { post(&secrets, &sent).await });
            self.in_hand.insert(attempt.id(), due);
        }
        Ok(next_at)
    }

    /// Notes how an attempt ended; one that panicked has failed, and is tried again like any other.
    fn note(&mut self, ended: Result<(Id, Answer), JoinError>) {
        let (id, answer) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "an attempt to deliver broke off");
                (error.id(), Answer::None { cause: "the attempt broke off; the cause is in the log".to_owned() })
            }
        };
        if let Some(due) = self.in_hand.remove(&id) {
            let schedule = self.schedule.clone();
            self.unwritten.push(WebhookChange::Tried { due, answer, schedule, at: now_ms() });
        }
    }
}

fn sleep_until(next_at: Option<EpochMs>) -> Duration {
    let wait_ms = next_at.map(|at| u64::try_from(at - now_ms()).unwrap_or_default());
    wait_ms.map_or(LONGEST_SLEEP, |wait_ms| Duration::from_millis(wait_ms).min(LONGEST_SLEEP))
}
