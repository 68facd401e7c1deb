//! What a person typed stays theirs after the hand-back, at every door: the debugging protocol from outside and from the
//! shell room, MCP, a playbook, the preview's picture.

use axum::Router;
use baton_tests::{Mcp, Scene, assert_read_by_nobody, cdp_from_the_shell, eventually, reading_commands};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::recovery::{Process, processes};

const CANARY: &str = "canary-6620-typed";

const PAGES: [(&str, &str); 2] = [
    (
        "/form",
        r#"<title>Form</title><body style="margin:0"><label for="field">Word</label>
        <input id="field" autofocus style="position:absolute;left:20px;top:60px;width:300px;height:40px;background:white">
        <script>let last = Promise.resolve(); // Each waits for the one before: requests at once may overtake each other.
        const tell = () => fetch('/told?' + location.search.slice(1) + '=' + field.value.length);
        field.addEventListener('input', () => last = last.then(tell))</script>"#,
    ),
    ("/after", "<title>After</title><p>Nothing here"),
];

/// A place within the field, in pixels of the page.
const FIELD: (u32, u32) = (40, 80);

async fn scene() -> Scene {
    Scene::open(&PAGES, Router::new(), json!({ "capabilities": { "browser": { "shellAccess": true } } })).await
}

/// The form tells by that name what is typed in it; a person takes control, types, and hands back as `body` says.
async fn type_and_hand_back(scene: &Scene, name: &str, body: Value) {
    let viewer = scene.person().await;
    viewer.still_picture().await;
    viewer.text(CANARY).await;
    scene.site.told_that(name, &CANARY.len().to_string()).await;
    scene.release_with(body).await;
}

