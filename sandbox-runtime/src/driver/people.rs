//! People: asked, taking over, handing back; and the record of each time, with its receipt.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox_core::HandoffId;
use sandbox_core::control::{Answer, Asker, Controller, Releaser, Request, State};
use sandbox_core::event::{
    HandoffAccepted, HandoffCancelled, HandoffCompleted, HandoffExpired, HandoffRequested, NewEvent,
};
use sandbox_core::handoff::{Step, apply};
use sandbox_core::model::{
    Actor as By, EpochMs, FileKind, Handoff, HandoffReason, HandoffRequest, HandoffStatus, Receipt, RequestedBy,
    TypedText,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::actor::Actor;
use super::refusal::Refusal;
use crate::agent::{HandedBack, Mail};
use crate::browser::Takeover;
use crate::now_ms;
use crate::store::Change;
use crate::workspace::Workspace;

/// A person gets the wheel even if the page could not be named by then; the naming goes on beside them.
const TAKEOVER_LIMIT: Duration = Duration::from_millis(40);
/// The agent goes on even if a page has not told by then which of its fields hold what a person typed.
const LEAVING_LIMIT: Duration = Duration::from_secs(3);

/// For how long persons held control for the handoff that stands.
#[derive(Default)]
pub(super) struct HeldTime {
    since: Option<EpochMs>,
    total_ms: u64,
    takeovers: u32,
}

impl HeldTime {
    fn begin(&mut self, now: EpochMs) {
        self.since = Some(now);
        self.takeovers += 1;
    }

    fn end(&mut self, now: EpochMs) {
        let held = self.since.take().map_or(0, |since| u64::try_from(now - since).unwrap_or(0));
        self.total_ms = self.total_ms.saturating_add(held);
    }

    fn cancelled(&self, request_id: HandoffId) -> HandoffCancelled {
        let (held_ms, takeovers) = (Some(self.total_ms), Some(self.takeovers));
        HandoffCancelled { request_id, held_ms, takeovers, message: None }
    }
}

/// The page as it was before a person took over.
pub(super) enum Naming {
    Running(JoinHandle<Takeover>),
    Done(Takeover),
}

impl Actor {
    /// Records a request for a person.
    pub(super) async fn ask(
        &mut self,
        by: RequestedBy,
        request: HandoffRequest,
        is_met: bool,
        missing_sign_in: Option<String>,
        done: Option<oneshot::Sender<HandedBack>>,
    ) -> Result<Handoff, Refusal> {
        if !self.sandbox.status.takes_work() {
            return Err(Refusal::wrong_state("the sandbox takes no work in this state"));
        }
        if let Some(standing) = self.standing_handoff().cloned() {
            // The task waits for whoever is at it, or was asked, already.
            if by == RequestedBy::Agent {
                self.handed_back = done;
                return Ok(standing);
            }
            return Err(Refusal::wrong_state("a handoff stands already in this sandbox"));
        }
        if is_met && !matches!(self.control.state(), State::Person { .. }) {
            return self.complete_unasked(by, request, done).await;
        }
        let now = now_ms();
        let again = if by == RequestedBy::Agent { self.standing.take() } else { None };
        let is_again = again.is_some();
        let id = again.as_ref().map_or_else(|| HandoffId::from_unique(crate::unique()), |old| old.request_id.clone());
        let asker = match (by, self.control.state()) {
            (RequestedBy::Agent, State::Agent { lease, .. }) => Asker::Agent(*lease),
            (RequestedBy::Agent | RequestedBy::Worker | RequestedBy::Sdk | RequestedBy::Dashboard, _) => Asker::Program,
        };
        // Asked for before control changes, so that the record is there when anyone sees that it waits.
        let mut handoff = self.pending_handoff(id.clone(), request, by);
        handoff.missing_sign_in = missing_sign_in;
        if let Some(old) = again {
            handoff.requested_at = old.requested_at;
            handoff.expires_at = old.expires_at;
        }
        let mut tried = self.control.clone();
        match tried.handle(Request::Ask { by: asker.clone(), handoff: id.clone() }, now) {
            Answer::Accepted(_) => {}
            Answer::Already => return Err(Refusal::wrong_state("a person was asked already")),
            Answer::Denied(denial) => return Err(Refusal::from(denial)),
        }
        let by = match by {
            RequestedBy::Agent => By::Agent,
            RequestedBy::Worker | RequestedBy::Sdk => By::Api,
            RequestedBy::Dashboard => By::Person,
        };
        self.handoff = Some(handoff.clone());
        self.held = HeldTime::default();
        self.handed_back = done;
        self.prepare_takeover();
        let requested = self.event(requested(&handoff, is_again), by);
        if let Err(refusal) = self.try_commit(vec![requested]).await {
            self.handoff = None;
            self.handed_back = None;
            return Err(refusal);
        }
        self.control_request(Request::Ask { by: asker, handoff: id }, by, None).await;
        self.wake();
        self.checkpoint_before("you were asked");
        Ok(handoff)
    }

    /// What is asked for is so already: the record says it, and nobody is asked.
    async fn complete_unasked(
        &mut self,
        by: RequestedBy,
        request: HandoffRequest,
        done: Option<oneshot::Sender<HandedBack>>,
    ) -> Result<Handoff, Refusal> {
        let again = if by == RequestedBy::Agent { self.standing.take() } else { None };
        let id = again.map_or_else(|| HandoffId::from_unique(crate::unique()), |old| old.request_id);
        let mut handoff = self.pending_handoff(id.clone(), request, by);
        let note = Some("nobody was asked: `until` was met already".to_owned());
        // A request that was made a moment ago can be completed.
        let _ = apply(&mut handoff, Step::Complete { note, receipt: None }, now_ms());
        let completed = HandoffCompleted {
            request_id: id,
            receipt: None,
            note: handoff.note.clone(),
            held_ms: Some(0),
            takeovers: Some(0),
            until_met: Some(true),
            reason: Some(handoff.reason),
            message: Some(handoff.message.clone()),
        };
        let completed = self.event(completed, By::System);
        let change = Change { handoffs: vec![handoff.clone()], events: vec![completed], ..Change::default() };
        self.commit_change(change).await?;
        if let Some(done) = done {
            // The task may have been stopped meanwhile.
            let _ = done.send(HandedBack { handoff: handoff.clone() });
        }
        Ok(handoff)
    }

    pub(super) async fn take(&mut self, controller: Controller, name: String) -> Result<(), Refusal> {
        if !self.sandbox.status.takes_work() {
            return Err(Refusal::wrong_state("the sandbox takes no work in this state"));
        }
        if self.rooms.as_ref().is_none_or(|rooms| rooms.desktop.is_none()) {
            return Err(Refusal::wrong_state("this sandbox has no browser"));
        }
        self.can_be_recorded()?;
        let handoff = HandoffId::from_unique(crate::unique());
        let taking = self.controller.replace(name);
        match self.control_request(Request::Take { controller, handoff }, By::Person, None).await {
            Answer::Accepted(_) | Answer::Already => {
                self.wake();
                self.all_is_recorded()
            }
            Answer::Denied(denial) => {
                self.controller = taking;
                self.show();
                Err(Refusal::from(denial))
            }
        }
    }

    pub(super) async fn hand_back(
        &mut self,
        by: &Releaser,
        note: Option<String>,
        typed: TypedText,
    ) -> Result<(), Refusal> {
        self.can_be_recorded()?;
        self.typed_text = typed;
        // A program may complete a handoff that nobody took: the work was done elsewhere.
        if matches!(self.control.state(), State::Waiting { .. }) && *by == Releaser::Program {
            return self.complete_untaken(note).await;
        }
        let answer = self.control_request(Request::HandBack { by: by.clone() }, By::Person, note).await;
        // It was for this hand-back: a refused one leaves nothing to the next.
        self.typed_text = TypedText::default();
        match answer {
            Answer::Accepted(_) => {
                self.forget_ended_handoff();
                self.all_is_recorded()
            }
            Answer::Already => Err(Refusal::wrong_state("nobody holds control")),
            Answer::Denied(denial) => Err(Refusal::from(denial)),
        }
    }

    async fn complete_untaken(&mut self, note: Option<String>) -> Result<(), Refusal> {
        let receipt = self.receipt(note.as_deref()).await;
        let mut events = vec![];
        self.complete_handoff(note, Some(receipt), By::Api, &mut events);
        self.must_commit(events).await;
        self.end_asking(By::Api).await;
        self.all_is_recorded()
    }

    pub(super) async fn cancel_handoff(&mut self, note: Option<String>) -> Result<(), Refusal> {
        self.can_be_recorded()?;
        let Some(handoff) = &mut self.handoff else {
            return Err(Refusal::wrong_state("no handoff stands in this sandbox"));
        };
        if apply(handoff, Step::Cancel { note }, now_ms()).is_err() {
            return Err(Refusal::wrong_state("this handoff is over"));
        }
        self.held.end(now_ms());
        let cancelled = self.held.cancelled(handoff.request_id.clone());
        self.must_commit(vec![self.event(cancelled, By::Api)]).await;
        self.end_asking(By::Api).await;
        self.all_is_recorded()
    }

    pub(super) async fn expire_handoff(&mut self) {
        let Some(handoff) = &mut self.handoff else { return };
        if handoff.expires_at.is_none_or(|expires_at| now_ms() < expires_at)
            || apply(handoff, Step::Expire, now_ms()).is_err()
        {
            return;
        }
        self.held.end(now_ms());
        let expired = HandoffExpired {
            request_id: handoff.request_id.clone(),
            held_ms: Some(self.held.total_ms),
            takeovers: Some(self.held.takeovers),
        };
        self.must_commit(vec![self.event(expired, By::System)]).await;
        self.end_asking(By::System).await;
    }

    /// The handoff that stood has ended: control goes where it goes without it.
    async fn end_asking(&mut self, by: By) {
        let Some(id) = self.handoff.as_ref().map(|handoff| handoff.request_id.clone()) else { return };
        self.tell_asker();
        if matches!(self.control.state(), State::Person { .. }) {
            self.control_request(Request::HandBack { by: Releaser::Program }, by, None).await;
        } else {
            self.control_request(Request::AskEnded { handoff: id }, by, None).await;
        }
        self.controller = None;
        self.forget_ended_handoff();
        self.show();
    }

    /// A person has the wheel: the record says who and since when.
    pub(super) async fn person_arrived(&mut self, id: &HandoffId, controller: &Controller, events: &mut Vec<NewEvent>) {
        let now = now_ms();
        let name = match controller {
            Controller::Api(name) => name.clone(),
            Controller::Viewer(viewer) => self.controller.clone().unwrap_or_else(|| viewer.to_string()),
        };
        self.controller = Some(name.clone());
        self.inputs_before = self.inputs_now();
        // Beside the person, not before them: a large workspace would keep the wheel from them.
        self.files_before = Some(tokio::spawn(files_of(self.kit.workspace.clone())));
        if self.standing_handoff().is_none() {
            self.checkpoint_at_takeover();
            let unasked = HandoffRequest {
                reason: HandoffReason::Custom,
                message: "took control without being asked".to_owned(),
                resume_prompt: None,
                expires_in_ms: None,
                until: None,
            };
            self.handoff = Some(self.pending_handoff(id.clone(), unasked, RequestedBy::Dashboard));
            self.held = HeldTime::default();
        }
        self.held.begin(now);
        if let Some(handoff) = &mut self.handoff
            && apply(handoff, Step::Accept { controller: name.clone() }, now).is_ok()
        {
            events.push(self.event(HandoffAccepted { request_id: id.clone(), controller: name }, By::Person));
        }
        self.prepare_takeover();
        self.wait_for_naming().await;
    }

    /// Waits a moment for the page to be named before the person's first input.
    async fn wait_for_naming(&mut self) {
        let Some(Naming::Running(naming)) = &mut self.takeover else { return };
        // What is not named by then still serves the receipt: the naming goes on.
        if let Ok(named) = tokio::time::timeout(TAKEOVER_LIMIT, naming).await {
            self.takeover = named.ok().map(Naming::Done);
        }
    }

    fn pending_handoff(&self, id: HandoffId, request: HandoffRequest, by: RequestedBy) -> Handoff {
        let now = now_ms();
        Handoff {
            request_id: id,
            sandbox_id: self.sandbox.id.clone(),
            task_id: self.task.as_ref().map(|running| running.task.id.clone()),
            status: HandoffStatus::Pending,
            reason: request.reason,
            message: request.message,
            requested_by: by,
            controller: None,
            resume_prompt: request.resume_prompt,
            note: None,
            until: request.until,
            missing_sign_in: None,
            receipt: None,
            requested_at: now,
            accepted_at: None,
            completed_at: None,
            expires_at: request.expires_in_ms.and_then(|ms| i64::try_from(ms).ok()).map(|ms| now.saturating_add(ms)),
            updated_at: now,
        }
    }

    /// Begins to name the page as it is before the person acts.
    pub(super) fn prepare_takeover(&mut self) {
        if self.takeover.is_some() {
            return;
        }
        if let Some(desktop) = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref()) {
            let browser = desktop.browser.clone();
            self.takeover = Some(Naming::Running(tokio::spawn(async move { browser.before_takeover().await })));
        }
    }

    /// Writes what changed while the person drove: names, never values.
    pub(super) async fn receipt(&mut self, note: Option<&str>) -> Receipt {
        let mut receipt = self.compared().await.unwrap_or_default();
        self.offer_sign_ins().await;
        let typed_text = std::mem::take(&mut self.typed_text);
        if let Some(desktop) = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref()) {
            let left = tokio::time::timeout(LEAVING_LIMIT, desktop.browser.leave_typed(typed_text)).await;
            receipt.fields_veiled = left.unwrap_or_default();
        }
        self.held.end(now_ms());
        receipt.held_ms = self.held.total_ms;
        if self.held.takeovers > 0 {
            receipt.inputs = self.inputs_now().saturating_sub(self.inputs_before);
        }
        if let Some(listed) = self.files_before.take()
            && let Ok(before) = listed.await
        {
            let files = files_of(self.kit.workspace.clone()).await;
            receipt.files_arrived = files.difference(&before).cloned().collect();
        }
        receipt.note = note.map(str::to_owned);
        // Where a person went, the task may go on.
        self.told_about(&receipt.after.url);
        self.sync_holding().await;
        receipt
    }

    /// Returns what changed in the browser, if it still runs.
    async fn compared(&mut self) -> Option<Receipt> {
        let before = match self.takeover.take()? {
            Naming::Running(naming) => naming.await.ok()?,
            Naming::Done(before) => before,
        };
        let browser = self.rooms.as_ref()?.desktop.as_ref()?.browser.clone();
        let until = self.handoff.as_ref().and_then(|handoff| handoff.until.clone());
        let mut receipt = browser.after_takeover(before).await;
        if let Some(until) = until {
            receipt.until_met = Some(browser.until_met(&until).await);
        }
        Some(receipt)
    }

    pub(super) fn complete_handoff(
        &mut self,
        note: Option<String>,
        receipt: Option<Receipt>,
        by: By,
        events: &mut Vec<NewEvent>,
    ) {
        self.controller = None;
        let Some(handoff) = &mut self.handoff else { return };
        if apply(handoff, Step::Complete { note, receipt: receipt.map(Box::new) }, now_ms()).is_ok() {
            let completed = HandoffCompleted {
                request_id: handoff.request_id.clone(),
                receipt: handoff.receipt.clone(),
                note: handoff.note.clone(),
                held_ms: Some(self.held.total_ms),
                takeovers: Some(self.held.takeovers),
                until_met: None,
                reason: None,
                message: None,
            };
            events.push(self.event(completed, by));
            self.tell_asker();
        }
    }

    pub(super) fn reopen_handoff(&mut self, events: &mut Vec<NewEvent>) {
        self.controller = None;
        self.held.end(now_ms());
        let Some(handoff) = &mut self.handoff else { return };
        if apply(handoff, Step::Reopen, now_ms()).is_ok() {
            let requested = requested(handoff, true);
            events.push(self.event(requested, By::System));
        }
    }

    /// A handoff that nobody has taken ends with its task; one that is held stays with the person.
    pub(super) fn cancel_handoff_with_task(&mut self, events: &mut Vec<NewEvent>) {
        if matches!(self.control.state(), State::Person { .. }) {
            return;
        }
        let Some(handoff) = &mut self.handoff else { return };
        if apply(handoff, Step::Cancel { note: None }, now_ms()).is_ok() {
            let cancelled = self.held.cancelled(handoff.request_id.clone());
            events.push(self.event(cancelled, By::System));
            self.tell_asker();
        }
    }

    pub(super) async fn cancel_standing_handoff(&mut self, why: &str) {
        let Some(handoff) = &mut self.handoff else { return };
        if apply(handoff, Step::Cancel { note: Some(why.to_owned()) }, now_ms()).is_err() {
            return;
        }
        self.held.end(now_ms());
        let cancelled = self.held.cancelled(handoff.request_id.clone());
        self.must_commit(vec![self.event(cancelled, By::System)]).await;
        self.tell_asker();
        self.forget_ended_handoff();
    }

    /// Tells the task how the handoff ended, and whoever waits for it.
    fn tell_asker(&mut self) {
        let Some(handoff) = self.handoff.clone() else { return };
        if let Some(running) = &self.task {
            running.mail.put(Mail::HandedBack(Box::new(handoff.clone())));
        }
        if let Some(done) = self.handed_back.take() {
            // The task may have been stopped meanwhile.
            let _ = done.send(HandedBack { handoff });
        }
    }

    pub(super) fn forget_ended_handoff(&mut self) {
        if self.standing_handoff().is_none() && !matches!(self.control.state(), State::Settling { .. }) {
            self.handoff = None;
            self.takeover = None;
        }
    }

    fn standing_handoff(&self) -> Option<&Handoff> {
        self.handoff.as_ref().filter(|handoff| match handoff.status {
            HandoffStatus::Pending | HandoffStatus::Accepted => true,
            HandoffStatus::Completed | HandoffStatus::Cancelled | HandoffStatus::Expired => false,
        })
    }
}

fn requested(handoff: &Handoff, again: bool) -> HandoffRequested {
    let (request_id, message) = (handoff.request_id.clone(), handoff.message.clone());
    HandoffRequested { request_id, reason: handoff.reason, message, again }
}

/// Names the workspace's files; what cannot be listed is left out of the receipt.
async fn files_of(workspace: Workspace) -> BTreeSet<String> {
    let listed = tokio::task::spawn_blocking(move || workspace.list(".", true)).await;
    let Ok(Ok(entries)) = listed else { return BTreeSet::new() };
    entries.entries.into_iter().filter(|entry| entry.kind == FileKind::File).map(|entry| entry.path).collect()
}
