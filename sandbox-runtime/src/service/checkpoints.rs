//! Checkpoints: taken, listed, compared, gone back to, deleted.

use sandbox_core::event::{CheckpointRestored, NewEvent};
use sandbox_core::model::{Actor, Checkpoint, CheckpointDiff, LimitsInForce, Page, Sandbox};
use sandbox_core::{CheckpointId, SandboxId, plain_name};

use super::workspaces::PlaceOfWork;
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::driver::TakeError;
use crate::now_ms;
use crate::store::{Change, CheckpointFilter, PageRequest};
use crate::workspace::checkpoint::{CheckpointError, Manifest, Part, Staged, Target, differences, file_at, finish_all};

const LONGEST_LABEL: usize = 200;
/// Largest file that is shown as it was then.
const SHOWN_MAX: u64 = 16 << 20;

impl Service {
    /// Takes a checkpoint of a sandbox that runs.
    pub async fn create_checkpoint(&self, id: &SandboxId, label: Option<String>) -> Answer<Checkpoint> {
        let label = check_label(label)?;
        Ok(self.working_driver(id).await?.checkpoint(label, Actor::Api).await?)
    }

    /// Lists the checkpoints of a sandbox, newest first; also of one that is over.
    pub async fn checkpoints(&self, id: &SandboxId, page: PageRequest) -> Answer<Page<Checkpoint>> {
        self.sandbox(id).await?;
        let filter = CheckpointFilter { sandbox_id: id.clone(), automatic: None };
        Ok(self.store().checkpoints(filter, page).await?)
    }

    async fn checkpoint_of(&self, id: &SandboxId, checkpoint: &CheckpointId) -> Answer<Checkpoint> {
        self.sandbox(id).await?;
        let found = self.store().checkpoint(checkpoint).await?.filter(|found| found.sandbox_id == *id);
        found.ok_or_else(|| ServiceError::not_found("checkpoint", checkpoint))
    }

    /// Makes a sandbox as it was. One that runs starts again with its files, sign-ins and tabs; of one that is over, the
    /// files come back.
    pub async fn restore_checkpoint(&self, id: &SandboxId, checkpoint: &CheckpointId) -> Answer<Sandbox> {
        let checkpoint = self.checkpoint_of(id, checkpoint).await?;
        match self.place_of_work(id).await? {
            PlaceOfWork::Runs(driver) => driver.go_back(checkpoint, Actor::Api).await?,
            PlaceOfWork::Over(_) => self.restore_files(id, checkpoint).await?,
        }
        self.sandbox(id).await
    }

    async fn restore_files(&self, id: &SandboxId, checkpoint: Checkpoint) -> Answer<()> {
        let (home, blobs, sandbox) = (self.home().to_owned(), self.store().blobs().clone(), id.clone());
        let (cid, label) = (checkpoint.id.clone(), checkpoint.label.clone());
        let folder = std::path::Path::new("workspaces").join(id.as_str());
        let swapped = tokio::task::spawn_blocking(move || {
            let manifest = Manifest::decode(&blobs.read(&checkpoint.sha256)?)?;
            let targets = vec![Target { part: Part::Workspace, folder }];
            let (stop, ids) = (tokio_util::sync::CancellationToken::new(), (sandbox, checkpoint.id));
            let mut staged = Staged::build(&home, ids, &manifest, targets, None, &blobs, &stop)?;
            staged.swap()?;
            Ok::<_, CheckpointError>(staged)
        });
        let staged = swapped.await.map_err(ServiceError::internal)??;
        let restored = CheckpointRestored { id: cid, label, from: None };
        let event = NewEvent::new(id, Actor::Api, now_ms(), restored);
        self.store().commit(Change { events: vec![event], ..Change::default() }).await?;
        tokio::task::spawn_blocking(move || staged.committed()).await.map_err(ServiceError::internal)
    }

    /// Deletes a checkpoint, and the contents that nothing else uses.
    pub async fn delete_checkpoint(&self, id: &SandboxId, checkpoint: &CheckpointId) -> Answer<Checkpoint> {
        let found = self.checkpoint_of(id, checkpoint).await?;
        self.store().commit(Change { deleted_checkpoints: vec![found.id.clone()], ..Change::default() }).await?;
        Ok(found)
    }

