//! A task written as steps, run without a model.
//!
//! Owns the format and what a mistake in it says; leaves doing the steps to the runner.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::action::Action;
use crate::document::ConvertFile;
use crate::event::ToldStep;
use crate::model::{CodeRequest, ExecRequest, HandoffRequest};

/// Longest text that is read.
pub const MAX_BYTES: usize = 256 << 10;
const MAX_STEPS: usize = 1_000;

/// A playbook as it was written: `{{name}}` stands for a parameter until [`Step::with_params`].
#[derive(Clone, Debug, PartialEq)]
pub struct Playbook {
    pub name: String,
    /// Every parameter with its default; one without a default must be given.
    pub params: BTreeMap<String, Option<String>>,
    pub steps: Vec<Step>,
}

/// One step: a map with one key, its name.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// One action in the browser.
    Browser(Action),
    Handoff(HandoffRequest),
    Exec(ExecRequest),
    Code(CodeRequest),
    Write(WriteFile),
    Convert(ConvertFile),
    Artifact(SaveArtifact),
    Checkpoint(TakeCheckpoint),
}

/// Arguments of `write`: the file of the workspace is replaced by `content`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteFile {
    /// Path in the workspace. Missing folders are created.
    pub path: String,
    /// The whole content of the file.
    pub content: String,
}

/// Arguments of `artifact`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveArtifact {
    /// Path of a file in the workspace, or of a folder: it is packed as a zip.
    pub path: String,
    /// Name of the artifact. Default: the file's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Arguments of `checkpoint`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakeCheckpoint {
    /// A name for people to find it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A playbook that cannot be read: where, and what was expected. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PlaybookError {
    pub line: u64,
    pub column: u64,
    pub message: String,
}

/// Values for the parameters do not fit the playbook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    #[error("parameter `{0}` has no default: give it a value")]
    Missing(String),
    #[error("the playbook has no parameter `{name}`; it has {known}")]
    Unknown { name: String, known: String },
}

impl Playbook {
    /// Reads a playbook from YAML.
    ///
    /// # Errors
    ///
    /// The first mistake: with its place, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, PlaybookError> {
        let at_start = |message: String| PlaybookError { line: 1, column: 1, message };
        if text.len() > MAX_BYTES {
            return Err(at_start(format!("the playbook has {} bytes; at most {MAX_BYTES} are read", text.len())));
        }
        if text.trim().is_empty() {
            return Err(at_start("the playbook is empty; expected `name` and `steps`".to_owned()));
        }
        let written: Written = serde_saphyr::from_str(text).map_err(|error| PlaybookError {
            line: error.location().map_or(1, |at| at.line()),
            column: error.location().map_or(1, |at| at.column()),
            message: one_line(&error),
        })?;
        if written.steps.is_empty() || written.steps.len() > MAX_STEPS {
            return Err(at_start(format!("the playbook has {} steps; expected 1 to {MAX_STEPS}", written.steps.len())));
        }
        let params: BTreeMap<_, _> =
            written.params.into_iter().map(|(name, value)| (name, value.map(|v| v.0))).collect();
        let playbook = Self { name: written.name, params, steps: written.steps };
        playbook.check_templates(text)?;
        Ok(playbook)
    }

    /// Writes the playbook as YAML: [`Self::parse`] reads the same from it.
    pub fn to_yaml(&self) -> String {
        // Texts, numbers, lists and maps with texts as keys: each has a form in YAML.
        let steps = self.steps.iter().map(|step| written(step.to_value())).collect();
        serde_saphyr::to_string(&Writing { name: &self.name, params: &self.params, steps }).unwrap_or_default()
    }

    /// Every `{{name}}` in its steps.
    pub fn templates(&self) -> BTreeSet<String> {
        self.steps.iter().flat_map(Step::templates).collect()
    }

    /// Returns the value of every parameter: what was given, else the default.
    ///
    /// # Errors
    ///
    /// A parameter that is not in the playbook, or one without a value.
    pub fn params_with(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ParamError> {
        if let Some(name) = given.keys().find(|name| !self.params.contains_key(*name)) {
            let known: Vec<_> = self.params.keys().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(ParamError::Unknown { name: name.clone(), known });
        }
        let value_of = |(name, default): (&String, &Option<String>)| {
            let value = given.get(name).or(default.as_ref()).cloned();
            value.map(|value| (name.clone(), value)).ok_or_else(|| ParamError::Missing(name.clone()))
        };
        self.params.iter().map(value_of).collect()
    }

    /// Whether any of its steps waits for a person.
    pub fn asks_a_person(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Handoff(_)))
    }

    /// A `{{name}}` that no parameter has would be typed into a page as it stands.
    fn check_templates(&self, text: &str) -> Result<(), PlaybookError> {
        for step in &self.steps {
            let Some(unknown) = step.templates().into_iter().find(|name| !self.params.contains_key(name)) else {
                continue;
            };
            let (line, column) = place_of(text, &unknown);
            let message = format!("`{{{{{unknown}}}}}` names no parameter; add `{unknown}` to `params`");
            return Err(PlaybookError { line, column, message });
        }
        Ok(())
    }
}

