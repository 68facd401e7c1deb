//! The loop: takes one cause, changes state by the rules of core, carries out the effects, commits, shows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sandbox_core::approval::rules;
use sandbox_core::control::{Answer, Control, Controller, Effect, IDLE_MS, Request, State};
use sandbox_core::event::{
    ActionError, AgentAction, AgentReady, BrowserDialog, BrowserFailed, BrowserNavigated, BrowserReady, ControlChanged,
    DialogState, EventData, FileChange, FileChanged, NetworkDenied, NewEvent, SandboxAssigned, SandboxEnded,
    SandboxFailed, SandboxReady,
};
use sandbox_core::model::{
    Actor as By, AgentStatus, EpochMs, Failure, Handoff, PreviewStatus, Sandbox, SandboxStatus, TypedText,
};
use sandbox_core::observation::DialogKind;
use sandbox_core::{Lease, ViewerId};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::approvals::Trust;
use super::beginning::{begin_from, give_back};
use super::cause::Cause;
use super::idle::{Activity, Idle};
use super::people::{HeldTime, Naming};
use super::record::Committed;
use super::recorder::Recorder;
use super::refusal::{Refusal, Reply};
use super::seat::InputTally;
use super::start::{Rooms, start_rooms};
use super::tasks::RunningTask;
use super::turns::{Settled, TurnOf, Turns};
use super::work::COMMANDS_MAX;
use super::{Asker, Driver, INBOX, Kit, Shared};
use crate::agent::HandedBack;
use crate::browser::{BrowserEvent, Gate, Live, Remembered, forget_open_pages};
use crate::now_ms;
use crate::sandbox::calls;
use crate::store::Change;

/// How long the room may take to lift what a person held.
const RELEASE_LIMIT: Duration = Duration::from_secs(3);
/// How long the rooms may take to die before the sandbox is called ended all the same.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// How long after a failure the history is written to again.
const OWED_PAUSE: Duration = Duration::from_secs(1);

/// A sandbox that is about to be paused.
pub(super) struct Pausing {
    pub by: By,
    pub waiting: Vec<Reply<()>>,
    /// When the action in flight is frozen, if it is not over before.
    pub freeze_at: EpochMs,
}

/// Owns one sandbox.
pub(super) struct Actor {
    pub driver: Driver,
    pub kit: Kit,
    pub control: Control,
    pub sandbox: Sandbox,
    pub task: Option<RunningTask>,
    pub handoff: Option<Handoff>,
    /// A request of the task's that an earlier runtime left open, until the task asks again.
    pub standing: Option<Handoff>,
    /// Told when the handoff that stands now has ended.
    pub handed_back: Option<oneshot::Sender<HandedBack>>,
    pub takeover: Option<Naming>,
    /// What the person who hands back now wants of what they typed.
    pub typed_text: TypedText,
    pub held: HeldTime,
    pub inputs_before: u64,
    /// What the workspace held when the person took over; absent while nobody did.
    pub files_before: Option<JoinHandle<BTreeSet<String>>>,
    pub controller: Option<String>,
    /// Records as they were committed last: only what differs is written again.
    pub committed: Committed,
    /// What is done and not in the history yet, in its order.
    pub owed: Vec<Change>,
    pub since: EpochMs,
    pub trust: Trust,
    pub idle: Idle,
    pub rooms: Option<Rooms>,
    /// Set while it is about to be paused.
    pub pausing: Option<Pausing>,
    pub recorder: Option<Recorder>,
    /// When parts were lost of late.
    pub losses: Vec<tokio::time::Instant>,
    pub turns: Turns,
    viewers: BTreeSet<ViewerId>,
    /// The viewer asking for control.
    pub(super) asker: Option<Asker>,
    working: u32,
    shared: watch::Sender<Arc<Shared>>,
    pub ending: Vec<Reply<()>>,
    /// Whether nothing of it runs any more though it has not ended.
    pub left: bool,
}

