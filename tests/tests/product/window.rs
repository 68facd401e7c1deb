//! The real desktop window, pressed and typed into as a person does: the whole demo, to the artifact's content.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use baton_tests::{Baton, Bus, Display, Notifications, Tray, Window, binary, eventually, keys};
use serde_json::json;
use tokio::process::{Child, Command};

/// What a person typed must not be found in the story.
const PASSWORD: &str = "correct-horse-canary-9283";

#[tokio::test]
async fn a_person_runs_the_demo_in_the_window_from_the_first_button_to_the_report() {
    let window = Window::open().await;
    window.find("//*[contains(., 'This machine is ready')]").await;
    window.press("Run the demo").await;

    // The agent asks; the frame says so, and what for.
    window.find("//*[contains(., 'Sign in to portal.example')]").await;
    let waiting = window.find("//button[contains(., 'Take control')]").await;
    assert!(!waiting.is_empty());
    let at_rest = window.resting_picture().await;
    window.screenshot("window-needs-you.png");

    // One key takes control; what is typed changes the live picture.
    window.type_keys(keys::F9).await;
    window.find("//button[contains(., 'Hand back')]").await;
    window.type_keys("ada@portal.example").await;
    let named = window.picture_changed(at_rest).await;
    window.type_keys(keys::TAB).await;
    window.type_keys(PASSWORD).await;
    let filled = window.picture_changed(named).await;
    window.screenshot("window-you-drive.png");
    window.type_keys(keys::ENTER).await;
    let code_page = window.picture_changed(filled).await;
    window.type_keys("246813").await;
    let with_code = window.picture_changed(code_page).await;
    window.type_keys(keys::ENTER).await;
    window.picture_changed(with_code).await;

    // The same key hands back, with a note; the receipt says what changed.
    window.type_keys(keys::F9).await;
    window.find("//*[contains(text(), 'Anything the agent should know')]").await;
    window.type_keys("signed in").await;
    window.type_keys(keys::ENTER).await;
    window.find("//*[contains(., 'What changed while you drove')]").await;
    window.screenshot("window-receipt.png");

    // The agent goes on to the end; the result, the outputs and the report are there to read.
    window.find("//*[contains(., 'Total of 2026-10')]").await;
    window.screenshot("window-ended.png");
    let api = Baton::join(window.home()).await;
    let task = eventually("the task is completed", || async {
        let tasks = api.get("/tasks").await;
        (tasks["data"][0]["status"] == "completed").then(|| tasks["data"][0].clone())
    })
    .await;
    let id = task["id"].as_str().expect("a task has an id");
    let story = serde_json::to_string(&api.events(id).await).expect("JSON");
    assert!(!story.contains(PASSWORD) && !story.contains("246813"));
    let artifacts = api.get(&format!("/artifacts?q={}", "report")).await;
    let key = artifacts["data"][0]["key"].as_str().expect("the report is an artifact");
    let report = String::from_utf8(api.bytes(&format!("/artifacts/{key}/content")).await).expect("text");
    assert!(report.contains("**Total: €"), "{report}");
    window.click("//*[@role='tab'][contains(., 'Files')]").await;
    window.click("//*[@role='treeitem'][contains(., 'report.md')]").await;
    window.find("//*[self::h1 or self::h2 or self::h3][contains(., 'Invoices of 2026-10')]").await;
    window.screenshot("window-files.png");
}

/// Starts the application once more on the same bus, display and data.
fn second_start(bus: &Bus, display: &Display, home: &Path) -> Command {
    let mut second = Command::new(binary("baton-desktop"));
    second
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .env("DISPLAY", &display.name)
        .env("GDK_BACKEND", "x11")
        .env("BATON_HOME", home)
        .kill_on_drop(true)
        .stderr(Stdio::piped());
    second
}

/// Waits until it has ended, with a limit for the day it does not.
async fn ended(second: Child) -> Output {
    let ended = tokio::time::timeout(Duration::from_secs(60), second.wait_with_output());
    ended.await.expect("the application ends").expect("its output is read")
}

#[tokio::test]
async fn a_second_application_on_the_same_data_says_in_a_window_who_holds_it() {
    let mut baton = Baton::start().await;
    let (bus, display) = (Bus::start(), Display::start(800, 600));
    let mut second = second_start(&bus, &display, baton.home()).spawn().expect("the application runs");
    // Whichever comes first: an application that ended by itself says below why.
    tokio::select! {
        () = display.close_window("Baton did not start") => {}
        _ = second.wait() => {}
    }
    let second = ended(second).await;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(2), "{said}");
    assert!(said.contains(&baton.pid().to_string()), "{said}");
    assert_eq!(baton.send("GET", "/health", None).await, (200, json!({ "status": "ok", "version": "0.1.0" })));
    baton.stop().await;
}

#[tokio::test]
async fn a_second_start_leads_to_the_window_that_is_there() {
    let window = Window::open().await;
    let second = second_start(&window.bus, &window.display, window.home()).spawn().expect("the application runs");
    let second = ended(second).await;
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    window.find("//button[contains(., 'Run the demo')]").await;
}

