//! Finding, counting, deleting with a way back; and the same while the names under way are exchanged.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use sandbox_core::model::FileKind;
use tokio_util::sync::CancellationToken;

use super::room;
use crate::workspace::{Query, Trash, WorkspaceError};

fn query(words: &str, content: bool, limit: usize) -> Query {
    Query { words: words.to_owned(), content, limit }
}

#[test]
fn files_are_found_by_their_names_and_by_what_they_say() {
    let room = room();
    room.put("Reports/october.md", "# Total\nSum of 2026-10: 41\n");
    room.put("other.txt", "nothing");
    room.put("bytes.bin", "total\0total");
    symlink(room.outside.join("canary"), room.host("total-link")).unwrap();
    let stop = CancellationToken::new();
    let paths = |path: &str, query: &Query| {
        let found = room.workspace.search(path, query, &stop).unwrap();
        found.matches.into_iter().map(|found| (found.entry.path, found.line, found.text)).collect::<Vec<_>>()
    };
    assert_eq!(
        paths("", &query("REPORTS", false, 10)),
        [("Reports".to_owned(), None, None), ("Reports/october.md".to_owned(), None, None)]
    );
    let said = Some("Sum of 2026-10: 41".to_owned());
    assert_eq!(paths("", &query("2026-10", true, 10)), [("Reports/october.md".to_owned(), Some(2), said)]);
    assert_eq!(paths("", &query("2026-10", false, 10)), []);
    // A link has a name and is not read.
    assert_eq!(
        paths("", &query("total", true, 10)),
        [("total-link".to_owned(), None, None), ("Reports/october.md".to_owned(), Some(1), Some("# Total".to_owned())),]
    );
    assert_eq!(paths("", &query("canary", true, 10)), []);
    assert_eq!(paths("Reports", &query("o", false, 10)).len(), 1, "beneath that folder only");
    assert_eq!(paths("", &query("", true, 10)), []);
    let some = room.workspace.search("", &query("o", true, 1), &stop).unwrap();
    assert_eq!((some.matches.len(), some.truncated), (1, true));
}

#[test]
fn what_a_workspace_takes_of_the_disk_is_counted_with_holes_as_holes() {
    let room = room();
    room.put("a/b/file", &"x".repeat(100_000));
    let holes = std::fs::File::create(room.host("holes")).unwrap();
    holes.set_len(10 << 30).unwrap();
    let usage = room.workspace.disk_usage().unwrap();
    assert_eq!((usage.files, usage.folders, usage.truncated), (2, 2, false));
    assert!((100_000..10_000_000).contains(&usage.bytes), "{usage:?}");
}

#[test]
fn what_was_deleted_comes_back_whole_and_beside_what_has_its_name() {
    let room = room();
    let trash = Trash::at(room.outside.with_file_name("trash"));
    room.put("folder/deep/file.txt", "kept");
    room.put("one.txt", "first");
    let folder = trash.discard(&room.workspace, "folder", 5).unwrap();
    let one = trash.discard(&room.workspace, "one.txt", 6).unwrap();
    assert_eq!(room.workspace.list("", true).unwrap().entries, []);
    let listed: Vec<_> = trash.list().into_iter().map(|trashed| (trashed.entry.path, trashed.entry.kind)).collect();
    assert_eq!(listed, [("one.txt".to_owned(), FileKind::File), ("folder".to_owned(), FileKind::Directory)]);
    assert!(trash.bytes() > 0);

    room.put("one.txt", "second");
    assert_eq!(trash.restore(&room.workspace, &one.trash_id).unwrap().path, "one (1).txt");
    assert_eq!((room.text("one.txt"), room.text("one (1).txt")), ("second".to_owned(), "first".to_owned()));
    trash.restore(&room.workspace, &folder.trash_id).unwrap();
    assert_eq!(room.text("folder/deep/file.txt"), "kept");
    assert_eq!(trash.list(), []);
    assert!(matches!(trash.restore(&room.workspace, &one.trash_id), Err(WorkspaceError::NotFound { .. })));
    for wrong in ["", "..", "../workspace", "a/b", "no-such-thing"] {
        assert!(matches!(trash.restore(&room.workspace, wrong), Err(WorkspaceError::NotFound { .. })), "{wrong}");
    }
}

#[test]
fn a_link_goes_into_the_trash_as_a_link_and_the_trash_is_emptied_whatever_is_in_it() {
    let room = room();
    let trash = Trash::at(room.outside.with_file_name("trash"));
    symlink(&room.outside, room.host("out")).unwrap();
    room.put("closed/file", "x");
    std::fs::set_permissions(room.host("closed"), std::fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(trash.discard(&room.workspace, "out", 1).unwrap().entry.kind, FileKind::Symlink);
    assert!(trash.discard(&room.workspace, "out/canary", 1).is_err());
    if nix::unistd::geteuid().is_root() {
        trash.discard(&room.workspace, "closed", 2).unwrap();
    }
    trash.empty().unwrap();
    assert_eq!(trash.list(), []);
    room.check_outside();
}

/// How often names are exchanged; `BATON_ROUNDS` sets more.
fn rounds() -> usize {
    std::env::var("BATON_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[test]
fn folders_exchanged_for_links_outside_are_neither_searched_nor_counted_nor_deleted_nor_restored_into() {
    let room = room();
    let trash = Trash::at(room.outside.with_file_name("trash"));
    room.put("marker", "inside");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let token = CancellationToken::new();
            let mut n_found = 0;
            while !stop.load(Ordering::Relaxed) {
                // All answers are allowed here; what counts is what they tell, and the canary.
                if let Ok(found) = room.workspace.search("", &query("canary", true, 50), &token) {
                    for found in found.matches {
                        let text = found.text.unwrap_or_default();
                        assert!(!text.contains("outside"), "{}: {text}", found.entry.path);
                        n_found += 1;
                    }
                }
                let _ = room.workspace.search("d", &query("canary", true, 50), &token);
                let usage = room.workspace.disk_usage();
                assert!(usage.is_ok_and(|usage| usage.files < 10));
                if let Ok(trashed) = trash.discard(&room.workspace, "d/canary", 1) {
                    let _ = trash.restore(&room.workspace, &trashed.trash_id);
                }
            }
            n_found
        });
        for _ in 0..rounds() {
            let _ = std::fs::create_dir(room.host("real"));
            let _ = std::fs::write(room.host("real/canary"), "canary inside");
            let _ = std::fs::rename(room.host("real"), room.host("d"));
            let _ = std::fs::rename(room.host("d"), room.host("away"));
            let _ = symlink(&room.outside, room.host("d"));
            let _ = std::fs::remove_file(room.host("d"));
            let _ = std::fs::remove_dir_all(room.host("away"));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(worker.join().unwrap() > 0, "the race did not happen");
    });
    room.check_outside();
}
