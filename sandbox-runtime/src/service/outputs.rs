//! Artifacts.

use sandbox_core::event::{ArtifactsUpdated, NewEvent};
use sandbox_core::model::{Actor, Artifact, ArtifactKind};
use sandbox_core::{ArtifactKey, SandboxId};
use tokio_util::sync::CancellationToken;

use super::workspaces::PlaceOfWork;
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::driver::{ExecError, Refusal, RefusalCode, SaveError};
use crate::now_ms;
use crate::sandbox::calls::CallError;
use crate::store::{Change, StoreError};
use crate::workspace::artifacts::{SnapshotError, Source, snapshot};
use crate::workspace::{Workspace, WorkspaceError};

impl Service {
    /// Saves a workspace file as an artifact that outlives the sandbox; also one that an ended sandbox left.
    pub async fn save_artifact(&self, id: &SandboxId, path: &str, name: Option<String>) -> Answer<Artifact> {
        match self.place_of_work(id).await? {
            PlaceOfWork::Runs(driver) => Ok(driver.save_artifact(path.to_owned(), name, Actor::Api).await?),
            PlaceOfWork::Over(workspace) => self.save_from(id, workspace, path.to_owned(), name).await,
        }
    }

    /// Saves a file that a sandbox left behind.
    async fn save_from(
        &self,
        id: &SandboxId,
        workspace: Workspace,
        path: String,
        name: Option<String>,
    ) -> Answer<Artifact> {
        self.store().room_for_work()?;
        let (blobs, sandbox_id) = (self.store().blobs().clone(), id.clone());
        let stop = CancellationToken::new();
        let _stops_when_dropped = stop.clone().drop_guard();
        let saved = tokio::task::spawn_blocking(move || {
            let (path, name) = (path.as_str(), name.as_deref());
            let source =
                Source { sandbox_id, task_id: None, kind: ArtifactKind::File, path, name, created_at: now_ms() };
            snapshot(&workspace, &blobs, source, &stop)
        });
        let snapshot = saved.await.map_err(ServiceError::internal)?.map_err(SaveError::Snapshot)?;
        let artifact = snapshot.artifact.clone();
        let event = NewEvent::new(id, Actor::Api, now_ms(), ArtifactsUpdated::kept(&artifact));
        // The snapshot holds its content until the record is committed.
        let change = Change { artifacts: vec![artifact.clone()], events: vec![event], ..Change::default() };
        self.store().commit(change).await?;
        Ok(artifact)
    }

    pub async fn artifact(&self, key: &ArtifactKey) -> Answer<Artifact> {
        self.store().artifact(key).await?.ok_or_else(|| ServiceError::not_found("artifact", key))
    }

    pub async fn delete_artifact(&self, key: &ArtifactKey) -> Answer<Artifact> {
        let artifact = self.artifact(key).await?;
        let gone = ArtifactsUpdated::gone(&artifact);
        let deleted = NewEvent::new(&artifact.sandbox_id, Actor::Api, now_ms(), gone);
        let change = Change { deleted_artifacts: vec![key.clone()], events: vec![deleted], ..Change::default() };
        self.store().commit(change).await?;
        Ok(artifact)
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::InvalidCursor | StoreError::NoSuchEvent(_) | StoreError::InvalidDigest(_) => ErrorCode::Invalid,
            StoreError::NoSuchBlob(_) => ErrorCode::NotFound,
            StoreError::Full | StoreError::Busy | StoreError::Closed => ErrorCode::Unavailable,
            StoreError::Damaged(_)
            | StoreError::ContentChanged(_)
            | StoreError::Newer { .. }
            | StoreError::NotOurs { .. }
            | StoreError::Document { .. }
            | StoreError::Io { .. }
            | StoreError::Sql(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl From<WorkspaceError> for ServiceError {
    fn from(error: WorkspaceError) -> Self {
        let code = match &error {
            WorkspaceError::Outside { .. }
            | WorkspaceError::InvalidPath { .. }
            | WorkspaceError::NotAFile { .. }
            | WorkspaceError::NotAFolder { .. }
            | WorkspaceError::Range { .. } => ErrorCode::Invalid,
            WorkspaceError::NotFound { .. } => ErrorCode::NotFound,
            WorkspaceError::AlreadyExists { .. }
            | WorkspaceError::NotEmpty { .. }
            | WorkspaceError::Changing { .. } => ErrorCode::Conflict,
            WorkspaceError::TooLarge { .. } => ErrorCode::TooLarge,
            WorkspaceError::Full { .. } => ErrorCode::Unavailable,
            WorkspaceError::Source { .. } | WorkspaceError::Io { .. } => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::HeldByPerson => ErrorCode::HeldByPerson,
            RefusalCode::HeldByOther => ErrorCode::HeldByOther,
            RefusalCode::WaitingForPerson => ErrorCode::WaitingForPerson,
            RefusalCode::StaleLease => ErrorCode::StaleLease,
            RefusalCode::HeldByAgent | RefusalCode::WrongState => ErrorCode::Conflict,
            RefusalCode::Invalid => ErrorCode::Invalid,
            RefusalCode::NotRecorded => ErrorCode::Unavailable,
        };
        Self::new(code, refusal.message)
    }
}

impl From<ExecError> for ServiceError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::Invalid(message) => Self::invalid(message),
            ExecError::Refused(refusal) => refusal.into(),
            error @ ExecError::Overloaded => {
                Self::new(ErrorCode::Overloaded, error.to_string()).with_hint("wait until one of them has ended")
            }
            ExecError::Call(CallError::NotStarted(cause)) => Self::invalid(format!("start the command: {cause}"))
                .with_hint(
                    "`command` is one program and is run without a shell: put its arguments into `args`, or run \
                     bash with the args -c and your line",
                ),
            ExecError::Call(error) => Self::new(ErrorCode::Unavailable, error.to_string()),
        }
    }
}

impl From<SaveError> for ServiceError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Snapshot(SnapshotError::Workspace(error)) => error.into(),
            SaveError::Snapshot(SnapshotError::Store(error)) => error.into(),
            SaveError::Snapshot(error @ SnapshotError::Stopped) => Self::new(ErrorCode::Unavailable, error.to_string()),
            SaveError::Refused(refusal) => refusal.into(),
            SaveError::Interrupted(error) => Self::internal(error),
        }
    }
}
