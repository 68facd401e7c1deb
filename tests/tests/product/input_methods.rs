//! What a person commits with an input method, an emoji list or dictation: in the page while it is composed, once and in
//! order, and closed to programs like all that a person types.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use baton_tests::{Baton, Scene, Site, Viewer, assert_read_by_nobody, eventually};
use sandbox_core::viewer::InputEvent;
use serde_json::json;

const PAGES: [(&str, &str); 2] = [
    (
        "/field",
        r#"<title>Field</title><body style="margin:0"><textarea id=f autofocus style="position:absolute;left:20px;top:20px;width:600px;height:80px"></textarea>
        <script>let last = Promise.resolve(), kinds = new Set();
        const tell = (name, value) => last = last.then(() => fetch('/told?' + name + '=' + encodeURIComponent(value)));
        for (const kind of ['compositionstart', 'compositionend', 'paste']) addEventListener(kind, () => tell('kinds', [...kinds.add(kind)]));
        f.onfocus = () => tell('focused', 'yes');
        f.oninput = () => tell('field', f.value);</script>"#,
    ),
    (
        "/frame",
        r#"<title>Frame</title><body style="margin:0"><iframe style="border:0;width:100%;height:300px"></iframe>
        <script>document.querySelector('iframe').src = `http://localhost:${location.port}/field`</script>"#,
    ),
];

/// A text of this many characters, no two like each other.
fn text(first: u32, length: u32) -> String {
    (first..first + length).filter_map(char::from_u32).collect()
}

async fn scene() -> Scene {
    let landed = get(|| async { Html("<title>Landed</title><script>fetch('/told?landed=yes')</script>") });
    let site = Site::serve(&PAGES, Router::new().route("/landed", landed)).await;
    let baton = Baton::start().await;
    // Under two names, which are two sites.
    let names = [site.address.to_string(), format!("localhost:{}", site.address.port())];
    let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": names } })).await;
    Scene { baton, site, sandbox }
}

async fn compose(viewer: &Viewer, text: &str) {
    viewer.input(InputEvent::Compose { text: text.to_owned() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_composed_shows_in_the_page_and_stays_the_persons() {
    let scene = scene().await;
    scene.navigate("/field").await;
    let viewer = scene.person().await;
    for (composed, shown) in [("に", "に"), ("にほ", "にほ"), ("日本", "日本")] {
        compose(&viewer, composed).await;
        scene.site.told_that("field", shown).await;
    }
    viewer.text("日本語").await;
    viewer.key("KeyX", "x").await;
    scene.site.told_that("field", "日本語x").await;
    // The input method gives up.
    compose(&viewer, "ごみ").await;
    scene.site.told_that("field", "日本語xごみ").await;
    compose(&viewer, "").await;
    scene.site.told_that("field", "日本語x").await;
    scene.site.told_that("kinds", "compositionstart,compositionend").await;
    assert_eq!(viewer.seen(|seen| seen.composing_in_page), None, "the view need not show it");

    viewer.hand_back(None).await;
    scene.until_seen().await;
    let seen =
        scene.baton.post(&scene.path("/prompt"), json!({ "playbook": "name: Look\nsteps:\n  - look: {}\n" })).await;
    assert_eq!(seen["status"], "completed", "{seen}");
    let told: Vec<String> = scene.events().await.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|told| told.contains("Field")), "the page was looked at: {told:?}");
    assert_read_by_nobody(&told, "日本語");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_commits_come_once_and_in_order_with_the_keys_between_them() {
    let scene = scene().await;
    scene.navigate("/field").await;
    let viewer = scene.person().await;
    let mut expected = String::new();
    for n in 0..12 {
        let commit = text(0x4E00 + n * 100, 100);
        viewer.text(&commit).await;
        viewer.key("KeyX", "x").await;
        viewer.text("短い").await;
        expected += &format!("{commit}x短い");
    }
    scene.site.told_that("field", &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_another_site_and_the_address_bar_are_committed_to_too() {
    let scene = scene().await;
    scene.navigate("/frame").await;
    let viewer = scene.person().await;
    // The frame may come after its page: a click before that meets nothing.
    eventually("the field has the focus", || async {
        viewer.click_in_page(&scene.baton, &scene.sandbox, (100, 60)).await;
        scene.site.was_told("focused").then_some(())
    })
    .await;
    compose(&viewer, "にほ").await;
    scene.site.told_that("field", "にほ").await;
    let long = text(0x4E00, 80);
    viewer.text(&long).await;
    scene.site.told_that("field", &long).await;

    // The address bar is none of a page: there the view shows what is composed, and a text is typed by keys.
    for down in [true, false] {
        viewer.input(InputEvent::Key { code: "ControlLeft".into(), key: "Control".into(), down }).await;
        if down {
            viewer.key("KeyL", "l").await;
        }
    }
    compose(&viewer, "h").await;
    eventually("the view is told to show it", || {
        std::future::ready(viewer.seen(|seen| (seen.composing_in_page == Some(false)).then_some(())))
    })
    .await;
    viewer.text(&scene.site.url(&format!("/landed?{}", "a".repeat(80)))).await;
    viewer.key("Enter", "Enter").await;
    scene.site.told_that("landed", "yes").await;
    scene.site.told_that("field", &long).await;
}
