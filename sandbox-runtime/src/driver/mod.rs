//! The one owner of a sandbox's state.
//!
//! ```text
//!   api, viewers, task, browser, egress, clock ──▶ inbox ──▶ Actor ──▶ store (commit, then publish)
//!                                                             │
//!                                                             ├──▶ gate (who may act)
//!                                                             └──▶ Shared (what anyone may read)
//! ```
//!
//! Owns control, the task, the handoff and the sandbox's record, and is the only one that changes them.
//! Leaves the rules to `core::control`, the browser to `browser`, what a task does to `agent`.

mod actor;
mod approvals;
mod asker;
mod beginning;
mod bench;
mod cause;
mod checkpoints;
mod credentials;
mod documents;
mod filling;
mod holding;
mod idle;
mod keeping;
mod leaving;
mod mail;
mod offers;
mod passkeys;
mod pausing;
mod people;
mod places;
mod program;
mod record;
mod recorded;
mod recorder;
mod recordings;
mod recovery;
mod refusal;
mod resting;
mod seat;
mod share;
mod speech;
mod start;
mod tasks;
mod traffic;
mod turns;
mod typist;
mod withdraw;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use approvals::Decided;
pub use beginning::TakeError;
pub use documents::ConvertError;
pub use filling::FillError;
pub use idle::Presence;
pub use program::Program;
pub use refusal::{Refusal, RefusalCode};
use sandbox_core::action::Action;
use sandbox_core::approval::hash;
use sandbox_core::control::{Controller, Next, Releaser, State};
use sandbox_core::event::EventData;
use sandbox_core::model::{
    Actor, Approval, ApprovalDecision, Artifact, Checkpoint, ControlMode, EpochMs, Grant, Handoff, HandoffRequest,
    HandoffStatus, Preview, PreviewStatus, RequestedBy, Rule, Sandbox, Task, TypedText, Until, Verdict, Viewport,
};
use sandbox_core::viewer::{ControlView, ViewerMode};
use sandbox_core::{ApprovalId, GrantId, Lease, SandboxId, TaskId, ViewerId, plain_name};
use sandbox_link::Link;
pub use seat::{InputWeight, ViewerSeat};
pub use share::{Share, SharedTurn};
pub use speech::{Speech, Words};
pub use tasks::{TaskOrder, TaskWork};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
pub use typist::Typist;
pub use work::{ExecError, SaveError};

use self::cause::Cause;
use self::idle::Activity;
use self::offers::Offers;
use self::seat::InputTally;
use self::start::RestsFor;
use self::turns::TurnOf;
use crate::agent::Turn;
use crate::agent::models::ModelVariables;
use crate::browser::{ActionError, Browser, Gate, PausedRequest, Vault};
use crate::egress::Sites;
use crate::sandbox::Backend;
use crate::sandbox::calls::Frozen;
use crate::store::Store;
use crate::workspace::Workspace;

/// How many causes may wait in the inbox; whoever asks beyond that waits.
const INBOX: usize = 256;

/// For how long a page must be where a request wants it, so that nobody is asked.
const UNTIL_STAYS: Duration = Duration::from_millis(400);

/// What a driver works with.
#[derive(Clone)]
pub struct Kit {
    pub store: Store,
    /// The data directory.
    pub home: PathBuf,
    /// Whether its processes are frozen: then nobody takes them for hung.
    pub frozen: Frozen,
    /// What a new sandbox begins with.
    pub from_checkpoint: Option<Arc<Checkpoint>>,
    pub backend: Arc<dyn Backend>,
    pub sites: Sites,
    /// What the shell room reaches: those, and its own door to the browser.
    pub shell_sites: Sites,
    pub workspace: Workspace,
    /// What fills in the person's sign-ins.
    pub vault: Arc<dyn Vault>,
    /// The browser's profile on the host; beside the workspace, never in it.
    pub profile: PathBuf,
    /// Where its recordings grow.
    pub recordings: PathBuf,
    /// Environment of the sandbox's commands.
    pub env: BTreeMap<String, String>,
    /// Those of its variables that the runtime itself put there.
    pub own_env: BTreeSet<String>,
    /// What of it chooses the agent's model: never enters the sandbox.
    pub model_variables: ModelVariables,
    /// A person's rules, as they are when the sandbox is made.
    pub rules: Arc<Vec<Rule>>,
    /// Whether the profile goes when the sandbox ends.
    pub profile_is_temporary: bool,
    /// Where what models say is shown while they say it.
    pub speech: Speech,
    /// How many sandboxes start at once on this machine; the others wait as `queued`.
    pub starts: Arc<Semaphore>,
}

