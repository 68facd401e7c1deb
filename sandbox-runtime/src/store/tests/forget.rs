//! Forgetting a sandbox: nothing of it is left, and nothing of another goes.

use sandbox_core::SandboxId;
use sandbox_core::event::{AgentAction, NewEvent};
use sandbox_core::model::*;
use serde_json::json;

use super::{approval, artifact, handoff, sandbox, task};
use crate::store::*;

/// Written into every kind of record; letters that no code or schema has.
const CANARY: &str = "zebrafinkquartz";

fn event(sandbox: &str, task: Option<&str>, action: AgentAction) -> NewEvent {
    let task_id = task.map(Into::into);
    NewEvent { sandbox_id: sandbox.into(), task_id, by: Actor::Agent, at: 1, data: action.into() }
}

fn said(summary: String) -> AgentAction {
    AgentAction { summary, ..AgentAction::default() }
}

fn shown(blob: &Blob) -> AgentAction {
    AgentAction { picture: Some(blob.sha256.clone()), ..AgentAction::default() }
}

/// Fills the history with a sandbox whose every record says `word`, and that shows these pictures.
async fn fill(store: &Store, id: &str, word: &str, pictures: &[&Blob], n_events: usize) {
    let mut kept = sandbox(id, SandboxStatus::Ended);
    kept.name = word.to_owned();
    let task_id = format!("task_of_{id}");
    let mut work = task(&task_id, word, TaskStatus::Completed);
    work.sandbox_id = id.into();
    work.playbook = Some(format!("name: {word}"));
    let mut asked = handoff(&format!("hnd_{id}"), id, HandoffStatus::Completed);
    asked.message = word.to_owned();
    let mut question = approval(&format!("apr_{id}"), id, ApprovalStatus::Approved);
    question.proposal.summary = word.to_owned();
    let mut events: Vec<NewEvent> =
        (0..n_events).map(|n| event(id, Some(&task_id), said(format!("{word} {n}")))).collect();
    events.extend(pictures.iter().map(|blob| event(id, Some(&task_id), shown(blob))));
    let change = Change {
        sandboxes: vec![kept],
        conversation: vec![(work.id.clone(), json!({ "said": word }))],
        tasks: vec![work],
        handoffs: vec![asked],
        approvals: vec![question],
        events,
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    let answer = Recalled { body_hash: "h".into(), status: 201, body: json!({ "id": id, "name": word }).to_string() };
    store.remember(&format!("key {id}"), "POST /v1/sandboxes", answer).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_sandbox_is_in_no_record_and_no_search() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let put = |bytes: &[u8]| store.blobs().put(bytes).unwrap();
    let (own, shared, saved) = (put(b"own picture"), put(b"shared picture"), put(b"own file"));
    fill(&store, "sbx_gone", CANARY, &[&own, &shared], 1_203).await;
    fill(&store, "sbx_kept", "lapwingbasalt", &[&shared], 7).await;
    let mut file = artifact("art_gone", "a.txt", &saved.sha256);
    file.sandbox_id = "sbx_gone".into();
    let (mut twice, mut other) = (file.clone(), file.clone());
    twice.key = "art_twice".into();
    (other.key, other.sandbox_id, other.sha256) = ("art_kept".into(), "sbx_kept".into(), shared.sha256.clone());
    store.commit(Change { artifacts: vec![file, twice, other], ..Change::default() }).await.unwrap();
    let digests = [own.sha256.clone(), shared.sha256.clone(), saved.sha256.clone()];
    drop((own, shared, saved));

    let gone = SandboxId::from("sbx_gone");
    let of_gone = EventFilter { sandbox_id: Some(gone.clone()), ..EventFilter::default() };
    let seen_last = store.events(of_gone.clone(), MAX_EVENTS).await.unwrap().pop().unwrap().id;
    let freed = store.forget(&gone).await.unwrap();

    assert_eq!(freed, ("own picture".len() + "own file".len()) as u64);
    let is_there: Vec<bool> = digests.iter().map(|digest| store.blobs().size(digest).is_some()).collect();
    assert_eq!(is_there, [false, true, false]);
    assert_eq!(store.sandbox(&gone).await.unwrap(), None);
    assert_eq!(store.task(&"task_of_sbx_gone".into()).await.unwrap(), None);
    assert_eq!(store.handoff(&"hnd_sbx_gone".into()).await.unwrap(), None);
    assert_eq!(store.approval(&"apr_sbx_gone".into()).await.unwrap(), None);
    assert_eq!(store.artifact(&"art_gone".into()).await.unwrap(), None);
    assert_eq!(store.recall("key sbx_gone", "POST /v1/sandboxes").await.unwrap(), None);
    assert!(store.conversation(&"task_of_sbx_gone".into()).await.unwrap().is_empty());
    assert!(store.events(of_gone, 10).await.unwrap().is_empty());
    assert!(store.search(CANARY, PageRequest::default()).await.unwrap().data.is_empty());

    let of_kept = EventFilter { sandbox_id: Some("sbx_kept".into()), ..EventFilter::default() };
    let kept: Vec<u64> = store.events(of_kept, 100).await.unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(kept, (1..=8).collect::<Vec<_>>());
    // Who saw an event of it last goes on from there, with the events of the others.
    let after = EventFilter { after: Some(seen_last), ..EventFilter::default() };
    assert_eq!(store.events(after, MAX_EVENTS).await.unwrap().len(), 8);
    assert_eq!(store.events(EventFilter::default(), MAX_EVENTS).await.unwrap().len(), 8);
    assert_eq!(store.search("lapwingbasalt", PageRequest::default()).await.unwrap().data.len(), 1);
    assert!(store.recall("key sbx_kept", "POST /v1/sandboxes").await.unwrap().is_some());
    assert!(store.artifact(&"art_kept".into()).await.unwrap().is_some());
}
