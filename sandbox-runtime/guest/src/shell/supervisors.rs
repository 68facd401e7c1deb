//! Every supervisor that runs, and the reaping of what ends: supervisors, and the orphans that the room's first process
//! inherits when a supervisor was killed.

use std::collections::BTreeSet;
use std::io;
use std::pin::pin;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::Pid;
use tokio::sync::Notify;

use super::family;

/// How long to wait before asking again a kernel that refused.
const ASK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Default)]
pub struct Supervisors {
    /// Those that are not reaped: until then their numbers are theirs.
    alive: Mutex<BTreeSet<Pid>>,
    started: Condvar,
    reaped: Notify,
}

impl Supervisors {
    /// Begins to reap, on a thread that lives as long as this process.
    pub fn begin() -> io::Result<Arc<Self>> {
        let supervisors = Arc::new(Self::default());
        let reaping = supervisors.clone();
        std::thread::Builder::new().name("reaper".to_owned()).spawn(move || reaping.reap())?;
        Ok(supervisors)
    }

    /// Starts one. It must not be waited for: it is reaped here.
    pub fn spawn(&self, command: &mut Command) -> io::Result<(Pid, Child)> {
        // Locked meanwhile: one that ends at once is not reaped before it is known.
        let mut alive = self.lock();
        let child = command.spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        alive.insert(pid);
        self.started.notify_all();
        Ok((pid, child))
    }

    /// Lets a supervisor go on that its command has stopped.
    pub fn wake(&self, supervisor: Pid) {
        if self.lock().contains(&supervisor) {
            // It may have ended meanwhile; its number is still its own.
            let _ = kill(supervisor, Signal::SIGCONT);
        }
    }

    /// Waits until a supervisor is gone: then its command's orphans are this process's own.
    pub async fn gone(&self, supervisor: Pid) {
        loop {
            let mut reaped = pin!(self.reaped.notified());
            reaped.as_mut().enable();
            if !self.lock().contains(&supervisor) {
                return;
            }
            reaped.await;
        }
    }

    /// Kills a supervisor that does not do as it is told, with all that its command started; `false` when it is gone.
    pub fn end(&self, supervisor: Pid) -> bool {
        let alive = self.lock();
        let is_alive = alive.contains(&supervisor);
        if is_alive {
            family::kill_descendants(supervisor);
            // Not reaped yet, so its number is still its own.
            let _ = kill(supervisor, Signal::SIGKILL);
        }
        is_alive
    }

    /// Kills what supervisors left behind that were killed themselves: what descends from this process and from no
    /// supervisor. Does nothing outside a room.
    pub fn kill_strays(&self) {
        let alive = self.lock();
        family::kill_strays(&alive);
    }

    fn reap(&self) {
        loop {
            match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Ok(status) => {
                    let Some(pid) = status.pid() else { continue };
                    let mut alive = self.lock();
                    alive.remove(&pid);
                    // What it says is known already.
                    let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
                    drop(alive);
                    self.reaped.notify_waiters();
                }
                Err(Errno::ECHILD) => {
                    let alive = self.lock();
                    if alive.is_empty() {
                        // Everything that can end begins with one of these.
                        drop(self.started.wait(alive).unwrap_or_else(PoisonError::into_inner));
                    }
                }
                Err(Errno::EINTR) => {}
                Err(error) => {
                    tracing::error!(%error, "wait for what ends");
                    std::thread::sleep(ASK_AGAIN);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Pid>> {
        // Every change is one call: no panic can leave it half changed.
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
