//! What a room cannot see or reach, each with the same line succeeding outside; and what it shares on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use sandbox_core::model::Viewport;
use sandbox_link::protocol::{DesktopSettings, GuestOpen, RoomSettings, ShellSettings};
use sandbox_link::read_message;
use sandbox_runtime::sandbox::calls::exec;
use sandbox_runtime::sandbox::file_owner;
use sandbox_runtime::sandbox::{BackendError, Room};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bench::{Bench, command, marker, sh};

/// Runs a line of shell outside, as the positive control.
fn outside(line: &str) -> bool {
    Command::new("/bin/bash").args(["-c", line]).output().unwrap().status.success()
}

/// Asserts that a line of shell succeeds outside and fails in the room.
async fn only_outside(room: &Room, line: &str) {
    assert!(outside(line), "positive control: {line}");
    let result = sh(room, line).await;
    assert_ne!(result.exit_code, 0, "in the room: {line}: {}", result.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_host_are_not_visible() {
    let bench = Bench::new();
    let room = bench.room().await;
    let mut folders: Vec<PathBuf> = vec!["/tmp".into(), "/var/tmp".into(), "/dev/shm".into(), bench.home.path().into()];
    folders.extend(std::env::home_dir());
    if nix::unistd::geteuid().is_root() {
        folders.extend(["/root".into(), "/home".into(), "/run".into(), "/etc".into(), "/srv".into()]);
    }
    for folder in folders {
        let canary = tempfile::Builder::new().prefix("baton-canary").tempfile_in(&folder).unwrap();
        only_outside(&room, &format!("cat {}", canary.path().display())).await;
    }
    for file in ["/etc/fstab", "/etc/ssh", "/sys/kernel", "/proc/1/root/etc/shadow"] {
        assert_ne!(sh(&room, &format!("ls {file}")).await.exit_code, 0, "{file}");
    }
    only_outside(&room, "ls /var/lib/dpkg /sys/class").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_of_the_runtime_does_not_reach_commands() {
    let bench = Bench::new();
    let room = bench.room().await;
    let listed = exec(&room.link, command("/usr/bin/env", &["-0"]), None, |_| {}).await.unwrap().stdout;
    let names: BTreeSet<&str> = listed.split_terminator('\0').filter_map(|pair| pair.split('=').next()).collect();
    let expected = [
        "FROM",
        "HOME",
        "LANG",
        "LOGNAME",
        "NODE_USE_ENV_PROXY",
        "PATH",
        "PYTHONUNBUFFERED",
        "SHELL",
        "TMPDIR",
        "USER",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    // The guest's own environment, and bubblewrap's arguments, are closed to commands.
    assert_ne!(sh(&room, "cat /proc/1/environ /proc/2/environ").await.exit_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_of_the_host_are_not_reachable() {
    let bench = Bench::new();
    let room = bench.room().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    only_outside(&room, &format!("exec 3<>/dev/tcp/127.0.0.1/{port}")).await;
    let seen = std::iter::from_fn(|| listener.accept().ok()).count();
    assert_eq!(seen, 1, "only the positive control came through");

    let name = marker();
    let script = format!("import socket; s = socket.socket(socket.AF_UNIX); s.connect(b'\\x00{name}')");
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name).unwrap();
    let _abstract = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    only_outside(&room, &format!("/usr/bin/python3 -c \"{script}\"")).await;
    only_outside(&room, "test $(ls /sys/class/net | wc -l) -ge 1").await;
    assert_eq!(sh(&room, "grep -c : /proc/net/dev").await.stdout, "1\n", "loopback alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_a_stream_of_the_link() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    spec.settings = RoomSettings::Shell(ShellSettings { env: BTreeMap::new(), proxy_port: 3128 });
    let mut room = bench.room_of(spec).await;
    let line = "exec 3<>/dev/tcp/127.0.0.1/3128; echo hello >&3; head -1 <&3; echo $http_proxy";
    let link = room.link.clone();
    let asked = tokio::spawn(async move { exec(&link, command("/bin/bash", &["-c", line]), None, |_| {}).await });
    let mut out = room.incoming.accept().await.unwrap();
    assert_eq!(read_message::<GuestOpen>(&mut out).await.unwrap(), Some(GuestOpen::Egress));
    let mut heard = [0; 6];
    out.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello\n");
    out.write_all(b"from outside\n").await.unwrap();
    out.flush().await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().stdout, "from outside\nhttp://127.0.0.1:3128\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_without_network_has_no_port_either() {
    let bench = Bench::new();
    let room = bench.room().await;
    assert_ne!(sh(&room, "exec 3<>/dev/tcp/127.0.0.1/3128").await.exit_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_descriptor_of_the_runtime_is_inherited() {
    let bench = Bench::new();
    let leaked = tempfile::tempfile().unwrap();
    // SAFETY: a plain copy, which is not marked to be closed.
    let leaked = unsafe { OwnedFd::from_raw_fd(nix::libc::dup(leaked.as_raw_fd())) };
    let number = leaked.as_raw_fd();
    assert!(outside(&format!("test -e /proc/$$/fd/{number}")), "positive control: a plain child has it");
    let room = bench.room().await;
    let listed = sh(&room, "ls /proc/$$/fd; true").await.stdout;
    let numbers: BTreeSet<&str> = listed.split_ascii_whitespace().collect();
    assert_eq!(numbers, BTreeSet::from(["0", "1", "2"]));
    // Nor can commands take the link out of the guest, which runs as the same user.
    let takes = |pid: &str| {
        let script = "import ctypes, os, sys; \
            taken = ctypes.CDLL(None).syscall(438, os.pidfd_open(int(sys.argv[1])), 0, 0); sys.exit(taken < 0)";
        format!("/usr/bin/python3 -c '{script}' {pid} && readlink /proc/{pid}/fd/0")
    };
    assert!(outside(&takes("$$")), "positive control: a process of one's own is open");
    for holder in ["1", "2", "$PPID"] {
        assert_ne!(sh(&room, &takes(holder)).await.exit_code, 0, "{holder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_no_privileges_and_no_way_to_new_ones() {
    let bench = Bench::new();
    let room = bench.room().await;
    let status = sh(&room, "id -u; grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs)' /proc/self/status").await.stdout;
    let none = "0000000000000000";
    let expected =
        format!("1000\nCapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\n");
    assert_eq!(status, expected);
    only_outside(&room, "unshare --user true").await;
    assert_eq!(sh(&room, "ulimit -c").await.stdout, "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_kernel_cannot_be_written() {
    let bench = Bench::new();
    let room = bench.room().await;
    // Opened for writing, and nothing written. A plain user cannot do it outside either.
    let opens = "exec 3>>/proc/sys/kernel/core_pattern";
    assert_eq!(outside(opens), nix::unistd::geteuid().is_root());
    assert_ne!(sh(&room, opens).await.exit_code, 0);
    let writable = "find /proc -mindepth 1 -maxdepth 1 -name '[0-9]*' -prune -o -type d -print0 | \
        xargs -0 -I{} find {} -type f -writable 2>/dev/null; \
        for file in /proc/*; do test -f $file && (exec 3>>$file) 2>/dev/null && echo $file; done; true";
    assert_eq!(sh(&room, writable).await.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_of_a_room_is_read_only() {
    let bench = Bench::new();
    let room = bench.room().await;
    for path in
        ["/x", "/usr/x", "/etc/x", "/etc/passwd", "/opt/baton/sandbox-guest", "/usr/bin/env", "/home/x", "/run/x"]
    {
        assert_ne!(sh(&room, &format!("echo x 2>/dev/null >>{path}")).await.exit_code, 0, "{path}");
    }
    for path in ["/tmp/x", "/home/baton/x", "/dev/shm/x", "/workspace/x", "/var/tmp/x", "/run/user/1000/x"] {
        assert_eq!(sh(&room, &format!("echo x >>{path}")).await.exit_code, 0, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_is_the_same_on_both_sides() {
    let bench = Bench::new();
    fs::write(bench.workspace().join("given"), "from the host").unwrap();
    let room = bench.room().await;
    assert_eq!(sh(&room, "cat given; stat -c %u:%a . given").await.stdout, "from the host1000:755\n1000:644\n");
    sh(&room, "echo -n from the room >made; mkdir folder").await;
    let made = bench.workspace().join("made");
    assert_eq!(fs::read_to_string(&made).unwrap(), "from the room");
    let metadata = fs::metadata(&made).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), file_owner());
    fs::write(&made, "changed by the host").unwrap();
    assert_eq!(sh(&room, "cat made; rm made given").await.stdout, "changed by the host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbolic_link_in_place_of_a_workspace_is_refused() {
    let bench = Bench::new();
    let secret = tempfile::tempdir().unwrap();
    let mut spec = bench.spec();
    spec.workspace = bench.home.path().join("workspaces/planted");
    symlink(secret.path(), &spec.workspace).unwrap();
    assert!(spec.workspace.is_dir(), "positive control: who follows it finds a folder");
    for workspace in [spec.workspace.clone(), secret.path().to_owned(), bench.home.path().to_owned()] {
        spec.workspace = workspace;
        let Err(BackendError::Refused { layer, .. }) = bench.backend.start(spec.clone()).await else {
            panic!("{} was accepted", spec.workspace.display())
        };
        assert_eq!(layer, "folders");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_left_in_the_workspace_leads_nowhere() {
    let bench = Bench::new();
    let canary = tempfile::NamedTempFile::new().unwrap();
    symlink(canary.path(), bench.workspace().join("link")).unwrap();
    fs::read(bench.workspace().join("link")).expect("positive control: outside it leads to the canary");
    let room = bench.room().await;
    assert_ne!(sh(&room, "cat link").await.exit_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_see_neither_processes_nor_profile_of_the_desktop_room() {
    let bench = Bench::new();
    let profile = bench.home.path().join("profiles/one");
    fs::write(profile.join("cookies"), "secret").unwrap();
    let mut spec = bench.spec();
    spec.profile = Some(profile);
    spec.settings = RoomSettings::Desktop(DesktopSettings {
        viewport: Viewport::default(),
        proxy_port: 0,
        browser: vec!["/usr/bin/sleep".into(), marker()],
        start_url: "about:blank".into(),
    });
    let desktop = bench.backend.start(spec.clone()).await.unwrap();
    spec.settings = bench.spec().settings;
    let shell = bench.room_of(spec).await;
    // Guest, supervisor, and the shell that counts them.
    assert_eq!(sh(&shell, "cd /proc; set -- [0-9]*; echo $#").await.stdout, "3\n");
    assert_ne!(sh(&shell, "ls /run/kept/profile").await.exit_code, 0);
    assert!(!desktop.link.is_closed());
}
