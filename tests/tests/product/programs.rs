//! What programs and the window rely on around a job: a playbook is checked before anything is made for it, the templates
//! run, and a job that is over can be forgotten.

use std::process::Stdio;

use baton_tests::{Baton, Viewer, binary, eventually, kept_in, repository};
use serde_json::{Value, json};
use tokio::process::Command;

/// Runs `baton run` on a playbook beside the runtime; returns its exit code and what it said.
async fn run(baton: &Baton, playbook: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("playbook.yaml");
    std::fs::write(&file, playbook).expect("a new file");
    let ran = Command::new(binary("baton"))
        .arg("run")
        .arg(file)
        .args(arguments)
        .env("BATON_HOME", baton.home())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("baton starts");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    (ran.status.code(), said)
}

async fn n_sandboxes(baton: &Baton) -> usize {
    baton.get("/sandboxes").await["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_playbook_that_cannot_run_is_refused_before_a_sandbox_is_made() {
    let baton = Baton::start().await;
    let check = async |body: Value| baton.send("POST", "/playbooks/check", Some(body)).await;
    let good = "name: Monthly\nparams: { month: \"2026-10\", who: }\nsteps:\n  - navigate: http://portal.example/\n  - click: { role: link, name: \"{{month}} {{who}}\" }\n";

    let (status, checked) = check(json!({ "playbook": good, "params": { "who": "Ada" } })).await;
    let params = json!({ "month": "2026-10", "who": null });
    let expected = json!({ "name": "Monthly", "steps": ["navigate", "click"], "params": params });
    assert_eq!((status, checked), (200, expected));

    let typo = good.replace("click:", "clik:");
    let (status, refused) = check(json!({ "playbook": typo, "params": { "who": "Ada" } })).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
    assert_eq!(refused["error"]["details"]["line"], 5, "{refused}");
    for params in [json!({}), json!({ "who": "Ada", "where": "here" })] {
        let (status, refused) = check(json!({ "playbook": good, "params": params })).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
    }

    let (code, said) = run(&baton, good, &[]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`who`"), "{said}");
    let (code, said) = run(&baton, &typo, &["--param", "who=Ada"]).await;
    assert!(code == Some(2) && said.contains(":5:"), "{said}");
    assert_eq!(n_sandboxes(&baton).await, 0);
}

#[tokio::test]
async fn a_task_that_failed_keeps_its_steps() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let playbook = "name: Fails\nsteps:\n  - exec: { command: \"false\" }\n";
    let task = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!((&task["status"], &task["playbook"]), (&json!("failed"), &json!(playbook)));
}

/// Returns a template of the window's form for a new task.
fn template(name: &str) -> String {
    let source = std::fs::read_to_string(repository().join("ui/src/core/playbook.ts")).expect("the templates");
    let begin = format!("export const {name} = `");
    let text = source.split_once(&begin).and_then(|(_, rest)| rest.split('`').next());
    text.unwrap_or_else(|| panic!("there is no template {name}")).to_owned()
}

/// Does what the template asks of a person.
async fn sign_in(baton: &Baton, sandbox: &str) {
    baton.until(&format!("/sandboxes/{sandbox}/handoff"), "/handoff/status", "pending").await;
    let viewer = Viewer::connect(baton, sandbox).await;
    viewer.take().await;
    viewer.sign_in("ada@portal.example", "any will do", "123456").await;
    viewer.hand_back(None).await;
}

#[tokio::test]
async fn both_templates_of_the_window_run_without_a_network() {
    let baton = Baton::start().await;
    for (name, output) in [("TEMPLATE", "words.json"), ("HANDOFF_TEMPLATE", "invoices.csv")] {
        let sandbox = baton.ready_sandbox(json!({ "network": { "mode": "none" } })).await;
        let playbook = json!({ "playbook": template(name) });
        let started = baton.post(&format!("/sandboxes/{sandbox}/tasks"), playbook).await;
        let task = started["taskId"].as_str().expect("an id").to_owned();
        if name == "HANDOFF_TEMPLATE" {
            sign_in(&baton, &sandbox).await;
        }
        baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
        let kept = baton.get(&format!("/sandboxes/{sandbox}/artifacts")).await;
        assert_eq!(kept["data"][0]["name"], output, "{kept}");
        baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
    }
}

/// In the name, the files, the page, the outputs and the story of a sandbox.
const CANARY: &str = "quartzfinchlapwing";

#[tokio::test]
async fn a_forgotten_sandbox_is_ended_and_nothing_of_it_is_left() {
    let baton = Baton::start().await;
    let other = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let sandbox = baton.ready_sandbox(json!({ "name": CANARY, "network": { "mode": "none" } })).await;
    let playbook = format!(
        "name: {CANARY}\nsteps:\n  - navigate: http://portal.example/?{CANARY}\n  - write: {{ path: {CANARY}.txt, content: {CANARY} }}\n  - screenshot: {{}}\n  - artifact: {{ path: {CANARY}.txt }}\n  - exec: {{ command: mkdir, args: [-p, -m, \"0\", closed] }}\n"
    );
    let task = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(task["status"], "completed", "{task}");
    let key = baton.get(&format!("/sandboxes/{sandbox}/artifacts")).await["data"][0]["key"].clone();
    let key = key.as_str().expect("a key");
    let events = baton.events(task["id"].as_str().expect("an id")).await;
    let pictures: Vec<&str> = events.iter().filter_map(|event| event["data"]["picture"].as_str()).collect();
    assert!(!pictures.is_empty(), "{events:?}");

    assert!(!kept_in(&baton, CANARY).is_empty(), "it was there");
    // It runs still: it is ended first.
    let forgotten = baton.ok("DELETE", &format!("/sandboxes/{sandbox}?forget=true"), None).await;
    assert_eq!(forgotten["forgotten"], true, "{forgotten}");
    assert!(forgotten["freedBytes"].as_u64().is_some_and(|bytes| bytes > 1_000), "{forgotten}");

    let mut gone = vec![
        format!("/sandboxes/{sandbox}"),
        format!("/sandboxes/{sandbox}/events"),
        format!("/sandboxes/{sandbox}/fs/list"),
        format!("/sandboxes/{sandbox}/artifacts"),
        format!("/tasks/{}", task["id"].as_str().expect("an id")),
        format!("/artifacts/{key}/content"),
    ];
    gone.extend(pictures.iter().map(|picture| format!("/pictures/{picture}")));
    for path in gone {
        assert_eq!(baton.send("GET", &path, None).await.0, 404, "{path}");
    }
    assert_eq!(baton.send("DELETE", &format!("/sandboxes/{sandbox}?forget=true"), None).await.0, 404);
    assert_eq!(baton.get(&format!("/search?q={CANARY}")).await["data"], json!([]));
    assert_eq!(baton.get("/artifacts").await["data"], json!([]));
    for area in ["workspaces", "profiles"] {
        assert!(!baton.home().join(area).join(&sandbox).exists(), "{area}");
    }
    // A reader that is under way keeps the log from being cut for a moment.
    eventually("no file tells of it", || std::future::ready(kept_in(&baton, CANARY).is_empty().then_some(()))).await;
    assert_eq!(baton.get(&format!("/sandboxes/{other}")).await["status"], "ready", "another goes on");
}
