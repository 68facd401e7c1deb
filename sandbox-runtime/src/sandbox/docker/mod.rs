//! Rooms as containers of this machine's engine: the same guest behind the same walls, in an image of its own instead of the
//! host's system.
//!
//! Owns the image, the containers and their end. The link is the containers' standard input and output; the engine gives
//! them nothing else to speak with.

mod container;
mod engine;
mod image;
mod rooms;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker as Engine;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, future};
use sandbox_core::SandboxId;
use sandbox_core::model::{Check, EnforcedBy, Limits, LimitsInForce, PausedBy};
use sandbox_link::walls::{Layer, WallOrders};
use sandbox_link::{Link, Side, greet_guest};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use self::container::{Layout, container};
use self::image::Recipe;
use self::rooms::{ContainerRoom, Rooms};
use super::home::Home;
use super::limits::{Machine, Means, resolve};
use super::room::{RoomKind, file_owner, find_guest, memory_folder_bytes};
use super::words::Words;
use super::{Backend, BackendError, Exceeded, LimitError, Room, RoomSpec, check};

/// What a refusal by this backend is about.
const LAYER: &str = "docker";
/// How long a guest may take to answer, on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The backend of this machine's container engine.
pub struct Docker {
    home: Home,
    guest: PathBuf,
    /// Names the data directory at containers, without telling where it lies.
    label: String,
    engine: OnceCell<Engine>,
    recipe: OnceCell<Recipe>,
    /// Held while the image is built: it is built once, however many sandboxes start.
    building: Mutex<()>,
    rooms: Arc<Rooms>,
}

impl Docker {
    /// Prepares the backend, without asking the engine. `home` is the data directory.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when the guest is missing.
    pub fn new(home: &Path) -> Result<Self, BackendError> {
        let home = Home::find(home)?;
        let hash = Sha256::digest(home.path().as_os_str().as_encoded_bytes());
        Ok(Self {
            guest: find_guest()?,
            label: sandbox_core::hexadecimal(&hash[..8]),
            home,
            engine: OnceCell::new(),
            recipe: OnceCell::new(),
            building: Mutex::default(),
            rooms: Arc::default(),
        })
    }

    /// Returns the engine. The first call ends what an earlier runtime of this data directory left there.
    async fn engine(&self) -> Result<&Engine, BackendError> {
        self.engine
            .get_or_try_init(|| async {
                let engine = engine::connect().await?;
                rooms::end_leftovers(&engine, &self.label).await.map_err(|error| refused(&error))?;
                self.rooms.watch(engine.clone(), &self.label);
                Ok(engine)
            })
            .await
    }

    /// Returns the name of the image, which is built if the engine has none.
    async fn image(&self, engine: &Engine) -> Result<&str, BackendError> {
        let read = || async {
            let guest = self.guest.clone();
            tokio::task::spawn_blocking(move || Recipe::read(&guest)).await.map_err(std::io::Error::other)?
        };
        let recipe = self.recipe.get_or_try_init(read).await?;
        let _only_one = self.building.lock().await;
        recipe.ensure_built(engine).await.map_err(|cause| BackendError::Refused {
            layer: LAYER,
            cause: format!("build the image of rooms: {cause}"),
            fix:
                "the first build fetches Debian packages: let the engine reach the network, or name an image that has \
                  Chromium, Xvfb and Python in BATON_DOCKER_BASE"
                    .to_owned(),
        })?;
        Ok(&recipe.tag)
    }

