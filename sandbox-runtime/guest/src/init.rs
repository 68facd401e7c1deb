//! The guest as the room's first process, and what it does before any thread exists.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, Pid, fork, getpid};
use sandbox_link::protocol::LINK_FD;

/// Makes this process's memory and descriptors unreadable to the commands of the room, which run as the same user:
/// the link must stay ours.
pub fn hide_from_room() {
    nix::sys::prctl::set_dumpable(false).expect("a process may always hide itself");
}

/// Whether this process is the first of its PID namespace.
pub fn is_first_process() -> bool {
    getpid() == Pid::from_raw(1)
}

/// Splits off the guest and stays behind as the room's init, which adopts and reaps orphans.
///
/// Returns `None` in the guest, and in the init, once the guest has ended, the code to exit with; that exit ends every
/// process of the room.
pub fn reap_until_guest_ends() -> Option<ExitCode> {
    // The backend asked for this already; asked again here because a change of credentials would have cleared it.
    let bound = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
    if bound.is_err() {
        return Some(ExitCode::FAILURE);
    }
    // SAFETY: no thread but this one exists yet.
    let guest = match unsafe { fork() } {
        Ok(ForkResult::Child) => return None,
        Ok(ForkResult::Parent { child }) => child,
        Err(_) => return Some(ExitCode::FAILURE),
    };
    // Only the guest may keep the link open, or its end would not be seen outside.
    let _ = nix::unistd::close(LINK_FD);
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, 0)) if pid == guest => return Some(ExitCode::SUCCESS),
            Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) if pid == guest => {
                return Some(ExitCode::FAILURE);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return Some(ExitCode::FAILURE),
        }
    }
}

/// Takes the link from [`LINK_FD`] and closes every other descriptor but the standard ones.
///
/// # Errors
/// When there is no link.
pub fn take_link() -> io::Result<UnixStream> {
    // SAFETY: nothing else of this process has opened a descriptor yet.
    let closed = unsafe { libc::close_range(LINK_FD as u32 + 1, u32::MAX, 0) };
    Errno::result(closed)?;
    // SAFETY: the backend put the link here, and this is the only place that takes it.
    let link = unsafe { OwnedFd::from_raw_fd(LINK_FD) };
    fcntl(&link, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let link = UnixStream::from(link);
    link.set_nonblocking(true)?;
    Ok(link)
}
