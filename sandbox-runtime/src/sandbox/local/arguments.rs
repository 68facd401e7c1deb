//! The room as arguments of bubblewrap: a pure function, so that what a room is made of can be read and tested in one place.
//!
//! Rules kept here: nothing of the host is writable but workspace and profile; no mount point lies beneath a folder that
//! outlives the room and that the sandbox can write; everything else that a room writes is a tmpfs that ends with it.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};

use sandbox_link::protocol::NO_LINKS_VARIABLE;
use sandbox_link::walls::{ProcCover, WallOrders};

use super::super::room::{ENVIRONMENT, GUEST_PATH, MEMORY_FOLDERS, ROOM_ID, RoomKind};
use super::super::{PROFILE_DIR, WORKSPACE_DIR};

/// Over the shell room's own namespaces, never over the host: to mount `/proc`, to allow no further user namespaces, and
/// to name commands user 1000.
const GUEST_CAPABILITIES: [&str; 3] = ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "CAP_SETFCAP"];
/// The folder of [`PROFILE_DIR`].
const PROFILE_PARENT: &str = "/run/kept";

/// What a room takes of the host's `/etc`: what programs need to start, find fonts, check certificates, name types.
/// Nothing that names users, hosts, services or secrets of the host: `ssl` without its `private`.
const ETC: &[&str] = &[
    "ImageMagick-6",
    "X11",
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "chromium",
    "chromium.d",
    "debian_version",
    "dictionaries-common",
    "fonts",
    "glvnd",
    "gtk-3.0",
    "inputrc",
    "java-17-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "libreoffice",
    "locale.alias",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "mime.types",
    "opt/chrome",
    "os-release",
    "papersize",
    "perl",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    "vulkan",
    "xdg/mimeapps.list",
    "xml",
];

/// Parts of the host outside `/usr` and `/etc` that programs installed there need.
const BESIDE_USR: &[&str] = &["/opt/google", "/var/cache/fontconfig", "/var/lib/libreoffice"];

/// What the arguments depend on. Descriptors are numbers in bubblewrap's process.
#[derive(Clone, Debug)]
pub struct Layout<'a> {
    pub kind: RoomKind,
    pub host: &'a HostRoot,
    pub guest: &'a Path,
    pub workspace: RawFd,
    pub profile: Option<RawFd>,
    /// Contents of files that the room has of its own, and where they go.
    pub own_files: Vec<(&'static str, RawFd)>,
    /// Where bubblewrap writes the process id of the room's init.
    pub info: RawFd,
    /// What the guest is told about its walls.
    pub orders: &'a WallOrders,
    /// How large each folder that lives in memory may become, in bytes.
    pub memory_folder_bytes: u64,
    /// Whether this bubblewrap binds descriptors and checks that it got what they point to.
    pub binds_descriptors: bool,
}

/// The host's root as far as rooms mirror it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRoot {
    /// `/bin`, `/lib` and their like.
    pub top: Vec<TopFolder>,
    /// Entries of `/proc` that are not processes, and how a room may see them.
    pub proc: Vec<(PathBuf, ProcCover)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopFolder {
    /// A link into `/usr`.
    Link { path: PathBuf, target: PathBuf },
    /// A folder of its own.
    Folder(PathBuf),
}

/// Returns the arguments of bubblewrap, the guest's command line last.
///
/// The guest adds what is made from inside: the commands' namespaces, Landlock and the system-call filter.
pub fn arguments(layout: &Layout) -> Vec<OsString> {
    let mut args = Arguments::default();
    namespaces(&mut args, layout);
    environment(&mut args, layout);
    system(&mut args, layout);
    own_files(&mut args, layout);
    private_folders(&mut args, layout);
    shared_folders(&mut args, layout);
    args.add(["--remount-ro", "/", "--chdir", WORKSPACE_DIR, "--", GUEST_PATH]);
    args.0.extend(layout.orders.to_arguments().into_iter().map(OsString::from));
    args.0
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    fn add_paths(&mut self, option: &str, from: &Path, to: &Path) {
        self.0.extend([OsString::from(option), from.into(), to.into()]);
    }
}