    async fn start_room(&self, spec: RoomSpec) -> Result<Room, BackendError> {
        let kind = RoomKind::from(&spec.settings);
        // The profile holds sign-ins, which no command may see.
        let profile = spec.profile.as_deref().filter(|_| kind == RoomKind::Desktop);
        // The engine takes names, and would follow a link.
        self.home.open(&spec.workspace, "workspaces")?;
        profile.map(|profile| self.home.open(profile, "profiles")).transpose()?;
        let engine = self.engine().await?;
        let orders = WallOrders { in_container: true, ..WallOrders::default() };
        let body = container(&Layout {
            kind,
            image: self.image(engine).await?,
            home_label: &self.label,
            sandbox: spec.sandbox.as_str(),
            limits: &spec.limits,
            orders: &orders,
            memory_folder_bytes: memory_folder_bytes(&spec.limits),
            workspace: &spec.workspace,
            profile,
            owner: file_owner(),
        });
        let name = format!("baton-{}", crate::unique());
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        engine.create_container(Some(options), body).await.map_err(|error| refused(&error))?;
        let mut room = ContainerRoom::new(engine.clone(), name, spec.sandbox.clone(), self.rooms.clone());

        let words = Words::default();
        let mut link = self.attach(engine, &room, words.clone()).await.map_err(|error| refused(&error))?;
        engine.start_container(room.name(), None).await.map_err(|error| refused(&error))?;
        let greeted = timeout(START_DEADLINE, greet_guest(&mut link, &spec.settings)).await;
        if let Err(cause) = greeted.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            room.end().await;
            let said = words.end();
            tracing::warn!(%cause, said, "a room did not start");
            return Err(explain(&said, &cause));
        }
        let (link, incoming) = Link::start(link, Side::Runtime);
        Ok(Room { link, incoming, processes: Box::new(room) })
    }

    /// Connects to the streams of a container: what it will say on standard error goes to `words`.
    async fn attach(
        &self,
        engine: &Engine,
        room: &ContainerRoom,
        words: Words,
    ) -> Result<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + use<>, Error> {
        let options =
            AttachContainerOptionsBuilder::default().stdin(true).stdout(true).stderr(true).stream(true).build();
        let AttachContainerResults { output, input } = engine.attach_container(room.name(), Some(options)).await?;
        let said = output.filter_map(move |said| {
            future::ready(match said {
                Ok(LogOutput::StdOut { message }) => Some(Ok(message)),
                Ok(LogOutput::StdErr { message }) => {
                    words.add(&message);
                    None
                }
                Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. }) => None,
                Err(error) => Some(Err(std::io::Error::other(error))),
            })
        });
        Ok(tokio::io::join(StreamReader::new(Box::pin(said)), input))
    }

    /// What holds each limit. Of the workspace's size the engine knows nothing.
    fn means() -> Means {
        let engine = Some(EnforcedBy::Engine);
        Means { memory: engine, pids: engine, cpus: engine, disk: None }
    }
}

impl Backend for Docker {
    fn start(&self, spec: RoomSpec) -> BoxFuture<'_, Result<Room, BackendError>> {
        Box::pin(self.start_room(spec))
    }

    fn is_there(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async { self.engine().await.map(drop) })
    }

    fn limits(&self, asked: &Limits) -> Result<LimitsInForce, LimitError> {
        resolve(asked, Machine::read(self.home.path()), Self::means())
    }

    fn exceeded(&self, sandbox: &SandboxId) -> Exceeded {
        self.rooms.exceeded(sandbox)
    }

    fn freeze(&self, sandbox: &SandboxId) -> std::io::Result<PausedBy> {
        tokio::runtime::Handle::current().block_on(self.rooms.freeze(sandbox))
    }

    fn thaw(&self, sandbox: &SandboxId) -> std::io::Result<()> {
        tokio::runtime::Handle::current().block_on(self.rooms.thaw(sandbox))
    }
}

/// Checks whether this machine has an engine. It needs none: sandboxes run without.
pub async fn check() -> Check {
    let found = match engine::connect().await {
        Ok(engine) => {
            let version = engine::version(&engine).await.unwrap_or_else(|| "an engine".to_owned());
            Ok(format!("{version}: sandboxes can also run in containers"))
        }
        Err(BackendError::Refused { cause, fix, .. }) => Err((cause, fix)),
        Err(BackendError::Io(error)) => Err((error.to_string(), "try again".to_owned())),
    };
    check::check("docker", false, found)
}

/// Explains why a guest did not start, from what it said.
fn explain(said: &str, cause: &std::io::Error) -> BackendError {
    if let Some((layer, cause)) = Layer::failed_in(said) {
        return BackendError::Refused { layer: layer.name(), cause, fix: layer.fix().to_owned() };
    }
    let cause = if said.trim().is_empty() { cause.to_string() } else { said.trim().to_owned() };
    BackendError::Refused { layer: LAYER, cause, fix: "run with BATON_LOG=debug for more".to_owned() }
}

fn refused(error: &Error) -> BackendError {
    BackendError::Refused {
        layer: LAYER,
        cause: error.to_string(),
        fix: "look at the engine's log: `journalctl -u docker`".to_owned(),
    }
}
