//! Checkpoints of a sandbox that runs: taken beside everything else, gone back to with its rooms stopped.
//!
//! ```text
//!   take:     cookies, tabs, profile ─> (does a person drive?) ─> workspace ─> contents, record
//!   go back:  one more is taken ─> folders are built beside ─> rooms stop ─> folders swapped ─> rooms start, tabs return
//! ```
//!
//! While a person drives, nothing of the browser is read. A checkpoint that Baton takes by itself delays nobody: it is
//! taken when somebody is asked, while the task waits, or beside a person who takes over unasked, of the files alone, with
//! the sign-ins and tabs as they were known before.
//! Sites keep what they store in a page's local storage in memory for up to five seconds: that is not in it yet.

use sandbox_core::CheckpointId;
use sandbox_core::control::State;
use sandbox_core::event::CheckpointCreated;
use sandbox_core::layout::{PROFILE_DIR, WORKSPACE_DIR};
use sandbox_core::model::{Actor as By, AgentStatus, Checkpoint, PreviewStatus, SandboxStatus};
use tokio_util::sync::CancellationToken;

use super::Driver;
use super::actor::Actor;
use super::beginning::{TakeError, failure, read_manifest, restored, stage};
use super::cause::Cause;
use super::refusal::{Refusal, RefusalCode, Reply};
use super::start::TABS_LIMIT;
use crate::browser::{KEPT_OF_PROFILE, Remembered, prepare_profile};
use crate::now_ms;
use crate::store::{Change, CheckpointFilter, PageRequest, StoreError};
use crate::workspace::Workspace;
use crate::workspace::checkpoint::{CheckpointError, Manifest, Part, Selection, Source, Staged, Taken, take};

/// How many of those that Baton takes by itself are kept of each sandbox.
pub const AUTOMATIC_KEPT: usize = 5;
/// A workspace that takes more of the disk is not kept without somebody asking for it.
const AUTOMATIC_MAX: u64 = 2 << 30;
/// How many contents are noted in one transaction.
const CONTENTS_AT_ONCE: usize = 2_000;

/// What to take.
struct Wanted {
    label: Option<String>,
    automatic: bool,
    /// The browser as it was known before a person drove: then nothing of it is read.
    known: Option<Remembered>,
    by: By,
}

/// What the blocking part brings.
struct Kept {
    taken: Taken,
    tabs: u64,
}

impl Driver {
    /// Takes a checkpoint.
    ///
    /// # Errors
    ///
    /// A person drives, the sandbox takes no work, or the disk is full.
    pub async fn checkpoint(&self, label: Option<String>, by: By) -> Result<Checkpoint, TakeError> {
        self.check_takes_work()?;
        let _one = self.taking.lock().await;
        self.keep(Wanted { label, automatic: false, known: None, by }).await
    }

    /// Takes a checkpoint by itself, beside everything else; one that cannot be taken is left out.
    pub(super) fn checkpoint_beside(&self, label: String, known: Option<Remembered>) {
        let driver = self.clone();
        tokio::spawn(async move {
            // One that is being taken now is as good.
            let Ok(_one) = driver.taking.try_lock() else { return };
            let workspace = driver.workspace().clone();
            let used = tokio::task::spawn_blocking(move || workspace.disk_usage()).await;
            if !used.is_ok_and(|used| used.is_ok_and(|used| used.bytes <= AUTOMATIC_MAX)) {
                return tracing::debug!(sandbox = %driver.id, "the workspace is too large for automatic checkpoints");
            }
            let wanted = Wanted { label: Some(label), automatic: true, known, by: By::System };
            if let Err(error) = driver.keep(wanted).await {
                tracing::info!(sandbox = %driver.id, %error, "an automatic checkpoint was left out");
            }
        });
    }

    /// Makes the sandbox as it was. A checkpoint of how it is now is taken before, so that this can be undone.
    ///
    /// # Errors
    ///
    /// Something is under way in the sandbox, or a person drives. Nothing was changed then.
    pub async fn go_back(&self, checkpoint: Checkpoint, by: By) -> Result<(), TakeError> {
        self.check_takes_work()?;
        self.check_at_rest()?;
        let _one = self.taking.lock().await;
        let label = checkpoint.label.as_ref().map_or_else(String::new, |label| format!(" to “{label}”"));
        let label = Some(format!("Before going back{label}"));
        self.keep(Wanted { label, automatic: true, known: None, by: By::System }).await?;
        let kit = self.kit.clone();
        let (sandbox, wanted) = (self.id.clone(), checkpoint.clone());
        let has_browser = self.browser().is_some();
        let staged = tokio::task::spawn_blocking(move || stage(&kit, sandbox, &wanted, has_browser)).await??;
        let (staged, checkpoint) = (Box::new(staged), Box::new(checkpoint));
        Ok(self.ask_actor(|answer| Cause::GoBack { staged, checkpoint, by, answer }).await?)
    }

    fn check_takes_work(&self) -> Result<(), Refusal> {
        if self.shared.borrow().sandbox.status.takes_work() {
            return Ok(());
        }
        Err(Refusal::wrong_state("the sandbox takes no work in this state"))
    }

