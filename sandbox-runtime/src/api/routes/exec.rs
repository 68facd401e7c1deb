//! Commands and code.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use sandbox_core::SandboxId;
use sandbox_core::model::{CodeRequest, ExecRequest, ExecResult};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ApiError, ErrorDetail, Refusals};
use crate::api::extract::{Body, InPath, Query, switch};
use crate::sandbox::calls::Output;
use crate::service::Answer;

/// How long the answer to a streamed command may be held back, so that one that cannot start is refused properly.
const REFUSAL_GRACE: Duration = Duration::from_millis(250);

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(exec)).routes(routes!(code))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExecQuery {
    /// `1`: server-sent events `stdout` and `stderr` (`{ "data": text }`), then `exit` (the result) or `error`.
    #[serde(default, deserialize_with = "switch")]
    #[param(required = false)]
    stream: bool,
}

/// Runs a command directly, without a shell. A command that fails is still 200. Closing the connection kills it.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/exec", tag = "commands and files", operation_id = "exec",
    params(("id" = String, Path), ExecQuery), request_body = ExecRequest,
    responses((status = 200, content((ExecResult = "application/json"), (String = "text/event-stream"))), Refusals))]
async fn exec(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(query): Query<ExecQuery>,
    Body(request): Body<ExecRequest>,
) -> Result<Response, ApiError> {
    if query.stream {
        return streamed(api, id, request).await;
    }
    Ok(Json(api.service().exec(&id, request, |_| {}).await?).into_response())
}

/// Runs code.
#[utoipa::path(post, path = "/v1/sandboxes/{id}/code", tag = "commands and files", operation_id = "runCode",
    params(("id" = String, Path)), request_body = CodeRequest, responses((status = 200, body = ExecResult), Refusals))]
async fn code(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Body(request): Body<CodeRequest>,
) -> Result<Json<ExecResult>, ApiError> {
    Ok(Json(api.service().code(&id, request).await?))
}

async fn streamed(api: Api, id: SandboxId, request: ExecRequest) -> Result<Response, ApiError> {
    let pieces = Pieces::default();
    let sink = pieces.clone();
    let run = async move { api.service().exec(&id, request, move |output| sink.push(output)).await };
    let mut running = Running { run: Some(Box::pin(run)), pieces, text: Default::default(), ended: None };
    // A grace that ends without an answer is no failure: the command runs.
    let _ = tokio::time::timeout(REFUSAL_GRACE, std::future::poll_fn(|context| running.poll_begun(context))).await;
    match running.ended {
        Some(Err(refusal)) if running.pieces.is_empty() => Err(refusal.into()),
        _ => Ok(Sse::new(running).keep_alive(KeepAlive::default()).into_response()),
    }
}

/// What the command wrote and nobody took yet. It fills only while the run is polled, which is while the client takes.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<VecDeque<Output>>>);

impl Pieces {
    fn push(&self, output: Output) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(output);
    }

    fn pop(&self) -> Option<Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// A command under way, as a stream of events. Dropping it kills the command.
struct Running {
    run: Option<Pin<Box<dyn Future<Output = Answer<ExecResult>> + Send>>>,
    pieces: Pieces,
    text: [Utf8Pieces; 2],
    ended: Option<Answer<ExecResult>>,
}

impl Running {
    /// Lets the command go on, and keeps its end.
    fn advance(&mut self, context: &mut Context<'_>) {
        let Some(run) = &mut self.run else { return };
        if let Poll::Ready(ended) = run.as_mut().poll(context) {
            self.run = None;
            self.ended = Some(ended);
        }
    }

    fn poll_begun(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.advance(context);
        if self.pieces.is_empty() && self.ended.is_none() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Returns what is to be sent next: pieces in their order, halves of letters that were left, the end.
    fn next_event(&mut self) -> Option<Event> {
        let piece = |name: &str, text: String| event(name, &json!({ "data": text }));
        match self.pieces.pop() {
            Some(Output::Stdout(bytes)) => return Some(piece(STDOUT, self.text[0].take(&bytes))),
            Some(Output::Stderr(bytes)) => return Some(piece(STDERR, self.text[1].take(&bytes))),
            None => {}
        }
        self.ended.as_ref()?;
        for (text, name) in self.text.iter_mut().zip([STDOUT, STDERR]) {
            if let Some(rest) = text.rest() {
                return Some(piece(name, rest));
            }
        }
        Some(match self.ended.take()? {
            Ok(result) => event("exit", &json!(result)),
            Err(error) => event("error", &json!(ErrorDetail::from(error))),
        })
    }
}

impl Stream for Running {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(event) = self.next_event() {
            return Poll::Ready(Some(Ok(event)));
        }
        if self.run.is_none() {
            return Poll::Ready(None);
        }
        self.advance(context);
        self.next_event().map_or(Poll::Pending, |event| Poll::Ready(Some(Ok(event))))
    }
}

fn event(name: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// Cuts bytes into text without breaking letters at the seams.
#[derive(Default)]
struct Utf8Pieces(Vec<u8>);

impl Utf8Pieces {
    fn take(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.0) {
            Ok(_) => self.0.len(),
            // Up to three bytes at the end may be the beginning of a letter; anything else is no text and shown as such.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                let tail = self.0.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len());
                let unfinished =
                    std::str::from_utf8(&self.0[self.0.len() - tail..]).is_err_and(|e| e.error_len().is_none());
                self.0.len() - if unfinished { tail } else { 0 }
            }
        };
        let rest = self.0.split_off(whole);
        String::from_utf8_lossy(&std::mem::replace(&mut self.0, rest)).into_owned()
    }

    /// Returns the half of a letter that nothing followed.
    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.0);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_not_broken_at_the_seams() {
        let check = |pieces: &[&[u8]], expected: &[&str]| {
            let mut text = Utf8Pieces::default();
            let taken: Vec<String> = pieces.iter().map(|piece| text.take(piece)).collect();
            assert_eq!(taken, expected);
        };
        check(&[b"ab", b"c"], &["ab", "c"]);
        check(&["é".as_bytes().split_at(1).0, "é".as_bytes().split_at(1).1], &["", "é"]);
        check(&[b"\xff\xc3", b"\xa9!"], &["\u{fffd}", "é!"]);
        check(&[b"\xffa"], &["\u{fffd}a"]);
        check(&[b"\xe2\x82", b"x"], &["", "\u{fffd}x"]);
    }
}