/// Handle to the actor that owns one sandbox's state. Cheap to clone; the actor lives until the sandbox has ended.
#[derive(Clone)]
pub struct Driver {
    id: SandboxId,
    inbox: mpsc::Sender<Cause>,
    shared: watch::Receiver<Arc<Shared>>,
    gate: Gate,
    tally: Arc<InputTally>,
    activity: Arc<Activity>,
    /// Places for commands.
    commands: Arc<Semaphore>,
    share: Arc<Share>,
    /// Offers to keep sign-ins that a person typed.
    offers: Arc<Mutex<Offers>>,
    /// Held while a checkpoint is taken, or gone back to.
    taking: Arc<tokio::sync::Mutex<()>>,
    kit: Arc<Kit>,
}

/// A viewer asking for control, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asker {
    viewer: ViewerId,
    name: String,
}

/// What anyone may read of a sandbox; replaced whole at each change.
#[derive(Clone)]
pub struct Shared {
    /// The record without the live parts of its preview.
    pub(super) sandbox: Sandbox,
    pub(super) control: State,
    pub(super) controller: Option<String>,
    pub(super) has_task: bool,
    /// Open questions, with what would be done.
    pub(super) questions: Vec<(Approval, Option<Action>)>,
    /// Whether any request that the task caused stands still until a person answers.
    pub(super) task_holds: bool,
    /// Whether any that a program caused does.
    pub(super) programs_hold: bool,
    /// Whether anything that the task does may need a person's word.
    pub(super) may_ask: bool,
    pub(super) since: EpochMs,
    asker: Option<Asker>,
    pub(super) lapses_at: Option<EpochMs>,
    pub(super) desktop: Option<Link>,
    /// Whether that room was lost and is started again, or was stopped.
    pub(super) desktop_down: bool,
    /// Set while the browser is stopped.
    pub(super) rest: Option<RestsFor>,
    pub(super) shell: Option<Link>,
    pub(super) shell_down: bool,
    pub(super) browser: Option<Browser>,
}

impl Driver {
    /// Starts the actor, which starts the rooms. `sandbox` is already committed as `queued`.
    pub fn start(sandbox: Sandbox, kit: Kit) -> Self {
        actor::spawn(sandbox, kit)
    }

    pub fn id(&self) -> &SandboxId {
        &self.id
    }

    /// Returns the sandbox as programs see it: while a person drives, without anything of the page.
    pub fn sandbox(&self) -> Sandbox {
        self.shared.borrow().public()
    }

    /// Waits until `reached` holds; `None` when the sandbox is over and it never will.
    pub async fn wait_until(&self, reached: impl Fn(&Sandbox) -> bool) -> Option<Sandbox> {
        let mut shared = self.shared.clone();
        let found = shared.wait_for(|now| reached(&now.sandbox)).await.ok()?.public();
        Some(found)
    }

    pub fn workspace(&self) -> &Workspace {
        &self.kit.workspace
    }

    /// Returns what the sandbox's environment says about its model.
    pub fn model_variables(&self) -> &ModelVariables {
        &self.kit.model_variables
    }

    pub fn browser(&self) -> Option<Browser> {
        self.shared.borrow().browser.clone()
    }

    /// Starts a task; its record and `queued` event are committed when this returns.
    ///
    /// # Errors
    ///
    /// The sandbox does not take work, or another task is under way.
    pub async fn start_task(&self, task: Task, order: TaskOrder) -> Result<(), Refusal> {
        let (task, order) = (Box::new(task), Box::new(order));
        self.ask_actor(|answer| Cause::StartTask { task, order, answer }).await
    }

