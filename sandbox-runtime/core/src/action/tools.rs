//! The actions as tools: names, descriptions and JSON schemas of their arguments, for models and for MCP.
//!
//! Taken from the types themselves and their doc comments: one vocabulary, one place where a word of it is explained.
//! Schemas are JSON Schema 2020-12, whole (nothing to look up elsewhere) and strict (no other property is allowed).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::Action;

/// One tool, as models and MCP clients are told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub schema: Value,
}

impl Action {
    /// Returns a tool for each action, in the order of the vocabulary.
    pub fn tools() -> Vec<Tool> {
        tools_of::<Self>()
    }

    /// Reads a tool call.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, in words that whoever called can act on.
    pub fn from_tool(name: &str, arguments: Value) -> Result<Self, String> {
        if !Self::NAMES.contains(&name) {
            return Err(format!("there is no tool `{name}`; there are {}", Self::NAMES.join(", ")));
        }
        let arguments = if arguments.is_null() { json!({}) } else { arguments };
        if !arguments.is_object() {
            return Err(format!("`{name}` takes an object with its arguments, not {arguments}"));
        }
        let unread = |said: String| match schema_of(name) {
            Some(schema) => format!("`{name}`: {said}; it takes {}", properties(&schema)),
            None => format!("`{name}`: {said}"),
        };
        // Said by the object's own type: an untagged choice does not tell which key is wrong.
        let wrong = match name {
            "navigate" => serde_json::from_value::<super::Address>(arguments.clone()).err(),
            "press" => serde_json::from_value::<super::PressKey>(arguments.clone()).err(),
            "dialog" => serde_json::from_value::<super::DialogReply>(arguments.clone()).err(),
            _ => None,
        };
        if let Some(error) = wrong {
            return Err(unread(error.to_string()));
        }
        let mut one = Map::new();
        one.insert(name.to_owned(), arguments);
        serde_json::from_value(Value::Object(one)).map_err(|error| unread(error.to_string()))
    }
}

/// Returns a tool for each variant of an enum whose variants are written as a map with one key.
pub fn tools_of<T: ToSchema + PartialSchema>() -> Vec<Tool> {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let known: BTreeMap<String, Value> =
        named.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect();
    let whole = serde_json::to_value(T::schema()).unwrap_or_default();
    let variants = whole["oneOf"].as_array().cloned().unwrap_or_default();
    variants.iter().filter_map(|variant| tool(variant, &known)).collect()
}

fn tool(variant: &Value, known: &BTreeMap<String, Value>) -> Option<Tool> {
    let (name, arguments) = variant["properties"].as_object()?.iter().next()?;
    let description = variant["description"].as_str().or(arguments["description"].as_str()).unwrap_or_default();
    let mut schema = inlined(arguments, known);
    // What a playbook may write as a bare text is an object in a tool call.
    if let Some(choices) = schema["oneOf"].as_array() {
        schema = choices.iter().find(|choice| choice["type"] == "object").cloned()?;
    }
    let object = schema.as_object_mut()?;
    object.remove("description");
    object.insert("additionalProperties".to_owned(), Value::Bool(false));
    object.entry("properties").or_insert_with(|| json!({}));
    Some(Tool { name: name.clone(), description: one_line(description), schema })
}

