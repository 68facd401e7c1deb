//! A request, as Messages takes it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::conversation::{Content, Message, Part, Raw, Request, Role, WireFormat};

/// The marks that messages may have: the provider allows four, and one is for the system text and the tools.
const MESSAGE_MARKS: usize = 3;

/// What stands for arguments that are no object: the provider takes nothing else.
const NO_JSON: &str = "INVALID_JSON";

/// Writes a request for this model.
pub(in super::super) fn body(model: &str, request: &Request) -> Value {
    let mut tools: Vec<Value> = request
        .tools
        .iter()
        .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema}))
        .collect();
    let mut system = vec![];
    if !request.system.is_empty() {
        system.push(json!({"type": "text", "text": request.system}));
    }
    // What is cached is everything before the mark, and tools come before the system text.
    if request.cache_system
        && let Some(last) = system.last_mut().or(tools.last_mut())
    {
        mark(last);
    }
    let marked: Vec<usize> = (0..request.messages.len()).rev().filter(|at| request.messages[*at].cache).collect();
    let marked = &marked[..marked.len().min(MESSAGE_MARKS)];
    let messages = request.messages.iter().enumerate().filter_map(|(at, turn)| message(turn, marked.contains(&at)));
    let mut body = json!({
        "model": model,
        "max_tokens": request.max_output_tokens,
        "messages": messages.collect::<Vec<_>>(),
        "stream": true,
    });
    if !system.is_empty() {
        body["system"] = system.into();
    }
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

/// Writes one turn; `None` if nothing of it can be said here.
fn message(message: &Message, marked: bool) -> Option<Value> {
    let mut blocks: Vec<Value> = message.parts.iter().filter_map(block).collect();
    // The results of tools come first.
    blocks.sort_by_key(|block| block["type"] != "tool_result");
    if marked && let Some(block) = blocks.iter_mut().rev().find(|block| may_be_marked(block)) {
        mark(block);
    }
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    (!blocks.is_empty()).then(|| json!({"role": role, "content": blocks}))
}

fn block(part: &Part) -> Option<Value> {
    if let Some(Raw { format: WireFormat::Anthropic, value }) = &part.raw {
        let is_empty = value["type"] == "text" && value["text"] == "";
        return (!is_empty).then(|| value.clone());
    }
    match &part.content {
        Content::Text(text) if text.is_empty() => None,
        Content::Text(text) => Some(json!({"type": "text", "text": text})),
        Content::Image(image) => {
            let data = BASE64_STANDARD.encode(&image.bytes);
            Some(json!({"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}}))
        }
        Content::ToolUse(used) => {
            let input = if used.input.is_object() { used.input.clone() } else { json!({NO_JSON: used.input}) };
            Some(json!({"type": "tool_use", "id": used.id, "name": used.name, "input": input}))
        }
        Content::ToolResult(result) => {
            let content: Vec<Value> = result.parts.iter().filter_map(block).collect();
            let mut block = json!({"type": "tool_result", "tool_use_id": result.id, "content": content});
            if result.is_error {
                block["is_error"] = true.into();
            }
            Some(block)
        }
        // Thoughts of another provider carry no signature of this one.
        Content::Thinking(_) | Content::Unknown => None,
    }
}

fn mark(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

fn may_be_marked(block: &Value) -> bool {
    !matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"))
}

#[cfg(test)]
mod tests {
    use sandbox_core::action::Tool;

    use super::super::super::conversation::ToolUse;
    use super::*;

    fn tool() -> Tool {
        Tool { name: "look".to_owned(), description: "Looks.".to_owned(), schema: json!({"type": "object"}) }
    }

    #[test]
    fn a_request_is_written_as_the_documents_say() {
        let request = Request {
            system: "Be brief.".to_owned(),
            messages: vec![
                Message::user(vec![Part::text("Look"), Part::image("image/png", &b"\x89PNG"[..])]),
                Message::assistant(vec![
                    Content::ToolUse(ToolUse { id: "t1".to_owned(), name: "look".to_owned(), input: json!({}) }).into(),
                ]),
                Message::user(vec![Part::text("and then?"), Part::tool_result("t1", vec![Part::text("gone")], true)]),
            ],
            tools: vec![tool()],
            max_output_tokens: 100,
            cache_system: false,
        };
        assert_eq!(
            body("claude", &request),
            json!({
                "model": "claude", "max_tokens": 100, "stream": true,
                "system": [{"type": "text", "text": "Be brief."}],
                "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
                    ]},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "gone"}], "is_error": true},
                        {"type": "text", "text": "and then?"},
                    ]},
                ],
            })
        );
    }

    #[test]
    fn marks_are_set_within_what_the_provider_allows_and_never_on_thoughts() {
        let thought = Part {
            content: Content::Thinking("so".to_owned()),
            raw: Some(Raw {
                format: WireFormat::Anthropic,
                value: json!({"type": "thinking", "thinking": "so", "signature": "s"}),
            }),
        };
        let mut messages: Vec<Message> =
            (0..5).map(|n| Message { cache: true, ..Message::user(vec![Part::text(n.to_string())]) }).collect();
        messages.push(Message { cache: true, ..Message::assistant(vec![Part::text("a"), thought]) });
        let request =
            Request { system: "s".to_owned(), cache_system: true, messages, tools: vec![tool()], max_output_tokens: 1 };
        let body = body("m", &request);
        let mark = json!({"type": "ephemeral"});
        assert_eq!(body["system"][0]["cache_control"], mark);
        assert_eq!(body["tools"][0].get("cache_control"), None);
        let marked: Vec<bool> = (0..6).map(|at| body["messages"][at]["content"][0]["cache_control"] == mark).collect();
        assert_eq!(marked, [false, false, false, true, true, true]);
        assert_eq!(body["messages"][5]["content"][1].get("cache_control"), None);
    }

    #[test]
    fn parts_of_another_provider_are_said_anew_and_those_of_this_one_go_back_as_they_came() {
        let foreign = |content| Part { content, raw: Some(Raw { format: WireFormat::OpenAi, value: json!({"x": 1}) }) };
        let parts = vec![foreign(Content::Thinking("hm".to_owned())), foreign(Content::Text("yes".to_owned()))];
        let own = Part {
            content: Content::Unknown,
            raw: Some(Raw { format: WireFormat::Anthropic, value: json!({"type": "new_thing", "x": 1}) }),
        };
        let request = Request {
            messages: vec![Message::assistant(parts), Message::assistant(vec![own, Part::text("")])],
            ..Request::default()
        };
        assert_eq!(
            body("m", &request)["messages"],
            json!([
                {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
                {"role": "assistant", "content": [{"type": "new_thing", "x": 1}]},
            ])
        );
    }
}
