//! Questions to a person about what would be done: asked, collapsed, answered, made void; and the permissions they give.
//!
//! A question is on the disk before anyone sees it, and an answer before it has any effect.
//! Owns the open questions and the permissions of the running task; leaves the rules to `core::approval`, and holding
//! requests to [`super::holding`].

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use sandbox_core::action::Action;
use sandbox_core::approval::agreed::Agreed;
use sandbox_core::approval::rules::{self, Follows};
use sandbox_core::approval::{Step, apply, hash, is_whole, ledger, twin};
use sandbox_core::event::{AgentMessage, ApprovalDecided, ApprovalRequested, NewEvent};
use sandbox_core::model::{
    ActKind, Actor as By, Approval, ApprovalDecision, ApprovalStatus, Grant, Proposal, Rule, RuleEffect, Verdict,
};
use sandbox_core::{ApprovalId, GrantId, TaskId};
use tokio::sync::oneshot;

use super::actor::{Actor, reply};
use super::refusal::{Refusal, Reply};
use super::turns::TurnOf;
use crate::agent::{ApprovalRequest, Decision, Doing, HeldAnswer};
use crate::browser::PausedRequest;
use crate::now_ms;
use crate::store::Change;

/// Answers to programs that are kept until the program comes for them; the oldest go first.
const KEPT_ANSWERS: usize = 64;

/// What the driver knows of rules, questions and permissions.
pub(super) struct Trust {
    pub rules: Arc<Vec<Rule>>,
    /// Pending, in the order of asking.
    pub asked: Vec<Asked>,
    /// Of the running task.
    pub grants: Vec<Grant>,
    /// Hashes of what was agreed to and is not begun yet.
    agreed_to: BTreeSet<String>,
    /// What was agreed to and is being done: the request that each causes is not asked about again.
    pub agreed: Vec<Agreed>,
    /// Answers that a program did not wait for, by hash.
    answered: VecDeque<(String, Decision)>,
    /// Sites that were approved, or that a person went to, while no task ran.
    pub known: BTreeSet<String>,
    /// An MCP client uses this sandbox: a model decides what its programs do.
    pub serves_a_model: bool,
    /// Whose turn was the last.
    pub acted_last: TurnOf,
    /// What is held of the task's doing, and of programs'.
    of_task: HeldOf,
    of_programs: HeldOf,
}

/// What one side waits for at the network.
#[derive(Default)]
pub(super) struct HeldOf {
    /// Held requests that are being read before they become questions, and what waits for an answer about a passkey or a place.
    being_read: usize,
    /// What became of held requests since that side asked last.
    pub answer: HeldAnswer,
    pub awaiting: Vec<Reply<HeldAnswer>>,
}

/// An open question.
pub(super) struct Asked {
    pub approval: Approval,
    /// Whose act it is about.
    pub by: TurnOf,
    /// Hash of the proposal as it was asked: where it leads may have made it one of another kind.
    as_asked: String,
    /// Address of the page it is about, and what would be done there.
    pub action: Option<Action>,
    waiting: Vec<oneshot::Sender<Result<Decision, Refusal>>>,
    /// Requests that stand still until it is answered, newest last: word for word the same, secrets included.
    pub held: Vec<PausedRequest>,
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    Done(Approval),
    /// It could not be: what was shown is not there any more. The question is void.
    Void(Approval),
    /// The answer is about something else than what is asked. The question stands.
    OtherHash(Approval),
    /// No such question is open here.
    NotOpen,
}

impl HeldOf {
    /// One more thing stands still, and this side waits for it.
    pub fn begin(&mut self) {
        self.being_read += 1;
    }

    /// One of them does not stand still any more.
    pub fn finish(&mut self) {
        self.being_read = self.being_read.saturating_sub(1);
    }
}

impl Trust {
    pub fn new(rules: Arc<Vec<Rule>>) -> Self {
        Self {
            rules,
            asked: Vec::new(),
            grants: Vec::new(),
            agreed_to: BTreeSet::new(),
            agreed: Vec::new(),
            answered: VecDeque::new(),
            known: BTreeSet::new(),
            serves_a_model: false,
            acted_last: TurnOf::Program,
            of_task: HeldOf::default(),
            of_programs: HeldOf::default(),
        }
    }

    pub fn pending(&self) -> Vec<Approval> {
        self.asked.iter().map(|asked| asked.approval.clone()).collect()
    }

