//! The words of the protocol between a client and us.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::class::Class;
use crate::browser::gate::Refused;

/// A message of a client, read no deeper than where it goes.
#[derive(Deserialize)]
pub struct Words<'a> {
    pub id: Option<i64>,
    #[serde(borrow)]
    pub method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub params: Option<&'a RawValue>,
    #[serde(borrow, rename = "sessionId")]
    pub session: Option<Cow<'a, str>>,
}

/// JSON-RPC's codes, as Chromium uses them.
pub const PARSE_ERROR: i64 = -32700;
pub const INVALID_REQUEST: i64 = -32600;
pub const INVALID_PARAMS: i64 = -32602;
pub const SERVER_ERROR: i64 = -32000;
pub const NO_SESSION: i64 = -32001;

/// Returns the word of the contract for a refusal, and the sentence behind it.
pub fn refusal(class: Class, refused: Refused) -> (&'static str, String) {
    let word = match (refused, class) {
        (Refused::HeldByPerson, Class::Look) => "blind",
        (Refused::HeldByPerson, _) => "heldByPerson",
        (Refused::WaitingForPerson, _) => "waitingForPerson",
        (Refused::HeldByAgent, _) => "heldByAgent",
        (Refused::StaleLease, _) => "staleLease",
    };
    (word, refused.to_string())
}

/// Returns an event as a client hears it.
pub fn event_text(method: &str, params: &str, session: Option<&str>) -> String {
    let method = Value::String(method.to_owned());
    match session {
        Some(session) => format!(r#"{{"method":{method},"params":{params},"sessionId":"{session}"}}"#),
        None => format!(r#"{{"method":{method},"params":{params}}}"#),
    }
}

/// Returns the answer to a command; `kind` is `result` or `error`, `body` JSON.
pub fn answer_text(id: i64, kind: &str, body: &str, named: Option<&str>) -> String {
    match named {
        Some(session) => {
            format!(r#"{{"id":{id},"{kind}":{body},"sessionId":{}}}"#, Value::String(session.to_owned()))
        }
        None => format!(r#"{{"id":{id},"{kind}":{body}}}"#),
    }
}
