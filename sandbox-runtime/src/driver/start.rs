//! Starts a sandbox: both rooms at once, their way out, the browser.

use std::sync::Arc;
use std::time::Duration;

use sandbox_core::SandboxId;
use sandbox_core::model::{Failure, Sandbox};
use sandbox_link::protocol::{DesktopReport, DesktopSettings, GuestOpen, Open, RoomSettings, ShellSettings};
use sandbox_link::{Incoming, Link, Stream, read_message};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::Kit;
use super::cause::Cause;
use crate::browser::exchange::Exchange;
use crate::browser::{Browser, BrowserEvent, Gate};
use crate::egress::{Denied, Egress, Sites};
use crate::sandbox::{BackendError, PROFILE_DIR, Room, RoomProcesses, RoomSpec, WORKSPACE_DIR};

/// The loopback port of each room on which its guest serves the way out.
const PROXY_PORT: u16 = 3128;
/// A room that is not usable by then has failed.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// How many refused destinations may wait to be recorded; more are dropped, as each is news only once.
const DENIED_BACKLOG: usize = 64;

/// Everything that runs for a sandbox. Dropping it kills the rooms.
pub(super) struct Rooms {
    pub shell: Link,
    pub desktop: Option<Desktop>,
    processes: Vec<Box<dyn RoomProcesses>>,
    /// Acceptors, pumps: end with the rooms.
    tasks: JoinSet<()>,
    ways_out: [Arc<Egress>; 2],
}

pub(super) struct Desktop {
    pub link: Link,
    pub browser: Browser,
}

impl Rooms {
    /// Kills every process of the sandbox and waits until none is left.
    pub async fn kill(mut self) {
        self.tasks.abort_all();
        for way_out in &self.ways_out {
            way_out.close();
        }
        for room in &mut self.processes {
            room.kill().await;
        }
    }
}

/// Starts the rooms of `sandbox`; what they report afterwards goes into `inbox`.
///
/// # Errors
///
/// What could not be started, as the sandbox's failure; nothing is left running.
pub(super) async fn start_rooms(
    sandbox: &Sandbox,
    env: std::collections::BTreeMap<String, String>,
    kit: &Kit,
    gate: &Gate,
    inbox: &mpsc::Sender<Cause>,
) -> Result<Rooms, Failure> {
    let mut tasks = JoinSet::new();
    let browser_wanted = sandbox.capabilities.browser.browser();
    let outbound_proxy = browser_wanted.as_ref().and_then(|browser| browser.byo_proxy_url.clone());
    let (denied, denials) = mpsc::channel(DENIED_BACKLOG);
    let way_out = |sites: &Sites| {
        let (network, outbound_proxy) = (sandbox.network.clone(), outbound_proxy.clone());
        Egress::new(network, outbound_proxy, sites.clone(), denied.clone()).map_err(|error| failure("network", &error))
    };
    let (shell_egress, desktop_egress) = (way_out(&kit.shell_sites)?, way_out(&kit.sites)?);
    tasks.spawn(forward_denials(denials, inbox.clone()));

    let shell_settings = RoomSettings::Shell(ShellSettings { env, proxy_port: PROXY_PORT });
    let shell = start_room(&sandbox.id, shell_settings, None, kit);
    let desktop = async {
        let Some(wanted) = browser_wanted else { return Ok(None) };
        let settings = RoomSettings::Desktop(DesktopSettings {
            viewport: wanted.viewport,
            proxy_port: PROXY_PORT,
            browser: Vec::new(),
            start_url: "about:blank".to_owned(),
        });
        start_room(&sandbox.id, settings, Some(kit.profile.clone()), kit).await.map(Some)
    };
    let (shell, desktop) = tokio::join!(shell, desktop);
    let (shell, desktop) = (shell?, desktop?);

    let mut processes = Vec::new();
    let (shell_ready, shell_is_ready) = oneshot::channel();
    tasks.spawn(accept_streams(shell.incoming, shell_egress.clone(), shell_ready, inbox.clone(), "shell"));
    processes.push(shell.processes);
    let desktop = match desktop {
        None => None,
        Some(room) => {
            let (ready, is_ready) = oneshot::channel();
            tasks.spawn(accept_streams(room.incoming, desktop_egress.clone(), ready, inbox.clone(), "desktop"));
            processes.push(room.processes);
            Some((room.link, is_ready))
        }
    };
    wait_ready("shell room", shell_is_ready).await?;
    let desktop = match desktop {
        None => None,
        Some((link, is_ready)) => {
            wait_ready("desktop room", is_ready).await?;
            let exchange = Exchange::new(kit.workspace.clone(), WORKSPACE_DIR, &kit.profile, PROFILE_DIR);
            let (browser, events) = Browser::attach(&link, gate.clone(), exchange, desktop_egress.failures())
                .await
                .map_err(|error| failure("browser", &error))?;
            tasks.spawn(forward_events(events, inbox.clone()));
            tasks.spawn(watch_reports(link.clone(), browser.clone(), inbox.clone()));
            Some(Desktop { link, browser })
        }
    };
    Ok(Rooms { shell: shell.link, desktop, processes, tasks, ways_out: [shell_egress, desktop_egress] })
}

async fn start_room(
    sandbox: &SandboxId,
    settings: RoomSettings,
    profile: Option<std::path::PathBuf>,
    kit: &Kit,
) -> Result<Room, Failure> {
    let spec = RoomSpec { sandbox: sandbox.clone(), settings, workspace: kit.workspace.path().to_owned(), profile };
    kit.backend.start(spec).await.map_err(|error| {
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
    room: &'static str,
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
        let _ = inbox.send(Cause::RoomLost { room }).await;
    }
}

async fn forward_denials(mut denials: mpsc::Receiver<Denied>, inbox: mpsc::Sender<Cause>) {
    while let Some(denied) = denials.recv().await {
        if inbox.send(Cause::Denied(denied)).await.is_err() {
            return;
        }
    }
}

async fn forward_events(mut events: mpsc::Receiver<BrowserEvent>, inbox: mpsc::Sender<Cause>) {
    while let Some(event) = events.recv().await {
        if inbox.send(Cause::Browser(event)).await.is_err() {
            return;
        }
    }
}

/// Listens to the desktop room for what the sandbox's state depends on.
async fn watch_reports(desktop: Link, browser: Browser, inbox: mpsc::Sender<Cause>) {
    let Ok(mut reports) = desktop.open_for(&Open::Reports).await else { return };
    while let Ok(Some(report)) = read_message::<DesktopReport>(&mut reports).await {
        match report {
            DesktopReport::BrowserExited { status } => {
                tracing::warn!(status, "the browser exited");
                if inbox.send(Cause::RoomLost { room: "browser" }).await.is_err() {
                    return;
                }
            }
            DesktopReport::FileChooser { shown } => browser.chooser_shown(shown),
            DesktopReport::ScreenChanged(_) | DesktopReport::Cursor(_) => {}
        }
    }
}

fn failure(code: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure { code: code.to_owned(), message: error.to_string() }
}
