//! Recordings: which there are, what an earlier runtime left of them, and for how long they are kept.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use sandbox_core::event::{ArtifactsUpdated, NewEvent};
use sandbox_core::model::{Actor, Artifact, ArtifactKind, EpochMs, Recording};
use sandbox_core::{ArtifactKey, SandboxId};

use super::{Answer, Service, ServiceError, WeakService};
use crate::now_ms;
use crate::recording::{Kept, ReelError, Unfinished, find, folders, keep_all, unfinished};
use crate::store::{ArtifactFilter, Change};

/// What all recordings take at most; the oldest go.
const MOST_BYTES: u64 = 5 << 30;
/// For how long a recording is kept.
const LONGEST_MS: EpochMs = 30 * 86_400_000;
/// Between two looks at both.
const TIDY_PAUSE: Duration = Duration::from_secs(3_600);

impl Service {
    /// Returns the recordings of a sandbox, oldest first, those that still grow among them.
    pub async fn recordings(&self, id: &SandboxId) -> Answer<Vec<Recording>> {
        self.sandbox(id).await?;
        let filter = ArtifactFilter { sandbox_id: Some(id.clone()), q: None };
        let kept = self.store().all_artifacts(filter).await?;
        let mut found: Vec<Recording> = kept.into_iter().filter_map(recording_of).collect();
        let folder = self.recordings_dir(id);
        let left = tokio::task::spawn_blocking(move || unfinished(&folder)).await.map_err(ServiceError::internal)?;
        // Of several that lie there the newest may grow; an earlier one waits to become an artifact.
        let newest = left.last().map(|one| one.key.clone());
        for one in left {
            // One that has just become an artifact is told once.
            if found.iter().all(|recording| recording.key != one.key) {
                let growing = !one.is_ended && newest.as_ref() == Some(&one.key) && self.running(id).is_some();
                found.push(unfinished_recording(one, growing));
            }
        }
        found.sort_by_key(|recording| recording.started_at);
        Ok(found)
    }

    /// Returns a recording that still grows as a file, as it is now; `None` where none with a picture has this key.
    pub async fn growing_recording(&self, key: &ArtifactKey) -> Answer<Option<(File, u64)>> {
        let (folder, key) = (self.all_recordings_dir(), key.clone());
        let found = tokio::task::spawn_blocking(move || {
            let one = folders(&folder).values().find_map(|folder| find(folder, &key))?;
            match one.snapshot() {
                Ok(found) => Some(found),
                Err(ReelError::Empty(_)) => None,
                Err(error) => {
                    tracing::warn!(%error, "a recording cannot be played while it grows");
                    None
                }
            }
        });
        found.await.map_err(ServiceError::internal)
    }

    /// Whether a recording with this key still grows, and has a picture.
    pub async fn is_growing(&self, key: &ArtifactKey) -> Answer<bool> {
        let (folder, key) = (self.all_recordings_dir(), key.clone());
        let found = move || folders(&folder).values().find_map(|folder| find(folder, &key));
        let found = tokio::task::spawn_blocking(move || found().is_some_and(|one| one.whole().is_ok()));
        found.await.map_err(ServiceError::internal)
    }

    pub(super) fn recordings_dir(&self, id: &SandboxId) -> PathBuf {
        self.all_recordings_dir().join(id.as_str())
    }

    fn all_recordings_dir(&self) -> PathBuf {
        self.home().join("recordings")
    }

