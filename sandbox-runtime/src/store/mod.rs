//! History: SQLite, one writer thread, a few readers; blobs are files by content hash.
//!
//! ```text
//! commit ─> bounded queue ─> writer: one transaction for all that waits ─> disk ─> broadcast ─> answer
//! questions ─> bounded queue ─> readers, read-only connections
//! ```
//!
//! Owns `history.db`, `history.mark`, `reserve` and `blobs/` beneath the data directory, the numbers of events, and the order of their publication.
//! Leaves to others: what a record means, and that only one runtime uses a data directory.
//!
//! What `commit` answered for is on the disk, and an event is published only after that.
//!
//! On a full disk a change is refused, unless it must be kept; reading goes on. What is wrong with the files is told by
//! [`Store::troubles`]: a glance at the start, a check of everything in the background, a look at each content that is read.

mod batch;
mod blobs;
mod change;
mod check;
mod connection;
mod error;
mod hashed;
mod mark;
mod migrate;
mod open;
mod page;
mod readers;
mod reserve;
mod table;
#[cfg(test)]
mod tests;
mod trouble;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sandbox_core::event::Event;
use sandbox_core::model::{
    Approval, Artifact, Checkpoint, Credential, CredentialSource, CredentialUse, Delivery, EpochMs, Grant, Handoff,
    ModelInfo, NetworkDestination, Page, Rule, Sandbox, Task, Webhook,
};
use sandbox_core::{
    ApprovalId, ArtifactKey, CheckpointId, CredentialId, DeliveryId, EventId, GrantId, HandoffId, SandboxId, TaskId,
    WebhookId,
};
use tokio::sync::{broadcast, mpsc, oneshot};

pub use batch::{Batch, Uncommitted};
pub use blobs::{Blob, Blobs};
pub use change::{
    ApprovalFilter, ArtifactFilter, Chained, ChainedLine, Change, CheckpointFilter, DeliveryFilter, Due, EventFilter,
    Forget, GrantFilter, HandoffFilter, Hit, Recalled, Records, SandboxFilter, SealedSecret, TaskFilter, Unfinished,
    WebhookChange,
};
pub use error::StoreError;
pub use hashed::{Copied, copy_hashed};
pub use open::{Lost, Opened, SetAside};
pub use page::PageRequest;
pub use table::events::MAX_LIMIT as MAX_EVENTS;
pub use trouble::Trouble;

use change::ForgetPart;
use connection::Way;
use mark::Mark;
use migrate::{MIGRATIONS, Migration};
use readers::Readers;
use reserve::{Reserve, Room};
use rusqlite::{Connection, InterruptHandle};
use table::{
    approvals, artifacts, checkpoints, conversation, credentials, deliveries, destinations, events, forget, grants,
    handoffs, idempotency, models, password_managers, rules, sandboxes, search, tasks, webhooks,
};
use trouble::Findings;
use writer::{Order, Work, Writer};

/// How many events a subscriber may lag behind before it has to read them from the history.
const PUBLISHED_KEPT: usize = 4096;

/// The history of one data directory. Cheap to clone; the last clone to go waits until everything sent is written.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` only while dropping: without senders the threads end.
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
    published: broadcast::Sender<Event>,
    blobs: Blobs,
    opened: Opened,
    findings: Findings,
    room: Room,
    /// The check in the background, and what ends it early; `None` only while dropping.
    check: Option<(JoinHandle<()>, InterruptHandle)>,
}

struct Queues {
    orders: mpsc::Sender<Order>,
    readers: Readers,
}

/// What tests set differently.
struct Tuning {
    migrations: &'static [Migration],
    /// Most pages the file may have, as a small disk would allow.
    max_pages: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { migrations: MIGRATIONS, max_pages: None }
    }
}

