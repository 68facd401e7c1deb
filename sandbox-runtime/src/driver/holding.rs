//! Requests held on their way out: which are, how they become questions, and how they go on or never leave.

use std::sync::Arc;

use sandbox_core::approval::watch::Watch;
use sandbox_core::approval::{hash, judge, request, twin};
use sandbox_core::model::{Rule, ShownField};

use super::actor::{Actor, reply};
use super::approvals::Asked;
use super::cause::Cause;
use super::refusal::{Refusal, Reply};
use super::turns::TurnOf;
use crate::agent::HeldAnswer;
use crate::browser::{Browser, HoldJudge, PausedRequest};
use crate::now_ms;
use crate::store::Change;

impl Actor {
    /// Tells the browser which requests to hold, as rules and task are now.
    pub(super) async fn sync_holding(&mut self) {
        // A sandbox that ends has answered for what it held, and its browser is on its way out.
        let Some(browser) = self.browser().filter(|_| self.sandbox.status.takes_work()) else { return };
        let watch = self.watch();
        // To end holding would let go what is held now: the rules that are gone hold nothing more, and that stays.
        let is_wanted = watch.may_hold() || self.trust.holds();
        let judges = move |paused: &PausedRequest| watch.held_as(&paused.outgoing, paused.is_page).is_some();
        let judge = is_wanted.then(|| Arc::new(judges) as HoldJudge);
        if let Err(error) = browser.hold(judge).await {
            tracing::error!(sandbox = %self.sandbox.id, %error, "requests cannot be held");
        }
    }

    pub(super) fn watch(&self) -> Watch {
        let known = self.task.as_ref().map_or(&self.trust.known, |running| &running.destinations);
        Watch {
            rules: self.trust.rules.clone(),
            sandbox: self.sandbox.id.clone(),
            follows: self.follows(),
            known: known.iter().cloned().collect(),
            has_task: self.task.is_some(),
        }
    }

    /// A request is held: first it is found out which of its values a person typed, so that none is shown. A page that is
    /// leaving told it with its form; any other is asked. One that was agreed to before it was done goes at once.
    pub(super) async fn read_held(&mut self, request: Box<PausedRequest>) {
        let by = self.who_acted();
        if self.was_agreed_to(&request) {
            let left = self.let_go_one(std::slice::from_ref(&*request)).await;
            self.note_held(by, if left { HeldAnswer::LetGo } else { HeldAnswer::Gone });
            return;
        }
        self.trust.held_of(by).begin();
        self.show();
        let browser = self.browser();
        let inbox = self.driver.inbox.clone();
        tokio::spawn(async move {
            let fields = request::fields(&request.outgoing);
            let typed = if request.is_document {
                Some(fields.iter().map(|field| request.typed_fields.contains(&field.name)).collect())
            } else if let Some(browser) = &browser {
                let values: Vec<_> = fields.into_iter().map(|field| field.value).collect();
                browser.typed_by_person(&values).await.ok()
            } else {
                None
            };
            // An actor that ended refuses nothing more: its browser is gone.
            let _ = inbox.send(Cause::Held { request, typed, by }).await;
        });
    }

