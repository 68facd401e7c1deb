//! What a person types reaches the page once, in order, as what it is; and nothing of it is left to the next holder.

use sandbox_core::Lease;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, InputFrame};
use serde_json::{Value, json};

use crate::rig::{Lane, Rig, eventually};
use crate::{editors, key, page};

/// Twenty letters each of six scripts, none of them on a US keyboard.
const SCRIPTS: [&str; 6] = [
    "абвгдежзийклмнопрсту",
    "αβγδεζηθικλμνξοπρστυ",
    "אבגדהוזחטיכלמנסעפצקר",
    "ابتثجحخدذرزسشصضطظعغف",
    "กขคงจฉชซญณดตถทธนบปผฝ",
    "अआइईउऊएऐओऔकखगघचछजझटठ",
];

async fn tap(lane: &mut Lane, code: &str, name: &str) {
    for down in [true, false] {
        lane.send(&key(code, name, down)).await;
    }
}

async fn commit(lane: &mut Lane, text: &str) {
    lane.send(&InputFrame::Event(InputEvent::Text { text: text.into() })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_lane_holds_goes_up_when_a_lease_ends_and_nothing_more_comes_under_it() {
    let rig = Rig::start(page::HELD).await;
    let (mut one, mut other) = (rig.input().await, rig.input().await);
    for lane in [&mut one, &mut other] {
        lane.send(&InputFrame::Under(Lease(4))).await;
    }
    let (x, y) = rig.hover(&mut one, "textarea").await;
    one.send(&InputFrame::Event(InputEvent::Button { button: 0, down: true, x, y })).await;
    one.send(&key("ShiftLeft", "Shift", true)).await;
    other.send(&key("KeyA", "a", true)).await;
    eventually("all three are down", || async {
        rig.evaluate("[...down].sort().join()").await == "KeyA,ShiftLeft,mouse"
    })
    .await;

    assert_eq!(rig.call(DesktopCall::EndInput(Lease(4))).await, DesktopAnswer::Done);
    eventually("nothing is held", || async { rig.evaluate("down.length").await == 0 }).await;

    // Late under the old lease, then under the next one: only that is heard.
    for (lane, lease, code) in [(&mut one, 4, "KeyB"), (&mut other, 5, "KeyC")] {
        lane.send(&InputFrame::Under(Lease(lease))).await;
        tap(lane, code, "x").await;
    }
    tap(&mut one, "KeyD", "d").await;
    tap(&mut other, "KeyE", "e").await;
    eventually("the next holder types", || async { rig.evaluate("keys.at(-1)").await == "KeyE" }).await;
    let keys = rig.evaluate("keys").await;
    assert!(!keys.to_string().contains("KeyB") && !keys.to_string().contains("KeyD"), "{keys}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_six_scripts_are_the_keys_that_they_are() {
    let rig = Rig::start(page::FORM).await;
    rig.evaluate("var keys = []; onkeydown = event => keys.push(event.key + event.code); 0").await;
    let tabs = rig.tabs().await;
    let mut input = rig.input().await;
    rig.click(&mut input, "textarea").await;
    eventually("the field has the focus", || async { rig.evaluate("document.activeElement === field").await == true })
        .await;
    let letters: String = SCRIPTS.concat();
    assert_eq!(letters.chars().count(), 120);
    for letter in letters.chars() {
        tap(&mut input, "KeyG", &letter.to_string()).await;
    }
    rig.until_value(&letters).await;
    let expected: Vec<Value> = letters.chars().map(|letter| json!(letter.to_string())).collect();
    assert_eq!(rig.evaluate("keys").await, Value::Array(expected), "the key is the letter, at no place of a keyboard");
    assert_eq!(rig.evaluate("document.hasFocus()").await, true, "the page keeps the focus");
    assert_eq!(rig.tabs().await, tabs, "no tab is opened or closed");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn editors_hold_every_letter_that_was_typed() {
    let rig = Rig::start(&editors::page()).await;
    let mut input = rig.input().await;
    let letters: String = SCRIPTS.concat();
    for editor in ["codemirror", "prosemirror", "quill", "plain"] {
        let place = if editor == "plain" { "#plain".to_owned() } else { format!("#{editor} [contenteditable]") };
        rig.click(&mut input, &place).await;
        let focused = format!("document.activeElement === document.querySelector('{place}')");
        eventually(editor, || async { rig.evaluate(&focused).await == true }).await;
        for letter in letters.chars() {
            tap(&mut input, "KeyG", &letter.to_string()).await;
        }
        let text = format!("texts.{editor}()");
        eventually(editor, || async {
            let held = rig.evaluate(&text).await;
            held.as_str().is_some_and(|held| held.chars().count() >= letters.chars().count())
        })
        .await;
        assert_eq!(rig.evaluate(&text).await, letters, "{editor}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_texts_come_once_and_in_order_however_fast_and_leave_the_clipboard_alone() {
    let rig = Rig::start(page::FORM).await;
    let mut input = rig.input().await;
    assert_eq!(rig.call(DesktopCall::WriteClipboard("copied before".into())).await, DesktopAnswer::Done);
    rig.click(&mut input, "textarea").await;
    let words = ["我们", "今天", "下午", "三点", "開會", "😀", "👩‍👩‍👧", "👍🏽", "abc", "请", "准时", "e\u{301}", "한국어"];
    // Another key between two commits keeps its place.
    for word in words {
        commit(&mut input, word).await;
        tap(&mut input, "KeyX", "x").await;
    }
    let expected: String = words.map(|word| format!("{word}x")).concat();
    rig.until_value(&expected).await;
    assert_eq!(rig.call(DesktopCall::ReadClipboard).await, DesktopAnswer::Clipboard("copied before".into()));

    // Many more distinct characters than a keyboard has keys to lend.
    rig.evaluate("field.value = ''").await;
    let many: Vec<String> =
        (0..12).map(|n| (0..30).filter_map(|at| char::from_u32(0x4E00 + n * 30 + at)).collect()).collect();
    for text in &many {
        commit(&mut input, text).await;
    }
    rig.until_value(&many.concat()).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_are_typed_whole_and_in_order_and_leave_the_clipboard_alone() {
    let rig = Rig::start(page::FORM).await;
    let mut input = rig.input().await;
    assert_eq!(rig.call(DesktopCall::WriteClipboard("copied before".into())).await, DesktopAnswer::Done);
    rig.click(&mut input, "textarea").await;
    let texts: Vec<String> =
        (0..5).map(|n| (0..100).filter_map(|at| char::from_u32(0x5000 + n * 20 + at)).collect()).collect();
    for text in &texts {
        commit(&mut input, text).await;
    }
    rig.until_value(&texts.concat()).await;
    assert_eq!(rig.call(DesktopCall::ReadClipboard).await, DesktopAnswer::Clipboard("copied before".into()));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_is_given_once_the_room_has_settled_comes_after_the_keys() {
    let rig = Rig::start(page::FORM).await;
    let mut input = rig.input().await;
    rig.click(&mut input, "textarea").await;
    let mut expected = String::new();
    for _ in 0..30 {
        for code in ["KeyA", "KeyB", "KeyC"] {
            tap(&mut input, code, &code[3..].to_lowercase()).await;
        }
        commit(&mut input, "я").await;
        input.settle().await;
        rig.commit("会議").await;
        expected += "abcя会議";
    }
    rig.until_value(&expected).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pasted_one_after_another_arrive_each_as_it_is() {
    let rig = Rig::start(page::FORM).await;
    let mut input = rig.input().await;
    rig.click(&mut input, "input").await;
    // It reads each text, is busy, and reads it again to put it in, as editors do.
    let busy = "field.addEventListener('paste', (event) => {
        event.clipboardData.getData('text/plain');
        for (const end = performance.now() + 70; performance.now() < end;);
    })";
    rig.evaluate(busy).await;
    let texts = ["one ", "two ", "three ", "four "];
    for text in texts {
        input.send(&InputFrame::Paste(text.into())).await;
    }
    rig.until_value(&texts.concat()).await;
    rig.end().await;
}
