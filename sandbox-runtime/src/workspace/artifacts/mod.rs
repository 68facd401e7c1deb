//! Makes artifacts of files and folders of the workspace: the content goes to the store's blobs, the record to the caller, who
//! commits it.

mod pack;

use std::fs::File;
use std::io::{self, Read, Seek};

use sandbox_core::model::{Artifact, ArtifactKind, EpochMs, FileKind};
use sandbox_core::{ArtifactKey, SandboxId, TaskId, file_name};
use tokio_util::sync::CancellationToken;

use pack::pack;

use super::content_type::{HEAD, content_type};
use super::{Workspace, WorkspaceError};
use crate::store::{Blob, Blobs, StoreError};

/// The most bytes that one artifact has: 2 GiB.
pub const MAX_ARTIFACT: u64 = 2 << 30;

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
    pub kind: ArtifactKind,
    /// Of a file or a folder in the workspace.
    pub path: &'a str,
    /// The file's own name without it; a folder's is followed by `.zip`.
    pub name: Option<&'a str>,
    pub created_at: EpochMs,
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("save the artifact: whoever asked for it has gone")]
    Stopped,
}

/// A file read up to the limit, whatever it grows to meanwhile, and no further than it is wanted.
struct Bounded<'a> {
    file: File,
    left: u64,
    stop: &'a CancellationToken,
    ended: Option<Ended>,
}

#[derive(Clone, Copy)]
enum Ended {
    TooLarge,
    Stopped,
}

impl Bounded<'_> {
    fn end(&mut self, how: Ended) -> io::Error {
        self.ended = Some(how);
        io::Error::other("the copy was ended")
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(self.end(Ended::Stopped));
        }
        let n_read = self.file.read(buffer)?;
        match self.left.checked_sub(n_read as u64) {
            Some(left) => self.left = left,
            None => return Err(self.end(Ended::TooLarge)),
        }
        Ok(n_read)
    }
}

/// Copies a file as it is now, or packs a folder as a zip; that is of kind `package`. Blocks until its bytes are on the disk; ends early when `stop` says so, and leaves nothing.
///
/// # Errors
///
/// [`WorkspaceError::TooLarge`] beyond [`MAX_ARTIFACT`], before anything is copied where the file says so itself.
pub fn snapshot(
    workspace: &Workspace,
    blobs: &Blobs,
    source: Source<'_>,
    stop: &CancellationToken,
) -> Result<Snapshot, SnapshotError> {
    if workspace.stat(source.path)?.kind == FileKind::Directory {
        return packed(workspace, blobs, source, stop);
    }
    let (mut file, entry) = workspace.open_file(source.path)?;
    let too_large = || WorkspaceError::TooLarge { path: source.path.to_owned(), limit: MAX_ARTIFACT };
    if entry.size > MAX_ARTIFACT {
        return Err(too_large().into());
    }
    let wrong = |error| WorkspaceError::io("read", source.path, error);
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(wrong)?;
    file.rewind().map_err(wrong)?;
    let mut bounded = Bounded { file, left: MAX_ARTIFACT, stop, ended: None };
    let blob = match (blobs.put(&mut bounded), bounded.ended) {
        (_, Some(Ended::TooLarge)) => return Err(too_large().into()),
        (_, Some(Ended::Stopped)) => return Err(SnapshotError::Stopped),
        (put, None) => put?,
    };

    let own_name = entry.path.rsplit('/').next().unwrap_or_default();
    let name = file_name(source.name.unwrap_or(own_name));
    let artifact = Artifact {
        key: ArtifactKey::from_unique(crate::unique()),
        sandbox_id: source.sandbox_id,
        task_id: source.task_id,
        content_type: content_type(&name, &head),
        name,
        kind: source.kind,
        // What was kept, whatever the file has become since.
        size: blob.size,
        sha256: blob.sha256.clone(),
        created_at: source.created_at,
        recorded: None,
    };
    Ok(Snapshot { artifact, blob })
}

fn packed(
    workspace: &Workspace,
    blobs: &Blobs,
    source: Source<'_>,
    stop: &CancellationToken,
) -> Result<Snapshot, SnapshotError> {
    let zip = pack(workspace, source.path, blobs.scratch()?, stop)?;
    let blob = blobs.put(zip)?;
    let shown = workspace.stat(source.path)?.path;
    let own_name = match shown.rsplit('/').next() {
        Some("") | None => "workspace",
        Some(name) => name,
    };
    let name = source.name.map_or_else(|| format!("{own_name}.zip"), str::to_owned);
    let artifact = Artifact {
        key: ArtifactKey::from_unique(crate::unique()),
        sandbox_id: source.sandbox_id,
        task_id: source.task_id,
        content_type: "application/zip".to_owned(),
        name: file_name(&name),
        kind: ArtifactKind::Package,
        size: blob.size,
        sha256: blob.sha256.clone(),
        created_at: source.created_at,
        recorded: None,
    };
    Ok(Snapshot { artifact, blob })
}
