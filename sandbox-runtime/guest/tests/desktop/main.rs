//! The desktop room on a real Xvfb with the real Chromium, driven over a link in memory as the runtime drives it.
//!
//! As root Chromium refuses its own sandbox, so it runs as user 1000 of a user namespace, as in the product.

mod chooser;
mod editors;
mod page;
mod rig;
mod typing;
mod view;

use std::time::Duration;

use rig::{Rig, eventually};
use sandbox_core::model::Viewport;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, DesktopReport, InputFrame, VideoControl, VideoRequest};
use view::View;

const LOSSLESS: VideoRequest = VideoRequest::whole(false, true);
const BOTH: VideoRequest = VideoRequest::whole(true, true);
const VIDEO: VideoRequest = VideoRequest::whole(true, false);

fn key(code: &str, key: &str, down: bool) -> InputFrame {
    InputFrame::Event(InputEvent::Key { code: code.into(), key: key.into(), down })
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_arrive_bit_exact_and_a_still_screen_sends_nothing() {
    let rig = Rig::start("<body style='background:#123456'><p id=p>Hello <b>world</b></p>").await;
    let size = rig.evaluate("[innerWidth, innerHeight]").await;
    assert_eq!(size, serde_json::json!([800, 500]), "the page has exactly the size asked for");
    let mut view = View::open(&rig, LOSSLESS).await;
    view.until_like_the_screen(&rig).await;
    view.save("first");

    rig.evaluate("document.getElementById('p').textContent = 'Changed'").await;
    view.until_like_the_screen(&rig).await;
    view.quiet(Duration::from_millis(800)).await;

    let scrolled = "document.body.innerHTML = Array.from({length: 300}, (_, n) => `<p>Line ${n * n}</p>`).join('')";
    rig.evaluate(scrolled).await;
    view.until_like_the_screen(&rig).await;
    let before = view.bytes;
    rig.evaluate("scrollBy(0, 24)").await;
    view.until_like_the_screen(&rig).await;
    assert!(view.copies > 0, "scrolling copies");
    assert!(view.bytes - before < 800 * 500, "scrolling is cheap: {} bytes", view.bytes - before);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_moving_is_video_and_gets_exact_at_rest() {
    let rig = Rig::start(page::FILM).await;
    let mut both = View::open(&rig, BOTH).await;
    both.until("video comes", |view| view.videos > 5).await;
    let mut video = View::open(&rig, VIDEO).await;
    video.until("video only", |view| view.videos > 5).await;
    assert!(video.keys >= 1);
    video.control(VideoControl::Refresh).await;
    let keys = video.keys;
    video.until("a key frame when asked", |view| view.keys > keys).await;
    assert_eq!(video.lossless, 0);

    rig.evaluate("moving = false").await;
    both.until_like_the_screen(&rig).await;
    both.quiet(Duration::from_millis(500)).await;
    video.rest().await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_clicks_and_types_any_text() {
    let rig = Rig::start(page::FORM).await;
    let mut input = rig.input().await;
    rig.click(&mut input, "button").await;
    eventually("the click arrives", || async { rig.evaluate("clicks").await == 1 }).await;

    rig.click(&mut input, "input").await;
    for (code, name) in [("KeyH", "h"), ("KeyY", "z"), ("Semicolon", "ö"), ("Digit7", "/"), ("", "漢"), ("", "😀")]
    {
        input.send(&key(code, name, true)).await;
        input.send(&key(code, name, false)).await;
    }
    input.send(&key("ShiftLeft", "Shift", true)).await;
    input.send(&key("KeyA", "A", true)).await;
    input.send(&key("KeyA", "A", false)).await;
    input.send(&key("Digit7", "/", true)).await;
    input.send(&key("Digit7", "/", false)).await;
    input.send(&key("ShiftLeft", "Shift", false)).await;
    rig.until_value("hzö/漢😀A/").await;

    input.send(&key("ControlLeft", "Control", true)).await;
    input.send(&key("KeyQ", "a", true)).await;
    input.send(&InputFrame::ReleaseAll).await;
    let typed = "Grüße, señor! ¿Qué tal? Łódź kostet 5 €";
    input.send(&InputFrame::Event(InputEvent::Text { text: typed.into() })).await;
    rig.until_value(typed).await;

    input.send(&key("ControlLeft", "Control", true)).await;
    input.send(&key("KeyQ", "a", true)).await;
    let typed = "Grüße, señor! 東京で会いましょう 👍🏽 €5";
    input.send(&InputFrame::Event(InputEvent::Text { text: typed.into() })).await;
    rig.until_value(typed).await;

    let long = "Ein langer Text mit Ümläuten und 漢字. ".repeat(2000);
    input.send(&key("ControlLeft", "Control", true)).await;
    input.send(&key("KeyA", "a", true)).await;
    input.send(&InputFrame::ReleaseAll).await;
    input.send(&InputFrame::Paste(long.clone())).await;
    rig.until_value(long.trim_end_matches('\n')).await;

    assert_eq!(rig.call(DesktopCall::ReadClipboard).await, DesktopAnswer::Clipboard(long));
    assert_eq!(rig.call(DesktopCall::WriteClipboard("kurz".into())).await, DesktopAnswer::Done);
    rig.evaluate("field.value = 'aus der Seite ✓'; field.select()").await;
    for (code, name) in [("ControlLeft", "Control"), ("KeyC", "c")] {
        input.send(&key(code, name, true)).await;
    }
    input.send(&InputFrame::ReleaseAll).await;
    eventually("the page's copy is read", || async {
        rig.call(DesktopCall::ReadClipboard).await == DesktopAnswer::Clipboard("aus der Seite ✓".into())
    })
    .await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_popups_are_seen_and_focused() {
    let rig = Rig::start(page::POPUPS).await;
    let mut reports = rig.reports().await;
    let mut view = View::open(&rig, LOSSLESS).await;
    let mut input = rig.input().await;
    view.until_like_the_screen(&rig).await;
    let bar = view.count(0xFF00_FF00);
    rig.click(&mut input, "select").await;
    view.until("the list is in the picture", |view| view.count(0xFF00_FF00) > bar + 1000).await;
    view.save("list");
    input.send(&key("Escape", "Escape", true)).await;
    input.send(&key("Escape", "Escape", false)).await;
    view.until("the list goes", |view| view.count(0xFF00_FF00) <= bar).await;

    rig.click(&mut input, "button").await;
    view.until("the popup is in the picture", |view| view.count(0xFFFF_00FF) > 20_000).await;
    view.until_like_the_screen(&rig).await;
    view.save("popup");
    let (left, right) = view.columns_of(0xFFFF_00FF);
    let middle = (left + right) / 2;
    assert!(right - left < 400, "the popup keeps its size: {left}–{right}");
    assert!(middle.abs_diff(400) < 60, "the popup is centred: {left}–{right}");
    input.send(&key("KeyX", "x", true)).await;
    input.send(&key("KeyX", "x", false)).await;
    eventually("the popup has the focus", || async { rig.evaluate("typedInPopup").await == "x" }).await;

    // Its title bar (28 high) and address bar (some 34) are above the page: first move it by the one, then close it there.
    let (top, _) = view.rows_of(0xFFFF_00FF);
    let (x, y) = (left as i32 + 60, top as i32 - 50);
    for (down, dx) in [(true, 0), (false, 100)] {
        input.send(&InputFrame::Event(InputEvent::Move { x: x + dx, y })).await;
        input.send(&InputFrame::Event(InputEvent::Button { button: 0, down, x: x + dx, y })).await;
        // The window manager takes the pointer on the press.
        view.until_like_the_screen(&rig).await;
    }
    view.until("the popup has moved", |view| view.columns_of(0xFFFF_00FF).0 == left + 100).await;
    view.until_like_the_screen(&rig).await;
    view.save("moved");
    let x = right as i32 + 100 - 10;
    for down in [true, false] {
        input.send(&InputFrame::Event(InputEvent::Button { button: 0, down, x, y })).await;
    }
    view.until("the popup goes", |view| view.count(0xFFFF_00FF) == 0).await;
    input.send(&key("KeyY", "y", true)).await;
    input.send(&key("KeyY", "y", false)).await;
    eventually("the focus returns", || async { rig.evaluate("typedInPage").await == "y" }).await;

    rig.hover(&mut input, "input").await;
    reports.until("the pointer's shape", |report| *report == DesktopReport::Cursor("text".into())).await;
    rig.hover(&mut input, "a").await;
    reports.until("the pointer's shape", |report| *report == DesktopReport::Cursor("pointer".into())).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_prints_makes_a_pdf_and_no_dialog() {
    let rig = Rig::start("<h1>Invoice 7</h1>").await;
    let before = rig.tabs().await;
    rig.evaluate("document.title = 'Invoice 7'; setTimeout(() => { print(); document.title = 'printed'; }, 0); 0")
        .await;
    eventually("the page goes on", || async { rig.evaluate("document.title").await == "printed" }).await;
    eventually("the PDF arrives", || async {
        rig.downloads().iter().any(|file| {
            file.file_name().is_some_and(|name| name == "Invoice 7.pdf")
                && std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"%PDF") && bytes.len() > 500)
        })
    })
    .await;
    assert_eq!(rig.tabs().await, before);
    // The page has the keyboard as before.
    rig.evaluate("var typed = ''; onkeydown = event => typed += event.key; 0").await;
    let mut input = rig.input().await;
    input.send(&key("KeyX", "x", true)).await;
    input.send(&key("KeyX", "x", false)).await;
    eventually("the page is typed into", || async { rig.evaluate("typed").await == "x" }).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_follows_the_size_asked_for_and_the_browser_s_end_is_told() {
    let rig = Rig::start("<body style='background:#abcdef'>").await;
    let mut reports = rig.reports().await;
    let mut view = View::open(&rig, LOSSLESS).await;
    view.until_like_the_screen(&rig).await;
    for (width, height) in [(1001, 703), (640, 480)] {
        assert_eq!(rig.call(DesktopCall::Resize(Viewport { width, height })).await, DesktopAnswer::Done);
        reports.until("the new screen", |report| matches!(report, DesktopReport::ScreenChanged(_))).await;
        eventually("the page follows", || async {
            rig.evaluate("[innerWidth, innerHeight]").await == serde_json::json!([width, height])
        })
        .await;
        view.until_like_the_screen(&rig).await;
    }
    let too_large = rig.call(DesktopCall::Resize(Viewport { width: 9000, height: 480 })).await;
    assert!(matches!(too_large, DesktopAnswer::Failed(_)));

    rig.cdp("Browser.close").await;
    reports.until("the end", |report| matches!(report, DesktopReport::BrowserExited { .. })).await;
    rig.end().await;
}
