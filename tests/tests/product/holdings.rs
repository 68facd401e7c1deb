//! What a sandbox holds, while it runs and when it is over: counted, found, followed, deleted, kept.

use baton_tests::Baton;
use futures_util::StreamExt;
use serde_json::json;

async fn sandbox_with_files(baton: &Baton) -> String {
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let script = "mkdir -p logs && yes 'a line of the log' | head -c 3000000 > logs/big.log && echo note > note.txt";
    let made =
        baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "sh", "args": ["-c", script] })).await;
    assert_eq!(made["exitCode"], 0, "{made}");
    sandbox
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_deletes_can_be_had_back_until_the_trash_is_emptied() {
    let baton = Baton::start().await;
    let sandbox = sandbox_with_files(&baton).await;
    let fs = |rest: &str| format!("/sandboxes/{sandbox}/fs{rest}");

    let removed = baton.ok("DELETE", &fs("?path=logs&trash=true"), None).await;
    let trash_id = removed["trashId"].as_str().expect("it is in the trash").to_owned();
    assert_eq!(baton.send("GET", &fs("/stat?path=logs/big.log"), None).await.0, 404);
    let usage = baton.get(&fs("/usage")).await;
    assert!(
        usage["trashBytes"].as_u64() >= Some(3_000_000) && usage["workspaceBytes"].as_u64() < Some(1_000_000),
        "{usage}"
    );
    let listed = baton.get(&fs("/trash")).await;
    assert_eq!((&listed["data"][0]["path"], &listed["data"][0]["kind"]), (&json!("logs"), &json!("directory")));

    let back = baton.post(&fs(&format!("/trash/{trash_id}/restore")), json!({})).await;
    assert_eq!(back["path"], "logs");
    assert_eq!(baton.get(&fs("/stat?path=logs/big.log")).await["size"], 3_000_000);
    assert_eq!(baton.send("POST", &fs(&format!("/trash/{trash_id}/restore")), Some(json!({}))).await.0, 404);

    baton.ok("DELETE", &fs("?path=logs&trash=true"), None).await;
    let freed = baton.ok("DELETE", &fs("/trash"), None).await;
    assert!(freed["freedBytes"].as_u64() >= Some(3_000_000), "{freed}");
    assert_eq!(baton.get(&fs("/trash")).await["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_ended_sandbox_left_is_counted_kept_and_deleted() {
    let baton = Baton::start().await;
    let sandbox = sandbox_with_files(&baton).await;
    baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
    baton.until(&format!("/sandboxes/{sandbox}"), "/status", "ended").await;
    let fs = |rest: &str| format!("/sandboxes/{sandbox}/fs{rest}");

    let usage = baton.get(&fs("/usage")).await;
    assert!(usage["workspaceBytes"].as_u64() >= Some(3_000_000), "{usage}");
    assert_eq!((&usage["files"], &usage["folders"]), (&json!(2), &json!(1)));

    let kept = baton.post(&format!("/sandboxes/{sandbox}/artifacts"), json!({ "path": "note.txt" })).await;
    let key = kept["key"].as_str().expect("a key");
    assert_eq!(baton.bytes(&format!("/artifacts/{key}/content")).await, b"note\n");

    let found = baton.get(&fs("/search?q=a%20line&content=true")).await;
    assert_eq!((&found["data"][0]["path"], &found["data"][0]["line"]), (&json!("logs/big.log"), &json!(1)), "{found}");

    let removed = baton.ok("DELETE", &fs("?path=logs&trash=true"), None).await;
    assert!(removed["trashId"].is_string());
    baton.ok("DELETE", &fs("/trash"), None).await;
    baton.ok("DELETE", &fs("?path=note.txt"), None).await;
    let usage = baton.get(&fs("/usage")).await;
    assert_eq!((&usage["files"], &usage["trashBytes"]), (&json!(0), &json!(0)), "{usage}");
    // Writing is for sandboxes that run.
    assert_eq!(baton.send("POST", &fs("/mkdir"), Some(json!({ "path": "new" }))).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commands_change_is_told_while_it_happens() {
    let baton = Baton::start().await;
    let sandbox = sandbox_with_files(&baton).await;
    let request = baton_tests::http_client().get(format!("{}/v1/sandboxes/{sandbox}/fs/watch", baton.url));
    let answer = request.bearer_auth(&baton.token).send().await.expect("the watch answers");
    assert_eq!(answer.status(), 200);
    let mut news = answer.bytes_stream();
    let script = "mkdir out && echo x > out/made.txt";
    baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "sh", "args": ["-c", script] })).await;
    let mut told = String::new();
    let reading = async {
        while !told.contains("\"out/made.txt\"") {
            let bytes = news.next().await.expect("the watch goes on").expect("bytes");
            told.push_str(&String::from_utf8_lossy(&bytes));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), reading).await.expect("the change is told");
}