impl Step {
    /// Every step's name, as a playbook writes it.
    pub const NAMES: [&str; 7] = ["handoff", "exec", "code", "write", "convert", "artifact", "checkpoint"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Browser(action) => action.name(),
            Self::Handoff(_) => "handoff",
            Self::Exec(_) => "exec",
            Self::Code(_) => "code",
            Self::Write(_) => "write",
            Self::Convert(_) => "convert",
            Self::Artifact(_) => "artifact",
            Self::Checkpoint(_) => "checkpoint",
        }
    }

    /// Returns the step with every `{{name}}` replaced by its value.
    #[must_use]
    pub fn with_params(&self, params: &BTreeMap<String, String>) -> Self {
        let mut value = self.to_value();
        visit_strings(&mut value, &mut |text| *text = filled(text, params));
        // Texts stay texts, so the shape is as it was; should it ever not be, the step stays as it was written.
        serde_json::from_value(value).unwrap_or_else(|_| self.clone())
    }

    /// Returns the step as it is written, but without what is typed, written or run: for the story.
    pub fn told(&self) -> ToldStep {
        const NOT_TOLD: [&str; 6] = ["content", "code", "promptText", "stdin", "env", "resumePrompt"];
        let mut step = ToldStep::of(self);
        if let Some(arguments) = step.0.values_mut().next().and_then(Value::as_object_mut) {
            NOT_TOLD.iter().for_each(|name| drop(arguments.remove(*name)));
            if matches!(self, Self::Browser(Action::Type(_))) {
                arguments.remove("text");
            }
        }
        step
    }

    fn templates(&self) -> BTreeSet<String> {
        templates_in(&self.to_value())
    }

    fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default = "unnamed")]
    name: String,
    #[serde(default)]
    params: BTreeMap<String, Option<Scalar>>,
    steps: Vec<Step>,
}

/// The file to be written.
#[derive(Serialize)]
struct Writing<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    params: &'a BTreeMap<String, Option<String>>,
    steps: Vec<Value>,
}

/// Returns a step without the arguments that are not given.
fn written(mut step: Value) -> Value {
    let is_given = |value: &Value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty());
    if let Some(arguments) = step.as_object_mut().and_then(|step| step.values_mut().next()?.as_object_mut()) {
        arguments.retain(|_, value| is_given(value));
    }
    step
}

fn unnamed() -> String {
    "Playbook".to_owned()
}

/// A text, number or truth value, kept as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a text, a number, true or false")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
        }
        // Asked for as text, `2026-10` and `1e3` stay what was written.
        from.deserialize_str(Any)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneKey;
        impl<'de> Visitor<'de> for OneKey {
            type Value = Step;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a step: a map with one key, such as `- click: { role: link, name: Invoices }`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let Some(name) = map.next_key::<String>()? else {
                    return Err(de::Error::invalid_length(0, &self));
                };
                let step = read_step(&name, &mut map)?;
                if let Some(second) = map.next_key::<String>()? {
                    return Err(de::Error::custom(format!(
                        "a step has one key, but after `{name}` comes `{second}`; begin a new step with `- {second}:`"
                    )));
                }
                Ok(step)
            }
        }
        // Whatever stands there, so that what is no map is told what a step is.
        from.deserialize_any(OneKey)
    }
}

