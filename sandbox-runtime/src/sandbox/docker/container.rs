//! The room as a container: a pure function, so that what a room is made of can be read and tested in one place.
//!
//! Rules kept here, as for rooms by bubblewrap: no network, no capability, no new privileges; nothing of the host is writable
//! but workspace and profile; everything else that a room writes lives in memory and ends with it.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountType,
    ResourcesUlimits,
};
use sandbox_core::model::LimitsInForce;
use sandbox_link::protocol::NO_LINKS_VARIABLE;
use sandbox_link::walls::WallOrders;
use serde_json::json;

use super::super::room::{ENVIRONMENT, GUEST_PATH, HOME, MEMORY_FOLDERS, RUNTIME_DIR, RoomKind};
use super::super::{PROFILE_DIR, WORKSPACE_DIR};

/// Names the data directory whose runtime started a container.
pub const HOME_LABEL: &str = "baton.home";
/// Names its sandbox.
pub const SANDBOX_LABEL: &str = "baton.sandbox";
/// A sandbox has two rooms, and each is held to half of what the sandbox may use.
const ROOMS: u64 = 2;

/// What a container depends on.
pub struct Layout<'a> {
    pub kind: RoomKind,
    pub image: &'a str,
    pub home_label: &'a str,
    pub sandbox: &'a str,
    pub limits: &'a LimitsInForce,
    pub orders: &'a WallOrders,
    pub memory_folder_bytes: u64,
    pub workspace: &'a Path,
    pub profile: Option<&'a Path>,
    /// The user and group of the host that workspace and profile belong to.
    pub owner: (u32, u32),
}

