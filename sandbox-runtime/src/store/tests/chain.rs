//! The chain of a sandbox's events.

use rusqlite::Connection;
use sandbox_core::event::chain::link;
use sandbox_core::model::{SandboxStatus, TaskStatus};

use super::{event, sandbox, task};
use crate::store::migrate::MIGRATIONS;
use crate::store::*;

/// Says `words` in a sandbox, some of them for a task.
async fn say(store: &Store, sandbox_id: &str, words: &[(&str, Option<&str>)]) {
    let events = words.iter().map(|(text, task)| event(sandbox_id, *task, text)).collect();
    store.commit(Change { events, ..Change::default() }).await.unwrap();
}

async fn with_a_task(store: &Store) {
    let change = Change {
        sandboxes: vec![sandbox("sbx_1", SandboxStatus::Ready)],
        tasks: vec![task("task_1", "Pay", TaskStatus::Completed)],
        ..Change::default()
    };
    store.commit(change).await.unwrap();
}

fn assert_fits(chained: &Chained) {
    let mut previous = chained.previous.clone();
    for one in &chained.lines {
        let hash = one.hash.clone().expect("it has a hash");
        assert_eq!(hash, link(&previous, &one.line), "event {}", one.seq);
        previous = hash;
    }
}

#[tokio::test]
async fn a_tasks_part_of_the_chain_holds_what_was_between_and_fits() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    with_a_task(&store).await;
    say(&store, "sbx_1", &[("before", None), ("begins", Some("task_1"))]).await;
    say(&store, "sbx_2", &[("elsewhere", None)]).await;
    say(&store, "sbx_1", &[("beside", None), ("ends", Some("task_1")), ("after", None)]).await;
    let chained = store.chained(&"task_1".into()).await.unwrap();
    assert_eq!(chained.lines.iter().map(|one| one.seq).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(chained.previous.len(), 64, "there was one before");
    assert_fits(&chained);
    assert_eq!(store.chained(&"task_2".into()).await.unwrap(), Chained::default());
}

#[tokio::test]
async fn more_events_than_one_reading_gives_are_all_there() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    with_a_task(&store).await;
    let words = vec![("again", Some("task_1")); MAX_EVENTS + 7];
    say(&store, "sbx_1", &words).await;
    let chained = store.chained(&"task_1".into()).await.unwrap();
    assert_eq!((chained.lines.len(), chained.previous.as_str()), (MAX_EVENTS + 7, ""));
    assert_fits(&chained);
}

#[tokio::test]
async fn an_event_that_is_changed_in_the_file_does_not_fit_any_more() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    with_a_task(&store).await;
    say(&store, "sbx_1", &[("one", Some("task_1")), ("two", Some("task_1")), ("three", Some("task_1"))]).await;
    let file = Connection::open(home.path().join("history.db")).unwrap();
    file.execute("UPDATE events SET data = replace(data, 'two', 'too') WHERE seq = 2", []).unwrap();
    let chained = store.chained(&"task_1".into()).await.unwrap();
    let fits: Vec<bool> = (0..3)
        .map(|at| {
            let previous = if at == 0 { "" } else { chained.lines[at - 1].hash.as_deref().unwrap() };
            chained.lines[at].hash.as_deref() == Some(link(previous, &chained.lines[at].line).as_str())
        })
        .collect();
    assert_eq!(fits, [true, false, true]);
}

#[tokio::test]
async fn events_from_before_the_chain_have_no_hash_and_the_next_begins_one() {
    let home = tempfile::tempdir().unwrap();
    let at_chain = MIGRATIONS.iter().position(|step| step.contains(&events::CHAIN)).unwrap();
    let tuning = Tuning { migrations: &MIGRATIONS[..at_chain], ..Tuning::default() };
    drop(Store::open_with(home.path(), tuning).unwrap());
    let file = Connection::open(home.path().join("history.db")).unwrap();
    let sql = "INSERT INTO events (id, sandbox_id, task_id, seq, type, by, at, data)
        VALUES ('evt_old', 'sbx_1', 'task_1', 1, 'sandbox.agent.message', 'agent', 7, '{\"text\":\"old\"}')";
    file.execute(sql, []).unwrap();
    drop(file);
    let store = Store::open(home.path()).unwrap();
    with_a_task(&store).await;
    say(&store, "sbx_1", &[("new", Some("task_1"))]).await;
    let lines = store.chained(&"task_1".into()).await.unwrap().lines;
    assert_eq!(lines[0].hash, None);
    assert_eq!(lines[1].hash, Some(link("", &lines[1].line)));
}
