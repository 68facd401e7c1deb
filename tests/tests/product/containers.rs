//! Sandboxes in containers: the same job as anywhere, and nothing left of it. Each needs an engine; `script/with-docker` has
//! one.

use std::process::Command;

use baton_tests::{Baton, Viewer, eventually, repository};
use serde_json::{Value, json};

/// Returns the containers that the engine has.
fn containers() -> Vec<String> {
    let asked = Command::new("docker").args(["ps", "--all", "--quiet"]).output().expect("the client runs");
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8_lossy(&asked.stdout).lines().map(str::to_owned).collect()
}

async fn none_is_left() {
    eventually("no container is left", || std::future::ready(containers().is_empty().then_some(()))).await;
}

/// A sandbox in containers. The first builds the image.
async fn in_containers(baton: &Baton, mut config: Value) -> String {
    config["backend"] = json!("docker");
    let made = baton.post("/sandboxes", config).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let sandbox = baton.until(&format!("/sandboxes/{id}"), "/status", "ready").await;
    assert_eq!(sandbox["backend"], "docker", "{sandbox}");
    id
}

async fn said_by(baton: &Baton, sandbox: &str, line: &str) -> String {
    let body = json!({ "command": "bash", "args": ["-c", line] });
    let result = baton.post(&format!("/sandboxes/{sandbox}/exec"), body).await;
    format!("{}{}", result["stdout"].as_str().unwrap_or_default(), result["stderr"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: script/with-docker"]
async fn a_job_with_a_sign_in_by_a_person_runs_in_containers() {
    let mut baton = Baton::start().await;
    let sandbox = in_containers(&baton, json!({})).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    assert_eq!(containers().len(), 2, "one for commands, one for the browser");
    let limits = &baton.get(&of("")).await["limits"];
    assert_eq!(limits["inForce"]["memoryMb"]["by"], "engine", "{limits}");

    let playbook =
        std::fs::read_to_string(repository().join("sandbox-runtime/src/demo/playbook.yaml")).expect("the demo");
    let task = baton.post(&of("/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("an id").to_owned();
    baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    viewer.sign_in("ada@portal.example", "secret", "860533").await;
    viewer.hand_back(None).await;
    let done = baton.until_over(&task).await;
    assert_eq!(done["status"], "completed", "{done}");
    assert!(!baton.bytes(&of("/fs/read?path=report.md")).await.is_empty(), "the workspace is this machine's folder");

    let paused = baton.post(&of("/pause"), json!({})).await;
    assert_eq!(paused["paused"]["by"], "engine", "{paused}");
    baton.post(&of("/resume"), json!({})).await;
    assert_eq!(said_by(&baton, &sandbox, "echo back").await, "back\n");

    baton.ok("DELETE", &of(""), None).await;
    baton.until(&of(""), "/status", "ended").await;
    none_is_left().await;
    baton.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: script/with-docker"]
async fn commands_in_a_container_have_no_network_no_root_and_no_way_to_more() {
    let baton = Baton::start().await;
    let sandbox = in_containers(&baton, json!({ "capabilities": { "browser": false } })).await;
    for (line, answer) in [
        ("id -u", "1000\n"),
        ("ls /sys | grep -c .; grep -c : /proc/net/dev", "1\n"),
        ("grep -E '^Cap(Eff|Bnd|Prm)' /proc/self/status | tr -d '[:alpha:]:\\t0\\n'", ""),
        ("grep -c . <(ls -d /proc/[0-9]* | xargs -n1 basename | sort -n | head -1)", "1\n"),
        ("unshare --user true 2>&1 | grep -c .", "1\n"),
        ("touch /usr/mine 2>&1 | grep -c 'Read-only'", "1\n"),
        ("grep Seccomp: /proc/self/status", "Seccomp:\t2\n"),
        ("(echo 1 > /proc/sys/kernel/core_pattern) 2>/dev/null; echo $?", "1\n"),
    ] {
        let said = said_by(&baton, &sandbox, line).await;
        let last = said.lines().last().map(|line| format!("{line}\n")).unwrap_or_default();
        assert_eq!(last, answer, "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: script/with-docker"]
async fn containers_end_with_a_runtime_that_is_killed() {
    let mut baton = Baton::start().await;
    let sandbox = in_containers(&baton, json!({ "capabilities": { "browser": false } })).await;
    assert_eq!(said_by(&baton, &sandbox, "echo here").await, "here\n");
    baton.kill_9().await;
    none_is_left().await;
}

#[tokio::test]
async fn without_an_engine_a_sandbox_in_containers_is_refused_with_the_fix() {
    let baton = Baton::start_with(&[("DOCKER_HOST", "unix:///nowhere/docker.sock")]).await;
    let (status, refused) = baton.send("POST", "/sandboxes", Some(json!({ "backend": "docker" }))).await;
    assert_eq!((status, &refused["error"]["code"]), (503, &json!("unavailable")), "{refused}");
    let message = refused["error"]["message"].as_str().expect("words");
    assert!(message.contains("no engine listens at /nowhere/docker.sock"), "{message}");
    assert!(refused["error"]["hint"].as_str().is_some_and(|hint| hint.contains("docker.io")), "{refused}");
    let sandboxes = baton.get("/sandboxes").await;
    assert_eq!(sandboxes["data"], json!([]), "nothing was made");
}