fn namespaces(args: &mut Arguments, layout: &Layout) {
    args.add(["--unshare-user", "--cap-drop", "ALL"]);
    match layout.kind {
        // What the guest needs to give commands their own processes, and gives up before the first of them.
        RoomKind::Shell => {
            args.add(["--uid", "0", "--gid", "0"]);
            for capability in GUEST_CAPABILITIES {
                args.add(["--cap-add", capability]);
            }
        }
        RoomKind::Desktop => args.add(["--uid", ROOM_ID, "--gid", ROOM_ID]),
    }
    args.add(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]);
    args.add(["--hostname", "baton", "--die-with-parent", "--new-session", "--as-pid-1"]);
    args.add(["--info-fd", &layout.info.to_string()]);
}

fn environment(args: &mut Arguments, layout: &Layout) {
    args.add(["--clearenv"]);
    for (name, value) in ENVIRONMENT {
        args.add(["--setenv", name, value]);
    }
    match layout.kind {
        // Here links lead only to what the programs that made them have anyway.
        RoomKind::Shell => {}
        RoomKind::Desktop => args.add(["--setenv", NO_LINKS_VARIABLE, WORKSPACE_DIR]),
    }
}

fn system(args: &mut Arguments, layout: &Layout) {
    args.add(["--ro-bind", "/usr", "/usr"]);
    for top in &layout.host.top {
        match top {
            TopFolder::Link { path, target } => args.add_paths("--symlink", target, path),
            TopFolder::Folder(path) => args.add_paths("--ro-bind", path, path),
        }
    }
    args.add(["--perms", "0755", "--dir", "/etc"]);
    for name in ETC {
        let path = Path::new("/etc").join(name);
        args.add_paths("--ro-bind-try", &path, &path);
    }
    for path in BESIDE_USR {
        args.add(["--ro-bind-try", path, path]);
    }
    args.add(["--proc", "/proc"]);
    for (path, cover) in &layout.host.proc {
        match cover {
            ProcCover::ReadOnly => args.add_paths("--ro-bind", path, path),
            ProcCover::Hidden => args.add_paths("--ro-bind", Path::new("/dev/null"), path),
        }
    }
    args.add(["--dev", "/dev"]);
}

fn own_files(args: &mut Arguments, layout: &Layout) {
    for (path, content) in &layout.own_files {
        args.add(["--perms", "0444", "--file", &content.to_string(), path]);
    }
}

fn private_folders(args: &mut Arguments, layout: &Layout) {
    let size = layout.memory_folder_bytes.to_string();
    args.add(["--perms", "0755", "--dir", "/home", "--perms", "0755", "--dir", "/run", "--perms", "0755", "--dir"]);
    args.add(["/run/user"]);
    for (path, mode) in MEMORY_FOLDERS {
        args.add(["--size", &size, "--perms", mode, "--tmpfs", path]);
    }
    match layout.kind {
        RoomKind::Shell => {}
        // An X server that is not root does not make it.
        RoomKind::Desktop => args.add(["--perms", "1777", "--dir", "/tmp/.X11-unix"]),
    }
}

