//! The containers that run: which sandbox each belongs to, how they are frozen, and how they end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bollard::Docker as Engine;
use bollard::errors::Error;
use bollard::models::EventMessage;
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use sandbox_core::SandboxId;
use sandbox_core::model::PausedBy;

use super::super::{Exceeded, RoomProcesses};
use super::container::{HOME_LABEL, SANDBOX_LABEL};

/// How long the engine may take to end a container.
const END_DEADLINE: Duration = Duration::from_secs(20);
/// Between looks whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Before the engine's events are listened to again, after they broke off.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// Every container that runs.
#[derive(Default)]
pub struct Rooms {
    running: Mutex<BTreeMap<SandboxId, Running>>,
}

#[derive(Default)]
struct Running {
    engine: Option<Engine>,
    names: BTreeSet<String>,
    /// Processes that the kernel ended because the memory of a container was used up.
    out_of_memory: u64,
}

impl Rooms {
    /// Counts, until the last handle is gone, how often a container used up its memory.
    pub fn watch(self: &Arc<Self>, engine: Engine, home_label: &str) {
        tokio::spawn(listen(Arc::downgrade(self), engine, format!("{HOME_LABEL}={home_label}")));
    }

    pub fn exceeded(&self, sandbox: &SandboxId) -> Exceeded {
        let memory = self.lock().get(sandbox).map_or(0, |running| running.out_of_memory);
        Exceeded { memory, ..Exceeded::default() }
    }

    /// Freezes every container of a sandbox; if one does not let itself be frozen, none is.
    ///
    /// # Errors
    /// Nothing of it runs, or what the engine said.
    pub async fn freeze(&self, sandbox: &SandboxId) -> io::Result<PausedBy> {
        let (engine, names) = self.of(sandbox).ok_or_else(|| io::Error::other("nothing of it runs"))?;
        for (at, name) in names.iter().enumerate() {
            if let Err(error) = engine.pause_container(name).await {
                for frozen in &names[..at] {
                    let _ = engine.unpause_container(frozen).await;
                }
                return Err(io::Error::other(error));
            }
        }
        Ok(PausedBy::Engine)
    }

    /// Lets a frozen sandbox go on; one of which nothing runs needs nothing.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn thaw(&self, sandbox: &SandboxId) -> io::Result<()> {
        let Some((engine, names)) = self.of(sandbox) else { return Ok(()) };
        for name in names {
            engine.unpause_container(&name).await.map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn of(&self, sandbox: &SandboxId) -> Option<(Engine, Vec<String>)> {
        let running = self.lock();
        let found = running.get(sandbox)?;
        Some((found.engine.clone()?, found.names.iter().cloned().collect()))
    }

    fn add(&self, sandbox: &SandboxId, engine: &Engine, name: &str) {
        let mut all = self.lock();
        let running = all.entry(sandbox.clone()).or_default();
        running.engine = Some(engine.clone());
        running.names.insert(name.to_owned());
    }

    fn remove(&self, sandbox: &SandboxId, name: &str) {
        let mut all = self.lock();
        let Some(running) = all.get_mut(sandbox) else { return };
        running.names.remove(name);
        if running.names.is_empty() {
            all.remove(sandbox);
        }
    }

    fn count_out_of_memory(&self, event: EventMessage) {
        let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
        let Some(sandbox) = attributes.get(SANDBOX_LABEL) else { return };
        if let Some(running) = self.lock().get_mut(&SandboxId::from(sandbox.clone())) {
            running.out_of_memory += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SandboxId, Running>> {
        // Entries are changed whole: no panic leaves the map half changed.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(rooms: Weak<Rooms>, engine: Engine, label: String) {
    let filters = HashMap::from([("type", vec!["container"]), ("event", vec!["oom"]), ("label", vec![label.as_str()])]);
    while rooms.strong_count() > 0 {
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let mut events = std::pin::pin!(engine.events(Some(options)));
        while let Ok(Some(event)) = events.try_next().await {
            let Some(rooms) = rooms.upgrade() else { return };
            rooms.count_out_of_memory(event);
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// Ends every container that an earlier runtime of the same data directory left.
///
/// # Errors
/// What the engine said.
pub async fn end_leftovers(engine: &Engine, home_label: &str) -> Result<(), Error> {
    let filters = HashMap::from([("label", vec![format!("{HOME_LABEL}={home_label}")])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    for left in engine.list_containers(Some(options)).await? {
        if let Some(id) = left.id {
            tracing::info!(container = id, "ending a container that an earlier runtime left");
            end(engine, &id).await;
        }
    }
    Ok(())
}

/// A room's container. Dropping it ends the container without waiting.
pub struct ContainerRoom {
    engine: Engine,
    name: String,
    sandbox: SandboxId,
    rooms: Arc<Rooms>,
    is_gone: bool,
}

impl ContainerRoom {
    pub fn new(engine: Engine, name: String, sandbox: SandboxId, rooms: Arc<Rooms>) -> Self {
        rooms.add(&sandbox, &engine, &name);
        Self { engine, name, sandbox, rooms, is_gone: false }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends the container and waits until it is gone.
    pub async fn end(&mut self) {
        self.rooms.remove(&self.sandbox, &self.name);
        end(&self.engine, &self.name).await;
        self.is_gone = true;
    }
}

impl RoomProcesses for ContainerRoom {
    fn kill(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.end())
    }
}

impl Drop for ContainerRoom {
    fn drop(&mut self) {
        if self.is_gone {
            return;
        }
        self.rooms.remove(&self.sandbox, &self.name);
        // Without a runtime the link ends, and the container with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (engine, name) = (self.engine.clone(), std::mem::take(&mut self.name));
            runtime.spawn(async move { end(&engine, &name).await });
        }
    }
}

async fn end(engine: &Engine, name: &str) {
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    let ended = async {
        loop {
            match engine.remove_container(name, Some(options.clone())).await {
                Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => return,
                // It is being removed already, or its end is not written down yet.
                Err(error) => tracing::debug!(%error, name, "a container is not gone yet"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    if tokio::time::timeout(END_DEADLINE, ended).await.is_err() {
        tracing::error!(name, "a container did not end within {END_DEADLINE:?}");
    }
}
