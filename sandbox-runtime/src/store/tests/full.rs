//! A full disk: refused by name, nothing lost, and it goes on when there is room.

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

/// Runs in a room of its own that has a small disk; bubblewrap is what the product needs anyway.
#[test]
fn on_a_full_disk_changes_are_refused_reading_works_and_it_goes_on_when_there_is_room() {
    if let Some(home) = child_home() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        return runtime.block_on(fill_and_free(&home));
    }
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new("bwrap");
    child.args(["--dev-bind", "/", "/", "--die-with-parent", "--size", &DISK_BYTES.to_string(), "--tmpfs"]);
    child.arg(home.path()).arg(std::env::current_exe().unwrap());
    let test = "store::tests::full::on_a_full_disk_changes_are_refused_reading_works_and_it_goes_on_when_there_is_room";
    run_this_test_as_child(&mut child, test, home.path());
    let output = child.output().expect("bubblewrap is installed");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

async fn fill_and_free(home: &std::path::Path) {
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
