//! Facts of this machine that rooms depend on, and the fix for each that is missing.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::super::BackendError;
use super::arguments::{HostRoot, ProcCover, TopFolder};

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

/// Decides for each entry of `/proc` that is not a process: folders become read-only, files that somebody may write or
/// that not everybody may read are hidden. Links lead to the reader's own process.
fn proc_covers() -> io::Result<Vec<(PathBuf, ProcCover)>> {
    let mut covers = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            covers.push((entry.path(), ProcCover::ReadOnly));
        } else if kind.is_file() || kind.is_fifo() || kind.is_char_device() {
            let mode = entry.metadata()?.permissions().mode();
            let kcore_holds_memory = entry.file_name() == "kcore";
            if mode & 0o222 != 0 || mode & 0o004 == 0 || kcore_holds_memory {
                covers.push((entry.path(), ProcCover::Hidden));
            }
        }
    }
    covers.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(covers)
}

/// Finds the guest's program: `BATON_GUEST`, else beside this program, or one folder above (programs of tests).
pub fn find_guest() -> Result<PathBuf, BackendError> {
    const NAME: &str = "sandbox-guest";
    let refused = |cause: String| BackendError::Refused {
        layer: "guest",
        cause,
        fix: "build it with `cargo build -p sandbox-guest`, or name it in BATON_GUEST".to_owned(),
    };
    if let Some(named) = std::env::var_os("BATON_GUEST") {
        let named = PathBuf::from(named);
        return fs::canonicalize(&named).map_err(|error| refused(format!("BATON_GUEST={}: {error}", named.display())));
    }
    let program = std::env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join(NAME));
    candidates.find(|path| path.is_file()).ok_or_else(|| refused(format!("no {NAME} beside {}", program.display())))
}

/// Explains why bubblewrap could not start a room, from what it said and what the kernel allows.
pub fn explain_refusal(said: &str) -> BackendError {
    let setting = |path: &str| fs::read_to_string(path).ok().map(|value| value.trim().to_owned());
    let cause =
        if said.trim().is_empty() { "bubblewrap ended without a word".to_owned() } else { said.trim().to_owned() };
    if let Some(cause) = said.lines().find(|line| line.starts_with("follow no links beneath the workspace")) {
        let fix = "use a kernel of version 5.10 or newer, which lets a user namespace mount with `nosymfollow`";
        return BackendError::Refused { layer: "workspace", cause: cause.to_owned(), fix: fix.to_owned() };
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
            return namespaces(
                "allow it for /usr/bin/bwrap with an AppArmor profile that has `userns,` (Ubuntu: \
                 `apt-get install apparmor-profiles && ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict \
                 /etc/apparmor.d/ && systemctl reload apparmor`)",
            );
        }
    }
    BackendError::Refused {
        layer: "bubblewrap",
        cause,
        fix: "run `baton doctor`; the kernel must allow user, mount, PID, network, IPC, UTS and cgroup namespaces"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_settings_are_read_only_in_rooms() {
        assert!(proc_covers().unwrap().contains(&("/proc/sys".into(), ProcCover::ReadOnly)));
    }

    #[test]
    fn processes_and_links_of_proc_are_left_alone() {
        let covers = proc_covers().unwrap();
        for path in ["/proc/self", "/proc/mounts", "/proc/1", "/proc/meminfo"] {
            assert!(!covers.iter().any(|(covered, _)| covered == Path::new(path)), "{path}");
        }
    }
}
