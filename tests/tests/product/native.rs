//! What a browser draws outside the page is seen and worked by the person as in any browser: lists, dialogs, pickers,
//! bubbles, windows, tabs, files, the clipboard.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use baton_tests::{Baton, Site, Viewer, eventually};
use image::RgbaImage;
use sandbox_core::viewer::FromViewer;
use serde_json::json;

/// One thing to press in the upper left corner of the page, 20 pixels from its edges.
const PRESS: (i32, i32) = (60, 36);

const PAGES: [(&str, &str); 9] = [
    (
        "/select",
        r#"<body style="margin:0"><select style="position:absolute;left:20px;top:20px;width:120px;height:32px"
        onchange="fetch('/told?select='+value)"><option>ash<option>birch<option>cedar<option>dogwood</select>"#,
    ),
    (
        "/confirm",
        r#"<body style="margin:0"><button style="position:absolute;left:20px;top:20px;width:120px;height:32px"
        onclick="fetch('/told?confirm='+confirm('Really?'))">Ask</button>"#,
    ),
    (
        "/date",
        r#"<body style="margin:0"><input id="d" type="date" value="2026-10-15" style="position:absolute;left:20px;top:20px;width:160px;height:32px"
        onclick="d.showPicker()" onchange="fetch('/told?date='+value)">"#,
    ),
    (
        "/permission",
        r#"<body style="margin:0"><button style="position:absolute;left:20px;top:20px;width:120px;height:32px"
        onclick="Notification.requestPermission().then(answer => fetch('/told?permission='+answer))">Ask</button>"#,
    ),
    (
        "/popup",
        r#"<body style="margin:0"><button style="position:absolute;left:20px;top:20px;width:120px;height:32px"
        onclick="open('/window','w','width=420,height=300')">Open</button>"#,
    ),
    (
        "/window",
        r#"<title>Popup</title><body style="background:#fc6"><input autofocus onkeydown="if (event.key==='Enter') fetch('/told?popup='+encodeURIComponent(value)).then(() => window.close())">"#,
    ),
    (
        "/tab",
        r#"<body style="margin:0"><a target="_blank" href="/other" style="position:absolute;left:20px;top:20px;width:120px;height:32px">Other</a>"#,
    ),
    (
        "/file",
        r#"<body style="margin:0"><input type="file" style="position:absolute;left:20px;top:20px;width:240px;height:32px"
        onchange="files[0].text().then(text => fetch('/told?file='+encodeURIComponent(files[0].name+': '+text)))">"#,
    ),
    (
        "/field",
        r#"<body style="margin:0"><input id="f" autofocus style="position:absolute;left:20px;top:20px;width:600px;height:32px"
        oninput="clearTimeout(window.last); last=setTimeout(() => fetch('/told?field='+encodeURIComponent(value)), 100)">"#,
    ),
];

/// A ready sandbox on a page of the site, and a person at the wheel.
struct Scene {
    baton: Baton,
    site: Site,
    sandbox: String,
    viewer: Viewer,
    bars: i32,
}

