//! Sessions as older clients have them (pyppeteer): not named in each message, but wrapped in messages of the session above.
//!
//! Chromium is always spoken to with flat sessions; here the messages of such a client are unwrapped and wrapped.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use super::member::Member;
use super::words::{answer_text, event_text};

/// The nested sessions of one client, each with the session above it; `None` for the client's root.
#[derive(Debug, Default)]
pub struct Nested(Mutex<HashMap<String, Option<String>>>);

/// A message that is wrapped in another.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wrapped<'a> {
    #[serde(borrow)]
    pub session_id: Cow<'a, str>,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

impl Nested {
    pub fn insert(&self, session: &str, above: Option<&str>) {
        self.lock().insert(session.to_owned(), above.map(str::to_owned));
    }

    pub fn remove(&self, session: &str) {
        self.lock().remove(session);
    }

    /// Reads a wrapped message, if it is for a nested session.
    pub fn unwrap<'a>(&self, params: &'a str) -> Option<Wrapped<'a>> {
        let wrapped: Wrapped<'a> = serde_json::from_str(params).ok()?;
        self.lock().contains_key(&*wrapped.session_id).then_some(wrapped)
    }

    /// Returns a message as the client hears it; `make` writes it with the session that it is to name.
    fn wrap(&self, session: Option<&str>, make: &dyn Fn(Option<&str>) -> String) -> String {
        let above = session.and_then(|session| self.lock().get(session).cloned());
        let (Some(session), Some(above)) = (session, above) else { return make(session) };
        let params = json!({ "sessionId": session, "message": make(None) }).to_string();
        let received = |shown: Option<&str>| event_text("Target.receivedMessageFromTarget", &params, shown);
        self.wrap(above.as_deref(), &received)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Option<String>>> {
        // Entries are put and taken whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// Sends an event of one of the client's sessions; `None` for its root.
    pub fn send_event(&self, method: &str, params: &str, shown: Option<&str>) {
        self.send(self.nested.wrap(shown, &|shown| event_text(method, params, shown)));
    }

    /// Sends an answer; `named` is the session that the client named.
    pub fn send_answer(&self, id: i64, kind: &str, body: &str, named: Option<&str>) {
        self.send(self.nested.wrap(named, &|named| answer_text(id, kind, body, named)));
    }
}

/// Returns the parameters with flat sessions asked for, if the client did not ask for them.
pub fn flat(params: &Value) -> Option<Value> {
    if params["flatten"] == true {
        return None;
    }
    let mut params = params.clone();
    params["flatten"] = Value::Bool(true);
    Some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_wrapped_once_for_each_session_above() {
        let nested = Nested::default();
        nested.insert("page", None);
        nested.insert("worker", Some("page"));
        let say = |session: Option<&str>| event_text("Runtime.x", "{}", session);
        assert_eq!(nested.wrap(Some("flat"), &say), event_text("Runtime.x", "{}", Some("flat")));
        let heard: Value = serde_json::from_str(&nested.wrap(Some("worker"), &say)).unwrap();
        assert_eq!(
            (&heard["method"], &heard["params"]["sessionId"]),
            (&json!("Target.receivedMessageFromTarget"), &json!("page"))
        );
        let inner: Value = serde_json::from_str(heard["params"]["message"].as_str().unwrap()).unwrap();
        assert_eq!(inner["params"]["sessionId"], "worker");
        let innermost: Value = serde_json::from_str(inner["params"]["message"].as_str().unwrap()).unwrap();
        assert_eq!(innermost, json!({ "method": "Runtime.x", "params": {} }));
    }

    #[test]
    fn only_nested_sessions_are_unwrapped() {
        let nested = Nested::default();
        nested.insert("page", None);
        let said = json!({ "sessionId": "page", "message": "{\"id\":1,\"method\":\"Page.enable\"}" }).to_string();
        assert!(nested.unwrap(&said).is_some_and(|said| said.message.contains("Page.enable")));
        assert!(nested.unwrap(&said.replace("page", "other")).is_none());
        assert!(nested.unwrap("{}").is_none());
    }
}
