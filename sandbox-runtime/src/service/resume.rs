//! Going on with a prompt that an earlier runtime left unfinished: the same sandbox, started anew, and the conversation as it
//! was kept.
//!
//! Owns when that can be, and says why where it cannot. Leaves what becomes of what was under way to the agent.

use sandbox_core::HandoffId;
use sandbox_core::model::{Actor, EventType, Failure, Handoff, NewEvent, RequestedBy, Sandbox, Task, TaskStatus};
use serde_json::{Value, json};

use super::{Answer, Service};
use crate::agent::Ordered;
use crate::agent::models::Models;
use crate::driver::{TaskOrder, TaskWork};
use crate::now_ms;
use crate::store::Change;

/// A task that can go on.
pub(super) struct Plan {
    task: Task,
    sandbox: Sandbox,
    ordered: Ordered,
    models: Models,
    kept: Vec<Value>,
    standing: Option<Handoff>,
}

/// Returns how a task can go on.
///
/// # Errors
///
/// Why it cannot, for a person to read.
pub(super) async fn plan(
    service: &Service,
    task: &Task,
    sandboxes: &[Sandbox],
    handoffs: &[Handoff],
) -> Result<Plan, String> {
    if task.prompt.is_none() {
        return Err("a playbook is not begun in the middle".to_owned());
    }
    let sandbox = sandboxes.iter().find(|sandbox| sandbox.id == task.sandbox_id).cloned();
    let sandbox = sandbox.ok_or_else(|| "its sandbox had ended".to_owned())?;
    let kept = service.store().conversation(&task.id).await.map_err(|error| error.to_string())?;
    let ordered = Ordered::of(&kept).ok_or_else(|| "it had not begun".to_owned())?;
    if !ordered.env.is_empty() {
        let names = ordered.env.join(", ");
        return Err(format!("its sandbox had variables whose values are kept nowhere ({names})"));
    }
    let models = service.models_for(&task.sandbox_id, ordered.model.as_deref()).await;
    let models = models.map_err(|error| error.message)?;
    let is_of_task =
        |handoff: &&Handoff| handoff.task_id.as_ref() == Some(&task.id) && handoff.requested_by == RequestedBy::Agent;
    let standing = handoffs.iter().find(is_of_task).cloned();
    Ok(Plan { task: task.clone(), sandbox, ordered, models, kept, standing })
}

impl Plan {
    /// Returns the request for a person that stays open.
    pub fn standing(&self) -> Option<&HandoffId> {
        self.standing.as_ref().map(|handoff| &handoff.request_id)
    }

    /// Starts the sandbox anew and lets the task go on; where that fails, the task has failed and says so.
    pub async fn carry_out(self, service: &Service) {
        let task = self.task.clone();
        if let Err(error) = self.try_carry_out(service).await {
            tracing::warn!(task = %task.id, %error, "a task could not go on");
            if let Err(error) = fail(service, task, error.message).await {
                tracing::error!(%error, "history could not be written");
            }
        }
    }

    async fn try_carry_out(self, service: &Service) -> Answer<()> {
        let Self { mut task, sandbox, ordered, models, kept, standing } = self;
        let driver = service.revive_sandbox(sandbox).await?;
        task.status = TaskStatus::Queued;
        let prompt = task.prompt.clone().unwrap_or_default();
        let work = TaskWork::Prompt { prompt, model: ordered.model, models, kept };
        driver.start_task(task, TaskOrder { work, limits: ordered.limits, queue: true, standing }).await?;
        Ok(())
    }
}

async fn fail(service: &Service, mut task: Task, why: String) -> Answer<()> {
    let failure = Failure { code: "interrupted".to_owned(), message: format!("the task could not go on: {why}") };
    let now = now_ms();
    task.status = TaskStatus::Failed;
    task.ended_at = Some(now);
    task.error = Some(failure.clone());
    let event = NewEvent {
        sandbox_id: task.sandbox_id.clone(),
        task_id: Some(task.id.clone()),
        kind: EventType::TaskFailed,
        by: Actor::System,
        at: now,
        data: json!({ "title": task.title, "error": failure }),
    };
    service.store().commit(Change { tasks: vec![task], events: vec![event], ..Change::default() }).await?;
    Ok(())
}
