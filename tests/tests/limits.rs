//! Bounds that a caller meets: idle sandboxes end, too much at once is refused with a time to come back.

use baton_tests::Baton;
use serde_json::{Value, json};

#[tokio::test]
async fn a_sandbox_that_nobody_works_in_or_watches_ends_and_says_why() {
    let baton = Baton::start().await;
    let config = |idle_ms: u64| json!({ "capabilities": { "browser": false }, "limits": { "idleMs": idle_ms } });
    let kept = baton.ready_sandbox(config(3_600_000)).await;
    let idle = baton.ready_sandbox(config(1_000)).await;
    // A command that takes longer than that is work.
    let slow = json!({ "command": "sleep", "args": ["2"] });
    let done = baton.post(&format!("/sandboxes/{idle}/exec"), slow).await;
    assert_eq!(done["exitCode"], 0, "{done}");
    baton.until(&format!("/sandboxes/{idle}"), "/status", "ended").await;
    let events = baton.get(&format!("/sandboxes/{idle}/events?types=sandbox.ended")).await;
    let why = events["data"][0]["data"]["message"].as_str().expect("a reason");
    assert!(why.contains("nobody worked in it or watched it for 1 s"), "{why}");
    assert_eq!(baton.get(&format!("/sandboxes/{kept}")).await["status"], "ready");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_to_be_missing_with_a_way_on() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let line = json!({ "command": "echo hello && ls" });
    let (status, refused) = baton.send("POST", &format!("/sandboxes/{sandbox}/exec"), Some(line)).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
    assert!(refused["error"]["hint"].as_str().expect("a hint").contains("bash"), "{refused}");
}

#[tokio::test]
async fn commands_beyond_the_places_are_refused_until_one_ends() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let path = format!("/sandboxes/{sandbox}/exec");
    let slow = json!({ "command": "sh", "args": ["-c", "while [ ! -e done ]; do sleep 0.2; done"] });
    let many = futures_util::future::join_all((0..70).map(|_| baton.send("POST", &path, Some(slow.clone()))));
    let freeing = async {
        // The first refusal says that every place is taken; then all may end.
        let refused = baton_tests::eventually("the places are taken", || async {
            let (status, answer) = baton.send("POST", &path, Some(json!({ "command": "true" }))).await;
            (status == 429).then_some(answer)
        });
        let refused: Value = refused.await;
        assert_eq!(refused["error"]["code"], "overloaded", "{refused}");
        let write = format!("/sandboxes/{sandbox}/fs/mkdir");
        baton.post(&write, json!({ "path": "done" })).await;
    };
    let (answers, ()) = futures_util::future::join(many, freeing).await;
    assert!(answers.iter().all(|(status, _)| [200, 429].contains(status)), "{answers:?}");
    assert!(answers.iter().filter(|(status, _)| *status == 200).count() >= 60);
    assert_eq!(baton.post(&path, json!({ "command": "true" })).await["exitCode"], 0);
}
