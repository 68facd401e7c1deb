//! Rooms on this machine, by bubblewrap.
//!
//! Owns how a room is isolated and how its processes end. Leaves what happens inside to the guest.
//! Fails closed: a layer that cannot be set up is named, with its fix, and nothing is started.

mod arguments;
mod descriptors;
mod host;
mod processes;
mod spawner;

pub use host::APPARMOR_FIX;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::BoxFuture;
use nix::unistd::Pid;
use sandbox_core::SandboxId;
use sandbox_core::model::{EnforcedBy, Limits, LimitsInForce, PausedBy};
use sandbox_link::walls::{Layer, WallOrders};
use sandbox_link::{Link, Side, greet_guest};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::time::timeout;

use self::arguments::{HostRoot, Layout, arguments};
use self::descriptors::Descriptors;
use self::processes::BubblewrapRoom;
use super::home::Home;
use super::limits::{Holder, Machine, resolve};
use super::room::{RoomKind, find_guest, memory_folder_bytes};
use super::{Backend, BackendError, Exceeded, LimitError, Room, RoomSpec};

const BUBBLEWRAP: &str = "/usr/bin/bwrap";
/// How long a guest may take to answer, on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// The backend of this machine.
pub struct Local {
    home: Home,
    guest: PathBuf,
    host: HostRoot,
    binds_descriptors: bool,
    holder: Holder,
    /// A layer that rooms go without: only tests say it, to show that the layers overlap.
    without: Option<Layer>,
}

impl Local {
    /// Finds what rooms need on this machine. `home` is the data directory; workspaces and profiles lie in it.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when bubblewrap or the guest is missing.
    pub fn find(home: &Path) -> Result<Self, BackendError> {
        let binds_descriptors = ask_bubblewrap()?;
        Ok(Self {
            home: Home::find(home)?,
            guest: find_guest()?,
            host: host::read_root()?,
            binds_descriptors,
            holder: Holder::find(home),
            without: None,
        })
    }

    /// The same backend without one of the layers. For the tests of how layers overlap: nothing else calls it, which the
    /// test of the house checks.
    #[doc(hidden)]
    pub fn weakened(self, without: Layer) -> Self {
        Self { without: Some(without), ..self }
    }

    /// The same backend without control groups, as on a machine that has none for this user. For tests alone, as above.
    #[doc(hidden)]
    pub fn without_groups(self) -> Self {
        let holder = Holder::without_groups(self.home.path());
        Self { holder, ..self }
    }

    /// What the guest is told to hold each process to, beside what holds them all.
    fn wall_orders(&self, kind: RoomKind, limits: &LimitsInForce) -> WallOrders {
        match kind {
            // Chromium maps much that it does not use, and writes no large file but downloads.
            RoomKind::Desktop => WallOrders { without: self.without, ..WallOrders::default() },
            RoomKind::Shell => WallOrders {
                processes: limits.pids.filter(|limit| limit.by == EnforcedBy::Rlimit).map(|limit| limit.value),
                data_bytes: limits
                    .memory_mb
                    .filter(|limit| limit.by == EnforcedBy::Watchdog)
                    .map(|limit| limit.value << 20),
                file_bytes: limits.disk_mb.map(|limit| limit.value << 20),
                in_container: false,
                without: self.without,
            },
        }
    }

