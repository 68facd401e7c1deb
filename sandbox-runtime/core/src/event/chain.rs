//! The chain: with each event of a sandbox the history keeps a hash of it and of the hash before, so that an event that was
//! changed later, left out or put in does not fit between its neighbours.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::{Actor, EpochMs};

/// An event as it was stored, whatever this version makes of its payload.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    pub id: &'a str,
    pub sandbox_id: &'a str,
    pub task_id: Option<&'a str>,
    pub seq: u64,
    pub by: Actor,
    pub at: EpochMs,
    pub kind: &'a str,
    /// The payload, as JSON text.
    pub data: &'a str,
}

impl Stored<'_> {
    /// Returns the event as one line of JSON, in the form of [`super::Event`]. These are the bytes that are hashed.
    pub fn line(&self) -> String {
        let task = self.task_id.map(|id| format!(r#""taskId":{},"#, json(id))).unwrap_or_default();
        format!(
            r#"{{"id":{},"sandboxId":{},{task}"seq":{},"by":{},"at":{},"type":{},"data":{}}}"#,
            json(self.id),
            json(self.sandbox_id),
            self.seq,
            json(&self.by),
            self.at,
            json(self.kind),
            self.data
        )
    }
}

/// Returns the hash that stands for an event and all before it: SHA-256 of the hash before, a line break, and the event's
/// line. Lower-case hexadecimal; the first event of a chain has an empty hash before it.
pub fn link(previous: &str, line: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(previous);
    digest.update("\n");
    digest.update(line);
    crate::hexadecimal(&digest.finalize())
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("a text or a word is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{AgentMessage, Event, EventData};

    #[test]
    fn a_line_is_the_event_as_it_is_sent() {
        let event = Event {
            id: "evt_1".into(),
            sandbox_id: "sbx_1".into(),
            task_id: Some("task_\"1".into()),
            seq: 4,
            by: Actor::Person,
            at: 7,
            data: EventData::from(AgentMessage::new("Good \u{1f600}\nmorning")),
        };
        let (payload, task) = (event.data.payload().to_string(), event.task_id.clone().expect("it is one of a task"));
        let stored = Stored {
            id: event.id.as_str(),
            sandbox_id: event.sandbox_id.as_str(),
            task_id: Some(task.as_str()),
            seq: event.seq,
            by: event.by,
            at: event.at,
            kind: event.data.kind(),
            data: &payload,
        };
        assert_eq!(stored.line(), serde_json::to_string(&event).expect("an event is plain data"));
    }

    #[test]
    fn every_byte_of_an_event_and_of_what_was_before_it_counts() {
        let (first, second) = ("one", "two");
        let hash = link(&link("", first), second);
        assert_eq!(hash.len(), 64);
        assert_ne!(hash, link(&link("", "onE"), second));
        assert_ne!(hash, link(&link("", first), "twO"));
        assert_ne!(hash, link("", second), "the first is left out");
        // As `printf '\none' | sha256sum` says.
        assert_eq!(link("", "one"), "22de334899ce484a42aecba50558206434927b6a4a6dac9ff76b170683defd82");
    }
}
