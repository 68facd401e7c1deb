//! What a sandbox may use of this machine, and which of the machine's means holds it to that.
//!
//! | Limit | The first of these that this machine has |
//! |---|---|
//! | memory | control group (version 2, version 1), a limit of each process and a watchdog over all |
//! | processes | control group, the kernel's count for each user of a namespace, a watchdog |
//! | processors | control group |
//! | disk | a limit of each file and a watchdog over the workspace |
//!
//! Owns the choice, the groups and the watchdog. Leaves the limits of single processes to the guest, which is told them.

mod cgroup;
mod delegation;
mod disk;
mod freeze;
mod held;
mod mounts;
mod processes;
mod watchdog;

use std::path::Path;

use sandbox_core::model::{CpusInForce, EnforcedBy, LimitInForce, Limits, LimitsInForce};

pub use cgroup::{Controller, Groups};
pub use held::{Held, Holder};

/// What the machine has, as far as limits are shares of it.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    pub memory_mb: u64,
    pub cores: u64,
    pub free_disk_mb: u64,
}

/// What holds each limit on this machine; `None` where nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    pub memory: Option<EnforcedBy>,
    pub pids: Option<EnforcedBy>,
    pub cpus: Option<EnforcedBy>,
    pub disk: Option<EnforcedBy>,
}

/// A limit that this machine cannot hold a sandbox to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`limits.{field}`: {why}")]
pub struct LimitError {
    pub field: &'static str,
    pub why: String,
}

/// The least that both rooms start with.
const LEAST_MEMORY_MB: u64 = 256;
const LEAST_PIDS: u64 = 64;
const LEAST_CPUS: f64 = 0.1;
const LEAST_DISK_MB: u64 = 1;
/// More than any machine has, and few enough to be counted in bytes.
const MOST_MB: u64 = 1 << 40;
/// The kernel numbers no more processes.
const MOST_PIDS: u64 = 1 << 22;
const DEFAULT_PIDS: u64 = 4096;
const DEFAULT_DISK_MB: u64 = 10_240;
/// Beneath it a browser has no room, whatever the share.
const DEFAULT_MEMORY_AT_LEAST_MB: u64 = 2048;

impl Machine {
    /// Reads what this machine has; `home` lies on the disk that is asked.
    pub fn read(home: &Path) -> Self {
        let memory_kb = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        });
        let free_disk = nix::sys::statvfs::statvfs(home)
            .map_or(u64::MAX, |disk| disk.blocks_available().saturating_mul(disk.fragment_size()));
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self { memory_mb: memory_kb.unwrap_or(4 << 20) >> 10, cores, free_disk_mb: free_disk >> 20 }
    }
}

/// Decides what a sandbox is held to: what was asked for, or else a share of the machine.
///
/// # Errors
/// What was asked for by name and cannot be: too little, or nothing here enforces it.
pub fn resolve(asked: &Limits, machine: Machine, means: Means) -> Result<LimitsInForce, LimitError> {
    let half_of_memory = (machine.memory_mb / 2).max(DEFAULT_MEMORY_AT_LEAST_MB).min(machine.memory_mb * 3 / 4);
    let half_of_disk = DEFAULT_DISK_MB.min(machine.free_disk_mb / 2).max(LEAST_DISK_MB);
    let cpus = match (asked.cpus, means.cpus) {
        (Some(asked), _) if !asked.is_finite() || asked < LEAST_CPUS => {
            return Err(refused("cpus", format!("it is at least {LEAST_CPUS}")));
        }
        (Some(_), None) => return Err(not_enforced("cpus")),
        (_, None) => None,
        (asked, Some(by)) => Some(CpusInForce { value: asked.unwrap_or(machine.cores as f64), by }),
    };
    Ok(LimitsInForce {
        memory_mb: choose("memoryMb", asked.memory_mb, LEAST_MEMORY_MB..=MOST_MB, half_of_memory, means.memory)?,
        pids: choose("pids", asked.pids, LEAST_PIDS..=MOST_PIDS, DEFAULT_PIDS, means.pids)?,
        cpus,
        disk_mb: choose("diskMb", asked.disk_mb, LEAST_DISK_MB..=MOST_MB, half_of_disk, means.disk)?,
        idle_ms: asked.idle_ms.map(|value| LimitInForce { value, by: EnforcedBy::Watchdog }),
    })
}

