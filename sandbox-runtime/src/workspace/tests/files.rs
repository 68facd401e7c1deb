//! Files and folders in ordinary use.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use sandbox_core::model::{ArtifactKind, FileKind};
use tokio_util::sync::CancellationToken;

use super::room;
use crate::store::Store;
use crate::workspace::artifacts::{MAX_ARTIFACT, SnapshotError, Source, snapshot};
use crate::workspace::{MAX_READ, WorkspaceError};

#[test]
fn a_file_that_was_written_is_read_listed_and_described() {
    let room = room();
    let written = room.workspace.write("/workspace/a/b/ü 履歴.txt", "hello".as_bytes(), 5).unwrap();
    assert_eq!((written.path.as_str(), written.kind, written.size), ("a/b/ü 履歴.txt", FileKind::File, 5));
    assert_eq!(room.text("a/b/ü 履歴.txt"), "hello");
    assert_eq!(room.workspace.stat("a/b/ü 履歴.txt").unwrap(), written);
    assert!((crate::now_ms() - written.modified_at).abs() < 60_000);

    let mode = std::fs::metadata(room.host("a/b/ü 履歴.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    let room = room();
    room.put("run.sh", "one");
    std::fs::set_permissions(room.host("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    room.put("run.sh", "two");
    assert_eq!(room.text("run.sh"), "two");
    assert_eq!(std::fs::metadata(room.host("run.sh")).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn a_range_is_cut_from_the_file_and_one_beyond_it_is_refused() {
    let room = room();
    room.put("x", "0123456789");
    let read = |from, to| room.workspace.read("x", Some((from, to))).map(|content| content.bytes);
    assert_eq!(read(2, 5).unwrap(), b"234");
    assert_eq!(read(8, 100).unwrap(), b"89");
    assert_eq!(read(10, 10).unwrap(), b"");
    for (from, to) in [(11, 12), (5, 4), (u64::MAX, u64::MAX)] {
        assert!(matches!(read(from, to), Err(WorkspaceError::Range { size: 10, .. })), "{from}..{to}");
    }
}

#[test]
fn a_file_too_large_for_memory_is_read_in_ranges_only() {
    let room = room();
    std::fs::File::create(room.host("huge")).unwrap().set_len(MAX_READ + 1).unwrap();
    assert!(matches!(room.workspace.read("huge", None), Err(WorkspaceError::TooLarge { .. })));
    assert_eq!(room.workspace.read("huge", Some((MAX_READ, MAX_READ + 1))).unwrap().bytes, [0]);
}

#[test]
fn a_content_beyond_its_limit_or_cut_short_leaves_the_old_file_and_nothing_else() {
    struct Breaks;
    impl std::io::Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let room = room();
    room.put("x", "old");
    let too_large = room.workspace.write("x", "too much".as_bytes(), 7);
    assert!(matches!(too_large, Err(WorkspaceError::TooLarge { limit: 7, .. })));
    assert!(matches!(room.workspace.write("x", Breaks, 100), Err(WorkspaceError::Source { .. })));
    assert_eq!(room.text("x"), "old");
    assert_eq!(std::fs::read_dir(room.workspace.path()).unwrap().count(), 1);
}

#[test]
fn a_reader_sees_the_old_file_or_the_new_one_and_never_half() {
    const SIZE: usize = 300_000;
    let room = room();
    room.workspace.write("x", vec![b'a'; SIZE].as_slice(), SIZE as u64).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..200_usize {
                let letter = if n % 2 == 0 { b'b' } else { b'a' };
                room.workspace.write("x", vec![letter; SIZE].as_slice(), SIZE as u64).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            let bytes = room.workspace.read("x", None).unwrap().bytes;
            assert_eq!(bytes.len(), SIZE);
            assert!(bytes.iter().all(|letter| *letter == bytes[0]));
        }
    });
    let listed = room.workspace.list("", true).unwrap();
    assert_eq!(listed.entries.len(), 1);
}

#[test]
fn a_listing_has_one_order_and_says_when_it_ends_early() {
    let room = room();
    for path in ["b/2", "b/1", "a", "c/d/e", "c.txt"] {
        room.put(path, "x");
    }
    symlink("a", room.host("link")).unwrap();
    let paths = |recursive, limit| {
        let listing = room.workspace.list_up_to("", recursive, limit).unwrap();
        (listing.entries.into_iter().map(|entry| entry.path).collect::<Vec<_>>(), listing.truncated)
    };
    let all = ["a", "b", "b/1", "b/2", "c", "c/d", "c/d/e", "c.txt", "link"];
    assert_eq!(paths(false, 100).0, ["a", "b", "c", "c.txt", "link"]);
    assert_eq!(paths(true, 100), (all.map(str::to_owned).to_vec(), false));
    assert_eq!(paths(true, all.len()), (all.map(str::to_owned).to_vec(), false));
    assert_eq!(paths(true, 6), (all[..6].iter().map(|path| (*path).to_owned()).collect(), true));
    assert_eq!(room.workspace.stat("link").unwrap().kind, FileKind::Symlink);
    assert!(matches!(room.workspace.list("a", false), Err(WorkspaceError::NotAFolder { .. })));
    assert!(matches!(room.workspace.list("nothing", false), Err(WorkspaceError::NotFound { .. })));
}

#[test]
fn folders_are_made_moved_and_removed() {
    let room = room();
    assert_eq!(room.workspace.mkdir("a/b").unwrap().kind, FileKind::Directory);
    assert_eq!(room.workspace.mkdir("a/b/").unwrap().path, "a/b");
    room.put("a/b/file", "x");
    assert!(matches!(room.workspace.mkdir("a/b/file"), Err(WorkspaceError::AlreadyExists { .. })));
    assert!(matches!(room.workspace.remove("a", false), Err(WorkspaceError::NotEmpty { .. })));
    assert!(matches!(room.workspace.rename("a", "a/b/c"), Err(WorkspaceError::InvalidPath { .. })));
    assert!(matches!(room.workspace.rename("none", "x/y"), Err(WorkspaceError::NotFound { .. })));
    assert!(!room.host("x").exists());

    assert_eq!(room.workspace.rename("a/b", "new/place").unwrap().path, "new/place");
    assert_eq!(room.text("new/place/file"), "x");
    room.put("other", "y");
    room.workspace.rename("other", "new/place/file").unwrap();
    assert_eq!(room.text("new/place/file"), "y");

    room.workspace.remove("a", false).unwrap();
    room.workspace.remove("new", true).unwrap();
    assert!(matches!(room.workspace.remove("new", true), Err(WorkspaceError::NotFound { .. })));
    assert_eq!(room.workspace.list("", true).unwrap().entries, []);
}

#[test]
fn the_workspace_itself_is_neither_written_nor_removed_nor_renamed() {
    let room = room();
    for path in [".", "/workspace", "/workspace/", "a/.."] {
        assert!(matches!(room.workspace.remove(path, true), Err(WorkspaceError::InvalidPath { .. })), "{path}");
        assert!(matches!(room.workspace.rename(path, "x"), Err(WorkspaceError::InvalidPath { .. })), "{path}");
        assert!(room.workspace.write(path, "x".as_bytes(), 1).is_err(), "{path}");
        assert!(matches!(room.workspace.read(path, None), Err(WorkspaceError::NotAFile { .. })), "{path}");
        assert_eq!(room.workspace.stat(path).unwrap().kind, FileKind::Directory);
    }
}

#[test]
fn a_folder_is_no_file_and_a_file_no_folder() {
    let room = room();
    room.put("folder/file", "x");
    let folder = WorkspaceError::NotAFile { path: "folder".into(), kind: FileKind::Directory };
    assert_eq!(room.workspace.read("folder", None).unwrap_err().to_string(), folder.to_string());
    assert!(matches!(room.workspace.write("folder", "x".as_bytes(), 1), Err(WorkspaceError::NotAFile { .. })));
    assert!(matches!(room.workspace.write("file/", "x".as_bytes(), 1), Err(WorkspaceError::NotAFile { .. })));
    assert!(matches!(room.workspace.read("folder/file/x", None), Err(WorkspaceError::NotAFolder { .. })));
    assert!(matches!(room.workspace.write("folder/file/x", "x".as_bytes(), 1), Err(WorkspaceError::NotAFolder { .. })));
    assert!(matches!(room.workspace.remove("folder/file/", false), Err(WorkspaceError::NotAFolder { .. })));
    assert_eq!(room.text("folder/file"), "x");
}

#[test]
fn a_very_deep_folder_is_listed_in_part_and_removed_whole() {
    let room = room();
    // Deeper than any one path can say, so it is built from the inside.
    room.workspace.mkdir("deep").unwrap();
    for _ in 0..3000 {
        room.workspace.mkdir("next").unwrap();
        std::fs::rename(room.host("deep"), room.host("next/d")).unwrap();
        std::fs::rename(room.host("next"), room.host("deep")).unwrap();
    }
    room.put("stays", "x");
    let listing = room.workspace.list("", true).unwrap();
    assert!(listing.truncated && listing.entries.len() < 100);
    room.workspace.remove("deep", true).unwrap();
    let names: Vec<_> = std::fs::read_dir(room.workspace.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["stays"]);
}

#[test]
fn an_artifact_is_the_file_as_it_was_under_a_name_of_its_own() {
    let room = room();
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    room.put("out/invoice.csv", "a,b\n");
    let source = Source {
        sandbox_id: "sbx_1".into(),
        task_id: None,
        kind: ArtifactKind::File,
        path: "out/invoice.csv",
        name: None,
        created_at: 5,
    };
    let made = snapshot(&room.workspace, store.blobs(), source.clone(), &CancellationToken::new()).unwrap();
    let wanted = Source { name: Some("May/invoice.csv"), ..source.clone() };
    let named = snapshot(&room.workspace, store.blobs(), wanted, &CancellationToken::new());
    let named = named.unwrap();
    room.put("out/invoice.csv", "changed since");

    assert_eq!(made.artifact.kind, ArtifactKind::File);
    assert_eq!((made.artifact.name.as_str(), made.artifact.content_type.as_str()), ("invoice.csv", "text/csv"));
    assert_eq!((named.artifact.name.as_str(), made.artifact.size), ("May_invoice.csv", 4));
    assert_ne!(made.artifact.key, named.artifact.key);
    assert_eq!(made.artifact.sha256, named.artifact.sha256);
    let kept = std::io::read_to_string(store.blobs().open(&made.artifact.sha256).unwrap()).unwrap();
    assert_eq!(kept, "a,b\n");
    let outside = Source { path: "../out", ..source };
    assert!(snapshot(&room.workspace, store.blobs(), outside, &CancellationToken::new()).is_err());
}

#[test]
fn an_artifact_of_a_folder_is_a_zip_of_what_is_beneath_it() {
    let room = room();
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    std::fs::write(home.path().join("secret"), "of the host").unwrap();
    room.put("site/index.html", "<h1>");
    room.put("site/pictures/größe.svg", "<svg/>");
    room.put("beside.txt", "not in it");
    std::fs::create_dir(room.host("site/empty")).unwrap();
    std::os::unix::fs::symlink(home.path().join("secret"), room.host("site/link")).unwrap();
    nix::unistd::mkfifo(&room.host("site/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let source = |path| Source {
        sandbox_id: "sbx_1".into(),
        task_id: None,
        kind: ArtifactKind::File,
        path,
        name: None,
        created_at: 5,
    };
    let names = |path| {
        let made = snapshot(&room.workspace, store.blobs(), source(path), &CancellationToken::new()).unwrap();
        assert_eq!(
            (made.artifact.kind, made.artifact.content_type.as_str()),
            (ArtifactKind::Package, "application/zip")
        );
        let mut zip = zip::ZipArchive::new(store.blobs().open(&made.artifact.sha256).unwrap()).unwrap();
        let mut names: Vec<String> = Vec::new();
        for index in 0..zip.len() {
            let one = zip.by_index(index).unwrap();
            assert!(one.last_modified().is_some_and(|at| at.year() >= 2026), "its time is kept");
            names.push(one.name().unwrap().into_owned());
        }
        (made.artifact.name, names)
    };
    let (name, inside) = names("site");
    assert_eq!(name, "site.zip");
    assert_eq!(inside, ["site/empty/", "site/index.html", "site/pictures/", "site/pictures/größe.svg"]);
    let (name, inside) = names(".");
    assert_eq!((name.as_str(), inside.contains(&"beside.txt".to_owned())), ("workspace.zip", true));

    // Left out in silence, a file would be missed only when it is too late.
    use std::os::unix::ffi::OsStrExt;
    std::fs::write(room.host("site").join(std::ffi::OsStr::from_bytes(b"na\xffme")), "x").unwrap();
    let refused = snapshot(&room.workspace, store.blobs(), source("site"), &CancellationToken::new()).unwrap_err();
    assert!(refused.to_string().contains("not UTF-8"), "{refused}");
    let gone = CancellationToken::new();
    gone.cancel();
    let given_up = snapshot(&room.workspace, store.blobs(), source("site/pictures"), &gone);
    assert!(matches!(given_up, Err(SnapshotError::Stopped)), "{given_up:?}");
}

#[test]
fn an_artifact_that_is_too_large_is_refused_before_it_is_copied_and_one_that_nobody_wants_any_more_is_given_up() {
    let room = room();
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let blobs = home.path().join("blobs");
    room.put("huge.bin", "");
    std::fs::File::options().write(true).open(room.host("huge.bin")).unwrap().set_len(100 << 30).unwrap();
    room.put("small.txt", "small");
    let source = |path| Source {
        sandbox_id: "sbx_1".into(),
        task_id: None,
        kind: ArtifactKind::File,
        path,
        name: None,
        created_at: 1,
    };

    let refused = snapshot(&room.workspace, store.blobs(), source("huge.bin"), &CancellationToken::new());
    let limit = match refused {
        Err(SnapshotError::Workspace(WorkspaceError::TooLarge { limit, .. })) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit, MAX_ARTIFACT);

    let gone = CancellationToken::new();
    gone.cancel();
    let given_up = snapshot(&room.workspace, store.blobs(), source("small.txt"), &gone);
    assert!(matches!(given_up, Err(SnapshotError::Stopped)), "{given_up:?}");
    let left: Vec<_> = std::fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["incoming"]);
    assert_eq!(std::fs::read_dir(blobs.join("incoming")).unwrap().count(), 0);
}
