//! Starts a sandbox: both rooms at once, their way out, the browser.

use std::sync::Arc;
use std::time::Duration;

use sandbox_core::SandboxId;
use sandbox_core::layout::{PROFILE_DIR, WORKSPACE_DIR};
use sandbox_core::model::{Failure, LimitsInForce, NetworkDestination, NetworkUser, Sandbox, Viewport};
use sandbox_link::protocol::{
    DesktopReport, DesktopSettings, GuestOpen, Loss, Open, Part, RoomSettings, ShellSettings,
};
use sandbox_link::{Incoming, Link, Stream, read_message};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Kit;
use super::cause::Cause;
use crate::browser::exchange::Exchange;
use crate::browser::{Browser, BrowserEvent, Gate};
use crate::egress::{Egress, Places, Sites, Traffic};
use crate::sandbox::calls::Frozen;
use crate::sandbox::{BackendError, Room, RoomProcesses, RoomSpec, calls};

/// The loopback port of each room on which its guest serves the way out.
const PROXY_PORT: u16 = 3128;
/// A room that is not usable by then has failed.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// Seconds without an answer after which the browser counts as hung. Longer than for a guest: on a busy machine a heavy
/// page can keep it from answering for some.
const BROWSER_BEATS: u32 = 12;
/// How long turns wait for tabs that load.
pub(super) const TABS_LIMIT: Duration = Duration::from_secs(10);
/// Between two questions to the browser.
const BROWSER_PAUSE: Duration = Duration::from_secs(2);
/// How many refused destinations may wait to be recorded; more are dropped, as each is news only once.
const DENIED_BACKLOG: usize = 64;
/// How many new places may wait to be asked about; more than may be asked about at a time.
const PLACES_BACKLOG: usize = 16;

/// A page leads to many destinations at once: they are written down together.
const GATHER: Duration = Duration::from_secs(1);

/// Everything that runs for a sandbox. Dropping it kills the rooms.
pub(super) struct Rooms {
    pub shell: Running,
    pub desktop: Option<Desktop>,
    pub starter: Starter,
    /// How many rooms were started: tells a room from the one that it replaces.
    pub started: u32,
    /// Rooms that are started again.
    pub restarts: JoinSet<()>,
    _watches: JoinSet<()>,
}

/// A room that runs, or that was lost and will be replaced.
pub(super) struct Running {
    pub link: Link,
    pub number: u32,
    /// `None` once it was lost.
    pub life: Option<Life>,
}

/// What keeps a room. Dropping it kills the room.
pub(super) struct Life {
    processes: Box<dyn RoomProcesses>,
    /// Acceptors, pumps: end with the room.
    tasks: JoinSet<()>,
}

pub(super) struct Desktop {
    pub browser: Browser,
    /// Whether nothing of an earlier browser is still to come back.
    pub is_back: bool,
    /// Set while it is stopped because nobody uses it.
    pub rest: Option<Rest>,
    pub room: Running,
}

/// A desktop room that was stopped, until somebody uses it again.
pub(super) struct Rest {
    pub why: RestsFor,
    /// Cancelled when its last process is gone.
    pub stopped: CancellationToken,
    /// Stops it; dropped, it kills what is left.
    pub _stopping: AbortOnDropHandle<()>,
}

/// Why a browser is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestsFor {
    /// Nobody used it. A live view brings it back.
    NoUse,
    /// A program's word. A live view does not bring it back.
    Word,
}

/// What was counted at both ways out.
pub(super) struct BothWays {
    browser: Traffic,
    commands: Traffic,
}

/// A part of a sandbox was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    /// Of which room.
    pub number: u32,
    pub part: Part,
    pub loss: Loss,
}

/// What starts rooms, the first time and again.
#[derive(Clone)]
pub(super) struct Starter {
    sandbox: SandboxId,
    limits: LimitsInForce,
    pub kit: Kit,
    gate: Gate,
    inbox: mpsc::Sender<Cause>,
    shell_egress: Arc<Egress>,
    desktop_egress: Arc<Egress>,
}

