//! Writing down: what changed and what happened, in one transaction, before anyone is shown it.
//!
//! A request that cannot be written down is refused. What is done already (a person took control, a task ended) cannot be:
//! it is owed to the history, written before anything else, and not shown until it is.

use sandbox_core::event::{EventData, NewEvent};
use sandbox_core::model::{Actor as By, Handoff, Sandbox, SandboxStatus, Task};

use super::actor::Actor;
use super::refusal::{Refusal, RefusalCode};
use crate::now_ms;
use crate::store::{Change, StoreError};

/// Records as history has them.
#[derive(Default)]
pub(super) struct Committed {
    sandbox: Option<Sandbox>,
    task: Option<Task>,
    handoff: Option<Handoff>,
}

impl Actor {
    /// Returns an event of the sandbox, and of its task if one is under way.
    pub(super) fn event(&self, data: impl Into<EventData>, by: By) -> NewEvent {
        NewEvent {
            sandbox_id: self.sandbox.id.clone(),
            task_id: self.task.as_ref().map(|running| running.task.id.clone()),
            by,
            at: now_ms(),
            // Whoever writes an event may have an address from anywhere.
            data: data.into().without_sign_ins(),
        }
    }

    /// Commits the records that differ and `events`; a failure is logged, as no one waits for the answer.
    pub(super) async fn commit(&mut self, events: Vec<NewEvent>) {
        if let Err(refusal) = self.try_commit(events).await {
            tracing::error!(sandbox = %self.sandbox.id, %refusal, "history could not be written");
        }
    }

    /// Commits the records that differ and `events`, then shows the new state.
    pub(super) async fn try_commit(&mut self, events: Vec<NewEvent>) -> Result<(), Refusal> {
        self.commit_change(Change { events, ..Change::default() }).await
    }

    /// Commits what is done already, as [`Self::try_must_commit`]; a failure is logged, as no one waits for the answer.
    pub(super) async fn must_commit(&mut self, events: Vec<NewEvent>) {
        if let Err(refusal) = self.try_must_commit(events).await {
            tracing::error!(sandbox = %self.sandbox.id, %refusal, "history is written later");
        }
    }

    /// Commits what is done already: on a full disk by the reserve. What cannot be written now is owed to the history, and
    /// goes before whatever comes next.
    pub(super) async fn try_must_commit(&mut self, events: Vec<NewEvent>) -> Result<(), Refusal> {
        self.commit_change(Change { events, must_be_kept: true, ..Change::default() }).await
    }

    /// As [`Self::try_commit`], or where it `must_be_kept` as [`Self::try_must_commit`].
    pub(super) async fn commit_change(&mut self, mut change: Change) -> Result<(), Refusal> {
        self.derive_records();
        if self.committed.sandbox.as_ref() != Some(&self.sandbox) || !change.events.is_empty() {
            self.sandbox.updated_at = now_ms();
            change.sandboxes.push(self.sandbox.clone());
        }
        let task = self.task.as_ref().map(|running| running.task.clone());
        if self.committed.task != task {
            change.tasks.extend(task.clone());
        }
        if self.committed.handoff != self.handoff {
            change.handoffs.extend(self.handoff.clone());
        }
        let next = Committed { sandbox: Some(self.sandbox.clone()), task, handoff: self.handoff.clone() };
        let must_be_kept = change.must_be_kept;
        let written = match self.pay_what_is_owed().await {
            Ok(()) if must_be_kept => self.write_or_owe(change).await,
            Ok(()) => self.kit.store.commit(change).await.map(drop),
            Err(error) => {
                if must_be_kept {
                    self.owed.push(change);
                }
                Err(error)
            }
        };
        // What is shown is on the disk: a reader who was shown it finds it there.
        match written {
            Ok(()) => {
                self.committed = next;
                self.show();
                Ok(())
            }
            Err(error) => {
                let later =
                    if must_be_kept { "; it is done, and written down as soon as that is possible" } else { "" };
                Err(Refusal { code: RefusalCode::NotRecorded, message: format!("{error}{later}") })
            }
        }
    }

    /// Refuses what would have to be written down while even the reserve is used up.
    pub(super) fn can_be_recorded(&self) -> Result<(), Refusal> {
        let room = self.kit.store.room_for_what_must_be_kept();
        room.map_err(|error| Refusal { code: RefusalCode::NotRecorded, message: error.to_string() })
    }

    /// Answers whoever asked for something that is done: with its end only if the history has it.
    pub(super) fn all_is_recorded(&self) -> Result<(), Refusal> {
        if !self.owes() {
            return Ok(());
        }
        let message = "it is done, and not in the history yet: it could not be written; it is tried again";
        Err(Refusal { code: RefusalCode::NotRecorded, message: message.to_owned() })
    }

    /// Whether something is done that the history does not have yet.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Tries again to write what could not be written.
    pub(super) async fn pay(&mut self) {
        if self.owes() && self.pay_what_is_owed().await.is_ok() {
            self.show();
        }
    }

    async fn pay_what_is_owed(&mut self) -> Result<(), StoreError> {
        let Some(change) = std::mem::take(&mut self.owed).into_iter().reduce(Change::and) else { return Ok(()) };
        self.write_or_owe(change).await
    }

    async fn write_or_owe(&mut self, change: Change) -> Result<(), StoreError> {
        let kept = self.kit.store.commit(change.clone()).await;
        if kept.is_err() {
            self.owed.push(change);
        }
        kept.map(drop)
    }

    /// Returns the record of the sandbox as it may be shown: as it is on the disk, and that it ends, which nobody can refuse.
    pub(super) fn shown_sandbox(&self) -> Sandbox {
        let Some(committed) = self.committed.sandbox.clone().filter(|_| self.owes()) else {
            return self.sandbox.clone();
        };
        let status = match self.sandbox.status {
            SandboxStatus::Ending | SandboxStatus::Ended | SandboxStatus::Failed => SandboxStatus::Ending,
            SandboxStatus::Queued
            | SandboxStatus::Assigning
            | SandboxStatus::Ready
            | SandboxStatus::Active
            | SandboxStatus::Pausing
            | SandboxStatus::Paused => committed.status,
        };
        Sandbox { status, ..committed }
    }

    /// Fills in what records say but do not decide.
    fn derive_records(&mut self) {
        let control = self.control.state().clone();
        let is_asking = self.is_asking();
        if let Some(running) = &mut self.task {
            running.task.status = sandbox_core::task::status(running.progress, &control, is_asking);
        }
        self.sandbox.handoff.clone_from(&self.handoff);
        self.sandbox.approvals = self.trust.pending();
        self.sandbox.agent = self.agent_info();
    }
}
