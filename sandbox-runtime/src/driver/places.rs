//! Places that the sandbox's configuration leaves to people: asked about once, and open from a yes on.
//!
//! The side that acts waits meanwhile, as for a held request: what it needs may come from there.

use sandbox_core::TaskId;
use sandbox_core::approval::judge::{self, Foreseen};
use sandbox_core::approval::rules;
use sandbox_core::model::{ActKind, Rule, RuleEffect};
use sandbox_core::policy::{Pattern, host_patterns, named_patterns};
use tokio::sync::oneshot;

use super::actor::Actor;
use super::approvals::Asked;
use super::cause::Cause;
use super::turns::TurnOf;
use crate::agent::{Decision, HeldAnswer};
use crate::egress::{NewPlace, PlaceAnswer};
use crate::store::Change;

impl Actor {
    /// Opens a place that a person named already, in the task or by a rule about new places; asks them about any other.
    pub(super) async fn ask_about_place(&mut self, place: Box<NewPlace>) {
        let known = self.watch().known;
        if let Some(site) = rules::known_site(&place.address, &known) {
            self.open_place(*place, named_patterns(site)).await;
            return;
        }
        let seen = Foreseen {
            page: format!("https://{}", place.place),
            destination: Some(place.address.clone()),
            ..Foreseen::default()
        };
        let proposal = judge::propose(ActKind::NewDestination, place.place.summary(), &seen);
        if self.is_allowed_by_rule(&place.address) {
            // Of a rule's site only the host that is wanted.
            let lines = rules::site(&place.address).map(|site| host_patterns(&site)).unwrap_or_default();
            self.open_place(*place, lines).await;
            return;
        }
        let (by, task) = (self.who_acted(), self.task.as_ref().map(|running| running.task.id.clone()));
        let approval = self.new_approval(proposal, true, task.clone());
        self.trust.held_of(by).begin();
        let (answer, answered) = oneshot::channel();
        self.ask_about(Asked::waiting(approval, by, answer), Change::default()).await;
        let inbox = self.driver.inbox.clone();
        tokio::spawn(async move {
            let decision = answered.await.ok().and_then(Result::ok);
            // An actor that ended opens nothing.
            let _ = inbox.send(Cause::PlaceAnswered { place, by, task, decision }).await;
        });
    }

    /// Whether a rule says yes that is about new places: one for every kind of act says nothing of the network.
    fn is_allowed_by_rule(&self, address: &str) -> bool {
        let allows = |all: &[Rule]| {
            let named = rules::named(all, &self.sandbox.id, &[address], ActKind::NewDestination);
            named == Some(RuleEffect::Allow)
        };
        let is_about_places = |rule: &&Rule| rule.kind == Some(ActKind::NewDestination);
        let about_places: Vec<Rule> = self.trust.rules.iter().filter(is_about_places).cloned().collect();
        allows(&self.trust.rules) && allows(&about_places)
    }

    /// Takes in what became of a question that one side caused, for that task if there was one.
    pub(super) async fn place_answered(
        &mut self,
        place: NewPlace,
        (by, task): (TurnOf, Option<TaskId>),
        decision: Option<Decision>,
    ) {
        let became = match decision {
            Some(Decision::Allowed | Decision::Approved(_)) => {
                let lines = place.place.patterns();
                if self.open_place(place, lines).await { HeldAnswer::LetGo } else { HeldAnswer::Gone }
            }
            Some(Decision::Denied { .. }) => {
                // The program that waited may be gone.
                let _ = place.answer.send(PlaceAnswer::Closed);
                HeldAnswer::Closed
            }
            Some(Decision::Void { .. } | Decision::Unanswered) | None => HeldAnswer::Gone,
        };
        // What became of an earlier task's question is no news to this one.
        if task == self.task.as_ref().map(|running| running.task.id.clone()) {
            self.note_held(by, became);
        }
        self.trust.held_of(by).finish();
        self.questions_changed();
    }

    /// Opens a place for as long as the sandbox lives, by these lines of `network.allow`: they are in its record before
    /// anything goes there. Answers whether they are.
    async fn open_place(&mut self, place: NewPlace, lines: Vec<String>) -> bool {
        let before = self.sandbox.network.allow.clone();
        self.sandbox.network.allow.extend(lines.iter().filter(|line| !before.contains(line)).cloned());
        if let Err(refusal) = self.commit_change(Change::default()).await {
            tracing::warn!(place = %place.place, why = refusal.message, "a place that was opened could not be written down");
            self.sandbox.network.allow = before;
            return false;
        }
        let patterns: Vec<Pattern> = lines.iter().filter_map(|line| line.parse().ok()).collect();
        // The program that waited may be gone; the answer counts for the next one.
        let _ = place.answer.send(PlaceAnswer::Open(lines));
        // A page that gave up waiting comes after all.
        if let Some(browser) = self.browser() {
            browser.load_refused(|host, port| patterns.iter().any(|pattern| pattern.matches(host, port)));
        }
        self.show();
        true
    }
}