    /// Compares the files of a sandbox with those of one of its checkpoints.
    pub async fn compare_checkpoint(&self, id: &SandboxId, checkpoint: &CheckpointId) -> Answer<CheckpointDiff> {
        let found = self.checkpoint_of(id, checkpoint).await?;
        let (workspace, blobs) = (self.workspace(id).await?, self.store().blobs().clone());
        let compared = tokio::task::spawn_blocking(move || {
            differences(&Manifest::decode(&blobs.read(&found.sha256)?)?, &workspace)
        });
        Ok(compared.await.map_err(ServiceError::internal)??)
    }

    /// Returns a file as it was at a checkpoint.
    pub async fn checkpoint_file(&self, id: &SandboxId, checkpoint: &CheckpointId, path: &str) -> Answer<Vec<u8>> {
        let found = self.checkpoint_of(id, checkpoint).await?;
        let path = self.workspace(id).await?.normal(path)?;
        let blobs = self.store().blobs().clone();
        let read = tokio::task::spawn_blocking(move || {
            file_at(&Manifest::decode(&blobs.read(&found.sha256)?)?, &path, &blobs, SHOWN_MAX)
        });
        Ok(read.await.map_err(ServiceError::internal)??)
    }

    /// Returns the checkpoint that a new sandbox is to begin with.
    pub(super) async fn checkpoint_to_begin_with(&self, id: &str, limits: &LimitsInForce) -> Answer<Checkpoint> {
        let found = self.store().checkpoint(&id.into()).await?;
        let found =
            found.ok_or_else(|| ServiceError::invalid(format!("`fromCheckpoint`: there is no checkpoint {id}")))?;
        if limits.disk_mb.is_some_and(|limit| found.size > limit.value.saturating_mul(1 << 20)) {
            let size = found.size.div_ceil(1 << 20);
            return Err(ServiceError::invalid(format!(
                "`fromCheckpoint`: it holds {size} MiB, which is more than `limits.diskMb` allows"
            )));
        }
        Ok(found)
    }
}

/// Finishes what an earlier runtime had begun to put back, and tells the history.
pub(super) async fn finish_restores(service: &Service) -> Answer<()> {
    let home = service.home().to_owned();
    let finished = tokio::task::spawn_blocking(move || finish_all(&home)).await.map_err(ServiceError::internal)??;
    for (finished, staged) in finished {
        let known = service.store().checkpoint(&finished.checkpoint).await?;
        let from = known.as_ref().map(|known| known.sandbox_id.clone()).filter(|from| *from != finished.sandbox);
        let restored = CheckpointRestored { id: finished.checkpoint, label: known.and_then(|known| known.label), from };
        let event = NewEvent::new(&finished.sandbox, Actor::System, now_ms(), restored);
        service.store().commit(Change { events: vec![event], ..Change::default() }).await?;
        tokio::task::spawn_blocking(move || staged.committed()).await.map_err(ServiceError::internal)?;
    }
    Ok(())
}

fn check_label(label: Option<String>) -> Answer<Option<String>> {
    let label = label.map(|label| plain_name(&label)).filter(|label| !label.is_empty());
    if label.as_ref().is_some_and(|label| label.chars().count() > LONGEST_LABEL) {
        return Err(ServiceError::invalid(format!("`label` has more than {LONGEST_LABEL} characters")));
    }
    Ok(label)
}

impl From<CheckpointError> for ServiceError {
    fn from(error: CheckpointError) -> Self {
        match error {
            error if error.is_full() => Self::new(ErrorCode::Unavailable, error.to_string()),
            CheckpointError::Store(error) => error.into(),
            CheckpointError::Workspace(error) => error.into(),
            error @ CheckpointError::NoSuchFile(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            error @ CheckpointError::Stopped => Self::new(ErrorCode::Unavailable, error.to_string()),
            error @ (CheckpointError::Manifest(_) | CheckpointError::Io { .. }) => Self::internal(error),
        }
    }
}

impl From<TakeError> for ServiceError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Refused(refusal) => refusal.into(),
            TakeError::Checkpoint(error) => error.into(),
            TakeError::Store(error) => error.into(),
            TakeError::Interrupted(error) => Self::internal(error),
        }
    }
}
