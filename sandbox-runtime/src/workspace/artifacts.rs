//! Makes artifacts of files of the workspace: the content goes to the store's blobs, the record to the caller, who
//! commits it.

use std::io::{Read, Seek};

use sandbox_core::model::{Artifact, ArtifactKind, EpochMs};
use sandbox_core::{ArtifactKey, SandboxId, TaskId, file_name};

use super::content_type::{HEAD, content_type};
use super::{Workspace, WorkspaceError};
use crate::store::{Blob, Blobs, StoreError};

/// An artifact that is not yet committed, and the hold on its content until it is.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub artifact: Artifact,
    /// Keep it until the commit has answered.
    pub blob: Blob,
}

/// What an artifact is made of.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    pub sandbox_id: SandboxId,
    pub task_id: Option<TaskId>,
    /// Of a file in the workspace.
    pub path: &'a str,
    /// The file's own name without it.
    pub name: Option<&'a str>,
    pub created_at: EpochMs,
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies a file as it is now. Blocks until its bytes are on the disk.
pub fn snapshot(workspace: &Workspace, blobs: &Blobs, source: Source<'_>) -> Result<Snapshot, SnapshotError> {
    let (mut file, entry) = workspace.open_file(source.path)?;
    let wrong = |error| WorkspaceError::io("read", source.path, error);
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(wrong)?;
    file.rewind().map_err(wrong)?;
    let blob = blobs.put(file)?;

    let own_name = entry.path.rsplit('/').next().unwrap_or_default();
    let name = file_name(source.name.unwrap_or(own_name));
    let artifact = Artifact {
        key: ArtifactKey::from_unique(crate::unique()),
        sandbox_id: source.sandbox_id,
        task_id: source.task_id,
        content_type: content_type(&name, &head),
        name,
        kind: ArtifactKind::File,
        // What was kept, whatever the file has become since.
        size: blob.size,
        sha256: blob.sha256.clone(),
        created_at: source.created_at,
    };
    Ok(Snapshot { artifact, blob })
}