/// Reads the page from the shell room in each way that the protocol has.
fn from_the_shell() -> String {
    let commands = json!(reading_commands());
    cdp_from_the_shell(&format!(
        r#"
session = attach()
for method, params in {commands}:
    print(method, json.dumps(ask(method, params, session))[:20000])
"#
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_typed_is_read_at_no_door_after_the_hand_back() {
    let scene = scene().await;
    let (baton, sandbox) = (&scene.baton, &scene.sandbox);
    scene.navigate("/form?typed").await;
    let mut client = scene.debugger().await;
    let session = client.attach().await;
    let mut mcp = Mcp::start(baton).await;
    type_and_hand_back(&scene, "typed", json!({ "note": "done" })).await;
    let receipt = baton.get(&scene.path("/handoff")).await["handoff"]["receipt"].clone();
    assert_eq!(receipt["fieldsVeiled"], json!(["Word"]), "the person is told that it is still there: {receipt}");

    let mut told = Vec::new();
    // The debugging protocol, from outside.
    for (method, params) in reading_commands() {
        let refused = client.refused(Some(&session), method, params).await;
        assert_eq!(refused, (-32_000, "veiled".to_owned()), "{method}");
    }
    // From the shell room.
    let ran = baton.post(&scene.path("/code"), json!({ "language": "python", "code": from_the_shell() })).await;
    assert_eq!(ran["exitCode"], 0, "{ran}");
    assert_eq!(ran["stdout"].as_str().expect("a text").matches("veiled").count(), 5, "{ran}");
    told.push(ran.to_string());
    // MCP, a playbook.
    let seen = mcp.tool("browser_snapshot", json!({ "sandboxId": sandbox })).await;
    assert!(seen.to_string().contains("Word"), "it sees the page: {seen}");
    told.push(seen.to_string());
    let playbook = "name: Read\nsteps:\n  - extract: { selector: input, to: read.json }\n";
    let ran = baton.post(&scene.path("/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(ran["status"], "completed", "{ran}");
    let read = baton.bytes(&scene.path("/fs/read?path=read.json")).await;
    told.push(String::from_utf8(read).expect("text") + &ran.to_string());
    // Pictures.
    let taken = client.call(Some(&session), "Page.captureScreenshot", json!({})).await;
    let png = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, taken["data"].as_str().expect("a picture"));
    for picture in [png.expect("base64"), baton.bytes(&scene.path("/preview/screenshot")).await] {
        let picture = image::load_from_memory(&picture).expect("a picture").into_rgb8();
        assert_eq!(picture.get_pixel(FIELD.0, FIELD.1).0, [120; 3], "the field is covered");
    }
    told.push(serde_json::to_string(&client.events).expect("JSON"));
    assert_read_by_nobody(&told, CANARY);

    // Gone with its document, and everybody goes on.
    client.call(Some(&session), "Page.navigate", json!({ "url": scene.site.url("/after") })).await;
    baton.until(&scene.path("/preview"), "/title", "After").await;
    let title = client.call(Some(&session), "Runtime.evaluate", json!({ "expression": "document.title" })).await;
    assert_eq!(title["result"]["value"], "After");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_who_hands_back_clears_it_or_lets_programs_read_it() {
    let scene = scene().await;
    for (name, value) in [("clear", ""), ("reveal", CANARY)] {
        let body = json!({ name: true });
        scene.navigate(&format!("/form?{name}")).await;
        type_and_hand_back(&scene, name, body.clone()).await;
        let mut client = scene.debugger().await;
        let session = client.attach().await;
        let read = client.call(Some(&session), "Runtime.evaluate", json!({ "expression": "field.value" })).await;
        assert_eq!(read["result"]["value"], value, "{body}");
    }
    let both = Some(json!({ "clear": true, "reveal": true }));
    scene.baton.post(&scene.path("/control/take"), json!({ "controller": "Ada" })).await;
    assert_eq!(scene.baton.send("POST", &scene.path("/control/release"), both).await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_into_a_browser_that_came_back_while_a_person_was_asked_stays_theirs() {
    let browser = json!({ "shellAccess": true, "idleMs": 1_000 });
    for way in ["lost", "stopped"] {
        let scene = Scene::open(&PAGES, Router::new(), json!({ "capabilities": { "browser": browser } })).await;
        scene.navigate(&format!("/form?{way}")).await;
        let asks = json!({ "reason": "custom", "message": "Type the word" });
        if way == "stopped" {
            scene.baton.until(&scene.path("/preview"), "/status", "off").await;
            scene.baton.post(&scene.path("/handoff"), asks).await;
        } else {
            scene.baton.post(&scene.path("/handoff"), asks).await;
            let lost = processes(scene.baton.pid()).into_iter().find(Process::is_browser).expect("a browser");
            kill(Pid::from_raw(i32::try_from(lost.pid).expect("a pid")), Signal::SIGKILL).expect("it is killed");
            eventually("it is noticed", || async {
                let events = scene.baton.get(&scene.path("/events?types=sandbox.recovered")).await;
                events["data"].as_array().is_some_and(|all| !all.is_empty()).then_some(())
            })
            .await;
        }
        scene.baton.until(&scene.path("/preview"), "/status", "ready").await;
        let viewer = scene.person().await;
        let field = (i32::try_from(FIELD.0).expect("a place"), i32::try_from(FIELD.1).expect("a place"));
        viewer.click_in_page(&scene.baton, &scene.sandbox, field).await;
        viewer.text(CANARY).await;
        scene.site.told_that(way, &CANARY.len().to_string()).await;
        scene.release_with(json!({ "note": "done" })).await;
        let receipt = scene.baton.get(&scene.path("/handoff")).await["handoff"]["receipt"].clone();
        assert_eq!(receipt["fieldsVeiled"], json!(["Word"]), "{way}: {receipt}");
        let mut client = scene.debugger().await;
        let session = client.attach().await;
        for (method, params) in reading_commands() {
            let refused = client.refused(Some(&session), method, params).await;
            assert_eq!(refused, (-32_000, "veiled".to_owned()), "{way}: {method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browsers_own_pages_are_no_targets() {
    let scene = scene().await;
    scene.navigate("/form").await;
    let mut client = scene.debugger().await;
    client.call(None, "Target.setDiscoverTargets", json!({ "discover": true, "filter": [{}] })).await;
    let all = client.call(None, "Target.getTargets", json!({ "filter": [{}] })).await;
    assert!(all.to_string().contains("/form"), "{all}");
    assert!(!all.to_string().contains("chrome"), "{all}");
    let told = serde_json::to_string(&client.events).expect("JSON");
    assert!(!told.contains("chrome://"), "{told}");
}
