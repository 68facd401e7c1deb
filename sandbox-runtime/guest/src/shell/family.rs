//! Who descends from whom, read from `/proc`, and killing a whole family.

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Rounds of stopping before the killing begins, against families that fork faster than one round sees.
const MAX_ROUNDS: usize = 32;

/// One process: not a dead one that waits to be reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: Pid,
    parent: Pid,
}

/// Kills every descendant of `root`, and not `root`. Stops them all first, so that none forks away meanwhile.
///
/// Those that are reparented while this runs are found by calling it again; it does not wait for them to end.
pub fn kill_descendants(root: Pid) {
    kill_family(|processes| descendants(processes, root));
}

/// Kills every descendant of this process that descends from none of `supervisors`: what one left behind that was itself
/// killed. Does nothing but in the first process of a namespace: elsewhere orphans go elsewhere.
pub fn kill_strays(supervisors: &BTreeSet<Pid>) {
    let guest = nix::unistd::getpid();
    if guest != Pid::from_raw(1) {
        return;
    }
    kill_family(|processes| {
        let owned: BTreeSet<Pid> = supervisors
            .iter()
            .flat_map(|supervisor| descendants(processes, *supervisor))
            .chain(supervisors.iter().copied())
            .collect();
        descendants(processes, guest).into_iter().filter(|pid| !owned.contains(pid)).collect()
    });
}

fn kill_family(members: impl Fn(&[Process]) -> Vec<Pid>) {
    let mut stopped = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let fresh: Vec<Pid> = members(&processes()).into_iter().filter(|pid| !stopped.contains(pid)).collect();
        if fresh.is_empty() {
            break;
        }
        for pid in fresh {
            // It may have ended by itself meanwhile.
            let _ = kill(pid, Signal::SIGSTOP);
            stopped.insert(pid);
        }
    }
    for pid in members(&processes()) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

fn descendants(processes: &[Process], root: Pid) -> Vec<Pid> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(processes.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        next += 1;
    }
    found.remove(0);
    found
}

fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter_map(|entry| parse_stat(&fs::read(entry.path().join("stat")).ok()?))
        .collect()
}

/// Reads `pid (name) state ppid …`; the name may hold anything, so the last parenthesis counts.
fn parse_stat(stat: &[u8]) -> Option<Process> {
    let stat = String::from_utf8_lossy(stat);
    let (pid, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    Some(Process { pid: Pid::from_raw(pid.parse().ok()?), parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid: Pid::from_raw(pid), parent: Pid::from_raw(parent) }
    }

    #[test]
    fn a_name_with_parentheses_does_not_mislead() {
        assert_eq!(parse_stat(b"42 (a) R 7 (b) S 17 42 42 0 -1"), Some(process(42, 17)));
    }

    #[test]
    fn the_dead_are_left_out() {
        assert_eq!(parse_stat(b"42 (sh) Z 17 42 42 0 -1"), None);
    }

    #[test]
    fn descendants_of_every_depth_are_found_and_no_others() {
        let table = [process(2, 1), process(3, 2), process(4, 3), process(5, 1), process(6, 5)];
        let found: Vec<i32> = descendants(&table, Pid::from_raw(2)).into_iter().map(Pid::as_raw).collect();
        assert_eq!(found, [3, 4]);
    }
}
