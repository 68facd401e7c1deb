//! Tool calls that come in pieces.

use serde_json::{Map, Value, json};

use super::super::conversation::{Content, Part, Raw, ToolUse, WireFormat};
use super::super::read::arguments;

/// The calls of one answer, as far as they came.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    written: String,
    /// Fields of the call that we know nothing of, such as signatures.
    more: Map<String, Value>,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one piece of one call.
    pub(super) fn take(&mut self, piece: &Value) {
        let call = self.call_of(piece);
        if let Some(id) = piece["id"].as_str().filter(|_| call.id.is_empty()) {
            id.clone_into(&mut call.id);
        }
        let function = &piece["function"];
        if let Some(name) = function["name"].as_str().filter(|_| call.name.is_empty()) {
            name.clone_into(&mut call.name);
        }
        match &function["arguments"] {
            Value::String(part) => call.written.push_str(part),
            Value::Null => {}
            // Some servers write them as JSON within JSON, and some do not.
            whole => call.written = whole.to_string(),
        }
        for (name, value) in piece.as_object().into_iter().flatten() {
            if !matches!(name.as_str(), "index" | "id" | "type" | "function") && !value.is_null() {
                call.more.insert(name.clone(), value.clone());
            }
        }
    }

    /// Returns the call that a piece belongs to: by its index, unless another id says that the server counts nothing.
    fn call_of(&mut self, piece: &Value) -> &mut Call {
        let index = piece["index"].as_u64();
        let id = piece["id"].as_str().unwrap_or_default();
        let is_same = |call: &Call| {
            let by_index = index.is_none() || call.index == index;
            by_index && (id.is_empty() || call.id.is_empty() || call.id == id)
        };
        // A piece with neither is more of the last call; one with a whole new function is the next call.
        let begins_anew = index.is_none() && id.is_empty() && piece["function"]["name"].is_string();
        let found = if begins_anew { None } else { self.0.iter().rposition(is_same) };
        let at = found.unwrap_or_else(|| {
            self.0.push(Call { index, ..Call::default() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// Returns the calls as parts, in the order that they began.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.0.into_iter().map(Call::into_part).collect()
    }
}

impl Call {
    fn into_part(self) -> Part {
        let id = if self.id.is_empty() { format!("call_{}", crate::unique()) } else { self.id };
        let input = arguments(&self.written);
        let written = match &input {
            Value::Object(map) if map.is_empty() => "{}".to_owned(),
            Value::Object(_) => self.written,
            // Servers read them again, and some stumble over anything but an object.
            other => json!({"INVALID_JSON": other}).to_string(),
        };
        let mut raw = json!({"id": id, "type": "function", "function": {"name": self.name, "arguments": written}});
        if let Some(raw) = raw.as_object_mut() {
            raw.extend(self.more);
        }
        Part {
            content: Content::ToolUse(ToolUse { id, name: self.name, input }),
            raw: Some(Raw { format: WireFormat::OpenAi, value: raw }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pieces: &[Value], expected: &[(&str, &str, Value)]) {
        let mut calls = Calls::default();
        for piece in pieces {
            calls.take(piece);
        }
        let uses: Vec<ToolUse> = calls
            .into_parts()
            .into_iter()
            .map(|part| match part.content {
                Content::ToolUse(used) => used,
                other => panic!("{other:?}"),
            })
            .collect();
        let expected: Vec<ToolUse> = expected
            .iter()
            .map(|(id, name, input)| ToolUse { id: (*id).to_owned(), name: (*name).to_owned(), input: input.clone() })
            .collect();
        assert_eq!(uses, expected);
    }

    fn function(name: &str, arguments: &str) -> Value {
        json!({"name": name, "arguments": arguments})
    }

    #[test]
    fn pieces_are_joined_by_index_though_they_are_mixed() {
        check(
            &[
                json!({"index": 0, "id": "a", "type": "function", "function": function("look", "")}),
                json!({"index": 1, "id": "b", "type": "function", "function": function("click", "{\"r")}),
                json!({"index": 0, "function": {"arguments": "{}"}}),
                json!({"index": 1, "function": {"arguments": "ef\":1}"}}),
            ],
            &[("a", "look", json!({})), ("b", "click", json!({"ref": 1}))],
        );
    }

    #[test]
    fn servers_that_do_not_count_are_understood() {
        // Every call has index 0, and differs by its id.
        check(
            &[
                json!({"index": 0, "id": "a", "function": function("look", "{}")}),
                json!({"index": 0, "id": "b", "function": function("click", "{\"x\":1}")}),
            ],
            &[("a", "look", json!({})), ("b", "click", json!({"x": 1}))],
        );
        // No index at all.
        check(
            &[
                json!({"id": "a", "function": function("look", "")}),
                json!({"function": {"arguments": "{\"x\":"}}),
                json!({"function": {"arguments": "2}"}}),
            ],
            &[("a", "look", json!({"x": 2}))],
        );
        // Arguments that are no text.
        check(
            &[json!({"id": "a", "function": {"name": "look", "arguments": {"x": 1}}})],
            &[("a", "look", json!({"x": 1}))],
        );
    }

    #[test]
    fn arguments_that_are_no_json_are_kept_as_text_and_go_back_as_an_object() {
        let mut calls = Calls::default();
        calls.take(&json!({"id": "a", "function": function("look", "{\"x\": tru")}));
        let part = calls.into_parts().remove(0);
        assert!(matches!(&part.content, Content::ToolUse(used) if used.input == json!("{\"x\": tru")));
        let raw = part.raw.unwrap().value;
        assert_eq!(raw["function"]["arguments"], "{\"INVALID_JSON\":\"{\\\"x\\\": tru\"}");
    }

    #[test]
    fn a_call_without_an_id_gets_one() {
        let mut calls = Calls::default();
        calls.take(&json!({"function": function("look", "{}")}));
        calls.take(&json!({"function": function("look", "{}")}));
        let ids: Vec<Value> = calls.into_parts().into_iter().map(|part| part.raw.unwrap().value["id"].take()).collect();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    }
}