    /// Whether anything that this side caused is held.
    pub fn holds_of(&self, by: TurnOf) -> bool {
        let being_read = match by {
            TurnOf::Task => self.of_task.being_read,
            TurnOf::Program => self.of_programs.being_read,
        };
        being_read > 0 || self.asked.iter().any(|asked| asked.by == by && !asked.held.is_empty())
    }

    pub fn holds(&self) -> bool {
        self.holds_of(TurnOf::Task) || self.holds_of(TurnOf::Program)
    }

    pub fn held_of(&mut self, by: TurnOf) -> &mut HeldOf {
        match by {
            TurnOf::Task => &mut self.of_task,
            TurnOf::Program => &mut self.of_programs,
        }
    }
}

impl Actor {
    /// Answers whether something may be done: at once where no rule asks, else when a person has.
    pub(super) async fn approve(&mut self, asked: ApprovalRequest, by: TurnOf, answer: Reply<Decision>) {
        let ApprovalRequest { mut proposal, page, action } = asked;
        let as_asked = hash(&proposal);
        let Some(effect) = self.effect_of(&mut proposal, &page) else { return reply(answer, Ok(Decision::Allowed)) };
        let changes = proposal.method.as_deref().is_none_or(sandbox_core::approval::judge::is_unsafe);
        let is_asked = match effect {
            RuleEffect::Allow => false,
            RuleEffect::Ask => true,
            // What changes something is stopped at the network, where nothing is left to guess.
            RuleEffect::Hold => !changes || proposal.kind == ActKind::NewDestination,
        };
        if !is_asked {
            return reply(answer, Ok(Decision::Allowed));
        }
        if by == TurnOf::Task && self.is_covered(&proposal).await {
            self.trust.agreed_to.insert(as_asked);
            return reply(answer, Ok(Decision::Allowed));
        }
        let task = match by {
            TurnOf::Task => self.task.as_ref().map(|running| running.task.id.clone()),
            TurnOf::Program => None,
        };
        let shown = hash(&proposal);
        if by == TurnOf::Program
            && let Some(decision) = self.take_answer(&shown)
        {
            return reply(answer, Ok(decision));
        }
        let same = twin(self.trust.asked.iter().map(|asked| &asked.approval), task.as_ref(), &shown, false);
        if let Some(same) = same.map(|same| same.approval_id.clone()) {
            if let Some(asked) = self.trust.asked.iter_mut().find(|asked| asked.approval.approval_id == same) {
                asked.waiting.push(answer);
            }
            return;
        }
        let approval = self.new_approval(proposal, false, task);
        let mut change = Change::default();
        // Programs ask each for itself.
        if by == TurnOf::Task {
            self.supersede(&approval.approval_id, &mut change);
        }
        let asked = Asked { as_asked, action, ..Asked::waiting(approval, by, answer) };
        self.ask_about(asked, change).await;
    }

    /// Something that was agreed to is being done now: the request that it causes is not asked about again.
    pub(super) fn doing(&mut self, doing: Doing) {
        if self.trust.agreed_to.remove(&hash(&doing.proposal)) {
            self.trust.agreed.push(Agreed::new(doing.proposal, doing.sent, now_ms()));
        }
    }

    /// Notes whose turn begins. What the page's own code sends after an act of one is not agreed to for another.
    pub(super) fn acts(&mut self, by: TurnOf) {
        if self.trust.acted_last != by {
            self.trust.agreed.retain(Agreed::is_exact);
        }
        if by == TurnOf::Program {
            // What became of an earlier program's requests is no answer to this one.
            self.trust.of_programs.answer = HeldAnswer::NoneHeld;
        }
        self.trust.acted_last = by;
    }

    /// Returns whom the story names as the cause of a network request.
    pub(super) fn who_acted(&self) -> TurnOf {
        if self.task.is_none() { TurnOf::Program } else { self.trust.acted_last }
    }

    /// Notes that a model decides what programs do in this sandbox.
    pub(super) async fn serve_a_model(&mut self) {
        if !std::mem::replace(&mut self.trust.serves_a_model, true) {
            self.sync_holding().await;
            self.show();
        }
    }

    fn take_answer(&mut self, hash: &str) -> Option<Decision> {
        let at = self.trust.answered.iter().position(|(of, _)| of == hash)?;
        self.trust.answered.remove(at).map(|(_, decision)| decision)
    }

