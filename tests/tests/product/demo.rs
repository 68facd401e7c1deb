//! The main job, end to end, over the product's own doors: an agent's browser, a person at the wheel, and back.

use baton_tests::{Baton, Viewer, assert_kept_nowhere, binary, eventually};
use sandbox_core::viewer::FromViewer;
use serde_json::{Value, json};

/// Typed by the person, and to be found nowhere afterwards.
const E_MAIL: &str = "ada.canary-7731@portal.example";
const PASSWORD: &str = "correct-horse-canary-4417";
const CODE: &str = "860533";

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("an event has a type")).collect()
}

#[tokio::test]
async fn a_person_signs_in_and_the_agent_goes_on_in_the_same_session() {
    let mut baton = Baton::start().await;
    let (sandbox, task) = baton.demo_that_waits().await;

    // The person is asked: the handoff stands, the preview says so, looking is allowed and acting is not.
    let asked = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
    assert_eq!(asked["handoff"]["status"], "pending");
    assert_eq!(asked["handoff"]["requestedBy"], "agent");
    assert_eq!(asked["preview"]["controlMode"], "waiting");
    let (status, refused) = baton.send("GET", &format!("/tasks/{task}/bundle"), None).await;
    assert_eq!((status, &refused["error"]["details"]["status"]), (409, &json!("waiting")), "it is not over: {refused}");
    assert_eq!(asked["preview"]["url"], "http://portal.example/sign-in");
    let away = json!({ "url": "http://portal.example/" });
    let (status, refused) =
        baton.send("POST", &format!("/sandboxes/{sandbox}/preview/navigate"), Some(away.clone())).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("waitingForPerson")));
    let png = baton.bytes(&format!("/sandboxes/{sandbox}/preview/screenshot")).await;
    image::load_from_memory(&png).expect("a screenshot is a picture");

    // The person takes control: nobody else acts or looks.
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    let preview = baton.get(&format!("/sandboxes/{sandbox}/preview")).await;
    assert_eq!(preview["controlMode"], "human");
    assert_eq!(preview["blind"], true);
    assert_eq!((&preview["url"], &preview["title"], &preview["tabs"]), (&json!(""), &json!(""), &json!([])));
    let (status, refused) = baton.send("POST", &format!("/sandboxes/{sandbox}/preview/navigate"), Some(away)).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("heldByPerson")));
    let (status, refused) = baton.send("GET", &format!("/sandboxes/{sandbox}/preview/screenshot"), None).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("heldByPerson")));
    let other = Viewer::connect(&baton, &sandbox).await;
    other.say(&FromViewer::Take { controller: "someone else".to_owned() }).await;
    eventually("the second person is told", || {
        std::future::ready(other.seen(|seen| seen.denied.contains(&"heldByOther".to_owned()).then_some(())))
    })
    .await;

    // The second person asks instead: the first is asked, goes on driving, and gives control when they want to.
    other.say(&FromViewer::AskControl { controller: "someone else".to_owned() }).await;
    let wanted_by = |of: &Viewer| of.seen(|seen| seen.control.as_ref().and_then(|control| control.wanted_by.clone()));
    eventually("the first is asked", || {
        std::future::ready((wanted_by(&viewer).as_deref() == Some("someone else")).then_some(()))
    })
    .await;
    viewer.say(&FromViewer::KeepControl {}).await;
    eventually("nobody asks any more", || std::future::ready(wanted_by(&other).is_none().then_some(()))).await;
    assert!(viewer.lease().is_some() && other.lease().is_none(), "nothing was taken from them");
    for (from, to) in [(&viewer, &other), (&other, &viewer)] {
        to.say(&FromViewer::AskControl { controller: "the other".to_owned() }).await;
        eventually("who drives is asked", || std::future::ready(wanted_by(from).map(|_| ()))).await;
        from.say(&FromViewer::GiveControl {}).await;
        eventually("control is given", || {
            std::future::ready((to.lease().is_some() && from.lease().is_none()).then_some(()))
        })
        .await;
    }

    viewer.sign_in(E_MAIL, PASSWORD, CODE).await;
    viewer.hand_back(Some("signed in with my own name")).await;

    // The agent goes on in the same session, to the artifact.
    let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    assert!(done["result"].as_str().is_some_and(|result| result.contains("31 invoices")), "{done}");
    let artifacts = baton.get(&format!("/sandboxes/{sandbox}/artifacts")).await;
    let report = artifacts["data"].as_array().expect("a list").iter().find(|artifact| artifact["name"] == "report.md");
    let key = report.expect("the report is saved")["key"].as_str().expect("a key").to_owned();
    let report = String::from_utf8(baton.bytes(&format!("/artifacts/{key}/content")).await).expect("text");
    assert!(report.starts_with("# Invoices of 2026-10") && report.contains("**Total: €"), "{report}");

    // The receipt names what changed, and no value.
    let handoffs = baton.get("/handoffs?status=completed").await;
    let receipt = &handoffs["data"][0]["receipt"];
    assert_eq!(receipt["before"]["url"], "http://portal.example/sign-in", "{receipt}");
    assert_eq!(receipt["after"]["url"], "http://portal.example/invoices");
    assert_eq!(receipt["signedInChanged"], json!(["portal.example"]));
    assert_eq!(receipt["fieldsTouched"], json!(["E-mail", "Password", "Code"]));
    assert_eq!(receipt["note"], "signed in with my own name");
    assert_eq!(receipt["untilMet"], true);
    assert!(receipt["inputs"].as_u64().is_some_and(|inputs| inputs > 5));

    // The story is whole, in order, without a gap.
    let events = baton.events(&task).await;
    let kinds = kinds(&events);
    for (earlier, later) in [
        ("sandbox.agent.task.queued", "sandbox.agent.task.started"),
        ("sandbox.agent.task.started", "sandbox.handoff.requested"),
        ("sandbox.handoff.requested", "sandbox.handoff.accepted"),
        ("sandbox.handoff.accepted", "sandbox.handoff.completed"),
        ("sandbox.handoff.completed", "sandbox.exec.completed"),
        ("sandbox.exec.completed", "sandbox.artifacts.updated"),
        ("sandbox.artifacts.updated", "sandbox.agent.task.completed"),
    ] {
        let place = |kind: &str| kinds.iter().position(|found| *found == kind);
        assert!(place(earlier).is_some() && place(earlier) < place(later), "{earlier} before {later} in {kinds:?}");
    }
    let during: Vec<_> = events
        .iter()
        .skip_while(|event| event["type"] != "sandbox.handoff.accepted")
        .take_while(|event| event["type"] != "sandbox.handoff.completed")
        .filter(|event| event["type"] == "sandbox.browser.navigated")
        .collect();
    assert!(during.is_empty(), "nothing of the page is recorded while a person drives: {during:?}");

    // It survives a restart, and can be searched.
    let sandbox_seqs = baton.get(&format!("/sandboxes/{sandbox}/events?limit=200")).await;
    let seqs: Vec<_> =
        sandbox_seqs["data"].as_array().expect("a list").iter().map(|event| event["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).map(Some).collect::<Vec<_>>(), "events are numbered without gaps");
    baton.stop().await;
    let baton = Baton::start_at(baton.into_home()).await;
    let kept = baton.get(&format!("/tasks/{task}")).await;
    assert_eq!(kept["status"], "completed");
    assert_eq!(kept["result"], done["result"]);
    let hits = baton.get("/search?q=invoices").await;
    assert!(hits["data"].as_array().is_some_and(|hits| hits.iter().any(|hit| hit["taskId"] == json!(task))), "{hits}");

    // The whole task is one file, by an address that needs no token, and nothing of it can be changed unseen.
    let link = baton.get(&format!("/tasks/{task}/bundle/url")).await;
    let url = link["url"].as_str().expect("an address");
    let bundle = reqwest::get(url).await.and_then(reqwest::Response::error_for_status).expect("an answer");
    let bundle = bundle.bytes().await.expect("a body").to_vec();
    let path = baton.home().join("bundle.zip");
    let verify = |bundle: &[u8]| {
        std::fs::write(&path, bundle).expect("it is written");
        let done = std::process::Command::new(binary("baton")).arg("verify").arg(&path).output().expect("it runs");
        std::fs::remove_file(&path).expect("it is there");
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (code, said) = verify(&bundle);
    assert_eq!((code, said.contains("whole")), (Some(0), true), "{said}");
    let mut altered = bundle.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let (code, said) = verify(&altered);
    assert_eq!((code, said.contains("altered: ")), (Some(1), true), "{said}");
    let (status, refused) = baton.send("GET", &format!("/tasks/{}/bundle", "task_none"), None).await;
    assert_eq!((status, &refused["error"]["code"]), (404, &json!("notFound")));

    // What the person typed is nowhere.
    assert_kept_nowhere(&baton, &task, &[E_MAIL, PASSWORD, CODE], "Invoices of 2026-10").await;
}

#[tokio::test]
async fn handing_back_too_early_asks_again() {
    let baton = Baton::start().await;
    let (sandbox, task) = baton.demo_that_waits().await;
    let first = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await["handoff"]["requestId"].clone();
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    viewer.hand_back(None).await;
    let again = eventually("the agent asks again", || async {
        let asked = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await["handoff"].clone();
        (asked["requestId"] != first && asked["status"] == "pending").then_some(asked)
    })
    .await;
    assert!(again["message"].as_str().is_some_and(|message| message.contains("not there yet")), "{again}");
    let cancelled = baton.post(&format!("/tasks/{task}/cancel"), json!({})).await;
    assert_eq!(cancelled["status"], "cancelled");
    let preview = baton.get(&format!("/sandboxes/{sandbox}/preview")).await;
    assert_eq!(preview["controlMode"], "idle", "a task that was asked for nothing any more leaves nobody waiting");
}

#[tokio::test]
async fn a_viewer_that_vanishes_leads_to_waiting_and_never_to_the_agent() {
    let baton = Baton::start().await;
    let (sandbox, task) = baton.demo_that_waits().await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    drop(viewer);
    let preview = baton.until(&format!("/sandboxes/{sandbox}/preview"), "/controlMode", "waiting").await;
    assert_eq!(preview["blind"], false);
    let handoff = baton.get(&format!("/sandboxes/{sandbox}/handoff")).await;
    assert_eq!(handoff["handoff"]["status"], "pending");
    assert_eq!(baton.get(&format!("/tasks/{task}")).await["status"], "waiting");
}

#[tokio::test]
async fn a_killed_runtime_leaves_nothing_running_and_says_what_became_of_its_work() {
    let mut baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    // A step in the middle: what waits for a person goes on instead (durability.rs).
    let playbook =
        "name: Wait\nsteps:\n  - navigate: http://portal.example/\n  - exec: { command: sleep, args: ['60'] }\n";
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    baton.until(&format!("/tasks/{task}"), "/usage/steps", 2).await;
    let descendants = descendants(baton.pid());
    assert!(descendants.len() > 5, "a sandbox has processes: {descendants:?}");
    baton.kill_9().await;
    eventually("nothing of the sandbox is left", || {
        std::future::ready(descendants.iter().all(|pid| !is_alive(*pid)).then_some(()))
    })
    .await;

    let baton = Baton::start_at(baton.into_home()).await;
    let found = baton.get(&format!("/tasks/{task}")).await;
    assert_eq!((&found["status"], &found["error"]["code"]), (&json!("failed"), &json!("interrupted")), "{found}");
    let ended = baton.get(&format!("/sandboxes/{sandbox}")).await;
    assert_eq!(ended["status"], "ended");
    assert_eq!(ended["handoff"], Value::Null);
    let (status, refused) =
        baton.send("POST", &format!("/sandboxes/{sandbox}/exec"), Some(json!({ "command": "true" }))).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")));
}

#[tokio::test]
async fn both_starter_templates_of_the_window_work_without_a_network() {
    let source =
        std::fs::read_to_string(baton_tests::repository().join("ui/src/core/playbook.ts")).expect("the source");
    let template = |name: &str| {
        let (_, text) = source.split_once(&format!("export const {name} = `")).expect("the template is there");
        text.split_once('`').expect("it ends").0.to_owned()
    };
    let baton = Baton::start().await;
    let start = async |template: &str| {
        let sandbox = baton.ready_sandbox(json!({ "network": { "mode": "none" } })).await;
        let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": template })).await;
        (sandbox, task["taskId"].as_str().expect("a task has an id").to_owned())
    };
    let (_, task) = start(&template("TEMPLATE")).await;
    let done = baton.until_over(&task).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("completed"), &json!("saved words.json")), "{done}");

    let (sandbox, task) = start(&template("HANDOFF_TEMPLATE")).await;
    baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    viewer.sign_in(E_MAIL, PASSWORD, CODE).await;
    viewer.hand_back(None).await;
    let done = baton.until_over(&task).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("completed"), &json!("saved invoices.csv")), "{done}");
}

/// Returns every process beneath one, by the kernel's own account.
fn descendants(of: u32) -> Vec<u32> {
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let pid = found[at];
        at += 1;
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    found.split_off(1)
}

fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which ends with the last bracket.
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
