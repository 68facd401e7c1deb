//! The supervisor: this program once more, between the guest and one command.
//!
//! As the subreaper of everything that the command starts it inherits daemons, so that none can leave the family, and it
//! can kill the whole of it. It lives until the last of them is gone.
//!
//! ```text
//! guest ──control──> supervisor ──> command (own session) ──> …     (started by the starter)
//! ```
//!
//! On the control socket it reports how the command started and ended, one JSON line each, and takes [`KILL`].

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, getpid, setsid};
use serde::{Deserialize, Serialize};

use super::family;
use crate::init;

/// The descriptor of the control socket.
pub const CONTROL_FD: i32 = 3;
/// The one order that a supervisor takes: kill everything that the command started.
pub const KILL: u8 = b'K';
const SWITCH: &str = "--supervise";
/// How long to wait between two rounds of killing.
const KILL_ROUND_MS: u16 = 10;

/// What a supervisor says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The command could not be started.
    Failed(String),
    /// The command itself ended; what it left in the background may go on.
    Ended { code: i32, signal: Option<String> },
}

/// The command to supervise.
pub struct SupervisedCommand {
    program: OsString,
    args: Vec<OsString>,
    /// Whether standard input is a terminal that becomes the session's own.
    on_terminal: bool,
}

/// Returns the arguments that make this program supervise a command.
pub fn arguments(on_terminal: bool, program: &str, args: &[String]) -> Vec<String> {
    let kind = if on_terminal { "terminal" } else { "pipes" };
    [SWITCH, kind, program].into_iter().map(str::to_owned).chain(args.iter().cloned()).collect()
}

/// Returns the command to supervise, if this process was started as a supervisor.
pub fn supervised_command() -> Option<SupervisedCommand> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != SWITCH {
        return None;
    }
    let on_terminal = arguments.next()? == "terminal";
    Some(SupervisedCommand { on_terminal, program: arguments.next()?, args: arguments.collect() })
}

/// Runs the command and returns when it and everything that it started is gone.
pub fn supervise(command: SupervisedCommand) -> ExitCode {
    match Supervisor::start(command) {
        Ok(Some(supervisor)) => supervisor.run().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Ok(None) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

struct Supervisor {
    control: UnixStream,
    child_signals: SignalFd,
    command: Pid,
    killing: bool,
    /// Whether the guest may still give orders.
    ordered: bool,
}

impl Supervisor {
    /// Starts the command; `None` when it could not be started, which has then been reported.
    fn start(command: SupervisedCommand) -> io::Result<Option<Self>> {
        init::hide_from_room();
        nix::sys::prctl::set_child_subreaper(true)?;
        // SAFETY: the starter put the control socket here, and this is the only place that takes it.
        let control = UnixStream::from(unsafe { OwnedFd::from_raw_fd(CONTROL_FD) });
        fcntl(&control, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGCHLD);
        signals.thread_block()?;
        let child_signals = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;

        let on_terminal = command.on_terminal;
        let mut process = Command::new(&command.program);
        process.args(&command.args);
        // SAFETY: only calls that are safe between fork and exec.
        unsafe {
            process.pre_exec(move || {
                setsid()?;
                if on_terminal {
                    Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                }
                Ok(())
            });
        }
        let spawned = process.spawn();
        let mut supervisor = Self { control, child_signals, command: Pid::from_raw(0), killing: false, ordered: true };
        // The command's output ends when the command's family closes it, not when its supervisor does.
        release_standard_streams()?;
        match spawned {
            Ok(child) => {
                supervisor.command = Pid::from_raw(child.id().cast_signed());
                Ok(Some(supervisor))
            }
            Err(error) => {
                supervisor.report(&Report::Failed(format!("{}: {}", command.program.display(), plain(&error))));
                Ok(None)
            }
        }
    }

    fn run(mut self) -> io::Result<()> {
        loop {
            if self.killing {
                family::kill_descendants(getpid());
            }
            if !self.reap() {
                return Ok(());
            }
            self.wait()?;
        }
    }

    /// Reaps whoever ended; `false` when nobody is left.
    fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(WaitStatus::Exited(pid, code)) if pid == self.command => {
                    self.report(&Report::Ended { code, signal: None });
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.command => {
                    let signal_name = Some(signal.as_str().to_owned());
                    self.report(&Report::Ended { code: 128 + signal as i32, signal: signal_name });
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Waits for a child to end or an order to come.
    fn wait(&mut self) -> io::Result<()> {
        let timeout = if self.killing { PollTimeout::from(KILL_ROUND_MS) } else { PollTimeout::NONE };
        let mut waited = vec![PollFd::new(self.child_signals.as_fd(), PollFlags::POLLIN)];
        if self.ordered {
            waited.push(PollFd::new(self.control.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut waited, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ordered = waited.get(1).is_some_and(|control| control.any().unwrap_or(false));
        while let Ok(Some(_)) = self.child_signals.read_signal() {}
        if ordered {
            let mut order = [0];
            match self.control.read(&mut order) {
                Ok(1) if order[0] == KILL => self.killing = true,
                Ok(1) => {}
                Ok(_) => self.ordered = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.ordered = false,
            }
        }
        Ok(())
    }

    fn report(&mut self, report: &Report) {
        let mut line = serde_json::to_vec(report).expect("plain data is always JSON");
        line.push(b'\n');
        // The guest may have lost interest.
        let _ = self.control.write_all(&line);
    }
}

fn release_standard_streams() -> io::Result<()> {
    let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    dup2_stderr(&nothing)?;
    Ok(())
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "command not found".to_owned(),
        io::ErrorKind::PermissionDenied => "not executable".to_owned(),
        _ => error.to_string(),
    }
}
