//! Pause and resume from outside: what runs stands still, and goes on where it stopped.

use baton_tests::{Baton, eventually};
use serde_json::{Value, json};

async fn count(baton: &Baton, sandbox: &str) -> u64 {
    let bytes = baton.bytes(&format!("/sandboxes/{sandbox}/fs/read?path=ticks")).await;
    String::from_utf8_lossy(&bytes).lines().count() as u64
}

fn conflicts(answer: &(u16, Value), status: &str) {
    assert_eq!((answer.0, &answer.1["error"]["details"]["status"]), (409, &json!(status)), "{}", answer.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_command_a_page_and_a_task_stand_still_and_go_on() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    baton.post(&of("/preview/navigate"), json!({ "url": "http://portal.example/" })).await;
    let playbook = "name: Count\nsteps:\n  - exec: { command: bash, timeoutMs: 20000, args: [-c, \"for n in $(seq 40); do echo $n >> ticks; sleep 0.1; done; echo through\"] }\n  - navigate: http://portal.example/help\n";
    let task = baton.post(&of("/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("an id").to_owned();
    eventually("the command runs", || async {
        let (status, _) = baton.send("GET", &of("/fs/stat?path=ticks"), None).await;
        (status == 200).then_some(())
    })
    .await;

    let paused = baton.post(&of("/pause"), json!({})).await;
    assert_eq!(paused["status"], "paused", "{paused}");
    let by = paused["paused"]["by"].as_str().expect("it says by what");
    assert!(["cgroup2", "signals"].contains(&by), "{by}");
    let before = count(&baton, &sandbox).await;
    // Longer than a room may be silent before it counts as hung, and than the command's own time.
    tokio::time::sleep(std::time::Duration::from_secs(22)).await;
    assert_eq!(count(&baton, &sandbox).await, before, "it stands still");
    conflicts(&baton.send("POST", &of("/exec"), Some(json!({ "command": "true" }))).await, "paused");
    conflicts(&baton.send("POST", &of("/checkpoints"), Some(json!({}))).await, "paused");
    conflicts(&baton.send("POST", &of("/preview/navigate"), Some(json!({ "url": "about:blank" }))).await, "paused");
    assert_eq!(baton.get(&format!("/tasks/{task}")).await["status"], "running");

    let resumed = baton.post(&of("/resume"), json!({})).await;
    assert!(["ready", "active"].contains(&resumed["status"].as_str().expect("a word")), "{resumed}");
    assert_eq!(resumed.get("paused"), None);
    let ended = baton.until_over(&task).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(count(&baton, &sandbox).await, 40);
    let page = baton.get(&of("/events?limit=200")).await;
    let kinds: Vec<&str> =
        page["data"].as_array().expect("a list").iter().filter_map(|one| one["type"].as_str()).collect();
    assert!(kinds.contains(&"sandbox.paused") && kinds.contains(&"sandbox.resumed"), "{kinds:?}");
    assert!(!kinds.contains(&"sandbox.recovered"), "nothing was taken for hung: {kinds:?}");
    baton.post(&of("/pause"), json!({})).await;
    baton.ok("DELETE", &of(""), None).await;
    baton.until(&of(""), "/status", "ended").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_paused_when_the_runtime_ends_stays_so_and_comes_back() {
    let mut baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    for is_killed in [false, true] {
        baton.post(&of("/preview/navigate"), json!({ "url": "http://portal.example/help" })).await;
        let write = json!({ "command": "bash", "args": ["-c", "echo kept > kept.txt"] });
        baton.post(&of("/exec"), write).await;
        baton.post(&of("/pause"), json!({})).await;
        if is_killed {
            baton.kill_9().await;
        } else {
            baton.stop().await;
        }
        baton = Baton::start_at(baton.into_home()).await;
        let left = baton.get(&of("")).await;
        assert_eq!((&left["status"], &left["paused"]["by"]), (&json!("paused"), &json!("stopped")), "{left}");
        conflicts(&baton.send("POST", &of("/exec"), Some(json!({ "command": "true" }))).await, "paused");
        baton.post(&of("/resume"), json!({})).await;
        let ready = baton.get(&of("?waitFor=ready&timeoutMs=120000")).await;
        assert_eq!((&ready["status"], ready.get("paused")), (&json!("ready"), None), "{ready}");
        baton.until(&of("/preview"), "/url", "http://portal.example/help").await;
        let read = json!({ "command": "cat", "args": ["kept.txt"] });
        assert_eq!(baton.post(&of("/exec"), read).await["stdout"], "kept\n");
    }
}
