//! A task whose runtime is killed without a word goes on from its last committed step, and does nothing twice unseen.
//!
//! `BATON_KILLS` says how many times it is killed; `script/soak` asks for many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baton_tests::{Answer, Asked, Baton, ModelServer, Turn, eventually};
use serde_json::{Value, json};

/// Lines that the task is to write, each once.
const LINES: [&str; 4] = ["one", "two", "three", "four"];

/// Reads the file, then writes the first line that it lacks; asks anew after whatever it does not know.
fn careful(asked: &Asked) -> Answer {
    let messages = asked.body["messages"].as_array().expect("a conversation");
    let results = messages.iter().rev().take_while(|message| message["role"] != "assistant");
    let newest: String = results.map(ToString::to_string).collect();
    let was_read = newest.contains("file-content") || newest.contains("Not read");
    if !was_read {
        return Answer::call("read", json!({ "path": "log.txt" }));
    }
    let Some(next) = LINES.iter().find(|line| !newest.contains(&format!("- {line}"))) else {
        return Answer::call("done", json!({ "result": "all lines are written" }));
    };
    let script = format!("sleep 0.03; echo '- {next}' >> log.txt; sleep 0.03");
    Answer::call("code", json!({ "language": "bash", "code": script }))
}

#[tokio::test]
async fn a_killed_task_goes_on_and_does_nothing_twice() {
    let kills: usize = std::env::var("BATON_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut killed = 0;
    let mut round = 0_u64;
    while killed < kills {
        killed += killed_in_one_task(kills - killed, round).await;
        round += 1;
        assert!(round < 10 + kills as u64, "the task is killed at all");
    }
}

/// Follows one task through at most so many kills; returns how many there were.
async fn killed_in_one_task(most: usize, round: u64) -> usize {
    let n_asked = Arc::new(AtomicUsize::new(0));
    let turns = (0..400).map(|_| {
        let n_asked = n_asked.clone();
        Turn::of(move |asked| {
            n_asked.fetch_add(1, Ordering::SeqCst);
            careful(asked)
        })
    });
    let model = ModelServer::start(turns.collect()).await;
    let env = model.env();
    let mut baton = Baton::start_with(&env).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let body = json!({ "prompt": "Write the lines into log.txt, each once", "limits": { "steps": 300 } });
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), body).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    let mut kills = 0;
    let mut seen = 0;
    while kills < most.min(6) {
        let wanted = seen + 2;
        let path = format!("/tasks/{task}");
        let over = eventually("the task gets on", || {
            let n_asked = n_asked.load(Ordering::SeqCst);
            let (baton, path) = (&baton, &path);
            async move {
                if n_asked >= wanted {
                    return Some(false);
                }
                (baton.get(path).await["status"] == "completed").then_some(true)
            }
        })
        .await;
        if over {
            break;
        }
        seen = n_asked.load(Ordering::SeqCst);
        // At another place of a step each time.
        tokio::time::sleep(Duration::from_millis((round * 13 + kills as u64 * 17) % 90)).await;
        baton.kill_9().await;
        kills += 1;
        baton = Baton::start_at_with(baton.into_home(), &env).await;
    }
    let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    assert_eq!(done["result"], "all lines are written", "{done}");
    let written = baton.bytes(&format!("/sandboxes/{sandbox}/fs/read?path=log.txt")).await;
    let written = String::from_utf8(written).expect("text");
    let expected: String = LINES.iter().map(|line| format!("- {line}\n")).collect();
    assert_eq!(written, expected, "after {kills} kills");
    kills
}

#[tokio::test]
async fn a_request_for_a_person_outlives_the_runtime_and_stays_the_same() {
    let ask = json!({ "reason": "mfa", "message": "Sign in", "resumePrompt": "Then count." });
    let model = ModelServer::start(vec![
        Answer::call("navigate", json!({ "url": "http://portal.example/help" })).into(),
        Answer::call("handoff", ask).into(),
        Turn::of(|asked| {
            let text = asked.text();
            assert!(text.contains("Then count.") && text.contains("started anew"), "{text}");
            Answer::call("done", json!({ "result": "went on" }))
        }),
    ])
    .await;
    let env = model.env();
    let mut baton = Baton::start_with(&env).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let body = json!({ "prompt": "Count at portal.example" });
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), body).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
    let before = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
    baton.kill_9().await;
    let baton = Baton::start_at_with(baton.into_home(), &env).await;
    baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
    let after = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
    assert_eq!(after["handoff"]["requestId"], before["handoff"]["requestId"]);
    assert_eq!(after["preview"]["url"], "http://portal.example/help", "the page is open again for the person");
    baton.post(&format!("/sandboxes/{sandbox}/handoff/complete"), json!({})).await;
    let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    assert_eq!(done["result"], "went on");
}