    /// Makes artifacts of what an earlier runtime left in the middle of recording.
    async fn keep_left_recordings(&self) -> Answer<()> {
        let folder = self.all_recordings_dir();
        let left = tokio::task::spawn_blocking(move || folders(&folder)).await.map_err(ServiceError::internal)?;
        for (name, folder) in left {
            let id = SandboxId::from(name);
            if self.running(&id).is_some() {
                continue;
            }
            if self.store().sandbox(&id).await?.is_none() {
                // Of a sandbox that was forgotten.
                tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder).map_err(ServiceError::internal))
                    .await
                    .map_err(ServiceError::internal)??;
                continue;
            }
            self.keep_left(&id, folder).await?;
        }
        Ok(())
    }

    async fn keep_left(&self, id: &SandboxId, folder: PathBuf) -> Answer<()> {
        let (of, blobs, from) = (id.clone(), self.store().blobs().clone(), folder.clone());
        let kept = tokio::task::spawn_blocking(move || keep_all(unfinished(&from), &of, &blobs));
        for Kept { artifact, blob, source } in kept.await.map_err(ServiceError::internal)? {
            let event = NewEvent::new(id, Actor::System, now_ms(), ArtifactsUpdated::kept(&artifact));
            let change = Change { artifacts: vec![artifact], events: vec![event], ..Change::default() };
            self.store().commit(change).await?;
            drop(blob);
            source.remove();
        }
        // A folder that still holds something stays.
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir(folder)).await;
        Ok(())
    }

    /// Deletes recordings that are too old, or the oldest of too many.
    async fn delete_old_recordings(&self, now: EpochMs) -> Answer<()> {
        let kept = self.store().all_artifacts(ArtifactFilter::default()).await?.into_iter().rev();
        let kept: Vec<Artifact> = kept.filter(|artifact| artifact.kind == ArtifactKind::Recording).collect();
        for key in superfluous(&kept, now) {
            self.delete_artifact(&key).await?;
        }
        Ok(())
    }
}

/// At the start, and each hour: finishes what was left, and deletes what is too old or too much. Ends with the service.
pub(super) async fn tidy(service: WeakService) {
    loop {
        {
            let Some(service) = service.upgrade() else { return };
            let tidied = async {
                service.keep_left_recordings().await?;
                service.delete_old_recordings(now_ms()).await
            };
            if let Err(error) = tidied.await {
                tracing::warn!(%error, "recordings are not tidied");
            }
        }
        tokio::time::sleep(TIDY_PAUSE).await;
    }
}

/// Returns the recordings to delete; `kept` begins with the newest.
fn superfluous(kept: &[Artifact], now: EpochMs) -> Vec<ArtifactKey> {
    let mut bytes = 0;
    let too_much = kept.iter().filter(|artifact| {
        bytes += artifact.size;
        bytes > MOST_BYTES || now - artifact.created_at > LONGEST_MS
    });
    too_much.map(|artifact| artifact.key.clone()).collect()
}

fn recording_of(artifact: Artifact) -> Option<Recording> {
    let span = artifact.recorded?;
    let (started_at, ended_at, gaps) = (span.started_at, span.ended_at, span.gaps);
    Some(Recording { key: artifact.key, started_at, ended_at, size: artifact.size, gaps, growing: false })
}

fn unfinished_recording(one: Unfinished, growing: bool) -> Recording {
    let (started_at, ended_at, gaps) = (one.span.started_at, one.span.ended_at, one.span.gaps);
    Recording { key: one.key, started_at, ended_at, size: one.size, gaps, growing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(key: &str, size: u64, created_at: EpochMs) -> Artifact {
        Artifact {
            key: key.into(),
            sandbox_id: "sbx_1".into(),
            task_id: None,
            name: "recording.mp4".to_owned(),
            kind: ArtifactKind::Recording,
            content_type: "video/mp4".to_owned(),
            size,
            sha256: String::new(),
            created_at,
            recorded: None,
        }
    }

    #[test]
    fn the_oldest_go_when_all_take_too_much_and_each_when_it_is_too_old() {
        let now = 2 * LONGEST_MS;
        let kept = [
            recording("newest", MOST_BYTES / 2, now - 1),
            recording("older", MOST_BYTES / 2, now - 2),
            recording("beyond", 1, now - 3),
            recording("old", 0, now - LONGEST_MS - 1),
        ];
        assert_eq!(superfluous(&kept, now), ["beyond".into(), "old".into()]);
        assert_eq!(superfluous(&kept[..2], now), []);
    }
}
