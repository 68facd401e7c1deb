//! Records in, records out: lists, pages, search, restart.

use std::collections::BTreeMap;

use sandbox_core::TaskId;
use sandbox_core::model::*;
use serde_json::json;

use crate::store::*;

pub fn task(id: &str, title: &str, status: TaskStatus) -> Task {
    Task {
        id: id.into(),
        sandbox_id: "sbx_1".into(),
        title: title.to_owned(),
        prompt: Some(format!("please do: {title}")),
        playbook: None,
        status,
        result: None,
        error: None,
        metadata: BTreeMap::new(),
        usage: Usage::default(),
        created_at: 1,
        started_at: None,
        ended_at: None,
    }
}

pub fn event(sandbox: &str, task: Option<&str>, text: &str) -> NewEvent {
    NewEvent {
        sandbox_id: sandbox.into(),
        task_id: task.map(TaskId::from),
        kind: EventType::AgentMessage,
        by: Actor::Agent,
        at: 7,
        data: json!({ "text": text }),
    }
}

#[tokio::test]
async fn what_was_committed_is_read_back_whole() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let wanted = task("task_1", "Invoices", TaskStatus::Running);
    let change = Change {
        tasks: vec![wanted.clone()],
        events: vec![event("sbx_1", Some("task_1"), "one"), event("sbx_2", None, "two"), event("sbx_1", None, "three")],
        ..Change::default()
    };
    let events = store.commit(change).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(store.task(&"task_1".into()).await.unwrap(), Some(wanted));
    assert_eq!(store.events(EventFilter::default(), 10).await.unwrap(), events);
    let hits = store.search("voice", PageRequest::default()).await.unwrap();
    assert_eq!(hits.data.len(), 1);
}
