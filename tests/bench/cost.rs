//! What the machine spends: processor time of a family of processes, and bytes over loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Returns the processor time that a process and all that it started have used so far.
pub fn processor_time(roots: &[u32]) -> Duration {
    let mut parents: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A process may end between the list and the look.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name in brackets may hold anything: fields are counted from its end.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        parents.insert(pid, (number(1) as u32, number(11) + number(12)));
    }
    let mut family: BTreeSet<u32> = roots.iter().copied().collect();
    loop {
        let is_child = |(pid, (parent, _)): (&u32, &(u32, u64))| {
            (family.contains(parent) && !family.contains(pid)).then_some(*pid)
        };
        let children: Vec<u32> = parents.iter().filter_map(is_child).collect();
        if children.is_empty() {
            break;
        }
        family.extend(children);
    }
    let ticks: u64 = family.iter().filter_map(|pid| parents.get(pid)).map(|(_, ticks)| ticks).sum();
    // USER_HZ is 100 on every Linux that Rust runs on.
    Duration::from_millis(ticks * 10)
}

/// Returns how many bytes went over loopback so far. The rig runs in a network of its own, so they are its own.
pub fn loopback_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:").map(str::to_owned)).unwrap_or_default();
    line.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