    /// Puts a question on the disk, then before people.
    pub(super) async fn ask_about(&mut self, asked: Asked, mut change: Change) {
        let approval = asked.approval.clone();
        let by = match asked.by {
            TurnOf::Task => By::Agent,
            TurnOf::Program => By::Api,
        };
        let event = self.event(ApprovalRequested::from(&approval), by);
        change.events.push(NewEvent { task_id: approval.task_id.clone(), ..event });
        change.approvals.push(approval.clone());
        self.trust.asked.push(asked);
        if let Err(refusal) = self.commit_change(change).await {
            // What is not on the disk was never asked: it is not done either.
            if let Some(asked) = self.take_asked(&approval.approval_id) {
                self.refuse_held(&asked.held);
                for waiting in asked.waiting {
                    reply(waiting, Err(refusal.clone()));
                }
            }
        } else {
            self.checkpoint_before(&format!("your answer: {}", approval.proposal.summary));
        }
        self.questions_changed();
    }

    pub(super) fn new_approval(&self, proposal: Proposal, held: bool, task_id: Option<TaskId>) -> Approval {
        let now = now_ms();
        Approval {
            approval_id: ApprovalId::from_unique(crate::unique()),
            sandbox_id: self.sandbox.id.clone(),
            task_id,
            status: ApprovalStatus::Pending,
            hash: hash(&proposal),
            proposal,
            held,
            note: None,
            reason: None,
            decided_by: None,
            grant_id: None,
            requested_at: now,
            decided_at: None,
            updated_at: now,
        }
    }

    /// A task that asks something else does not ask the old thing any more.
    fn supersede(&mut self, by: &ApprovalId, change: &mut Change) {
        let task = self.task.as_ref().map(|running| running.task.id.clone());
        let (gone, stay) = std::mem::take(&mut self.trust.asked)
            .into_iter()
            .partition(|asked: &Asked| !asked.approval.held && asked.approval.task_id == task);
        self.trust.asked = stay;
        for mut asked in gone {
            let step = Step::Supersede { by: by.clone() };
            self.close(&mut asked.approval, step, By::Agent, change);
            for waiting in asked.waiting {
                reply(waiting, Ok(Decision::Void { why: "something else was asked instead".to_owned() }));
            }
        }
    }

    /// Carries out a person's answer.
    pub(super) async fn decide(
        &mut self,
        id: &ApprovalId,
        decision: ApprovalDecision,
        by: By,
        gone: Option<String>,
    ) -> Result<Decided, Refusal> {
        let Some(at) = self.trust.asked.iter().position(|asked| asked.approval.approval_id == *id) else {
            return Ok(Decided::NotOpen);
        };
        let approval = self.trust.asked[at].approval.clone();
        if decision.hash.as_ref().is_some_and(|shown| *shown != approval.hash) {
            return Ok(Decided::OtherHash(approval));
        }
        let tampered = (!is_whole(&approval)).then(|| "the record was changed after it was shown".to_owned());
        if let Some(why) = tampered.or(gone) {
            return self.void_one(id, why, by).await.map(Decided::Void);
        }
        let grant = match (&decision.decision, &decision.scope) {
            (Verdict::Approve, Some(scope)) => {
                let id = GrantId::from_unique(crate::unique());
                let given = ledger::grant(&approval, id, scope, now_ms());
                Some(given.map_err(|error| Refusal::invalid(error.to_string()))?)
            }
            (Verdict::Approve, None) | (Verdict::Deny, _) => None,
        };
        let mut change = Change::default();
        let mut decided = approval;
        let note = decision.note.clone();
        let step = match decision.decision {
            Verdict::Approve => Step::Approve { by, note, grant: grant.as_ref().map(|grant| grant.grant_id.clone()) },
            Verdict::Deny => Step::Deny { by, note },
        };
        self.close(&mut decided, step, by, &mut change);
        change.grants.extend(grant.clone());
        // Taken out before it is committed, so that the record of the sandbox says what is true then.
        let asked = self.trust.asked.remove(at);
        if let Err(refusal) = self.commit_change(change).await {
            self.trust.asked.insert(at, asked);
            return Err(refusal);
        }
        self.trust.grants.extend(grant);
        if decision.decision == Verdict::Approve && asked.action.is_some() {
            self.trust.agreed_to.insert(asked.as_asked.clone());
        }
        let left = match decision.decision {
            Verdict::Approve => self.let_go_one(&asked.held).await,
            Verdict::Deny => {
                self.refuse_held(&asked.held);
                true
            }
        };
        if !left {
            let why = "the page gave the request up while it was held; it never left".to_owned();
            let mut change = Change::default();
            self.close(&mut decided, Step::Void { why: why.clone() }, By::System, &mut change);
            self.commit_change(change).await?;
            self.answer(asked.waiting, &Decision::Void { why });
            self.note_held(asked.by, HeldAnswer::Gone);
            self.questions_changed();
            return Ok(Decided::Void(decided));
        }
        if decision.decision == Verdict::Approve && decided.proposal.kind == ActKind::NewDestination {
            self.told_about(&decided.proposal.destination);
            self.sync_holding().await;
        }
        let told = match decision.decision {
            Verdict::Approve => Decision::Approved(decided.approval_id.clone()),
            Verdict::Deny => Decision::Denied { note: decision.note },
        };
        if !asked.held.is_empty() {
            let became = match &told {
                Decision::Denied { note } => HeldAnswer::Denied { note: note.clone() },
                Decision::Allowed | Decision::Approved(_) | Decision::Void { .. } | Decision::Unanswered => {
                    HeldAnswer::LetGo
                }
            };
            self.note_held(asked.by, became);
        }
        let is_heard = self.answer(asked.waiting, &told);
        // A program need not wait: it comes again with the same, and is answered then.
        if !is_heard && asked.held.is_empty() && decided.task_id.is_none() {
            if self.trust.answered.len() == KEPT_ANSWERS {
                self.trust.answered.pop_front();
            }
            self.trust.answered.push_back((decided.hash.clone(), told));
        }
        self.questions_changed();
        Ok(Decided::Done(decided))
    }

