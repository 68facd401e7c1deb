//! The watchdog: looks again and again at what a sandbox takes, and ends what takes the most when that is too much.
//!
//! It is the last means, for what the kernel cannot be asked to hold here. A sandbox whose limits the kernel holds is
//! looked at for its disk alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox_core::model::{EnforcedBy, LimitInForce, LimitsInForce};

use super::disk::used_bytes;
use super::processes::{Process, badness, families, proportional_bytes, written_bytes};

/// Between two looks at processes.
const PROCESS_PAUSE: Duration = Duration::from_millis(250);
/// Between two looks at the disk, at least …
const DISK_PAUSE: Duration = Duration::from_millis(1000);
/// … and as many times as long as a look takes.
const DISK_SHARE: u32 = 20;

/// What is watched of one sandbox.
#[derive(Default)]
pub struct Watched {
    /// The first process of each room.
    rooms: Mutex<Vec<Pid>>,
    pub exceeded: Counters,
    is_over: AtomicBool,
}

/// How often each limit was exceeded.
#[derive(Default)]
pub struct Counters {
    pub memory: AtomicU64,
    pub pids: AtomicU64,
    pub disk: AtomicU64,
}

/// What this watchdog holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Duties {
    memory_bytes: Option<u64>,
    pids: Option<u64>,
    disk_bytes: Option<u64>,
}

impl Watched {
    pub fn add(&self, room: Pid) {
        self.lock().push(room);
    }

    /// No longer looks at a room, whose number may be another's from now on.
    pub fn remove(&self, room: Pid) {
        self.lock().retain(|known| *known != room);
    }

    /// Returns the first process of each room.
    pub fn rooms(&self) -> Vec<Pid> {
        self.lock().clone()
    }

    /// Ends the watch.
    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        // Every change is one call: no panic can leave it half changed.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn processes(&self) -> Vec<Process> {
        let rooms = self.lock().clone();
        families(&rooms)
    }
}

/// Begins to watch, on a thread that ends with [`Watched::stop`].
pub fn start(limits: &LimitsInForce, workspace: PathBuf) -> Arc<Watched> {
    let mine =
        |limit: Option<LimitInForce>| limit.filter(|limit| limit.by == EnforcedBy::Watchdog).map(|limit| limit.value);
    let duties = Duties {
        memory_bytes: mine(limits.memory_mb).map(|mb| mb << 20),
        pids: mine(limits.pids),
        disk_bytes: mine(limits.disk_mb).map(|mb| mb << 20),
    };
    let watched = Arc::new(Watched::default());
    let seen = watched.clone();
    let watch = move || Watch { duties, workspace, written: BTreeMap::new(), disk_due: Instant::now() }.run(&seen);
    if let Err(error) = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch) {
        // The kernel gives the runtime no more threads: nothing of a sandbox starts either.
        tracing::error!(%error, "no watchdog");
    }
    watched
}

struct Watch {
    duties: Duties,
    workspace: PathBuf,
    /// What each process had written at the latest look.
    written: BTreeMap<Pid, u64>,
    disk_due: Instant,
}

impl Watch {
    fn run(mut self, watched: &Watched) {
        while !watched.is_over.load(Ordering::Relaxed) {
            if self.duties.memory_bytes.is_some() || self.duties.pids.is_some() {
                self.look_at_processes(watched);
            }
            if let Some(most) = self.duties.disk_bytes
                && Instant::now() >= self.disk_due
            {
                self.look_at_disk(watched, most);
            }
            std::thread::sleep(PROCESS_PAUSE);
        }
    }

    fn look_at_processes(&self, watched: &Watched) {
        let processes = watched.processes();
        if let Some(most) = self.duties.memory_bytes
            && is_too_much_memory(&processes, most)
            && let Some(victim) = processes.iter().max_by_key(|process| (badness(process), process.resident_bytes))
        {
            end(victim.pid, &watched.exceeded.memory);
        }
        if let Some(most) = self.duties.pids
            && processes.iter().map(|process| process.threads).sum::<u64>() > most
        {
            for pid in largest_family(&processes) {
                end(pid, &watched.exceeded.pids);
            }
        }
    }

    fn look_at_disk(&mut self, watched: &Watched, most: u64) {
        let begun = Instant::now();
        let used = used_bytes(&self.workspace);
        self.note_writers(watched, used, most);
        self.disk_due = Instant::now() + DISK_PAUSE.max(begun.elapsed() * DISK_SHARE);
    }

