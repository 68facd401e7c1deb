//! Checkpoints from outside: what was saved comes back, in place and in another sandbox, and whenever the runtime is killed.

use baton_tests::Baton;
use serde_json::{Value, json};

const SIGN_IN: &str = r#"
name: Sign in
steps:
  - navigate: http://portal.example/invoices
  - type: { label: E-mail, text: ada@example.org }
  - type: { label: Password, text: anything }
  - click: { role: button, name: Continue }
  - type: { label: Code, text: "123456" }
  - click: { role: button, name: Sign in }
  - expect: { role: heading, name: Invoices }
  - write: { path: deep/report.md, content: "first" }
  - checkpoint: { label: by the playbook }
"#;

async fn shell(baton: &Baton, sandbox: &str, line: &str) -> String {
    let command = json!({ "command": "bash", "args": ["-c", line] });
    let done = baton.post(&format!("/sandboxes/{sandbox}/exec"), command).await;
    assert_eq!(done["exitCode"], 0, "{done}");
    done["stdout"].as_str().expect("a text").to_owned()
}

async fn ready(baton: &Baton, sandbox: &str) -> Value {
    let sandbox = baton.get(&format!("/sandboxes/{sandbox}?waitFor=ready&timeoutMs=120000")).await;
    assert_eq!(sandbox["status"], "ready", "{sandbox}");
    sandbox
}

