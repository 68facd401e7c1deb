//! The database file: damaged, too new, somebody else's, of an older format.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use sandbox_core::model::*;

use super::{event, task};
use crate::store::migrate::MIGRATIONS;
use crate::store::*;

async fn filled(home: &Path) {
    let store = Store::open(home).unwrap();
    let tasks = (0..300).map(|n| task(&format!("task_{n}"), &"words ".repeat(50), TaskStatus::Queued)).collect();
    store.commit(Change { tasks, events: vec![event("sbx_1", None, "x")], ..Change::default() }).await.unwrap();
}

fn names(home: &Path) -> Vec<String> {
    fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_as_it_was_and_the_history_begins_anew() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("no header", |bytes| bytes[..100].fill(0xa5)),
        ("cut in its header", |bytes| bytes.truncate(60)),
        ("cut in its middle", |bytes| bytes.truncate(bytes.len() / 2)),
        ("pages overwritten", |bytes| {
            let len = bytes.len();
            bytes[4096..len - 4096].fill(0x5a);
        }),
    ];
    for (what, damage) in damages {
        let home = tempfile::tempdir().unwrap();
        filled(home.path()).await;
        let path = home.path().join("history.db");
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();

        let store = Store::open(home.path()).unwrap();
        let aside = store.opened().set_aside.clone().unwrap_or_else(|| panic!("{what}: not noticed"));
        assert_eq!(fs::read(&aside.kept_at).unwrap(), bytes, "{what}");
        assert!(!aside.cause.is_empty(), "{what}");
        assert_eq!(store.events(EventFilter::default(), 9).await.unwrap(), [], "{what}");
        store.commit(Change { events: vec![event("sbx_1", None, "x")], ..Change::default() }).await.unwrap();
        drop(store);
        let store = Store::open(home.path()).unwrap();
        assert_eq!(store.opened(), &Opened::default(), "{what}");
        assert!(aside.kept_at.exists(), "{what}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_in_a_sentence_and_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    filled(home.path()).await;
    let path = home.path().join("history.db");
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = fs::read(&path).unwrap();

    let error = Store::open(home.path()).err().expect("a newer file is refused");
    assert!(matches!(error, StoreError::Newer { found: 99, known, .. } if known == MIGRATIONS.len() as i64));
    assert!(error.to_string().contains("newer Baton"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("history.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(home.path()), Err(StoreError::NotOurs { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_opened_is_not_taken_for_a_damaged_one() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("history.db")).unwrap();
    assert!(matches!(Store::open(home.path()), Err(StoreError::Io { .. })));
    assert_eq!(names(home.path()), ["history.db"]);
}

/// Returns our migrations and those of a later version; kept for the life of the test.
fn later(more: &[migrate::Migration]) -> &'static [migrate::Migration] {
    Box::leak([MIGRATIONS, more].concat().into_boxed_slice())
}

#[tokio::test]
async fn a_file_of_the_first_format_is_brought_to_the_present_one() {
    let home = tempfile::tempdir().unwrap();
    drop(Store::open_with(home.path(), Tuning { migrations: &MIGRATIONS[..1], ..Tuning::default() }).unwrap());
    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.opened().copies.len(), MIGRATIONS.len() - 1);
    assert_eq!(store.rules().await.unwrap(), []);
}

#[tokio::test]
async fn a_file_of_an_older_format_is_copied_and_then_migrated() {
    let next = later(&[&["CREATE TABLE extra (x INTEGER) STRICT;"], &["DROP TABLE extra;"]]);
    let home = tempfile::tempdir().unwrap();
    filled(home.path()).await;
    let tuning = || Tuning { migrations: next, ..Tuning::default() };
    let store = Store::open_with(home.path(), tuning()).unwrap();
    assert!(store.task(&"task_7".into()).await.unwrap().is_some());
    let copies = store.opened().copies.clone();
    let known = MIGRATIONS.len();
    let kept = [known, known + 1].map(|format| home.path().join(format!("history.db.format-{format}")));
    assert_eq!(copies, kept);
    for (idx, copy) in copies.iter().enumerate() {
        assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
        let db = Connection::open(copy).unwrap();
        let format: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let n_tasks: i64 = db.query_row("SELECT count(*) FROM tasks", [], |row| row.get(0)).unwrap();
        assert_eq!((format, n_tasks), ((known + idx) as i64, 300));
    }
    drop(store);
    assert_eq!(Store::open_with(home.path(), tuning()).unwrap().opened(), &Opened::default());
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_file_in_the_format_before_it() {
    let broken = later(&[&["CREATE TABLE extra (x);", "SELECT nonsense;"]]);
    let home = tempfile::tempdir().unwrap();
    filled(home.path()).await;
    assert!(Store::open_with(home.path(), Tuning { migrations: broken, ..Tuning::default() }).is_err());
    let store = Store::open(home.path()).unwrap();
    assert!(store.task(&"task_7".into()).await.unwrap().is_some());
}

#[tokio::test]
async fn history_is_for_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let inner = home.path().join("made/by us");
    let store = Store::open(&inner).unwrap();
    store.commit(Change { events: vec![event("sbx_1", None, "x")], ..Change::default() }).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("blobs")), 0o700);
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        assert_eq!(mode(&inner.join(name)), 0o600, "{name}");
    }
}

