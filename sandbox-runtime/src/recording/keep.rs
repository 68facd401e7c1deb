//! Makes artifacts of recordings: the content goes to the store's blobs, the record to the caller, who commits it.

use sandbox_core::SandboxId;
use sandbox_core::model::{Artifact, ArtifactKind};

use super::reel::{ReelError, Unfinished};
use crate::store::{Blob, Blobs, StoreError};

/// What a recording is called.
const NAME: &str = "recording.mp4";

/// An artifact that is not yet committed, and the hold on its content until it is.
pub struct Kept {
    pub artifact: Artifact,
    /// Keep it until the commit has answered.
    pub blob: Blob,
    /// To be removed once it is committed.
    pub source: Unfinished,
}

/// Makes artifacts of those that can be kept, and logs of the others why not.
pub fn keep_all(found: Vec<Unfinished>, sandbox_id: &SandboxId, blobs: &Blobs) -> Vec<Kept> {
    let kept = found.into_iter().map(|one| keep(sandbox_id, one, blobs));
    kept.filter_map(|kept| kept.inspect_err(|error| tracing::warn!(%error, "a recording is not kept")).ok()).collect()
}

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Reel(#[from] ReelError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts a recording into the blobs as an ordinary MP4. Blocks until its bytes are on the disk.
///
/// # Errors
///
/// [`ReelError::Empty`] where it holds no picture; its files are removed.
fn keep(sandbox_id: &SandboxId, source: Unfinished, blobs: &Blobs) -> Result<Kept, KeepError> {
    let whole = match source.whole() {
        Ok(whole) => whole,
        Err(error @ ReelError::Empty(_)) => {
            source.remove();
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let blob = blobs.put(whole)?;
    let artifact = Artifact {
        key: source.key.clone(),
        sandbox_id: sandbox_id.clone(),
        task_id: None,
        name: NAME.to_owned(),
        kind: ArtifactKind::Recording,
        content_type: "video/mp4".to_owned(),
        size: blob.size,
        sha256: blob.sha256.clone(),
        created_at: source.span.started_at,
        recorded: Some(source.span.clone()),
    };
    Ok(Kept { artifact, blob, source })
}
