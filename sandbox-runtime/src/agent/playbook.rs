//! Runs a playbook: each step once, in order; a step that a person's take-over interrupted is begun again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::action::{Action, DEFAULT_TIMEOUT_MS, Navigate, Outcome as Done};
use sandbox_core::event::{AgentAction, AgentMessage, AgentStep};
use sandbox_core::model::{ExecResult, Failure, HandoffRequest, Tab};
use sandbox_core::playbook::{Playbook, Step, TakeCheckpoint};
use serde::Deserialize;

use super::attempt::{Attempt, attempt, picture_after};
use super::consent::ConsentError;
use super::files;
use super::handoff::{self, AskError};
use super::place::Place;
use super::secrets::{self, Secrets};
use super::workbench::{Kept, Outcome, Stopped, WorkError, Workbench};
use crate::browser::{ActionError, Browser};

const LONGEST_RESULT: usize = 2_000;

/// Runs every step, or as many as `max_steps` allows; the first failure ends the task. With a `place` it goes on from there.
pub async fn run_playbook(
    playbook: Playbook,
    params: BTreeMap<String, String>,
    max_steps: Option<u64>,
    place: Option<Place>,
    bench: Arc<dyn Workbench>,
) -> Outcome {
    let of = playbook.steps.len();
    let begins_at = place.as_ref().map_or(0, |place| place.step);
    let mut run = Run { bench, result: None, saved: vec![] };
    if let Some(place) = place
        && run.pick_up(place, of).await.is_err()
    {
        return Outcome::Stopped;
    }
    for (index, step) in playbook.steps.iter().enumerate().skip(begins_at) {
        let at = index + 1;
        if max_steps.is_some_and(|most| index as u64 >= most) {
            let message = format!("the limit of {index} steps is used up; {} of {of} steps are left", of - index);
            return Outcome::Failed(Failure { code: "stepLimit".to_owned(), message });
        }
        let step = step.with_params(&params);
        match run.step(at, of, &step).await {
            Ok(()) => {}
            Err(StepError::Stopped) => return Outcome::Stopped,
            Err(StepError::Failed { code, message }) => {
                let message = format!("step {at} of {of}, {}: {message}", words(&step));
                return Outcome::Failed(Failure { code: code.to_owned(), message });
            }
        }
    }
    Outcome::Completed { result: run.summary(of) }
}

struct Run {
    bench: Arc<dyn Workbench>,
    /// What the last command printed.
    result: Option<String>,
    saved: Vec<String>,
}

enum StepError {
    Stopped,
    Failed { code: &'static str, message: String },
}

impl Run {
    /// Goes on where an earlier runtime stopped: the page at which a person was asked is opened again for them.
    async fn pick_up(&mut self, place: Place, of: usize) -> Result<(), Stopped> {
        let at = place.step + 1;
        self.result = place.result;
        self.saved = place.saved;
        let text = format!("Baton was started again. The task goes on from step {at} of {of}.");
        let told = self.bench.record(AgentMessage::new(text).into()).await;
        let opened = match told {
            Ok(()) if place.url.starts_with("http") => {
                let again = Action::Navigate(Navigate::Url(place.url));
                self.act(&again, at).await.map(|_| ())
            }
            Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        };
        match opened {
            Err(StepError::Stopped) => Err(Stopped),
            // A page that does not come is the person's to see.
            Err(StepError::Failed { .. }) | Ok(()) => Ok(()),
        }
    }

