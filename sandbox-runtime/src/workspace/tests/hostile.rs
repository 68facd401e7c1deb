//! What code in a sandbox leaves in the workspace to lead the host astray. The oracle is the canary outside.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::stat::Mode;
use sandbox_core::model::FileKind;

use super::{CANARY, room};
use crate::workspace::WorkspaceError;

/// Far more than any of these calls takes; a call that hangs is told from one that is slow.
const NOT_HANGING: Duration = Duration::from_secs(30);

#[test]
fn links_that_stay_inside_are_followed_as_the_room_sees_them() {
    let room = room();
    room.put("real/file", "inside");
    let links = [
        ("relative", "real/file"),
        ("absolute", "/workspace/real/file"),
        ("roundabout", "real/../real/./file"),
        ("through", "folder/file"),
        ("folder", "/workspace/real"),
        ("real/up", "../real/file"),
    ];
    for (name, target) in links {
        symlink(target, room.host(name)).unwrap();
    }
    for path in ["relative", "absolute", "roundabout", "through", "folder/file", "real/up", "folder/up"] {
        assert_eq!(room.text(path), "inside", "{path}");
    }
    room.put("absolute", "written through");
    assert_eq!(room.text("real/file"), "written through");
    assert!(std::fs::symlink_metadata(room.host("absolute")).unwrap().is_symlink());
    room.put("folder/new", "beside it");
    assert_eq!(room.text("real/new"), "beside it");
    room.workspace.remove("absolute", false).unwrap();
    assert_eq!(room.text("real/file"), "written through");
}

#[test]
fn links_that_lead_outside_are_refused_by_every_call_and_the_canary_is_untouched() {
    let room = room();
    let outside = room.outside.to_str().unwrap().to_owned();
    let folders = [
        ("absolute", outside.clone()),
        ("relative", "../outside".to_owned()),
        ("roundabout", "./x/../../outside".to_owned()),
        ("through", "absolute".to_owned()),
        ("disguised", "/workspace/../outside".to_owned()),
        ("alike", "/workspacex".to_owned()),
        ("magic", "/proc/self/cwd".to_owned()),
        ("root", "/".to_owned()),
    ];
    room.workspace.mkdir("x").unwrap();
    for (name, target) in &folders {
        symlink(target, room.host(name)).unwrap();
        let path = format!("{name}/canary");
        let is_outside = |what: &str, error: WorkspaceError| {
            assert!(matches!(error, WorkspaceError::Outside { .. }), "{what} {path}: {error}");
        };
        is_outside("read", room.workspace.read(&path, None).unwrap_err());
        is_outside("write", room.workspace.write(&path, "x".as_bytes(), 9).unwrap_err());
        is_outside("write the link", room.workspace.write(name, "x".as_bytes(), 9).unwrap_err());
        is_outside("list", room.workspace.list(name, true).unwrap_err());
        is_outside("stat", room.workspace.stat(&path).unwrap_err());
        is_outside("mkdir", room.workspace.mkdir(&format!("{path}/new")).unwrap_err());
        is_outside("mkdir the link", room.workspace.mkdir(name).unwrap_err());
        is_outside("remove", room.workspace.remove(&path, true).unwrap_err());
        is_outside("rename from", room.workspace.rename(&path, "stolen").unwrap_err());
        is_outside("rename to", room.workspace.rename("x", &format!("{name}/x")).unwrap_err());
    }
    // The positive control: the host itself gets there by the same names.
    assert_eq!(std::fs::read_to_string(room.host("relative/canary")).unwrap(), CANARY);
    let listed = room.workspace.list("", true).unwrap().entries;
    assert_eq!(listed.iter().filter(|entry| entry.kind == FileKind::Symlink).count(), folders.len());
    assert_eq!(listed.len(), folders.len() + 1);
    for (name, _) in &folders {
        room.workspace.remove(name, true).unwrap();
    }
    room.check_outside();
}

#[test]
fn a_tree_with_links_outside_is_removed_without_following_them() {
    let room = room();
    room.put("tree/a/file", "x");
    symlink(&room.outside, room.host("tree/a/out")).unwrap();
    symlink(room.outside.join("canary"), room.host("tree/canary")).unwrap();
    room.workspace.remove("tree", true).unwrap();
    room.check_outside();
}

#[test]
fn links_in_a_circle_and_links_to_nothing_are_errors() {
    let room = room();
    symlink("b", room.host("a")).unwrap();
    symlink("a", room.host("b")).unwrap();
    symlink("nowhere", room.host("dangling")).unwrap();
    assert!(matches!(room.workspace.read("a", None), Err(WorkspaceError::InvalidPath { .. })));
    assert!(matches!(room.workspace.read("a/x", None), Err(WorkspaceError::InvalidPath { .. })));
    assert!(matches!(room.workspace.read("dangling", None), Err(WorkspaceError::NotFound { .. })));
    room.put("dangling", "made where the link points");
    assert_eq!(std::fs::read_to_string(room.host("nowhere")).unwrap(), "made where the link points");
}

