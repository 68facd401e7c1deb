//! Whether the client of a call is still there.
//!
//! A call's answer is a stream, and a client may lose it and come back for it by another one of the same session. A client
//! of which no stream is left is gone, and what it had under way ends with it: see [`Caller::gone`].

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};
use tokio_util::sync::CancellationToken;

/// How long a client may be without any stream: between the end of one and the beginning of the next.
const GRACE: Duration = Duration::from_millis(500);

/// The streams of every session that has one.
#[derive(Clone, Default)]
pub struct Presence(Arc<Mutex<HashMap<String, Streams>>>);

#[derive(Default)]
struct Streams {
    open: usize,
    /// Calls whose own stream broke off.
    left: Vec<CancellationToken>,
}

/// Who a request is from; travels with it to the call.
#[derive(Clone)]
pub struct Caller(CancellationToken);

impl Caller {
    /// Resolves when nobody is left to be answered.
    pub async fn gone(&self) {
        self.0.cancelled().await;
    }
}

/// One request and the stream that answers it. Dropping it before its end says that the client left it.
pub struct Held {
    presence: Presence,
    /// `None` for a request without a session, which nobody can come back for.
    session: Option<String>,
    call: CancellationToken,
    ended: bool,
}

impl Presence {
    /// Notes a request that came.
    pub fn hold(&self, session: Option<String>) -> (Held, Caller) {
        if let Some(session) = &session {
            self.lock().entry(session.clone()).or_default().open += 1;
        }
        let call = CancellationToken::new();
        (Held { presence: self.clone(), session, call: call.clone(), ended: false }, Caller(call))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Streams>> {
        // Counts and lists are changed whole: no panic leaves one half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self, session: &str, broken: Option<CancellationToken>) {
        let mut sessions = self.lock();
        let Some(streams) = sessions.get_mut(session) else { return };
        streams.open -= 1;
        streams.left.extend(broken);
        if streams.open > 0 {
            return;
        }
        if streams.left.is_empty() {
            sessions.remove(session);
            return;
        }
        drop(sessions);
        let (presence, session) = (self.clone(), session.to_owned());
        match tokio::runtime::Handle::try_current() {
            // Ends by itself, within the grace.
            Ok(runtime) => drop(runtime.spawn(async move {
                tokio::time::sleep(GRACE).await;
                presence.give_up(&session);
            })),
            // The runtime is gone, and every call with it.
            Err(_) => presence.give_up(&session),
        }
    }

    fn give_up(&self, session: &str) {
        let mut sessions = self.lock();
        if sessions.get(session).is_some_and(|streams| streams.open == 0) {
            for call in sessions.remove(session).into_iter().flat_map(|streams| streams.left) {
                call.cancel();
            }
        }
    }
}

impl Held {
    /// Keeps it for as long as the answer is sent.
    pub fn with(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| Body::new(Watched { body, held: self }))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        match &self.session {
            Some(session) => self.presence.left(session, (!self.ended).then(|| self.call.clone())),
            None if !self.ended => self.call.cancel(),
            None => {}
        }
    }
}

struct Watched {
    body: Body,
    held: Held,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.held.ended = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_gone(caller: &Caller) -> bool {
        caller.0.is_cancelled()
    }

    async fn sent(held: Held) {
        let response = held.with(Response::new(Body::from("answer")));
        axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_when_no_stream_of_its_session_is_left() {
        let presence = Presence::default();
        let session = || Some("s".to_owned());
        let (listening, _) = presence.hold(session());
        let (call, caller) = presence.hold(session());
        drop(call);
        tokio::time::sleep(GRACE * 2).await;
        assert!(!is_gone(&caller), "its client still listens");
        drop(listening);
        assert!(!is_gone(&caller), "it may come back at once");
        let (again, _) = presence.hold(session());
        tokio::time::sleep(GRACE * 2).await;
        assert!(!is_gone(&caller), "it came back");
        drop(again);
        caller.gone().await;
        assert!(presence.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_answered_leaves_nothing_behind() {
        let presence = Presence::default();
        let (call, caller) = presence.hold(Some("s".to_owned()));
        sent(call).await;
        tokio::time::sleep(GRACE * 2).await;
        assert!(!is_gone(&caller) && presence.lock().is_empty());
    }

    #[tokio::test]
    async fn a_call_without_a_session_ends_with_its_stream() {
        let presence = Presence::default();
        let (answered, caller) = presence.hold(None);
        sent(answered).await;
        assert!(!is_gone(&caller));
        let (call, caller) = presence.hold(None);
        drop(call);
        assert!(is_gone(&caller));
    }
}
