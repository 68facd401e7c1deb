//! What a sandbox begins with: the folders of a checkpoint, built beside and put in their place, and what its browser is
//! given back.

use std::path::Path;
use std::sync::Arc;

use sandbox_core::SandboxId;
use sandbox_core::event::{CheckpointRestored, NewEvent};
use sandbox_core::layout::{PROFILE_DIR, WORKSPACE_DIR};
use sandbox_core::model::{Actor as By, Checkpoint, Failure};
use tokio_util::sync::CancellationToken;

use super::Kit;
use super::refusal::Refusal;
use crate::browser::{Browser, Remembered, prepare_profile};
use crate::now_ms;
use crate::store::{Blobs, Change, StoreError};
use crate::workspace::checkpoint::{CheckpointError, Manifest, Part, Staged, Target};

/// A checkpoint was not taken, or not gone back to.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("take the checkpoint: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Makes a new sandbox's folders as a checkpoint has them.
///
/// # Errors
///
/// As the sandbox's failure.
pub(super) async fn begin_from(
    kit: &Kit,
    sandbox: SandboxId,
    checkpoint: Arc<Checkpoint>,
    has_browser: bool,
) -> Result<(), Failure> {
    let (kit, id, wanted) = (kit.clone(), sandbox.clone(), checkpoint.clone());
    let store = kit.store.clone();
    let made = tokio::task::spawn_blocking(move || {
        let mut staged = stage(&kit, id, &wanted, has_browser)?;
        staged.swap()?;
        Ok::<_, TakeError>((staged, prepare_profile(&kit.profile, WORKSPACE_DIR, PROFILE_DIR)))
    });
    let (staged, prepared) =
        made.await.map_err(TakeError::from).and_then(|made| made).map_err(|error| failure(&error))?;
    prepared.map_err(|error| failure(&error))?;
    let event = NewEvent::new(&sandbox, By::System, now_ms(), restored(&checkpoint, &sandbox));
    let committed = store.commit(Change { events: vec![event], ..Change::default() }).await;
    committed.map_err(|error| failure(&error))?;
    // It only ends early with the runtime itself, and the next one does it then.
    let _ = tokio::task::spawn_blocking(move || staged.committed()).await;
    Ok(())
}

/// Gives a browser that was just started the cookies that lie in its profile; returns what else comes back.
pub(super) async fn give_back(browser: Option<&Browser>, kit: &Kit) -> Remembered {
    let Some(browser) = browser else { return Remembered::default() };
    let profile = kit.profile.clone();
    let remembered = tokio::task::spawn_blocking(move || {
        let remembered = Remembered::of_profile(&profile);
        Remembered::forget_in(&profile);
        remembered
    });
    let remembered = remembered.await.unwrap_or_default();
    browser.give_cookies(&remembered).await;
    remembered
}

pub(super) fn stage(
    kit: &Kit,
    sandbox: SandboxId,
    checkpoint: &Checkpoint,
    has_browser: bool,
) -> Result<Staged, TakeError> {
    let blobs = kit.store.blobs();
    let manifest = read_manifest(blobs, &checkpoint.sha256)?;
    let relative = |folder: &Path| folder.strip_prefix(&kit.home).unwrap_or(folder).to_owned();
    let mut targets = vec![Target { part: Part::Workspace, folder: relative(kit.workspace.path()) }];
    if has_browser {
        targets.push(Target { part: Part::Profile, folder: relative(&kit.profile) });
    }
    let state = manifest.state.to_string();
    let extra = Some((Part::Profile, Remembered::FILE, state.as_bytes()));
    // Nobody waits for less than all of it.
    let stop = CancellationToken::new();
    let ids = (sandbox, checkpoint.id.clone());
    Ok(Staged::build(&kit.home, ids, &manifest, targets, extra, blobs, &stop)?)
}

pub(super) fn read_manifest(blobs: &Blobs, sha256: &str) -> Result<Manifest, CheckpointError> {
    Manifest::decode(&blobs.read(sha256)?)
}

pub(super) fn restored(checkpoint: &Checkpoint, sandbox: &SandboxId) -> CheckpointRestored {
    let from = (checkpoint.sandbox_id != *sandbox).then(|| checkpoint.sandbox_id.clone());
    CheckpointRestored { id: checkpoint.id.clone(), label: checkpoint.label.clone(), from }
}

pub(super) fn failure(error: &dyn std::fmt::Display) -> Failure {
    Failure { code: "checkpoint".to_owned(), message: format!("go back to the checkpoint: {error}") }
}
