//! The task of a sandbox: started, timed, ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sandbox_core::TaskId;
use sandbox_core::address::without_sign_ins;
use sandbox_core::control::Request;
use sandbox_core::event::{
    AgentMessage, ArtifactsUpdated, EventData, TaskCancelled, TaskCompleted, TaskFailed, TaskQueued, TaskStarted,
};
use sandbox_core::model::{
    Actor as By, AgentInfo, AgentStatus, Artifact, EpochMs, Failure, Handoff, SandboxStatus, Task, TaskLimits,
    TaskStatus,
};
use sandbox_core::playbook::Playbook;
use sandbox_core::task::{Ending, Progress, clock_runs};
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::bench::Bench;
use super::cause::Cause;
use super::mail::{MOST_UNREAD, MailBox};
use super::refusal::Refusal;
use crate::agent::models::Models;
use crate::agent::{self, Begun, Kept, Mail, Ordered, Outcome, Place, PromptOrder};
use crate::now_ms;
use crate::store::Change;

/// The task that is under way.
pub(super) struct RunningTask {
    pub task: Task,
    pub progress: Progress,
    pub clock: Clock,
    /// Tells the runner to stop.
    stop: CancellationToken,
    /// What the task ends as when its runner stops before it is done.
    stopped_as: Option<(Ending, Failure)>,
    /// Sites that the task was told about, or that a person went to.
    pub destinations: BTreeSet<String>,
    pub mail: Arc<MailBox>,
    /// What to do, until it is started.
    order: Option<TaskOrder>,
}

/// What a task is to do.
pub struct TaskOrder {
    pub work: TaskWork,
    pub limits: TaskLimits,
    /// Whether the task may wait for a sandbox that is still starting.
    pub queue: bool,
    /// A request for a person that an earlier runtime left open: asked again, it is the same request.
    pub standing: Option<Handoff>,
}

pub enum TaskWork {
    Playbook {
        playbook: Playbook,
        params: BTreeMap<String, String>,
        /// The values that the caller gave for parameters, sealed: what is kept of them.
        given: Option<String>,
        /// Where an earlier runtime left it.
        place: Option<Place>,
    },
    /// `kept` is what an earlier runtime kept of the conversation.
    Prompt {
        prompt: String,
        /// The one that it names.
        model: Option<String>,
        models: Models,
        kept: Vec<serde_json::Value>,
    },
}

/// Time that the task may use; stands still while a person is asked or drives.
pub(super) struct Clock {
    limit_ms: Option<i64>,
    spent_ms: i64,
    running_since: Option<EpochMs>,
}

impl Clock {
    fn new(limits: &TaskLimits) -> Self {
        Self { limit_ms: limits.time_ms.and_then(|ms| i64::try_from(ms).ok()), spent_ms: 0, running_since: None }
    }

    /// Returns when the limit is reached, if the clock runs.
    pub fn due_at(&self) -> Option<EpochMs> {
        Some(self.running_since? + (self.limit_ms? - self.spent_ms))
    }

