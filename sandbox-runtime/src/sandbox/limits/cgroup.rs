//! Control groups: one for each sandbox in each hierarchy that is needed, beneath this process's own group, so that what
//! holds for the runtime holds for its sandboxes too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sandbox_core::model::{EnforcedBy, LimitsInForce};

use super::mounts::{Hierarchy, Version, hierarchies};

/// What one controller limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    Memory,
    Pids,
    Cpu,
}

impl Controller {
    pub const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpu];

    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
        }
    }
}

/// Where groups of sandboxes can be made on this machine.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// For each controller: the version, and the folder beneath which groups are made.
    places: BTreeMap<Controller, (Version, PathBuf)>,
}

/// Under this name in the runtime's own group of version 2 the runtime itself goes on: a group that passes controllers
/// down has no processes.
const RUNTIME: &str = "runtime";
/// The folder of this runtime's groups. Which runtime of the machine it is, its process id says.
const PREFIX: &str = "baton-";

impl Groups {
    /// Finds where groups can be made, and makes the folder for them.
    pub fn find() -> Self {
        let read = |name: &str| fs::read_to_string(Path::new("/proc/self").join(name)).unwrap_or_default();
        Self::find_in(&hierarchies(&read("mountinfo"), &read("cgroup")))
    }

    fn find_in(hierarchies: &[Hierarchy]) -> Self {
        let mut found = Self::default();
        for hierarchy in hierarchies {
            let usable = match hierarchy.version {
                Version::Two => open_version_two(hierarchy),
                Version::One => open_version_one(hierarchy),
            };
            let (place, controllers) = match usable {
                Ok(usable) => usable,
                Err(error) => {
                    tracing::debug!(%error, group = %hierarchy.own.display(), "no groups can be made here");
                    continue;
                }
            };
            for controller in controllers {
                let entry = (hierarchy.version, place.clone());
                match (hierarchy.version, found.places.get(&controller)) {
                    (Version::One, Some(_)) => {}
                    (Version::Two, _) | (Version::One, None) => drop(found.places.insert(controller, entry)),
                }
            }
        }
        found
    }

    /// Returns what holds a limit of this kind here.
    pub fn by(&self, controller: Controller) -> Option<EnforcedBy> {
        self.places.get(&controller).map(|(version, _)| match version {
            Version::One => EnforcedBy::Cgroup1,
            Version::Two => EnforcedBy::Cgroup2,
        })
    }

    /// Takes away the folders for groups, if no group is left in them.
    pub fn leave(&self) {
        for (_, place) in self.places.values() {
            let _ = fs::remove_dir(place);
        }
    }

    /// Makes the groups of a sandbox with its limits.
    ///
    /// # Errors
    /// When a group cannot be made, or does not take its limit: then the sandbox is not to run.
    pub fn make(&self, name: &str, limits: &LimitsInForce, cores: u64) -> io::Result<Group> {
        let mut group = Group::default();
        for (controller, (version, place)) in &self.places {
            let folder = place.join(name);
            fs::create_dir_all(&folder)?;
            if !group.folders.contains(&folder) {
                group.folders.push(folder.clone());
            }
            group.controllers.insert(*controller, (*version, folder.clone()));
            for (file, value, needed) in settings(*controller, *version, limits, cores) {
                match fs::write(folder.join(file), &value) {
                    Ok(()) => {}
                    Err(error) if needed => return Err(io::Error::new(error.kind(), format!("{file}: {error}"))),
                    Err(error) => tracing::debug!(%error, file, "this kernel has no such setting"),
                }
            }
        }
        Ok(group)
    }
}

/// Files of a group and what is written to them, in order; whether the limit hangs on it.
fn settings(
    controller: Controller,
    version: Version,
    limits: &LimitsInForce,
    cores: u64,
) -> Vec<(&'static str, String, bool)> {
    const PERIOD_US: f64 = 100_000.0;
    let memory = limits.memory_mb.map(|limit| (limit.value << 20).to_string());
    let pids = limits.pids.map(|limit| limit.value.to_string());
    // The desktop and the runtime go first where all want the processors; a share of them all is no limit.
    let quota = limits.cpus.filter(|limit| limit.value < cores as f64).map(|limit| (limit.value * PERIOD_US) as u64);
    match (controller, version) {
        (Controller::Memory, Version::Two) => {
            memory.map(|bytes| vec![("memory.max", bytes, true), ("memory.swap.max", "0".into(), false)])
        }
        (Controller::Memory, Version::One) => memory.map(|bytes| {
            vec![("memory.limit_in_bytes", bytes.clone(), true), ("memory.memsw.limit_in_bytes", bytes, false)]
        }),
        (Controller::Pids, _) => pids.map(|most| vec![("pids.max", most, true)]),
        (Controller::Cpu, Version::Two) => {
            let most = quota.map_or("max 100000".to_owned(), |quota| format!("{quota} 100000"));
            Some(vec![("cpu.weight", "50".into(), false), ("cpu.max", most, true)])
        }
        (Controller::Cpu, Version::One) => {
            let most = quota.map_or("-1".to_owned(), |quota| quota.to_string());
            Some(vec![
                ("cpu.shares", "512".into(), false),
                ("cpu.cfs_period_us", "100000".into(), true),
                ("cpu.cfs_quota_us", most, true),
            ])
        }
    }
    .unwrap_or_default()
}

