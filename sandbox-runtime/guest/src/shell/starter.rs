//! The first process of the commands' namespace: starts supervisors, reaps whatever ends there, and kills what it is told.
//!
//! One thread and one socket to the guest, a message for each order and each answer:
//!
//! ```text
//! guest ──Start(id) + its streams, Wake(id), End(id), KillStrays, Ping──> starter
//! guest <──────────────────────────────────────Begun, Gone(id), Pong── starter
//! ```
//!
//! When the guest is gone, it exits, and the kernel kills every process of the namespace.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::family;
use super::job::{Job, SupervisorId};
use super::supervisor::{CONTROL_FD, Report, arguments};
use crate::init;

/// What the guest asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// With these descriptors: the job as JSON, standard input, output and error, the supervisor's control socket.
    Start(SupervisorId),
    /// Let a supervisor go on that its command has stopped.
    Wake(SupervisorId),
    /// Kill a supervisor that does not do as it is told, with all that its command started.
    End(SupervisorId),
    /// Kill what supervisors left behind that were killed themselves.
    KillStrays,
    /// Say that you are there.
    Ping,
}

/// What the starter says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// The walls stand.
    Begun,
    /// They do not; the layer and the cause, as they are printed.
    Failed(String),
    /// A supervisor is gone, and so everything that it started, unless it was killed.
    Gone(SupervisorId),
    /// To a ping.
    Pong,
}

/// How many descriptors go with [`Order::Start`].
pub const STREAMS: usize = 5;
const LONGEST: usize = 4096;

/// Sends one message with its descriptors.
///
/// # Errors
/// When the other side is gone, or does not read.
pub fn send(socket: &OwnedFd, message: &impl Serialize, descriptors: &[RawFd]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
    loop {
        let sent = sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], rights, MsgFlags::MSG_NOSIGNAL, None);
        match sent {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Receives one message with its descriptors; `None` when the other side is gone.
///
/// # Errors
/// When it cannot be read.
pub fn receive<T: for<'de> Deserialize<'de>>(socket: &OwnedFd) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LONGEST];
    let mut space = nix::cmsg_space!([RawFd; STREAMS]);
    let (length, descriptors) = loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC);
        let received = match received {
            Ok(received) => received,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut descriptors = Vec::new();
        for message in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = message {
                // SAFETY: the kernel has just made them for this process.
                descriptors.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
            }
        }
        break (received.bytes, descriptors);
    };
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..length])?, descriptors)))
}

/// Serves the guest until it is gone.
///
/// # Errors
/// When the socket breaks.
pub fn serve(guest: OwnedFd, program: PathBuf) -> io::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.thread_block()?;
    let child_signals = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut starter = Starter { guest, program, supervisors: BTreeMap::new() };
    send(&starter.guest, &Answer::Begun, &[])?;
    loop {
        let mut waited = [
            PollFd::new(starter.guest.as_fd(), PollFlags::POLLIN),
            PollFd::new(child_signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waited, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let is_asked = waited[0].any().unwrap_or(true);
        while let Ok(Some(_)) = child_signals.read_signal() {}
        starter.reap()?;
        if is_asked {
            let Some((order, descriptors)) = receive(&starter.guest)? else { return Ok(()) };
            starter.obey(order, descriptors);
        }
    }
}

struct Starter {
    guest: OwnedFd,
    program: PathBuf,
    /// Those that are not reaped: until then their numbers are theirs.
    supervisors: BTreeMap<Pid, SupervisorId>,
}

impl Starter {
    fn obey(&mut self, order: Order, descriptors: Vec<OwnedFd>) {
        match order {
            Order::Start(id) => self.start(id, descriptors),
            Order::Wake(id) => {
                if let Some(pid) = self.pid(id) {
                    // It may have ended meanwhile; its number is still its own.
                    let _ = kill(pid, Signal::SIGCONT);
                }
            }
            Order::End(id) => {
                if let Some(pid) = self.pid(id) {
                    family::kill_descendants(pid);
                    let _ = kill(pid, Signal::SIGKILL);
                }
            }
            // A guest that is gone is noticed by the next order that does not come.
            Order::Ping => drop(send(&self.guest, &Answer::Pong, &[])),
            Order::KillStrays => family::kill_strays(&self.supervisors.keys().copied().collect()),
        }
    }

    fn pid(&self, id: SupervisorId) -> Option<Pid> {
        self.supervisors.iter().find(|(_, known)| **known == id).map(|(pid, _)| *pid)
    }

    fn start(&mut self, id: SupervisorId, descriptors: Vec<OwnedFd>) {
        let Ok([job, stdin, stdout, stderr, control]) = <[OwnedFd; STREAMS]>::try_from(descriptors) else {
            // Only a guest of another protocol sends so few.
            return self.say_gone(id);
        };
        match self.spawn(job, [stdin, stdout, stderr], &control) {
            Ok(pid) => drop(self.supervisors.insert(pid, id)),
            Err(error) => {
                let mut line = serde_json::to_vec(&Report::Failed(error.to_string())).expect("plain data is JSON");
                line.push(b'\n');
                // Nobody may wait for it any more.
                let _ = File::from(control).write_all(&line);
                self.say_gone(id);
            }
        }
    }

    fn spawn(&self, job: OwnedFd, streams: [OwnedFd; 3], control: &OwnedFd) -> io::Result<Pid> {
        let job: Job = serde_json::from_reader(File::from(job))?;
        let [stdin, stdout, stderr] = streams.map(Stdio::from);
        let mut command = Command::new(&self.program);
        command
            .args(arguments(job.on_terminal, &job.program, &job.args))
            .current_dir(&job.cwd)
            .env_clear()
            .envs(&job.env)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr);
        let control = control.as_raw_fd();
        // SAFETY: only calls that are safe between fork and exec.
        unsafe {
            command.pre_exec(move || {
                init::default_signals();
                if control == CONTROL_FD {
                    Errno::result(libc::fcntl(CONTROL_FD, libc::F_SETFD, 0))?;
                } else {
                    Errno::result(libc::dup2(control, CONTROL_FD))?;
                }
                Ok(())
            });
        }
        Ok(Pid::from_raw(command.spawn()?.id().cast_signed()))
    }

    /// Reaps processes that ended: supervisors, and orphans of those that were killed.
    fn reap(&mut self) -> io::Result<()> {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) => {
                    if let Some(id) = self.supervisors.remove(&pid) {
                        self.say_gone(id);
                    }
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn say_gone(&self, id: SupervisorId) {
        // A guest that is gone is noticed by the next order that does not come.
        let _ = send(&self.guest, &Answer::Gone(id), &[]);
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap()
    }

    #[test]
    fn an_order_arrives_with_its_descriptors() {
        let (guest, starter) = pair();
        let files: Vec<File> = (0..STREAMS).map(|_| tempfile::tempfile().unwrap()).collect();
        let numbers: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
        send(&guest, &Order::Start(7), &numbers).unwrap();
        let (order, descriptors) = receive::<Order>(&starter).unwrap().unwrap();
        assert!(matches!(order, Order::Start(7)));
        assert_eq!(descriptors.len(), STREAMS);
    }

    #[test]
    fn a_guest_that_is_gone_is_noticed() {
        let (guest, starter) = pair();
        send(&guest, &Order::KillStrays, &[]).unwrap();
        drop(guest);
        assert!(matches!(receive::<Order>(&starter).unwrap(), Some((Order::KillStrays, _))));
        assert!(receive::<Order>(&starter).unwrap().is_none());
    }
}