    fn set_running(&mut self, runs: bool, now: EpochMs) {
        match (self.running_since, runs) {
            (None, true) => self.running_since = Some(now),
            (Some(since), false) => {
                self.spent_ms += now - since;
                self.running_since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

impl Actor {
    /// Takes a task: at once where the sandbox is ready; where `order.queue` says so, as soon as it is.
    pub(super) async fn start_task(&mut self, task: Task, order: TaskOrder) -> Result<(), Refusal> {
        let is_starting = matches!(self.sandbox.status, SandboxStatus::Queued | SandboxStatus::Assigning);
        if !self.sandbox.status.takes_work() && (!order.queue || !is_starting) {
            return Err(Refusal::wrong_state("the sandbox takes no work in this state"));
        }
        if self.task.is_some() {
            return Err(Refusal::wrong_state("another task is under way in this sandbox"));
        }
        let opening = match &order.work {
            TaskWork::Prompt { model, kept, .. } if kept.is_empty() => {
                let env = self.kit.foreign_env();
                Some(Ordered { limits: order.limits.clone(), model: model.clone(), env }.to_value())
            }
            TaskWork::Playbook { playbook, given, place: None, .. } if playbook.asks_a_person() => {
                let env = self.kit.foreign_env();
                Some(Begun { limits: order.limits.clone(), given: given.clone(), env }.to_value())
            }
            TaskWork::Prompt { .. } | TaskWork::Playbook { .. } => None,
        };
        let task_id = task.id.clone();
        self.standing.clone_from(&order.standing);
        self.task = Some(RunningTask {
            clock: Clock::new(&order.limits),
            task,
            progress: Progress::Queued,
            stop: CancellationToken::new(),
            stopped_as: None,
            destinations: BTreeSet::new(),
            mail: Arc::default(),
            order: Some(order),
        });
        let queued = self.event(TaskQueued {}, By::Api);
        let conversation = opening.map(|opening| (task_id, opening)).into_iter().collect();
        let change = Change { events: vec![queued], conversation, ..Change::default() };
        if let Err(refusal) = self.commit_change(change).await {
            self.task = None;
            return Err(refusal);
        }
        if self.sandbox.status.takes_work() {
            self.launch_task().await;
        }
        Ok(())
    }

    /// Starts the task that is queued, if one is.
    pub(super) async fn launch_task(&mut self) {
        let Some(running) = &mut self.task else { return };
        let Some(order) = running.order.take() else { return };
        running.progress = Progress::Started;
        running.task.started_at = running.task.started_at.or(Some(now_ms()));
        let (title, stop) = (running.task.title.clone(), running.stop.clone());
        let told = [running.task.prompt.as_deref(), running.task.playbook.as_deref()];
        let params = match &order.work {
            TaskWork::Playbook { params, .. } => params.values().cloned().collect(),
            TaskWork::Prompt { kept, .. } => agent::messages_in(kept),
        };
        let told = told.into_iter().flatten().chain(params.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
        let (mail, spent) = (running.mail.clone(), running.task.usage.clone());
        self.told_about(&told);
        // The page that is open is where a person left the browser.
        if let Some(browser) = self.driver.browser() {
            self.told_about(&browser.state().url);
        }
        self.sync_holding().await;
        self.sandbox.status = SandboxStatus::Active;
        let started = TaskStarted { title, limits: order.limits.clone() };
        self.must_commit(vec![self.event(started, By::Agent)]).await;
        self.control_request(Request::TaskStarted, By::Agent, None).await;

        let inbox = self.driver.inbox.clone();
        let Some(task_id) = self.task.as_ref().map(|running| running.task.id.clone()) else { return };
        let bench = Arc::new(Bench::new(self.driver.clone(), task_id.clone(), mail, stop));
        tokio::spawn(async move {
            let outcome = match order.work {
                TaskWork::Playbook { playbook, params, place, .. } => {
                    agent::run_playbook(playbook, params, order.limits.steps, place, bench).await
                }
                TaskWork::Prompt { prompt, models, kept, .. } => {
                    let order = PromptOrder { prompt, limits: order.limits, models, kept, spent };
                    agent::follow_prompt(order, bench).await
                }
            };
            let task_id = Some(task_id);
            // The actor may have ended with the sandbox.
            let _ = inbox.send(Cause::TaskEnded { task_id, outcome }).await;
        });
    }

    pub(super) async fn cancel_task(&mut self) -> Result<(), Refusal> {
        if self.task.is_none() {
            return Err(Refusal::wrong_state("no task is under way"));
        }
        let failure = Failure { code: "cancelled".to_owned(), message: "the task was cancelled".to_owned() };
        self.stop_task(Ending::Cancelled, failure).await;
        self.all_is_recorded()
    }

    /// Stops the runner and ends the task at once; what the runner still says is ignored.
    async fn stop_task(&mut self, ending: Ending, failure: Failure) {
        let Some(running) = &mut self.task else { return };
        running.stopped_as = Some((ending, failure));
        running.stop.cancel();
        self.finish_task(Outcome::Stopped).await;
    }

    pub(super) async fn task_ended(&mut self, id: Option<TaskId>, outcome: Outcome) {
        // A runner that was stopped may report when the next task is under way already.
        if self.task.as_ref().map(|running| &running.task.id) == id.as_ref() {
            self.finish_task(outcome).await;
        }
    }

    async fn finish_task(&mut self, outcome: Outcome) {
        self.note_traffic().await;
        let Some(running) = &mut self.task else { return };
        let (ending, result, error) = match (outcome, running.stopped_as.take()) {
            (_, Some((ending, failure))) => (ending, None, Some(failure)),
            (Outcome::Completed { result }, None) => (Ending::Completed, Some(result), None),
            (Outcome::Failed(failure), None) => (Ending::Failed, None, Some(failure)),
            (Outcome::Stopped, None) => {
                let failure = Failure { code: "stopped".to_owned(), message: "the task was stopped".to_owned() };
                (Ending::Cancelled, None, Some(failure))
            }
        };
        let plain = |failure: Failure| Failure { message: without_sign_ins(&failure.message), ..failure };
        let (result, error) = (result.map(|result| without_sign_ins(&result)), error.map(plain));
        running.progress = Progress::Ended(ending);
        running.task.ended_at = Some(now_ms());
        running.task.result.clone_from(&result);
        running.task.error.clone_from(&error);
        let title = running.task.title.clone();
        let ended: EventData = match ending {
            Ending::Completed => TaskCompleted { title, result, error }.into(),
            Ending::Failed => TaskFailed { title, result, error }.into(),
            Ending::Cancelled => TaskCancelled { title, result, error }.into(),
        };
        self.turns.forget_task();
        let by = if ending == Ending::Cancelled { By::Api } else { By::Agent };
        let mut events = vec![];
        self.cancel_handoff_with_task(&mut events);
        let mut change = Change { must_be_kept: true, ..Change::default() };
        let id = self.task.as_ref().map(|running| running.task.id.clone());
        self.void_all(id.as_ref(), "the task that asked has ended", &mut change);
        change.events.append(&mut events);
        change.events.push(self.event(ended, by));
        if let Err(refusal) = self.commit_change(change).await {
            tracing::error!(sandbox = %self.sandbox.id, %refusal, "history could not be written");
        }
        self.task = None;
        self.sync_holding().await;
        self.control_request(Request::TaskEnded, By::System, None).await;
        self.forget_ended_handoff();
        self.refresh_status().await;
    }

    /// Stops the runner and writes nothing down: what the task waits for is the next runtime's.
    pub(super) fn leave_task(&mut self) {
        if let Some(running) = &self.task {
            running.stop.cancel();
        }
    }

    /// Ends the task because the sandbox goes away; its handoff ends with it.
    pub(super) async fn abandon_work(&mut self, why: &str) {
        if self.task.is_some() {
            let failure = Failure { code: "sandboxEnded".to_owned(), message: why.to_owned() };
            self.stop_task(Ending::Cancelled, failure).await;
        }
        let mut change = Change { must_be_kept: true, ..Change::default() };
        self.void_all(None, why, &mut change);
        if !change.events.is_empty()
            && let Err(refusal) = self.commit_change(change).await
        {
            tracing::error!(sandbox = %self.sandbox.id, %refusal, "history could not be written");
        }
        self.cancel_standing_handoff(why).await;
    }

    pub(super) async fn stop_overdue_task(&mut self) {
        let is_due = |running: &RunningTask| running.clock.due_at().is_some_and(|due_at| due_at <= now_ms());
        if self.task.as_ref().is_some_and(is_due) {
            let failure = Failure { code: "timeLimit".to_owned(), message: "the task's time is used up".to_owned() };
            self.stop_task(Ending::Failed, failure).await;
        }
    }

    pub(super) fn run_or_stop_clock(&mut self) {
        let control = self.control.state().clone();
        let is_asking = self.is_asking();
        let is_paused = self.sandbox.status.is_pause();
        if let Some(running) = &mut self.task {
            let runs = !is_paused && clock_runs(running.progress, &control, is_asking);
            running.clock.set_running(runs, now_ms());
        }
    }

    /// Commits a part of the task's conversation, with what happened in it.
    pub(super) async fn keep(&mut self, kept: Kept) -> Result<(), Refusal> {
        let Some(running) = &mut self.task else { return Err(Refusal::wrong_state("no task is under way")) };
        let before = running.task.usage.clone();
        running.task.usage.add(&kept.spent);
        let id = running.task.id.clone();
        let change = Change {
            conversation: kept.entries.into_iter().map(|entry| (id.clone(), entry)).collect(),
            events: kept.events.into_iter().map(|data| self.event(data, By::Agent)).collect(),
            ..Change::default()
        };
        let committed = self.commit_change(change).await;
        if let (Err(_), Some(running)) = (&committed, &mut self.task) {
            running.task.usage = before;
        }
        committed
    }

    /// Takes what somebody writes to the task; it is on the disk before the task hears of it.
    pub(super) async fn hear(&mut self, task: &TaskId, text: String, by: By) -> Result<(), Refusal> {
        let Some(running) = self.task.as_ref().filter(|running| running.task.id == *task) else {
            return Err(Refusal::wrong_state("this task is not under way"));
        };
        if running.task.prompt.is_none() {
            return Err(Refusal::wrong_state("this task follows a playbook, which reads no messages"));
        }
        let mail = running.mail.clone();
        if mail.unread() >= MOST_UNREAD {
            let message = format!("the agent has {MOST_UNREAD} messages to read first; write again when it has");
            return Err(Refusal::wrong_state(message));
        }
        let change = Change {
            conversation: vec![(task.clone(), agent::heard(&text, by))],
            events: vec![self.event(AgentMessage::new(&text), by)],
            ..Change::default()
        };
        self.commit_change(change).await?;
        // Where a person sends it, the task may go.
        self.told_about(&text);
        self.sync_holding().await;
        mail.put(Mail::Message { text, by });
        Ok(())
    }

    pub(super) fn count_step(&mut self) {
        if let Some(running) = &mut self.task {
            running.task.usage.steps += 1;
        }
    }

    pub(super) async fn add_artifact(&mut self, mut artifact: Artifact, by: By) -> Result<Artifact, Refusal> {
        if by == By::Agent {
            artifact.task_id = self.task.as_ref().map(|running| running.task.id.clone());
        }
        let event = self.event(ArtifactsUpdated::kept(&artifact), by);
        let change = Change { artifacts: vec![artifact.clone()], events: vec![event], ..Change::default() };
        self.commit_change(change).await?;
        Ok(artifact)
    }

    pub(super) fn agent_info(&self) -> AgentInfo {
        let task_id = self.task.as_ref().map(|running| running.task.id.clone());
        let status = match self.task.as_ref().map(|running| running.task.status) {
            Some(TaskStatus::Waiting) => AgentStatus::Waiting,
            Some(TaskStatus::Queued | TaskStatus::Running) => AgentStatus::Running,
            Some(TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled) | None => {
                if self.sandbox.status.takes_work() { AgentStatus::Idle } else { AgentStatus::Off }
            }
        };
        AgentInfo { status, task_id }
    }
}
