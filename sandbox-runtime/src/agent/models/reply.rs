//! What a model answers.

use std::time::Duration;

use super::conversation::{Content, Part, ToolUse};

/// One whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Goes into the conversation as it is, as the assistant's message.
    pub parts: Vec<Part>,
    pub stop: StopReason,
    pub usage: TokenUsage,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It has said what it had to say.
    EndTurn,
    /// It waits for the results of its tools.
    ToolUse,
    /// The answer was cut at `max_output_tokens`, or at the end of the context.
    MaxTokens,
    /// The model or its provider declined.
    Refusal,
    /// A word of the provider's that we do not know.
    Other(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TokenUsage {
    /// All that was read, cached or not.
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Those of `input_tokens` that came from the provider's cache, at a lower price.
    pub cached_tokens: u64,
    /// What it cost, where the provider says so.
    pub cost_usd: Option<f64>,
}

/// A piece of the answer while it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    Thinking(String),
    /// What came so far is void: the request is made again after this time.
    Restarted {
        why: String,
        after: Duration,
    },
}

impl Reply {
    /// Returns what was said, without thoughts.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match &part.content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Returns the tools that are to be used, in order.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUse> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::ToolUse(tool_use) => Some(tool_use),
            _ => None,
        })
    }
}
