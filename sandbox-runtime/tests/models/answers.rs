//! What is read of answers, and what goes back of them.

use baton_tests::{Answer, ModelServer};
use sandbox_runtime::agent::models::{
    Content, Delta, Message, Part, Reply, StopReason, TokenUsage, ToolUse, WireFormat,
};
use serde_json::{Value, json};

use super::{FORMATS, ask, fixture, greeting, model, request};

/// Asks for a recorded answer; returns it, what was told on the way, and the assistant's turn as it goes back.
async fn recorded(format: WireFormat, name: &str) -> (Reply, Vec<Delta>, Value) {
    let server = ModelServer::start(vec![Answer::recorded(fixture(name)).into(), Answer::text("Well.").into()]).await;
    let model = model(&server, format);
    let (reply, deltas) = ask(&model, &greeting()).await;
    let reply = reply.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut messages = greeting().messages;
    messages.push(Message::assistant(reply.parts.clone()));
    let results = reply.tool_uses().map(|used| Part::tool_result(&used.id, vec![Part::text("done")], false));
    messages.push(Message::user(results.chain([Part::text("Go on")]).collect()));
    ask(&model, &request(messages)).await.0.unwrap();
    let sent = server.asked()[1].body["messages"][1].clone();
    (reply, deltas, sent)
}

fn uses(reply: &Reply) -> Vec<ToolUse> {
    reply.tool_uses().cloned().collect()
}

fn used(id: &str, name: &str, input: Value) -> ToolUse {
    ToolUse { id: id.to_owned(), name: name.to_owned(), input }
}

