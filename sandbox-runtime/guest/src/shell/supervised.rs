//! The guest's side of one supervised command: start it, hear how it ended, kill it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::net::UnixStream;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use super::job::{Job, SupervisorId};
use super::supervisor::{KILL, Report};
use super::supervisors::Supervisors;
use super::{ShellRoom, WORKSPACE};

/// How long a supervisor may take to kill its command, before both are killed.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// This side's ends of a command's pipes.
struct Pipes {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// A running command and everything that it starts. Dropping this kills them all, unless [`Self::release`]d.
pub struct Supervised {
    supervisors: Arc<Supervisors>,
    supervisor: SupervisorId,
    /// This side's ends of its command's pipes, until they are taken.
    pipes: Option<Pipes>,
    control: UnixStream,
    said: Vec<u8>,
    released: bool,
}

impl Supervised {
    /// Starts `job` with pipes for its standard streams.
    pub fn start_on_pipes(room: &ShellRoom, job: &Job) -> io::Result<Self> {
        let (stdin_end, stdin) = pipe2(OFlag::O_CLOEXEC)?;
        let (stdout, stdout_end) = pipe2(OFlag::O_CLOEXEC)?;
        let (stderr, stderr_end) = pipe2(OFlag::O_CLOEXEC)?;
        Self::start(room, job, [&stdin_end, &stdout_end, &stderr_end], Some(Pipes { stdin, stdout, stderr }))
    }

    /// Starts `job` in a session that owns `terminal`.
    pub fn start_on_terminal(room: &ShellRoom, job: &Job, terminal: &OwnedFd) -> io::Result<Self> {
        Self::start(room, job, [terminal; 3], None)
    }

    fn start(room: &ShellRoom, job: &Job, streams: [&OwnedFd; 3], pipes: Option<Pipes>) -> io::Result<Self> {
        let (control, theirs) = StdUnixStream::pair()?;
        control.set_nonblocking(true)?;
        let control = UnixStream::from_std(control)?;
        let supervisor = room.supervisors.start(job, streams, &OwnedFd::from(theirs))?;
        Ok(Self {
            supervisors: room.supervisors.clone(),
            supervisor,
            pipes,
            control,
            said: Vec::new(),
            released: false,
        })
    }

    /// Takes the ends of the pipes.
    pub fn take_pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout, ChildStderr)> {
        let pipes = self.pipes.take().ok_or_else(|| io::Error::other("a command without pipes"))?;
        Ok((
            ChildStdin::from_std(pipes.stdin.into())?,
            ChildStdout::from_std(pipes.stdout.into())?,
            ChildStderr::from_std(pipes.stderr.into())?,
        ))
    }

    /// Waits for the next thing the supervisor says. May be dropped and called again.
    pub async fn report(&mut self) -> Report {
        loop {
            if let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.said.drain(..=end).collect();
                return serde_json::from_slice(&line).unwrap_or_else(|error| Report::Failed(error.to_string()));
            }
            let mut piece = [0; 1024];
            let read = match self.control.readable().await {
                Ok(()) => self.control.try_read(&mut piece),
                Err(error) => Err(error),
            };
            match read {
                Ok(length) if length > 0 => self.said.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A command of the room killed its supervisor. What it had started is now the starter's own.
                Ok(_) | Err(_) => {
                    self.all_gone().await;
                    self.supervisors.kill_strays();
                    let killed = nix::sys::signal::Signal::SIGKILL;
                    return Report::Ended { code: 128 + killed as i32, signal: Some(killed.as_str().to_owned()) };
                }
            }
        }
    }

    /// Lets a supervisor go on that its command has stopped: it could neither report nor kill.
    pub fn wake(&self) {
        self.supervisors.wake(self.supervisor);
    }

    /// Kills the command and everything that it started. The end is reported as any other.
    pub fn kill(&self) {
        // A full socket would mean that the order was given often enough; a closed one, that nobody is left.
        let _ = self.control.try_write(&[KILL]);
        self.wake();
        let (supervisors, supervisor) = (self.supervisors.clone(), self.supervisor);
        let insist = async move {
            tokio::time::sleep(KILL_LIMIT).await;
            if supervisors.end(supervisor) {
                supervisors.gone(supervisor).await;
                supervisors.kill_strays();
            }
        };
        // A guest that ends takes everything along.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(insist);
        }
    }

    /// Lets what the command left in the background go on; it ends with the room.
    pub fn release(&mut self) {
        self.released = true;
    }

    /// Waits until the supervisor is gone, and so everything that the command started.
    pub async fn all_gone(&self) {
        self.supervisors.gone(self.supervisor).await;
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if !self.released {
            self.kill();
        }
    }
}

/// Checks the folder in which a command is to start: it exists, and is the workspace or beneath it.
pub fn working_folder(asked: &str) -> Result<PathBuf, String> {
    let folder = std::fs::canonicalize(asked).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("working folder {asked}: does not exist"),
        _ => format!("working folder {asked}: {error}"),
    })?;
    if !folder.starts_with(WORKSPACE) {
        return Err(format!("working folder {asked}: not beneath {WORKSPACE}"));
    }
    if !folder.is_dir() {
        return Err(format!("working folder {asked}: not a folder"));
    }
    Ok(folder)
}