fn read_step<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Step, A::Error> {
    match name {
        "handoff" => map.next_value().map(Step::Handoff),
        "exec" => map.next_value().map(Step::Exec),
        "code" => map.next_value().map(Step::Code),
        "write" => map.next_value().map(Step::Write),
        "convert" => map.next_value().map(Step::Convert),
        "artifact" => map.next_value().map(Step::Artifact),
        "checkpoint" => map.next_value::<Option<_>>().map(|taken| Step::Checkpoint(taken.unwrap_or_default())),
        _ => match Action::read(name, map) {
            Some(read) => read.map(Step::Browser),
            None => {
                let known = Action::NAMES.iter().chain(&Step::NAMES).copied().collect::<Vec<_>>().join(", ");
                Err(de::Error::custom(format!("there is no step `{name}`; expected one of {known}")))
            }
        },
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Self::Browser(action) => return action.serialize(to),
            Self::Handoff(_)
            | Self::Exec(_)
            | Self::Code(_)
            | Self::Write(_)
            | Self::Convert(_)
            | Self::Artifact(_)
            | Self::Checkpoint(_) => to.serialize_map(Some(1))?,
        };
        match self {
            Self::Browser(_) => {}
            Self::Handoff(request) => map.serialize_entry("handoff", request)?,
            Self::Exec(request) => map.serialize_entry("exec", request)?,
            Self::Code(request) => map.serialize_entry("code", request)?,
            Self::Write(file) => map.serialize_entry("write", file)?,
            Self::Convert(file) => map.serialize_entry("convert", file)?,
            Self::Artifact(artifact) => map.serialize_entry("artifact", artifact)?,
            Self::Checkpoint(taken) => map.serialize_entry("checkpoint", taken)?,
        }
        map.end()
    }
}

fn visit_strings(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(values) => values.iter_mut().for_each(|value| visit_strings(value, visit)),
        Value::Object(map) => map.values_mut().for_each(|value| visit_strings(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns every name that stands between `{{` and `}}` in the texts of a value, and could be a parameter's.
pub fn templates_in(value: &Value) -> BTreeSet<String> {
    // How JSON writes a text changes none of these letters.
    templates(&value.to_string()).map(str::to_owned).collect()
}

/// Names between `{{` and `}}` that could be a parameter's; anything else in braces is text.
fn templates(text: &str) -> impl Iterator<Item = &str> {
    braced(text).filter(|name| is_name(name))
}

/// Returns what stands between each `{{` and `}}`, without blanks around it.
pub fn braced(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn filled(text: &str, params: &BTreeMap<String, String>) -> String {
    filled_with(text, |name| params.get(name).map(String::as_str))
}

/// Returns the text with each name in braces replaced by its value; a name without one stays as it stands.
pub fn filled_with<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let found = after.split_once("}}").and_then(|(name, left)| Some((value(name.trim())?, left)));
        match found {
            Some((value, left)) => {
                out.push_str(value);
                rest = left;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn place_of(text: &str, name: &str) -> (u64, u64) {
    let found = text.match_indices("{{").find(|(at, _)| templates(&text[*at..]).next() == Some(name));
    let at = found.map_or(0, |(at, _)| at);
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].rsplit('\n').next().map_or(0, |begin| begin.chars().count()) + 1;
    (line as u64, column as u64)
}

/// Returns what the reader says, without its drawing of the source and without the place, which is said beside it.
fn one_line(error: &serde_saphyr::Error) -> String {
    let said = error.without_snippet().to_string();
    let line = said.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match line.split_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) {
        let write = WriteFile { path: "notes.md".to_owned(), content: text.to_owned() };
        let name = text.to_owned();
        let params = BTreeMap::from([("value".to_owned(), Some(text.to_owned())), ("asked".to_owned(), None)]);
        let mut playbook = Playbook { name, params, steps: vec![Step::Write(write)] };
        for named in playbook.templates() {
            playbook.params.insert(named, None);
        }
        let yaml = playbook.to_yaml();
        assert_eq!(Playbook::parse(&yaml), Ok(playbook), "{yaml}");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let texts = [
            "", " ", "yes", "null", "~", "2026-10", "1e3", "0x1f", "- a", "# b", "a: b", "'", "\"", "{{x}}", "%", "&a",
            "*",
        ];
        texts.into_iter().for_each(check);
        [
            "a\nb",
            "a\n",
            "\n a\n  b\n\n",
            "a\r\nb",
            "tab\there",
            "…\u{feff}\u{202e}",
            "--- a",
            "...",
            "!x",
            "|",
            ">",
            "a #b",
        ]
        .into_iter()
        .for_each(check);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn lines_are_read_again(text in "([ \t#:'\"a-c{}-]{0,4}\n){0,5}") {
            check(&text);
        }
    }
}
