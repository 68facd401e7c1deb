//! One sandbox's limits while it runs: its groups, its watchdog, and what was exceeded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nix::unistd::Pid;
use sandbox_core::SandboxId;
use sandbox_core::model::{EnforcedBy, LimitsInForce, PausedBy};

use super::super::Exceeded;
use super::cgroup::{Controller, Group, Groups};
use super::delegation;
use super::freeze::{Frozen, continue_all, freeze_group, stop_all, thaw_group};
use super::watchdog::{self, Watched};
use super::{Machine, Means};

/// Holds sandboxes to their limits, by the means of this machine.
pub struct Holder {
    groups: Groups,
    cores: u64,
    held: Mutex<BTreeMap<SandboxId, Weak<Held>>>,
}

/// What holds one sandbox. Its rooms share it; with the last of them it goes.
pub struct Held {
    group: Option<Group>,
    watched: Arc<Watched>,
    /// What is frozen, while it is.
    frozen: Mutex<Option<Frozen>>,
}

impl Holder {
    /// Finds the means of this machine.
    pub fn find(home: &Path) -> Self {
        let mut groups = Groups::find();
        if groups.by(Controller::Memory).is_none() && delegation::ask_systemd() {
            groups = Groups::find();
        }
        Self { groups, cores: Machine::read(home).cores, held: Mutex::default() }
    }

    /// A holder that uses no control groups: the means of a plain user without systemd.
    pub fn without_groups(home: &Path) -> Self {
        Self { groups: Groups::default(), cores: Machine::read(home).cores, held: Mutex::default() }
    }

    /// Returns what holds each limit here.
    pub fn means(&self) -> Means {
        let watchdog = Some(EnforcedBy::Watchdog);
        // The kernel does not hold root to its count of processes.
        let count = if nix::unistd::geteuid().is_root() { watchdog } else { Some(EnforcedBy::Rlimit) };
        Means {
            memory: self.groups.by(Controller::Memory).or(watchdog),
            pids: self.groups.by(Controller::Pids).or(count),
            cpus: self.groups.by(Controller::Cpu),
            disk: watchdog,
        }
    }

    /// Holds a sandbox to its limits, for as long as the answer lives. Every room of the sandbox gets the same.
    ///
    /// # Errors
    /// When a limit cannot be set.
    pub fn hold(&self, sandbox: &SandboxId, limits: &LimitsInForce, workspace: PathBuf) -> io::Result<Arc<Held>> {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| held.strong_count() > 0);
        if let Some(held) = all.get(sandbox).and_then(Weak::upgrade) {
            return Ok(held);
        }
        let is_grouped = Controller::ALL.into_iter().any(|controller| self.groups.by(controller).is_some());
        let group = is_grouped.then(|| self.groups.make(sandbox.as_str(), limits, self.cores)).transpose()?;
        let watched = watchdog::start(limits, workspace);
        let held = Arc::new(Held { group, watched, frozen: Mutex::default() });
        all.insert(sandbox.clone(), Arc::downgrade(&held));
        Ok(held)
    }

    /// Freezes every process of a sandbox that runs.
    ///
    /// # Errors
    /// Nothing of it runs, or it does not let itself be frozen; then it goes on.
    pub fn freeze(&self, sandbox: &SandboxId) -> io::Result<PausedBy> {
        self.running(sandbox).ok_or_else(|| io::Error::other("nothing of it runs"))?.freeze()
    }

    /// Lets a frozen sandbox go on; one of which nothing runs needs nothing.
    ///
    /// # Errors
    /// The kernel does not thaw its group.
    pub fn thaw(&self, sandbox: &SandboxId) -> io::Result<()> {
        self.running(sandbox).map_or(Ok(()), |held| held.thaw())
    }

    fn running(&self, sandbox: &SandboxId) -> Option<Arc<Held>> {
        let all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(sandbox).and_then(Weak::upgrade)
    }

    /// Returns how often a sandbox exceeded each of its limits, since its first room was started.
    pub fn exceeded(&self, sandbox: &SandboxId) -> Exceeded {
        self.running(sandbox).map(|held| held.exceeded()).unwrap_or_default()
    }
}

impl Held {
    /// Opens what a process writes to, to be held.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn doors(&self) -> io::Result<Vec<File>> {
        self.group.as_ref().map_or(Ok(Vec::new()), Group::doors)
    }

    /// Watches a room too, by its first process.
    pub fn watch(&self, room: Pid) {
        self.watched.add(room);
    }

    /// No longer watches a room, which is about to end.
    pub fn leave(&self, room: Pid) {
        self.watched.remove(room);
    }

    fn freeze(&self) -> io::Result<PausedBy> {
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        let group = self.group.as_ref().and_then(Group::freezer);
        let (how, by) = match group.map(|folder| freeze_group(&folder)) {
            Some(Ok(by)) => (Frozen::Group, by),
            None | Some(Err(_)) => (Frozen::Processes(stop_all(&self.watched.rooms())?), PausedBy::Signals),
        };
        *frozen = Some(how);
        Ok(by)
    }

    fn thaw(&self) -> io::Result<()> {
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        match frozen.take() {
            None => Ok(()),
            Some(Frozen::Processes(stopped)) => {
                continue_all(&stopped);
                Ok(())
            }
            Some(Frozen::Group) => {
                self.group.as_ref().and_then(Group::freezer).map_or(Ok(()), |folder| thaw_group(&folder))
            }
        }
    }

    fn exceeded(&self) -> Exceeded {
        let watched = &self.watched.exceeded;
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let (memory, pids) = self.group.as_ref().map_or((0, 0), |group| (group.memory_kills(), group.pid_refusals()));
        Exceeded {
            memory: memory + count(&watched.memory),
            pids: pids + count(&watched.pids),
            disk: count(&watched.disk),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.groups.leave();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watched.stop();
    }
}