    /// Makes one question void: nothing is done by it, and who asked looks again.
    pub(super) async fn void_one(&mut self, id: &ApprovalId, why: String, by: By) -> Result<Approval, Refusal> {
        let Some(mut asked) = self.take_asked(id) else {
            return Err(Refusal::wrong_state("this question is answered"));
        };
        let mut change = Change::default();
        self.close(&mut asked.approval, Step::Void { why: why.clone() }, by, &mut change);
        self.refuse_held(&asked.held);
        let committed = self.commit_change(change).await;
        self.answer(asked.waiting, &Decision::Void { why });
        if !asked.held.is_empty() {
            self.note_held(asked.by, HeldAnswer::Gone);
        }
        self.questions_changed();
        committed.map(|()| asked.approval)
    }

    /// Makes every open question void, because its task or its sandbox ends; what was held never left. `of` names the task
    /// whose questions they are; without it, it is everybody's.
    pub(super) fn void_all(&mut self, of: Option<&TaskId>, why: &str, change: &mut Change) {
        let (gone, stay) = std::mem::take(&mut self.trust.asked)
            .into_iter()
            .partition(|asked: &Asked| of.is_none() || asked.approval.task_id.as_ref() == of);
        self.trust.asked = stay;
        for mut asked in gone {
            self.close(&mut asked.approval, Step::Void { why: why.to_owned() }, By::System, change);
            self.refuse_held(&asked.held);
            self.answer(asked.waiting, &Decision::Void { why: why.to_owned() });
        }
        self.trust.grants.clear();
        self.trust.agreed.clear();
        self.trust.agreed_to.clear();
        self.note_held(TurnOf::Task, HeldAnswer::NoneHeld);
        self.questions_changed();
    }

    /// Whether a standing permission covers this; one use of it is then on the disk.
    pub(super) async fn is_covered(&mut self, proposal: &Proposal) -> bool {
        let Some(task) = self.task.as_ref().map(|running| running.task.id.clone()) else { return false };
        let now = now_ms();
        let covering = |grant: &Grant| ledger::covers(grant, &task, proposal, now).is_ok();
        let Some(at) = self.trust.grants.iter().position(covering) else { return false };
        let mut used = self.trust.grants[at].clone();
        ledger::spend(&mut used, proposal, now);
        let told = AgentMessage {
            text: format!("{}: covered by a permission that was given before", proposal.summary),
            step: None,
            grant_id: Some(used.grant_id.clone()),
        };
        let event = self.event(told, By::System);
        let change = Change { grants: vec![used.clone()], events: vec![event], ..Change::default() };
        if self.commit_change(change).await.is_err() {
            return false;
        }
        self.trust.grants[at] = used;
        true
    }

    /// Ends a permission of the running task; `None` for one that is not among them.
    pub(super) async fn revoke(&mut self, id: &GrantId) -> Result<Option<Grant>, Refusal> {
        let Some(at) = self.trust.grants.iter().position(|grant| grant.grant_id == *id) else { return Ok(None) };
        let mut revoked = self.trust.grants[at].clone();
        ledger::revoke(&mut revoked, now_ms());
        self.commit_change(Change { grants: vec![revoked.clone()], ..Change::default() }).await?;
        self.trust.grants[at] = revoked.clone();
        Ok(Some(revoked))
    }

