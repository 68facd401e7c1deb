//! The guest as the room's first process, and what it does before any thread exists.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, Pid, fork, getpid};
use sandbox_link::protocol::{LINK_FD, LINK_OUT_FD};

/// Makes this process's memory and descriptors unreadable to the commands of the room, which run as the same user:
/// the link must stay ours.
pub fn hide_from_room() {
    nix::sys::prctl::set_dumpable(false).expect("a process may always hide itself");
}

/// Whether this process is the first of its PID namespace.
pub fn is_first_process() -> bool {
    getpid() == Pid::from_raw(1)
}

/// Binds this process's life to its parent's.
///
/// # Errors
/// When the kernel refuses.
pub fn die_with_parent() -> io::Result<()> {
    // The backend asked for this already; asked again here because a change of credentials would have cleared it.
    Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?)
}

/// Ignores every signal that can be ignored, in the first process of a room whose commands run as the same user.
///
/// The kernel keeps default actions from it only while its first thread blocks nothing, and libraries do that for moments.
pub fn ignore_signals() {
    for signal in 1..=LAST_SIGNAL {
        // Ignored, ended children would not wait to be reaped. By default, it does nothing.
        if signal != libc::SIGCHLD {
            set_action(signal, libc::SIG_IGN);
        }
    }
}

/// Gives every signal its default action again: what is ignored stays so in programs that are started. Safe between fork
/// and exec.
pub fn default_signals() {
    for signal in 1..=LAST_SIGNAL {
        set_action(signal, libc::SIG_DFL);
    }
}

const LAST_SIGNAL: libc::c_int = 64;

/// Not by the C library, which keeps two signals for itself. The kernel refuses those that cannot be set.
fn set_action(signal: libc::c_int, action: libc::sighandler_t) {
    /// The kernel's own layout, as large as that of any architecture.
    #[repr(C)]
    struct Action([usize; 8]);
    let action = Action([action, 0, 0, 0, 0, 0, 0, 0]);
    const MASK_BYTES: usize = 8;
    // SAFETY: reads an action of at most that size, which sets no function of this program and no flag.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, std::ptr::null::<u8>(), MASK_BYTES);
    }
}

/// Splits off the guest and stays behind as the room's init, which adopts and reaps orphans.
///
/// Returns `None` in the guest, and in the init, once the guest has ended, the code to exit with; that exit ends every
/// process of the room.
pub fn reap_until_guest_ends() -> Option<ExitCode> {
    // SAFETY: no thread but this one exists yet.
    let guest = match unsafe { fork() } {
        Ok(ForkResult::Child) => return None,
        Ok(ForkResult::Parent { child }) => child,
        Err(_) => return Some(ExitCode::FAILURE),
    };
    // Only the guest may keep the link open, or its end would not be seen outside.
    for half in [LINK_FD, LINK_OUT_FD] {
        let _ = nix::unistd::close(half);
    }
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

/// Closes every descriptor but the standard ones and `kept`.
///
/// # Errors
/// When the kernel refuses.
pub fn close_all_but(kept: RawFd) -> io::Result<()> {
    close_range(libc::STDERR_FILENO + 1, kept - 1)?;
    close_all_after(kept.max(libc::STDERR_FILENO))
}

/// Closes every descriptor whose number is larger than `last`.
///
/// # Errors
/// When the kernel refuses.
pub fn close_all_after(last: RawFd) -> io::Result<()> {
    close_range(last + 1, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first <= last {
        // SAFETY: called before this process opens anything that it uses later.
        Errno::result(unsafe { libc::close_range(first.cast_unsigned(), last.cast_unsigned(), 0) })?;
    }
    Ok(())
}

/// Makes standard input and output, which a container's engine connects to the runtime, the two halves of the link. What is
/// started later has empty ones.
///
/// # Errors
/// When the kernel refuses.
pub fn link_by_standard_streams() -> io::Result<()> {
    let copy = |from: RawFd, to: RawFd| {
        // SAFETY: both are numbers, and `to` is owned by nothing in this process.
        Errno::result(unsafe { libc::dup2(from, to) }).map(drop)
    };
    copy(libc::STDIN_FILENO, LINK_FD)?;
    copy(libc::STDOUT_FILENO, LINK_OUT_FD)?;
    // Opened only now, or it would have the number of the link.
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    copy(nothing.as_raw_fd(), libc::STDIN_FILENO)?;
    copy(nothing.as_raw_fd(), libc::STDOUT_FILENO)?;
    Ok(())
}

/// The link before anything is said on it.
pub enum RawLink {
    Socket(UnixStream),
    /// The half to read and the half to write.
    Pipes(OwnedFd, OwnedFd),
}

/// Takes the link from [`LINK_FD`], and in a container from [`LINK_OUT_FD`] too.
///
/// # Errors
/// When there is no link.
pub fn take_link(in_container: bool) -> io::Result<RawLink> {
    let take = |number: RawFd| {
        // SAFETY: the backend put the link here, and this is the only place that takes it.
        let half = unsafe { OwnedFd::from_raw_fd(number) };
        fcntl(&half, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        io::Result::Ok(half)
    };
    if in_container {
        return Ok(RawLink::Pipes(take(LINK_FD)?, take(LINK_OUT_FD)?));
    }
    let link = UnixStream::from(take(LINK_FD)?);
    link.set_nonblocking(true)?;
    Ok(RawLink::Socket(link))
}
