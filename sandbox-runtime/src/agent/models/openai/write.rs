//! A request, as chat completions take it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::conversation::{Content, Image, Message, Part, Raw, Request, Role, ToolResult, WireFormat};

/// What stands for arguments that are no object: servers read them again, and some stumble over anything else.
const NO_JSON: &str = "INVALID_JSON";

/// How the most tokens of an answer are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum LimitWord {
    /// Of nearly all.
    MaxTokens,
    /// Of OpenAI's newer models, which take no other.
    MaxCompletionTokens,
}

/// Writes a request for this model.
pub(in super::super) fn body(model: &str, limit_word: LimitWord, request: &Request) -> Value {
    // OpenRouter passes Anthropic's marks on to Anthropic's models; others cache without being asked.
    let marks = model.starts_with("anthropic/");
    let mut messages = vec![];
    if !request.system.is_empty() {
        let content = match marks && request.cache_system {
            true => json!([{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}]),
            false => request.system.as_str().into(),
        };
        messages.push(json!({"role": "system", "content": content}));
    }
    let marked = request.messages.iter().rposition(|message| message.cache && message.role == Role::User);
    for (at, message) in request.messages.iter().enumerate() {
        match message.role {
            Role::User => messages.extend(user(message, marks && marked == Some(at))),
            Role::Assistant => messages.extend(assistant(message)),
        }
    }
    let mut body = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let limit = match limit_word {
        LimitWord::MaxTokens => "max_tokens",
        LimitWord::MaxCompletionTokens => "max_completion_tokens",
    };
    body[limit] = request.max_output_tokens.into();
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.schema});
            json!({"type": "function", "function": function})
        });
        body["tools"] = tools.collect();
    }
    body
}

/// Writes a user's turn: each result is a message of its own, and the pictures of results come after all of them.
fn user(message: &Message, marked: bool) -> Vec<Value> {
    let mut messages = vec![];
    let mut content: Vec<Value> = vec![];
    for part in &message.parts {
        if let Content::ToolResult(result) = &part.content {
            messages.push(json!({"role": "tool", "tool_call_id": result.id, "content": words(result)}));
            content.extend(result.parts.iter().filter_map(picture));
        }
    }
    if !content.is_empty() {
        content.insert(0, json!({"type": "text", "text": "What the tools above show:"}));
    }
    content.extend(message.parts.iter().filter_map(|part| match &part.content {
        Content::Text(text) if !text.is_empty() => Some(json!({"type": "text", "text": text})),
        _ => picture(part),
    }));
    if marked && let Some(text) = content.iter_mut().rev().find(|part| part["type"] == "text") {
        text["cache_control"] = json!({"type": "ephemeral"});
    } else if let [only] = content.as_mut_slice()
        && only["type"] == "text"
    {
        // Some servers take lists only from models that see.
        messages.push(json!({"role": "user", "content": only["text"].take()}));
        return messages;
    }
    if !content.is_empty() {
        messages.push(json!({"role": "user", "content": content}));
    }
    messages
}

