//! Going on with a task that an earlier runtime left unfinished, in the same sandbox, started again: a prompt with its
//! conversation as it was kept, a playbook from the step at which it asked a person.
//!
//! Owns when that can be, and says why where it cannot. Leaves what becomes of what was under way to the agent.

use std::collections::BTreeMap;

use sandbox_core::model::{Failure, Handoff, RequestedBy, Sandbox, SandboxStatus, Task, TaskLimits, TaskStatus};
use sandbox_core::playbook::Playbook;
use sandbox_core::{HandoffId, task};
use serde_json::Value;

use super::{Answer, Service};
use crate::agent::{Begun, Ordered, Place};
use crate::driver::{TaskOrder, TaskWork};
use crate::now_ms;
use crate::store::Change;

/// A task that can go on.
pub(super) struct Plan {
    task: Task,
    sandbox: Sandbox,
    work: TaskWork,
    limits: TaskLimits,
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
    let is_of_task =
        |handoff: &&Handoff| handoff.task_id.as_ref() == Some(&task.id) && handoff.requested_by == RequestedBy::Agent;
    let standing = handoffs.iter().find(is_of_task).cloned();
    let sandbox = sandboxes.iter().find(|sandbox| sandbox.id == task.sandbox_id).cloned();
    let sandbox = sandbox.ok_or_else(|| "its sandbox had ended".to_owned())?;
    if sandbox.status == SandboxStatus::Paused {
        return Err("its sandbox was paused".to_owned());
    }
    let kept = service.store().conversation(&task.id).await.map_err(|error| error.to_string())?;
    let (work, limits) = match (&task.prompt, &task.playbook) {
        (Some(prompt), _) => prompt_work(service, task, prompt.clone(), kept).await?,
        (None, Some(text)) if standing.is_some() => playbook_work(service, task, text, &kept)?,
        (None, Some(_) | None) => {
            return Err("a playbook goes on only from where it asked a person".to_owned());
        }
    };
    Ok(Plan { task: task.clone(), sandbox, work, limits, standing })
}

async fn prompt_work(
    service: &Service,
    task: &Task,
    prompt: String,
    kept: Vec<Value>,
) -> Result<(TaskWork, TaskLimits), String> {
    let ordered = Ordered::of(&kept).ok_or_else(|| "it had not begun".to_owned())?;
    check_env(&ordered.env)?;
    let models = service.models_for(&task.sandbox_id, ordered.model.as_deref()).await;
    let models = models.map_err(|error| error.message)?;
    Ok((TaskWork::Prompt { prompt, model: ordered.model, models, kept }, ordered.limits))
}

fn playbook_work(service: &Service, task: &Task, text: &str, kept: &[Value]) -> Result<(TaskWork, TaskLimits), String> {
    let (begun, place) = (Begun::of(kept), Place::of(kept));
    let (Some(begun), Some(place)) = (begun, place) else { return Err("where it stood is not known".to_owned()) };
    check_env(&begun.env)?;
    let playbook = Playbook::parse(text).map_err(|error| format!("its playbook cannot be read any more: {error}"))?;
    let values = match &begun.given {
        None => BTreeMap::new(),
        Some(sealed) => {
            let opened = service.inner.sender.unseal(task.id.as_str(), sealed);
            let values = opened.and_then(|values| serde_json::from_slice(&values).ok());
            values.ok_or_else(|| "the values of its parameters cannot be read any more".to_owned())?
        }
    };
    let params = playbook.params_with(&values).map_err(|error| error.to_string())?;
    let work = TaskWork::Playbook { playbook, params, given: begun.given, place: Some(place) };
    Ok((work, begun.limits))
}

fn check_env(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    Err(format!("its sandbox had variables whose values are kept nowhere ({})", names.join(", ")))
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
        let Self { mut task, sandbox, work, limits, standing } = self;
        let driver = service.revive_sandbox(sandbox).await?;
        task.status = TaskStatus::Queued;
        driver.start_task(task, TaskOrder { work, limits, queue: true, standing }).await?;
        Ok(())
    }
}

async fn fail(service: &Service, mut task: Task, why: String) -> Answer<()> {
    let failure = Failure { code: "interrupted".to_owned(), message: format!("the task could not go on: {why}") };
    let event = task::fail(&mut task, failure, now_ms());
    service.store().commit(Change { tasks: vec![task], events: vec![event], ..Change::default() }).await?;
    Ok(())
}
