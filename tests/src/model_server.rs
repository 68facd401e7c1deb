//! A model server of the test's own on loopback: speaks Anthropic's Messages and chat completions, as the providers do, from a
//! script, and keeps what it was asked.
//!
//! Answers are streamed in pieces of a few bytes that end anywhere, within words, lines and characters.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The script as it goes: each request takes the next turn.
pub struct ModelServer {
    /// The base address for either kind of model.
    url: String,
    stage: Arc<Stage>,
    server: JoinHandle<()>,
}

/// One request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `/v1/messages` or `/v1/chat/completions`.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    /// When it came.
    pub at: Instant,
}

/// One turn of the script: an answer, or what makes one of the request.
pub struct Turn(Box<dyn FnOnce(&Asked) -> Answer + Send>);

/// What the model answers, in either format.
#[derive(Clone, Default)]
pub struct Answer {
    thinking: String,
    text: String,
    calls: Vec<(String, Value)>,
    input_tokens: u64,
    output_tokens: u64,
    cached_tokens: u64,
    /// The word of chat completions; derived where it is not given.
    finish: Option<&'static str>,
    reasoning_field: Option<&'static str>,
    pause: Option<Arc<Notify>>,
    cut: bool,
    whole: Option<(u16, &'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

struct Stage {
    script: Mutex<VecDeque<Turn>>,
    asked: Mutex<Vec<Asked>>,
}

impl ModelServer {
    /// Serves a script; a request after its end is refused, which no caller retries.
    pub async fn start(script: Vec<Turn>) -> Self {
        let stage = Arc::new(Stage { script: Mutex::new(script.into()), asked: Mutex::default() });
        let router = Router::new()
            .route("/v1/messages", post(answer))
            .route("/v1/chat/completions", post(answer))
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(stage.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let server = tokio::spawn(async move {
            // As real servers do: small pieces that wait for an acknowledgement would each cost 40 ms.
            let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
            axum::serve(listener, router).await.expect("the model server serves");
        });
        Self { url: format!("http://{address}/v1"), stage, server }
    }

    /// The base address for either kind of model.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns what names this server's model, `scripted`, in a runtime's environment.
    pub fn env(&self) -> [(&'static str, &str); 3] {
        [("OPENAI_API_KEY", "sk-of-the-test"), ("OPENAI_MODEL", "scripted"), ("OPENAI_BASE_URL", &self.url)]
    }

    /// Puts one more turn at the end of the script.
    pub fn push(&self, turn: impl Into<Turn>) {
        self.stage.script.lock().expect("no panic while it was told").push_back(turn.into());
    }

    /// Returns everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.stage.asked.lock().expect("no panic while it was told").clone()
    }

    /// Returns how many turns of the script are left.
    pub fn n_left(&self) -> usize {
        self.stage.script.lock().expect("no panic while it was told").len()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Turn {
    /// A turn whose answer depends on the request: on a reference in the page that it shows, for instance.
    pub fn of(answer: impl FnOnce(&Asked) -> Answer + Send + 'static) -> Self {
        Self(Box::new(answer))
    }
}

impl From<Answer> for Turn {
    fn from(answer: Answer) -> Self {
        Self::of(move |_| answer)
    }
}

impl Asked {
    /// The newest thing that the model was told: in chat completions the last message, as text.
    pub fn newest(&self) -> &str {
        let last = self.body["messages"].as_array().and_then(|messages| messages.last()).expect("a message");
        last["content"].as_str().unwrap_or_else(|| panic!("{last} is text"))
    }

    /// The whole request as text, to look for words in.
    pub fn text(&self) -> String {
        self.body.to_string()
    }

    /// Returns the reference of the newest line about this element.
    pub fn reference(&self, role: &str, name: &str) -> String {
        let text = self.text();
        let line = format!("{role} \\\"{name}\\\"");
        let at = text.rfind(&line).unwrap_or_else(|| panic!("no {role} {name:?} in {text}"));
        let (_, rest) = text[at..].split_once("[ref=").expect("an element that can be used has a reference");
        rest.split_once(']').expect("a reference ends").0.to_owned()
    }
}

impl Answer {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), input_tokens: 10, output_tokens: 5, ..Self::default() }
    }

    /// An answer that only uses a tool.
    pub fn call(name: &str, input: Value) -> Self {
        Self::text("").and_call(name, input)
    }

    #[must_use]
    pub fn and_call(mut self, name: &str, input: Value) -> Self {
        self.calls.push((name.to_owned(), input));
        self
    }

    #[must_use]
    pub fn thinking(mut self, thought: impl Into<String>) -> Self {
        self.thinking = thought.into();
        self
    }

    /// The field that thoughts come in, in chat completions: `reasoning` (the default) or `reasoning_content`.
    #[must_use]
    pub fn reasoning_field(mut self, name: &'static str) -> Self {
        self.reasoning_field = Some(name);
        self
    }

    /// `input` counts the cached ones, too.
    #[must_use]
    pub fn usage(mut self, input: u64, output: u64, cached: u64) -> Self {
        (self.input_tokens, self.output_tokens, self.cached_tokens) = (input, output, cached);
        self
    }

    /// Why it ends, in the words of chat completions: `stop`, `tool_calls`, `length`, `content_filter`.
    #[must_use]
    pub fn finish(mut self, word: &'static str) -> Self {
        self.finish = Some(word);
        self
    }

    /// Holds the answer back, after its first piece, until the test notifies.
    #[must_use]
    pub fn paused(mut self, until: Arc<Notify>) -> Self {
        self.pause = Some(until);
        self
    }

    /// Breaks the connection off in the middle.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    /// An error of the provider's, such as 429, 500, 529, with its own words.
    pub fn fails(status: u16, kind: &str, message: &str) -> Self {
        let body = json!({"type": "error", "error": {"type": kind, "code": kind, "message": message}});
        Self::whole(status, "application/json", body.to_string())
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Exactly this body, such as a recorded one.
    pub fn whole(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { whole: Some((status, content_type, body.into())), ..Self::default() }
    }

    /// A recorded stream.
    pub fn recorded(body: impl Into<String>) -> Self {
        Self::whole(200, "text/event-stream", body)
    }

    fn in_messages(&self, model: &Value) -> String {
        let mut out = String::new();
        let mut event = |data: Value| {
            let kind = data["type"].as_str().expect("every event has a type").to_owned();
            out.push_str(&format!("event: {kind}\ndata: {data}\n\n"));
        };
        let fresh = self.input_tokens - self.cached_tokens;
        event(json!({"type": "message_start", "message": {
            "id": "msg_01", "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": fresh, "cache_creation_input_tokens": 0, "cache_read_input_tokens": self.cached_tokens, "output_tokens": 1},
        }}));
        event(json!({"type": "ping"}));
        let mut index = 0;
        let mut block = |start: Value, deltas: Vec<Value>| {
            event(json!({"type": "content_block_start", "index": index, "content_block": start}));
            for delta in deltas {
                event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            event(json!({"type": "content_block_stop", "index": index}));
            index += 1;
        };
        if !self.thinking.is_empty() {
            let mut deltas: Vec<Value> =
                halves(&self.thinking).map(|part| json!({"type": "thinking_delta", "thinking": part})).collect();
            deltas.push(json!({"type": "signature_delta", "signature": "c2lnbmVk"}));
            block(json!({"type": "thinking", "thinking": "", "signature": ""}), deltas);
        }
        if !self.text.is_empty() {
            let deltas = halves(&self.text).map(|part| json!({"type": "text_delta", "text": part})).collect();
            block(json!({"type": "text", "text": ""}), deltas);
        }
        for (n, (name, input)) in self.calls.iter().enumerate() {
            let written = input.to_string();
            let deltas =
                halves(&written).map(|part| json!({"type": "input_json_delta", "partial_json": part})).collect();
            let id = format!("toolu_{:02}", n + 1);
            block(json!({"type": "tool_use", "id": id, "name": name, "input": {}}), deltas);
        }
        let stop = match self.finish_word() {
            "tool_calls" => "tool_use",
            "length" => "max_tokens",
            "content_filter" => "refusal",
            _ => "end_turn",
        };
        event(
            json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": self.output_tokens}}),
        );
        event(json!({"type": "message_stop"}));
        out
    }

    fn in_completions(&self, model: &Value) -> String {
        let mut out = ": OPENROUTER PROCESSING\n\n".to_owned();
        let mut chunk = |choices: Value, more: Value| {
            let mut data = json!({"id": "gen-1", "object": "chat.completion.chunk", "created": 1_770_000_000, "model": model, "choices": choices});
            if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
                data.extend(more);
            }
            out.push_str(&format!("data: {data}\n\n"));
        };
        let mut delta = |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null);
        delta(json!({"role": "assistant", "content": ""}));
        let field = self.reasoning_field.unwrap_or("reasoning");
        for part in halves(&self.thinking) {
            let mut thought = json!({"role": "assistant", "content": ""});
            thought[field] = part.into();
            delta(thought);
        }
        for part in halves(&self.text) {
            delta(json!({"content": part}));
        }
        for (index, (name, input)) in self.calls.iter().enumerate() {
            let written = input.to_string();
            let id = format!("call_{:02}", index + 1);
            delta(
                json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]}),
            );
            for part in halves(&written) {
                delta(json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]}));
            }
        }
        chunk(json!([{"index": 0, "delta": {}, "finish_reason": self.finish_word()}]), Value::Null);
        let usage = json!({
            "prompt_tokens": self.input_tokens, "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        });
        chunk(json!([]), json!({"usage": usage}));
        out.push_str("data: [DONE]\n\n");
        out
    }

    fn finish_word(&self) -> &'static str {
        self.finish.unwrap_or(if self.calls.is_empty() { "stop" } else { "tool_calls" })
    }
}

