//! What a caller meets at the edges: idle sandboxes end, a program that is not there is said to be missing, and a sandbox that
//! has enough to do says so.

use baton_tests::{Baton, binary, eventually};
use futures_util::future::join_all;
use serde_json::json;

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
async fn a_command_that_a_limit_ends_says_so_and_what_is_in_force_is_shown() {
    let baton = Baton::start().await;
    let config = json!({ "capabilities": { "browser": false }, "limits": { "memoryMb": 300 } });
    let sandbox = baton.ready_sandbox(config).await;
    let in_force = baton.get(&format!("/sandboxes/{sandbox}")).await["limits"]["inForce"].clone();
    assert_eq!(in_force["memoryMb"]["value"], 300, "{in_force}");
    for limit in ["memoryMb", "pids", "diskMb"] {
        assert!(in_force[limit]["by"].is_string(), "{in_force}");
    }
    // Each of them may have its share; all of them may not.
    let hold = "import time; held = bytearray(120 << 20); time.sleep(60)";
    let line = format!("for n in 1 2 3 4; do python3 -c '{hold}' & done; wait -n; exit 9");
    let done =
        baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "bash", "args": ["-c", line] })).await;
    assert_eq!((&done["exitCode"], &done["limitExceeded"]), (&json!(9), &json!("memoryMb")), "{done}");
    let said = "baton: the sandbox used up its memory of 300 MB (limits.memoryMb)\n";
    assert!(done["stderr"].as_str().expect("text").ends_with(said), "{done}");
    let events = baton.get(&format!("/sandboxes/{sandbox}/events?types=sandbox.exec.completed")).await;
    assert_eq!(events["data"][0]["data"]["limitExceeded"], "memoryMb", "{events}");
}

#[tokio::test]
async fn a_limit_that_cannot_be_held_is_refused_by_name() {
    let baton = Baton::start().await;
    for (limit, value) in [("memoryMb", json!(10)), ("pids", json!(1)), ("cpus", json!(0)), ("diskMb", json!(0))] {
        let body = json!({ "limits": { limit: value } });
        let (status, refused) = baton.send("POST", "/sandboxes", Some(body)).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
        assert!(
            refused["error"]["message"].as_str().expect("a sentence").contains(&format!("limits.{limit}")),
            "{refused}"
        );
    }
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
async fn one_command_too_many_is_told_to_come_again_and_the_others_go_on() {
    /// As many as a sandbox runs at once.
    const MOST: usize = 64;
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let path = format!("/sandboxes/{sandbox}/exec");
    let run = |script: String| {
        let command = json!({ "command": "sh", "args": ["-c", script] });
        baton.send("POST", &path, Some(command))
    };
    let waiting =
        join_all((0..MOST).map(|n| run(format!("touch begun-{n}; until [ -e go ]; do sleep 0.2; done; echo {n}"))));
    let one_too_many = async {
        eventually("all of them run", || async {
            let listed = baton.get(&format!("/sandboxes/{sandbox}/fs/list")).await;
            (listed["data"].as_array().expect("a list").len() == MOST).then_some(())
        })
        .await;
        let (status, refused) = run("true".to_owned()).await;
        assert_eq!((status, &refused["error"]["code"]), (429, &json!("overloaded")), "{refused}");
        assert!(refused["error"]["hint"].is_string(), "{refused}");
        let go = format!("/sandboxes/{sandbox}/fs/write?path=/workspace/go");
        baton.ok("PUT", &go, Some(json!("go"))).await;
    };
    let (done, ()) = tokio::join!(waiting, one_too_many);
    for (n, (status, answer)) in done.into_iter().enumerate() {
        assert_eq!((status, &answer["stdout"]), (200, &json!(format!("{n}\n"))), "{answer}");
    }
    let (status, _) = run("true".to_owned()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_second_runtime_says_who_holds_the_folder_and_gives_a_fresh_address_of_the_interface() {
    let baton = Baton::start().await;
    let mut second = std::process::Command::new(binary("baton"));
    second.args(["serve", "--port", "0"]).env("BATON_HOME", baton.home());
    let ended = tokio::task::spawn_blocking(move || second.output()).await.expect("no panic").expect("baton runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(ended.status.code(), Some(2));
    assert!(said(&ended.stderr).contains(&format!("in use by process {}", baton.pid())), "{}", said(&ended.stderr));
    let printed = said(&ended.stdout);
    let (base, ticket) = printed.trim().split_once("/#ticket=").expect("an address with a ticket");
    assert_eq!(base, format!("interface: {}", baton.url));
    let redeemed = baton.post("/tickets/redeem", json!({ "ticket": ticket })).await;
    assert_eq!(redeemed["purpose"], "interface");
}