#[test]
fn pipes_sockets_and_links_to_devices_are_refused_without_hanging() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let room = room();
        nix::unistd::mkfifo(&room.host("pipe"), Mode::from_bits_truncate(0o666)).unwrap();
        let _listener = UnixListener::bind(room.host("socket")).unwrap();
        symlink("pipe", room.host("link")).unwrap();
        for path in ["pipe", "socket", "link"] {
            let not_a_file = |result: Result<(), WorkspaceError>| {
                let refused = matches!(result, Err(WorkspaceError::NotAFile { kind: FileKind::Other, .. }));
                assert!(refused, "{path}: {result:?}");
            };
            not_a_file(room.workspace.read(path, None).map(drop));
            not_a_file(room.workspace.write(path, "x".as_bytes(), 1).map(drop));
        }
        symlink("/dev/zero", room.host("zero")).unwrap();
        assert!(matches!(room.workspace.read("zero", None), Err(WorkspaceError::Outside { .. })));
        let kinds: Vec<_> = room.workspace.list("", true).unwrap().entries.into_iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [FileKind::Symlink, FileKind::Other, FileKind::Other, FileKind::Symlink]);
        room.workspace.remove("pipe", false).unwrap();
        done.send(()).unwrap();
    });
    finished.recv_timeout(NOT_HANGING).expect("a call hung, or an expectation above failed");
}

#[test]
fn a_file_exchanged_for_a_link_outside_while_it_is_read_never_shows_the_canary() {
    let room = room();
    room.put("honest", "inside");
    room.put("folder/canary", "inside");
    let stop = AtomicBool::new(false);
    let n_refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (file, folder) = (room.host("x"), room.host("f"));
            while !stop.load(Ordering::Relaxed) {
                // Exchanged by renaming, as fast as the machine can.
                symlink(room.outside.join("canary"), room.host("t1")).unwrap();
                std::fs::rename(room.host("t1"), &file).unwrap();
                symlink(&room.outside, room.host("t2")).unwrap();
                std::fs::rename(room.host("t2"), &folder).unwrap();
                std::fs::hard_link(room.host("honest"), room.host("t1")).unwrap();
                std::fs::rename(room.host("t1"), &file).unwrap();
                symlink("folder", room.host("t2")).unwrap();
                std::fs::rename(room.host("t2"), &folder).unwrap();
            }
        });
        let mut n_read = 0;
        for _ in 0..20_000 {
            for path in ["x", "f/canary"] {
                match room.workspace.read(path, None) {
                    Ok(content) => {
                        n_read += 1;
                        assert_eq!(content.bytes, b"inside", "{path}");
                    }
                    Err(WorkspaceError::Outside { .. }) => drop(n_refused.fetch_add(1, Ordering::Relaxed)),
                    Err(WorkspaceError::NotFound { .. } | WorkspaceError::Changing { .. }) => {}
                    Err(other) => panic!("{path}: {other}"),
                }
            }
            if n_read > 200 && n_refused.load(Ordering::Relaxed) > 200 {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(n_read > 0 && n_refused.load(Ordering::Relaxed) > 0, "the race did not happen: {n_read} reads");
    });
    room.check_outside();
}

#[test]
fn a_folder_exchanged_for_a_link_outside_while_it_is_written_and_removed_never_leads_there() {
    let room = room();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // Whatever of this fails because the other side was faster is tried again.
                let _ = std::fs::create_dir_all(room.host("real/sub"));
                let _ = std::fs::write(room.host("real/sub/canary"), "inside");
                let _ = std::fs::rename(room.host("real"), room.host("d"));
                let _ = std::fs::rename(room.host("d"), room.host("away"));
                let _ = symlink(&room.outside, room.host("d"));
                let _ = std::fs::rename(room.host("d"), room.host("gone"));
                let _ = std::fs::remove_dir_all(room.host("away"));
            }
        });
        for n in 0..1500 {
            // All answers are allowed here; what counts is the canary.
            let _ = room.workspace.write("d/new", "from the host".as_bytes(), 100);
            let _ = room.workspace.write("d/canary", "from the host".as_bytes(), 100);
            let _ = room.workspace.remove("d", true);
            let _ = room.workspace.remove("d/canary", false);
            if n % 100 == 0 {
                room.check_outside();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    room.check_outside();
}
