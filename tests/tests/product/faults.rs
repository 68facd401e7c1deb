//! What goes wrong with the disk: it is full, it has other bytes than were written, a file is larger than any disk.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use baton_tests::{Baton, eventually};
use serde_json::{Value, json};

/// A disk of its own, in memory, which ends with the test.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts it over a data directory; `None` where the test may not.
    fn over(home: &Path, mebibytes: u32) -> Option<Self> {
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "baton-test"]).arg(home).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self { at: home.to_owned() })
    }

    /// Writes until not a byte more finds room, and returns the file that takes it.
    fn fill(&self) -> PathBuf {
        let filler = self.at.join("filler");
        let mut file =
            std::fs::File::options().create(true).append(true).open(&filler).expect("an empty file takes no room");
        for size in [1 << 20, 4 << 10, 1] {
            while file.write(&vec![1; size]).is_ok_and(|n_written| n_written > 0) {}
        }
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The mount goes as soon as nobody uses it any more.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn types(events: &Value) -> Vec<&str> {
    events["data"].as_array().expect("a list").iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn on_a_full_disk_new_work_is_refused_and_what_was_answered_is_in_the_history() {
    let home = tempfile::tempdir().expect("a folder for the data");
    let Some(disk) = SmallDisk::over(home.path(), 96) else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let mut baton = Baton::start_at(home).await;
    let (sandbox, task) = baton.demo_that_waits().await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    baton.ok("PUT", &of("/fs/write?path=keep.txt"), Some(json!("KEEP"))).await;
    let artifact = baton.post(&of("/artifacts"), json!({ "path": "keep.txt" })).await;
    let content = format!("/artifacts/{}/content", artifact["key"].as_str().expect("a key"));
    let filler = disk.fill();

    let touch = json!({ "command": "touch", "args": ["ran"] });
    for (route, body) in [
        (of("/exec"), touch),
        (of("/code"), json!({ "language": "bash", "code": "touch ran" })),
        (of("/artifacts"), json!({ "path": "keep.txt", "name": "again" })),
        ("/sandboxes".to_owned(), json!({})),
    ] {
        let (status, answer) = baton.send("POST", &route, Some(body)).await;
        assert_eq!((status, &answer["error"]["code"]), (503, &json!("unavailable")), "{route}: {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("disk is full")), "{answer}");
    }
    assert_eq!(baton.send("GET", &of("/fs/stat?path=ran"), None).await.0, 404, "it ran all the same");

    let accepted = baton.post(&of("/handoff/accept"), json!({ "controller": "ann" })).await;
    assert_eq!(accepted["handoff"]["status"], "accepted", "{accepted}");
    let completed = baton.post(&of("/handoff/complete"), json!({ "note": "done" })).await;
    let request = completed["handoff"]["requestId"].as_str().expect("an id").to_owned();
    let ended = baton.ok("DELETE", &of(""), None).await;
    assert_eq!(ended["status"], "ended", "{ended}");

    let check = async |baton: &Baton| {
        let events = baton.get(&of("/events?limit=200")).await;
        let types = types(&events);
        for told in
            ["sandbox.handoff.accepted", "sandbox.handoff.completed", "sandbox.control.changed", "sandbox.ended"]
        {
            assert!(types.contains(&told), "{told} was answered for and is not in {types:?}");
        }
        let numbers: Vec<u64> =
            events["data"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        let handoffs = baton.get("/handoffs").await;
        let first = handoffs["data"].as_array().unwrap().iter().find(|handoff| handoff["requestId"] == json!(request));
        assert_eq!(first.expect("the handoff is kept")["status"], "completed", "{handoffs}");
        assert_eq!(baton.get("/handoffs?status=pending").await["data"], json!([]));
        let status = baton.get(&format!("/tasks/{task}")).await["status"].clone();
        assert!(["failed", "cancelled"].iter().any(|over| status == json!(over)), "the task is {status}");
        assert_eq!(baton.bytes(&content).await, b"\"KEEP\"");
    };
    check(&baton).await;

    // Killed, and started on a disk that is as full: everything can be read.
    baton.kill_9().await;
    disk.fill();
    let baton = Baton::start_at(baton.into_home()).await;
    check(&baton).await;
    let (status, answer) = baton.send("POST", "/sandboxes", Some(json!({}))).await;
    assert_eq!(status, 503, "{answer}");

    std::fs::remove_file(filler).expect("the filler is there");
    let after = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let done = baton.post(&format!("/sandboxes/{after}/exec"), json!({ "command": "echo", "args": ["back"] })).await;
    assert_eq!(done["stdout"], "back\n", "{done}");
}

#[tokio::test]
async fn an_artifact_larger_than_any_disk_is_refused_and_one_that_nobody_waits_for_is_given_up() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let route = format!("/sandboxes/{sandbox}/artifacts");
    // Made from outside: a command is held to the sandbox's disk limit.
    let workspace = baton.home().join("workspaces").join(&sandbox);
    let grow = |name: &str, bytes: u64| {
        let file = std::fs::File::create(workspace.join(name)).expect("the workspace is there");
        file.set_len(bytes).expect("a sparse file takes no room");
    };
    grow("huge.bin", 100 << 30);
    let (status, refused) = baton.send("POST", &route, Some(json!({ "path": "huge.bin" }))).await;
    assert_eq!((status, &refused["error"]["code"]), (413, &json!("tooLarge")), "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|why| why.contains("2147483648 bytes")), "{refused}");

    grow("large.bin", 2 << 30);
    let incoming = baton.home().join("blobs/incoming");
    let copied = || {
        let files = std::fs::read_dir(&incoming).expect("the folder is there").flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).max()
    };
    // Hangs up as soon as the copy has begun.
    let begun = eventually("the copy has begun", || async { copied().filter(|len| *len > 0) });
    tokio::select! {
        (status, answer) = baton.send("POST", &route, Some(json!({ "path": "large.bin" }))) => {
            panic!("it was kept before anybody looked: {status} {answer}")
        }
        _ = begun => {}
    }
    eventually("the copy is given up", || async { copied().is_none().then_some(()) }).await;
    assert_eq!(baton.get(&route).await["data"], json!([]));
}

#[tokio::test]
async fn a_content_that_was_changed_on_the_disk_is_not_given_out_and_the_checks_tell() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    baton.ok("PUT", &format!("/sandboxes/{sandbox}/fs/write?path=x.txt"), Some(json!("right"))).await;
    let artifact = baton.post(&format!("/sandboxes/{sandbox}/artifacts"), json!({ "path": "x.txt" })).await;
    let sha256 = artifact["sha256"].as_str().expect("a hash");
    std::fs::write(baton.home().join("blobs").join(&sha256[..2]).join(sha256), "WRONG").expect("the content is there");
    let key = artifact["key"].as_str().expect("a key");
    let (status, answer) = baton.send("GET", &format!("/artifacts/{key}/content"), None).await;
    assert_eq!((status, &answer["error"]["code"]), (500, &json!("internal")), "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("changed on the disk")), "{answer}");
    let checks = baton.get("/doctor").await;
    let told = checks["data"].as_array().unwrap().iter().any(|check| {
        check["name"] == "history"
            && check["ok"] == false
            && check["found"].as_str().is_some_and(|found| found.contains(sha256))
    });
    assert!(told, "{checks}");
}
