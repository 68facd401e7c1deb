//! The conversation as it is kept: from these entries alone the task goes on after its runtime died.

use sandbox_core::HandoffId;
use sandbox_core::action::Repeat;
use sandbox_core::model::{Actor, TaskLimits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fence::{Shown, Source};
use crate::agent::models::{Content, Part, Raw, ToolUse, WireFormat};

/// One part of the conversation, only ever appended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Entry {
    /// How the task was ordered; the first entry.
    Ordered(Ordered),
    /// The model's turn. Whatever it wants done is begun only after this is kept.
    Said {
        parts: Vec<KeptPart>,
        /// How many messages it had been told of when it said this.
        heard: usize,
    },
    /// One thing that the model wanted was done, or was not.
    Did(Did),
    /// Somebody wrote to the task. Kept by whoever took it in, so it may stand before a turn that did not know of it.
    Heard { said: Shown, by: Actor },
    /// What the runtime itself has to say, with what others wrote.
    Told {
        text: String,
        shown: Vec<Shown>,
        /// A person who took over unasked handed the browser back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handoff: Option<HandoffId>,
    },
    /// Stands in place of the first `turns` turns of the model, what came of them, and all that was before them.
    Summed { turns: usize, text: String },
}

/// How a task was ordered, beside its prompt: what going on with it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ordered {
    pub limits: TaskLimits,
    /// The model that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Names of the variables that its sandbox's commands have; their values are kept nowhere.
    pub env: Vec<String>,
}

impl Ordered {
    pub fn to_value(&self) -> Value {
        Entry::Ordered(self.clone()).to_value()
    }

    /// Returns the order from what was kept of a task; `None` where it was not begun.
    pub fn of(kept: &[Value]) -> Option<Self> {
        kept.iter().find_map(|entry| match serde_json::from_value(entry.clone()) {
            Ok(Entry::Ordered(ordered)) => Some(ordered),
            Ok(_) | Err(_) => None,
        })
    }
}

/// What came of one thing that the model wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Did {
    /// The id of the tool's use.
    pub call: String,
    /// In our own words.
    pub said: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// SHA-256 of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Address of the page afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How to do it again, where it was done in the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Box<Repeat>>,
}

/// A part of the model's turn, with what its provider sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptPart {
    content: KeptContent,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<(KeptFormat, Value)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeptContent {
    Text(String),
    Thinking(String),
    ToolUse { id: String, name: String, input: Value },
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeptFormat {
    Anthropic,
    OpenAi,
}

/// Returns what people wrote in what was kept of a task.
pub fn messages_in(kept: &[Value]) -> Vec<String> {
    let entries = kept.iter().filter_map(|entry| serde_json::from_value(entry.clone()).ok());
    let messages = entries.filter_map(|entry| match entry {
        Entry::Heard { said, .. } => Some(said.text),
        _ => None,
    });
    messages.collect()
}

/// Returns the entry of a message, for whoever takes it in.
pub fn heard(text: &str, by: Actor) -> Value {
    let entry = Entry::Heard { said: Shown::new(Source::Person, text), by };
    entry.to_value()
}

impl Entry {
    pub fn to_value(&self) -> Value {
        // Only strings, numbers and lists of them: it always has a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Puts entries as they were kept into the order in which the model was told of them: a message that came while it
    /// spoke stands after what it said.
    pub fn in_order(kept: Vec<Self>) -> Vec<Self> {
        let mut waiting = std::collections::VecDeque::new();
        let (mut ordered, mut told) = (Vec::new(), 0);
        for entry in kept {
            match &entry {
                Self::Heard { .. } => waiting.push_back(entry),
                Self::Said { heard, .. } => {
                    while told < *heard {
                        let Some(message) = waiting.pop_front() else { break };
                        ordered.push(message);
                        told += 1;
                    }
                    ordered.push(entry);
                }
                Self::Ordered(_) | Self::Did(_) | Self::Told { .. } | Self::Summed { .. } => ordered.push(entry),
            }
        }
        ordered.extend(waiting);
        ordered
    }
}

impl KeptPart {
    pub fn of(part: &Part) -> Self {
        let content = match &part.content {
            Content::Text(text) => KeptContent::Text(text.clone()),
            Content::Thinking(text) => KeptContent::Thinking(text.clone()),
            Content::ToolUse(ToolUse { id, name, input }) => {
                KeptContent::ToolUse { id: id.clone(), name: name.clone(), input: input.clone() }
            }
            // A model answers with neither; what it sent goes back to it as it came.
            Content::Image(_) | Content::ToolResult(_) | Content::Unknown => KeptContent::Unknown,
        };
        let raw = part.raw.as_ref().map(|raw| {
            let format = match raw.format {
                WireFormat::Anthropic => KeptFormat::Anthropic,
                WireFormat::OpenAi => KeptFormat::OpenAi,
            };
            (format, raw.value.clone())
        });
        Self { content, raw }
    }

    pub fn to_part(&self) -> Part {
        let content = match self.content.clone() {
            KeptContent::Text(text) => Content::Text(text),
            KeptContent::Thinking(text) => Content::Thinking(text),
            KeptContent::ToolUse { id, name, input } => Content::ToolUse(ToolUse { id, name, input }),
            KeptContent::Unknown => Content::Unknown,
        };
        let raw = self.raw.as_ref().map(|(format, value)| {
            let format = match format {
                KeptFormat::Anthropic => WireFormat::Anthropic,
                KeptFormat::OpenAi => WireFormat::OpenAi,
            };
            Raw { format, value: value.clone() }
        });
        Part { content, raw }
    }

    /// Returns the tool that is to be used, if this is one.
    pub fn tool_use(&self) -> Option<(&str, &str, &Value)> {
        match &self.content {
            KeptContent::ToolUse { id, name, input } => Some((id, name, input)),
            KeptContent::Text(_) | KeptContent::Thinking(_) | KeptContent::Unknown => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.content {
            KeptContent::Text(text) => Some(text),
            KeptContent::Thinking(_) | KeptContent::ToolUse { .. } | KeptContent::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_came_while_the_model_spoke_stands_after_what_it_said() {
        let message = |text: &str| Entry::Heard { said: Shown::new(Source::Person, text), by: Actor::Person };
        let said = |heard| Entry::Said { parts: vec![], heard };
        let (first, second, third) = (message("first"), message("second"), message("third"));
        let kept = vec![first.clone(), second.clone(), said(1), said(2), third.clone()];
        let ordered = vec![first, said(1), second, said(2), third];
        assert_eq!(Entry::in_order(kept), ordered);
    }

    #[test]
    fn an_entry_reads_back_as_it_was_kept() {
        let raw = Raw { format: WireFormat::OpenAi, value: serde_json::json!({ "signature": "x" }) };
        let part = Part { content: Content::Thinking("hm".to_owned()), raw: Some(raw) };
        let entry = Entry::Said { parts: vec![KeptPart::of(&part)], heard: 2 };
        let read: Entry = serde_json::from_value(entry.to_value()).unwrap();
        assert_eq!(read, entry);
        let Entry::Said { parts, .. } = read else { panic!("{read:?}") };
        assert_eq!(parts[0].to_part(), part);
    }
}