/// In version 2 a group passes controllers down only while it holds no process itself.
fn open_version_two(hierarchy: &Hierarchy) -> io::Result<(PathBuf, Vec<Controller>)> {
    let own = &hierarchy.own;
    let offered = fs::read_to_string(own.join("cgroup.controllers"))?;
    let has = |listed: &str, controller: &Controller| {
        listed.split_whitespace().any(|name| name.trim_start_matches('+') == controller.name())
    };
    let controllers: Vec<Controller> = Controller::ALL.into_iter().filter(|one| has(&offered, one)).collect();
    if controllers.is_empty() {
        return Err(io::Error::other(format!("{} has no controllers", own.display())));
    }
    if *own != hierarchy.mount {
        // Only its own processes are moved: another program's group is not taken over.
        let alone =
            fs::read_to_string(own.join("cgroup.procs"))?.lines().all(|pid| pid.parse() == Ok(std::process::id()));
        if !alone {
            return Err(io::Error::other(format!("{} holds other processes", own.display())));
        }
        let runtime = own.join(RUNTIME);
        fs::create_dir_all(&runtime)?;
        fs::write(runtime.join("cgroup.procs"), std::process::id().to_string())?;
    }
    let down: Vec<String> = controllers.iter().map(|controller| format!("+{}", controller.name())).collect();
    let down = down.join(" ");
    fs::write(own.join("cgroup.subtree_control"), &down)?;
    let place = make_place(own)?;
    fs::write(place.join("cgroup.subtree_control"), &down)?;
    let passed = fs::read_to_string(place.join("cgroup.subtree_control"))?;
    Ok((place, controllers.into_iter().filter(|controller| has(&passed, controller)).collect()))
}

fn open_version_one(hierarchy: &Hierarchy) -> io::Result<(PathBuf, Vec<Controller>)> {
    let named = |controller: &Controller| hierarchy.controllers.iter().any(|name| name == controller.name());
    let controllers: Vec<Controller> = Controller::ALL.into_iter().filter(named).collect();
    if controllers.is_empty() {
        return Err(io::Error::other("no controller of ours"));
    }
    Ok((make_place(&hierarchy.own)?, controllers))
}

/// Makes the folder for this runtime's groups, and takes away what runtimes left that are gone.
fn make_place(own: &Path) -> io::Result<PathBuf> {
    for entry in fs::read_dir(own)?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            // Groups that still hold processes are not removed, and found again by the next start.
            for group in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(group.path());
            }
            let _ = fs::remove_dir(entry.path());
        }
    }
    let place = own.join(format!("{PREFIX}{}", std::process::id()));
    match fs::create_dir(&place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(place),
    }
}

/// The groups of one sandbox. Dropping it removes them, when nothing runs in them any more.
#[derive(Debug, Default)]
pub struct Group {
    folders: Vec<PathBuf>,
    controllers: BTreeMap<Controller, (Version, PathBuf)>,
}

