//! A kill at any moment: what was acknowledged is there, and nothing is half there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use sandbox_core::model::TaskStatus;

use super::events::{check_numbers, whole_history};
use super::{child_home, event, run_this_test_as_child, task};
use crate::store::*;

const ROUNDS: usize = 4;
/// A child whose parent died ends by itself.
const MAX_COMMITS: usize = 200_000;

#[test]
fn what_was_acknowledged_before_a_kill_is_there_and_nothing_is_half_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    if let Some(home) = child_home() {
        return runtime.block_on(commit_until_killed(Store::open(&home).unwrap()));
    }
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let test = "store::tests::crash::what_was_acknowledged_before_a_kill_is_there_and_nothing_is_half_there";
        run_this_test_as_child(&mut child, test, home.path());
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.unwrap();
            let Some((_, id)) = line.split_once("acknowledged ") else { continue };
            acknowledged.push(id.to_owned());
            seen += 1;
            // In the midst of its work, and not always at the same place of it.
            if seen == 40 + 17 * round {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(seen >= 40, "the child ended before it was killed, after {seen} commits");

        let store = Store::open(home.path()).unwrap();
        assert_eq!(store.opened().set_aside, None);
        let events = runtime.block_on(whole_history(&store, 500));
        check_numbers(&events);
        for id in &acknowledged {
            assert!(runtime.block_on(store.task(&id.as_str().into())).unwrap().is_some(), "{id} is lost");
        }
        // Each change was a task and two events.
        let mut n_events = std::collections::BTreeMap::new();
        for event in &events {
            *n_events.entry(event.task_id.clone().unwrap()).or_insert(0) += 1;
        }
        for (task_id, n_events) in &n_events {
            assert_eq!(*n_events, 2, "{task_id}");
            assert!(runtime.block_on(store.task(task_id)).unwrap().is_some(), "{task_id} has events only");
        }
        assert!(n_events.len() >= acknowledged.len());
    }
}

async fn commit_until_killed(store: Store) {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        callers.spawn(async move {
            for _ in 0..MAX_COMMITS {
                let id = format!("task_{}", crate::unique());
                let change = Change {
                    tasks: vec![task(&id, "a task", TaskStatus::Running)],
                    events: vec![event("sbx_1", Some(&id), "one"), event("sbx_1", Some(&id), "two")],
                    ..Change::default()
                };
                store.commit(change).await.unwrap();
                println!("acknowledged {id}");
            }
        });
    }
    callers.join_all().await;
}
