//! A model behind HTTP: one attempt after another, until there is an answer or no sense in trying.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use super::Model;
use super::anthropic;
use super::client::{self, reason};
use super::conversation::{Content, Message, Part, Request, ToolResult, WireFormat};
use super::endpoint::Endpoint;
use super::error::{ModelError, ModelErrorKind};
use super::openai::{self, LimitWord};
use super::read::{ReplyReader, Unreadable};
use super::refusal::{self, Refusal};
use super::reply::{Delta, Reply};
use super::retry::RetryPolicy;
use super::sse::SseDecoder;

/// How long a provider may take to begin: servers on a desk load the model first.
const BEGIN_DEADLINE: Duration = Duration::from_secs(300);

/// How long an answer may be silent in the middle.
const SILENCE_DEADLINE: Duration = Duration::from_secs(120);

/// The most bytes that are read of an answer.
const ANSWER_LIMIT: usize = 64 << 20;

/// One model at one address.
pub struct RemoteModel {
    endpoint: Endpoint,
    retry: RetryPolicy,
    /// It did not take a request with pictures, and took the same without.
    is_blind: AtomicBool,
    /// It wants the newer word for the limit of an answer.
    wants_newer_limit: AtomicBool,
}

/// An attempt that failed, and the field that the provider did not take.
struct Failed {
    error: ModelError,
    param: Option<String>,
}

impl RemoteModel {
    pub fn new(endpoint: Endpoint, retry: RetryPolicy) -> Self {
        // OpenAI's own models of today take no other.
        let newer = endpoint.format == WireFormat::OpenAi && endpoint.is_at("api.openai.com");
        Self { endpoint, retry, is_blind: AtomicBool::new(false), wants_newer_limit: AtomicBool::new(newer) }
    }

    async fn ask(&self, request: &Request, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<Reply, ModelError> {
        if self.is_blind.load(Ordering::Relaxed) && has_pictures(request) {
            return self.ask_patiently(&without_pictures(request), on_delta).await.map_err(|failed| failed.error);
        }
        let failed = match self.ask_patiently(request, on_delta).await {
            Ok(reply) => return Ok(reply),
            Err(failed) => failed,
        };
        if failed.error.kind != ModelErrorKind::Refused || !has_pictures(request) {
            return Err(failed.error);
        }
        // Whether a model sees is said nowhere but in such a refusal, and in words that differ with each server.
        let why = format!("{}; once more without pictures", failed.error.message);
        on_delta(Delta::Restarted { why, after: Duration::ZERO });
        let Ok(reply) = self.ask_patiently(&without_pictures(request), on_delta).await else {
            return Err(failed.error);
        };
        self.is_blind.store(true, Ordering::Relaxed);
        Ok(reply)
    }

    /// Asks until there is an answer, as the policy says.
    async fn ask_patiently(
        &self,
        request: &Request,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Reply, Failed> {
        let mut n_failed = 0;
        loop {
            let failed = match self.attempt(request, on_delta).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            let wants_newer = failed.param.as_deref() == Some("max_tokens");
            if wants_newer && !self.wants_newer_limit.swap(true, Ordering::Relaxed) {
                continue;
            }
            n_failed += 1;
            let Some(after) = self.retry.wait(n_failed, &failed.error, chance()) else {
                return Err(failed);
            };
            tracing::debug!(model = self.endpoint.model, n_failed, ?after, error = %failed.error, "asking again");
            on_delta(Delta::Restarted { why: failed.error.message, after });
            tokio::time::sleep(after).await;
        }
    }

    async fn attempt(&self, request: &Request, on_delta: &mut (dyn FnMut(Delta) + Send)) -> Result<Reply, Failed> {
        let response = self.send(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(response).await);
        }
        let mut reader: Box<dyn ReplyReader> = match self.endpoint.format {
            WireFormat::Anthropic => Box::<anthropic::MessageReader>::default(),
            WireFormat::OpenAi => Box::<openai::CompletionReader>::default(),
        };
        let read = match is_stream(&response) {
            true => self.read_stream(response, reader.as_mut(), on_delta).await?,
            false => self.read_whole(response, reader.as_mut(), on_delta).await?,
        };
        read.and_then(|()| reader.finish()).map_err(|unreadable| self.unreadable(unreadable))
    }

    async fn send(&self, request: &Request) -> Result<Response, Failed> {
        let model = &self.endpoint.model;
        let body = match self.endpoint.format {
            WireFormat::Anthropic => anthropic::body(model, request),
            WireFormat::OpenAi => {
                let newer = self.wants_newer_limit.load(Ordering::Relaxed);
                let word = if newer { LimitWord::MaxCompletionTokens } else { LimitWord::MaxTokens };
                openai::body(model, word, request)
            }
        };
        let url = self.endpoint.url();
        let sent = client::of(&url).post(url.clone()).headers(self.endpoint.headers()).json(&body).send();
        match timeout(BEGIN_DEADLINE, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreached(&format!("{}: {}", place(&url), reason(error)))),
            Err(_) => {
                let said = format!("{}: no answer within {} s", place(&url), BEGIN_DEADLINE.as_secs());
                Err(self.unreached(&said))
            }
        }
    }

