//! A task as one file.

use std::fs::File;

use sandbox_core::model::ArtifactKind;
use sandbox_core::{TaskId, file_name};

use super::{Answer, Service, ServiceError};
use crate::bundle::{Contents, make};
use crate::now_ms;
use crate::store::Records;

/// A bundle, ready to be read.
pub struct Bundled {
    /// It has no name, and is gone when it is closed.
    pub file: File,
    /// Bytes.
    pub size: u64,
    /// What to call it.
    pub name: String,
}

impl Service {
    /// Makes the bundle of a task that is over.
    ///
    /// # Errors
    ///
    /// As [`Self::task_that_is_over`], and `unavailable` on a full disk.
    pub async fn bundle(&self, id: &TaskId) -> Answer<Bundled> {
        let task = self.task_that_is_over(id).await?;
        self.store().room_for_work()?;
        let (began, ended) = (task.created_at, task.ended_at.unwrap_or(i64::MAX));
        let belongs = |theirs: &Option<TaskId>, at: i64| match theirs {
            Some(theirs) => theirs == id,
            None => (began..=ended).contains(&at),
        };
        let Records { mut handoffs, mut approvals, mut artifacts } = self.store().records(&task.sandbox_id).await?;
        handoffs.retain(|one| belongs(&one.task_id, one.requested_at));
        approvals.retain(|one| belongs(&one.task_id, one.requested_at));
        artifacts.retain(|one| match one.kind {
            ArtifactKind::Recording => one.created_at >= began,
            ArtifactKind::Checkpoint => false,
            ArtifactKind::File | ArtifactKind::Document | ArtifactKind::Package => one.task_id.as_ref() == Some(id),
        });
        let events = self.store().chained(id).await?;
        let name = format!("{}.zip", file_name(&task.title));
        let network = self.destinations(&task.sandbox_id).await?;
        let contents = Contents { task, events, handoffs, approvals, network, artifacts };
        let blobs = self.store().blobs().clone();
        let made = tokio::task::spawn_blocking(move || make(&contents, &blobs, now_ms())).await;
        let (file, size) = made.map_err(ServiceError::internal)??;
        Ok(Bundled { file, size, name })
    }
}
