//! Events: numbers without gaps, order, publication, resuming.

use std::collections::BTreeMap;

use sandbox_core::event::{BrowserNavigated, Event, EventData, EventType, NewEvent};
use sandbox_core::model::*;

use super::{event, task};
use crate::store::*;

/// Reads the whole history in small parts, each after the last event of the one before.
pub async fn whole_history(store: &Store, part: usize) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map(|event| event.id.clone());
        let filter = EventFilter { after, ..EventFilter::default() };
        let more = store.events(filter, part).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

pub fn check_numbers(events: &[Event]) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        let last = last.entry(event.sandbox_id.as_str()).or_default();
        assert_eq!(event.seq, *last + 1, "in {}", event.sandbox_id);
        *last = event.seq;
    }
}

/// Payloads as versions before this one wrote them, each type at least once.
const WRITTEN_BEFORE: &str = include_str!("../../../core/tests/data/events.jsonl");

/// Writes rows as they are on the disk, past the code that writes them now.
fn write_rows(home: &std::path::Path, rows: &[(String, String)]) {
    let db = rusqlite::Connection::open(home.join("history.db")).unwrap();
    let sql = "INSERT INTO events (id, sandbox_id, task_id, seq, type, by, at, data) VALUES (?1, 'sbx_1', 'task_1', ?2, ?3, 'agent', 7, ?4)";
    for (at, (kind, payload)) in rows.iter().enumerate() {
        db.execute(sql, rusqlite::params![format!("evt_{at}"), at as i64 + 1, kind, payload]).unwrap();
    }
}

#[tokio::test]
async fn what_older_and_newer_versions_wrote_is_read() {
    let home = tempfile::tempdir().unwrap();
    drop(Store::open(home.path()).unwrap());
    let before = WRITTEN_BEFORE.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["type"].as_str().unwrap().to_owned(), line["data"].to_string())
    });
    let mut rows: Vec<_> = before.collect();
    let known = rows.len();
    rows.push(("sandbox.moon.rose".to_owned(), r#"{"over":["there",1.5]}"#.to_owned()));
    rows.push(("sandbox.agent.action".to_owned(), "\"text\"".to_owned()));
    write_rows(home.path(), &rows);

    let store = Store::open(home.path()).unwrap();
    let read = whole_history(&store, 7).await;
    assert_eq!(read.len(), rows.len());
    check_numbers(&read);
    for (at, (event, (kind, payload))) in read.iter().zip(&rows).enumerate() {
        assert_eq!((event.data.kind(), event.seq), (kind.as_str(), at as u64 + 1));
        assert_eq!(matches!(event.data, EventData::Unknown(_)), at >= known, "{kind} {payload}");
        let (now, before) = (event.data.payload(), serde_json::from_str::<serde_json::Value>(payload).unwrap());
        let is_kept = |(name, value): (&String, &serde_json::Value)| now[name] == *value;
        assert!(before.as_object().map_or(now == before, |fields| fields.iter().all(is_kept)), "{now} for {before}");
    }
    // It is found by its type, whatever its payload.
    let filter = EventFilter { types: vec![EventType::AgentAction], ..EventFilter::default() };
    let actions = store.events(filter, MAX_EVENTS).await.unwrap();
    assert_eq!(actions.len(), rows.iter().filter(|(kind, _)| kind == "sandbox.agent.action").count());
    // What is new goes on after it.
    let next = store.commit(Change { events: vec![event("sbx_1", None, "next")], ..Change::default() }).await.unwrap();
    assert_eq!(next[0].seq, rows.len() as u64 + 1);
}

#[tokio::test]
async fn events_are_filtered_and_read_on_after_the_last_one_seen() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let navigated = NewEvent {
        data: BrowserNavigated { url: "b".to_owned(), title: String::new() }.into(),
        ..event("sbx_1", Some("task_1"), "b")
    };
    let change = Change {
        events: vec![
            event("sbx_1", Some("task_1"), "a"),
            navigated,
            event("sbx_2", None, "c"),
            event("sbx_1", None, "d"),
        ],
        ..Change::default()
    };
    let all = store.commit(change).await.unwrap();
    assert_eq!(all.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 1, 3]);

    let read = async |filter, limit| store.events(filter, limit).await.unwrap();
    let by = EventFilter::default;
    assert_eq!(read(by(), 3).await, all[..3]);
    assert_eq!(read(EventFilter { after: Some(all[1].id.clone()), ..by() }, 9).await, all[2..]);
    assert_eq!(read(EventFilter { task_id: Some("task_1".into()), ..by() }, 9).await, all[..2]);
    assert_eq!(read(EventFilter { types: vec![EventType::BrowserNavigated], ..by() }, 9).await, all[1..2]);
    let filter = EventFilter { sandbox_id: Some("sbx_1".into()), after: Some(all[2].id.clone()), ..by() };
    assert_eq!(read(filter, 9).await, all[3..]);

    let unknown = EventFilter { after: Some("evt_unknown".into()), ..by() };
    assert!(matches!(store.events(unknown, 9).await, Err(StoreError::NoSuchEvent(id)) if id.as_str() == "evt_unknown"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_from_many_at_once_are_numbered_without_gaps_and_published_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let mut published = store.subscribe();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..50 {
        let store = store.clone();
        callers.spawn(async move {
            for n in 0..10 {
                let sandbox = format!("sbx_{}", (caller + n) % 4);
                let change = Change {
                    tasks: vec![task(&format!("task_{caller}_{n}"), "t", TaskStatus::Queued)],
                    events: vec![event(&sandbox, None, "first"), event(&sandbox, None, "second")],
                    ..Change::default()
                };
                let events = store.commit(change).await.unwrap();
                // Of one change, nothing comes between.
                assert_eq!(events[0].seq + 1, events[1].seq);
            }
        });
    }
    callers.join_all().await;
    let stored = whole_history(&store, 97).await;
    assert_eq!(stored.len(), 1000);
    check_numbers(&stored);
    for expected in &stored {
        assert_eq!(&published.try_recv().unwrap(), expected);
    }
    assert!(published.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_heard_of_is_in_the_history_already() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let mut published = store.subscribe();
    let listener = tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..100 {
                let heard = published.recv().await.unwrap();
                let filter = EventFilter { sandbox_id: Some(heard.sandbox_id.clone()), ..EventFilter::default() };
                assert!(store.events(filter, 1000).await.unwrap().contains(&heard));
            }
        }
    });
    for _ in 0..100 {
        store.commit(Change { events: vec![event("sbx_1", None, "x")], ..Change::default() }).await.unwrap();
    }
    listener.await.unwrap();
}

#[tokio::test]
async fn ten_thousand_events_are_kept_in_order_and_found() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for n in 0..100 {
        let events = (0..100).map(|m| event(&format!("sbx_{}", m % 3), None, &format!("message {n}-{m}!"))).collect();
        store.commit(Change { events, ..Change::default() }).await.unwrap();
    }
    let stored = whole_history(&store, MAX_EVENTS).await;
    assert_eq!(stored.len(), 10_000);
    check_numbers(&stored);
    let hits = store.search("57-31!", PageRequest::default()).await.unwrap();
    assert_eq!(hits.data.len(), 1);
    assert_eq!(hits.data[0].snippet, "message 57-31!");
}
