//! Where the control-group hierarchies are mounted and where in them this process is, read from `/proc/self`.

use std::path::{Path, PathBuf};

/// One hierarchy of control groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    pub version: Version,
    /// Controllers of version 1; those of version 2 are read from its files.
    pub controllers: Vec<String>,
    pub mount: PathBuf,
    /// The group of this process.
    pub own: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

/// Reads `mountinfo` and `cgroup` of a process.
pub fn hierarchies(mountinfo: &str, groups: &str) -> Vec<Hierarchy> {
    mountinfo.lines().filter_map(|line| hierarchy(line, groups)).collect()
}

/// A line: `id parent major:minor root mount-point options … - type source super-options`.
fn hierarchy(line: &str, groups: &str) -> Option<Hierarchy> {
    let (mount, system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, point) = (mount.next()?, mount.next()?);
    let mut system = system.split(' ');
    let version = match system.next()? {
        "cgroup2" => Version::Two,
        "cgroup" => Version::One,
        _ => return None,
    };
    let options = system.nth(1)?;
    // A line: `number:controllers:group`.
    let fields = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let mut fields = fields.filter(|(_, controllers, _)| match version {
        Version::Two => controllers.is_empty(),
        Version::One => {
            !controllers.is_empty() && controllers.split(',').all(|one| options.split(',').any(|option| option == one))
        }
    });
    let (_, controllers, group) = fields.next()?;
    let within = Path::new(group).strip_prefix(root).ok()?;
    Some(Hierarchy {
        version,
        controllers: controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        mount: point.into(),
        own: Path::new(point).join(within),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_two_is_found_with_the_group_of_this_process() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n22 1 0:5 / / rw - ext4 x rw\n";
        let found = hierarchies(mounts, "0::/user.slice/user-1000.slice/session-2.scope\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].version, Version::Two);
        assert_eq!(found[0].own, Path::new("/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope"));
    }

    #[test]
    fn each_controller_of_version_one_has_its_own_place() {
        let mounts = "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      33 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
        let groups = "4:memory:/service\n3:cpu,cpuacct:/\n2:name=systemd:/\n0::/\n";
        let found = hierarchies(mounts, groups);
        let places: Vec<_> = found.iter().map(|found| found.own.to_str().unwrap()).collect();
        assert_eq!(places, ["/sys/fs/cgroup/memory/service", "/sys/fs/cgroup/cpu,cpuacct/", "/sys/fs/cgroup/systemd/"]);
        assert_eq!(found[1].controllers, ["cpu", "cpuacct"]);
    }

    #[test]
    fn a_mount_of_a_part_begins_there() {
        let mounts = "31 30 0:27 /docker/one /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
        let found = hierarchies(mounts, "7:pids:/docker/one/inner\n");
        assert_eq!(found[0].own, Path::new("/sys/fs/cgroup/pids/inner"));
    }
}
