//! What is put to a model, in words that belong to no provider.

use bytes::Bytes;
use sandbox_core::action::Tool;
use serde_json::Value;

/// One request: the whole conversation so far, and what the model may do next.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the model is told before everything else; empty for nothing.
    pub system: String,
    /// Whether `system` and `tools` are sent again soon: providers that can keep them cached are asked to.
    pub cache_system: bool,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    /// The most tokens that the answer may have, thoughts included.
    pub max_output_tokens: u32,
}

/// One turn of the conversation.
///
/// Results of tools come in the user's turn that follows the model's, all of them, in the order they were asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
    /// Whether everything up to and with this message is sent again soon. Mark the last few at most: providers allow three.
    pub cache: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
}

/// A part of a message: what we understand of it, and what the provider sent.
///
/// A part that came from a provider goes back to the same provider as it came, so that fields we know nothing of (signatures
/// of thoughts, for instance) survive. To change a part, make a new one.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub content: Content,
    pub raw: Option<Raw>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    Image(Image),
    ToolUse(ToolUse),
    ToolResult(ToolResult),
    /// What the model thought aloud; empty where the provider keeps it to itself.
    Thinking(String),
    /// A part of a kind that we do not know; it only goes back to where it came from.
    Unknown,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// Such as `image/png`.
    pub media_type: String,
    pub bytes: Bytes,
}

/// The model wants a tool to be used.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolUse {
    /// Names this use; its result carries the same.
    pub id: String,
    pub name: String,
    /// The arguments, an object; where what the model wrote is no JSON, that text as a JSON string.
    pub input: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The id of the [`ToolUse`] that this answers.
    pub id: String,
    /// Texts and images.
    pub parts: Vec<Part>,
    pub is_error: bool,
}

/// A part as a provider sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    pub format: WireFormat,
    pub value: Value,
}

/// How a provider writes conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFormat {
    /// Anthropic's Messages.
    Anthropic,
    /// Chat completions, as OpenAI began them and many others speak them.
    OpenAi,
}

impl Message {
    pub fn user(parts: Vec<Part>) -> Self {
        Self { role: Role::User, parts, cache: false }
    }

    /// The model's own turn, as [`Reply::parts`](super::Reply::parts) gave it.
    pub fn assistant(parts: Vec<Part>) -> Self {
        Self { role: Role::Assistant, parts, cache: false }
    }
}

impl Part {
    pub fn text(text: impl Into<String>) -> Self {
        Content::Text(text.into()).into()
    }

    pub fn image(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Content::Image(Image { media_type: media_type.into(), bytes: bytes.into() }).into()
    }

    pub fn tool_result(id: impl Into<String>, parts: Vec<Part>, is_error: bool) -> Self {
        Content::ToolResult(ToolResult { id: id.into(), parts, is_error }).into()
    }
}

impl From<Content> for Part {
    fn from(content: Content) -> Self {
        Self { content, raw: None }
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type, self.bytes.len())
    }
}