    /// Reads events to the end of the answer; the inner error is of what was read.
    async fn read_stream(
        &self,
        mut response: Response,
        reader: &mut dyn ReplyReader,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Result<(), Unreadable>, Failed> {
        let mut decoder = SseDecoder::default();
        let mut n_bytes = 0;
        while let Some(bytes) = self.next_bytes(&mut response).await? {
            n_bytes += bytes.len();
            let events = match decoder.push(&bytes) {
                Ok(events) if n_bytes <= ANSWER_LIMIT => events,
                _ => return Ok(Err(Unreadable::malformed("the answer is too large"))),
            };
            for event in events {
                if event.data.trim() == "[DONE]" {
                    return Ok(Ok(()));
                }
                let Ok(value) = serde_json::from_str(&event.data) else {
                    let excerpt: String = event.data.chars().take(100).collect();
                    return Ok(Err(Unreadable::Malformed(format!("the answer holds what is no JSON: {excerpt}"))));
                };
                if let Err(unreadable) = reader.event(value, on_delta) {
                    return Ok(Err(unreadable));
                }
                if reader.is_over() {
                    return Ok(Ok(()));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Reads an answer that is no stream: of a server that does not know how, or of something that is no model at all.
    async fn read_whole(
        &self,
        mut response: Response,
        reader: &mut dyn ReplyReader,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Result<(), Unreadable>, Failed> {
        let mut body = vec![];
        while let Some(bytes) = self.next_bytes(&mut response).await? {
            body.extend_from_slice(&bytes);
            if body.len() > ANSWER_LIMIT {
                return Ok(Err(Unreadable::malformed("the answer is too large")));
            }
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(value) if value["choices"].is_array() || value["error"].is_object() => Ok(reader.event(value, on_delta)),
            _ => {
                let excerpt: String = String::from_utf8_lossy(&body).chars().take(100).collect();
                Ok(Err(Unreadable::Malformed(format!("this is no model's answer: {}", excerpt.trim()))))
            }
        }
    }

    async fn next_bytes(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, Failed> {
        match timeout(SILENCE_DEADLINE, response.chunk()).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(self.unreached(&format!("the answer broke off: {}", reason(error)))),
            Err(_) => {
                let said = format!("the answer broke off: nothing came for {} s", SILENCE_DEADLINE.as_secs());
                Err(self.unreached(&said))
            }
        }
    }

    async fn refused(&self, mut response: Response) -> Failed {
        let status = response.status();
        let retry_after = refusal::retry_after(response.headers(), crate::now_ms());
        let location =
            response.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let mut body = vec![];
        // What cannot be read of an error's text is not worth another error.
        while let Ok(Some(bytes)) = self.next_bytes(&mut response).await {
            body.extend_from_slice(&bytes);
            if body.len() > 1 << 20 {
                break;
            }
        }
        let mut refusal = refusal::of_body(status.as_u16(), &body);
        if let (true, Some(to)) = (status.is_redirection(), location) {
            // Keys do not follow where a server points.
            refusal = Refusal {
                kind: ModelErrorKind::Refused,
                message: format!("the address leads on to {to}: use that one"),
                param: None,
            };
        }
        self.failed(refusal, Some(status), retry_after)
    }

    fn unreadable(&self, unreadable: Unreadable) -> Failed {
        let refusal = match unreadable {
            Unreadable::Refused(refusal) => refusal,
            Unreadable::Cut => return self.unreached("the answer broke off"),
            Unreadable::Malformed(message) => Refusal { kind: ModelErrorKind::Malformed, message, param: None },
        };
        self.failed(refusal, None, None)
    }

    fn unreached(&self, message: &str) -> Failed {
        let refusal = Refusal { kind: ModelErrorKind::Network, message: message.to_owned(), param: None };
        self.failed(refusal, None, None)
    }

    fn failed(&self, refusal: Refusal, status: Option<StatusCode>, retry_after: Option<Duration>) -> Failed {
        let error = ModelError {
            kind: refusal.kind,
            model: self.endpoint.model.clone(),
            message: refusal.message,
            status: status.map(|status| status.as_u16()),
            retry_after,
        };
        Failed { error, param: refusal.param }
    }
}

impl Model for RemoteModel {
    fn reply<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        Box::pin(self.ask(request, on_delta))
    }

    fn name(&self) -> &str {
        &self.endpoint.model
    }

    fn context_window(&self) -> u64 {
        self.endpoint.context_window()
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // Some proxies drop the type.
    kind.is_none_or(|kind| kind.starts_with("text/event-stream"))
}

fn place(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns a number between 0 and 1.
fn chance() -> f64 {
    // Without randomness, callers are only less well spread.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

fn has_pictures(request: &Request) -> bool {
    fn holds(part: &Part) -> bool {
        match &part.content {
            Content::Image(_) => true,
            Content::ToolResult(result) => result.parts.iter().any(holds),
            Content::Text(_) | Content::ToolUse(_) | Content::Thinking(_) | Content::Unknown => false,
        }
    }
    request.messages.iter().any(|message| message.parts.iter().any(holds))
}

/// The same request, with a word in each picture's place.
fn without_pictures(request: &Request) -> Request {
    fn spoken(part: &Part) -> Part {
        match &part.content {
            Content::Image(_) => Part::text("[A picture, which this model cannot see.]"),
            Content::ToolResult(result) => {
                let parts = result.parts.iter().map(spoken).collect();
                Content::ToolResult(ToolResult { parts, ..result.clone() }).into()
            }
            Content::Text(_) | Content::ToolUse(_) | Content::Thinking(_) | Content::Unknown => part.clone(),
        }
    }
    let messages = request
        .messages
        .iter()
        .map(|message| Message { parts: message.parts.iter().map(spoken).collect(), ..message.clone() });
    Request { messages: messages.collect(), ..request.clone() }
}