async fn answer(State(stage): State<Arc<Stage>>, uri: axum::http::Uri, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refused("the body is no JSON");
    };
    let asked = Asked { path: uri.path().to_owned(), headers, body, at: Instant::now() };
    stage.asked.lock().expect("no panic while it was told").push(asked.clone());
    if asked.body["stream"] != json!(true) {
        return refused("the script is streamed: ask with \"stream\": true");
    }
    let Some(turn) = stage.script.lock().expect("no panic while it was told").pop_front() else {
        return refused("the script is over");
    };
    let answer = (turn.0)(&asked);
    let (status, content_type, text) = match &answer.whole {
        Some(whole) => whole.clone(),
        None if asked.path.ends_with("/messages") => {
            (200, "text/event-stream", answer.in_messages(&asked.body["model"]))
        }
        None => (200, "text/event-stream", answer.in_completions(&asked.body["model"])),
    };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header(header::CONTENT_TYPE, content_type);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(in_pieces(text, answer.pause, answer.cut)).expect("an answer of known parts")
}

fn refused(why: &str) -> Response {
    let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": why}});
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

/// Sends a text in pieces of 1 to 23 bytes; `cut` breaks the connection off after two thirds.
fn in_pieces(text: String, pause: Option<Arc<Notify>>, cut: bool) -> Body {
    let mut rest = Bytes::from(text);
    if cut {
        rest.truncate(rest.len() * 2 / 3);
    }
    let pieces = futures_util::stream::unfold((rest, 0_usize, pause), move |(mut rest, n, mut pause)| async move {
        if n > 0
            && let Some(pause) = pause.take()
        {
            pause.notified().await;
        }
        if rest.is_empty() {
            // An error within the body is a connection that breaks off.
            let broken = std::io::Error::other("the connection is cut");
            return cut.then_some((Err(broken), (rest, 0, None))).filter(|_| n > 0);
        }
        // Of many small pieces, one size: a long answer would otherwise take thousands of turns of the loop.
        let len = if n < 200 { 1 + n * 7 % 23 } else { 4096 };
        let piece = rest.split_to(len.min(rest.len()));
        Some((Ok(piece), (rest, n + 1, pause)))
    });
    Body::from_stream(pieces)
}

/// Splits a text in two, at a character; nothing for an empty text.
fn halves(text: &str) -> impl Iterator<Item = &str> {
    let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (first, second) = text.split_at(middle);
    [first, second].into_iter().filter(|part| !part.is_empty())
}
