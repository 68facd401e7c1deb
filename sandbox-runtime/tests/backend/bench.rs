//! A data directory with a backend, rooms started in it, and looking for what they left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sandbox_core::SandboxId;
use sandbox_core::model::{ExecResult, Limits};
use sandbox_link::protocol::{ExecSpec, RoomSettings, ShellSettings};
use sandbox_link::walls::Layer;
use sandbox_runtime::sandbox::calls::{CallError, exec, wait_ready};
use sandbox_runtime::sandbox::docker::Docker;
use sandbox_runtime::sandbox::local::Local;
use sandbox_runtime::sandbox::{Backend, Room, RoomSpec};

/// How long the kernel may take on a busy machine to end what was killed.
pub const GONE: Duration = Duration::from_secs(20);

/// Names the backend that the suite is run on.
const BACKEND_VARIABLE: &str = "BATON_TEST_BACKEND";

pub struct Bench {
    pub home: tempfile::TempDir,
    pub backend: Box<dyn Backend>,
    pub sandbox: SandboxId,
}

impl Bench {
    /// The backend that this run is about: `docker` if [`BACKEND_VARIABLE`] says so, else bubblewrap.
    pub fn new() -> Self {
        match std::env::var(BACKEND_VARIABLE).as_deref() {
            Ok("docker") => Self::made(|home| Box::new(Docker::new(home).unwrap())),
            _ => Self::local(),
        }
    }

    /// Rooms by bubblewrap, whatever the run is about.
    pub fn local() -> Self {
        Self::with(|local| local)
    }

    /// A backend whose rooms go without one layer.
    pub fn weakened(without: Layer) -> Self {
        Self::with(|local| local.weakened(without))
    }

    /// A backend that uses no control groups.
    pub fn without_groups() -> Self {
        Self::with(Local::without_groups)
    }

    fn with(change: impl FnOnce(Local) -> Local) -> Self {
        Self::made(|home| Box::new(change(Local::find(home).unwrap())))
    }

    fn made(backend: impl FnOnce(&Path) -> Box<dyn Backend>) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("workspaces/one")).unwrap();
        fs::create_dir_all(home.path().join("profiles/one")).unwrap();
        let backend = backend(home.path());
        // Its own, because its control groups bear the name.
        let sandbox = SandboxId::from(format!("sbx_{}", sandbox_runtime::unique()));
        Self { home, backend, sandbox }
    }

    pub fn workspace(&self) -> PathBuf {
        self.home.path().join("workspaces/one")
    }

    pub fn spec(&self) -> RoomSpec {
        let settings = ShellSettings { env: BTreeMap::from([("FROM".into(), "sandbox".into())]), proxy_port: 0 };
        RoomSpec {
            sandbox: self.sandbox.clone(),
            settings: RoomSettings::Shell(settings),
            limits: self.backend.limits(&Limits::default()).unwrap(),
            workspace: self.workspace(),
            profile: None,
        }
    }

    /// Starts a shell room and waits until it is usable.
    pub async fn room(&self) -> Room {
        self.room_of(self.spec()).await
    }

    pub async fn room_of(&self, spec: RoomSpec) -> Room {
        let mut room = self.backend.start(spec).await.unwrap();
        wait_ready(&mut room.incoming).await.unwrap();
        room
    }
}

pub fn command(program: &str, args: &[&str]) -> ExecSpec {
    ExecSpec {
        command: program.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        cwd: "/workspace".to_owned(),
        env: BTreeMap::new(),
        timeout_ms: 60_000,
    }
}

/// Runs a line of shell in the room.
pub async fn sh(room: &Room, line: &str) -> ExecResult {
    run(room, command("/bin/bash", &["-c", line])).await.unwrap()
}

pub async fn run(room: &Room, spec: ExecSpec) -> Result<ExecResult, CallError> {
    exec(&room.link, spec, None, |_| {}).await
}

/// Returns a word that no other process of this machine has in its arguments.
pub fn marker() -> String {
    format!("3{}", u128::from_str_radix(&sandbox_runtime::unique()[..20], 16).unwrap())
}

/// Returns the processes of this machine, in every room, that have `marker` as an argument.
pub fn processes_with(marker: &str) -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let arguments = fs::read(entry.path().join("cmdline")).ok()?;
            let has = String::from_utf8_lossy(&arguments).contains(marker);
            (has && pid != own).then_some(pid)
        })
        .collect()
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < GONE, "{what}: still not so after {GONE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until no process has `marker` any more.
pub async fn gone(marker: &str) {
    eventually("everything marked is gone", || processes_with(marker).is_empty()).await;
}

/// Returns a line of shell that leaves a daemon behind: twice forked, in a session of its own, deaf to polite signals.
pub fn daemon(marker: &str) -> String {
    format!(
        "(setsid sh -c 'trap \"\" TERM HUP INT QUIT; while :; do sleep 0.2; : {marker}; done' \
         </dev/null >/dev/null 2>&1 &) ; "
    )
}
