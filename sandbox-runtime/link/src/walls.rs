//! What runtime and guest must agree on about a room's isolation: the names of its layers, the guest's orders, and how
//! `/proc` is covered.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;

/// The guest says it on standard error before the name of a layer that it could not set up, and the cause.
pub const FAILED_LAYER: &str = "layer failed:";
/// The least level of Landlock that a sandbox starts with: that of Linux 5.19 and of Debian 12. Before level 3 the fence does
/// not keep a file from being cut to nothing; there the read-only mounts alone do.
pub const LEAST_LANDLOCK: i32 = 2;

/// A layer of the isolation that the guest sets up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Commands have a process namespace of their own, with its `/proc`.
    Processes,
    /// Commands can make no user namespaces.
    UserNamespaces,
    /// Commands have no capabilities, and no way to any.
    Privileges,
    /// Limits of the kernel on each process.
    Limits,
    Landlock,
    Seccomp,
    /// The browser follows no link in the workspace.
    Links,
}

impl Layer {
    pub const ALL: [Self; 7] = [
        Self::Processes,
        Self::UserNamespaces,
        Self::Privileges,
        Self::Limits,
        Self::Landlock,
        Self::Seccomp,
        Self::Links,
    ];

    /// Returns the name by which it is refused.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processes => "process namespace",
            Self::UserNamespaces => "user namespaces",
            Self::Privileges => "privileges",
            Self::Limits => "limits",
            Self::Landlock => "Landlock",
            Self::Seccomp => "seccomp",
            Self::Links => "workspace",
        }
    }

    /// Returns what mends it, to be read after what failed.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Processes => {
                "the kernel must let a sandbox mount its own /proc: in a container, give it an unmasked /proc \
                 (Docker: `--security-opt systempaths=unconfined`)"
            }
            Self::UserNamespaces => "run `sysctl -w user.max_user_namespaces=10000` as root",
            Self::Privileges => "use a kernel of version 5.10 or newer",
            Self::Limits => "run `baton doctor`",
            Self::Landlock => {
                "use a kernel of version 5.19 or newer with CONFIG_SECURITY_LANDLOCK, and `landlock` in the list of its \
                 boot parameter `lsm=`"
            }
            Self::Seccomp => "use a kernel with CONFIG_SECCOMP_FILTER, on x86-64, AArch64 or RISC-V",
            Self::Links => {
                "use a kernel of version 5.10 or newer, which lets a user namespace mount with `nosymfollow`"
            }
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }

    /// Finds the layer that a guest said it could not set up, and the whole of what it said about it.
    pub fn failed_in(said: &str) -> Option<(Self, String)> {
        let line = said.lines().find_map(|line| line.strip_prefix(FAILED_LAYER))?;
        let (name, cause) = line.trim().split_once(": ")?;
        Some((Self::from_name(name)?, cause.to_owned()))
    }
}

/// What the guest is told by arguments, because it needs it before it has a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WallOrders {
    /// How many processes and threads commands may have, counted by the kernel for each user.
    pub processes: Option<u64>,
    /// How much memory of its own one command may take, in bytes.
    pub data_bytes: Option<u64>,
    /// How large one file that a command writes may become, in bytes.
    pub file_bytes: Option<u64>,
    /// The room is a container: the guest makes its own user namespace, and its link is standard input and output.
    pub in_container: bool,
    /// A layer to go without. Only the tests' backends say it, to show that the layers overlap.
    pub without: Option<Layer>,
}

const PROCESSES: &str = "--processes";
const DATA_BYTES: &str = "--data-bytes";
const FILE_BYTES: &str = "--file-bytes";
const IN_CONTAINER: &str = "--in-container";
const WITHOUT: &str = "--without";

impl WallOrders {
    pub fn to_arguments(&self) -> Vec<String> {
        let number = |name: &str, value: Option<u64>| value.map(|value| [name.to_owned(), value.to_string()]);
        let in_container = self.in_container.then(|| [IN_CONTAINER.to_owned(), true.to_string()]);
        let without = self.without.map(|layer| [WITHOUT.to_owned(), layer.name().to_owned()]);
        let all = [
            number(PROCESSES, self.processes),
            number(DATA_BYTES, self.data_bytes),
            number(FILE_BYTES, self.file_bytes),
            in_container,
            without,
        ];
        all.into_iter().flatten().flatten().collect()
    }

    /// # Errors
    /// A word that is no order: nothing is to run with walls other than those asked for.
    pub fn from_arguments(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut orders = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let number = || value.parse().map_err(|_| format!("{name} {value}"));
            match name.as_str() {
                PROCESSES => orders.processes = Some(number()?),
                DATA_BYTES => orders.data_bytes = Some(number()?),
                FILE_BYTES => orders.file_bytes = Some(number()?),
                IN_CONTAINER => orders.in_container = value.parse().map_err(|_| format!("{name} {value}"))?,
                WITHOUT => orders.without = Some(Layer::from_name(&value).ok_or_else(|| format!("{name} {value}"))?),
                _ => return Err(format!("{name} {value}")),
            }
        }
        Ok(orders)
    }
}

/// Returns the level (ABI) of Landlock that the kernel offers; 0 without it.
pub fn landlock_level() -> i32 {
    const VERSION: libc::c_ulong = 1;
    // SAFETY: without attributes the call takes numbers alone, and answers the version.
    let level = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
    i32::try_from(level).unwrap_or(0).max(0)
}

/// How an entry of `/proc` is covered.
///
/// A runtime that runs as root is root's own user for the kernel in its rooms too, only without capabilities: without
/// covers it could write `/proc/sys/kernel/core_pattern` and so run programs on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcCover {
    ReadOnly,
    Hidden,
}

/// Decides for each entry of `/proc` that is not a process: folders become read-only, files that somebody may write or
/// that not everybody may read are hidden. Links lead to the reader's own process.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn proc_covers() -> io::Result<Vec<(PathBuf, ProcCover)>> {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn orders_survive_being_arguments() {
        for orders in [
            WallOrders::default(),
            WallOrders {
                processes: Some(7),
                data_bytes: Some(1 << 30),
                file_bytes: Some(1 << 40),
                in_container: true,
                without: Some(Layer::Seccomp),
            },
        ] {
            assert_eq!(WallOrders::from_arguments(orders.to_arguments()), Ok(orders));
        }
    }

    #[test]
    fn a_word_that_is_no_order_is_refused() {
        for words in [["--without", "everything"], ["--processes", "many"], ["--open", "door"]] {
            assert_eq!(WallOrders::from_arguments(words.map(str::to_owned)), Err(words.join(" ")));
        }
    }

    #[test]
    fn a_layer_that_failed_is_found_in_what_was_said() {
        for layer in Layer::ALL {
            let said = format!("a warning\n{FAILED_LAYER} {}: it says: no\n", layer.name());
            assert_eq!(Layer::failed_in(&said), Some((layer, "it says: no".to_owned())));
        }
        assert_eq!(Layer::failed_in("bwrap: no"), None);
    }

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
