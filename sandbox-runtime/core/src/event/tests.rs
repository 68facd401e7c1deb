//! Every type of event, as the wire and the history have it.

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::*;

/// Payloads as earlier versions wrote them, each type at least once. `reads` has the fields that are added today.
const WRITTEN: &str = include_str!("../../tests/data/events.jsonl");

fn written() -> impl Iterator<Item = (String, Value, Value)> {
    WRITTEN.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let mut expected = line["data"].clone();
        for (name, value) in line["reads"].as_object().into_iter().flatten() {
            expected[name] = value.clone();
        }
        (line["type"].as_str().unwrap().to_owned(), line["data"].take(), expected)
    })
}

fn event_of(data: EventData) -> Event {
    Event { id: "evt_1".into(), sandbox_id: "sbx_1".into(), task_id: None, seq: 1, by: Actor::Agent, at: 2, data }
}

#[test]
fn what_was_written_before_reads_as_its_type_and_is_written_as_it_was() {
    for (kind, payload, expected) in written() {
        let data = EventData::from_parts(kind.clone(), payload.clone());
        assert!(!matches!(data, EventData::Unknown(_)), "{kind} {payload}");
        assert_eq!(data.kind(), kind);
        assert_eq!(data.event_type().map(EventType::as_str), Some(kind.as_str()));
        assert_eq!(data.payload(), expected, "{kind}");
        let sent = serde_json::to_string(&event_of(data.clone())).unwrap();
        let envelope = json!({ "id": "evt_1", "sandboxId": "sbx_1", "seq": 1, "by": "agent", "at": 2, "type": kind, "data": expected });
        assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), envelope);
        assert_eq!(serde_json::from_str::<Event>(&sent).unwrap(), event_of(data));
    }
}

#[test]
fn every_type_that_is_written_is_among_them_and_the_reserved_ones_are_not() {
    let kinds: std::collections::BTreeSet<String> = written().map(|(kind, _, _)| kind).collect();
    for event_type in EventType::ALL {
        assert_eq!(kinds.contains(event_type.as_str()), event_type.is_written(), "{event_type:?}");
        assert_eq!(serde_json::to_value(event_type).unwrap(), event_type.as_str());
    }
}

#[test]
fn what_is_not_known_or_does_not_fit_is_kept_and_written_back_as_it_came() {
    let check = |kind: &str, payload: Value| {
        let data = EventData::from_parts(kind.to_owned(), payload.clone());
        assert_eq!(data, EventData::Unknown(UnknownEvent { kind: kind.to_owned(), data: payload.clone() }));
        assert_eq!((data.kind(), data.payload()), (kind, payload));
        let sent = serde_json::to_string(&event_of(data.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&sent).unwrap(), event_of(data));
    };
    check("sandbox.moon.rose", json!({ "over": ["there", { "at": 7 }] }));
    check("sandbox.credential.used", json!({ "credentialId": "cred_1" }));
    check("sandbox.agent.action", json!("text"));
    check("sandbox.ready", Value::Null);
    check("sandbox.network.denied", json!({ "host": "a.example", "port": 70_000, "reason": "" }));
    check("sandbox.control.changed", json!({ "mode": "dancing", "controller": null }));
}

#[test]
fn sign_ins_are_cut_out_of_every_address() {
    let opened = AgentAction { url: Some("https://me:secret@a.example/".to_owned()), ..AgentAction::default() };
    let told = EventData::from(opened).without_sign_ins();
    assert!(!told.payload().to_string().contains("secret"), "{told:?}");
    assert!(matches!(told, EventData::AgentAction(_)));
}

#[test]
fn a_dialog_that_stands_says_what_a_person_can_do() {
    use crate::observation::DialogKind;
    let asked = |state| BrowserDialog::new(DialogKind::HttpAuth, state, "the site asks for a password").handoff;
    assert!(asked(DialogState::Open).is_some_and(|ask| ask.message.contains("Sign in")));
    assert_eq!(asked(DialogState::Closed), None);
}

#[test]
fn the_document_describes_each_type_once_and_every_field_that_is_sent() {
    let mut schemas = Vec::new();
    Event::schemas(&mut schemas);
    let schema = |name: &str| {
        let (_, schema) =
            schemas.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is missing"));
        serde_json::to_value(schema).unwrap()
    };
    let envelope = schema("EventEnvelope");
    let data = EventData::from(SandboxReady {});
    let sent = serde_json::to_value(Event { task_id: Some("task_1".into()), ..event_of(data) }).unwrap();
    for name in sent.as_object().unwrap().keys().filter(|name| !["type", "data"].contains(&name.as_str())) {
        assert!(envelope["properties"].get(name).is_some(), "{name}");
    }
    for (kind, payload, _) in written() {
        let event_type = EventType::ALL.iter().find(|known| known.as_str() == kind).unwrap();
        let described = schema(&format!("{event_type:?}"));
        assert!(described["description"].as_str().is_some_and(|words| words.ends_with('.')), "{kind}");
        for name in payload.as_object().unwrap().keys() {
            assert!(described["properties"].get(name).is_some(), "{kind} {name}");
        }
    }
    assert_eq!(messages().len(), EventType::ALL.iter().filter(|known| known.is_written()).count());
    assert!(messages().iter().all(|message| message.summary.ends_with('.')));
}
