//! What is found, and that anything may be asked.

use proptest::prelude::*;
use rusqlite::Connection;
use sandbox_core::model::*;

use super::{event, task};
use crate::store::table::search;
use crate::store::*;

#[tokio::test]
async fn a_task_is_found_once_by_its_own_words_or_those_of_its_events() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let mut invoice = task("task_1", "Monthly invoice", TaskStatus::Running);
    invoice.prompt = Some("Download the invoice of Café Müller".to_owned());
    let change = Change {
        tasks: vec![invoice.clone(), task("task_2", "Weather", TaskStatus::Running)],
        events: vec![
            event("sbx_1", Some("task_1"), "clicked the download button"),
            event("sbx_1", Some("task_1"), "the download is complete"),
            event("sbx_9", None, "a download outside any task"),
        ],
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    let find = async |q: &str| store.search(q, PageRequest::default()).await.unwrap().data;

    let hits = find("download").await;
    assert_eq!(hits.len(), 2, "{hits:?}");
    assert_eq!((hits[0].task_id.clone(), hits[0].title.as_str()), (None, "sandbox.agent.message"));
    assert_eq!(hits[1].task_id, Some("task_1".into()));
    assert_eq!(hits[1].title, "Monthly invoice");
    assert_eq!(hits[1].snippet, "Download the invoice of Café Müller");

    let by_event = find("clicked BUTTON").await;
    assert_eq!(by_event.len(), 1);
    assert_eq!(by_event[0].title, "Monthly invoice");
    assert_eq!(by_event[0].snippet, "clicked the download button");

    for q in ["cafe", "müller", "MULLER", "nvoic", "fé", "invoice café"] {
        assert_eq!(find(q).await.len(), 1, "{q}");
    }
    for q in ["invoice weather", "absent", "", "  ", "sbx_1"] {
        assert_eq!(find(q).await, [], "{q}");
    }

    invoice.result = Some("Saved as rechnung.pdf".to_owned());
    invoice.prompt = Some("something else".to_owned());
    store.commit(Change { tasks: vec![invoice], ..Change::default() }).await.unwrap();
    assert_eq!(find("rechnung").await.len(), 1);
    assert_eq!(find("Müller").await, []);
}

#[tokio::test]
async fn hits_come_in_pages() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let tasks = (0..5).map(|n| task(&format!("task_{n}"), &format!("needle {n}"), TaskStatus::Queued)).collect();
    store.commit(Change { tasks, ..Change::default() }).await.unwrap();
    let mut titles = Vec::new();
    let mut request = PageRequest { limit: 2, cursor: None };
    loop {
        let page = store.search("needle", request.clone()).await.unwrap();
        titles.extend(page.data.into_iter().map(|hit| hit.title));
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(titles, ["needle 4", "needle 3", "needle 2", "needle 1", "needle 0"]);
    let foreign = PageRequest { limit: 2, cursor: Some("x".to_owned()) };
    assert!(matches!(store.search("needle", foreign).await, Err(StoreError::InvalidCursor)));
}

/// Events of many tasks and of none, in a mixed order: every page is what reading everything and sorting it gives.
#[tokio::test]
async fn hits_of_interleaved_tasks_come_in_the_order_of_their_beginnings() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for n in 0..40_usize {
        let title = if n % 7 == 0 { format!("needle {n}") } else { format!("other {n}") };
        let tasks = vec![task(&format!("task_{n}"), &title, TaskStatus::Running)];
        let of = |at: usize| format!("task_{}", (n * 13 + at * 5) % (n + 1));
        let events = (0..6).map(|at| match (n + at) % 5 {
            0 => event("sbx_1", None, "a needle outside"),
            1 | 2 => event("sbx_1", Some(&of(at)), "a needle"),
            _ => event("sbx_1", Some(&of(at)), "hay"),
        });
        store.commit(Change { tasks, events: events.collect(), ..Change::default() }).await.unwrap();
    }
    let db = Connection::open(home.path().join("history.db")).unwrap();
    let sql = "SELECT d.hit FROM search_text t JOIN search_docs d ON d.row = t.rowid WHERE t.search_text MATCH 'needle'
        GROUP BY d.hit ORDER BY d.hit DESC";
    let expected: Vec<i64> =
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let snippet_of = |hit: i64| {
        let sql = "SELECT t.title || ' ' || t.body FROM search_text t JOIN search_docs d ON d.row = t.rowid
            WHERE d.hit = ?1 AND (t.title LIKE '%needle%' OR t.body LIKE '%needle%') ORDER BY d.row LIMIT 1";
        db.query_row(sql, [hit], |row| row.get::<_, String>(0)).unwrap()
    };
    assert!(expected.len() > 30, "{}", expected.len());
    for limit in [1, 3, 50] {
        let mut found = Vec::new();
        let mut request = PageRequest { limit, cursor: None };
        loop {
            let page = search::find(&db, "needle", &request).unwrap();
            assert!(page.data.len() <= limit);
            found.extend(page.data);
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), expected.len(), "pages of {limit}");
        for (hit, row) in found.iter().zip(&expected) {
            assert!(snippet_of(*row).ends_with(&hit.snippet), "{hit:?} at {row}");
        }
    }
}

fn empty() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(search::V1).unwrap();
    db
}

#[test]
fn words_of_the_query_language_stand_for_themselves() {
    let db = empty();
    let text = r#"AND OR NOT NEAR( title: "quoted" ^start pre* {a b} col:x -minus + 100% a_b \back '; DROP TABLE"#;
    search::put_task(&db, &task("task_1", text, TaskStatus::Queued)).unwrap();
    for q in text.split(' ').chain([text, r#""quoted"#, "AND AND", "%", "_", "\\"]) {
        assert_eq!(search::find(&db, q, &PageRequest::default()).unwrap().data.len(), 1, "{q}");
    }
    for q in ["quotedx", "\"\"\"\"", "pre**", "%%"] {
        assert_eq!(search::find(&db, q, &PageRequest::default()).unwrap().data, [], "{q}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_valid_query(text in any::<String>()) {
        let db = empty();
        search::put_task(&db, &task("task_1", "some title", TaskStatus::Queued)).unwrap();
        prop_assert!(search::find(&db, &text, &PageRequest::default()).is_ok());
    }

    #[test]
    fn any_mixture_of_signs_of_the_query_language_is_a_valid_query(text in r#"["'()*^:{}+\-%_\\ANDOR NEAR,a0é\x00]{0,40}"#) {
        let db = empty();
        search::put_task(&db, &task("task_1", "some title", TaskStatus::Queued)).unwrap();
        prop_assert!(search::find(&db, &text, &PageRequest::default()).is_ok());
    }

    #[test]
    fn a_part_of_what_was_kept_is_found(before in "[a-zé0-9 \"*]{0,20}", part in "[a-zA-Zäßñ0-9*\"%_.-]{1,12}", after in r"[a-z\n ]{0,9}") {
        let db = empty();
        let mut kept = task("task_1", "title", TaskStatus::Queued);
        kept.prompt = Some(format!("{before}{part}{after}"));
        search::put_task(&db, &kept).unwrap();
        prop_assert_eq!(search::find(&db, &part, &PageRequest::default()).unwrap().data.len(), 1);
    }

    #[test]
    fn words_of_every_writing_are_found(word in r"\p{L}{1,10}") {
        let db = empty();
        search::put_task(&db, &task("task_1", &format!("before {word} after"), TaskStatus::Queued)).unwrap();
        prop_assert_eq!(search::find(&db, &word, &PageRequest::default()).unwrap().data.len(), 1);
    }
}