    /// A first look, before anything is built; the actor looks again.
    fn check_at_rest(&self) -> Result<(), Refusal> {
        self.check_not_held()?;
        let shared = self.shared.borrow();
        match &shared.control {
            State::Idle { in_flight: None } if !shared.has_task => Ok(()),
            State::Idle { .. }
            | State::Agent { .. }
            | State::Settling { .. }
            | State::Person { .. }
            | State::Waiting { .. } => Err(not_at_rest()),
        }
    }

    fn check_not_held(&self) -> Result<(), Refusal> {
        if !self.is_held() {
            return Ok(());
        }
        let message = "a person holds control of the browser; a checkpoint is taken after the hand-back";
        Err(Refusal { code: RefusalCode::HeldByPerson, message: message.to_owned() })
    }

    async fn keep(&self, wanted: Wanted) -> Result<Checkpoint, TakeError> {
        self.kit.store.room_for_work()?;
        if wanted.known.is_none() {
            self.check_not_held()?;
        }
        let previous = self.newest_checkpoint().await?;
        let reads_browser = wanted.known.is_none();
        let remembered = match (wanted.known, self.browser()) {
            (Some(known), _) => known,
            (None, Some(browser)) => browser.remember().await,
            (None, None) => Remembered::default(),
        };
        let stop = CancellationToken::new();
        let _stops_when_dropped = stop.clone().drop_guard();
        let driver = self.clone();
        let mut batch = self.kit.store.blobs().batch()?;
        let kept = tokio::task::spawn_blocking(move || {
            let previous = previous.and_then(|digest| read_manifest(driver.kit.store.blobs(), &digest).ok());
            let kept = driver.keep_files(&remembered, reads_browser, previous.as_ref(), &mut batch, &stop)?;
            let manifest = batch.put(&kept.taken.manifest.encode())?;
            let new_bytes = batch.new_bytes();
            let names = batch.new_names();
            Ok::<_, TakeError>((kept, manifest, new_bytes, names, batch.finish()?))
        });
        let (kept, manifest, new_bytes, mut contents, uncommitted) = kept.await??;
        let Kept { taken, tabs } = kept;
        let checkpoint = Checkpoint {
            id: CheckpointId::from_unique(crate::unique()),
            sandbox_id: self.id.clone(),
            label: wanted.label,
            automatic: wanted.automatic,
            size: taken.manifest.size(),
            new_bytes,
            files: taken.manifest.files(),
            tabs,
            skipped: taken.skipped.clone(),
            sha256: manifest.sha256.clone(),
            created_at: now_ms(),
        };
        contents.extend(taken.manifest.contents().cloned());
        contents.insert(manifest.sha256.clone());
        let contents: Vec<String> = contents.into_iter().collect();
        for part in contents.chunks(CONTENTS_AT_ONCE) {
            let part = (checkpoint.id.clone(), part.to_vec());
            self.kit.store.commit(Change { checkpoint_contents: vec![part], ..Change::default() }).await?;
        }
        let (record, by) = (Box::new(checkpoint.clone()), wanted.by);
        self.ask_actor(|answer| Cause::Checkpoint { checkpoint: record, by, answer }).await?;
        uncommitted.committed();
        // Held until the record was committed.
        drop((taken, manifest));
        if checkpoint.automatic {
            self.forget_old_checkpoints().await?;
        }
        Ok(checkpoint)
    }

    /// Reads what goes into a checkpoint. Blocking. What was read of the browser before a person took over is left out.
    fn keep_files(
        &self,
        remembered: &Remembered,
        reads_browser: bool,
        previous: Option<&Manifest>,
        batch: &mut crate::store::Batch,
        stop: &CancellationToken,
    ) -> Result<Kept, TakeError> {
        let mut entries = Vec::new();
        let mut blobs = Vec::new();
        if reads_browser && self.browser().is_some() {
            let profile = Workspace::create(&self.kit.profile).map_err(CheckpointError::from)?;
            let selection = Selection::Only(KEPT_OF_PROFILE);
            let source = Source { part: Part::Profile, root: &profile, selection, holds_still: true };
            let taken = take(&[source], previous, batch, stop)?;
            // Not held now, so a person had typed nothing into it when it was read.
            self.check_not_held()?;
            entries.extend(taken.manifest.entries);
            blobs.extend(taken.blobs);
        } else if let Some(previous) = previous {
            for entry in previous.part(Part::Profile) {
                for name in entry.chunks().iter().flatten() {
                    blobs.push(batch.hold(name)?);
                }
                entries.push(entry.clone());
            }
        }
        let root = self.workspace();
        let source = Source { part: Part::Workspace, root, selection: Selection::All, holds_still: false };
        let mut taken = take(&[source], previous, batch, stop)?;
        taken.blobs.extend(blobs);
        entries.extend(std::mem::take(&mut taken.manifest.entries));
        let state = serde_json::to_value(remembered).unwrap_or_default();
        taken.manifest = Manifest::new(state, entries);
        Ok(Kept { taken, tabs: remembered.tabs() as u64 })
    }