    /// Returns what is to happen with an act; `None` where nobody has a say in it. A destination that the task was not
    /// told about makes it one of that kind, unless it is graver already.
    fn effect_of(&self, proposal: &mut Proposal, page: &str) -> Option<RuleEffect> {
        // The entry's own rule is to ask: other rules do not change that.
        if matches!(proposal.kind, ActKind::SignIn | ActKind::UseSecret) {
            return Some(RuleEffect::Ask);
        }
        let follows = self.follows();
        let addresses = [page, proposal.destination.as_str()];
        let of = |kind| rules::effect(&self.trust.rules, &self.sandbox.id, &addresses, kind, follows);
        let watch = self.watch();
        let is_known = rules::is_known(&proposal.destination, &watch.known);
        let elsewhere = if is_known { RuleEffect::Allow } else { watch.elsewhere(&addresses) };
        if proposal.kind == ActKind::NewDestination {
            return (elsewhere != RuleEffect::Allow).then_some(elsewhere);
        }
        let by_kind = of(proposal.kind);
        if by_kind == RuleEffect::Allow && elsewhere != RuleEffect::Allow {
            proposal.kind = ActKind::NewDestination;
            return Some(elsewhere);
        }
        Some(by_kind)
    }

    pub(super) fn follows(&self) -> Follows {
        match &self.task {
            _ if self.trust.serves_a_model => Follows::Model,
            Some(running) if running.task.prompt.is_some() => Follows::Model,
            Some(_) => Follows::Playbook,
            None => Follows::Program,
        }
    }

    /// The task may go to the sites that this text names: a person wrote it, or went there.
    pub(super) fn told_about(&mut self, text: &str) {
        let sites = rules::sites_in(text);
        match &mut self.task {
            Some(running) => running.destinations.extend(sites),
            None => self.trust.known.extend(sites),
        }
    }

    /// Applies the step that ends a question, and writes down that it did.
    fn close(&self, approval: &mut Approval, step: Step, by: By, change: &mut Change) {
        if apply(approval, step, now_ms()).is_err() {
            return;
        }
        let event = self.event(ApprovalDecided::from(&*approval), by);
        change.events.push(NewEvent { task_id: approval.task_id.clone(), ..event });
        change.approvals.push(approval.clone());
    }

    /// Tells everyone who waits. Returns whether anyone did.
    fn answer(&self, waiting: Vec<oneshot::Sender<Result<Decision, Refusal>>>, decision: &Decision) -> bool {
        waiting.into_iter().filter_map(|waiting| waiting.send(Ok(decision.clone())).ok()).count() > 0
    }

    fn take_asked(&mut self, id: &ApprovalId) -> Option<Asked> {
        let at = self.trust.asked.iter().position(|asked| asked.approval.approval_id == *id)?;
        Some(self.trust.asked.remove(at))
    }

    /// What follows when a question was asked or is over: the clock, the task's status, and who waits for held requests.
    pub(super) fn questions_changed(&mut self) {
        self.run_or_stop_clock();
        self.watch_person();
        for by in [TurnOf::Task, TurnOf::Program] {
            if self.trust.holds_of(by) {
                continue;
            }
            let held = self.trust.held_of(by);
            let waiting = std::mem::take(&mut held.awaiting);
            if !waiting.is_empty() {
                let answer = std::mem::take(&mut held.answer);
                for waiting in waiting {
                    reply(waiting, Ok(answer.clone()));
                }
            }
        }
        self.show();
    }

    /// Whether a question of the running task stands open.
    pub(super) fn is_asking(&self) -> bool {
        let task = self.task.as_ref().map(|running| &running.task.id);
        task.is_some() && self.trust.asked.iter().any(|asked| asked.approval.task_id.as_ref() == task)
    }
}

impl Asked {
    /// A question whose answer goes to `answer`.
    pub fn waiting(approval: Approval, by: TurnOf, answer: oneshot::Sender<Result<Decision, Refusal>>) -> Self {
        Self { approval, by, as_asked: String::new(), action: None, waiting: vec![answer], held: vec![] }
    }

    pub fn held(approval: Approval, by: TurnOf, request: PausedRequest) -> Self {
        Self { approval, by, as_asked: String::new(), action: None, waiting: vec![], held: vec![request] }
    }
}