#[tokio::test]
async fn a_notification_says_what_is_asked_and_opens_the_sandbox_that_asks() {
    let window = Window::open().await;
    let notifications = Notifications::serve(&window.bus).await.expect("the bus takes a notification service");
    let api = Baton::join(window.home()).await;
    let sandbox = api.post("/sandboxes", json!({ "name": "Supplier", "capabilities": { "browser": false } })).await;
    let id = sandbox["id"].as_str().expect("a sandbox has an id");
    api.get(&format!("/sandboxes/{id}?waitFor=ready&timeoutMs=60000")).await;
    let asked = json!({ "reason": "approval", "message": "Look at <b>this</b> & that" });
    api.post(&format!("/sandboxes/{id}/handoff"), asked).await;
    let shown = eventually("a notification is shown", || async { notifications.shown().first().cloned() }).await;
    assert_eq!(shown, ("Supplier needs you".to_owned(), "Look at &lt;b&gt;this&lt;/b&gt; &amp; that".to_owned()));
    assert!(!window.is_shown("//*[@role='log']").await, "nothing is opened before it is chosen");
    notifications.choose_newest().await.expect("the application listens");
    window.find("//*[contains(., 'Needs you: look at')]").await;
}

/// Starts a task that runs until it is stopped; returns its id.
async fn long_task(api: &Baton) -> String {
    let sandbox = api.ready_sandbox(json!({ "name": "Long", "capabilities": { "browser": false } })).await;
    let playbook = "name: Long\nsteps:\n  - exec: { command: sleep, args: ['600'] }\n";
    let task = api.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("a task has an id").to_owned();
    api.until(&format!("/tasks/{task}"), "/status", "running").await;
    task
}

async fn is_gone(window: &Window) {
    eventually("the window is gone", || {
        std::future::ready(window.display.shows("Baton").ok().filter(|shown| !shown).map(|_| ()))
    })
    .await;
}

async fn is_back(window: &Window) {
    eventually("the window is back", || {
        std::future::ready(window.display.shows("Baton").ok().filter(|shown| *shown).map(|_| ()))
    })
    .await;
}

#[tokio::test]
async fn closing_keeps_running_what_runs_and_quitting_asks_and_a_request_outlives_it() {
    let window = Window::open().await;
    let _tray = Tray::serve(&window.bus).await.expect("the bus takes a tray");
    let notifications = Notifications::serve(&window.bus).await.expect("the bus takes a notification service");
    let api = Baton::join(window.home()).await;
    let long = long_task(&api).await;
    let (_, demo) = api.demo_that_waits().await;

    window.display.close_window("Baton").await;
    is_gone(&window).await;
    assert_eq!(api.get(&format!("/tasks/{long}")).await["status"], "running");
    let told = |shown: &[(String, String)]| shown.iter().filter(|(title, _)| title == "Baton keeps running").count();
    eventually("it is said", || std::future::ready((told(&notifications.shown()) == 1).then_some(()))).await;

    let second = second_start(&window.bus, &window.display, window.home()).spawn().expect("the application runs");
    assert_eq!(ended(second).await.status.code(), Some(0));
    is_back(&window).await;
    window.display.close_window("Baton").await;
    is_gone(&window).await;
    let second = second_start(&window.bus, &window.display, window.home()).spawn().expect("the application runs");
    assert_eq!(ended(second).await.status.code(), Some(0));
    is_back(&window).await;
    assert_eq!(told(&notifications.shown()), 1, "it is said once");

    window.click("//button[@aria-label='Settings']").await;
    window.press("Quit Baton").await;
    window.find("//*[contains(text(), '1 task is running and will be stopped.')]").await;
    window.find("//*[contains(text(), '1 task waits for you and will go on when you start Baton again.')]").await;
    window.press("Keep running").await;
    assert_eq!(api.get(&format!("/tasks/{long}")).await["status"], "running");
    window.click("//button[@aria-label='Settings']").await;
    window.press("Quit Baton").await;
    window.press_to_quit("Quit").await;

    let api = Baton::start_at(window.into_home()).await;
    assert_eq!(api.get(&format!("/tasks/{long}")).await["status"], "cancelled");
    api.until(&format!("/tasks/{demo}"), "/status", "waiting").await;
}

#[tokio::test]
async fn without_a_tray_a_closed_window_stays_within_reach() {
    let window = Window::open().await;
    let api = Baton::join(window.home()).await;
    let long = long_task(&api).await;
    window.display.close_window("Baton").await;
    let second = second_start(&window.bus, &window.display, window.home()).spawn().expect("the application runs");
    assert_eq!(ended(second).await.status.code(), Some(0));
    is_back(&window).await;
    window.find("//button[contains(., 'New task')]").await;
    assert_eq!(api.get(&format!("/tasks/{long}")).await["status"], "running");
    // A session that ends tells the application to end; nobody can be asked then.
    window.terminate().await;
}

#[tokio::test]
async fn closing_a_window_in_which_nothing_runs_ends_everything_properly() {
    let window = Window::open().await;
    window.find("//button[contains(., 'Run the demo')]").await;
    window.display.close_window("Baton").await;
    let home = window.into_home_when_ended().await;
    assert!(!home.path().join("runtime.json").exists());
}