impl Rooms {
    /// Returns what goes where, as it is counted.
    pub fn traffic(&self) -> BothWays {
        let Starter { desktop_egress, shell_egress, .. } = &self.starter;
        BothWays { browser: desktop_egress.traffic(), commands: shell_egress.traffic() }
    }

    /// Kills every process of the sandbox and waits until none is left.
    pub async fn kill(mut self) {
        self.restarts.shutdown().await;
        self.starter.shell_egress.close();
        self.starter.desktop_egress.close();
        let shell = self.shell.life.take();
        let desktop = self.desktop.as_mut().and_then(|desktop| desktop.room.life.take());
        let rest = self.desktop.as_mut().and_then(|desktop| desktop.rest.take());
        for life in [shell, desktop].into_iter().flatten() {
            life.end().await;
        }
        if let Some(rest) = rest {
            rest.stopped.cancelled().await;
        }
    }
}

impl BothWays {
    /// Takes what was counted since the last time.
    pub fn take(&self) -> Vec<NetworkDestination> {
        let mut counted = self.browser.take(NetworkUser::Browser);
        counted.extend(self.commands.take(NetworkUser::Commands));
        counted
    }
}

impl Life {
    /// Kills every process of the room and waits until none is left.
    pub async fn end(mut self) {
        self.tasks.abort_all();
        self.processes.kill().await;
    }
}

/// Starts the rooms of `sandbox`; what they report afterwards goes into `inbox`.
///
/// # Errors
///
/// What could not be started, as the sandbox's failure; nothing is left running.
pub(super) async fn start_rooms(
    sandbox: &Sandbox,
    kit: &Kit,
    gate: &Gate,
    inbox: &mpsc::Sender<Cause>,
) -> Result<Rooms, Failure> {
    let browser_wanted = sandbox.capabilities.browser.browser();
    let outbound_proxy = browser_wanted.as_ref().and_then(|browser| browser.byo_proxy_url.clone());
    let (denied, denials) = mpsc::channel(DENIED_BACKLOG);
    let (asks, asked) = mpsc::channel(PLACES_BACKLOG);
    let places = Places::new(asks);
    let way_out = |sites: &Sites| {
        let (network, outbound_proxy) = (sandbox.network.clone(), outbound_proxy.clone());
        let opened = Egress::new(network, outbound_proxy, sites.clone(), denied.clone(), places.clone());
        opened.map_err(|error| failure("network", &error))
    };
    let starter = Starter {
        sandbox: sandbox.id.clone(),
        limits: sandbox.limits.in_force.clone(),
        kit: kit.clone(),
        gate: gate.clone(),
        inbox: inbox.clone(),
        shell_egress: way_out(&kit.shell_sites)?,
        desktop_egress: way_out(&kit.sites)?,
    };
    let mut watches = JoinSet::new();
    watches.spawn(forward(denials, inbox.clone(), Cause::Denied));
    watches.spawn(forward(asked, inbox.clone(), |place| Cause::NewPlace(Box::new(place))));
    for way_out in [&starter.shell_egress, &starter.desktop_egress] {
        watches.spawn(tell_of_new(way_out.traffic(), inbox.clone()));
    }
    let desktop = async {
        match browser_wanted {
            None => Ok(None),
            Some(wanted) => starter.desktop(2, wanted.viewport).await.map(Some),
        }
    };
    let (shell, desktop) = tokio::join!(starter.shell(1), desktop);
    let (shell, desktop) = (shell?, desktop?);
    Ok(Rooms { shell, desktop, starter, started: 2, restarts: JoinSet::new(), _watches: watches })
}

impl Starter {
    /// Starts a shell room.
    pub async fn shell(&self, number: u32) -> Result<Running, Failure> {
        let settings = RoomSettings::Shell(ShellSettings { env: self.kit.env.clone(), proxy_port: PROXY_PORT });
        let ended = Lost { number, part: Part::Shell, loss: Loss::Ended };
        let (link, mut life) = self.ready_room(settings, None, &self.shell_egress, ended).await?;
        life.tasks.spawn(watch_heartbeat(link.clone(), ended, self.kit.frozen.clone(), self.inbox.clone()));
        Ok(Running { link, number, life: Some(life) })
    }