fn shared_folders(args: &mut Arguments, layout: &Layout) {
    let share = |args: &mut Arguments, fd: RawFd, path: &str| {
        if layout.binds_descriptors {
            args.add(["--bind-fd", &fd.to_string(), path]);
        } else {
            args.add(["--bind", &format!("/proc/self/fd/{fd}"), path]);
        }
    };
    share(args, layout.workspace, WORKSPACE_DIR);
    if let Some(profile) = layout.profile {
        args.add(["--perms", "0755", "--dir", PROFILE_PARENT]);
        share(args, profile, PROFILE_DIR);
        args.add(["--chmod", "0111", PROFILE_PARENT]);
    }
    args.add_paths("--ro-bind", layout.guest, Path::new(GUEST_PATH));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: RoomKind, profile: Option<RawFd>, binds_descriptors: bool) -> Vec<String> {
        let host = HostRoot {
            top: vec![
                TopFolder::Link { path: "/bin".into(), target: "usr/bin".into() },
                TopFolder::Folder("/lib".into()),
            ],
            proc: vec![("/proc/sys".into(), ProcCover::ReadOnly), ("/proc/kcore".into(), ProcCover::Hidden)],
        };
        let orders = WallOrders { processes: Some(9), ..WallOrders::default() };
        let layout = Layout {
            kind,
            orders: &orders,
            memory_folder_bytes: 4096,
            host: &host,
            guest: Path::new("/somewhere/sandbox-guest"),
            workspace: 4,
            profile,
            own_files: vec![("/etc/passwd", 6)],
            info: 7,
            binds_descriptors,
        };
        arguments(&layout).into_iter().map(|word| word.into_string().expect("plain text")).collect()
    }

    fn has(words: &[String], run: &str) -> bool {
        words.join(" ").contains(run)
    }

    #[test]
    fn every_room_has_every_namespace_and_ends_with_its_parent() {
        for kind in [RoomKind::Shell, RoomKind::Desktop] {
            let words = words(kind, None, true);
            for option in [
                "--unshare-user",
                "--unshare-pid",
                "--unshare-net",
                "--unshare-ipc",
                "--unshare-uts",
                "--unshare-cgroup",
                "--die-with-parent",
                "--new-session",
                "--clearenv",
            ] {
                assert!(words.iter().any(|word| word == option), "{option}");
            }
        }
    }

    #[test]
    fn only_the_guest_of_the_shell_room_has_capabilities_over_its_room() {
        let shell = words(RoomKind::Shell, None, true);
        assert!(has(&shell, "--uid 0 --gid 0 --cap-add CAP_SYS_ADMIN"), "the guest turns them off");
        let desktop = words(RoomKind::Desktop, Some(5), true);
        assert!(has(&desktop, "--cap-drop ALL --uid 1000 --gid 1000") && !has(&desktop, "--cap-add"));
    }

    #[test]
    fn only_workspace_and_profile_are_writable_parts_of_the_host() {
        let words = words(RoomKind::Desktop, Some(5), true);
        let writable: Vec<_> = words.windows(3).filter(|run| run[0].starts_with("--bind")).map(|run| &run[2]).collect();
        assert_eq!(writable, [WORKSPACE_DIR, PROFILE_DIR]);
        assert!(!words.iter().any(|word| word.starts_with("--dev-bind")));
    }

    #[test]
    fn only_the_desktop_room_follows_no_links_of_the_workspace() {
        assert!(has(&words(RoomKind::Desktop, Some(5), true), "--setenv BATON_NO_LINKS_BENEATH /workspace"));
        assert!(!has(&words(RoomKind::Shell, None, true), "NO_LINKS"));
    }

    #[test]
    fn folders_in_memory_have_a_size() {
        let words = words(RoomKind::Shell, None, true);
        for (at, word) in words.iter().enumerate().filter(|(_, word)| *word == "--tmpfs") {
            assert_eq!(words[at - 4..at - 2], ["--size", "4096"], "{word} {}", words[at + 1]);
        }
    }

    #[test]
    fn no_mount_point_lies_beneath_the_workspace() {
        let words = words(RoomKind::Desktop, Some(5), true);
        assert!(!words.iter().any(|word| word.starts_with("/workspace/")));
    }

    #[test]
    fn the_entries_of_proc_are_covered_after_it_is_mounted() {
        let words = words(RoomKind::Shell, None, true).join(" ");
        let at = |run: &str| words.find(run).expect(run);
        assert!(at("--proc /proc") < at("--ro-bind /proc/sys /proc/sys"));
        assert!(at("--proc /proc") < at("--ro-bind /dev/null /proc/kcore"));
    }

    #[test]
    fn the_root_is_read_only_once_everything_is_mounted() {
        let words = words(RoomKind::Shell, None, true);
        let end = &words[words.len() - 8..];
        assert_eq!(end, ["--remount-ro", "/", "--chdir", "/workspace", "--", GUEST_PATH, "--processes", "9"]);
    }

    #[test]
    fn an_older_bubblewrap_binds_by_the_name_of_the_descriptor() {
        assert!(has(&words(RoomKind::Shell, None, false), "--bind /proc/self/fd/4 /workspace"));
        assert!(has(&words(RoomKind::Shell, None, true), "--bind-fd 4 /workspace"));
    }
}
