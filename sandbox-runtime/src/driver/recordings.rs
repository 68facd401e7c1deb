//! When a sandbox records, and what becomes of it when it ends.

use sandbox_core::model::Actor as By;

use super::actor::Actor;
use super::recorder::Recorder;
use crate::recording::{Kept, keep_all, unfinished};

impl Actor {
    /// Begins to record, where that was asked for.
    pub(super) fn start_recording(&mut self) {
        let is_wanted = self.sandbox.capabilities.browser.browser().is_some_and(|browser| browser.recording);
        if is_wanted {
            self.recorder = Some(Recorder::start(&self.driver));
        }
    }

    /// Ends the recording before anything else of the sandbox ends.
    pub(super) async fn stop_recording(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            recorder.stop().await;
        }
    }

    /// Makes artifacts of what was recorded. What cannot be kept now is left for the next start of the runtime.
    pub(super) async fn keep_recordings(&mut self) {
        let (folder, id, blobs) =
            (self.kit.recordings.clone(), self.sandbox.id.clone(), self.kit.store.blobs().clone());
        let kept = tokio::task::spawn_blocking(move || keep_all(unfinished(&folder), &id, &blobs));
        for Kept { artifact, blob, source } in kept.await.unwrap_or_default() {
            if let Err(refusal) = self.add_artifact(artifact, By::System).await {
                tracing::warn!(%refusal, "a recording is kept at the next start");
                continue;
            }
            drop(blob);
            source.remove();
        }
        // A folder that still holds something stays.
        let _ = std::fs::remove_dir(&self.kit.recordings);
    }
}