    pub async fn cancel_task(&self) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::CancelTask { answer }).await
    }

    /// Writes to the running task; the agent reads it before its next step.
    ///
    /// # Errors
    ///
    /// That task is not under way, or reads no messages.
    pub async fn write_to(&self, task: &TaskId, text: String, by: Actor) -> Result<(), Refusal> {
        let task = task.clone();
        self.ask_actor(|answer| Cause::Message { task, text, by, answer }).await
    }

    /// Waits for the agent side's turn on behalf of a program; refused while a person is asked or drives.
    pub async fn begin(&self) -> Result<Turn, Refusal> {
        self.ask_actor(|answer| Cause::Begin { by: TurnOf::Program, answer }).await
    }

    /// Returns the turn that outside clients share.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// Marks the sandbox as active until the guard is dropped.
    pub fn work(&self) -> WorkGuard {
        self.tell(Cause::Work { begun: true });
        WorkGuard { driver: self.clone() }
    }

    /// Notes that somebody works in the sandbox now.
    pub fn touch(&self) {
        self.activity.touch();
    }

    /// Keeps the sandbox from being idle until the answer is dropped.
    pub fn presence(&self) -> Presence {
        self.activity.presence()
    }

    /// Commits one event of this sandbox.
    pub async fn record(&self, data: impl Into<EventData>, by: Actor) -> Result<(), Refusal> {
        let data = Box::new(data.into());
        self.ask_actor(|answer| Cause::Record { data, by, answer }).await
    }

    /// Commits an artifact whose content is in the blobs already.
    pub async fn add_artifact(&self, artifact: Artifact, by: Actor) -> Result<Artifact, Refusal> {
        let artifact = Box::new(artifact);
        self.ask_actor(|answer| Cause::Artifact { artifact, by, answer }).await
    }

    /// Notes the page's new size; it is shown when this returns.
    pub async fn resized(&self, viewport: Viewport) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::Resized { viewport, answer }).await
    }

    /// Asks a person for something. What is so already, by the request's own `until`, is completed at once.
    pub async fn request_handoff(&self, request: HandoffRequest, by: RequestedBy) -> Result<Handoff, Refusal> {
        let (is_met, missing_sign_in) = self.before_asking(&request).await;
        self.ask_actor(|answer| Cause::Ask { by, request, is_met, missing_sign_in, answer, done: None }).await
    }

    /// Returns whether the page is where the request wants it, and the site of a sign-in form that it shows and the vault cannot
    /// fill in. A browser that is stopped is started first.
    async fn before_asking(&self, request: &HandoffRequest) -> (bool, Option<String>) {
        if self.rests() {
            // One that does not come has nothing to look at.
            let _ = self.browser_when_up().await;
        }
        (self.is_met(request).await, self.missing_sign_in().await)
    }

    /// Whether the page is where the request wants it.
    async fn is_met(&self, request: &HandoffRequest) -> bool {
        let wanted = request.until.as_ref().filter(|until| **until != Until::default());
        match (wanted, self.browser()) {
            // Of a person's page nothing is looked at.
            (Some(until), Some(browser)) if !self.is_held() => {
                // Looked at twice: a page that is on its way elsewhere shows its old address for a moment.
                browser.until_met(until).await && {
                    tokio::time::sleep(UNTIL_STAYS).await;
                    browser.until_met(until).await
                }
            }
            (Some(_) | None, _) => false,
        }
    }

    /// Takes control for someone without a live view.
    pub async fn take(&self, controller: String) -> Result<(), Refusal> {
        let by = Controller::Api(controller.clone());
        self.ask_actor(|answer| Cause::Take { controller: by, name: controller, answer }).await
    }

    /// Hands control back for whoever holds it; completes a handoff that nobody took.
    pub async fn release(&self, note: Option<String>, typed: TypedText) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::HandBack { by: Releaser::Program, note, typed, answer }).await
    }

    /// Carries a person's answer to a question. Before a yes the page is looked at again: what is not exactly what was
    /// shown any more is void.
    pub async fn decide(&self, id: &ApprovalId, decision: ApprovalDecision, by: Actor) -> Result<Decided, Refusal> {
        if self.shared.borrow().sandbox.status.is_pause() {
            return Err(Refusal::wrong_state("the sandbox is paused; resume it, then answer"));
        }
        let gone = match decision.decision {
            Verdict::Approve => self.why_gone(id).await,
            Verdict::Deny => None,
        };
        let id = id.clone();
        self.ask_actor(|answer| Cause::Decide { id, decision, by, gone, answer }).await
    }

    /// Says why what a question is about is not there any more, if it is not. What cannot be looked at now, because a
    /// person drives, is looked at before it is done.
    async fn why_gone(&self, id: &ApprovalId) -> Option<String> {
        let asked = self.shared.borrow().questions.iter().find(|(asked, _)| asked.approval_id == *id).cloned();
        let (approval, action) = asked?;
        let (action, browser) = (action?, self.browser()?);
        let now = match browser.look_ahead(&action).await {
            Ok(Some(foreseen)) => crate::agent::proposal(&action, &foreseen),
            Ok(None) => None,
            Err(ActionError::Refused(_)) => return None,
            Err(error) => return Some(format!("the page changed after it was shown: {error}")),
        };
        let Some(mut now) = now else { return Some("the page changed after it was shown".to_owned()) };
        // Where it leads, the task may not have been told about: that is how it was asked.
        now.kind = approval.proposal.kind;
        (hash(&now) != approval.hash).then(|| "the page changed after it was shown".to_owned())
    }

    /// Says why held requests stand no more, if their pages have left them all.
    async fn why_left(&self, held: &[PausedRequest]) -> Option<String> {
        let browser = self.browser()?;
        for request in held {
            // What cannot be asked counts as held: the answer to the question finds out.
            if browser.is_held(request).await.unwrap_or(true) {
                return None;
            }
        }
        Some("its page was left while it was held; it never left".to_owned())
    }

    /// Takes a person's rules into force; they are when this returns.
    pub async fn take_rules(&self, rules: Arc<Vec<Rule>>) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::Rules { rules, answer }).await
    }

    /// Ends a permission of the running task; `None` when it is of another one.
    pub async fn revoke(&self, grant: &GrantId) -> Result<Option<Grant>, Refusal> {
        let grant = grant.clone();
        self.ask_actor(|answer| Cause::Revoke { grant, answer }).await
    }

    pub async fn cancel_handoff(&self, note: Option<String>) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::CancelHandoff { note, answer }).await
    }

    /// A live view connected; dropping the seat is leaving.
    pub async fn join(&self, mode: ViewerMode) -> ViewerSeat {
        let id = ViewerId::from_unique(crate::unique());
        // The actor may be gone: the seat then shows the last state, and the desktop's link is closed.
        let _ = self.inbox.send(Cause::ViewerJoined { viewer: id.clone() }).await;
        ViewerSeat { id, mode, driver: self.clone(), shared: self.shared.clone() }
    }

    /// Ends the sandbox; returns when nothing of it runs any more.
    pub async fn end(&self) {
        // An actor that is gone has ended already.
        let _ = self.ask_actor(|answer| Cause::End { answer }).await;
    }

    /// Stops what runs for the sandbox because the runtime stops. A task that waits for a person stays as it is, for the
    /// next runtime to go on with; any other work ends with the sandbox.
    pub async fn leave(&self) {
        // An actor that is gone has ended already.
        let _ = self.ask_actor(|answer| Cause::Leave { answer }).await;
    }

    /// Whether a desktop that goes away comes back.
    pub fn comes_back(&self) -> bool {
        let sandbox = &self.shared.borrow().sandbox;
        sandbox.status.takes_work() && sandbox.preview.status != PreviewStatus::Failed
    }

    /// Whether nothing of the sandbox runs any more.
    pub fn is_over(&self) -> bool {
        self.shared.borrow().sandbox.status.is_over()
    }

    /// Whether a person holds control, or is just taking it.
    pub fn is_held(&self) -> bool {
        match &self.shared.borrow().control {
            State::Person { .. } | State::Settling { next: Next::Person { .. }, .. } => true,
            State::Settling { next: Next::Idle | Next::Agent | Next::Waiting { .. }, .. }
            | State::Idle { .. }
            | State::Agent { .. }
            | State::Waiting { .. } => false,
        }
    }

    /// Whether this sandbox's browser uses the profile of that name.
    pub fn uses_profile(&self, name: &str) -> bool {
        let capabilities = &self.shared.borrow().sandbox.capabilities;
        capabilities.browser.browser().is_some_and(|browser| browser.profile.as_deref() == Some(name))
    }

    async fn ask_actor<T>(
        &self,
        cause: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Cause,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(cause(answer)).await.map_err(|_| Refusal::over())?;
        answered.await.map_err(|_| Refusal::over())?
    }

    /// Tells without waiting. A full inbox drops it: only for causes that come again.
    fn tell(&self, cause: Cause) {
        if self.inbox.try_send(cause).is_err() {
            tracing::debug!(sandbox = %self.id, "a cause that comes again was dropped");
        }
    }
}

