//! A task as a playbook.

use sandbox_core::TaskId;

use super::{Answer, Service, ServiceError};
use crate::agent::saved;

impl Service {
    /// Returns a task that is over as a playbook, in YAML: its own, or one that does without a model what a model had done.
    ///
    /// # Errors
    ///
    /// `conflict` while the task is under way, and for one that did nothing that can be done again.
    pub async fn saved_playbook(&self, id: &TaskId) -> Answer<String> {
        let task = self.task_that_is_over(id).await?;
        if let Some(text) = task.playbook {
            return Ok(text);
        }
        let kept = self.store().conversation(id).await?;
        let handoffs = self.store().records(&task.sandbox_id).await?.handoffs;
        let playbook = saved(&task.title, &kept, &handoffs);
        if playbook.steps.is_empty() {
            let message = "the task did nothing that can be done again: it only looked, read or failed";
            return Err(ServiceError::conflict(message, task.status));
        }
        Ok(playbook.to_yaml())
    }
}