/// Returns the schema with every reference replaced by what it stands for, without `null`: what is optional is left out.
fn inlined(schema: &Value, known: &BTreeMap<String, Value>) -> Value {
    match schema {
        Value::Object(map) => {
            let reference = map.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(target) = reference.and_then(|name| known.get(name)) {
                let mut whole = inlined(target, known);
                if let (Some(description), Some(object)) = (map.get("description"), whole.as_object_mut()) {
                    object.insert("description".to_owned(), text_or(description));
                }
                return whole;
            }
            let choices = map.get("oneOf").or(map.get("anyOf")).and_then(Value::as_array);
            if let Some(choices) = choices {
                let real: Vec<&Value> = choices.iter().filter(|choice| choice["type"] != "null").collect();
                if let ([only], true) = (real.as_slice(), choices.len() > 1) {
                    let mut whole = inlined(only, known);
                    if let (Some(description), Some(object)) = (map.get("description"), whole.as_object_mut()) {
                        object.insert("description".to_owned(), text_or(description));
                    }
                    return whole;
                }
            }
            Value::Object(map.iter().map(|(key, value)| (key.clone(), kept(key, value, known))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(|value| inlined(value, known)).collect()),
        other => other.clone(),
    }
}

fn kept(key: &str, value: &Value, known: &BTreeMap<String, Value>) -> Value {
    match (key, value) {
        ("type", Value::Array(types)) => {
            let mut real = types.iter().filter(|each| *each != "null");
            match (real.next(), real.next()) {
                (Some(only), None) => only.clone(),
                _ => value.clone(),
            }
        }
        ("description", text) => text_or(text),
        (_, value) => inlined(value, known),
    }
}

fn text_or(description: &Value) -> Value {
    description.as_str().map_or(Value::Null, |text| Value::String(one_line(text)))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn schema_of(name: &str) -> Option<Value> {
    Action::tools().into_iter().find(|tool| tool.name == name).map(|tool| tool.schema)
}

fn properties(schema: &Value) -> String {
    let names = schema["properties"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Tool {
        Action::tools().into_iter().find(|tool| tool.name == name).unwrap()
    }

    #[test]
    fn every_action_is_a_tool_with_a_description_and_a_strict_whole_schema() {
        let tools = Action::tools();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, Action::NAMES);
        for tool in &tools {
            assert!(tool.description.ends_with('.'), "{}: {:?}", tool.name, tool.description);
            assert_eq!(tool.schema["type"], "object", "{}", tool.name);
            let written = tool.schema.to_string();
            assert!(!written.contains("$ref") && !written.contains("\"null\""), "{written}");
            strict(&tool.schema);
        }
    }

    fn strict(schema: &Value) {
        if schema["type"] == "object" {
            assert_eq!(schema["additionalProperties"], false, "{schema}");
            for property in schema["properties"].as_object().unwrap().values() {
                strict(property);
            }
        }
    }

    #[test]
    fn arguments_say_what_they_are_for_and_which_are_needed() {
        let typing = named("type").schema;
        assert_eq!(typing["properties"]["text"]["type"], "string");
        assert_eq!(typing["properties"]["text"]["description"], "The new content of the field. Empty clears it.");
        let drag = named("drag").schema;
        assert_eq!(drag["required"], json!(["from", "to"]));
        assert_eq!(drag["properties"]["from"]["description"], "Element to drag.");
        assert_eq!(drag["properties"]["from"]["properties"]["ref"]["type"], "string");
        assert_eq!(named("navigate").schema["required"], json!(["url"]));
        assert_eq!(named("press").schema["required"], json!(["key"]));
        assert_eq!(named("click").schema["properties"]["dialog"]["enum"], json!(["accept", "dismiss"]));
        assert_eq!(named("scroll").schema["properties"]["dy"]["type"], "integer");
    }

    #[test]
    fn a_tool_call_reads_as_the_action_a_playbook_would_write() {
        let check = |name: &str, arguments: Value, written: Value| {
            let action = Action::from_tool(name, arguments).unwrap();
            assert_eq!(serde_json::to_value(action).unwrap(), written);
        };
        check("click", json!({"ref": "e4"}), json!({"click": {"ref": "e4"}}));
        check("navigate", json!({"url": "a.example"}), json!({"navigate": {"url": "a.example"}}));
        check("back", Value::Null, json!({"back": {}}));
        check("tabs", json!({}), json!({"tabs": {}}));
        check("look", json!({"maxChars": 500}), json!({"look": {"maxChars": 500}}));
    }

    #[test]
    fn a_wrong_tool_call_is_told_what_is_wrong_and_what_there_is() {
        let check = |name: &str, arguments: Value, parts: &[&str]| {
            let error = Action::from_tool(name, arguments).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        check("clack", json!({}), &["no tool `clack`", "click"]);
        check("click", json!({"rol": "link"}), &["`click`", "rol", "role"]);
        check("navigate", json!({}), &["url"]);
        check("navigate", json!({"url": "a", "tab": 1}), &["tab", "timeoutMs"]);
        check("press", json!("Enter"), &["object"]);
    }
}
