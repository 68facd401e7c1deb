//! What a live view and the runtime say to each other is described as it is written: one example of every word.

use sandbox_core::viewer::{Aim, AimBox, ControlView, FromViewer, InputEvent, Screen, ToViewer, ViewerMode};
use sandbox_core::{Lease, ViewerId, model::ControlMode, model::TypedText};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::PartialSchema;

const SCREEN: Screen = Screen { width: 1280, height: 800 };
const LEASE: Lease = Lease(7);

#[test]
fn what_a_view_says_is_described() {
    let words = [
        FromViewer::Hello { h264: true, scale: Some(4), rate: Some(2) },
        FromViewer::Hello { h264: false, scale: None, rate: None },
        FromViewer::Ping { sent_at: 1.5 },
        FromViewer::Shown { picture: 3 },
        FromViewer::Take { controller: "Ada".into() },
        FromViewer::HandBack { note: None, typed: None },
        FromViewer::HandBack { note: Some("done".into()), typed: Some(TypedText::Cleared) },
        FromViewer::Input { lease: LEASE, event: InputEvent::Blur {} },
        FromViewer::Paste { lease: LEASE, text: "text".into() },
        FromViewer::Copy { lease: LEASE },
        FromViewer::AskControl { controller: "Ada".into() },
        FromViewer::GiveControl {},
        FromViewer::KeepControl {},
    ];
    assert_described(&words, "type");
}

#[test]
fn what_a_person_does_is_described() {
    let inputs = [
        InputEvent::Move { x: 1, y: 2 },
        InputEvent::Button { button: 0, down: true, x: 1, y: 2 },
        InputEvent::Wheel { dx: 0, dy: 1, x: 1, y: 2 },
        InputEvent::Key { code: "KeyA".into(), key: "a".into(), down: true },
        InputEvent::Text { text: "a".into() },
        InputEvent::Compose { text: "a".into() },
        InputEvent::Blur {},
    ];
    assert_described(&inputs, "kind");
}

#[test]
fn what_a_view_is_told_is_described() {
    let target = Some(AimBox { left: 1, top: 2, width: 3, height: 4 });
    let aim = Aim { x: 1, y: 2, page: SCREEN, target, action: Some("click".into()), name: None, pressed: true };
    let words = [
        ToViewer::Welcome {
            viewer_id: ViewerId::from("view_1"),
            mode: ViewerMode::Control,
            screen: SCREEN,
            transport: "socket".into(),
        },
        ToViewer::Pong { sent_at: 1.5, clock_us: 2, lapses_at: Some(3) },
        ToViewer::Pong { sent_at: 1.5, clock_us: 2, lapses_at: None },
        ToViewer::Screen { screen: SCREEN },
        ToViewer::Control { control: control() },
        ToViewer::Denied { code: "invalid".into(), message: "no".into() },
        ToViewer::Clipboard { text: "text".into() },
        ToViewer::Composing { in_page: true },
        ToViewer::Cursor { cursor: "text".into() },
        ToViewer::Aim { aim },
        ToViewer::Ended { reason: "gone".into() },
    ];
    assert_described(&words, "type");
    assert_fits(&serde_json::to_value(control()).unwrap(), &schema_of::<ControlView>());
}

fn control() -> ControlView {
    ControlView {
        mode: ControlMode::Human,
        yours: true,
        lease: Some(LEASE),
        controller: Some("Ada".into()),
        settling: false,
        since: Some(1),
        lapses_at: Some(2),
        job: Some("job".into()),
        asks: Some("sign in".into()),
        wanted_by: Some("Bob".into()),
        wanted_by_you: false,
    }
}

/// Each example fits the member of the union that has its tag, and no member is without an example.
fn assert_described<T: Serialize + PartialSchema>(examples: &[T], tag: &str) {
    let union = schema_of::<T>();
    let members = union["oneOf"].as_array().expect("a union");
    let name_of = |member: &Value| member["properties"][tag]["enum"][0].clone();
    let mut shown = Vec::new();
    for example in examples {
        let value = serde_json::to_value(example).unwrap();
        let member = members.iter().find(|member| name_of(member) == value[tag]);
        assert_fits(&value, member.unwrap_or_else(|| panic!("{value} is not described")));
        shown.push(value[tag].clone());
    }
    let unseen: Vec<Value> = members.iter().map(name_of).filter(|name| !shown.contains(name)).collect();
    assert_eq!(unseen, [] as [Value; 0], "words without an example");
}

/// Every field is described, and every field that is promised is there.
fn assert_fits(value: &Value, schema: &Value) {
    let written = value.as_object().expect("an object");
    for name in written.keys() {
        assert!(!name.contains('_'), "`{name}` of {value}: its variant lacks `rename_all`");
        assert!(schema["properties"].get(name).is_some(), "`{name}` of {value} is not described");
    }
    for name in schema["required"].as_array().unwrap_or(&vec![]) {
        assert!(written.contains_key(name.as_str().unwrap()), "{name} is promised and not in {value}");
    }
}

fn schema_of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).expect("a schema is JSON")
}

#[test]
fn a_word_that_is_not_described_is_found() {
    let described = json!({ "properties": { "sentAt": {} }, "required": ["sentAt"] });
    let refused = |value: Value| std::panic::catch_unwind(|| assert_fits(&value, &described)).is_err();
    assert!(!refused(json!({ "sentAt": 1 })));
    assert!(refused(json!({ "sent_at": 1 })) && refused(json!({ "sentAt": 1, "more": 1 })) && refused(json!({})));
}