/// Keeps the sandbox `active`.
pub struct WorkGuard {
    driver: Driver,
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        let inbox = self.driver.inbox.clone();
        if let Err(mpsc::error::TrySendError::Full(cause)) = inbox.try_send(Cause::Work { begun: false }) {
            tokio::spawn(async move {
                // An actor that is gone counts nothing.
                let _ = inbox.send(cause).await;
            });
        }
    }
}

impl Shared {
    /// Returns the record with the live parts of the preview, or without them while a person drives.
    fn public(&self) -> Sandbox {
        let mut sandbox = self.sandbox.clone();
        self.fill(&mut sandbox.preview);
        sandbox
    }

    fn fill(&self, preview: &mut Preview) {
        preview.updated_at = preview.updated_at.max(self.sandbox.updated_at).max(self.since);
        preview.control_mode = self.mode();
        preview.controller.clone_from(&self.controller);
        preview.blind = matches!(self.control, State::Person { .. });
        if preview.blind {
            return;
        }
        let Some(browser) = &self.browser else { return };
        let page = browser.state();
        preview.url = page.url;
        preview.title = page.title;
        preview.tabs = page.tabs;
    }

    fn mode(&self) -> ControlMode {
        match &self.control {
            State::Idle { .. } => ControlMode::Idle,
            State::Agent { .. } | State::Settling { .. } => {
                if self.has_task {
                    ControlMode::Ai
                } else {
                    ControlMode::Idle
                }
            }
            State::Person { .. } => ControlMode::Human,
            State::Waiting { .. } => ControlMode::Waiting,
        }
    }

