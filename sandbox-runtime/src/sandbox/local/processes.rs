//! The processes of one room as the host holds them: bubblewrap, and the init inside.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::time::timeout;

use super::super::RoomProcesses;
use super::super::limits::Held;
use super::super::words::Followed;

/// How long the kernel may take to end every process of a room.
const END_DEADLINE: Duration = Duration::from_secs(10);

/// A running bubblewrap and the room's init. Dropping it kills the room without waiting.
pub struct BubblewrapRoom {
    pub bubblewrap: Child,
    pub words: Followed,
    /// The room's first process; its end is the end of all of them.
    init: Option<OwnedFd>,
    /// Its number, for as long as it is watched.
    watched: Option<Pid>,
    /// What holds the sandbox to its limits, until its last room is gone.
    held: Arc<Held>,
}

impl BubblewrapRoom {
    pub fn new(mut bubblewrap: Child, held: Arc<Held>) -> Self {
        let words = Followed::start(bubblewrap.stderr.take());
        Self { bubblewrap, words, init: None, watched: None, held }
    }

    /// Remembers the room's first process. To be called while it is known to run.
    pub fn set_init(&mut self, pid: Pid) -> io::Result<()> {
        // SAFETY: takes numbers, returns a new descriptor or an error.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: just made, and owned by nobody else.
        self.init = Some(unsafe { OwnedFd::from_raw_fd(fd) });
        self.watched = Some(pid);
        self.held.watch(pid);
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(pid) = self.watched.take() {
            self.held.leave(pid);
        }
    }

    fn kill_init(&self) {
        if let Some(init) = &self.init {
            // SAFETY: takes numbers; a process that is gone already is what is wanted.
            unsafe {
                libc::syscall(libc::SYS_pidfd_send_signal, init.as_raw_fd(), libc::SIGKILL, std::ptr::null::<u8>(), 0);
            }
        }
    }

    /// Kills the room and waits: bubblewrap ends after the init, and the init after everything in its namespace.
    pub async fn end(&mut self) {
        self.leave();
        if self.init.is_some() {
            self.kill_init();
        } else {
            // Not far enough to have an init that is known; whatever there is dies with bubblewrap.
            let _ = self.bubblewrap.start_kill();
        }
        if timeout(END_DEADLINE, self.bubblewrap.wait()).await.is_err() {
            tracing::error!("a room did not end in {END_DEADLINE:?}; killing what holds it");
            let _ = self.bubblewrap.start_kill();
            let _ = timeout(END_DEADLINE, self.bubblewrap.wait()).await;
        }
    }
}

impl RoomProcesses for BubblewrapRoom {
    fn kill(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.end())
    }
}

impl Drop for BubblewrapRoom {
    fn drop(&mut self) {
        self.leave();
        self.kill_init();
    }
}