    /// Notes how much each process has written once the workspace is half full, and ends who wrote most when it is too full.
    fn note_writers(&mut self, watched: &Watched, used: u64, most: u64) {
        if used <= most / 2 {
            self.written.clear();
            return;
        }
        let processes = watched.processes();
        let now: BTreeMap<Pid, u64> = processes.iter().map(|process| (process.pid, written_bytes(process))).collect();
        if used > most {
            let grown = |(pid, written): (&Pid, &u64)| {
                (written - self.written.get(pid).copied().unwrap_or(0).min(*written), *pid)
            };
            let commands = commands_of(&processes);
            let writer = now.iter().filter(|(pid, _)| commands.contains(pid)).map(grown).max();
            if let Some((bytes, pid)) = writer
                && bytes > 0
            {
                end(pid, &watched.exceeded.disk);
            }
        }
        self.written = now;
    }
}

/// What processes share is divided only when their sizes, which are quick to read, are too much.
fn is_too_much_memory(processes: &[Process], most: u64) -> bool {
    processes.iter().map(|process| process.resident_bytes).sum::<u64>() > most
        && processes.iter().map(proportional_bytes).sum::<u64>() > most
}

/// Depth beneath a room's first process at which commands begin: guest, starter, supervisor, command. In the desktop room
/// it is the browser's.
const COMMAND_DEPTH: usize = 3;

fn commands_of(processes: &[Process]) -> Vec<Pid> {
    processes.iter().filter(|process| depth(processes, process.pid) >= COMMAND_DEPTH).map(|one| one.pid).collect()
}

fn depth(processes: &[Process], pid: Pid) -> usize {
    let parent = |pid: Pid| processes.iter().find(|process| process.pid == pid).map(|process| process.parent);
    let mut depth = 0;
    let mut at = pid;
    while let Some(next) = parent(at).filter(|next| parent(*next).is_some()) {
        at = next;
        depth += 1;
    }
    depth
}

/// The command with the most descendants, with all of them.
fn largest_family(processes: &[Process]) -> Vec<Pid> {
    let mut families: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
    let parent = |pid: Pid| processes.iter().find(|process| process.pid == pid).map(|process| process.parent);
    for process in processes {
        let mut line = vec![process.pid];
        while let Some(next) = line.last().and_then(|last| parent(*last)) {
            line.push(next);
        }
        // From the room's first process down; the last in the line lies outside the room.
        line.pop();
        line.reverse();
        if let Some(command) = line.get(COMMAND_DEPTH) {
            families.entry(*command).or_default().push(process.pid);
        }
    }
    families.into_values().max_by_key(Vec::len).unwrap_or_default()
}

fn end(pid: Pid, counter: &AtomicU64) {
    // Counted first, so that its end is never seen without the count.
    counter.fetch_add(1, Ordering::SeqCst);
    // It may have ended by itself since it was looked at; its number is then free for a moment only.
    if kill(pid, Signal::SIGKILL).is_ok() {
        tracing::info!(%pid, "a process was ended because its sandbox exceeded a limit");
    } else {
        counter.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid: Pid::from_raw(pid), parent: Pid::from_raw(parent), threads: 1, resident_bytes: 10 }
    }

    /// Guest 10, starter 11, supervisors 12 and 20, commands 13 and 21.
    fn room() -> Vec<Process> {
        vec![
            process(10, 1),
            process(11, 10),
            process(12, 11),
            process(13, 12),
            process(14, 13),
            process(15, 14),
            process(20, 11),
            process(21, 20),
        ]
    }

    fn numbers(pids: &[Pid]) -> Vec<i32> {
        pids.iter().map(|pid| pid.as_raw()).collect()
    }

    #[test]
    fn the_largest_family_is_ended_and_what_starts_commands_stays() {
        assert_eq!(numbers(&largest_family(&room())), [13, 14, 15]);
    }

    #[test]
    fn guest_starter_and_supervisors_are_no_commands() {
        assert_eq!(numbers(&commands_of(&room())), [13, 14, 15, 21]);
    }

    #[test]
    fn sizes_beneath_the_limit_are_not_looked_into() {
        assert!(!is_too_much_memory(&room(), 80));
    }
}