/// Starts the actor of a sandbox that is committed as `queued`.
pub(super) fn spawn(sandbox: Sandbox, kit: Kit) -> Driver {
    let (inbox, causes) = mpsc::channel(INBOX);
    let (turns, is_settled) = Turns::new();
    let gate = Gate::default();
    let now = now_ms();
    let (shared, view) = watch::channel(Arc::new(Shared {
        sandbox: sandbox.clone(),
        control: Control::default().state().clone(),
        controller: None,
        has_task: false,
        questions: vec![],
        task_holds: false,
        programs_hold: false,
        may_ask: false,
        since: now,
        asker: None,
        lapses_at: None,
        desktop: None,
        desktop_down: false,
        rest: None,
        shell: None,
        shell_down: false,
        browser: None,
    }));
    let driver = Driver {
        id: sandbox.id.clone(),
        inbox,
        shared: view,
        gate,
        tally: Arc::new(InputTally::default()),
        activity: Arc::new(Activity::default()),
        commands: Arc::new(Semaphore::new(COMMANDS_MAX)),
        share: Arc::default(),
        offers: Arc::default(),
        taking: Arc::default(),
        kit: Arc::new(kit.clone()),
    };
    let actor = Actor {
        trust: Trust::new(kit.rules.clone()),
        idle: Idle::default(),
        driver: driver.clone(),
        kit,
        control: Control::default(),
        sandbox,
        task: None,
        handoff: None,
        standing: None,
        handed_back: None,
        takeover: None,
        typed_text: TypedText::default(),
        held: HeldTime::default(),
        inputs_before: 0,
        files_before: None,
        controller: None,
        committed: Committed::default(),
        owed: Vec::new(),
        since: now,
        rooms: None,
        pausing: None,
        recorder: None,
        losses: Vec::new(),
        turns,
        viewers: BTreeSet::new(),
        asker: None,
        working: 0,
        shared,
        ending: Vec::new(),
        left: false,
    };
    tokio::spawn(actor.run(causes, is_settled));
    driver
}

impl Actor {
    async fn run(mut self, mut causes: mpsc::Receiver<Cause>, mut settled: mpsc::UnboundedReceiver<Settled>) {
        self.start().await;
        while !self.sandbox.status.is_over() && !self.left {
            let due = self.next_due_at();
            tokio::select! {
                // A settled action comes first: what waits for it was asked before.
                biased;
                Some(settled) = settled.recv() => {
                    self.action_settled(settled).await;
                    self.freeze_if_due().await;
                }
                cause = causes.recv() => match cause {
                    Some(cause) => self.handle(cause).await,
                    None => self.end(None).await,
                },
                () = sleep_until(due) => self.tick().await,
            }
            self.note_idle();
        }
        for answer in self.ending.drain(..) {
            // Whoever asked may have gone.
            let _ = answer.send(Ok(()));
        }
        Box::pin(self.pay_before_it_goes(causes)).await;
    }

    /// Stays until the history has the end. It is `ending` until then, and whoever asks for anything is told that it is over.
    async fn pay_before_it_goes(mut self, mut causes: mpsc::Receiver<Cause>) {
        while self.owes() {
            self.show();
            tokio::select! {
                cause = causes.recv() => drop(cause),
                () = tokio::time::sleep(OWED_PAUSE) => self.pay().await,
            }
        }
    }

    /// Starts the rooms when it is this sandbox's turn; it is `queued` until then.
    pub(super) async fn start(&mut self) {
        let from = self.kit.from_checkpoint.take();
        let (sandbox, kit) = (self.sandbox.clone(), self.kit.clone());
        let (gate, inbox) = (self.driver.gate.clone(), self.driver.inbox.clone());
        tokio::spawn(async move {
            let _turn = kit.starts.acquire().await.expect("nobody closes the line of those that start");
            // An actor that ended meanwhile starts nothing.
            if inbox.send(Cause::Assigned).await.is_err() {
                return;
            }
            let started = async {
                if let Some(checkpoint) = from {
                    let has_browser = sandbox.capabilities.browser.browser().is_some();
                    begin_from(&kit, sandbox.id.clone(), checkpoint, has_browser).await?;
                }
                let rooms = start_rooms(&sandbox, &kit, &gate, &inbox).await?;
                let remembered = give_back(rooms.desktop.as_ref().map(|desktop| &desktop.browser), &kit).await;
                Ok(Box::new((rooms, remembered)))
            };
            // An actor that ended meanwhile drops the rooms, which kills them.
            let _ = inbox.send(Cause::Started(started.await)).await;
        });
    }

