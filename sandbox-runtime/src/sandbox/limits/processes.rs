//! Processes of a room as the host sees them in `/proc`.

use std::collections::BTreeMap;
use std::fs;

use nix::unistd::Pid;

/// One process that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: Pid,
    pub parent: Pid,
    pub threads: u64,
    pub resident_bytes: u64,
}

/// Returns everything that descends from one of `roots`, and those themselves.
pub fn families(roots: &[Pid]) -> Vec<Process> {
    descendants(&all(), roots)
}

fn descendants(processes: &[Process], roots: &[Pid]) -> Vec<Process> {
    let mut children: BTreeMap<Pid, Vec<Process>> = BTreeMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(*process);
    }
    let mut found: Vec<Process> = processes.iter().filter(|process| roots.contains(&process.pid)).copied().collect();
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next].pid).unwrap_or_default());
        next += 1;
    }
    found
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096).cast_unsigned();
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter_map(|entry| parse_stat(&fs::read_to_string(entry.path().join("stat")).ok()?, page))
        .collect()
}

/// Reads `pid (name) state ppid …`; the name may hold anything, so the last parenthesis counts. See `proc_pid_stat(5)`:
/// threads are field 20, resident pages field 24.
fn parse_stat(stat: &str, page: u64) -> Option<Process> {
    let (pid, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    Some(Process {
        pid: Pid::from_raw(pid.parse().ok()?),
        parent: Pid::from_raw(i32::try_from(number(4)?).ok()?),
        threads: number(20)?.max(0).cast_unsigned(),
        resident_bytes: number(24)?.max(0).cast_unsigned().saturating_mul(page),
    })
}

/// Returns what a process truly takes of the memory: what it shares is divided among those who share it. Its resident
/// size where that is not told.
pub fn proportional_bytes(process: &Process) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)).unwrap_or_default();
    let kilobytes =
        text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.map_or(process.resident_bytes, |kilobytes| kilobytes << 10)
}

/// The kernel's own measure of which process is to go first when memory is short.
pub fn badness(process: &Process) -> u64 {
    fs::read_to_string(format!("/proc/{}/oom_score", process.pid))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

/// Bytes that a process has written, ever; 0 where that is not told.
pub fn written_bytes(process: &Process) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/io", process.pid)).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("wchar: ")?.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid: Pid::from_raw(pid), parent: Pid::from_raw(parent), threads: 1, resident_bytes: 0 }
    }

    #[test]
    fn a_line_of_the_kernel_is_read_whatever_the_name() {
        let stat = "42 (a) R (b) S 17 42 42 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 3 0 99 1000000 25 18446744073709551615 1";
        let read = parse_stat(stat, 4096).unwrap();
        assert_eq!((read.pid.as_raw(), read.parent.as_raw(), read.threads, read.resident_bytes), (42, 17, 3, 102_400));
        assert_eq!(parse_stat("42 (sh) Z 17 42 42 0 -1", 4096), None);
    }

    #[test]
    fn families_hold_every_depth_and_no_neighbour() {
        let table = [process(2, 1), process(3, 2), process(4, 3), process(5, 1), process(6, 5)];
        let found: Vec<i32> = descendants(&table, &[Pid::from_raw(2)]).iter().map(|one| one.pid.as_raw()).collect();
        assert_eq!(found, [2, 3, 4]);
    }

    #[test]
    fn this_process_is_found_with_its_memory() {
        let own = families(&[nix::unistd::getpid()]);
        assert!(own.iter().any(|one| one.pid == nix::unistd::getpid() && one.resident_bytes > 0));
    }
}