/// A store that went away as a killed process does: its log is left as it was.
async fn killed(home: &Path, n_events: usize) {
    let path = home.join("history.db");
    let store = Store::open(home).unwrap();
    let events = vec![event("sbx_1", None, "kept"); 3];
    store.commit(Change { events, ..Change::default() }).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    reader.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    for _ in 0..n_events {
        store.commit(Change { events: vec![event("sbx_1", None, "newest")], ..Change::default() }).await.unwrap();
    }
    // What a kill leaves, taken while both files are as the last commit left them.
    let copies = ["", "-wal"].map(|part| (part, fs::read(migrate::with_suffix(&path, part)).unwrap()));
    drop(reader);
    drop(store);
    for (part, bytes) in copies {
        fs::write(migrate::with_suffix(&path, part), bytes).unwrap();
    }
}

#[tokio::test]
async fn damage_to_the_log_that_drops_events_is_told_once_and_the_log_is_kept() {
    type Damage = fn(&Path);
    let wal = |home: &Path| home.join("history.db-wal");
    let damages: [(&str, Damage, bool); 4] = [
        ("as a kill leaves it", |_| {}, false),
        (
            "overwritten",
            |log| {
                let mut bytes = fs::read(log).unwrap();
                bytes[40..4_000].fill(0xa5);
                fs::write(log, bytes).unwrap();
            },
            true,
        ),
        ("cut", |log| fs::File::options().write(true).open(log).unwrap().set_len(5_000).unwrap(), true),
        ("removed", |log| fs::remove_file(log).unwrap(), true),
    ];
    for (what, damage, is_lost) in damages {
        let home = tempfile::tempdir().unwrap();
        killed(home.path(), 4).await;
        damage(&wal(home.path()));
        let found = fs::read(wal(home.path())).ok();
        let store = Store::open(home.path()).unwrap();
        let n_events = store.events(EventFilter::default(), 100).await.unwrap().len();
        if !is_lost {
            assert_eq!((n_events, store.opened()), (7, &Opened::default()), "{what}");
            continue;
        }
        let lost = store.opened().lost.clone().unwrap_or_else(|| panic!("{what}: {n_events} events and no word of it"));
        assert_eq!(lost.events, 7 - n_events as u64, "{what}");
        assert_eq!(lost.log_kept_at.map(|copy| fs::read(copy).unwrap()), found, "{what}");
        assert!(matches!(store.troubles().as_slice(), [Trouble::EventsLost { .. }]), "{what}: {:?}", store.troubles());
        store.commit(Change { events: vec![event("sbx_1", None, "x")], ..Change::default() }).await.unwrap();
        drop(store);
        let store = Store::open(home.path()).unwrap();
        assert_eq!((store.opened(), store.troubles()), (&Opened::default(), vec![]), "{what}");
    }
}

#[tokio::test]
async fn damage_deep_in_the_file_is_found_in_the_background_told_and_set_aside_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    filled(home.path()).await;
    let path = home.path().join("history.db");
    // The index that finds tasks by their id, where a start does not look.
    let db = Connection::open(&path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_tasks_1'";
    let page: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    let page_size: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(db);
    let file = fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0x5a; 200], u64::try_from((page - 1) * page_size).unwrap())
        .unwrap();

    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.opened(), &Opened::default());
    assert_eq!(store.events(EventFilter::default(), 9).await.unwrap().len(), 1);
    while store.troubles().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(store.troubles().as_slice(), [Trouble::Damaged { .. }]), "{:?}", store.troubles());
    drop(store);
    let store = Store::open(home.path()).unwrap();
    assert!(store.opened().set_aside.is_some());
    drop(store);
    assert_eq!(Store::open(home.path()).unwrap().troubles(), []);
}