    async fn handle(&mut self, cause: Cause) {
        match cause {
            Cause::Assigned => {
                self.sandbox.status = SandboxStatus::Assigning;
                self.must_commit(vec![self.event(SandboxAssigned {}, By::System)]).await;
            }
            Cause::Started(Ok(started)) => {
                let (rooms, remembered) = *started;
                self.started(rooms, remembered).await;
            }
            Cause::Started(Err(failure)) => self.fail(failure).await,
            Cause::PartLost(lost) => self.part_lost(lost).await,
            Cause::Returned(number) => self.returned(number),
            Cause::Reopened(again, number) => self.reopened(again, number).await,
            Cause::Restarted(again, restarted) => self.restarted(again, restarted).await,
            Cause::Wake => self.wake(),
            Cause::StopBrowser { answer } => {
                let stopped = self.stop_browser().await;
                reply(answer, stopped);
            }
            Cause::Browser(event) => self.browser_event(event).await,
            Cause::Denied(denied) => {
                let denied = NetworkDenied { host: denied.host, port: denied.port, reason: denied.reason };
                self.commit(vec![self.event(denied, By::System)]).await;
            }
            Cause::NewPlace(place) => self.ask_about_place(place).await,
            Cause::PlaceAnswered { place, by, task, decision } => {
                self.place_answered(*place, (by, task), decision).await;
            }
            Cause::Traffic { answer } => {
                self.note_traffic().await;
                if let Some(answer) = answer {
                    reply(answer, Ok(()));
                }
            }
            Cause::StartTask { task, order, answer } => {
                let started = self.start_task(*task, *order).await;
                reply(answer, started);
            }
            Cause::CancelTask { answer } => {
                let cancelled = self.cancel_task().await;
                reply(answer, cancelled);
            }
            Cause::TaskEnded { task_id, outcome } => self.task_ended(task_id, outcome).await,
            Cause::Begin { by, answer } => {
                self.turns.want(by, answer);
                self.grant_turns();
            }
            Cause::Work { begun } => {
                self.working = if begun { self.working + 1 } else { self.working.saturating_sub(1) };
                self.refresh_status().await;
            }
            Cause::Record { data, by, answer } => {
                if matches!(*data, EventData::AgentStep(_)) {
                    self.count_step();
                }
                let is_done = says_what_is_done(&data);
                let event = vec![self.event(*data, by)];
                let recorded = if is_done { self.try_must_commit(event).await } else { self.try_commit(event).await };
                reply(answer, recorded);
            }
            Cause::CredentialUsed { used, answer } => {
                let recorded = self.credential_used(*used).await;
                reply(answer, recorded);
            }
            Cause::Keep { kept, answer } => {
                let kept = self.keep(*kept).await;
                reply(answer, kept);
            }
            Cause::Message { task, text, by, answer } => {
                let heard = self.hear(&task, text, by).await;
                reply(answer, heard);
            }
            Cause::Artifact { artifact, by, answer } => {
                let added = self.add_artifact(*artifact, by).await;
                reply(answer, added);
            }
            Cause::Checkpoint { checkpoint, by, answer } => {
                let added = self.add_checkpoint(*checkpoint, by).await;
                reply(answer, added);
            }
            Cause::GoBack { staged, checkpoint, by, answer } => self.go_back(*staged, *checkpoint, by, answer).await,
            Cause::Resized { viewport, answer } => {
                self.sandbox.preview.viewport = viewport;
                let recorded = self.try_commit(vec![]).await;
                reply(answer, recorded);
            }
            Cause::Ask { by, request, is_met, missing_sign_in, answer, done } => {
                let asked = self.ask(by, request, is_met, missing_sign_in, done).await;
                reply(answer, asked);
            }
            Cause::Approve { asked, by, answer } => self.approve(*asked, by, answer).await,
            Cause::Doing { doing, answer } => {
                self.doing(*doing);
                reply(answer, Ok(()));
            }
            Cause::ServesModel { answer } => {
                self.serve_a_model().await;
                reply(answer, Ok(()));
            }
            Cause::AwaitHeld { by, answer } => self.await_held(by, answer),
            Cause::Held { request, typed, by } => self.held(*request, typed, by).await,
            Cause::PasskeyAnswered { by } => self.passkey_answered(by),
            Cause::Decide { id, decision, by, gone, answer } => {
                let decided = self.decide(&id, decision, by, gone).await;
                reply(answer, decided);
            }
            Cause::Withdraw { id, why } => self.withdraw(&id, why, By::System).await,
            Cause::Rules { rules, answer } => self.take_rules(rules, answer).await,
            Cause::Revoke { grant, answer } => {
                let revoked = self.revoke(&grant).await;
                reply(answer, revoked);
            }
            Cause::CancelHandoff { note, answer } => {
                let cancelled = self.cancel_handoff(note).await;
                reply(answer, cancelled);
            }
            Cause::Take { controller, name, answer } => {
                let taken = self.take(controller, name).await;
                reply(answer, taken);
            }
            Cause::HandBack { by, note, typed, answer } => {
                let handed_back = self.hand_back(&by, note, typed).await;
                reply(answer, handed_back);
            }
            Cause::AskControl { viewer, name, answer } => {
                let asked = self.ask_control(viewer, name);
                reply(answer, asked);
            }
            Cause::AnswerAsker { viewer, gives, answer } => {
                let answered = self.answer_asker(&viewer, gives).await;
                reply(answer, answered);
            }
            Cause::ViewerJoined { viewer } => {
                self.viewers.insert(viewer);
                self.viewers_changed();
            }
            Cause::ViewerLeft { viewer } => {
                self.viewers.remove(&viewer);
                self.forget_asker(&viewer);
                self.viewers_changed();
                self.control_request(Request::ViewerLeft { viewer }, By::Person, None).await;
            }
            Cause::Heartbeat { viewer } => {
                self.control_request(Request::Heartbeat { viewer }, By::Person, None).await;
            }
            Cause::Input { viewer, lease } => {
                self.control_request(Request::Input { viewer, lease }, By::Person, None).await;
            }
            Cause::Pause { by, answer } => self.pause(by, answer).await,
            Cause::Resume { by, answer } => self.resume(by, answer).await,
            Cause::End { answer } => self.end(Some(answer)).await,
            Cause::Leave { answer } => self.leave(answer).await,
        }
    }