fn choose(
    field: &'static str,
    asked: Option<u64>,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
    by: Option<EnforcedBy>,
) -> Result<Option<LimitInForce>, LimitError> {
    match (asked, by) {
        (Some(asked), _) if asked < *range.start() => Err(refused(field, format!("it is at least {}", range.start()))),
        (Some(asked), _) if asked > *range.end() => Err(refused(field, format!("it is at most {}", range.end()))),
        (Some(_), None) => Err(not_enforced(field)),
        (None, None) => Ok(None),
        (asked, Some(by)) => Ok(Some(LimitInForce { value: asked.unwrap_or(default), by })),
    }
}

fn refused(field: &'static str, why: String) -> LimitError {
    LimitError { field, why }
}

fn not_enforced(field: &'static str) -> LimitError {
    refused(
        field,
        "this machine cannot enforce it; leave it out, or run `baton doctor`, which says what is missing".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Machine = Machine { memory_mb: 16_000, cores: 4, free_disk_mb: 100_000 };
    const ALL: Means = Means {
        memory: Some(EnforcedBy::Cgroup2),
        pids: Some(EnforcedBy::Rlimit),
        cpus: Some(EnforcedBy::Cgroup1),
        disk: Some(EnforcedBy::Watchdog),
    };

    #[test]
    fn without_a_word_a_sandbox_has_a_share_of_the_machine() {
        let limits = resolve(&Limits::default(), MACHINE, ALL).unwrap();
        assert_eq!(limits.memory_mb, Some(LimitInForce { value: 8_000, by: EnforcedBy::Cgroup2 }));
        assert_eq!(limits.pids, Some(LimitInForce { value: 4096, by: EnforcedBy::Rlimit }));
        assert_eq!(limits.cpus, Some(CpusInForce { value: 4.0, by: EnforcedBy::Cgroup1 }));
        assert_eq!(limits.disk_mb, Some(LimitInForce { value: 10_240, by: EnforcedBy::Watchdog }));
        assert_eq!(limits.idle_ms, None);
    }

    #[test]
    fn a_small_machine_keeps_a_quarter_for_itself() {
        let small = Machine { memory_mb: 2_000, cores: 1, free_disk_mb: 600 };
        let limits = resolve(&Limits::default(), small, ALL).unwrap();
        assert_eq!((limits.memory_mb.unwrap().value, limits.disk_mb.unwrap().value), (1_500, 300));
    }

    #[test]
    fn what_is_asked_for_is_in_force() {
        let asked =
            Limits { memory_mb: Some(512), pids: Some(100), cpus: Some(0.5), disk_mb: Some(64), idle_ms: Some(9) };
        let limits = resolve(&asked, MACHINE, ALL).unwrap();
        assert_eq!(limits.memory_mb.unwrap().value, 512);
        assert_eq!(limits.pids.unwrap().value, 100);
        assert_eq!(limits.cpus.unwrap().value, 0.5);
        assert_eq!(limits.disk_mb.unwrap().value, 64);
        assert_eq!(limits.idle_ms.unwrap().value, 9);
    }

    #[test]
    fn what_nothing_enforces_is_refused_by_name_and_has_no_default() {
        let none = Means::default();
        assert_eq!(resolve(&Limits::default(), MACHINE, none).unwrap(), LimitsInForce::default());
        for (field, asked) in [
            ("memoryMb", Limits { memory_mb: Some(512), ..Limits::default() }),
            ("pids", Limits { pids: Some(512), ..Limits::default() }),
            ("cpus", Limits { cpus: Some(1.0), ..Limits::default() }),
            ("diskMb", Limits { disk_mb: Some(512), ..Limits::default() }),
        ] {
            assert_eq!(resolve(&asked, MACHINE, none).unwrap_err().field, field);
        }
    }

    #[test]
    fn too_little_and_too_much_are_refused_by_name() {
        for (field, asked) in [
            ("memoryMb", Limits { memory_mb: Some(255), ..Limits::default() }),
            ("pids", Limits { pids: Some(0), ..Limits::default() }),
            ("cpus", Limits { cpus: Some(0.0), ..Limits::default() }),
            ("diskMb", Limits { disk_mb: Some(0), ..Limits::default() }),
            ("memoryMb", Limits { memory_mb: Some(u64::MAX), ..Limits::default() }),
            ("pids", Limits { pids: Some(5_000_000), ..Limits::default() }),
        ] {
            assert_eq!(resolve(&asked, MACHINE, ALL).unwrap_err().field, field);
        }
    }
}