impl Group {
    /// Opens the files into which a process writes to enter.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn doors(&self) -> io::Result<Vec<File>> {
        self.folders.iter().map(|folder| File::options().write(true).open(folder.join("cgroup.procs"))).collect()
    }

    /// Returns the group that can be frozen, if there is one: of version 2.
    pub fn freezer(&self) -> Option<PathBuf> {
        let mut folders = self.controllers.values().filter(|(version, _)| matches!(version, Version::Two));
        folders.next().map(|(_, folder)| folder.clone()).filter(|folder| folder.join("cgroup.freeze").exists())
    }

    /// How often the kernel ended a process because the sandbox's memory was used up.
    pub fn memory_kills(&self) -> u64 {
        let file = |version| match version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        self.counter(Controller::Memory, file, "oom_kill")
    }

    /// How often the kernel refused a process because there were too many.
    pub fn pid_refusals(&self) -> u64 {
        self.counter(Controller::Pids, |_| "pids.events", "max")
    }

    fn counter(&self, controller: Controller, file: impl Fn(Version) -> &'static str, name: &str) -> u64 {
        let Some((version, folder)) = self.controllers.get(&controller) else { return 0 };
        let text = fs::read_to_string(folder.join(file(*version))).unwrap_or_default();
        let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(found, _)| *found == name).and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        const TRIES: u32 = 40;
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
        let folders = std::mem::take(&mut self.folders);
        let remove =
            |folders: &mut Vec<PathBuf>| folders.retain(|folder| fs::remove_dir(folder).is_err() && folder.exists());
        let mut left = folders;
        remove(&mut left);
        if left.is_empty() {
            return;
        }
        // Its last processes are being ended; the next start takes away what this does not.
        let later = move || {
            for _ in 0..TRIES {
                std::thread::sleep(PAUSE);
                remove(&mut left);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("groups".to_owned()).spawn(later) {
            tracing::warn!(%error, "a control group is left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::{CpusInForce, LimitInForce};

    use super::*;

    fn limits() -> LimitsInForce {
        let limit = |value| Some(LimitInForce { value, by: EnforcedBy::Cgroup2 });
        LimitsInForce {
            memory_mb: limit(512),
            pids: limit(99),
            cpus: Some(CpusInForce { value: 1.5, by: EnforcedBy::Cgroup2 }),
            ..LimitsInForce::default()
        }
    }

    /// A folder that looks like a delegated group of version 2 in which this process is alone.
    fn delegated(folder: &Path) -> Hierarchy {
        let own = folder.join("scope");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("cgroup.controllers"), "cpuset cpu io memory pids\n").unwrap();
        fs::write(own.join("cgroup.procs"), format!("{}\n", std::process::id())).unwrap();
        Hierarchy { version: Version::Two, controllers: vec![], mount: folder.to_owned(), own }
    }

    #[test]
    fn in_a_delegated_group_of_version_two_every_limit_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let groups = Groups::find_in(&[delegated(folder.path())]);
        assert_eq!(Controller::ALL.map(|one| groups.by(one)), [Some(EnforcedBy::Cgroup2); 3]);
        let scope = folder.path().join("scope");
        let read = |path: PathBuf| fs::read_to_string(path).unwrap();
        assert_eq!(read(scope.join("runtime/cgroup.procs")), std::process::id().to_string());
        assert_eq!(read(scope.join("cgroup.subtree_control")), "+memory +pids +cpu");
        let group = groups.make("sbx_one", &limits(), 4).unwrap();
        let at = |file: &str| read(group.folders[0].join(file));
        assert_eq!(at("memory.max"), "536870912");
        assert_eq!(
            (at("memory.swap.max"), at("pids.max"), at("cpu.max")),
            ("0".into(), "99".into(), "150000 100000".into())
        );
        fs::write(group.folders[0].join("memory.events"), "low 0\noom 3\noom_kill 2\n").unwrap();
        fs::write(group.folders[0].join("pids.events"), "max 7\n").unwrap();
        assert_eq!((group.memory_kills(), group.pid_refusals()), (2, 7));
    }

    #[test]
    fn a_group_that_other_programs_share_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let hierarchy = delegated(folder.path());
        fs::write(hierarchy.own.join("cgroup.procs"), format!("{}\n1\n", std::process::id())).unwrap();
        assert_eq!(Groups::find_in(&[hierarchy]).by(Controller::Memory), None);
    }

    #[test]
    fn version_one_takes_its_own_files_and_version_two_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("v1");
        fs::create_dir(&own).unwrap();
        let one = Hierarchy {
            version: Version::One,
            controllers: ["memory", "pids", "cpu"].map(str::to_owned).to_vec(),
            mount: own.clone(),
            own: own.clone(),
        };
        let groups = Groups::find_in(std::slice::from_ref(&one));
        let group = groups.make("sbx_one", &limits(), 4).unwrap();
        let at = |file: &str| fs::read_to_string(group.folders[0].join(file)).unwrap();
        assert_eq!((at("memory.limit_in_bytes"), at("cpu.cfs_quota_us")), ("536870912".into(), "150000".into()));
        fs::write(group.folders[0].join("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
            .unwrap();
        assert_eq!(group.memory_kills(), 5);
        let two = delegated(folder.path());
        for order in [[one.clone(), two.clone()], [two, one]] {
            assert_eq!(Groups::find_in(&order).by(Controller::Memory), Some(EnforcedBy::Cgroup2));
            fs::remove_dir_all(folder.path().join("scope/runtime")).unwrap();
        }
    }

    #[test]
    fn all_processors_are_no_limit() {
        let all = LimitsInForce { cpus: Some(CpusInForce { value: 4.0, by: EnforcedBy::Cgroup2 }), ..limits() };
        let written = settings(Controller::Cpu, Version::Two, &all, 4);
        assert!(written.contains(&("cpu.max", "max 100000".to_owned(), true)), "{written:?}");
    }
}
