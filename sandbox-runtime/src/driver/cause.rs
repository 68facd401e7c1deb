//! Everything that can wake the driver: one closed enum, one inbox.

use std::sync::Arc;

use sandbox_core::control::{Controller, Releaser};
use sandbox_core::event::{CredentialUsed, EventData};
use sandbox_core::model::{
    Actor, ApprovalDecision, Artifact, Checkpoint, Failure, Grant, Handoff, HandoffRequest, RequestedBy, Rule, Task,
    TypedText, Viewport,
};
use sandbox_core::{ApprovalId, GrantId, Lease, TaskId, ViewerId};
use tokio::sync::oneshot;

use super::approvals::Decided;
use super::recovery::{Again, Restarted};
use super::refusal::Reply;
use super::start::{Lost, Rooms};
use super::tasks::TaskOrder;
use super::turns::TurnOf;
use crate::agent::{ApprovalRequest, Decision, Doing, HandedBack, HeldAnswer, Kept, Outcome, Turn};
use crate::browser::{BrowserEvent, PausedRequest, Remembered};
use crate::egress::{Denied, NewPlace};
use crate::workspace::checkpoint::Staged;

pub(super) enum Cause {
    /// It is this sandbox's turn to start.
    Assigned,
    /// The rooms are up, or could not be started.
    Started(Result<Box<(Rooms, Remembered)>, Failure>),
    /// A part ended by itself, or hangs.
    PartLost(Lost),
    /// A room was started again, or could not be.
    Restarted(Again, Result<Box<Restarted>, Failure>),
    /// The tabs that a browser was given when it started are back; the number is that of its room.
    Returned(u32),
    /// The tabs of a browser that was started again are back; the number is that of the new room.
    Reopened(Again, u32),
    /// Somebody uses the browser, or is about to.
    Wake,
    /// The browser is to be stopped now, its tabs forgotten.
    StopBrowser {
        answer: Reply<()>,
    },
    Browser(BrowserEvent),
    Denied(Denied),
    /// The sandbox wants to go to a place that nobody named.
    NewPlace(Box<NewPlace>),
    /// What became of the question about a place; `None` where it was never answered. The side that caused it waits no longer.
    PlaceAnswered {
        place: Box<NewPlace>,
        by: TurnOf,
        task: Option<TaskId>,
        decision: Option<Decision>,
    },

    /// What was counted at the way out is to be written down.
    Traffic {
        answer: Option<Reply<()>>,
    },

    StartTask {
        task: Box<Task>,
        order: Box<TaskOrder>,
        answer: Reply<()>,
    },
    CancelTask {
        answer: Reply<()>,
    },
    TaskEnded {
        task_id: Option<TaskId>,
        outcome: Outcome,
    },

    /// The agent's side wants its turn: the task waits for it, a program is refused while a person is at it.
    Begin {
        by: TurnOf,
        answer: Reply<Turn>,
    },
    /// A command runs, or no longer runs.
    Work {
        begun: bool,
    },
    /// Commits one event.
    Record {
        data: Box<EventData>,
        by: Actor,
        answer: Reply<()>,
    },
    /// Commits a part of the task's conversation.
    Keep {
        kept: Box<Kept>,
        answer: Reply<()>,
    },
    /// Somebody writes to the task.
    Message {
        task: TaskId,
        text: String,
        by: Actor,
        answer: Reply<()>,
    },
    Artifact {
        artifact: Box<Artifact>,
        by: Actor,
        answer: Reply<Artifact>,
    },
    /// Commits a checkpoint whose contents are noted already.
    Checkpoint {
        checkpoint: Box<Checkpoint>,
        by: Actor,
        answer: Reply<()>,
    },
    /// Makes the sandbox as it was; what it is to be is built already.
    GoBack {
        staged: Box<Staged>,
        checkpoint: Box<Checkpoint>,
        by: Actor,
        answer: Reply<()>,
    },
    Resized {
        viewport: Viewport,
        answer: Reply<()>,
    },

    Ask {
        by: RequestedBy,
        request: HandoffRequest,
        /// Whether `until` is met already: then nobody is asked.
        is_met: bool,
        /// Site of the sign-in form on the page, if the vault has nothing for it.
        missing_sign_in: Option<String>,
        answer: Reply<Handoff>,
        done: Option<oneshot::Sender<HandedBack>>,
    },
    CancelHandoff {
        note: Option<String>,
        answer: Reply<()>,
    },
    Take {
        controller: Controller,
        name: String,
        answer: Reply<()>,
    },
    HandBack {
        by: Releaser,
        note: Option<String>,
        typed: TypedText,
        answer: Reply<()>,
    },

    /// A viewer asks the driver for control.
    AskControl {
        viewer: ViewerId,
        name: String,
        answer: Reply<()>,
    },
    /// The person who drives answers them.
    AnswerAsker {
        viewer: ViewerId,
        gives: bool,
        answer: Reply<()>,
    },

    ViewerJoined {
        viewer: ViewerId,
    },
    ViewerLeft {
        viewer: ViewerId,
    },
    Heartbeat {
        viewer: ViewerId,
    },
    Input {
        viewer: ViewerId,
        lease: Lease,
    },

    /// Someone asks whether something may be done.
    Approve {
        asked: Box<ApprovalRequest>,
        by: TurnOf,
        answer: Reply<Decision>,
    },
    /// What was agreed to is being done.
    Doing {
        doing: Box<Doing>,
        answer: Reply<()>,
    },
    /// An entry of the vault is about to be filled in.
    CredentialUsed {
        used: Box<CredentialUsed>,
        answer: Reply<()>,
    },
    /// An MCP client uses this sandbox.
    ServesModel {
        answer: Reply<()>,
    },
    /// Whoever asks waits until nothing is held.
    AwaitHeld {
        by: TurnOf,
        answer: Reply<HeldAnswer>,
    },
    /// A request is held, and it is known which of its values a person typed; `None` where the page could not be asked.
    Held {
        request: Box<PausedRequest>,
        typed: Option<Vec<bool>>,
        by: TurnOf,
    },
    /// A page has its answer about a passkey; whoever caused that it asked need not wait for it any more.
    PasskeyAnswered {
        by: TurnOf,
    },
    /// Somebody answers a question. `gone` says why what was shown is not there any more.
    Decide {
        id: ApprovalId,
        decision: ApprovalDecision,
        by: Actor,
        gone: Option<String>,
        answer: Reply<Decided>,
    },
    /// A question is about what is not there any more.
    Withdraw {
        id: ApprovalId,
        why: String,
    },
    Rules {
        rules: Arc<Vec<Rule>>,
        answer: Reply<()>,
    },
    Revoke {
        grant: GrantId,
        answer: Reply<Option<Grant>>,
    },

    /// Freezes the sandbox; answered when it is frozen.
    Pause {
        by: Actor,
        answer: Reply<()>,
    },
    /// Lets a frozen sandbox go on.
    Resume {
        by: Actor,
        answer: Reply<()>,
    },
    /// Ends the sandbox; answered when nothing of it runs any more.
    End {
        answer: Reply<()>,
    },
    /// The runtime stops; answered when nothing of the sandbox runs any more.
    Leave {
        answer: Reply<()>,
    },
}
