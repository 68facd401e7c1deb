//! What every room has, whichever backend starts it.

use std::path::PathBuf;

use sandbox_core::model::LimitsInForce;
use sandbox_link::protocol::RoomSettings;

use super::BackendError;

/// Where the room sees the guest's program.
pub const GUEST_PATH: &str = "/opt/baton/sandbox-guest";
/// User and group of what runs in a room; in the shell room the guest makes it so for commands.
pub const ROOM_ID: &str = "1000";
pub const HOME: &str = "/home/baton";
pub const RUNTIME_DIR: &str = "/run/user/1000";

/// Environment of the guest itself; commands get one of their own.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", HOME),
    ("USER", "baton"),
    ("LOGNAME", "baton"),
    ("SHELL", "/bin/bash"),
    ("LANG", "C.UTF-8"),
    ("TMPDIR", "/tmp"),
    ("XDG_RUNTIME_DIR", RUNTIME_DIR),
];

/// Folders that live in memory and end with the room, and their modes.
pub const MEMORY_FOLDERS: [(&str, &str); 5] =
    [("/tmp", "1777"), ("/var/tmp", "1777"), ("/dev/shm", "1777"), (HOME, "0700"), (RUNTIME_DIR, "0700")];

/// Which of the two rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomKind {
    Shell,
    Desktop,
}

impl From<&RoomSettings> for RoomKind {
    fn from(settings: &RoomSettings) -> Self {
        match settings {
            RoomSettings::Shell(_) => Self::Shell,
            RoomSettings::Desktop(_) => Self::Desktop,
        }
    }
}

/// Returns the user and group that files of a workspace belong to on the host.
///
/// The room's user is this process's own user, under another number: what either writes, the other may change, and nothing
/// need be given away. That holds for root too.
pub fn file_owner() -> (u32, u32) {
    (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw())
}

/// How large each folder of a room that lives in memory may become: a quarter of the sandbox's memory.
pub fn memory_folder_bytes(limits: &LimitsInForce) -> u64 {
    const WITHOUT_LIMIT: u64 = 1 << 30;
    limits.memory_mb.map_or(WITHOUT_LIMIT, |limit| (limit.value << 20) / 4)
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
        return std::fs::canonicalize(&named)
            .map_err(|error| refused(format!("BATON_GUEST={}: {error}", named.display())));
    }
    let program = std::env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join(NAME));
    candidates.find(|path| path.is_file()).ok_or_else(|| refused(format!("no {NAME} beside {}", program.display())))
}
