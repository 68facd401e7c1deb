//! An answer, as chat completions stream it.

use serde_json::{Map, Value};

use super::super::conversation::{Content, Part, Raw, WireFormat};
use super::super::read::{ReplyReader, Unreadable};
use super::super::refusal;
use super::super::reply::{Delta, Reply, StopReason, TokenUsage};
use super::calls::Calls;

/// Puts an answer together from its chunks. That the stream said `[DONE]` is for whoever reads it.
#[derive(Debug, Default)]
pub(in super::super) struct CompletionReader {
    text: String,
    thinking: String,
    calls: Calls,
    /// Fields of the message that are neither text nor calls: thoughts under whichever name, their signatures, and others.
    more: Map<String, Value>,
    refusal: String,
    finish: Option<String>,
    usage: TokenUsage,
}

impl ReplyReader for CompletionReader {
    fn event(&mut self, chunk: Value, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<(), Unreadable> {
        if let Some(refusal) = refusal::of_value(None, &chunk) {
            return Err(Unreadable::Refused(refusal));
        }
        self.count(&chunk["usage"]);
        let choice = &chunk["choices"][0];
        // A server that does not stream sends the message whole.
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        self.delta(delta, on_delta);
        if let Some(finish) = choice["finish_reason"].as_str() {
            self.finish = Some(finish.to_owned());
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        false
    }

    fn finish(self: Box<Self>) -> Result<Reply, Unreadable> {
        let stop = match self.finish.as_deref() {
            None => return Err(Unreadable::Cut),
            Some("error") => return Err(Unreadable::malformed("the provider ended the answer with an error")),
            Some("length") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal,
            // Not every server has another word when tools are to be used.
            Some("stop" | "tool_calls" | "function_call") if !self.calls.is_empty() => StopReason::ToolUse,
            Some("stop" | "tool_calls" | "function_call") if !self.refusal.is_empty() => StopReason::Refusal,
            Some("stop" | "tool_calls" | "function_call") => StopReason::EndTurn,
            Some(other) => StopReason::Other(other.to_owned()),
        };
        let mut parts = vec![];
        if !self.thinking.is_empty() || !self.more.is_empty() {
            let content = if self.thinking.is_empty() { Content::Unknown } else { Content::Thinking(self.thinking) };
            let value = Value::Object(self.more);
            parts.push(Part { content, raw: Some(Raw { format: WireFormat::OpenAi, value }) });
        }
        let text = if self.text.is_empty() { self.refusal } else { self.text };
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        parts.extend(self.calls.into_parts());
        Ok(Reply { parts, stop, usage: self.usage })
    }
}

impl CompletionReader {
    fn delta(&mut self, delta: &Value, on_delta: &mut (dyn FnMut(Delta) + Send)) {
        let mut thought = "";
        for (name, value) in delta.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                (_, Value::Null) | ("role", _) => {}
                ("content", Value::String(text)) => {
                    self.text.push_str(text);
                    if !text.is_empty() {
                        on_delta(Delta::Text(text.clone()));
                    }
                }
                // Mistral writes lists when it thinks.
                ("content", pieces) => {
                    for text in pieces.as_array().into_iter().flatten().filter_map(|piece| piece["text"].as_str()) {
                        self.text.push_str(text);
                        on_delta(Delta::Text(text.to_owned()));
                    }
                }
                ("tool_calls", Value::Array(pieces)) => {
                    for piece in pieces {
                        self.calls.take(piece);
                    }
                }
                ("refusal", Value::String(text)) => self.refusal.push_str(text),
                (name, value) => {
                    // vLLM in transition, and some proxies, send the same thought under both names: one is shown.
                    if let ("reasoning" | "reasoning_content", Value::String(text)) = (name, value) {
                        thought = text;
                    }
                    merge(self.more.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        if !thought.is_empty() {
            self.thinking.push_str(thought);
            on_delta(Delta::Thinking(thought.to_owned()));
        }
    }

    fn count(&mut self, usage: &Value) {
        let number = |value: &Value| value.as_u64();
        if let Some(input) = number(&usage["prompt_tokens"]) {
            self.usage.input_tokens = input;
        }
        if let Some(output) = number(&usage["completion_tokens"]) {
            self.usage.output_tokens = output;
        }
        // The second is DeepSeek's own word.
        let cached =
            number(&usage["prompt_tokens_details"]["cached_tokens"]).or(number(&usage["prompt_cache_hit_tokens"]));
        if let Some(cached) = cached {
            self.usage.cached_tokens = cached;
        }
        if let Some(cost) = usage["cost"].as_f64() {
            self.usage.cost_usd = Some(cost);
        }
    }
}

/// Adds the next piece of a field to what came before: texts are joined, list entries of one index are one.
fn merge(before: &mut Value, piece: &Value) {
    match (before, piece) {
        (_, Value::Null) => {}
        (Value::String(before), Value::String(piece)) => before.push_str(piece),
        (Value::Array(before), Value::Array(piece)) => {
            for entry in piece {
                let is_same = |old: &&mut Value| {
                    entry["index"].is_u64() && old["index"] == entry["index"] && old["type"] == entry["type"]
                };
                match (before.iter_mut().rev().find(is_same), entry) {
                    (Some(Value::Object(old)), Value::Object(new)) => merge_entry(old, new),
                    _ => before.push(entry.clone()),
                }
            }
        }
        (before, piece) => *before = piece.clone(),
    }
}

/// Joins two pieces of one entry: what it says is joined, what it is called is not.
fn merge_entry(old: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (name, value) in new {
        match (name.as_str(), old.get_mut(name), value) {
            (_, _, Value::Null) => {}
            ("text" | "summary" | "data", Some(Value::String(before)), Value::String(piece)) => before.push_str(piece),
            _ => {
                old.insert(name.clone(), value.clone());
            }
        }
    }
}