/// Returns the texts of a result. The format has no word for an error, so that one is said.
fn words(result: &ToolResult) -> String {
    let texts = result.parts.iter().filter_map(|part| match &part.content {
        Content::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    if result.is_error { format!("Error: {text}") } else { text }
}

fn picture(part: &Part) -> Option<Value> {
    let Content::Image(Image { media_type, bytes }) = &part.content else { return None };
    let url = format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(bytes));
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

/// Writes the model's turn; `None` if nothing of it can be said here.
fn assistant(message: &Message) -> Option<Value> {
    let mut text = String::new();
    let mut calls: Vec<Value> = vec![];
    let mut fields = Map::new();
    for part in &message.parts {
        let own = match &part.raw {
            Some(Raw { format: WireFormat::OpenAi, value }) => Some(value),
            _ => None,
        };
        match (&part.content, own) {
            (Content::Text(piece), _) => text.push_str(piece),
            (Content::ToolUse(_), Some(call)) => calls.push(call.clone()),
            (Content::ToolUse(used), None) => {
                let input = if used.input.is_object() { used.input.clone() } else { json!({NO_JSON: used.input}) };
                let function = json!({"name": used.name, "arguments": input.to_string()});
                calls.push(json!({"id": used.id, "type": "function", "function": function}));
            }
            // The fields of the message that are neither text nor calls, such as thoughts and their signatures.
            (Content::Thinking(_) | Content::Unknown, Some(Value::Object(own))) => fields.extend(own.clone()),
            (Content::Thinking(_) | Content::Unknown, _) | (Content::Image(_) | Content::ToolResult(_), _) => {}
        }
    }
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let mut message = json!({"role": "assistant", "content": if text.is_empty() { Value::Null } else { text.into() }});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    if let Some(message) = message.as_object_mut() {
        message.extend(fields);
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use sandbox_core::action::Tool;

    use super::super::super::conversation::ToolUse;
    use super::*;

    #[test]
    fn a_request_is_written_as_the_documents_say() {
        let call = |id: &str, input: Value| {
            Content::ToolUse(ToolUse { id: id.to_owned(), name: "look".to_owned(), input }).into()
        };
        let request = Request {
            system: "Be brief.".to_owned(),
            cache_system: true,
            messages: vec![
                Message::user(vec![Part::text("Look")]),
                Message::assistant(vec![Part::text("I do"), call("c1", json!({"a": 1})), call("c2", json!("{\"a\""))]),
                Message::user(vec![
                    Part::tool_result("c1", vec![Part::text("seen"), Part::image("image/png", &b"\x89PNG"[..])], false),
                    Part::tool_result("c2", vec![Part::text("no JSON")], true),
                    Part::text("Go on"),
                ]),
            ],
            tools: vec![Tool {
                name: "look".to_owned(),
                description: "Looks.".to_owned(),
                schema: json!({"type": "object"}),
            }],
            max_output_tokens: 100,
        };
        assert_eq!(
            body("gpt", LimitWord::MaxTokens, &request),
            json!({
                "model": "gpt", "max_tokens": 100, "stream": true, "stream_options": {"include_usage": true},
                "tools": [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}],
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Look"},
                    {"role": "assistant", "content": "I do", "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"a\":1}"}},
                        {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{\"INVALID_JSON\":\"{\\\"a\\\"\"}"}},
                    ]},
                    {"role": "tool", "tool_call_id": "c1", "content": "seen"},
                    {"role": "tool", "tool_call_id": "c2", "content": "Error: no JSON"},
                    {"role": "user", "content": [
                        {"type": "text", "text": "What the tools above show:"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                        {"type": "text", "text": "Go on"},
                    ]},
                ],
            })
        );
        let newer = body("gpt", LimitWord::MaxCompletionTokens, &request);
        assert_eq!((newer.get("max_tokens"), &newer["max_completion_tokens"]), (None, &json!(100)));
    }

    #[test]
    fn marks_are_set_for_those_who_read_them_alone() {
        let messages = vec![Message { cache: true, ..Message::user(vec![Part::text("Look")]) }];
        let request = Request { system: "s".to_owned(), cache_system: true, messages, ..Request::default() };
        let written = body("anthropic/claude-sonnet-4.5", LimitWord::MaxTokens, &request);
        let mark = json!({"type": "ephemeral"});
        assert_eq!(
            written["messages"],
            json!([
                {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": mark}]},
                {"role": "user", "content": [{"type": "text", "text": "Look", "cache_control": mark}]},
            ])
        );
        assert!(!body("qwen3", LimitWord::MaxTokens, &request).to_string().contains("cache_control"));
    }

    #[test]
    fn what_this_format_sent_goes_back_as_it_came_and_thoughts_of_another_do_not() {
        let part = |content, format, value| Part { content, raw: Some(Raw { format, value }) };
        let used = ToolUse { id: "c1".to_owned(), name: "look".to_owned(), input: json!({}) };
        let call = json!({"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{ }"}, "extra_content": {"google": {"thought_signature": "s"}}});
        let own = vec![
            part(Content::Thinking("hm".to_owned()), WireFormat::OpenAi, json!({"reasoning_content": "hm"})),
            part(Content::ToolUse(used), WireFormat::OpenAi, call.clone()),
        ];
        let foreign = vec![
            part(Content::Thinking("hm".to_owned()), WireFormat::Anthropic, json!({"type": "thinking"})),
            part(Content::Text("yes".to_owned()), WireFormat::Anthropic, json!({"type": "text", "text": "yes"})),
        ];
        let request =
            Request { messages: vec![Message::assistant(own), Message::assistant(foreign)], ..Request::default() };
        assert_eq!(
            body("m", LimitWord::MaxTokens, &request)["messages"],
            json!([
                {"role": "assistant", "content": null, "tool_calls": [call], "reasoning_content": "hm"},
                {"role": "assistant", "content": "yes"},
            ])
        );
    }
}
