//! A task as one file.

use std::fs::File;

use sandbox_core::model::{ArtifactKind, Task};
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
    /// Returns a task that is over, and so can be bundled.
    ///
    /// # Errors
    ///
    /// `conflict` while it is under way: its story has no end yet.
    pub async fn bundled_task(&self, id: &TaskId) -> Answer<Task> {
        let task = self.task(id).await?;
        if task.status.is_over() {
            return Ok(task);
        }
        Err(ServiceError::conflict("the task is not over; its bundle is made when it is", task.status)
            .with_hint("wait for its end, or cancel it"))
    }

    /// Makes the bundle of a task that is over.
    ///
    /// # Errors
    ///
    /// As [`Self::bundled_task`], and `unavailable` on a full disk.
    pub async fn bundle(&self, id: &TaskId) -> Answer<Bundled> {
        let task = self.bundled_task(id).await?;
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
        let contents = Contents { task, events, handoffs, approvals, artifacts };
        let blobs = self.store().blobs().clone();
        let made = tokio::task::spawn_blocking(move || make(&contents, &blobs, now_ms())).await;
        let (file, size) = made.map_err(ServiceError::internal)??;
        Ok(Bundled { file, size, name })
    }
}