    async fn started(&mut self, rooms: Rooms, remembered: Remembered) {
        let now = now_ms();
        self.sandbox.status = SandboxStatus::Ready;
        self.sandbox.ready_at = Some(now);
        self.sandbox.agent.status = AgentStatus::Idle;
        let mut events = vec![];
        if rooms.desktop.is_some() {
            self.sandbox.preview.status = PreviewStatus::Ready;
            events.push(self.event(BrowserReady {}, By::System));
        }
        events.push(self.event(AgentReady {}, By::System));
        events.push(self.event(SandboxReady {}, By::System));
        self.rooms = Some(rooms);
        self.turns.others_acted();
        self.sync_gate();
        self.sync_holding().await;
        self.bring_back(remembered);
        self.must_commit(events).await;
        self.start_recording();
        self.launch_task().await;
    }

    async fn browser_event(&mut self, event: BrowserEvent) {
        match event {
            BrowserEvent::Navigated { url, title } => {
                // The blind window: nothing of the page is kept while a person drives.
                if matches!(self.control.state(), State::Person { .. }) {
                    return;
                }
                self.commit(vec![self.event(BrowserNavigated { url, title }, By::System)]).await;
            }
            BrowserEvent::DownloadFinished { path } => {
                let by = if matches!(self.control.state(), State::Person { .. }) { By::Person } else { By::Agent };
                self.must_commit(vec![self.event(FileChanged { path, change: FileChange::Downloaded }, by)]).await;
            }
            BrowserEvent::Dialog { kind, state, message } => {
                let dialog = BrowserDialog::new(kind, state, message);
                self.commit(vec![self.event(dialog, By::System)]).await;
            }
            BrowserEvent::TabsChanged => self.show(),
            BrowserEvent::PasskeyAsked(asked) => self.answer_passkey(*asked),
            BrowserEvent::Held(request) => self.read_held(request).await,
            BrowserEvent::PersonDid(id) => self.person_did(&id).await,
            BrowserEvent::Crashed { .. } => {
                let failed = BrowserFailed { message: "a page of the browser crashed".to_owned() };
                self.commit(vec![self.event(failed, By::System)]).await;
            }
            BrowserEvent::ClientDid(did) => {
                let action = AgentAction {
                    name: did.name.to_owned(),
                    summary: did.summary,
                    url: Some(did.url),
                    title: Some(did.title),
                    error: did.error.map(ActionError::new),
                    ..AgentAction::default()
                };
                self.commit(vec![self.event(action, By::Api)]).await;
            }
            // Told as a part that was lost.
            BrowserEvent::Closed => {}
        }
    }

