//! How a stream reaches whoever asked for it: as server-sent events, or over a WebSocket, a message each, for pages.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};

use super::error::ApiError;
use super::guard;

/// How often a quiet WebSocket is asked whether it lives; a dead one is noticed by then.
const PING_EVERY: Duration = Duration::from_secs(20);

/// One thing that is told.
pub struct Told {
    /// Where a reader that was cut off goes on; nothing where there is no going back.
    pub id: Option<String>,
    /// The name of the server-sent event.
    pub kind: String,
    /// JSON.
    pub data: String,
}

/// Answers with the stream in the form that the request asks for.
///
/// # Errors
///
/// `invalid` for a WebSocket handshake that is none.
pub async fn answer(
    request: Request,
    told: impl Stream<Item = Told> + Send + Unpin + 'static,
) -> Result<Response, ApiError> {
    if !guard::is_websocket(request.headers()) {
        let frames = told.map(|told| Ok::<_, Infallible>(frame(told)));
        return Ok(Sse::new(frames).keep_alive(KeepAlive::default()).into_response());
    }
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(upgrade.protocols([guard::SUBPROTOCOL]).on_upgrade(|socket| send_all(socket, told))),
        Err(rejection) => Err(ApiError::invalid(rejection.body_text())),
    }
}

fn frame(told: Told) -> SseEvent {
    let frame = SseEvent::default().event(told.kind).data(told.data);
    match told.id {
        Some(id) => frame.id(id),
        None => frame,
    }
}

/// Sends until the page leaves or there is no more.
async fn send_all(mut socket: WebSocket, mut told: impl Stream<Item = Told> + Unpin) {
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        let message = tokio::select! {
            told = told.next() => match told {
                Some(told) => Message::text(told.data),
                None => break,
            },
            received = socket.recv() => match received {
                // Pages have nothing to say here; pongs are answered below us.
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            _ = ping.tick() => Message::Ping(Vec::new().into()),
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
    // The page may be gone already.
    let _ = socket.send(Message::Close(None)).await;
}
