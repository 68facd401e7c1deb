//! Where a sandbox went, with what went there: counted at the way out, and written down when it leads somewhere new, when a
//! task or the sandbox ends, and when somebody asks.

use sandbox_core::model::NetworkDestination;

use super::Driver;
use super::actor::Actor;
use super::cause::Cause;
use super::refusal::Refusal;
use crate::store::Change;

impl Actor {
    /// Writes down what was counted since the last time.
    pub(super) async fn note_traffic(&mut self) {
        let counted = self.rooms.as_ref().map(|rooms| rooms.traffic().take()).unwrap_or_default();
        self.write_traffic(counted).await;
    }

    /// Writes down what was counted. A full disk does not lose it.
    pub(super) async fn write_traffic(&mut self, counted: Vec<NetworkDestination>) {
        if counted.is_empty() {
            return;
        }
        let destinations = counted.into_iter().map(|each| (self.sandbox.id.clone(), each)).collect();
        let change = Change { destinations, must_be_kept: true, ..Change::default() };
        if let Err(refusal) = self.commit_change(change).await {
            tracing::warn!(sandbox = %self.sandbox.id, %refusal, "where it went is written later");
        }
    }
}

impl Driver {
    /// Has what was counted so far written down.
    pub async fn note_traffic(&self) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::Traffic { answer: Some(answer) }).await
    }
}