    /// Makes a question of a held request, adds it to the same one, or lets it go because somebody said yes before.
    pub(super) async fn held(&mut self, request: PausedRequest, typed: Option<Vec<bool>>, by: TurnOf) {
        self.trust.held_of(by).finish();
        let Some(kind) = self.watch().held_as(&request.outgoing, request.is_page) else {
            // The rules changed meanwhile.
            self.let_go_one(std::slice::from_ref(&request)).await;
            return self.questions_changed();
        };
        let mut proposal = request::propose(kind, &request.outgoing);
        mask(&mut proposal.fields, typed.as_deref());
        if self.is_covered(&proposal).await {
            let left = self.let_go_one(std::slice::from_ref(&request)).await;
            self.note_held(by, if left { HeldAnswer::LetGo } else { HeldAnswer::Gone });
            return self.questions_changed();
        }
        // Whatever reaches a page while a task runs does it in the name of the task.
        let task = self.task.as_ref().map(|running| running.task.id.clone());
        let shown = hash(&proposal);
        let same = twin(self.trust.asked.iter().map(|asked| &asked.approval), task.as_ref(), &shown, true)
            .map(|same| same.approval_id.clone());
        let same = self.trust.asked.iter_mut().find(|asked| {
            // Secrets are shown as dots: only what is the same beneath them is the same.
            Some(&asked.approval.approval_id) == same.as_ref()
                && asked.held.first().is_some_and(|first| first.outgoing == request.outgoing)
        });
        if let Some(same) = same {
            same.held.push(request);
            return self.questions_changed();
        }
        let approval = self.new_approval(proposal, true, task);
        self.ask_about(Asked::held(approval, by, request), Change::default()).await;
    }

    /// Whether a person agreed to this request when they agreed to the act that causes it; an agreement is to one.
    fn was_agreed_to(&mut self, request: &PausedRequest) -> bool {
        let now = now_ms();
        self.trust.agreed.retain(|agreed| !agreed.is_over(now));
        let found = self.trust.agreed.iter().position(|agreed| agreed.covers(&request.outgoing, now));
        found.map(|at| self.trust.agreed.remove(at)).is_some()
    }

    /// Answers when nothing that this side caused is held any more.
    pub(super) fn await_held(&mut self, by: TurnOf, answer: Reply<HeldAnswer>) {
        let held = self.trust.held_of(by);
        held.awaiting.retain(|waiting| !waiting.is_closed());
        held.awaiting.push(answer);
        self.questions_changed();
    }

    /// Lets exactly one of these requests go, which are word for word the same: the newest that its page still waits for.
    /// The others never leave, for one was approved. Answers whether one left.
    pub(super) async fn let_go_one(&self, held: &[PausedRequest]) -> bool {
        let Some(browser) = self.browser() else { return held.is_empty() };
        let mut left = held.is_empty();
        for request in held.iter().rev() {
            if left {
                browser.refuse(request);
            } else {
                left = browser.let_go(request).await.is_ok();
            }
        }
        left
    }

    pub(super) fn refuse_held(&self, held: &[PausedRequest]) {
        if let Some(browser) = self.browser() {
            held.iter().for_each(|request| browser.refuse(request));
        }
    }

    /// Remembers what became of a held request, for whoever caused it to ask: a denial outweighs all else.
    pub(super) fn note_held(&mut self, by: TurnOf, answer: HeldAnswer) {
        let weight = |answer: &HeldAnswer| match answer {
            HeldAnswer::NoneHeld | HeldAnswer::Unanswered => 0,
            HeldAnswer::Gone | HeldAnswer::Closed => 1,
            HeldAnswer::LetGo => 2,
            HeldAnswer::Denied { .. } => 3,
        };
        let held = self.trust.held_of(by);
        if weight(&answer) > weight(&held.answer) || answer == HeldAnswer::NoneHeld {
            held.answer = answer;
        }
    }

    /// Takes a person's rules into force.
    pub(super) async fn take_rules(&mut self, rules: Arc<Vec<Rule>>, answer: Reply<()>) {
        self.trust.rules = rules;
        self.sync_holding().await;
        self.show();
        reply(answer, Ok::<(), Refusal>(()));
    }

    pub(super) fn browser(&self) -> Option<Browser> {
        Some(self.rooms.as_ref()?.desktop.as_ref()?.browser.clone())
    }
}

/// Covers what a person typed; everything, where the page could not be asked.
fn mask(fields: &mut [ShownField], typed: Option<&[bool]>) {
    for (at, field) in fields.iter_mut().enumerate() {
        if typed.is_none_or(|typed| typed.get(at).copied().unwrap_or(true)) && !field.value.is_empty() {
            field.value = judge::DOTS.to_owned();
            field.masked = true;
        }
    }
}
