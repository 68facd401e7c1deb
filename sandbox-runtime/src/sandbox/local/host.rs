//! Facts of this machine that rooms depend on, and the fix for each that is missing.

use std::fs;
use std::io;
use std::path::Path;

use sandbox_link::walls::{Layer, proc_covers};

use super::super::BackendError;
use super::arguments::{HostRoot, TopFolder};

const TOP: [&str; 7] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32"];

/// Reads how this host's root is laid out.
pub fn read_root() -> io::Result<HostRoot> {
    Ok(HostRoot { top: TOP.iter().filter_map(|path| top_folder(Path::new(path))).collect(), proc: proc_covers()? })
}

fn top_folder(path: &Path) -> Option<TopFolder> {
    if let Ok(target) = fs::read_link(path) {
        return Some(TopFolder::Link { path: path.into(), target });
    }
    path.is_dir().then(|| TopFolder::Folder(path.into()))
}

/// The profile that lets bubblewrap, and what it starts, use user namespaces where Ubuntu restricts them. The stricter one
/// that Ubuntu offers takes every capability from what bubblewrap starts, also those over the room itself.
pub const APPARMOR_FIX: &str = "allow user namespaces for bubblewrap, as root: \
    `printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' \
    > /etc/apparmor.d/bwrap && apparmor_parser -r /etc/apparmor.d/bwrap`";

/// Explains why bubblewrap could not start a room, from what it said and what the kernel allows.
pub fn explain_refusal(said: &str) -> BackendError {
    let setting = |path: &str| fs::read_to_string(path).ok().map(|value| value.trim().to_owned());
    let cause =
        if said.trim().is_empty() { "bubblewrap ended without a word".to_owned() } else { said.trim().to_owned() };
    if let Some((layer, cause)) = Layer::failed_in(said) {
        return BackendError::Refused { layer: layer.name(), cause, fix: layer.fix().to_owned() };
    }
    let namespaces =
        |fix: &str| BackendError::Refused { layer: "user namespaces", cause: cause.clone(), fix: fix.to_owned() };
    if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        return namespaces("run `sysctl -w user.max_user_namespaces=10000` as root");
    }
    // Root needs no permission from these two.
    if !nix::unistd::geteuid().is_root() {
        if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
            return namespaces("run `sysctl -w kernel.unprivileged_userns_clone=1` as root");
        }
        if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
            return namespaces(APPARMOR_FIX);
        }
    }
    BackendError::Refused {
        layer: "bubblewrap",
        cause,
        fix: "run `baton doctor`; the kernel must allow user, mount, PID, network, IPC, UTS and cgroup namespaces"
            .to_owned(),
    }
}