impl Store {
    /// Opens the history beneath `home`, making it if there is none. Blocks: it looks at the file and migrates it; the whole
    /// file is checked in the background.
    ///
    /// A damaged file is set aside and the history begins anew; [`Store::opened`] says so.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`], [`StoreError::NotOurs`], [`StoreError::Busy`], or what the file system said; the file is
    /// then as it was.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        Self::open_with(home, Tuning::default())
    }

    fn open_with(home: &Path, tuning: Tuning) -> Result<Self, StoreError> {
        let path = home.join("history.db");
        open::make_private(&path)?;
        let (mut reserve, mark) = (Reserve::beneath(home), Mark::beneath(home));
        let (way, (db, opened)) = open_on_any_disk(&path, tuning.migrations, &mark, &mut reserve)?;
        if let Some(max_pages) = tuning.max_pages {
            let _: i64 = db.pragma_update_and_check(None, "max_page_count", max_pages, |row| row.get(0))?;
        }
        let (findings, room) = (Findings::default(), reserve.room(home));
        let blobs = Blobs::beneath(&home.join("blobs"), findings.clone())?;
        let (readers, mut threads) = Readers::start(&path, way)?;
        let check = Some(check::in_background(&path, way, findings.clone())?);
        let (orders, received) = mpsc::channel(writer::QUEUE);
        let (published, _) = broadcast::channel(PUBLISHED_KEPT);
        let writer = Writer { db, reserve, mark, blobs: blobs.clone(), published: published.clone() };
        let thread = thread::Builder::new().name("history-writer".to_owned());
        threads.push(thread.spawn(|| writer.run(received)).map_err(StoreError::io("start the writer of", path))?);
        let queues = Some(Queues { orders, readers });
        Ok(Self { shared: Arc::new(Shared { queues, threads, published, blobs, opened, findings, room, check }) })
    }

    /// Returns what was met when the history was opened.
    pub fn opened(&self) -> &Opened {
        &self.shared.opened
    }

    /// Returns what is wrong with the history's files and its disk, as far as it is known now.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = self.shared.opened.troubles();
        troubles.extend(self.shared.findings.all());
        troubles.extend(self.room_for_work().is_err().then_some(Trouble::Full));
        troubles
    }

    /// Whether new work may begin: on a full disk it is refused before anything is done.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`].
    pub fn room_for_work(&self) -> Result<(), StoreError> {
        self.shared.room.for_work()
    }

    /// Whether a change that must be kept will find room.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`].
    pub fn room_for_what_must_be_kept(&self) -> Result<(), StoreError> {
        self.shared.room.for_what_must_be_written()
    }

    /// Writes the change in one transaction, numbers its events, publishes them, and returns them.
    ///
    /// All of it is on the disk when this returns, or nothing of it is kept. A caller that stops waiting does not stop
    /// the change.
    pub async fn commit(&self, change: Change) -> Result<Vec<Event>, StoreError> {
        self.order(Work::Change(Box::new(change))).await
    }

    /// Hears of events after they are committed, in the order of their commits.
    ///
    /// Who lags behind too far is told by the channel, and reads on with [`Store::events`] after the last one it has.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.published.subscribe()
    }

    pub async fn sandbox(&self, id: &SandboxId) -> Result<Option<Sandbox>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| sandboxes::get(db, &id)).await
    }

    pub async fn sandboxes(&self, filter: SandboxFilter, page: PageRequest) -> Result<Page<Sandbox>, StoreError> {
        self.readers().ask(move |db| sandboxes::list(db, &filter, &page)).await
    }

    pub async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| tasks::get(db, &id)).await
    }

    pub async fn tasks(&self, filter: TaskFilter, page: PageRequest) -> Result<Page<Task>, StoreError> {
        self.readers().ask(move |db| tasks::list(db, &filter, &page)).await
    }

    pub async fn handoff(&self, id: &HandoffId) -> Result<Option<Handoff>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| handoffs::get(db, &id)).await
    }

    pub async fn handoffs(&self, filter: HandoffFilter, page: PageRequest) -> Result<Page<Handoff>, StoreError> {
        self.readers().ask(move |db| handoffs::list(db, &filter, &page)).await
    }

    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| approvals::get(db, &id)).await
    }

    pub async fn approvals(&self, filter: ApprovalFilter, page: PageRequest) -> Result<Page<Approval>, StoreError> {
        self.readers().ask(move |db| approvals::list(db, &filter, &page)).await
    }

    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| grants::get(db, &id)).await
    }

    pub async fn grants(&self, filter: GrantFilter, page: PageRequest) -> Result<Page<Grant>, StoreError> {
        self.readers().ask(move |db| grants::list(db, &filter, &page)).await
    }

    /// Returns a person's rules, in their order.
    pub async fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        self.readers().ask(rules::all).await
    }

    /// Returns the models that were set, by name.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, StoreError> {
        self.readers().ask(models::all).await
    }

    pub async fn model(&self, name: &str) -> Result<Option<ModelInfo>, StoreError> {
        let name = name.to_owned();
        self.readers().ask(move |db| models::get(db, &name)).await
    }

    /// Returns every entry of the vault, without values.
    pub async fn all_credentials(&self) -> Result<Vec<Credential>, StoreError> {
        self.readers().ask(credentials::all).await
    }

    pub async fn credential(&self, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| credentials::get(db, &id)).await
    }

    pub async fn credentials(&self, page: PageRequest) -> Result<Page<Credential>, StoreError> {
        self.readers().ask(move |db| credentials::list(db, &page)).await
    }

    /// Returns the ledger of an entry, newest first; also of one that was deleted.
    pub async fn credential_uses(
        &self,
        id: CredentialId,
        page: PageRequest,
    ) -> Result<Page<CredentialUse>, StoreError> {
        self.readers().ask(move |db| credentials::uses(db, &id, &page)).await
    }

    /// Returns the password managers that are connected, with when each was listed.
    pub async fn password_managers(&self) -> Result<BTreeMap<CredentialSource, EpochMs>, StoreError> {
        self.readers().ask(password_managers::all).await
    }

    /// Returns the destinations of a sandbox, the most bytes first.
    pub async fn destinations(&self, id: SandboxId) -> Result<Vec<NetworkDestination>, StoreError> {
        self.readers().ask(move |db| destinations::of(db, &id)).await
    }

    pub async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| webhooks::get(db, &id)).await
    }

    pub async fn webhooks(&self, page: PageRequest) -> Result<Page<Webhook>, StoreError> {
        self.readers().ask(move |db| webhooks::list(db, &page)).await
    }

    pub async fn count_webhooks(&self) -> Result<u32, StoreError> {
        self.readers().ask(webhooks::count).await
    }

    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| deliveries::get(db, &id)).await
    }

    pub async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>, StoreError> {
        self.readers().ask(move |db| deliveries::list(db, &filter, &page)).await
    }

    /// Returns the messages to send now, at most `per_webhook` at once for each webhook with those `in_hand`, and when the
    /// next one is due.
    pub async fn due_deliveries(
        &self,
        in_hand: BTreeMap<WebhookId, BTreeSet<DeliveryId>>,
        per_webhook: usize,
        now: EpochMs,
    ) -> Result<(Vec<Due>, Option<EpochMs>), StoreError> {
        self.readers().ask(move |db| deliveries::due(db, &in_hand, per_webhook, now)).await
    }

    pub async fn artifact(&self, key: &ArtifactKey) -> Result<Option<Artifact>, StoreError> {
        let key = key.clone();
        self.readers().ask(move |db| artifacts::get(db, &key)).await
    }

    pub async fn artifacts(&self, filter: ArtifactFilter, page: PageRequest) -> Result<Page<Artifact>, StoreError> {
        self.readers().ask(move |db| artifacts::list(db, &filter, &page)).await
    }

    pub async fn checkpoint(&self, id: &CheckpointId) -> Result<Option<Checkpoint>, StoreError> {
        let id = id.clone();
        self.readers().ask(move |db| checkpoints::get(db, &id)).await
    }

    pub async fn checkpoints(
        &self,
        filter: CheckpointFilter,
        page: PageRequest,
    ) -> Result<Page<Checkpoint>, StoreError> {
        self.readers().ask(move |db| checkpoints::list(db, &filter, &page)).await
    }

    /// Returns how many bytes of contents the checkpoints of a sandbox take on the disk, each content counted once.
    pub async fn checkpoint_bytes(&self, sandbox: &SandboxId) -> Result<u64, StoreError> {
        let sandbox = sandbox.clone();
        let contents = self.readers().ask(move |db| checkpoints::contents_of(db, &sandbox)).await?;
        self.sizes(contents).await
    }

    /// Reads events in the order of their commits, at most `limit` of them (1..=[`MAX_EVENTS`]).
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchEvent`] if the one to go on after is not in the history.
    pub async fn events(&self, filter: EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.readers().ask(move |db| events::list(db, &filter, limit)).await
    }

    /// Returns the conversation of a task so far, oldest part first.
    pub async fn conversation(&self, task: &TaskId) -> Result<Vec<serde_json::Value>, StoreError> {
        let task = task.clone();
        self.readers().ask(move |db| conversation::of(db, &task)).await
    }

    /// Returns the id of the event that was committed last.
    pub async fn newest_event(&self) -> Result<Option<EventId>, StoreError> {
        self.readers().ask(events::newest).await
    }

    /// Finds tasks by their words or those of their events, and events outside any task; newest first.
    ///
    /// Any text is a valid query: its parts between blanks must all occur. One without parts finds nothing.
    pub async fn search(&self, q: &str, page: PageRequest) -> Result<Page<Hit>, StoreError> {
        let q = q.to_owned();
        self.readers().ask(move |db| search::find(db, &q, &page)).await
    }

    /// Returns every handoff, approval and artifact of a sandbox.
    pub async fn records(&self, id: &SandboxId) -> Result<Records, StoreError> {
        let sandbox_id = Some(id.clone());
        self.readers()
            .ask(move |db| {
                let of_handoffs = HandoffFilter { sandbox_id: sandbox_id.clone(), status: None };
                let of_approvals = ApprovalFilter { sandbox_id: sandbox_id.clone(), status: None };
                let of_artifacts = ArtifactFilter { sandbox_id, q: None };
                Ok(Records {
                    handoffs: page::all(|page| handoffs::list(db, &of_handoffs, page))?,
                    approvals: page::all(|page| approvals::list(db, &of_approvals, page))?,
                    artifacts: page::all(|page| artifacts::list(db, &of_artifacts, page))?,
                })
            })
            .await
    }

    /// Returns all artifacts that fit, oldest first.
    pub async fn all_artifacts(&self, filter: ArtifactFilter) -> Result<Vec<Artifact>, StoreError> {
        self.readers().ask(move |db| page::all(|page| artifacts::list(db, &filter, page))).await
    }

    /// Returns a task's events as the chain knows them. All of them in memory: a long task has some megabytes.
    pub async fn chained(&self, id: &TaskId) -> Result<Chained, StoreError> {
        let sought = id.clone();
        self.readers()
            .ask(move |db| {
                let (Some(task), Some((first, last))) = (tasks::get(db, &sought)?, events::span(db, &sought)?) else {
                    return Ok(Chained::default());
                };
                let previous = events::hash_before(db, &task.sandbox_id, first)?.unwrap_or_default();
                let (mut lines, mut next) = (Vec::new(), first);
                while next <= last {
                    let wanted = usize::try_from(last - next + 1).unwrap_or(MAX_EVENTS);
                    let part = events::lines(db, &task.sandbox_id, next, wanted)?;
                    let Some(newest) = part.last() else { break };
                    next = newest.seq + 1;
                    lines.extend(part);
                }
                Ok(Chained { previous, lines })
            })
            .await
    }

    /// Returns what had not ended, oldest first: what a restart has to say something about.
    pub async fn unfinished(&self) -> Result<Unfinished, StoreError> {
        self.readers()
            .ask(|db| {
                Ok(Unfinished {
                    sandboxes: sandboxes::unfinished(db)?,
                    tasks: tasks::unfinished(db)?,
                    handoffs: handoffs::unfinished(db)?,
                    approvals: approvals::unfinished(db)?,
                })
            })
            .await
    }

    /// Returns the answer that this idempotency key was given for this route within the last day.
    pub async fn recall(&self, key: &str, route: &str) -> Result<Option<Recalled>, StoreError> {
        let (key, route, now) = (key.to_owned(), route.to_owned(), crate::now_ms());
        self.readers().ask(move |db| idempotency::get(db, &key, &route, now)).await
    }

    /// Keeps the answer for a day; a key that has one keeps its first.
    pub async fn remember(&self, key: &str, route: &str, answer: Recalled) -> Result<(), StoreError> {
        let now: EpochMs = crate::now_ms();
        let work = Work::Remember { key: key.to_owned(), route: route.to_owned(), answer, now };
        self.order(work).await.map(|_| ())
    }

    /// Deletes everything that the history has of a sandbox that is over, and the contents that only it used.
    /// Returns how many bytes of contents went.
    pub async fn forget(&self, id: &SandboxId) -> Result<u64, StoreError> {
        let sought = id.clone();
        let plan = self.readers().ask(move |db| forget::plan(db, &sought)).await?;
        let sizes = self.sizes(plan.contents.iter().cloned().collect()).await?;
        for _ in 0..plan.n_events.div_ceil(forget::BATCH) {
            self.forget_part(id, &plan, ForgetPart::Events).await?;
        }
        self.forget_part(id, &plan, ForgetPart::Rest).await?;
        let left = self.sizes(plan.contents.into_iter().collect()).await?;
        Ok(sizes.saturating_sub(left))
    }

    async fn forget_part(&self, id: &SandboxId, plan: &forget::Plan, part: ForgetPart) -> Result<(), StoreError> {
        let forget = Forget { id: id.clone(), plan: plan.clone(), part };
        self.commit(Change { forgotten: Some(forget), ..Change::default() }).await.map(|_| ())
    }

    /// Returns how many bytes these contents have together; none for one that is not there.
    async fn sizes(&self, contents: Vec<String>) -> Result<u64, StoreError> {
        let blobs = self.blobs().clone();
        let summed = tokio::task::spawn_blocking(move || contents.iter().filter_map(|digest| blobs.size(digest)).sum());
        summed.await.map_err(|_| StoreError::Closed)
    }

    /// Returns the contents that records refer to. Its calls block.
    pub fn blobs(&self) -> &Blobs {
        &self.shared.blobs
    }

    async fn order(&self, work: Work) -> Result<Vec<Event>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queues().orders.send(Order { work, answer }).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    fn readers(&self) -> &Readers {
        &self.queues().readers
    }

    fn queues(&self) -> &Queues {
        self.shared.queues.as_ref().expect("queues are taken away only when the last clone is dropped")
    }
}

/// Opens the database also where the disk is full: with the room of the reserve, or else without the file that connections
/// share. Then everything can be read, and changes wait for room.
fn open_on_any_disk(
    path: &Path,
    migrations: &'static [Migration],
    mark: &Mark,
    reserve: &mut Reserve,
) -> Result<(Way, (Connection, Opened)), StoreError> {
    let shared = open::writer(path, migrations, mark, Way::Shared);
    if !matches!(shared, Err(StoreError::Full)) {
        return Ok((Way::Shared, shared?));
    }
    if reserve.release()
        && let Ok(opened) = open::writer(path, migrations, mark, Way::Shared)
    {
        return Ok((Way::Shared, opened));
    }
    Ok((Way::Alone, open::writer(path, migrations, mark, Way::Alone)?))
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queues = None;
        if let Some((check, interrupt)) = self.check.take() {
            // What has not begun is not interrupted: it is asked to end until it does.
            while !check.is_finished() {
                interrupt.interrupt();
                thread::sleep(Duration::from_millis(1));
            }
            self.threads.push(check);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the history panicked");
            }
        }
    }
}
