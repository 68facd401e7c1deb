//! Records in, records out: lists, pages, restart, idempotency.

use sandbox_core::model::*;

use super::{approval, artifact, event, handoff, sandbox, task};
use crate::store::*;

async fn opened() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    (home, store)
}

#[tokio::test]
async fn what_was_committed_is_read_back_whole_also_after_reopening() {
    let (home, store) = opened().await;
    let change = Change {
        sandboxes: vec![sandbox("sbx_1", SandboxStatus::Active)],
        tasks: vec![task("task_1", "Invoices", TaskStatus::Running)],
        handoffs: vec![handoff("ho_1", "sbx_1", HandoffStatus::Pending)],
        artifacts: vec![artifact("art_1", "a.txt", "aa")],
        events: vec![event("sbx_1", Some("task_1"), "one")],
        ..Change::default()
    };
    let events = store.commit(change.clone()).await.unwrap();
    drop(store);

    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.opened(), &Opened::default());
    assert_eq!(store.sandbox(&"sbx_1".into()).await.unwrap().as_ref(), Some(&change.sandboxes[0]));
    assert_eq!(store.task(&"task_1".into()).await.unwrap().as_ref(), Some(&change.tasks[0]));
    assert_eq!(store.handoff(&"ho_1".into()).await.unwrap().as_ref(), Some(&change.handoffs[0]));
    assert_eq!(store.artifact(&"art_1".into()).await.unwrap().as_ref(), Some(&change.artifacts[0]));
    assert_eq!(store.events(EventFilter::default(), 10).await.unwrap(), events);
    assert_eq!(store.task(&"task_2".into()).await.unwrap(), None);
    assert_eq!(store.sandbox(&"".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_record_of_the_same_id_replaces_the_one_before_and_keeps_its_place() {
    let (_home, store) = opened().await;
    for id in ["task_1", "task_2"] {
        let tasks = vec![task(id, id, TaskStatus::Queued)];
        store.commit(Change { tasks, ..Change::default() }).await.unwrap();
    }
    let done = task("task_1", "done", TaskStatus::Completed);
    store.commit(Change { tasks: vec![done.clone()], ..Change::default() }).await.unwrap();
    let page = store.tasks(TaskFilter::default(), PageRequest::default()).await.unwrap();
    assert_eq!(page.data, [task("task_2", "task_2", TaskStatus::Queued), done]);
    assert_eq!(page.next_cursor, None);
}

#[tokio::test]
async fn questions_permissions_and_rules_are_kept() {
    let (home, store) = opened().await;
    let rule = |site: &str, effect| Rule { sandbox_id: None, site: site.to_owned(), kind: None, effect };
    let rules = vec![rule("*", RuleEffect::Ask), rule("shop.example", RuleEffect::Hold)];
    let pending = approval("apr_1", "sbx_1", ApprovalStatus::Pending);
    let denied = approval("apr_2", "sbx_2", ApprovalStatus::Denied);
    let mut grant = sandbox_core::approval::ledger::grant(&pending, "grt_1".into(), &GrantScope::default(), 5).unwrap();
    let change = Change {
        approvals: vec![pending.clone(), denied.clone()],
        grants: vec![grant.clone()],
        rules: Some(rules.clone()),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    sandbox_core::approval::ledger::spend(&mut grant, &pending.proposal, 6);
    store.commit(Change { grants: vec![grant.clone()], ..Change::default() }).await.unwrap();
    drop(store);

    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.approval(&"apr_1".into()).await.unwrap(), Some(pending.clone()));
    let list = async |filter| store.approvals(filter, PageRequest::default()).await.unwrap().data;
    let open = ApprovalFilter { status: Some(ApprovalStatus::Pending), ..ApprovalFilter::default() };
    assert_eq!(list(open).await, std::slice::from_ref(&pending));
    let of_one = ApprovalFilter { sandbox_id: Some("sbx_2".into()), ..ApprovalFilter::default() };
    assert_eq!(list(of_one).await, [denied]);
    assert_eq!(store.unfinished().await.unwrap().approvals, [pending]);
    assert_eq!(store.grant(&"grt_1".into()).await.unwrap(), Some(grant.clone()));
    let of_task = GrantFilter { task_id: Some("task_1".into()), ..GrantFilter::default() };
    assert_eq!(store.grants(of_task, PageRequest::default()).await.unwrap().data, [grant]);
    assert_eq!(store.rules().await.unwrap(), rules, "in their order");
    store.commit(Change { rules: Some(vec![]), ..Change::default() }).await.unwrap();
    assert_eq!(store.rules().await.unwrap(), []);
}

#[tokio::test]
async fn pages_are_newest_first_and_what_arrives_between_them_neither_repeats_nor_hides_one() {
    let (_home, store) = opened().await;
    let commit = async |ids: std::ops::Range<usize>| {
        let tasks = ids.map(|n| task(&format!("task_{n}"), "t", TaskStatus::Queued)).collect();
        store.commit(Change { tasks, ..Change::default() }).await.unwrap();
    };
    let page = async |cursor| {
        let page = store.tasks(TaskFilter::default(), PageRequest { limit: 2, cursor }).await.unwrap();
        (page.data.into_iter().map(|task| task.id.0).collect::<Vec<_>>(), page.next_cursor)
    };
    commit(0..5).await;
    let (first, cursor) = page(None).await;
    assert_eq!(first, ["task_4", "task_3"]);
    commit(5..8).await;
    let (second, cursor) = page(cursor).await;
    assert_eq!(second, ["task_2", "task_1"]);
    let (third, cursor) = page(cursor).await;
    assert_eq!((third, cursor), (vec!["task_0".to_owned()], None));
}

#[tokio::test]
async fn a_limit_out_of_range_is_brought_into_it_and_a_foreign_cursor_refused() {
    let (_home, store) = opened().await;
    let tasks = (0..250).map(|n| task(&format!("task_{n}"), "t", TaskStatus::Queued)).collect();
    store.commit(Change { tasks, ..Change::default() }).await.unwrap();
    for (limit, expected) in [(0, 1), (usize::MAX, 200)] {
        let page = store.tasks(TaskFilter::default(), PageRequest { limit, cursor: None }).await.unwrap();
        assert_eq!(page.data.len(), expected);
    }
    let cursor = store.tasks(TaskFilter::default(), PageRequest::default()).await.unwrap().next_cursor;
    let foreign = store.handoffs(HandoffFilter::default(), PageRequest { limit: 5, cursor }).await;
    assert!(matches!(foreign, Err(StoreError::InvalidCursor)));
}

#[tokio::test]
async fn lists_are_filtered() {
    let (_home, store) = opened().await;
    let change = Change {
        sandboxes: vec![sandbox("sbx_1", SandboxStatus::Ready), sandbox("sbx_2", SandboxStatus::Ended)],
        tasks: vec![
            task("task_1", "Monthly invoice", TaskStatus::Running),
            task("task_2", "Weather", TaskStatus::Running),
            Task { sandbox_id: "sbx_2".into(), ..task("task_3", "An invoice again", TaskStatus::Failed) },
        ],
        handoffs: vec![
            handoff("ho_1", "sbx_1", HandoffStatus::Pending),
            handoff("ho_2", "sbx_2", HandoffStatus::Pending),
            handoff("ho_3", "sbx_1", HandoffStatus::Completed),
        ],
        artifacts: vec![artifact("art_1", "100%.csv", "aa"), artifact("art_2", "100.csv", "bb")],
        ..Change::default()
    };
    store.commit(change).await.unwrap();

    let sandboxes = store.sandboxes(SandboxFilter { status: Some(SandboxStatus::Ended) }, PageRequest::default());
    assert_eq!(ids(sandboxes.await.unwrap().data, |sandbox| sandbox.id.0), ["sbx_2"]);

    let tasks = async |sandbox: Option<&str>, status, q: Option<&str>| {
        let filter = TaskFilter { sandbox_id: sandbox.map(Into::into), status, q: q.map(str::to_owned) };
        ids(store.tasks(filter, PageRequest::default()).await.unwrap().data, |task| task.id.0)
    };
    assert_eq!(tasks(None, None, Some("nvoic")).await, ["task_3", "task_1"]);
    assert_eq!(tasks(None, None, Some("invoice monthly")).await, ["task_1"]);
    assert_eq!(tasks(Some("sbx_2"), None, Some("INVOICE")).await, ["task_3"]);
    assert_eq!(tasks(None, Some(TaskStatus::Running), None).await, ["task_2", "task_1"]);
    assert_eq!(tasks(None, None, Some(" \t ")).await.len(), 3);
    assert_eq!(tasks(None, None, Some("an")).await, ["task_3"]);

    let pending = HandoffFilter { sandbox_id: Some("sbx_1".into()), status: Some(HandoffStatus::Pending) };
    let handoffs = store.handoffs(pending, PageRequest::default()).await.unwrap();
    assert_eq!(ids(handoffs.data, |handoff| handoff.request_id.0), ["ho_1"]);

    let named = ArtifactFilter { sandbox_id: None, q: Some("0%".to_owned()) };
    let artifacts = store.artifacts(named, PageRequest::default()).await.unwrap();
    assert_eq!(ids(artifacts.data, |artifact| artifact.key.0), ["art_1"]);
}

#[tokio::test]
async fn what_had_not_ended_is_found_at_the_next_start() {
    let (_home, store) = opened().await;
    use SandboxStatus::*;
    let statuses = [Queued, Assigning, Ready, Active, Ending, Ended, Failed];
    let change = Change {
        sandboxes: statuses.iter().enumerate().map(|(n, status)| sandbox(&format!("sbx_{n}"), *status)).collect(),
        tasks: [TaskStatus::Queued, TaskStatus::Running, TaskStatus::Waiting, TaskStatus::Completed]
            .into_iter()
            .chain([TaskStatus::Failed, TaskStatus::Cancelled])
            .enumerate()
            .map(|(n, status)| task(&format!("task_{n}"), "t", status))
            .collect(),
        handoffs: [HandoffStatus::Pending, HandoffStatus::Accepted, HandoffStatus::Completed]
            .into_iter()
            .chain([HandoffStatus::Cancelled, HandoffStatus::Expired])
            .enumerate()
            .map(|(n, status)| handoff(&format!("ho_{n}"), "sbx_1", status))
            .collect(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    let found = store.unfinished().await.unwrap();
    assert_eq!(ids(found.sandboxes, |sandbox| sandbox.id.0), ["sbx_0", "sbx_1", "sbx_2", "sbx_3", "sbx_4"]);
    assert_eq!(ids(found.tasks, |task| task.id.0), ["task_0", "task_1", "task_2"]);
    assert_eq!(ids(found.handoffs, |handoff| handoff.request_id.0), ["ho_0", "ho_1"]);
}

#[tokio::test]
async fn an_answer_is_recalled_under_its_key() {
    let (home, store) = opened().await;
    let answer = Recalled { body_hash: "h".to_owned(), status: 201, body: "{\"id\":\"sbx_1\"}".to_owned() };
    store.remember("key", "POST /v1/sandboxes", answer.clone()).await.unwrap();
    drop(store);
    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.recall("key", "POST /v1/sandboxes").await.unwrap(), Some(answer));
    assert_eq!(store.recall("key", "POST /v1/webhooks").await.unwrap(), None);
}

fn ids<T>(records: Vec<T>, id: impl Fn(T) -> String) -> Vec<String> {
    records.into_iter().map(id).collect()
}
