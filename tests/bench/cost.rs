//! What the machine spends: processor time and memory of a family of processes, and bytes over loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One process of a family.
struct Process {
    pid: u32,
    name: String,
    /// User and system time together, in hundredths of a second.
    ticks: u64,
}

/// Returns these processes and all that they started.
fn family(roots: &[u32]) -> Vec<Process> {
    let mut all: Vec<(u32, Process)> = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A process may end between the list and the look.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name in brackets may hold anything: fields are counted from its end.
        let Some((before, rest)) = stat.rsplit_once(')') else { continue };
        let name = before.split_once('(').map_or("", |(_, name)| name).to_owned();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        all.push((number(1) as u32, Process { pid, name, ticks: number(11) + number(12) }));
    }
    let mut pids: BTreeSet<u32> = roots.iter().copied().collect();
    loop {
        let known = pids.len();
        pids.extend(
            all.iter().filter(|(parent, _)| pids.contains(parent)).map(|(_, process)| process.pid).collect::<Vec<_>>(),
        );
        if pids.len() == known {
            break;
        }
    }
    all.into_iter().map(|(_, process)| process).filter(|process| pids.contains(&process.pid)).collect()
}

/// Returns the processor time that these processes and all that they started have used so far.
pub fn processor_time(roots: &[u32]) -> Duration {
    let ticks: u64 = family(roots).iter().map(|process| process.ticks).sum();
    // USER_HZ is 100 on every Linux that Rust runs on.
    Duration::from_millis(ticks * 10)
}

/// Returns the memory of these processes and all that they started, in MiB by the program's name: what a process shares
/// with others counts in parts (PSS).
pub fn memory(roots: &[u32]) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for process in family(roots) {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)) else { continue };
        let kib =
            text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        *found.entry(process.name).or_insert(0.0) += kib.unwrap_or(0.0) / 1024.0;
    }
    found
}

/// Returns how many bytes went over loopback so far. The rig runs in a network of its own, so they are its own.
pub fn loopback_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:").map(str::to_owned)).unwrap_or_default();
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