    async fn step(&mut self, at: usize, of: usize, step: &Step) -> Result<(), StepError> {
        let wanted = secrets::names_of(step).map_err(failed)?;
        let begun = AgentStep {
            step: at as u64,
            of: Some(of as u64),
            name: Some(step.name().to_owned()),
            summary: Some(words(step)),
            ..AgentStep::default()
        };
        self.bench.record(begun.into()).await?;
        let opened = if wanted.is_empty() { Secrets::new() } else { self.bench.secrets(wanted, words(step)).await? };
        let filled = (!opened.is_empty()).then(|| secrets::filled(step, &opened));
        // Events show the step as written, without values.
        let done = match filled.as_ref().unwrap_or(step) {
            Step::Browser(action) => self.act(action, at).await?,
            Step::Handoff(request) => self.hand_off(request, at).await?,
            Step::Exec(request) => {
                let label = format!("ran {}", request.command);
                let result = self.bench.exec(request.clone()).await?;
                self.command_done(label, masked(result, &opened))?
            }
            Step::Code(request) => {
                let label = format!("ran {} code", format!("{:?}", request.language).to_lowercase());
                let result = self.bench.code(request.clone()).await?;
                self.command_done(label, masked(result, &opened))?
            }
            Step::Write(file) => {
                files::write(self.bench.as_ref(), &file.path, file.content.clone().into_bytes()).await?;
                AgentAction { path: Some(file.path.clone()), ..said(format!("wrote {}", file.path)) }
            }
            Step::Convert(file) => {
                let converted = self.bench.convert(file.clone()).await?;
                self.saved.push(converted.artifact.name.clone());
                let summary = format!("converted {} to {}", file.path, converted.paths.join(", "));
                let path = converted.paths.into_iter().next();
                AgentAction { path, artifact: Some(converted.artifact.key), ..said(summary) }
            }
            Step::Artifact(wanted) => {
                let artifact = self.bench.save_artifact(wanted.path.clone(), wanted.name.clone()).await?;
                self.saved.push(artifact.name.clone());
                AgentAction { artifact: Some(artifact.key), ..said(format!("saved {}", artifact.name)) }
            }
            Step::Checkpoint(wanted) => {
                // Not while a person drives.
                drop(self.bench.begin().await?);
                self.bench.checkpoint(wanted.label.clone()).await?;
                said(
                    wanted
                        .label
                        .as_ref()
                        .map_or_else(|| "took a checkpoint".to_owned(), |label| format!("took the checkpoint {label}")),
                )
            }
        };
        let (name, action) = (step.name().to_owned(), Some(step.told()));
        let done = AgentAction { step: Some(at as u64), name, action, ..done };
        Ok(self.bench.record(done.into()).await?)
    }

    /// Does one action under the agent's lease. A person may take over in the middle: then it begins again, after a
    /// fresh look, when it is the agent's turn once more.
    async fn act(&mut self, action: &Action, at: usize) -> Result<AgentAction, StepError> {
        let bench = self.bench.clone();
        let limit = Duration::from_millis(action.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS));
        let mut agreed = None;
        loop {
            let mut turn = self.bench.begin().await?;
            // After the turn came: one that was lost meanwhile has come back as another.
            let browser = self.browser()?;
            if turn.take_fresh() {
                browser.fresh_look();
            }
            match attempt(self.bench.as_ref(), &browser, turn, action, limit, &mut agreed).await? {
                Attempt::Done(done) => {
                    let (kept, picture) =
                        tokio::join!(self.keep(action, at, *done), picture_after(bench.as_ref(), &browser));
                    return Ok(AgentAction { picture, ..kept? });
                }
                Attempt::Approved => {
                    let state = browser.state();
                    let summary = format!("{}, after it was approved", action.name());
                    return Ok(AgentAction { url: Some(state.url), title: Some(state.title), ..said(summary) });
                }
                // A task waits for its answers for as long as it takes.
                Attempt::Again | Attempt::Unanswered | Attempt::Held => {}
                Attempt::Interrupted => {
                    let text = "interrupted by a take-over; begins again after the hand-back";
                    let told = AgentMessage { step: Some(at as u64), ..AgentMessage::new(text) };
                    self.bench.record(told.into()).await?;
                }
                Attempt::Denied { note } => return Err(denied(note)),
                Attempt::Failed(error) => {
                    return Err(StepError::Failed { code: code_of(&error), message: error.to_string() });
                }
            }
        }
    }

    /// Keeps what an action brought: data, a file, a picture.
    async fn keep(&self, action: &Action, at: usize, done: Done) -> Result<AgentAction, StepError> {
        let mut kept = AgentAction::from(&done);
        kept.page = done.observation.as_ref().map(|seen| seen.words());
        if let (Action::Tabs(_), Some(tabs)) = (action, &done.data) {
            kept.tabs = Vec::<Tab>::deserialize(tabs).ok();
        }
        kept.path = match action {
            Action::Extract(extract) => match (&extract.to, &done.data) {
                (Some(to), Some(data)) => {
                    let text = serde_json::to_vec_pretty(data).unwrap_or_default();
                    files::write(self.bench.as_ref(), to, text).await?;
                    Some(to.clone())
                }
                (Some(_) | None, _) => None,
            },
            Action::Download(download) => match (&download.to, &done.download) {
                (Some(to), Some(from)) => {
                    files::rename(self.bench.as_ref(), from, to).await?;
                    Some(to.clone())
                }
                (_, arrived) => arrived.clone(),
            },
            Action::Screenshot(_) | Action::Look(_) => match done.screenshot {
                Some(png) => {
                    let to = format!("screenshots/step-{at}.png");
                    files::write(self.bench.as_ref(), &to, png).await?;
                    Some(to)
                }
                None => None,
            },
            _ => None,
        };
        Ok(kept)
    }