async fn labels(baton: &Baton, sandbox: &str) -> Vec<String> {
    let page = baton.get(&format!("/sandboxes/{sandbox}/checkpoints")).await;
    let all = page["data"].as_array().expect("a list");
    all.iter().map(|one| one["label"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_sign_ins_and_tabs_come_back_in_place_and_in_a_new_sandbox() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    let task = baton.post(&of("/tasks"), json!({ "playbook": SIGN_IN })).await;
    let task = baton.until_over(task["taskId"].as_str().expect("an id")).await;
    assert_eq!(task["status"], "completed", "{task}");
    shell(&baton, &sandbox, "mkfifo pipe; mkdir empty; ln -s /etc/passwd link; chmod 600 deep/report.md").await;
    let before = shell(&baton, &sandbox, "ls -lR --time-style=full-iso | grep -v pipe").await;

    let checkpoint = baton.post(&of("/checkpoints"), json!({ "label": "signed in" })).await;
    assert_eq!(
        (&checkpoint["label"], &checkpoint["tabs"], &checkpoint["automatic"], &checkpoint["skipped"]),
        (&json!("signed in"), &json!(1), &json!(false), &json!(["pipe"])),
        "{checkpoint}"
    );
    assert_eq!(labels(&baton, &sandbox).await, ["signed in", "by the playbook"]);
    let id = checkpoint["id"].as_str().expect("an id").to_owned();

    shell(&baton, &sandbox, "echo second > deep/report.md; rmdir empty; rm link; echo new > new.txt").await;
    baton.post(&of("/preview/navigate"), json!({ "url": "about:blank" })).await;
    let diff = baton.get(&of(&format!("/checkpoints/{id}/diff"))).await;
    let changes: Vec<(&str, &str)> = diff["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["path"].as_str().expect("a path"), one["change"].as_str().expect("a word")))
        .collect();
    assert_eq!(changes, [("deep/report.md", "changed"), ("link", "removed"), ("new.txt", "added")]);
    let then = baton.bytes(&of(&format!("/checkpoints/{id}/file?path=deep/report.md"))).await;
    assert_eq!(then, b"first");

    baton.post(&of(&format!("/checkpoints/{id}/restore")), json!({})).await;
    ready(&baton, &sandbox).await;
    assert_eq!(shell(&baton, &sandbox, "ls -lR --time-style=full-iso | grep -v pipe").await, before);
    is_signed_in(&baton, &sandbox).await;
    // Going back can be undone.
    let undo = baton.get(&of("/checkpoints")).await["data"][0].clone();
    assert_eq!((&undo["label"], &undo["automatic"]), (&json!("Before going back to “signed in”"), &json!(true)));
    let diff = baton.get(&of(&format!("/checkpoints/{}/diff", undo["id"].as_str().expect("an id")))).await;
    assert_eq!(diff["data"].as_array().map(Vec::len), Some(3), "{diff}");

    baton.ok("DELETE", &of(""), None).await;
    baton.until(&of(""), "/status", "ended").await;
    let checkpoint = id.as_str();
    let other = baton.ready_sandbox(json!({ "fromCheckpoint": checkpoint })).await;
    assert_eq!(shell(&baton, &other, "ls -lR --time-style=full-iso | grep -v pipe").await, before);
    is_signed_in(&baton, &other).await;

    // Of a sandbox that ended, the files come back; and what nobody uses is freed.
    baton.post(&of(&format!("/checkpoints/{}/restore", undo["id"].as_str().expect("an id"))), json!({})).await;
    assert_eq!(baton.bytes(&of("/fs/read?path=deep/report.md")).await, b"second\n");
    let held = baton.get(&of("/fs/usage")).await["checkpointBytes"].as_u64().expect("a number");
    assert!(held > 0);
    baton.ok("DELETE", &of(&format!("/checkpoints/{id}")), None).await;
    assert_eq!(baton.send("GET", &of(&format!("/checkpoints/{id}/diff")), None).await.0, 404);
    assert_eq!(baton.send("POST", "/sandboxes", Some(json!({ "fromCheckpoint": id }))).await.0, 400);
    let freed = baton.ok("DELETE", &of("?forget=true"), None).await;
    assert!(freed["freedBytes"].as_u64() > Some(0), "{freed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_person_drives_none_is_taken_or_gone_back_to_and_one_was_taken_before() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    let checkpoint = baton.post(&of("/checkpoints"), json!({})).await;
    let restore = of(&format!("/checkpoints/{}/restore", checkpoint["id"].as_str().expect("an id")));
    baton.post(&of("/control/take"), json!({ "controller": "Ada" })).await;
    for route in [&of("/checkpoints"), &restore] {
        let (status, answer) = baton.send("POST", route, Some(json!({}))).await;
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("heldByPerson")), "{answer}");
    }
    baton.until(&of("/checkpoints"), "/data/0/label", "Before you took over").await;
    baton.post(&of("/control/release"), json!({})).await;

    // Asked for by a program: taken while nobody is there yet. Only the newest are kept.
    for _ in 0..6 {
        let newest = baton.get(&of("/checkpoints")).await["data"][0]["id"].clone();
        baton.post(&of("/handoff"), json!({ "reason": "custom", "message": "look" })).await;
        let taken = baton_tests::eventually("an automatic one is taken", || async {
            let now = baton.get(&of("/checkpoints")).await["data"][0].clone();
            (now["id"] != newest).then_some(now)
        })
        .await;
        assert_eq!(taken["label"], "Before you were asked", "{taken}");
        baton.post(&of("/handoff/cancel"), json!({})).await;
    }
    let all = baton.get(&of("/checkpoints")).await;
    let all = all["data"].as_array().expect("a list");
    let automatic = all.iter().filter(|one| one["automatic"] == true).count();
    assert!((1..=5).contains(&automatic), "{all:?}");
    assert!(all.iter().any(|one| one["id"] == checkpoint["id"]), "one that somebody asked for stays");
}

async fn is_signed_in(baton: &Baton, sandbox: &str) {
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    baton.until(&of("/preview"), "/url", "http://portal.example/invoices").await;
    let open = json!({ "url": "http://portal.example/invoices" });
    let preview = baton.post(&of("/preview/navigate"), open).await;
    assert_eq!(preview["url"], "http://portal.example/invoices", "a sign-in page would have another address");
}

/// How often the runtime is killed on the way; `script/soak` sets more.
fn kills() -> u64 {
    std::env::var("BATON_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_one_is_taken_or_gone_back_to_leaves_the_old_or_the_new() {
    let mut baton = Baton::start().await;
    let mut sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let write =
        |n: u64| format!("for d in $(seq 20); do mkdir -p d$d; for f in $(seq 20); do echo {n} > d$d/f$f; done; done");
    shell(&baton, &sandbox, &write(0)).await;
    let first = baton.post(&format!("/sandboxes/{sandbox}/checkpoints"), json!({ "label": "first" })).await;
    let first = first["id"].as_str().expect("an id").to_owned();
    let owner = sandbox.clone();
    for n in 1..=kills() {
        let takes = n.is_multiple_of(2);
        shell(&baton, &sandbox, &format!("{}; touch only-now", write(n))).await;
        let own = baton.post(&format!("/sandboxes/{sandbox}/checkpoints"), json!({ "label": "own" })).await;
        let own = own["id"].as_str().expect("an id").to_owned();
        shell(&baton, &sandbox, &format!("rm only-now; {}", write(n + 1_000_000))).await;
        let route = match takes {
            true => format!("/sandboxes/{sandbox}/checkpoints"),
            false => format!("/sandboxes/{sandbox}/checkpoints/{own}/restore"),
        };
        let request = baton_tests::http_client().post(format!("{}/v1{route}", baton.url));
        let asked = tokio::spawn(request.bearer_auth(&baton.token).json(&json!({})).send());
        tokio::time::sleep(std::time::Duration::from_millis(n * 37 % 400)).await;
        baton.kill_9().await;
        let _ = asked.await;
        baton = Baton::start_at(baton.into_home()).await;

        let diff = baton.get(&format!("/sandboxes/{sandbox}/checkpoints/{own}/diff")).await;
        let differing = diff["data"].as_array().expect("a list").len();
        assert!(differing == 401 || (!takes && differing == 0), "kill {n} left {differing} files that differ: {diff}");
        for left in ["restoring", "blobs/uncommitted", "blobs/incoming"] {
            let count = std::fs::read_dir(baton.home().join(left)).map_or(0, Iterator::count);
            assert_eq!(count, 0, "kill {n} left something in {left}");
        }
        // What was taken before is whole: the next sandbox begins from it.
        sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false }, "fromCheckpoint": own })).await;
        assert_eq!(shell(&baton, &sandbox, "cat d*/f* | sort -u; ls only-now").await, format!("{n}\nonly-now\n"));
    }
    baton.post(&format!("/sandboxes/{owner}/checkpoints/{first}/restore"), json!({})).await;
    let diff = baton.get(&format!("/sandboxes/{owner}/checkpoints/{first}/diff")).await;
    assert_eq!(diff["data"], json!([]));
}