    /// Asks control, carries out what follows, and records who drives now. Returns the answer.
    pub(super) async fn control_request(&mut self, request: Request, by: By, note: Option<String>) -> Answer {
        let before = self.control.state().clone();
        let answer = self.control.handle(request, now_ms());
        let effects = match &answer {
            Answer::Accepted(effects) => effects.clone(),
            Answer::Already | Answer::Denied(_) => vec![],
        };
        self.sync_gate();
        let mut events = vec![];
        for effect in effects {
            self.carry_out(effect, by, note.as_deref(), &mut events).await;
        }
        self.run_or_stop_clock();
        if self.who_drives_differs(&before) {
            self.since = now_ms();
            // The request was to the previous driver.
            self.asker = None;
            let shared = self.snapshot();
            let changed = ControlChanged { mode: shared.mode(), controller: self.controller.clone() };
            events.push(self.event(changed, by));
        }
        if events.is_empty() {
            self.show();
        } else {
            self.must_commit(events).await;
        }
        self.grant_turns();
        answer
    }

    async fn carry_out(&mut self, effect: Effect, by: By, note: Option<&str>, events: &mut Vec<NewEvent>) {
        match effect {
            // The gate was set before anything else; a fenced action is told to stop.
            Effect::Fence(lease) | Effect::CancelAction(lease) => self.turns.cancel(lease),
            Effect::ReleaseKeys(lease) => self.release_keys(lease, events).await,
            Effect::WriteReceipt(_) => {
                let receipt = self.receipt(note).await;
                self.complete_handoff(note.map(str::to_owned), Some(receipt), by, events);
                self.look_at_questions_again();
            }
            Effect::AcceptHandoff(id, controller) => {
                self.trust.agreed.clear();
                self.person_arrived(&id, &controller, events).await;
            }
            Effect::ReopenHandoff(_) => {
                self.reopen_handoff(events);
                self.offer_sign_ins().await;
            }
            Effect::GrantAgent(_) => self.turns.others_acted(),
            Effect::GrantPerson(_, _) => {}
        }
    }

    /// Says to the gate who may act now: the last word before anything reaches the browser.
    fn sync_gate(&self) {
        let live = match self.control.state() {
            State::Idle { in_flight: None } => Live::Nobody,
            State::Idle { in_flight: Some(lease) } | State::Agent { lease, .. } => Live::Agent(*lease),
            State::Settling { old, .. } => Live::Agent(*old),
            State::Person { lease, .. } => Live::Person(*lease),
            State::Waiting { .. } => Live::Waiting,
        };
        self.driver.gate.set(live);
    }

    fn who_drives_differs(&self, before: &State) -> bool {
        let driver_of = |state: &State| match state {
            State::Idle { .. } => (0, None),
            State::Agent { .. } => (1, None),
            State::Settling { .. } => (2, None),
            State::Person { controller, lease, .. } => (3, Some((controller.clone(), *lease))),
            State::Waiting { .. } => (4, None),
        };
        driver_of(before) != driver_of(self.control.state())
    }

    async fn action_settled(&mut self, settled: Settled) {
        self.turns.settle(&settled);
        self.control_request(Request::Settled { lease: settled.lease }, By::System, None).await;
    }

    /// Grants the turn to whoever waits longest, if it may be granted now.
    pub(super) fn grant_turns(&mut self) {
        if !self.turns.nobody_waits() {
            self.wake();
        }
        // A browser that comes back is waited for.
        while !self.is_browser_away()
            && !self.sandbox.status.is_pause()
            && let Some(granted) = self.turns.next(&mut self.control, now_ms())
        {
            self.sync_gate();
            self.acts(granted.by);
            self.turns.give(granted, &self.driver.gate);
        }
    }

