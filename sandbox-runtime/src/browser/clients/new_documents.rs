//! Scripts that outside clients run in each new document: not in those that load while a person drives.
//!
//! Removed when a person takes control, added again when they hand back. What such a script left in a document that was open
//! before, such as timers and listeners, goes on there: it is part of that document. What runs nothing stays: by an empty script
//! a client asks for a world of its own in each document, and would wait for it after the hand-back.
//!
//! Chromium numbers the scripts of a session, each one above the highest that it has. So they get their old numbers back when
//! they are added in order, and each gap is filled for a moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::browser::pipe::{Foreign, Pipe};

const ADD: &str = "Page.addScriptToEvaluateOnNewDocument";
/// Gaps that are filled between two scripts. One further away gets another number, and the client cannot remove it any more.
const LARGEST_GAP: u64 = 1_000;

/// The scripts of one session, by number.
#[derive(Debug, Default)]
pub struct NewDocuments {
    scripts: BTreeMap<u64, (&'static str, Value)>,
}

/// A script that a command adds.
pub struct NewDocumentScript {
    pub session: String,
    pub method: &'static str,
    pub params: Value,
}

impl NewDocumentScript {
    pub fn of(foreign: &Foreign) -> Self {
        let method = if foreign.method == ADD { ADD } else { "Page.addScriptToEvaluateOnLoad" };
        let mut params: Value = serde_json::from_str(&foreign.params).unwrap_or_default();
        // It ran in the documents that were open when it was added.
        if let Some(params) = params.as_object_mut() {
            params.remove("runImmediately");
        }
        Self { session: foreign.session.clone(), method, params }
    }
}

impl NewDocuments {
    /// Remembers a script under the number that Chromium gave it.
    pub fn add(&mut self, identifier: &Value, method: &'static str, params: Value) {
        if let Some(number) = number(identifier) {
            self.scripts.insert(number, (method, params));
        }
    }

    /// Notes a command that was sent for the client.
    pub fn note(&mut self, method: &str, params: &str) {
        match method {
            "Page.removeScriptToEvaluateOnNewDocument" | "Page.removeScriptToEvaluateOnLoad" => {
                let params: Value = serde_json::from_str(params).unwrap_or_default();
                if let Some(number) = number(&params["identifier"]) {
                    self.scripts.remove(&number);
                }
            }
            "Page.disable" => self.scripts.clear(),
            _ => {}
        }
    }

    /// Removes the scripts that run something from the session's target.
    pub fn lift(&self, pipe: &Pipe, session: &str) {
        for (number, _) in self.scripts.iter().filter(|(_, (_, params))| has_source(params)) {
            remove(pipe, session, *number);
        }
    }

    /// Adds every script again, under its number.
    pub fn add_again(&self, pipe: &Pipe, session: &str) {
        if !self.scripts.values().any(|(_, params)| has_source(params)) {
            return;
        }
        for (number, _) in self.scripts.iter().filter(|(_, (_, params))| !has_source(params)) {
            remove(pipe, session, *number);
        }
        let mut filled = Vec::new();
        let mut last = 0;
        for (number, (method, params)) in &self.scripts {
            if number - last <= LARGEST_GAP {
                for gap in last + 1..*number {
                    pipe.note(Some(session), ADD, json!({ "source": "" }));
                    filled.push(gap);
                }
            }
            pipe.note(Some(session), method, params.clone());
            last = *number;
        }
        for gap in filled {
            remove(pipe, session, gap);
        }
    }
}

fn remove(pipe: &Pipe, session: &str, number: u64) {
    let params = json!({ "identifier": number.to_string() });
    pipe.note(Some(session), "Page.removeScriptToEvaluateOnNewDocument", params);
}

/// Whether a script runs anything: comments do not. Of what cannot be read, it does.
pub fn has_source(params: &Value) -> bool {
    let source = params["source"].as_str().or(params["scriptSource"].as_str());
    source.is_none_or(|source| {
        let mut lines = source.split(['\n', '\r', '\u{2028}', '\u{2029}']);
        lines.any(|line| !line.trim().is_empty() && !line.trim().starts_with("//"))
    })
}

fn number(identifier: &Value) -> Option<u64> {
    identifier.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_runs_nothing_is_told_apart() {
        let check = |params: Value, runs: bool| assert_eq!(has_source(&params), runs, "{params}");
        check(json!({ "source": "" }), false);
        check(json!({ "source": "//# sourceURL=pptr:internal", "worldName": "__puppeteer" }), false);
        check(json!({ "source": "// a comment\n  \r\n" }), false);
        check(json!({ "scriptSource": "go()" }), true);
        check(json!({ "source": "// a comment\ngo()" }), true);
        check(json!({ "source": "// a comment\u{2028}go()" }), true);
        check(json!({ "source": "/* */ go()" }), true);
        check(json!({}), true);
    }

    #[test]
    fn what_a_client_has_is_known_by_number() {
        let mut scripts = NewDocuments::default();
        for number in ["1", "2", "3", "no number"] {
            scripts.add(&json!(number), ADD, json!({ "source": "go()" }));
        }
        scripts.note("Page.removeScriptToEvaluateOnNewDocument", r#"{"identifier":"2"}"#);
        assert_eq!(scripts.scripts.keys().copied().collect::<Vec<_>>(), [1, 3]);
        scripts.note("Page.disable", "{}");
        assert!(scripts.scripts.is_empty());
    }
}