    /// Starts a desktop room, and connects to its browser.
    pub async fn desktop(&self, number: u32, viewport: Viewport) -> Result<Desktop, Failure> {
        let settings = RoomSettings::Desktop(DesktopSettings {
            viewport,
            proxy_port: PROXY_PORT,
            browser: Vec::new(),
            start_url: "about:blank".to_owned(),
        });
        let ended = Lost { number, part: Part::Desktop, loss: Loss::Ended };
        let profile = Some(self.kit.profile.clone());
        let (link, mut life) = self.ready_room(settings, profile, &self.desktop_egress, ended).await?;
        let exchange = Exchange::new(self.kit.workspace.clone(), WORKSPACE_DIR, &self.kit.profile, PROFILE_DIR);
        let (failures, vault) = (self.desktop_egress.failures(), self.kit.vault.clone());
        let (browser, events) = Browser::attach(&link, self.gate.clone(), exchange, failures, vault)
            .await
            .map_err(|error| failure("browser", &error))?;
        life.tasks.spawn(forward_events(events, link.clone(), number, self.inbox.clone()));
        life.tasks.spawn(watch_reports(link.clone(), browser.clone(), number, self.inbox.clone()));
        life.tasks.spawn(watch_heartbeat(link.clone(), ended, self.kit.frozen.clone(), self.inbox.clone()));
        life.tasks.spawn(watch_browser(browser.clone(), number, self.kit.frozen.clone(), self.inbox.clone()));
        Ok(Desktop { browser, is_back: true, rest: None, room: Running { link, number, life: Some(life) } })
    }

    /// Starts a room and waits until its guest is ready. `ended` is told when its streams end.
    async fn ready_room(
        &self,
        settings: RoomSettings,
        profile: Option<std::path::PathBuf>,
        egress: &Arc<Egress>,
        ended: Lost,
    ) -> Result<(Link, Life), Failure> {
        let Room { link, incoming, processes } = start_room(self, settings, profile).await?;
        let mut tasks = JoinSet::new();
        let (ready, is_ready) = oneshot::channel();
        tasks.spawn(accept_streams(incoming, egress.clone(), ready, self.inbox.clone(), ended));
        let life = Life { processes, tasks };
        wait_ready(&ended.part.to_string(), is_ready).await?;
        Ok((link, life))
    }
}

async fn start_room(
    starter: &Starter,
    settings: RoomSettings,
    profile: Option<std::path::PathBuf>,
) -> Result<Room, Failure> {
    let (sandbox, limits) = (starter.sandbox.clone(), starter.limits.clone());
    let workspace = starter.kit.workspace.path().to_owned();
    let spec = RoomSpec { sandbox, settings, limits, workspace, profile };
    starter.kit.backend.start(spec).await.map_err(|error| {
        let code = match &error {
            BackendError::Refused { .. } => "isolation",
            BackendError::Io(_) => "room",
        };
        Failure { code: code.to_owned(), message: error.to_string() }
    })
}

async fn wait_ready(what: &str, ready: oneshot::Receiver<Result<(), String>>) -> Result<(), Failure> {
    let message = match tokio::time::timeout(READY_LIMIT, ready).await {
        Ok(Ok(Ok(()))) => return Ok(()),
        Ok(Ok(Err(reason))) => format!("{what}: {reason}"),
        Ok(Err(_)) => format!("{what}: it ended while it started"),
        Err(_) => format!("{what}: not ready after {} s", READY_LIMIT.as_secs()),
    };
    Err(Failure { code: "room".to_owned(), message })
}

