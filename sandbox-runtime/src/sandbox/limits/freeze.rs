//! Freezes every process of a sandbox: by its control group where there is one of version 2, else by signals.
//!
//! The freezer of version 1 is not used: what it holds cannot even be killed, and would outlive a runtime that is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox_core::model::PausedBy;

use super::processes::families;

/// How long the kernel may take to freeze a group.
const GROUP_LIMIT: Duration = Duration::from_secs(2);
/// How often processes are looked for that were started meanwhile.
const LOOKS: usize = 100;

/// What is frozen, and how.
#[derive(Debug)]
pub enum Frozen {
    Group,
    /// In the order in which they were stopped.
    Processes(Vec<Pid>),
}

/// Freezes a group of version 2.
pub fn freeze_group(folder: &Path) -> io::Result<PausedBy> {
    fs::write(folder.join("cgroup.freeze"), "1")?;
    let begun = Instant::now();
    while !fs::read_to_string(folder.join("cgroup.events"))?.lines().any(|line| line == "frozen 1") {
        if begun.elapsed() > GROUP_LIMIT {
            fs::write(folder.join("cgroup.freeze"), "0")?;
            return Err(io::Error::other("the kernel does not freeze the sandbox's group"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(PausedBy::Cgroup2)
}

pub fn thaw_group(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("cgroup.freeze"), "0")
}

/// Stops every process of these rooms, until no new one is found.
pub fn stop_all(rooms: &[Pid]) -> io::Result<Vec<Pid>> {
    let mut stopped = Vec::new();
    let mut known: BTreeSet<Pid> = BTreeSet::new();
    for _ in 0..LOOKS {
        let fresh: Vec<Pid> =
            families(rooms).into_iter().map(|process| process.pid).filter(|pid| !known.contains(pid)).collect();
        if fresh.is_empty() {
            return Ok(stopped);
        }
        for pid in fresh {
            known.insert(pid);
            // One that somebody in the sandbox stopped stays so when it goes on.
            if is_stopped(pid) {
                continue;
            }
            match kill(pid, Signal::SIGSTOP) {
                Ok(()) => stopped.push(pid),
                Err(Errno::ESRCH) => {}
                Err(errno) => {
                    continue_all(&stopped);
                    return Err(errno.into());
                }
            }
        }
    }
    continue_all(&stopped);
    Err(io::Error::other("it starts programs faster than they can be stopped"))
}

/// Lets stopped processes go on, the ones beneath first: no shell then sees that its command was stopped, and the guest,
/// which watches the others, comes last.
pub fn continue_all(stopped: &[Pid]) {
    for pid in stopped.iter().rev() {
        // One that is gone needs nothing.
        let _ = kill(*pid, Signal::SIGCONT);
    }
}

fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pid: Pid) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.trim_start().chars().next()
    }

    #[test]
    fn a_whole_family_is_stopped_and_goes_on_and_one_that_was_stopped_before_stays_so() {
        let line = "sleep 60 & kill -STOP $!; sleep 60 & sleep 60 & echo ready; wait";
        let mut shell =
            std::process::Command::new("bash").args(["-c", line]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut said = [0; 6];
        io::Read::read_exact(&mut shell.stdout.take().unwrap(), &mut said).unwrap();
        let root = Pid::from_raw(shell.id().cast_signed());
        let all: Vec<Pid> = families(&[root]).into_iter().map(|process| process.pid).collect();
        assert_eq!(all.len(), 4);
        let stopped = stop_all(&[root]).unwrap();
        assert_eq!(stopped.len(), 3);
        let states = |wanted: char| {
            let begun = Instant::now();
            loop {
                let count = all.iter().filter(|pid| state(**pid) == Some(wanted)).count();
                if count == if wanted == 'T' { 4 } else { 3 } || begun.elapsed() > Duration::from_secs(30) {
                    return count;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        assert_eq!(states('T'), 4);
        continue_all(&stopped);
        assert_eq!(states('S'), 3);
        for pid in all.into_iter().rev() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        shell.wait().unwrap();
    }
}
