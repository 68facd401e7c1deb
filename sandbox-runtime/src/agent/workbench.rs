//! What a task may use. The driver implements it; a test may, too.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use sandbox_core::ApprovalId;
use sandbox_core::action::Action;
use sandbox_core::document::ConvertFile;
use sandbox_core::event::EventData;
use sandbox_core::model::{
    Actor, Artifact, CodeRequest, ExecRequest, ExecResult, Failure, Handoff, HandoffRequest, Proposal, Usage,
};
use tokio_util::sync::CancellationToken;

use super::secrets::Secrets;
use crate::browser::{Browser, Permit};
use crate::workspace::Workspace;

/// How a driver asks a person before it acts: a task, or a program outside.
pub trait Asks: Send + Sync {
    /// Asks whether something may be done, and waits for a person's answer where the rules want one. Never to be called
    /// with a turn in hand: the answer may take days.
    fn approve(&self, asked: ApprovalRequest) -> BoxFuture<'_, Result<Decision, WorkError>>;

    /// Says that what was agreed to is being done now, under the turn in hand.
    fn doing(&self, doing: Doing) -> BoxFuture<'_, Result<(), WorkError>>;

    /// Whether any act may need a person's word; where none does, pages need no look before acting.
    fn may_ask(&self) -> bool;

    /// Resolves when a request is held at the network.
    fn is_held(&self) -> BoxFuture<'_, ()>;

    /// Waits until no request is held any more, and returns what became of those that were since this was asked last.
    fn held_requests(&self) -> BoxFuture<'_, Result<HeldAnswer, WorkError>>;

    /// Resolves when whoever acts is to stop.
    fn stopped(&self) -> BoxFuture<'_, ()>;
}

/// Everything that a task does goes through here.
pub trait Workbench: Asks {
    /// Waits for the agent's turn on the browser; while a person is asked or drives, that is long.
    fn begin(&self) -> BoxFuture<'_, Result<Turn, Stopped>>;

    /// Asks a person, and waits until they handed back or the request was called off.
    fn ask(&self, request: HandoffRequest) -> BoxFuture<'_, Result<HandedBack, WorkError>>;

    /// `None` in a sandbox without a browser.
    fn browser(&self) -> Option<Browser>;

    fn workspace(&self) -> Workspace;

    fn exec(&self, request: ExecRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>>;

    /// Opens secrets of the vault for one command, if their rules and the person allow it.
    fn secrets(&self, names: BTreeSet<String>, purpose: String) -> BoxFuture<'_, Result<Secrets, WorkError>>;

    fn code(&self, request: CodeRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>>;

    /// Converts a document in the shell room, and saves the result as an artifact.
    fn convert(&self, file: ConvertFile) -> BoxFuture<'_, Result<Converted, WorkError>>;

    /// Saves a workspace file as an artifact.
    fn save_artifact(&self, path: String, name: Option<String>) -> BoxFuture<'_, Result<Artifact, WorkError>>;

    /// Takes a checkpoint of the sandbox.
    fn checkpoint(&self, label: Option<String>) -> BoxFuture<'_, Result<(), WorkError>>;

    /// Commits one event of the task: a step, an action, a file.
    fn record(&self, data: EventData) -> BoxFuture<'_, Result<(), WorkError>>;

    /// Commits a part of the conversation with a model, with what happened in it: from here the task can go on.
    fn keep(&self, kept: Kept) -> BoxFuture<'_, Result<(), WorkError>>;

    /// Keeps a picture, PNG or JPEG; returns the SHA-256 of its content.
    fn keep_picture(&self, picture: Vec<u8>) -> BoxFuture<'_, Result<String, WorkError>>;

    /// Returns a picture that was kept.
    fn picture(&self, sha256: String) -> BoxFuture<'_, Result<Vec<u8>, WorkError>>;

    /// Takes what came for the task since it was asked last, oldest first.
    fn mail(&self) -> Vec<Mail>;

    /// Resolves when somebody has written to the task.
    fn message_came(&self) -> BoxFuture<'_, ()>;

    /// Shows what the model says while it says it; nothing of it is kept.
    fn show(&self, said: &str);
}

/// The agent's turn: the right to do one action on the browser. Dropping it says that the action is over.
pub struct Turn {
    pub permit: Permit,
    /// The action is asked to stop: someone else is to act.
    pub cancelled: CancellationToken,
    fresh: bool,
    settle: Option<Box<dyn FnOnce(bool) + Send>>,
}

impl Turn {
    /// `settle` runs once, when the turn is over; it is told whether nobody took note of `fresh`.
    pub fn new(
        permit: Permit,
        fresh: bool,
        cancelled: CancellationToken,
        settle: impl FnOnce(bool) + Send + 'static,
    ) -> Self {
        Self { permit, cancelled, fresh, settle: Some(Box::new(settle)) }
    }

    /// Returns whether someone else acted since the last turn: look again before believing anything. Said once; a turn
    /// that goes unasked leaves it to the next one.
    pub fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle(self.fresh);
        }
    }
}

/// A question: may this be done?
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalRequest {
    /// Exactly what a person is shown.
    pub proposal: Proposal,
    /// Address of the page that it is done on.
    pub page: String,
    /// What is to be done, so that the page can be looked at again when the answer comes.
    pub action: Option<Action>,
}

/// What is about to be done, as it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Doing {
    pub proposal: Proposal,
    /// What lists of the form send in place of the words that they show, by name.
    pub sent: Vec<(String, String)>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No rule asks about it, or a standing permission covers it.
    Allowed,
    /// A person said yes to exactly what was shown; look again before acting.
    Approved(ApprovalId),
    Denied {
        note: Option<String>,
    },
    /// What was shown is not there any more: look, and ask again.
    Void {
        why: String,
    },
    /// Nobody answered for as long as the asker waits; the question stands.
    Unanswered,
}

/// What became of the requests that were held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HeldAnswer {
    #[default]
    NoneHeld,
    LetGo,
    Denied {
        note: Option<String>,
    },
    /// Their page went away while they were held; they never left.
    Gone,
    /// A place that something wanted to reach stays closed: a person said no. What needs it fails by itself, with that cause.
    Closed,
    /// They stand still, and nobody answered for as long as the asker waits.
    Unanswered,
}

/// What came of a conversion.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// Files in the workspace: one, or one for each page. Never none.
    pub paths: Vec<String>,
    /// Of the first of them.
    pub artifact: Artifact,
    pub duration_ms: u64,
}

/// How a handoff ended.
#[derive(Clone, Debug, PartialEq)]
pub struct HandedBack {
    pub handoff: Handoff,
}

/// A part of the conversation with a model, and what happened in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// As the loop writes it; it comes back as it is when the task goes on.
    pub entries: Vec<serde_json::Value>,
    pub events: Vec<EventData>,
    /// What it cost, beyond what was kept before.
    pub spent: Usage,
}

/// What comes for a task while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Mail {
    Message {
        text: String,
        by: Actor,
    },
    /// Control came back, or a request for a person ended otherwise.
    HandedBack(Box<Handoff>),
}

/// The task is to stop: it was cancelled, or the sandbox ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task was stopped")]
pub struct Stopped;

/// Something that a task asked for could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("{0}")]
    Failed(String),
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed { result: String },
    Failed(Failure),
    Stopped,
}
