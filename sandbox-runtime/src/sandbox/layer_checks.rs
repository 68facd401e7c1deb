//! The layers of the isolation on this machine, each in words with what mends it: a part of the doctor's page.

use std::process::Stdio;

use sandbox_core::model::{Check, EnforcedBy};
use sandbox_link::walls::{LEAST_LANDLOCK, Layer, landlock_level};
use tokio::process::Command;

use super::check::check;
use super::limits::Means;
use super::local::APPARMOR_FIX;

type Outcome = Result<String, (String, String)>;

/// Whether the kernel filters system calls.
pub fn seccomp() -> Check {
    let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    check("seccomp", true, filters(&actions))
}

fn filters(actions: &str) -> Outcome {
    let needed = ["kill_process", "errno", "allow"];
    if needed.iter().all(|action| actions.split_whitespace().any(|word| word == *action)) {
        Ok("the kernel filters system calls".to_owned())
    } else {
        Err(("the kernel does not filter system calls".to_owned(), Layer::Seccomp.fix().to_owned()))
    }
}

/// Which level of Landlock the kernel has.
pub fn landlock() -> Check {
    check("landlock", true, fence(landlock_level()))
}

fn fence(level: i32) -> Outcome {
    match level {
        0 => Err(("the kernel has no Landlock, or it is off".to_owned(), Layer::Landlock.fix().to_owned())),
        level if level < LEAST_LANDLOCK => {
            let found = format!("Landlock level {level}; {LEAST_LANDLOCK} is the least that holds");
            Err((found, Layer::Landlock.fix().to_owned()))
        }
        // Only from level 3 on, cutting files to nothing is fenced; from level 6 on, signals and abstract sockets also.
        2 => Ok("Landlock level 2: files and folders, but not against cutting a file to nothing".to_owned()),
        level if level < 6 => Ok(format!("Landlock level {level}: files and folders")),
        level => Ok(format!("Landlock level {level}: files, folders, devices and signals")),
    }
}

/// Whether the system restricts user namespaces to programs that it knows, and bubblewrap is one of them.
pub async fn app_armor() -> Option<Check> {
    let setting = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    let restricts = std::fs::read_to_string(setting).is_ok_and(|value| value.trim() == "1");
    if !restricts || nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut bubblewrap = Command::new("/usr/bin/bwrap");
    bubblewrap.args(["--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "--", "/bin/true"]);
    let tried = bubblewrap.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    let outcome = match tried {
        Ok(status) if status.success() => Ok("AppArmor lets bubblewrap use user namespaces".to_owned()),
        _ => Err(("AppArmor keeps bubblewrap from using user namespaces".to_owned(), APPARMOR_FIX.to_owned())),
    };
    Some(check("appArmor", true, outcome))
}

/// By what sandboxes are held to their limits.
pub fn limits(means: Means) -> Check {
    check("limits", false, held(means, nix::unistd::geteuid().is_root()))
}

fn held(means: Means, is_root: bool) -> Outcome {
    let parts = [("memory", means.memory), ("processes", means.pids), ("processors", means.cpus), ("disk", means.disk)];
    let found = parts.map(|(name, by)| format!("{name}: {}", by.map_or("not limited", words))).join("; ");
    let by_group = |by: Option<EnforcedBy>| matches!(by, Some(EnforcedBy::Cgroup1 | EnforcedBy::Cgroup2));
    if by_group(means.memory) && by_group(means.pids) && by_group(means.cpus) {
        return Ok(found);
    }
    let fix = if is_root {
        "mount a control-group hierarchy with the controllers memory, pids and cpu, and start Baton in a group of its own: \
         `systemd-run --scope -p Delegate=yes baton serve`"
    } else {
        "have systemd pass control groups to users, as root: `mkdir -p /etc/systemd/system/user@.service.d && printf \
         '[Service]\\nDelegate=cpu memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl \
         daemon-reload`; then log in again"
    };
    Err((found, fix.to_owned()))
}

fn words(by: EnforcedBy) -> &'static str {
    match by {
        EnforcedBy::Cgroup2 => "control group, version 2",
        EnforcedBy::Cgroup1 => "control group, version 1",
        EnforcedBy::Rlimit => "limit of the user",
        EnforcedBy::Watchdog => "watchdog",
        EnforcedBy::Quota => "quota",
        EnforcedBy::Engine => "container engine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_landlock_is_named_with_its_level_and_fix() {
        assert!(fence(0).is_err());
        let (found, fix) = fence(1).unwrap_err();
        assert_eq!(found, "Landlock level 1; 2 is the least that holds");
        assert!(fix.contains("5.19") && fix.contains("lsm="));
        assert!(fence(2).unwrap().contains("not against cutting"));
        assert_eq!(fence(3).unwrap(), "Landlock level 3: files and folders");
        assert_eq!(fence(7).unwrap(), "Landlock level 7: files, folders, devices and signals");
    }

    #[test]
    fn a_kernel_without_filters_is_named() {
        assert!(filters("kill_process kill_thread trap errno user_notif trace log allow\n").is_ok());
        assert!(filters("").is_err());
    }

    #[test]
    fn what_holds_each_limit_is_said_and_missing_delegation_has_its_fix() {
        let group = Some(EnforcedBy::Cgroup2);
        let watchdog = Some(EnforcedBy::Watchdog);
        let all = Means { memory: group, pids: group, cpus: group, disk: watchdog };
        assert!(held(all, false).unwrap().ends_with("processors: control group, version 2; disk: watchdog"));
        let few = Means { memory: watchdog, pids: Some(EnforcedBy::Rlimit), cpus: None, disk: watchdog };
        let (found, fix) = held(few, false).unwrap_err();
        assert_eq!(found, "memory: watchdog; processes: limit of the user; processors: not limited; disk: watchdog");
        assert!(fix.contains("Delegate=cpu memory pids"));
    }
}