    async fn start_room(&self, spec: RoomSpec) -> Result<Room, BackendError> {
        let kind = RoomKind::from(&spec.settings);
        let workspace = self.home.open(&spec.workspace, "workspaces")?;
        let profile = match (&spec.profile, kind) {
            (Some(profile), RoomKind::Desktop) => Some(self.home.open(profile, "profiles")?),
            // The profile holds sign-ins, which no command may see.
            (_, RoomKind::Shell) | (None, RoomKind::Desktop) => None,
        };

        let (mut link, theirs) = UnixStream::pair()?;
        let (info_write, info_read) = pipe::pipe()?;
        let mut given = Descriptors::default();
        given.add(&theirs)?;
        let mut own_files = Vec::new();
        for (path, content) in room_files(&spec.sandbox) {
            own_files.push((path, given.add_content(content.as_bytes())?));
        }
        let refused = |cause: io::Error| BackendError::Refused {
            layer: Layer::Limits.name(),
            cause: cause.to_string(),
            fix: Layer::Limits.fix().to_owned(),
        };
        let held = self.holder.hold(&spec.sandbox, &spec.limits, spec.workspace.clone()).map_err(refused)?;
        let doors = held.doors().map_err(refused)?;
        let orders = self.wall_orders(kind, &spec.limits);
        let layout = Layout {
            kind,
            orders: &orders,
            memory_folder_bytes: memory_folder_bytes(&spec.limits),
            host: &self.host,
            guest: &self.guest,
            workspace: given.add(&workspace)?,
            profile: profile.as_ref().map(|profile| given.add(profile)).transpose()?,
            own_files,
            info: given.add(&info_write)?,
            binds_descriptors: self.binds_descriptors,
        };
        let mut command = Command::new(BUBBLEWRAP);
        command
            .args(arguments(&layout))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut room = BubblewrapRoom::new(spawner::spawn(command, given, doors).await?, held);
        drop((theirs, info_write, workspace, profile));

        let greeted = timeout(START_DEADLINE, greet_guest(&mut link, &spec.settings)).await;
        if let Err(cause) = greeted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            room.end().await;
            let said = room.words.last().await;
            tracing::warn!(%cause, said, "a room did not start");
            return Err(host::explain_refusal(&said));
        }
        room.set_init(read_init(info_read).await?)?;
        let (link, incoming) = Link::start(link, Side::Runtime);
        Ok(Room { link, incoming, processes: Box::new(room) })
    }
}

impl Backend for Local {
    fn start(&self, spec: RoomSpec) -> BoxFuture<'_, Result<Room, BackendError>> {
        Box::pin(self.start_room(spec))
    }

    fn limits(&self, asked: &Limits) -> Result<LimitsInForce, LimitError> {
        resolve(asked, Machine::read(self.home.path()), self.holder.means())
    }

    fn exceeded(&self, sandbox: &SandboxId) -> Exceeded {
        self.holder.exceeded(sandbox)
    }

    fn freeze(&self, sandbox: &SandboxId) -> std::io::Result<PausedBy> {
        self.holder.freeze(sandbox)
    }

    fn thaw(&self, sandbox: &SandboxId) -> std::io::Result<()> {
        self.holder.thaw(sandbox)
    }
}

/// Returns whether the bubblewrap of this machine binds descriptors.
fn ask_bubblewrap() -> Result<bool, BackendError> {
    let refused = |cause: String| BackendError::Refused {
        layer: "bubblewrap",
        cause,
        fix: "run `apt-get install bubblewrap` (version 0.8 or newer)".to_owned(),
    };
    let asked = std::process::Command::new(BUBBLEWRAP).arg("--help").env_clear().output();
    let help = asked.map_err(|error| refused(format!("{BUBBLEWRAP}: {error}")))?;
    let help = String::from_utf8_lossy(&help.stdout);
    if !help.contains("--disable-userns") {
        return Err(refused(format!("{BUBBLEWRAP} is too old: it cannot turn user namespaces off")));
    }
    Ok(help.contains("--bind-fd"))
}

/// Returns the files that a room has of its own instead of the host's.
fn room_files(sandbox: &SandboxId) -> Vec<(&'static str, String)> {
    let machine = Sha256::digest(sandbox.to_string());
    let machine_id = sandbox_core::hexadecimal(&machine[..16]);
    vec![
        (
            "/etc/passwd",
            "root:x:0:0:root:/:/usr/sbin/nologin\nbaton:x:1000:1000:Baton:/home/baton:/bin/bash\n".to_owned(),
        ),
        ("/etc/group", "root:x:0:\nbaton:x:1000:\n".to_owned()),
        ("/etc/hosts", "127.0.0.1 localhost baton\n::1 localhost\n".to_owned()),
        // No name is resolved in a room: the proxy does it.
        ("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n".to_owned()),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n".to_owned()),
        ("/etc/hostname", "baton\n".to_owned()),
        ("/etc/machine-id", format!("{machine_id}\n")),
    ]
}

/// Reads the process id of the room's init, which bubblewrap wrote before the guest could answer.
async fn read_init(mut info: pipe::Receiver) -> io::Result<Pid> {
    let mut said = vec![0; 4096];
    let length = timeout(START_DEADLINE, info.read(&mut said)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    let said: serde_json::Value = serde_json::from_slice(&said[..length])?;
    let pid = said["child-pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
    pid.map(Pid::from_raw).ok_or_else(|| io::Error::other("bubblewrap did not say which process it started"))
}
