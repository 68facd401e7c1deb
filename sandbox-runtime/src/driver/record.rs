//! Writing down: what changed and what happened, in one transaction, before anyone is shown it.

use sandbox_core::address::cut_sign_ins;
use sandbox_core::model::{Actor as By, EventType, Handoff, NewEvent, Sandbox, Task};

use super::actor::Actor;
use super::refusal::{Refusal, RefusalCode};
use crate::now_ms;
use crate::store::Change;

/// Records as history has them.
#[derive(Default)]
pub(super) struct Committed {
    sandbox: Option<Sandbox>,
    task: Option<Task>,
    handoff: Option<Handoff>,
}

impl Actor {
    pub(super) fn event(&self, kind: EventType, by: By, mut data: serde_json::Value) -> NewEvent {
        // Whoever writes an event may have an address from anywhere.
        cut_sign_ins(&mut data);
        NewEvent {
            sandbox_id: self.sandbox.id.clone(),
            task_id: self.task.as_ref().map(|running| running.task.id.clone()),
            kind,
            by,
            at: now_ms(),
            data,
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
        let change = Change { events, ..Change::default() };
        self.commit_change(change).await
    }

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
        let committed = self.kit.store.commit(change).await;
        self.show();
        match committed {
            Ok(_) => {
                self.committed = Committed { sandbox: Some(self.sandbox.clone()), task, handoff: self.handoff.clone() };
                Ok(())
            }
            Err(error) => Err(Refusal { code: RefusalCode::NotRecorded, message: error.to_string() }),
        }
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
