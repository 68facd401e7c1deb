//! An answer, as Messages streams it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::conversation::{Content, Part, Raw, ToolUse, WireFormat};
use super::super::read::{ReplyReader, Unreadable, arguments};
use super::super::refusal;
use super::super::reply::{Delta, Reply, StopReason, TokenUsage};

/// Puts an answer together from its events.
#[derive(Debug, Default)]
pub(in super::super) struct MessageReader {
    /// By their place in the answer: the block as it stands, and the arguments of a tool as far as they came.
    blocks: BTreeMap<u64, (Value, String)>,
    stop: Option<String>,
    usage: TokenUsage,
    is_over: bool,
}

impl ReplyReader for MessageReader {
    fn event(&mut self, event: Value, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<(), Unreadable> {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_start" => {
                self.blocks.insert(place(&event)?, (event["content_block"].clone(), String::new()));
            }
            "content_block_delta" => self.delta(&event, on_delta)?,
            "message_delta" => {
                self.count(&event["usage"]);
                if let Some(stop) = event["delta"]["stop_reason"].as_str() {
                    self.stop = Some(stop.to_owned());
                }
            }
            "message_stop" => self.is_over = true,
            "error" => {
                let refusal = refusal::of_value(None, &event);
                return Err(
                    refusal.map_or_else(|| Unreadable::malformed("an error without words"), Unreadable::Refused)
                );
            }
            // A ping, the end of a block, and what later versions add: the documents ask to pass over what is unknown.
            _ => {}
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn finish(self: Box<Self>) -> Result<Reply, Unreadable> {
        let stop = match self.stop.as_deref() {
            None => return Err(Unreadable::Cut),
            Some("end_turn" | "stop_sequence") => StopReason::EndTurn,
            Some("tool_use") => StopReason::ToolUse,
            Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
            Some("refusal") => StopReason::Refusal,
            Some(other) => StopReason::Other(other.to_owned()),
        };
        let parts = self.blocks.into_values().map(|(block, written)| part(block, &written)).collect();
        Ok(Reply { parts, stop, usage: self.usage })
    }
}

impl MessageReader {
    fn delta(&mut self, event: &Value, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<(), Unreadable> {
        let Some((block, written)) = self.blocks.get_mut(&place(event)?) else {
            return Err(Unreadable::malformed("a piece of a block that never began"));
        };
        let delta = &event["delta"];
        let text = |name: &str| delta[name].as_str().unwrap_or_default();
        match delta["type"].as_str().unwrap_or_default() {
            "text_delta" => {
                append(block, "text", text("text"));
                on_delta(Delta::Text(text("text").to_owned()));
            }
            "thinking_delta" => {
                append(block, "thinking", text("thinking"));
                on_delta(Delta::Thinking(text("thinking").to_owned()));
            }
            "signature_delta" => append(block, "signature", text("signature")),
            "input_json_delta" => written.push_str(text("partial_json")),
            "citations_delta" => {
                if !block["citations"].is_array() {
                    block["citations"] = json!([]);
                }
                if let Some(citations) = block["citations"].as_array_mut() {
                    citations.push(delta["citation"].clone());
                }
            }
            // Later versions add kinds.
            _ => {}
        }
        Ok(())
    }

    /// Takes the counts that an event has; later ones replace earlier ones.
    fn count(&mut self, usage: &Value) {
        let number = |name: &str| usage[name].as_u64();
        if let Some(fresh) = number("input_tokens") {
            let cached = number("cache_read_input_tokens").unwrap_or_default();
            self.usage.cached_tokens = cached;
            self.usage.input_tokens = fresh + cached + number("cache_creation_input_tokens").unwrap_or_default();
        }
        if let Some(output) = number("output_tokens") {
            self.usage.output_tokens = output;
        }
    }
}

fn place(event: &Value) -> Result<u64, Unreadable> {
    event["index"].as_u64().ok_or_else(|| Unreadable::malformed("a block without its place"))
}

fn append(block: &mut Value, field: &str, piece: &str) {
    let before = block[field].as_str().unwrap_or_default();
    block[field] = format!("{before}{piece}").into();
}

fn part(mut block: Value, written: &str) -> Part {
    let text = |block: &Value, name: &str| block[name].as_str().unwrap_or_default().to_owned();
    let content = match block["type"].as_str().unwrap_or_default() {
        "text" => Content::Text(text(&block, "text")),
        "thinking" => Content::Thinking(text(&block, "thinking")),
        "redacted_thinking" => Content::Thinking(String::new()),
        kind => {
            let is_tool_use = kind == "tool_use";
            // Tools of the provider's own side are written the same way.
            let input = if written.is_empty() { block["input"].clone() } else { arguments(written) };
            if !input.is_null() {
                block["input"] = if input.is_object() { input.clone() } else { json!({"INVALID_JSON": input}) };
            }
            if is_tool_use {
                Content::ToolUse(ToolUse { id: text(&block, "id"), name: text(&block, "name"), input })
            } else {
                Content::Unknown
            }
        }
    };
    Part { content, raw: Some(Raw { format: WireFormat::Anthropic, value: block }) }
}