    fn control_for(&self, viewer: &ViewerId) -> ControlView {
        let me = Controller::Viewer(viewer.clone());
        let (yours, lease, settling) = match &self.control {
            State::Person { controller, lease, .. } if *controller == me => (true, Some(*lease), false),
            State::Settling { next: Next::Person { controller, .. }, .. } => (*controller == me, None, true),
            State::Settling { next: Next::Idle | Next::Agent | Next::Waiting { .. }, .. } => (false, None, true),
            State::Person { .. } | State::Idle { .. } | State::Agent { .. } | State::Waiting { .. } => {
                (false, None, false)
            }
        };
        ControlView {
            mode: self.mode(),
            yours,
            lease,
            controller: self.controller.clone(),
            settling,
            since: Some(self.since),
            lapses_at: self.lapses_at,
            job: Some(plain_name(&self.sandbox.name)),
            asks: self.asks(),
            wanted_by: self.asker.as_ref().map(|asker| plain_name(&asker.name)),
            wanted_by_you: self.asker.as_ref().is_some_and(|asker| asker.viewer == *viewer),
        }
    }

    /// Says what a person is asked for now: a question first, as it holds up what is done already.
    fn asks(&self) -> Option<String> {
        if let Some((question, _)) = self.questions.first() {
            return Some(plain_name(&format!("May it {}?", question.proposal.summary)));
        }
        let handoff = self.sandbox.handoff.as_ref()?;
        let is_asked = handoff.status == HandoffStatus::Pending && handoff.requested_by != RequestedBy::Dashboard;
        is_asked.then(|| plain_name(&handoff.message))
    }

    fn is_held_by(&self, viewer: &ViewerId, with: Lease) -> bool {
        match &self.control {
            State::Person { controller: Controller::Viewer(holder), lease, .. } => holder == viewer && *lease == with,
            State::Person { controller: Controller::Api(_), .. }
            | State::Idle { .. }
            | State::Agent { .. }
            | State::Settling { .. }
            | State::Waiting { .. } => false,
        }
    }
}
