//! Tasks: started, looked at, waited for, cancelled; and the guided first one.

use std::collections::BTreeMap;

use futures_util::Stream;
use sandbox_core::event::{EventData, NewEvent, TaskQueued};
use sandbox_core::model::{
    Actor, BrowserCapability, BrowserSwitch, Failure, SandboxConfig, Task, TaskLimits, TaskRequest, TaskStatus, Usage,
    Viewport,
};
use sandbox_core::playbook::Playbook;
use sandbox_core::{SandboxId, TaskId, plain_name, task};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::{Answer, ErrorCode, Service, ServiceError, not_yet};
use crate::driver::{Driver, TaskOrder, TaskWork};
use crate::store::Change;
use crate::{demo, now_ms};

const LONGEST_TITLE: usize = 80;
const LONGEST_MESSAGE: usize = 20_000;
/// What a prompt may use unless it says otherwise.
const PROMPT_STEPS: u64 = 100;
const PROMPT_TIME_MS: u64 = 30 * 60 * 1_000;

impl Service {
    /// Starts a task. A prompt without any model fails at once, as a task that says so.
    ///
    /// # Errors
    ///
    /// `invalid` for neither or both of prompt and playbook, or a playbook that cannot be read: with line and column.
    pub async fn start_task(&self, id: &SandboxId, request: TaskRequest) -> Answer<TaskId> {
        not_yet::check_task(&request)?;
        let driver = self.working_driver(id).await?;
        self.store().room_for_work()?;
        match (&request.prompt, &request.playbook) {
            (Some(prompt), None) if !prompt.trim().is_empty() => {
                self.start_prompt(&driver, prompt.clone(), &request).await
            }
            (None, Some(text)) => {
                let (task, order) = self.order(id, text, &request, false)?;
                let task_id = task.id.clone();
                driver.start_task(task, order).await?;
                Ok(task_id)
            }
            (Some(_), Some(_)) => Err(ServiceError::invalid("send either `prompt` or `playbook`, not both")),
            (Some(_), None) => Err(ServiceError::invalid("`prompt` is empty")),
            (None, None) => Err(ServiceError::invalid("a task needs a `prompt` or a `playbook`")),
        }
    }

    /// Reads a playbook with values for its parameters, as starting it would, and starts nothing.
    ///
    /// # Errors
    ///
    /// `invalid`: with line and column where the text is wrong.
    pub fn check_playbook(&self, text: &str, given: &BTreeMap<String, String>) -> Answer<Playbook> {
        Ok(read_playbook(text, given)?.0)
    }

    /// Returns a task whose story has its end.
    ///
    /// # Errors
    ///
    /// `conflict` while it is under way.
    pub async fn task_that_is_over(&self, id: &TaskId) -> Answer<Task> {
        let task = self.task(id).await?;
        if task.status.is_over() {
            return Ok(task);
        }
        Err(ServiceError::conflict("the task is not over; this is made when it is", task.status)
            .with_hint("wait for its end, or cancel it"))
    }

    pub async fn task(&self, id: &TaskId) -> Answer<Task> {
        self.store().task(id).await?.ok_or_else(|| ServiceError::not_found("task", id))
    }

    /// Waits until the task has ended.
    pub async fn task_ended(&self, id: &TaskId) -> Answer<Task> {
        // Subscribed before looking: an end between the two is not missed.
        let mut events = self.store().subscribe();
        loop {
            let task = self.task(id).await?;
            if task.status.is_over() {
                return Ok(task);
            }
            loop {
                match events.recv().await {
                    Ok(event) if event.task_id.as_ref() == Some(id) => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => {
                        return Err(ServiceError::new(ErrorCode::Unavailable, "history is closed"));
                    }
                }
            }
        }
    }

    pub async fn cancel_task(&self, id: &TaskId) -> Answer<Task> {
        let task = self.task(id).await?;
        if task.status.is_over() {
            return Err(ServiceError::conflict("this task is over", task.status));
        }
        self.driver(&task.sandbox_id).await?.cancel_task().await?;
        self.task(id).await
    }

    /// Writes to a task; the agent reads it before its next step, also while a person is at the browser.
    ///
    /// # Errors
    ///
    /// `invalid` for an empty or endless text, `conflict` for a task that is over or reads no messages.
    pub async fn write_to_task(&self, id: &TaskId, text: String, by: Actor) -> Answer<Task> {
        if text.trim().is_empty() || text.chars().count() > LONGEST_MESSAGE {
            return Err(ServiceError::invalid(format!("`text` needs 1 to {LONGEST_MESSAGE} characters")));
        }
        let task = self.task(id).await?;
        if task.status.is_over() {
            return Err(ServiceError::conflict("this task is over", task.status));
        }
        if task.prompt.is_none() {
            return Err(ServiceError::conflict("this task follows a playbook, which reads no messages", task.status));
        }
        self.driver(&task.sandbox_id).await?.write_to(id, text, by).await?;
        self.task(id).await
    }

    /// Returns what the model of a task says while it says it; ends with the task.
    pub async fn speech(&self, id: &TaskId) -> Answer<impl Stream<Item = String> + use<>> {
        // Listened to before looking: an end between the two is not missed.
        let (words, events) = (self.inner.speech.listen(), self.store().subscribe());
        let is_over = self.task(id).await?.status.is_over();
        let listening = (words, events, id.clone(), is_over);
        Ok(futures_util::stream::unfold(listening, |(mut words, mut events, id, is_over)| async move {
            if is_over {
                return None;
            }
            loop {
                tokio::select! {
                    biased;
                    said = words.recv() => match said {
                        Ok(said) if said.task_id == id => return Some((said.text, (words, events, id, false))),
                        // Whoever lags behind reads the whole in the step's event.
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    },
                    event = events.recv() => match event {
                        Ok(event) if event.task_id.as_ref() == Some(&id) && ends_a_task(&event.data) => return None,
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    },
                }
            }
        }))
    }