fn thoughts(reply: &Reply) -> Vec<&str> {
    let thoughts = reply.parts.iter().filter_map(|part| match &part.content {
        Content::Thinking(text) => Some(text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

fn tokens(input: u64, output: u64, cached: u64, cost_usd: Option<f64>) -> TokenUsage {
    TokenUsage { input_tokens: input, output_tokens: output, cached_tokens: cached, cost_usd }
}

#[tokio::test]
async fn anthropic_s_thoughts_tools_and_unknown_blocks_survive_the_round_trip() {
    let (reply, deltas, sent) = recorded(WireFormat::Anthropic, "anthropic-tools.sse").await;
    assert_eq!(reply.text(), "I fill it in – für Sie 漢.");
    assert_eq!(thoughts(&reply), ["The page has a form."]);
    assert_eq!(
        uses(&reply),
        [used("toolu_01A", "type", json!({"ref": "e4", "text": "Ada"})), used("toolu_01B", "look", json!({}))]
    );
    assert_eq!((&reply.stop, reply.usage), (&StopReason::ToolUse, tokens(2112, 89, 2000, None)));
    assert_eq!(
        deltas,
        [
            Delta::Thinking("The page has ".to_owned()),
            Delta::Thinking("a form.".to_owned()),
            Delta::Text("I fill it in – ".to_owned()),
            Delta::Text("für Sie 漢.".to_owned()),
        ]
    );
    assert_eq!(
        sent["content"],
        json!([
            {"type": "thinking", "thinking": "The page has a form.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"},
            {"type": "text", "text": "I fill it in – für Sie 漢."},
            {"type": "tool_use", "id": "toolu_01A", "name": "type", "input": {"ref": "e4", "text": "Ada"}},
            {"type": "tool_use", "id": "toolu_01B", "name": "look", "input": {}, "caller": {"type": "direct"}},
            {"type": "container_note", "note": "of a later version"},
        ])
    );
}

#[tokio::test]
async fn openai_s_calls_are_joined_from_their_pieces() {
    let (reply, _, sent) = recorded(WireFormat::OpenAi, "openai-calls.sse").await;
    assert_eq!(
        uses(&reply),
        [used("call_a", "click", json!({"ref": "e9"})), used("call_b", "exec", json!({"command": "ls"}))]
    );
    assert_eq!((&reply.stop, reply.usage), (&StopReason::ToolUse, tokens(1500, 40, 1280, None)));
    assert_eq!(sent["tool_calls"][0]["function"], json!({"name": "click", "arguments": "{\"ref\":\"e9\"}"}));
}

#[tokio::test]
async fn openrouter_s_reasoning_goes_back_whole_with_its_signature_and_the_cost_is_known() {
    let (reply, _, sent) = recorded(WireFormat::OpenAi, "openrouter-reasoning.sse").await;
    assert_eq!(thoughts(&reply), ["Two steps."]);
    assert_eq!(uses(&reply), [used("toolu_vrtx_1", "look", json!({}))]);
    assert_eq!((&reply.stop, reply.usage), (&StopReason::ToolUse, tokens(900, 55, 600, Some(0.0035))));
    assert_eq!(sent["reasoning"], "Two steps.");
    assert_eq!(
        sent["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "Two steps.", "format": "anthropic-claude-v1", "index": 0, "signature": "c2lnbmF0dXJl"}])
    );
}

#[tokio::test]
async fn the_other_name_of_thoughts_is_understood_and_kept() {
    let (reply, deltas, sent) = recorded(WireFormat::OpenAi, "vllm-reasoning.sse").await;
    assert_eq!((reply.text(), thoughts(&reply)), ("Done.".to_owned(), vec!["It is done."]));
    assert_eq!((&reply.stop, reply.usage), (&StopReason::EndTurn, tokens(300, 12, 256, None)));
    assert_eq!(deltas[0], Delta::Thinking("It is ".to_owned()));
    assert_eq!(sent, json!({"role": "assistant", "content": "Done.", "reasoning_content": "It is done."}));
}

#[tokio::test]
async fn servers_on_a_desk_are_understood() {
    let (reply, ..) = recorded(WireFormat::OpenAi, "ollama-calls.sse").await;
    assert_eq!(uses(&reply), [used("call_1", "look", json!({})), used("call_2", "click", json!({"ref": "e1"}))]);
    assert_eq!(reply.stop, StopReason::ToolUse);
    let (reply, ..) = recorded(WireFormat::OpenAi, "lmstudio-no-done.sse").await;
    assert_eq!((reply.text(), &reply.stop), ("Hello".to_owned(), &StopReason::MaxTokens));
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let whole = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "I look.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    let server = ModelServer::start(vec![Answer::whole(200, "application/json", whole.to_string()).into()]).await;
    let reply = ask(&model(&server, WireFormat::OpenAi), &greeting()).await.0.unwrap();
    assert_eq!((reply.text(), uses(&reply)), ("I look.".to_owned(), vec![used("c1", "look", json!({}))]));
}

#[tokio::test]
async fn both_formats_say_the_same() {
    for format in FORMATS {
        let answer =
            || Answer::text("Aye – 漢").thinking("hm").and_call("click", json!({"ref": "e1"})).usage(100, 7, 60);
        let mut script: Vec<_> = vec![answer().into(), answer().reasoning_field("reasoning_content").into()];
        let words = ["stop", "length", "content_filter"];
        script.extend(words.map(|word| Answer::text("x").finish(word).into()));
        let server = ModelServer::start(script).await;
        let model = model(&server, format);
        for _ in 0..2 {
            let (reply, deltas) = ask(&model, &greeting()).await;
            let reply = reply.unwrap();
            assert_eq!((reply.text(), thoughts(&reply)), ("Aye – 漢".to_owned(), vec!["hm"]), "{format:?}");
            assert_eq!(uses(&reply).len(), 1);
            assert_eq!((&reply.stop, reply.usage), (&StopReason::ToolUse, tokens(100, 7, 60, None)), "{format:?}");
            assert_eq!(deltas.len(), 4, "{format:?}: {deltas:?}");
        }
        for stop in [StopReason::EndTurn, StopReason::MaxTokens, StopReason::Refusal] {
            assert_eq!(ask(&model, &greeting()).await.0.unwrap().stop, stop, "{format:?}");
        }
        assert_eq!(server.n_left(), 0);
    }
}

#[tokio::test]
async fn a_conversation_moves_from_one_provider_to_another() {
    let server = ModelServer::start(vec![]).await;
    for (first, second) in [(FORMATS[0], FORMATS[1]), (FORMATS[1], FORMATS[0])] {
        server.push(Answer::text("I look.").thinking("hm").and_call("look", json!({"maxChars": 5})));
        server.push(Answer::text("Seen."));
        let reply = ask(&model(&server, first), &greeting()).await.0.unwrap();
        let id = uses(&reply)[0].id.clone();
        let mut messages = greeting().messages;
        messages.push(Message::assistant(reply.parts));
        messages.push(Message::user(vec![Part::tool_result(&id, vec![Part::text("a page")], false)]));
        ask(&model(&server, second), &request(messages)).await.0.unwrap();
        let sent = server.asked().pop().unwrap().text();
        assert!(sent.contains("I look.") && sent.contains("maxChars") && sent.contains("a page"), "{sent}");
        assert!(!sent.contains("hm") && !sent.contains("signature") && !sent.contains("reasoning"), "{sent}");
    }
}