impl Scene {
    async fn open(path: &str) -> Self {
        let more = Router::new()
            .route("/other", get(|| async { axum::response::Html("<title>Other</title>") }))
            .route(
                "/file.csv",
                get(|| async { ([(header::CONTENT_DISPOSITION, "attachment; filename=\"taken.csv\"")], "a,b\n1,2\n") }),
            )
            .route("/download", get(|| async {
                axum::response::Html(r#"<body style="margin:0"><a href="/file.csv" style="position:absolute;left:20px;top:20px;width:120px;height:32px">Take</a>"#)
            }));
        let site = Site::serve(&PAGES, more).await;
        let baton = Baton::start().await;
        let network = json!({ "allowPrivate": [site.address.to_string()] });
        let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
        baton.post(&format!("/sandboxes/{sandbox}/preview/navigate"), json!({ "url": site.url(path) })).await;
        let viewer = Viewer::connect(&baton, &sandbox).await;
        viewer.take().await;
        let bars = viewer.bars(&baton, &sandbox).await;
        Self { baton, site, sandbox, viewer, bars }
    }

    async fn press(&self) {
        self.viewer.click(PRESS.0, PRESS.1 + self.bars).await;
    }

    /// Presses, and waits until the picture shows what came of it; returns it before and after.
    async fn press_and_see(&self) -> (RgbaImage, RgbaImage) {
        let before = self.viewer.still_picture().await;
        self.press().await;
        let changed = |seen: &baton_tests::Seen| n_different(&before, &seen.picture) > 2_000;
        eventually("the picture shows it", || std::future::ready(self.viewer.seen(changed).then_some(()))).await;
        let after = self.viewer.still_picture().await;
        (before, after)
    }
}

fn n_different(one: &RgbaImage, other: &RgbaImage) -> usize {
    if one.dimensions() != other.dimensions() {
        return usize::MAX;
    }
    one.pixels().zip(other.pixels()).filter(|(a, b)| a != b).count()
}

#[tokio::test]
async fn a_select_list_is_seen_and_chosen_from() {
    let scene = Scene::open("/select").await;
    scene.press_and_see().await;
    scene.viewer.key("ArrowDown", "ArrowDown").await;
    scene.viewer.key("ArrowDown", "ArrowDown").await;
    scene.viewer.key("Enter", "Enter").await;
    scene.site.told_that("select", "cedar").await;
}

#[tokio::test]
async fn a_dialog_is_seen_and_answered() {
    let scene = Scene::open("/confirm").await;
    scene.press_and_see().await;
    scene.viewer.key("Enter", "Enter").await;
    scene.site.told_that("confirm", "true").await;
}

#[tokio::test]
async fn a_date_picker_is_seen_and_chosen_from() {
    let scene = Scene::open("/date").await;
    scene.press_and_see().await;
    scene.viewer.key("ArrowRight", "ArrowRight").await;
    scene.viewer.key("Enter", "Enter").await;
    scene.site.told_that("date", "2026-10-16").await;
}

#[tokio::test]
async fn a_permission_bubble_is_seen_and_dismissed() {
    let scene = Scene::open("/permission").await;
    scene.press_and_see().await;
    scene.viewer.key("Escape", "Escape").await;
    let answer = scene.site.told("permission").await;
    assert!(["default", "denied"].contains(&answer.as_str()), "what is dismissed is not granted: {answer}");
}

#[tokio::test]
async fn a_popup_is_a_window_with_the_focus() {
    let scene = Scene::open("/popup").await;
    let (before, _) = scene.press_and_see().await;
    scene.viewer.text("typed in the popup").await;
    scene.viewer.key("Enter", "Enter").await;
    scene.site.told_that("popup", "typed in the popup").await;
    eventually("the popup is gone", || async {
        let now = scene.viewer.still_picture().await;
        let middle = (now.width() / 2, now.height() / 2);
        (now.get_pixel(middle.0, middle.1) == before.get_pixel(middle.0, middle.1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_tab_is_listed_after_the_hand_back() {
    let scene = Scene::open("/tab").await;
    scene.press_and_see().await;
    scene.viewer.hand_back(None).await;
    let preview = scene.baton.until(&format!("/sandboxes/{}/preview", scene.sandbox), "/title", "Other").await;
    assert_eq!(preview["tabs"].as_array().map(Vec::len), Some(2), "{preview}");
    let handoff = scene.baton.get(&format!("/sandboxes/{}/handoff", scene.sandbox)).await;
    let opened = handoff["handoff"]["receipt"]["tabsOpened"].as_array().map(Vec::len);
    assert_eq!(opened, Some(1), "{handoff}");
    assert_eq!(handoff["handoff"]["requestedBy"], "dashboard");
}

#[tokio::test]
async fn the_file_chooser_opens_in_the_workspace() {
    let scene = Scene::open("/file").await;
    let code = json!({ "language": "bash", "code": "printf hello > upload-me.txt" });
    scene.baton.post(&format!("/sandboxes/{}/code", scene.sandbox), code).await;
    scene.press_and_see().await;
    // A name alone is found only where the chooser stands.
    scene.viewer.text("upload-me.txt").await;
    scene.viewer.still_picture().await;
    // The button "Open" is in the lower right corner of the dialog, which fills the screen but for a margin.
    let (width, height) = scene.viewer.seen(|seen| seen.picture.dimensions());
    let at = |length: u32, from_end: i32| i32::try_from(length).expect("a screen is small") - from_end;
    scene.viewer.click(at(width, 127), at(height, 23)).await;
    scene.site.told_that("file", "upload-me.txt: hello").await;
}

#[tokio::test]
async fn what_a_person_downloads_lands_in_the_workspace() {
    let scene = Scene::open("/download").await;
    scene.press().await;
    let file = format!("/sandboxes/{}/fs/read?path=downloads/taken.csv", scene.sandbox);
    eventually("the file is there", || async { (scene.baton.send("GET", &file, None).await.0 == 200).then_some(()) })
        .await;
    scene.viewer.hand_back(None).await;
    let handoff = scene.baton.get(&format!("/sandboxes/{}/handoff", scene.sandbox)).await;
    assert_eq!(handoff["handoff"]["receipt"]["filesArrived"], json!(["downloads/taken.csv"]));
}

#[tokio::test]
async fn what_a_person_types_first_goes_to_the_page_and_not_to_the_address_bar() {
    let scene = Scene::open("/field").await;
    scene.viewer.text("typed at once").await;
    scene.site.told_that("field", "typed at once").await;
}

#[tokio::test]
async fn text_of_any_script_arrives_as_it_was_typed() {
    let scene = Scene::open("/field").await;
    scene.press().await;
    let text = "Grüße, Ärger: ñandú, 東京 你好 한국어 🙂🚀 @{}[]|";
    scene.viewer.text(text).await;
    scene.site.told_that("field", text).await;
}

#[tokio::test]
async fn the_clipboard_goes_both_ways() {
    let scene = Scene::open("/field").await;
    scene.press().await;
    let lease = scene.viewer.lease().expect("this person holds control");
    let text = "pasted — 貼り付け 🙂".to_owned();
    scene.viewer.say(&FromViewer::Paste { lease, text: text.clone() }).await;
    scene.site.told_that("field", &text).await;
    let control =
        |down| sandbox_core::viewer::InputEvent::Key { code: "ControlLeft".into(), key: "Control".into(), down };
    scene.viewer.text(" and more").await;
    scene.site.told_that("field", &format!("{text} and more")).await;
    scene.viewer.input(control(true)).await;
    scene.viewer.key("KeyA", "a").await;
    scene.viewer.key("KeyC", "c").await;
    scene.viewer.input(control(false)).await;
    let copied = eventually("what was copied comes out", || async {
        scene.viewer.say(&FromViewer::Copy { lease }).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        scene.viewer.seen(|seen| seen.clipboard.clone()).filter(|copied| copied.ends_with("more"))
    })
    .await;
    assert_eq!(copied, format!("{text} and more"));
}
