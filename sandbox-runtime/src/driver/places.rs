//! Places that the sandbox's configuration leaves to people: asked about once, and open from a yes on.
//!
//! The side that acts waits meanwhile, as for a held request: what it needs may come from there.

use sandbox_core::approval::judge::{self, Foreseen};
use sandbox_core::approval::rules;
use sandbox_core::model::ActKind;
use tokio::sync::oneshot;

use super::actor::Actor;
use super::approvals::Asked;
use super::cause::Cause;
use super::turns::TurnOf;
use crate::agent::{Decision, HeldAnswer};
use crate::egress::NewPlace;
use crate::store::Change;

impl Actor {
    /// Opens a place that somebody named already, in the task or by an answer; asks a person about any other.
    pub(super) async fn ask_about_place(&mut self, place: Box<NewPlace>) {
        if rules::is_known(&place.address, &self.watch().known) {
            return self.open_place(*place).await;
        }
        let by = self.who_acted();
        let seen = Foreseen { destination: Some(place.address.clone()), ..Foreseen::default() };
        let proposal =
            judge::propose(ActKind::NewDestination, format!("reach {} over the network", place.place), &seen);
        let task = self.task.as_ref().map(|running| running.task.id.clone());
        let approval = self.new_approval(proposal, true, task);
        self.trust.held_of(by).begin();
        let (answer, answered) = oneshot::channel();
        self.ask_about(Asked::waiting(approval, by, answer), Change::default()).await;
        let inbox = self.driver.inbox.clone();
        tokio::spawn(async move {
            let decision = answered.await.ok().and_then(Result::ok);
            // An actor that ended opens nothing.
            let _ = inbox.send(Cause::PlaceAnswered { place, by, decision }).await;
        });
    }

    pub(super) async fn place_answered(&mut self, place: NewPlace, by: TurnOf, decision: Option<Decision>) {
        let became = match decision {
            Some(Decision::Allowed | Decision::Approved(_)) => {
                self.open_place(place).await;
                HeldAnswer::LetGo
            }
            Some(Decision::Denied { .. }) => {
                // The program that waited may be gone.
                let _ = place.answer.send(false);
                HeldAnswer::Closed
            }
            Some(Decision::Void { .. } | Decision::Unanswered) | None => HeldAnswer::Gone,
        };
        self.note_held(by, became);
        self.trust.held_of(by).finish();
        self.questions_changed();
    }

    /// Opens a place for as long as the sandbox lives: it is in its record before anything goes there.
    async fn open_place(&mut self, place: NewPlace) {
        let before = self.sandbox.network.allow.clone();
        let new = place.place.patterns().into_iter().filter(|pattern| !before.contains(pattern));
        self.sandbox.network.allow.extend(new);
        if let Err(refusal) = self.commit_change(Change::default()).await {
            tracing::warn!(place = %place.place, why = refusal.message, "a place that was opened could not be written down");
            self.sandbox.network.allow = before;
            return;
        }
        // The program that waited may be gone; the answer counts for the next one.
        let _ = place.answer.send(true);
        self.show();
    }
}