    async fn hand_off(&self, request: &HandoffRequest, at: usize) -> Result<AgentAction, StepError> {
        let url = self.bench.browser().map(|browser| browser.state().url).unwrap_or_default();
        let place = Place { step: at - 1, url, result: self.result.clone(), saved: self.saved.clone() };
        self.bench.keep(Kept { entries: vec![place.to_value()], ..Kept::default() }).await?;
        handoff::ask(self.bench.as_ref(), request).await?;
        Ok(said("went on after the hand-back".to_owned()))
    }

    fn command_done(&mut self, label: String, result: ExecResult) -> Result<AgentAction, StepError> {
        if result.timed_out {
            let message = format!("it was stopped after {} ms", result.duration_ms);
            return Err(StepError::Failed { code: "timeout", message });
        }
        if result.exit_code != 0 {
            let said = if result.stderr.trim().is_empty() { &result.stdout } else { &result.stderr };
            let message = format!("exit status {}: {}", result.exit_code, tail(said));
            return Err(StepError::Failed { code: "commandFailed", message });
        }
        let printed = result.stdout.trim();
        if !printed.is_empty() {
            self.result = Some(printed.chars().take(LONGEST_RESULT).collect());
        }
        let (exit_code, duration_ms) = (Some(result.exit_code), Some(result.duration_ms));
        Ok(AgentAction { exit_code, duration_ms, ..said(label) })
    }

    fn browser(&self) -> Result<Browser, StepError> {
        self.bench.browser().ok_or_else(|| failed("this sandbox has no browser".to_owned()))
    }

    fn summary(self, of: usize) -> String {
        match (self.result, self.saved.is_empty()) {
            (Some(result), _) => result,
            (None, true) => format!("{of} steps done"),
            (None, false) => format!("saved {}", self.saved.join(", ")),
        }
    }
}

/// What a command printed, without the secrets that it was given.
fn masked(mut result: ExecResult, secrets: &Secrets) -> ExecResult {
    for printed in [&mut result.stdout, &mut result.stderr] {
        *printed = secrets::masked(printed, secrets);
    }
    result
}

/// What was done, where there are no more than words for it.
fn said(summary: String) -> AgentAction {
    AgentAction { summary, ..AgentAction::default() }
}

/// Says a step in words, for the story and for failures.
fn words(step: &Step) -> String {
    match step {
        Step::Browser(Action::Navigate(navigate)) => format!("open {}", navigate.url()),
        Step::Browser(action) => match action.target() {
            Some(target) => format!("{} {target}", action.name()),
            None => action.name().to_owned(),
        },
        Step::Handoff(request) => format!("ask a person: {}", request.message),
        Step::Exec(request) => format!("run {}", request.command),
        Step::Code(_) => "run code".to_owned(),
        Step::Write(file) => format!("write {}", file.path),
        Step::Convert(file) => format!("convert {} to {}", file.path, file.to.ending()),
        Step::Artifact(artifact) => format!("save {}", artifact.path),
        Step::Checkpoint(TakeCheckpoint { label: Some(label) }) => format!("take the checkpoint {label}"),
        Step::Checkpoint(TakeCheckpoint { label: None }) => "take a checkpoint".to_owned(),
    }
}

fn denied(note: Option<String>) -> StepError {
    let message = note.map_or_else(|| "a person said no".to_owned(), |note| format!("a person said no: {note}"));
    StepError::Failed { code: "denied", message }
}

/// Returns the last lines of what a command said.
fn tail(text: &str) -> String {
    const LONGEST: usize = 400;
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(LONGEST);
    text.chars().skip(skipped).collect()
}

/// What a program may want to tell apart, by the words of the contract.
fn code_of(error: &ActionError) -> &'static str {
    match error {
        ActionError::NoCredential(_) => "noCredential",
        ActionError::WrongOrigin(_) => "wrongOrigin",
        _ => "stepFailed",
    }
}

fn failed(message: String) -> StepError {
    StepError::Failed { code: "stepFailed", message }
}

impl From<Stopped> for StepError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<AskError> for StepError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Work(error) => error.into(),
            AskError::Cancelled(_) | AskError::Expired | AskError::Lost | AskError::NoBrowser => {
                Self::Failed { code: error.code(), message: error.to_string() }
            }
        }
    }
}

impl From<ConsentError> for StepError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Stopped(_) => Self::Stopped,
            ConsentError::Work(error) => error.into(),
            ConsentError::Action(error) => Self::Failed { code: code_of(&error), message: error.to_string() },
        }
    }
}

impl From<WorkError> for StepError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Stopped(_) => Self::Stopped,
            WorkError::Failed(message) => failed(message),
        }
    }
}