/// Returns the container of a room, its guest's link on standard input and output.
pub fn container(layout: &Layout) -> ContainerCreateBody {
    let labels = [(HOME_LABEL, layout.home_label), (SANDBOX_LABEL, layout.sandbox)];
    let mut env: Vec<String> = ENVIRONMENT.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if layout.kind == RoomKind::Desktop {
        env.push(format!("{NO_LINKS_VARIABLE}={WORKSPACE_DIR}"));
    }
    let (user, group) = layout.owner;
    ContainerCreateBody {
        image: Some(layout.image.to_owned()),
        hostname: Some("baton".to_owned()),
        user: Some(format!("{user}:{group}")),
        working_dir: Some(WORKSPACE_DIR.to_owned()),
        env: Some(env),
        entrypoint: Some(vec![GUEST_PATH.to_owned()]),
        cmd: Some(layout.orders.to_arguments()),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // When the runtime is gone the link ends, and with it the guest.
        stdin_once: Some(true),
        tty: Some(false),
        network_disabled: Some(true),
        host_config: Some(host_config(layout)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(layout: &Layout) -> HostConfig {
    let limits = layout.limits;
    let memory = limits.memory_mb.map(|limit| number((limit.value << 20) / ROOMS));
    let is_root = layout.owner.0 == 0;
    HostConfig {
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        readonly_rootfs: Some(true),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        // Root's user namespace may name root only with it; the guest drops it.
        cap_add: is_root.then(|| vec!["SETFCAP".to_owned()]),
        security_opt: Some(vec![
            "no-new-privileges".to_owned(),
            format!("seccomp={}", seccomp()),
            // The engine's own profile denies every mount, that of the commands' own /proc too.
            "apparmor=unconfined".to_owned(),
        ]),
        mounts: Some(mounts(layout)),
        tmpfs: Some(memory_folders(layout)),
        shm_size: Some(number(layout.memory_folder_bytes)),
        memory,
        // As much as without swap: none.
        memory_swap: memory,
        pids_limit: limits.pids.map(|limit| number(limit.value / ROOMS)),
        nano_cpus: limits.cpus.map(|limit| (limit.value * 1e9 / ROOMS as f64) as i64),
        // Open files are limited as the engine is: it may not be allowed to raise them.
        ulimits: Some(vec![no_core_dumps()]),
        // Its standard output is the link.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        auto_remove: Some(true),
        init: Some(false),
        masked_paths: Some(hidden(layout.kind)),
        readonly_paths: (layout.kind == RoomKind::Shell).then(Vec::new),
        ..HostConfig::default()
    }
}

/// What the engine covers: of this machine's kernel a room sees no more than by bubblewrap.
fn hidden(kind: RoomKind) -> Vec<String> {
    const KERNEL: [&str; 9] = [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
    ];
    let of_proc = match kind {
        // With a cover on it, /proc could not be mounted for the commands; the guest covers theirs.
        RoomKind::Shell => &[][..],
        RoomKind::Desktop => &KERNEL[..],
    };
    of_proc.iter().chain(&["/sys"]).map(|path| (*path).to_owned()).collect()
}

fn mounts(layout: &Layout) -> Vec<Mount> {
    let bind = |source: &Path, target: &str| Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        read_only: Some(false),
        ..Mount::default()
    };
    let workspace = bind(layout.workspace, WORKSPACE_DIR);
    std::iter::once(workspace).chain(layout.profile.map(|profile| bind(profile, PROFILE_DIR))).collect()
}

fn memory_folders(layout: &Layout) -> HashMap<String, String> {
    let (size, (user, group)) = (layout.memory_folder_bytes, layout.owner);
    // The engine makes /dev/shm itself.
    let folders = MEMORY_FOLDERS.iter().filter(|(path, _)| *path != "/dev/shm");
    folders
        .map(|(path, mode)| {
            let owned =
                if [HOME, RUNTIME_DIR].contains(path) { format!(",uid={user},gid={group}") } else { String::new() };
            // The engine forbids programs there where nothing is said; a sandbox compiles in /tmp.
            ((*path).to_owned(), format!("rw,exec,nosuid,nodev,size={size},mode={mode}{owned}"))
        })
        .collect()
}

fn no_core_dumps() -> ResourcesUlimits {
    ResourcesUlimits { name: Some("core".to_owned()), soft: Some(0), hard: Some(0) }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// System calls that nothing in a room makes, its setting up included: the fence around the guest itself. What the guest
/// starts is behind the guest's own filter, which knows every call that it allows.
const DENIED_CALLS: [&str; 48] = [
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "fanotify_init",
    "fanotify_mark",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "memfd_secret",
    "migrate_pages",
    "modify_ldt",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "set_mempolicy",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "syslog",
    "userfaultfd",
];

fn seccomp() -> serde_json::Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": DENIED_CALLS.as_slice(), "action": "SCMP_ACT_ERRNO", "errnoRet": 1 }],
    })
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::{CpusInForce, EnforcedBy, LimitInForce};

    use super::*;

    fn made(kind: RoomKind, profile: Option<&Path>, owner: (u32, u32)) -> ContainerCreateBody {
        let by = EnforcedBy::Engine;
        let limits = LimitsInForce {
            memory_mb: Some(LimitInForce { value: 1024, by }),
            pids: Some(LimitInForce { value: 200, by }),
            cpus: Some(CpusInForce { value: 1.0, by }),
            ..LimitsInForce::default()
        };
        let orders = WallOrders { in_container: true, ..WallOrders::default() };
        container(&Layout {
            kind,
            image: "baton-room:one",
            home_label: "home",
            sandbox: "sbx_one",
            limits: &limits,
            orders: &orders,
            memory_folder_bytes: 4096,
            workspace: Path::new("/data/workspaces/one"),
            profile,
            owner,
        })
    }

    fn host(body: &ContainerCreateBody) -> &HostConfig {
        body.host_config.as_ref().unwrap()
    }

    #[test]
    fn no_room_has_a_network_a_capability_or_a_way_to_more() {
        for kind in [RoomKind::Shell, RoomKind::Desktop] {
            let body = made(kind, None, (1001, 1001));
            let host = host(&body);
            assert_eq!(host.network_mode.as_deref(), Some("none"));
            assert_eq!(host.cap_drop.as_deref(), Some(["ALL".to_owned()].as_slice()));
            assert_eq!((host.cap_add.as_ref(), host.privileged, host.readonly_rootfs), (None, Some(false), Some(true)));
            assert_eq!(host.security_opt.as_ref().unwrap()[0], "no-new-privileges");
            assert_eq!(body.user.as_deref(), Some("1001:1001"));
        }
    }

    #[test]
    fn only_workspace_and_profile_are_parts_of_the_host() {
        let body = made(RoomKind::Desktop, Some(Path::new("/data/profiles/one")), (0, 0));
        let mounts = host(&body).mounts.as_ref().unwrap();
        let targets: Vec<_> = mounts.iter().map(|mount| mount.target.as_deref().unwrap()).collect();
        assert_eq!(targets, [WORKSPACE_DIR, PROFILE_DIR]);
        assert_eq!(host(&body).binds, None);
    }

    #[test]
    fn both_rooms_together_stay_within_the_limits() {
        let body = made(RoomKind::Shell, None, (0, 0));
        let host = host(&body);
        assert_eq!((host.memory, host.memory_swap), (Some(512 << 20), Some(512 << 20)));
        assert_eq!((host.pids_limit, host.nano_cpus), (Some(100), Some(500_000_000)));
    }

    #[test]
    fn only_the_desktop_room_follows_no_links_and_has_its_proc_covered_by_the_engine() {
        let is_told =
            |body: &ContainerCreateBody| body.env.as_ref().unwrap().iter().any(|word| word.contains("NO_LINKS"));
        let (shell, desktop) = (made(RoomKind::Shell, None, (0, 0)), made(RoomKind::Desktop, None, (0, 0)));
        assert!(!is_told(&shell) && is_told(&desktop));
        let covers = |body: &ContainerCreateBody| host(body).masked_paths.clone().unwrap();
        assert_eq!(covers(&shell), ["/sys"], "its own /proc is covered by the guest");
        assert!(covers(&desktop).contains(&"/proc/kcore".to_owned()));
        assert_eq!(host(&desktop).readonly_paths, None, "those of the engine");
    }

    #[test]
    fn the_calls_of_setting_up_are_not_denied() {
        for call in ["clone", "unshare", "mount", "umount2", "chroot", "seccomp", "landlock_restrict_self", "ptrace"] {
            assert!(!DENIED_CALLS.contains(&call), "{call}");
        }
        assert!(DENIED_CALLS.is_sorted());
    }
}
