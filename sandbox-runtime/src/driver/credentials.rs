//! The use of a person's sign-in: in the history and in the ledger before its value is filled in.

use sandbox_core::control::State;
use sandbox_core::event::{CredentialUsed, NewEvent};
use sandbox_core::model::{Actor as By, CredentialUse};

use super::Driver;
use super::actor::Actor;
use super::cause::Cause;
use super::refusal::Refusal;
use super::turns::TurnOf;
use crate::store::Change;

impl Driver {
    /// Writes down that an entry of the vault is about to be filled in by the side whose turn it is.
    ///
    /// # Errors
    ///
    /// It cannot be written down: then nothing must be filled in.
    pub async fn credential_used(&self, used: CredentialUsed) -> Result<(), Refusal> {
        let used = Box::new(used);
        self.ask_actor(|answer| Cause::CredentialUsed { used, answer }).await
    }
}

impl Actor {
    pub(super) async fn credential_used(&mut self, used: CredentialUsed) -> Result<(), Refusal> {
        let task_id = self.task.as_ref().map(|running| running.task.id.clone());
        let (by, task_id) = match (self.control.state(), self.who_acted()) {
            (State::Person { .. }, _) => (By::Person, task_id),
            (_, TurnOf::Task) => (By::Agent, task_id),
            (_, TurnOf::Program) => (By::Api, None),
        };
        let event = NewEvent { task_id: task_id.clone(), ..self.event(used.clone(), by) };
        let line = CredentialUse {
            credential_id: used.credential_id,
            site: used.site,
            username: used.username,
            sandbox_id: self.sandbox.id.clone(),
            task_id,
            at: event.at,
        };
        self.commit_change(Change { events: vec![event], credential_uses: vec![line], ..Change::default() }).await
    }
}
