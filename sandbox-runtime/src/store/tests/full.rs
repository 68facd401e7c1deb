//! A full disk: refused by name, nothing lost, and it goes on when there is room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sandbox_core::model::TaskStatus;

use super::{child_home, event, run_this_test_as_child, task};
use crate::store::*;

const DISK_BYTES: usize = 6 << 20;

fn big(id: &str, bytes: usize) -> Change {
    let mut task = task(id, "big", TaskStatus::Running);
    task.prompt = Some("0123456789abcdef".repeat(bytes / 16));
    Change { tasks: vec![task], ..Change::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_finds_no_room_costs_no_other_change_anything() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open_with(home.path(), Tuning { max_pages: Some(500), ..Tuning::default() }).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..60 {
        let store = store.clone();
        callers.spawn(async move {
            if n % 10 == 5 {
                let refused = store.commit(big(&format!("task_{n}"), 4 << 20)).await;
                assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
            } else {
                let events = vec![event("sbx_1", None, "small")];
                store.commit(Change { events, ..Change::default() }).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let events = store.events(EventFilter::default(), 1000).await.unwrap();
    assert_eq!(events.len(), 54);
    super::events::check_numbers(&events);
    assert_eq!(store.tasks(TaskFilter::default(), PageRequest::default()).await.unwrap().data, []);
}

/// Runs this test again in a room of its own that has a small disk; bubblewrap is what the product needs anyway.
fn on_a_small_disk(test: &str, case: impl AsyncFnOnce(&Path)) {
    if let Some(home) = child_home() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        return runtime.block_on(case(&home));
    }
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new("bwrap");
    child.args(["--dev-bind", "/", "/", "--die-with-parent", "--size", &DISK_BYTES.to_string(), "--tmpfs"]);
    child.arg(home.path()).arg(std::env::current_exe().unwrap());
    run_this_test_as_child(&mut child, &format!("store::tests::full::{test}"), home.path());
    let output = child.output().expect("bubblewrap is installed");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes until not a byte more finds room, and returns the file that takes it.
fn fill(home: &Path) -> PathBuf {
    let filler = home.join(format!("filler-{}", crate::unique()));
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [64 << 10, 512, 1] {
        while std::io::Write::write(&mut file, &vec![1; size]).is_ok_and(|n_written| n_written > 0) {}
    }
    filler
}

fn must(id: &str) -> Change {
    let tasks = vec![task(id, "it took control", TaskStatus::Running)];
    Change { tasks, events: vec![event("sbx_1", Some(id), "took control")], must_be_kept: true, ..Change::default() }
}

fn may(id: &str) -> Change {
    Change { must_be_kept: false, ..must(id) }
}

#[test]
fn on_a_full_disk_changes_are_refused_reading_works_and_it_goes_on_when_there_is_room() {
    let test = "on_a_full_disk_changes_are_refused_reading_works_and_it_goes_on_when_there_is_room";
    on_a_small_disk(test, fill_and_free);
}

#[test]
fn on_a_full_disk_what_must_be_kept_is_kept_and_nothing_else_uses_its_room() {
    on_a_small_disk("on_a_full_disk_what_must_be_kept_is_kept_and_nothing_else_uses_its_room", async |home| {
        let store = Store::open(home).unwrap();
        store.commit(may("task_before")).await.unwrap();
        assert_eq!((store.room_for_work().is_ok(), store.troubles()), (true, vec![]));
        let filler = fill(home);
        assert!(matches!(store.room_for_work(), Err(StoreError::Full)));
        assert_eq!(store.troubles(), [Trouble::Full]);
        let mut kept = vec!["task_before".to_owned()];
        for n in 0..8 {
            let id = format!("task_{n}");
            store.commit(must(&id)).await.unwrap_or_else(|error| panic!("{id}: {error}"));
            kept.push(id);
            let refused = store.commit(may("task_refused")).await;
            assert!(matches!(refused, Err(StoreError::Full)), "{n}: {refused:?}");
        }
        // The reserve ends too; then it is said, and before anything is done.
        let mut n = 8;
        while store.room_for_what_must_be_kept().is_ok() {
            let id = format!("task_{n}");
            store.commit(must(&id)).await.unwrap_or_else(|error| panic!("{id}: {error}"));
            kept.push(id);
            n += 1;
            assert!(n < 2_000, "the reserve has no end");
        }
        drop(store);

        // The next start finds a full disk and no reserve: everything can be read, and it goes on when there is room.
        let rest = fill(home);
        let store = Store::open(home).unwrap();
        for id in &kept {
            assert!(store.task(&id.as_str().into()).await.unwrap().is_some(), "{id}");
        }
        assert_eq!(store.events(EventFilter::default(), 1000).await.unwrap().len(), kept.len().min(1000));
        assert_eq!(store.troubles(), [Trouble::Full]);
        let refused = store.commit(may("task_refused")).await;
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        std::fs::remove_file(filler).unwrap();
        std::fs::remove_file(rest).unwrap();
        store.commit(may("task_after")).await.unwrap();
        assert_eq!((store.room_for_work().is_ok(), store.troubles()), (true, vec![]));
    });
}

async fn fill_and_free(home: &Path) {
    let store = Store::open(home).unwrap();
    let filler = home.join("filler");
    std::fs::write(&filler, vec![0; DISK_BYTES / 2]).unwrap();
    let mut kept = Vec::new();
    let refused_after = loop {
        let id = format!("task_{}", kept.len());
        let begun = Instant::now();
        match store.commit(big(&id, 100_000)).await {
            Ok(_) => kept.push(id),
            Err(StoreError::Full) => break begun.elapsed(),
            Err(other) => panic!("{other}"),
        }
        assert!(kept.len() < 200, "the disk is not as small as it should be");
    };
    assert!(refused_after < Duration::from_secs(5), "{refused_after:?}");
    assert!(!kept.is_empty());
    let content = store.blobs().put(vec![7; DISK_BYTES].as_slice());
    assert!(matches!(content, Err(StoreError::Full)), "{content:?}");
    assert_eq!(std::fs::read_dir(home.join("blobs/incoming")).unwrap().count(), 0);
    for id in &kept {
        assert!(store.task(&id.as_str().into()).await.unwrap().is_some(), "{id}");
    }

    std::fs::remove_file(&filler).unwrap();
    store.commit(big("task_after", 100_000)).await.unwrap();
    store.blobs().put("small".as_bytes()).unwrap();
    drop(store);
    let store = Store::open(home).unwrap();
    for id in kept.iter().map(String::as_str).chain(["task_after"]) {
        assert!(store.task(&id.into()).await.unwrap().is_some(), "{id}");
    }
}