    async fn newest_checkpoint(&self) -> Result<Option<String>, StoreError> {
        let filter = CheckpointFilter { sandbox_id: self.id.clone(), automatic: None };
        let newest = self.kit.store.checkpoints(filter, PageRequest { limit: 1, cursor: None }).await?;
        Ok(newest.data.into_iter().next().map(|checkpoint| checkpoint.sha256))
    }

    /// Deletes the oldest of those that were taken automatically.
    async fn forget_old_checkpoints(&self) -> Result<(), StoreError> {
        let filter = CheckpointFilter { sandbox_id: self.id.clone(), automatic: Some(true) };
        let page = PageRequest { limit: PageRequest::MAX_LIMIT, cursor: None };
        let found = self.kit.store.checkpoints(filter, page).await?;
        let old: Vec<CheckpointId> = found.data.into_iter().skip(AUTOMATIC_KEPT).map(|old| old.id).collect();
        if !old.is_empty() {
            self.kit.store.commit(Change { deleted_checkpoints: old, ..Change::default() }).await?;
        }
        Ok(())
    }
}

impl Actor {
    pub(super) async fn add_checkpoint(&mut self, checkpoint: Checkpoint, by: By) -> Result<(), Refusal> {
        let created = CheckpointCreated {
            id: checkpoint.id.clone(),
            label: checkpoint.label.clone(),
            automatic: checkpoint.automatic,
            size: checkpoint.size,
            new_bytes: checkpoint.new_bytes,
        };
        let events = vec![self.event(created, by)];
        self.commit_change(Change { checkpoints: vec![checkpoint], events, ..Change::default() }).await
    }

    /// Stops the rooms, puts the built folders in their place, and starts the rooms again.
    pub(super) async fn go_back(&mut self, mut staged: Staged, checkpoint: Checkpoint, by: By, answer: Reply<()>) {
        let takes_work = self.sandbox.status.takes_work();
        if !takes_work || self.task.is_some() || !self.is_at_rest() {
            return super::actor::reply(answer, Err(not_at_rest()));
        }
        self.sandbox.status = SandboxStatus::Assigning;
        self.sandbox.agent.status = AgentStatus::Off;
        if self.sandbox.preview.status != PreviewStatus::Off {
            self.sandbox.preview.status = PreviewStatus::Starting;
        }
        self.must_commit(vec![]).await;
        self.stop_rooms().await;
        let swapped = tokio::task::spawn_blocking(move || staged.swap().map(|()| staged)).await;
        let staged = match swapped.map_err(TakeError::from).and_then(|done| Ok(done?)) {
            Ok(staged) => staged,
            Err(error) => {
                self.fail(failure(&error)).await;
                return super::actor::reply(answer, Err(Refusal::wrong_state(error.to_string())));
            }
        };
        let restored = self.event(restored(&checkpoint, &self.sandbox.id), by);
        self.must_commit(vec![restored]).await;
        let profile = self.kit.profile.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            staged.committed();
            prepare_profile(&profile, WORKSPACE_DIR, PROFILE_DIR)
        });
        if let Ok(Err(error)) = prepared.await {
            tracing::warn!(%error, "the browser's profile could not be prepared");
        }
        super::actor::reply(answer, Ok(()));
        self.start().await;
    }

    /// Brings back what the browser was given, once what it sends may be held.
    pub(super) fn bring_back(&mut self, remembered: Remembered) {
        let Some(rooms) = &mut self.rooms else { return };
        let Some(desktop) = rooms.desktop.as_mut().filter(|_| remembered.tabs() > 0) else { return };
        desktop.is_back = false;
        let (browser, number) = (desktop.browser.clone(), desktop.room.number);
        let inbox = self.driver.inbox.clone();
        rooms.restarts.spawn(async move {
            if tokio::time::timeout(TABS_LIMIT, browser.reopen(&remembered)).await.is_err() {
                tracing::warn!("tabs that came back still load");
            }
            // The actor may have ended.
            let _ = inbox.send(Cause::Returned(number)).await;
        });
    }

    /// The tabs that the browser was given are back.
    pub(super) fn returned(&mut self, number: u32) {
        let desktop = self.rooms.as_mut().and_then(|rooms| rooms.desktop.as_mut());
        let Some(desktop) = desktop.filter(|desktop| desktop.room.number == number) else { return };
        desktop.is_back = true;
        self.show();
        self.grant_turns();
    }

    /// Takes a checkpoint before a person drives who was asked, or whose answer is waited for.
    pub(super) fn checkpoint_before(&self, what: &str) {
        self.driver.checkpoint_beside(format!("Before {what}"), None);
    }

    /// Takes a checkpoint beside a person who took over unasked: of the browser, what was known before.
    pub(super) fn checkpoint_at_takeover(&self) {
        let known = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        let known = known.map(|desktop| desktop.browser.remembered(true)).unwrap_or_default();
        self.driver.checkpoint_beside("Before you took over".to_owned(), Some(known));
    }
}

fn not_at_rest() -> Refusal {
    Refusal::wrong_state("something is under way in this sandbox; stop the task, wait for commands, then go back")
}
