//! Landlock, the second fence: what is written, and whom a signal reaches, is asked of the kernel once more, by paths and
//! by descent, whatever the mounts allow.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use sandbox_link::walls::{LEAST_LANDLOCK, Layer, landlock_level};

use super::Failure;

/// Folders that commands write.
const WRITABLE: [&str; 6] = ["/workspace", "/tmp", "/var/tmp", "/home/baton", "/run/user/1000", "/dev/shm"];
/// Devices that commands write. `/dev/pts` holds the terminals.
const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"];

/// Fences in this process and everything that it starts, for ever. To be called before any thread exists.
///
/// # Errors
/// When the kernel has no Landlock, or one that is too old to hold what the fence is for.
pub fn apply() -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Layer::Landlock, error);
    let level = landlock_level();
    if level < LEAST_LANDLOCK {
        return Err(failed(&format!("the kernel offers level {level}; {LEAST_LANDLOCK} is the least that holds")));
    }
    let status = restrict().map_err(|error| failed(&error))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced if status.no_new_privs => Ok(()),
        _ => Err(failed(&"the kernel did not enforce it")),
    }
}

fn restrict() -> anyhow::Result<landlock::RestrictionStatus> {
    let all = AccessFs::from_all(ABI::V5);
    let reads = AccessFs::from_read(ABI::V5);
    let devices = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let special: BitFlags<AccessFs> = AccessFs::MakeChar | AccessFs::MakeBlock;
    let mut rules = Ruleset::default()
        // What the kernel of `LEAST_LANDLOCK` has must be; the rest where it is there.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V2))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new("/")?, reads))?;
    for folder in WRITABLE {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, all & !special))?;
    }
    for device in DEVICES {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(device)?, devices))?;
    }
    Ok(rules.restrict_self()?)
}
