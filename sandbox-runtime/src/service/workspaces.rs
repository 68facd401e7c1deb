//! What sandboxes hold: how much, what changes in it, and what a person deletes of it, also when a sandbox is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sandbox_core::SandboxId;
use sandbox_core::event::{FileChange, FileChanged, NewEvent};
use sandbox_core::model::{Actor, FileEntry};
use tokio::sync::broadcast;

use super::{Answer, Service, ServiceError, status_word};
use crate::driver::Driver;
use crate::now_ms;
use crate::store::{ArtifactFilter, Change};
use crate::workspace::{Changed, DiskUsage, Trash, Trashed, Watch, Workspace, WorkspaceError};

/// Watches that somebody reads, one a sandbox. Each lives as long as its readers.
pub(super) type Watches = Mutex<BTreeMap<SandboxId, Weak<Watch>>>;

/// The changes of a workspace, for as long as this is kept.
pub struct Watched {
    pub news: broadcast::Receiver<Changed>,
    _watch: Arc<Watch>,
}

/// Where a person's work on files goes.
pub(super) enum PlaceOfWork {
    Runs(Driver),
    /// The sandbox is over: nothing but the API changes its files any more.
    Over(Workspace),
}

impl PlaceOfWork {
    pub(super) fn workspace(&self) -> &Workspace {
        match self {
            Self::Runs(driver) => driver.workspace(),
            Self::Over(workspace) => workspace,
        }
    }
}

/// What a sandbox holds on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    pub workspace: DiskUsage,
    pub trash_bytes: u64,
    pub artifact_bytes: u64,
    /// Of the contents of its checkpoints, each counted once.
    pub checkpoint_bytes: u64,
}

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub entry: FileEntry,
    /// Names it in the trash, if that is where it went.
    pub trash_id: Option<String>,
}

impl Service {
    /// Returns where files are changed: in a sandbox that takes work, or in what one left that is over.
    ///
    /// # Errors
    ///
    /// `conflict` while the sandbox starts or ends.
    pub(super) async fn place_of_work(&self, id: &SandboxId) -> Answer<PlaceOfWork> {
        if self.running(id).is_some() {
            return Ok(PlaceOfWork::Runs(self.working_driver(id).await?));
        }
        let sandbox = self.sandbox(id).await?;
        if !sandbox.status.is_over() {
            let message = format!("the sandbox is {}", status_word(sandbox.status));
            return Err(ServiceError::conflict(message, sandbox.status));
        }
        Ok(PlaceOfWork::Over(self.workspace(id).await?))
    }

    /// Removes a file or folder, for good or into the trash; also of a sandbox that is over.
    pub async fn remove_file(&self, id: &SandboxId, path: String, recursive: bool, trash: bool) -> Answer<Removed> {
        let place = self.place_of_work(id).await?;
        let (workspace, bin) = (place.workspace().clone(), self.trash_of(id));
        let removed = off(move || {
            if trash {
                let Trashed { trash_id, entry, .. } = bin.discard(&workspace, &path, now_ms())?;
                return Ok(Removed { entry, trash_id: Some(trash_id) });
            }
            let entry = workspace.stat(&path)?;
            workspace.remove(&path, recursive)?;
            Ok(Removed { entry, trash_id: None })
        })
        .await?;
        self.record_change(id, &place, &removed.entry.path, FileChange::Removed).await?;
        Ok(removed)
    }

    /// Puts back what is in the trash.
    pub async fn restore_file(&self, id: &SandboxId, trash_id: String) -> Answer<FileEntry> {
        let place = self.place_of_work(id).await?;
        let (workspace, bin) = (place.workspace().clone(), self.trash_of(id));
        let entry = off(move || bin.restore(&workspace, &trash_id)).await?;
        self.record_change(id, &place, &entry.path, FileChange::Written).await?;
        Ok(entry)
    }

    /// Returns what is in the trash, newest first.
    pub async fn trashed(&self, id: &SandboxId) -> Answer<Vec<Trashed>> {
        self.sandbox(id).await?;
        let bin = self.trash_of(id);
        off(move || Ok(bin.list())).await
    }

    /// Deletes what is in the trash for good; returns how many bytes that freed.
    pub async fn empty_trash(&self, id: &SandboxId) -> Answer<u64> {
        self.sandbox(id).await?;
        let bin = self.trash_of(id);
        off(move || bin.empty()).await
    }

    /// Counts what a sandbox holds on the disk; also one that is over.
    pub async fn holdings(&self, id: &SandboxId) -> Answer<Holdings> {
        let (workspace, bin) = (self.workspace(id).await?, self.trash_of(id));
        let counted = off(move || Ok((workspace.disk_usage()?, bin.bytes())));
        let (workspace, trash_bytes) = counted.await?;
        let checkpoint_bytes = self.store().checkpoint_bytes(id).await?;
        let filter = ArtifactFilter { sandbox_id: Some(id.clone()), q: None };
        let artifacts = self.store().all_artifacts(filter).await?;
        let artifact_bytes = artifacts.iter().map(|artifact| artifact.size).sum();
        Ok(Holdings { workspace, trash_bytes, artifact_bytes, checkpoint_bytes })
    }

    /// Follows what changes in a workspace; several readers share one watch.
    pub async fn watch_files(&self, id: &SandboxId) -> Answer<Watched> {
        let workspace = self.workspace(id).await?;
        let watches = || self.inner.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let known = watches().get(id).and_then(Weak::upgrade);
        let watch = match known {
            Some(watch) => watch,
            None => {
                let started = tokio::task::spawn_blocking(move || Watch::start(workspace)).await;
                let started = Arc::new(started.map_err(ServiceError::internal)?.map_err(ServiceError::internal)?);
                let mut watches = watches();
                watches.retain(|_, watch| watch.strong_count() > 0);
                // One that another reader started meanwhile serves both.
                let watch = watches.entry(id.clone()).or_insert_with(|| Arc::downgrade(&started));
                watch.upgrade().unwrap_or(started)
            }
        };
        Ok(Watched { news: watch.subscribe(), _watch: watch })
    }

    pub(super) fn trash_of(&self, id: &SandboxId) -> Trash {
        Trash::at(self.home().join("trash").join(id.as_str()))
    }

    /// Records that a path of a sandbox that runs was changed through the API.
    pub async fn file_changed(&self, id: &SandboxId, path: &str, change: FileChange) -> Answer<()> {
        let place = PlaceOfWork::Runs(self.driver(id).await?);
        self.record_change(id, &place, path, change).await
    }

    /// Records that a path was changed through the API: by the driver, or in the history itself when there is none.
    async fn record_change(&self, id: &SandboxId, place: &PlaceOfWork, path: &str, change: FileChange) -> Answer<()> {
        let changed = FileChanged { path: path.to_owned(), change };
        match place {
            PlaceOfWork::Runs(driver) => Ok(driver.record(changed, Actor::Api).await?),
            PlaceOfWork::Over(_) => {
                let event = NewEvent::new(id, Actor::Api, now_ms(), changed);
                self.store().commit(Change { events: vec![event], ..Change::default() }).await?;
                Ok(())
            }
        }
    }
}

/// Runs file work on a thread that may wait.
async fn off<T: Send + 'static>(work: impl FnOnce() -> Result<T, WorkspaceError> + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(ServiceError::internal)?;
    Ok(done?)
}