#[tokio::test]
async fn what_cannot_go_on_says_why() {
    let model = ModelServer::start(vec![
        Answer::call("list", json!({})).into(),
        Answer::call("exec", json!({ "command": "sleep", "args": ["60"] })).into(),
    ])
    .await;
    let env = model.env();
    let mut baton = Baton::start_with(&env).await;
    let config = json!({ "capabilities": { "browser": false }, "env": { "TEAM": "blue" } });
    let sandbox = baton.ready_sandbox(config).await;
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "prompt": "Wait" })).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    eventually("the task is in the middle", || std::future::ready((model.asked().len() == 2).then_some(()))).await;
    baton.kill_9().await;
    let baton = Baton::start_at_with(baton.into_home(), &env).await;
    let failed: Value = baton.get(&format!("/tasks/{task}")).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("interrupted")), "{failed}");
    assert!(failed["error"]["message"].as_str().is_some_and(|why| why.contains("TEAM")), "{failed}");
}

/// How a runtime ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Quit,
    Kill,
}

const ASKS_IN_THE_MIDDLE: &str = r#"
name: Ask in the middle
params: { word: none }
steps:
  - navigate: http://portal.example/help
  - code: { language: bash, code: "echo before >> log.txt" }
  - handoff: { reason: mfa, message: Sign in }
  - code: { language: bash, code: "echo {{word}} >> log.txt; echo went on" }
"#;

#[tokio::test]
async fn a_playbook_that_waits_for_a_person_goes_on_from_there_however_its_runtime_ended() {
    for end in [End::Quit, End::Kill] {
        let mut baton = Baton::start().await;
        let sandbox = baton.ready_sandbox(json!({})).await;
        let body = json!({ "playbook": ASKS_IN_THE_MIDDLE, "params": { "word": "canary-parameter" } });
        let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), body).await;
        let task = task["taskId"].as_str().expect("a task has an id").to_owned();
        baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
        let before = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
        match end {
            End::Quit => baton.stop().await,
            End::Kill => baton.kill_9().await,
        }
        let home = baton.into_home();
        let kept = std::fs::read(home.path().join("history.db")).expect("the history");
        let log = std::fs::read(home.path().join("history.db-wal")).unwrap_or_default();
        let holds = |bytes: &[u8]| bytes.windows(16).any(|part| part == b"canary-parameter");
        assert!(!holds(&kept) && !holds(&log), "{end:?}: the value of a parameter is readable in the history");

        let baton = Baton::start_at(home).await;
        let preview = baton.until(&format!("/sandboxes/{sandbox}/preview"), "/controlMode", "waiting").await;
        assert_eq!(preview["url"], "http://portal.example/help", "{end:?}: the page is open again for the person");
        let after = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
        assert_eq!(after["handoff"]["requestId"], before["handoff"]["requestId"], "{end:?}");
        assert_eq!(after["handoff"]["requestedAt"], before["handoff"]["requestedAt"], "{end:?}");
        baton.post(&format!("/sandboxes/{sandbox}/handoff/complete"), json!({})).await;
        let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
        assert_eq!(done["result"], "went on", "{end:?}");
        let written = baton.bytes(&format!("/sandboxes/{sandbox}/fs/read?path=log.txt")).await;
        let written = String::from_utf8(written).expect("text");
        assert_eq!(written, "before\ncanary-parameter\n", "{end:?}: what was done before is not done again");
    }
}

#[tokio::test]
async fn a_quit_ends_what_waits_for_nobody() {
    let mut baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let playbook = "name: Wait\nsteps:\n  - exec: { command: sleep, args: ['60'] }\n";
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    baton.until(&format!("/tasks/{task}"), "/status", "running").await;
    baton.stop().await;
    let baton = Baton::start_at(baton.into_home()).await;
    assert_eq!(baton.get(&format!("/tasks/{task}")).await["status"], "cancelled");
    assert_eq!(baton.get(&format!("/sandboxes/{sandbox}")).await["status"], "ended");
}