    /// Makes a sandbox and starts the guided first task in it; needs no model, no key, no network.
    pub async fn demo(&self, viewport: Option<Viewport>) -> Answer<(SandboxId, TaskId)> {
        let mut config = SandboxConfig { name: Some(demo::NAME.to_owned()), ..SandboxConfig::default() };
        let viewport = viewport.unwrap_or_default();
        config.capabilities.browser =
            BrowserSwitch::With(BrowserCapability { viewport, recording: true, ..BrowserCapability::default() });
        let request = TaskRequest {
            prompt: None,
            playbook: Some(demo::PLAYBOOK.to_owned()),
            params: BTreeMap::new(),
            metadata: [("demo".to_owned(), json!(true))].into(),
            model: None,
            limits: TaskLimits::default(),
        };
        let sandbox = self.create_sandbox(config).await?;
        let driver = self.driver(&sandbox.id).await?;
        let (task, order) = self.order(&sandbox.id, demo::PLAYBOOK, &request, true)?;
        let task_id = task.id.clone();
        driver.start_task(task, order).await?;
        Ok((sandbox.id, task_id))
    }

    fn order(&self, id: &SandboxId, text: &str, request: &TaskRequest, queue: bool) -> Answer<(Task, TaskOrder)> {
        let (playbook, params) = read_playbook(text, &request.params)?;
        let task = new_task(id, playbook.name.clone(), request);
        let given = if request.params.is_empty() || !playbook.asks_a_person() {
            None
        } else {
            let values = serde_json::to_vec(&request.params).map_err(ServiceError::internal)?;
            Some(self.inner.sender.seal(task.id.as_str(), &values)?)
        };
        let work = TaskWork::Playbook { playbook, params, given, place: None };
        Ok((task, TaskOrder { work, limits: request.limits.clone(), queue, standing: None }))
    }

    async fn start_prompt(&self, driver: &Driver, prompt: String, request: &TaskRequest) -> Answer<TaskId> {
        let models = match self.models_for(driver.id(), request.model.as_deref()).await {
            Ok(models) => models,
            Err(error) if error.code == ErrorCode::NoModel => {
                return self.fail_without_model(driver.id(), request, error).await;
            }
            Err(error) => return Err(error),
        };
        let task = new_task(driver.id(), shorten(&prompt), request);
        let task_id = task.id.clone();
        let limits = TaskLimits {
            steps: request.limits.steps.or(Some(PROMPT_STEPS)),
            time_ms: request.limits.time_ms.or(Some(PROMPT_TIME_MS)),
            tokens: request.limits.tokens,
        };
        let work = TaskWork::Prompt { prompt, model: request.model.clone(), models, kept: vec![] };
        driver.start_task(task, TaskOrder { work, limits, queue: false, standing: None }).await?;
        Ok(task_id)
    }

    /// Records a task that failed at once, and says what would help.
    async fn fail_without_model(&self, id: &SandboxId, request: &TaskRequest, why: ServiceError) -> Answer<TaskId> {
        let prompt = request.prompt.clone().unwrap_or_default();
        let message = [Some(why.message), why.hint].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let failure = Failure { code: "noModel".to_owned(), message };
        let mut task = new_task(id, shorten(&prompt), request);
        let at = task.created_at;
        let queued = NewEvent::new(id, Actor::System, at, TaskQueued {}).of_task(Some(&task.id));
        let events = vec![queued, task::fail(&mut task, failure, at)];
        self.store().commit(Change { tasks: vec![task.clone()], events, ..Change::default() }).await?;
        Ok(task.id)
    }
}

/// Returns a playbook and the value of each of its parameters.
fn read_playbook(text: &str, given: &BTreeMap<String, String>) -> Answer<(Playbook, BTreeMap<String, String>)> {
    let playbook = Playbook::parse(text).map_err(|error| {
        let details = json!({ "line": error.line, "column": error.column });
        ServiceError { details: Some(Box::new(details)), ..ServiceError::invalid(format!("playbook: {error}")) }
    })?;
    let params = playbook.params_with(given).map_err(|error| ServiceError::invalid(error.to_string()))?;
    Ok((playbook, params))
}

fn new_task(id: &SandboxId, title: String, request: &TaskRequest) -> Task {
    Task {
        id: TaskId::from_unique(crate::unique()),
        sandbox_id: id.clone(),
        title: plain_name(&title),
        prompt: request.prompt.clone(),
        playbook: request.playbook.clone(),
        status: TaskStatus::Queued,
        result: None,
        error: None,
        metadata: request.metadata.clone(),
        usage: Usage::default(),
        created_at: now_ms(),
        started_at: None,
        ended_at: None,
    }
}

fn ends_a_task(data: &EventData) -> bool {
    matches!(data, EventData::TaskCompleted(_) | EventData::TaskFailed(_) | EventData::TaskCancelled(_))
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST_TITLE {
        return line.to_owned();
    }
    line.chars().take(LONGEST_TITLE).chain(std::iter::once('…')).collect()
}