    pub(super) async fn refresh_status(&mut self) {
        let wanted = match self.sandbox.status {
            SandboxStatus::Ready | SandboxStatus::Active => {
                if self.task.is_some() || self.working > 0 {
                    SandboxStatus::Active
                } else {
                    SandboxStatus::Ready
                }
            }
            other => other,
        };
        if wanted != self.sandbox.status {
            self.sandbox.status = wanted;
            self.commit(vec![]).await;
        }
    }

    fn viewers_changed(&mut self) {
        self.sandbox.preview.viewers = u32::try_from(self.viewers.len()).unwrap_or(u32::MAX);
        self.show();
    }

    /// Ends the person's lease in the room too, so that nothing of theirs is held or still comes when the next one acts.
    /// A file chooser that they left open is closed with it.
    async fn release_keys(&self, lease: Lease, events: &mut Vec<NewEvent>) {
        let Some(desktop) = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref()) else { return };
        let released = calls::desktop(&desktop.room.link, DesktopCall::EndInput(lease));
        match tokio::time::timeout(RELEASE_LIMIT, released).await {
            Ok(Ok(DesktopAnswer::Done)) => {
                if desktop.browser.forget_chooser() {
                    let message = "a file chooser that was left open is closed";
                    let closed = BrowserDialog::new(DialogKind::FileChooser, DialogState::Closed, message);
                    events.push(self.event(closed, By::System));
                }
            }
            Ok(Ok(answer)) => tracing::warn!(?answer, "held keys could not be lifted"),
            Ok(Err(error)) => tracing::warn!(%error, "held keys could not be lifted"),
            Err(_) => tracing::warn!("held keys could not be lifted: the room does not answer"),
        }
    }

    fn next_due_at(&self) -> Option<EpochMs> {
        let expires_at = self.handoff.as_ref().and_then(|handoff| handoff.expires_at);
        let task_due = self.task.as_ref().and_then(|task| task.clock.due_at());
        let owed_due = self.owes().then(|| now_ms() + i64::try_from(OWED_PAUSE.as_millis()).unwrap_or(i64::MAX));
        let offers_due = self.driver.offers().due_at();
        let (idle_due, rest_due, freeze_due) = (self.idle_due_at(), self.rest_due_at(), self.freeze_due_at());
        [self.control.next_tick_at(), expires_at, task_due, idle_due, rest_due, owed_due, freeze_due, offers_due]
            .into_iter()
            .flatten()
            .min()
    }

    async fn tick(&mut self) {
        self.pay().await;
        self.control_request(Request::Tick, By::System, None).await;
        self.expire_handoff().await;
        self.stop_overdue_task().await;
        self.freeze_if_due().await;
        self.driver.offers().expire(now_ms());
        self.end_idle().await;
        self.rest_if_due().await;
    }

    /// Whether nobody drives and nothing is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.control.state(), State::Idle { in_flight: None })
            && self.turns.nobody_waits()
            && self.working == 0
    }

    pub(super) fn is_watched(&self) -> bool {
        !self.viewers.is_empty()
    }

    pub(super) async fn fail(&mut self, failure: Failure) {
        // Before the rooms go: nobody waits for them to come back.
        self.sandbox.preview.status = PreviewStatus::Failed;
        self.show();
        tracing::warn!(sandbox = %self.sandbox.id, code = failure.code, message = failure.message, "sandbox failed");
        self.thaw().await;
        self.stop_recording().await;
        self.abandon_work(&failure.message).await;
        self.kill_rooms().await;
        self.keep_recordings().await;
        self.sandbox.status = SandboxStatus::Failed;
        self.sandbox.ended_at = Some(now_ms());
        let failed = SandboxFailed { code: failure.code.clone(), message: failure.message.clone() };
        self.sandbox.failure = Some(failure);
        self.must_commit(vec![self.event(failed, By::System)]).await;
    }

    pub(super) async fn end(&mut self, answer: Option<Reply<()>>) {
        self.end_because(None, answer).await;
    }

    /// Ends the sandbox; `why` is told where nobody asked for it.
    pub(super) async fn end_because(&mut self, why: Option<&str>, answer: Option<Reply<()>>) {
        self.ending.extend(answer);
        self.sandbox.status = SandboxStatus::Ending;
        self.sandbox.paused = None;
        self.thaw().await;
        self.stop_recording().await;
        self.abandon_work("the sandbox was ended").await;
        self.must_commit(vec![]).await;
        self.kill_rooms().await;
        self.keep_recordings().await;
        self.sandbox.status = SandboxStatus::Ended;
        self.sandbox.ended_at = Some(now_ms());
        self.sandbox.preview.status = PreviewStatus::Off;
        let ended = SandboxEnded { code: why.map(|_| "idle".to_owned()), message: why.map(str::to_owned) };
        self.must_commit(vec![self.event(ended, By::System)]).await;
    }

    /// Kills every process of the sandbox.
    pub(super) async fn stop_rooms(&mut self) {
        self.driver.gate.set(Live::Nobody);
        self.driver.offers().forget_all();
        self.thaw().await;
        let Some(rooms) = self.rooms.take() else { return };
        let traffic = rooms.traffic();
        if tokio::time::timeout(KILL_LIMIT, rooms.kill()).await.is_err() {
            tracing::error!(sandbox = %self.sandbox.id, "the rooms took too long to die");
        }
        self.write_traffic(traffic.take()).await;
    }

    async fn kill_rooms(&mut self) {
        self.sandbox.agent.status = AgentStatus::Off;
        self.stop_rooms().await;
        let (profile, is_temporary) = (self.kit.profile.clone(), self.kit.profile_is_temporary);
        let cleared = tokio::task::spawn_blocking(move || {
            if is_temporary { std::fs::remove_dir_all(&profile) } else { forget_open_pages(&profile) }
        });
        if let Ok(Err(error)) = cleared.await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the browser's profile could not be cleared");
        }
    }

    pub(super) fn snapshot(&self) -> Shared {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        Shared {
            sandbox: self.shown_sandbox(),
            control: self.control.state().clone(),
            controller: self.controller.clone(),
            has_task: self.control.has_task(),
            questions: self.trust.asked.iter().map(|asked| (asked.approval.clone(), asked.action.clone())).collect(),
            task_holds: self.trust.holds_of(TurnOf::Task),
            programs_hold: self.trust.holds_of(TurnOf::Program),
            may_ask: rules::may_ask(&self.trust.rules, &self.sandbox.id, self.follows()),
            since: self.since,
            asker: self.asker.clone(),
            lapses_at: match self.control.state() {
                // Only what the person can do something about: a page that lives keeps its heartbeat by itself.
                State::Person { controller: Controller::Viewer(_), input_at, .. } => Some(input_at + IDLE_MS),
                State::Person { .. }
                | State::Idle { .. }
                | State::Agent { .. }
                | State::Settling { .. }
                | State::Waiting { .. } => None,
            },
            desktop: desktop.map(|desktop| desktop.room.link.clone()),
            desktop_down: self.is_desktop_down(),
            rest: desktop.and_then(|desktop| desktop.rest.as_ref()).map(|rest| rest.why),
            shell: self.rooms.as_ref().map(|rooms| rooms.shell.link.clone()),
            shell_down: self.is_shell_down(),
            browser: desktop.map(|desktop| desktop.browser.clone()),
        }
    }

    /// Shows the present state to whoever reads it.
    pub(super) fn show(&self) {
        self.shared.send_replace(Arc::new(self.snapshot()));
    }

    pub(super) fn inputs_now(&self) -> u64 {
        self.driver.tally.counted.load(Ordering::Relaxed)
    }
}

/// Whether an event tells of something that is done: to refuse it would not undo it.
fn says_what_is_done(data: &EventData) -> bool {
    matches!(data, EventData::ExecCompleted(_) | EventData::FileChanged(_))
}

pub(super) fn reply<T>(answer: Reply<T>, result: Result<T, Refusal>) {
    // Whoever asked may have gone; what was decided stands.
    let _ = answer.send(result);
}

/// Sleeps until a time of the wall clock, or for ever.
async fn sleep_until(due_at: Option<EpochMs>) {
    match due_at {
        None => std::future::pending().await,
        Some(due_at) => {
            let left = u64::try_from(due_at - now_ms()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left)).await;
        }
    }
}