/// Takes every stream that the guest opens, until the room is gone.
async fn accept_streams(
    mut incoming: Incoming,
    egress: Arc<Egress>,
    ready: oneshot::Sender<Result<(), String>>,
    inbox: mpsc::Sender<Cause>,
    ended: Lost,
) {
    let mut ready = Some(ready);
    let mut connections = JoinSet::new();
    let (opened, mut is_opened) = mpsc::channel::<(GuestOpen, Stream)>(16);
    loop {
        tokio::select! {
            stream = incoming.accept() => {
                let Some(mut stream) = stream else { break };
                let opened = opened.clone();
                connections.spawn(async move {
                    // A stream without a readable header is nothing that our guest opened: it is dropped.
                    if let Ok(Some(header)) = read_message(&mut stream).await {
                        let _ = opened.send((header, stream)).await;
                    }
                });
            }
            Some((header, stream)) = is_opened.recv() => match header {
                GuestOpen::Ready(result) => {
                    if let Some(ready) = ready.take() {
                        // The starter may have given up meanwhile.
                        let _ = ready.send(result);
                    }
                }
                GuestOpen::Egress => {
                    connections.spawn(egress.clone().serve(stream));
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    // While it starts, a lost room shows as a `ready` that never comes.
    if ready.is_none() {
        let _ = inbox.send(Cause::PartLost(ended)).await;
    }
}

/// Brings what a room reports into the inbox, until either is gone.
async fn forward<T>(mut reports: mpsc::Receiver<T>, inbox: mpsc::Sender<Cause>, cause_of: fn(T) -> Cause) {
    while let Some(report) = reports.recv().await {
        if inbox.send(cause_of(report)).await.is_err() {
            return;
        }
    }
}

/// Has what was counted written down a moment after it leads somewhere new.
async fn tell_of_new(traffic: Traffic, inbox: mpsc::Sender<Cause>) {
    loop {
        traffic.grew().await;
        tokio::time::sleep(GATHER).await;
        if inbox.send(Cause::Traffic { answer: None }).await.is_err() {
            return;
        }
    }
}

async fn forward_events(
    mut events: mpsc::Receiver<BrowserEvent>,
    desktop: Link,
    number: u32,
    inbox: mpsc::Sender<Cause>,
) {
    while let Some(event) = events.recv().await {
        let cause = match event {
            BrowserEvent::Closed => browser_gone(&desktop, number).await,
            other => Cause::Browser(other),
        };
        if inbox.send(cause).await.is_err() {
            return;
        }
    }
}

/// Listens to the desktop room for what the sandbox's state depends on.
async fn watch_reports(desktop: Link, browser: Browser, number: u32, inbox: mpsc::Sender<Cause>) {
    let Ok(mut reports) = desktop.open_for(&Open::Reports).await else { return };
    while let Ok(Some(report)) = read_message::<DesktopReport>(&mut reports).await {
        match report {
            DesktopReport::BrowserExited { status } => {
                tracing::debug!(status, "the browser exited");
                if inbox.send(browser_gone(&desktop, number).await).await.is_err() {
                    return;
                }
            }
            DesktopReport::FileChooser { shown } => browser.chooser_shown(shown),
            DesktopReport::ScreenChanged(_) | DesktopReport::Cursor(_) => {}
        }
    }
}

/// The browser is gone, and perhaps only because what it stood on is.
async fn browser_gone(desktop: &Link, number: u32) -> Cause {
    let (part, loss) = calls::name_loss(desktop).await;
    Cause::PartLost(Lost { number, part, loss })
}

/// Asks the room's guest, once a second, how it is.
async fn watch_heartbeat(link: Link, room: Lost, frozen: Frozen, inbox: mpsc::Sender<Cause>) {
    // A room that ended is told by its streams.
    let Some((part, loss)) = calls::watch_room(&link, room.part, &frozen).await else { return };
    // The actor may have ended.
    let _ = inbox.send(Cause::PartLost(Lost { part, loss, ..room })).await;
}

/// Asks the browser, every [`BROWSER_PAUSE`], whether it lives, and what it would need to come back as it is.
async fn watch_browser(browser: Browser, number: u32, frozen: Frozen, inbox: mpsc::Sender<Cause>) {
    loop {
        match calls::within_beats(BROWSER_BEATS, &frozen, browser.take_pulse()).await {
            // A browser that ended is told by its events.
            Some(false) => return,
            Some(true) => tokio::time::sleep(BROWSER_PAUSE).await,
            None => break,
        }
    }
    let _ = inbox.send(Cause::PartLost(Lost { number, part: Part::Browser, loss: Loss::Hung })).await;
}

fn failure(code: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure { code: code.to_owned(), message: error.to_string() }
}
