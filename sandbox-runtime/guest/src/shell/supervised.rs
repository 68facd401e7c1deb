//! The guest's side of one supervised command: start it, hear how it ended, kill it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use nix::errno::Errno;
use nix::libc;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::supervisor::{CONTROL_FD, KILL, Report, arguments};
use super::{ShellRoom, WORKSPACE, family};

/// What to run.
pub struct Job {
    pub program: String,
    pub args: Vec<String>,
    pub cwd: PathBuf,
    /// All of it; nothing is inherited.
    pub env: BTreeMap<String, String>,
}

/// A running command and everything that it starts. Dropping this kills them all, unless [`Self::release`]d.
pub struct Supervised {
    supervisor: Child,
    control: UnixStream,
    said: Vec<u8>,
    released: bool,
}

impl Supervised {
    /// Starts `job` with pipes for its standard streams.
    pub fn start_on_pipes(room: &ShellRoom, job: Job) -> io::Result<Self> {
        Self::start(room, job, false, [Stdio::piped(), Stdio::piped(), Stdio::piped()])
    }

    /// Starts `job` in a session that owns `terminal`.
    pub fn start_on_terminal(room: &ShellRoom, job: Job, terminal: &OwnedFd) -> io::Result<Self> {
        let ends = || Ok::<_, io::Error>(Stdio::from(terminal.try_clone()?));
        let streams = [ends()?, ends()?, ends()?];
        Self::start(room, job, true, streams)
    }

    fn start(room: &ShellRoom, job: Job, on_terminal: bool, streams: [Stdio; 3]) -> io::Result<Self> {
        let (control, theirs) = StdUnixStream::pair()?;
        control.set_nonblocking(true)?;
        let [stdin, stdout, stderr] = streams;
        let mut command = Command::new(&room.program);
        command
            .args(arguments(on_terminal, &job.program, &job.args))
            .current_dir(&job.cwd)
            .env_clear()
            .envs(&job.env)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr);
        let theirs_fd = theirs.as_raw_fd();
        // SAFETY: only calls that are safe between fork and exec; the link's descriptor, which has this number in the
        // guest, is replaced in the child alone.
        unsafe {
            command.pre_exec(move || {
                Errno::result(libc::dup2(theirs_fd, CONTROL_FD))?;
                Ok(())
            });
        }
        let supervisor = command.spawn()?;
        Ok(Self { supervisor, control: UnixStream::from_std(control)?, said: Vec::new(), released: false })
    }

    /// Takes the ends of the pipes.
    pub fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout, ChildStderr)> {
        Some((self.supervisor.stdin.take()?, self.supervisor.stdout.take()?, self.supervisor.stderr.take()?))
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
                // A command of the room killed its supervisor. What it had started is now the room's init's.
                Ok(_) | Err(_) => {
                    self.all_gone().await;
                    family::kill_strays();
                    let killed = nix::sys::signal::Signal::SIGKILL;
                    return Report::Ended { code: 128 + killed as i32, signal: Some(killed.as_str().to_owned()) };
                }
            }
        }
    }

    /// Kills the command and everything that it started. The end is reported as any other.
    pub fn kill(&self) {
        // A full socket would mean that the order was given often enough; a closed one, that nobody is left.
        let _ = self.control.try_write(&[KILL]);
    }

    /// Lets what the command left in the background go on; it ends with the room.
    pub fn release(&mut self) {
        self.released = true;
    }

    /// Waits until the supervisor is gone, and so everything that the command started.
    pub async fn all_gone(&mut self) {
        if let Err(error) = self.supervisor.wait().await {
            tracing::warn!(%error, "wait for a supervisor");
        }
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
