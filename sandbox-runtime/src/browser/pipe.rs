//! Chromium's debugging pipe: JSON messages ended by NUL, over one byte stream.
//!
//! Owns numbering, matching replies, deadlines, and the one place where the gate is asked: the writing task, right before
//! a command's bytes are written. Leaves the meaning of events to whoever gave `on_event`.
//!
//! Commands whose shape has been stable for years are `chromiumoxide_cdp`'s typed ones ([`Pipe::command`]).
//! Raw JSON ([`Pipe::call`]) is for the others: that schema is of Chromium 145, and a reply that gained or lost a required
//! field since (frames, cookies, targets) would fail to parse as a whole although we read two of its fields.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chromiumoxide_types::Command;
use sandbox_core::Lease;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gate::{Gate, Permit, Refused};

/// How long a single command may take to be answered, unless its caller says otherwise.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(15);
/// Commands that may wait to be written; Chromium reads its pipe all the time, so that more means it is stuck.
const WRITE_BACKLOG: usize = 1024;
/// Longest message that is accepted: a screenshot of a large screen in base64 fits.
const MAX_MESSAGE: usize = 128 << 20;

/// By what right a command is written.
#[derive(Clone)]
pub enum Pass {
    /// Acts on a page, or looks at it as part of an action.
    Act(Permit),
    /// Puts a person's text into a page.
    Person(Gate, Lease),
    /// Looks at a page.
    Look(Gate),
    /// Does what an action was told to do later: answers its dialog.
    Promised(Gate),
    /// The runtime's own bookkeeping: attaching, recording names during a takeover, the receipt. Never acts for anyone.
    Bookkeeping,
}

impl Pass {
    /// Runs `send`, which hands bytes to the wire, if this right holds now.
    fn dispatch<R>(&self, send: impl FnOnce() -> R) -> Result<R, Refused> {
        match self {
            Self::Act(permit) => permit.dispatch(send),
            Self::Person(gate, lease) => gate.dispatch_person(*lease, send),
            Self::Look(gate) => gate.dispatch_look(send),
            Self::Promised(gate) => gate.dispatch_promised(send),
            Self::Bookkeeping => Ok(send()),
        }
    }
}

/// Something Chromium told without being asked.
#[derive(Clone, Debug)]
pub struct Event {
    pub session: Option<String>,
    pub method: String,
    pub params: Value,
}

/// An event as it came, its parameters unread: most of what is told to outside clients is only passed on.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub session: Option<&'a str>,
    pub method: &'a str,
    /// JSON.
    pub params: &'a str,
}

/// What became of a command that was forwarded for an outside client; JSON as it came.
#[derive(Clone, Copy, Debug)]
pub enum Forwarded<'a> {
    Result(&'a str),
    /// Chromium's own error object.
    Error(&'a str),
    /// It was not written.
    Refused(Refused),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the browser's debugging pipe is closed")]
    Closed,
    #[error("{method}: no answer within {} ms", .after.as_millis())]
    Deadline { method: String, after: Duration },
    /// Chromium's own error.
    #[error("{method}: {message}")]
    Failed { method: String, code: i64, message: String },
    /// A reply that does not have the shape its command promises.
    #[error("{method}: the answer is not understood: {cause}")]
    Reply { method: String, cause: String },
}

/// The pipe; cheap to clone. It ends when the stream does, or when its [`PipeTasks`] is dropped.
#[derive(Clone)]
pub struct Pipe {
    inner: Arc<Inner>,
}

/// Owns the tasks that read and write; dropping it ends both.
pub struct PipeTasks {
    pipe: Pipe,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

struct Inner {
    next_id: AtomicU64,
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Mutex<Waiting>,
    closed: watch::Sender<bool>,
}

/// Who waits for which reply; `None` once the pipe has ended.
type Waiting = Option<HashMap<u64, Waiter>>;

type Then = Box<dyn FnOnce(&Pipe, Value) + Send>;
type Forward = Box<dyn FnOnce(Forwarded<'_>) + Send>;

enum Waiter {
    Caller(oneshot::Sender<Result<Value, CallError>>),
    /// Runs in the reading task, so that it must not block.
    Then(Then),
    /// Passes the answer on to an outside client; must not block either. Dropped unrun when the pipe ends.
    Forward(Forward),
}

/// A message of Chromium, read no deeper than where it goes.
#[derive(Deserialize)]
struct Message<'a> {
    id: Option<u64>,
    #[serde(borrow, rename = "sessionId")]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Commands that are written together, or not at all.
struct Outgoing {
    pass: Pass,
    ids: Vec<u64>,
    bytes: Vec<u8>,
}

/// A command of an outside client: its parameters are passed on as they are.
#[derive(Clone, Debug)]
pub struct Foreign {
    pub session: String,
    pub method: String,
    /// JSON.
    pub params: String,
}

/// A command before it has a number.
#[derive(Clone, Debug)]
pub struct Call {
    pub session: Option<String>,
    pub method: String,
    pub params: Value,
}

impl Call {
    pub fn new(session: Option<&str>, method: &str, params: Value) -> Self {
        Self { session: session.map(str::to_owned), method: method.to_owned(), params }
    }

    /// Makes a call of a typed command.
    pub fn typed<C: Command>(session: Option<&str>, command: &C) -> Self {
        let params = serde_json::to_value(command).expect("commands are plain data");
        Self::new(session, &command.identifier(), params)
    }
}

impl Pipe {
    /// Starts speaking on `io`. `on_event` is called in order for each event and must not block;
    /// it may send with [`Pipe::note`].
    pub fn start<S>(io: S, mut on_event: impl FnMut(&Pipe, Told<'_>) + Send + 'static) -> (Self, PipeTasks)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (read, write) = tokio::io::split(io);
        let (outgoing, queue) = mpsc::channel(WRITE_BACKLOG);
        let inner = Arc::new(Inner {
            next_id: AtomicU64::new(1),
            outgoing,
            waiting: Mutex::new(Some(HashMap::new())),
            closed: watch::Sender::new(false),
        });
        let pipe = Self { inner };
        let cancelled = CancellationToken::new();
        let reader = tokio::spawn({
            let (pipe, cancelled) = (pipe.clone(), cancelled.clone());
            async move {
                tokio::select! {
                    ended = read_messages(read, |message| pipe.receive(message, &mut on_event)) => {
                        if let Err(error) = ended {
                            tracing::debug!(%error, "the debugging pipe ended");
                        }
                    }
                    () = cancelled.cancelled() => {}
                }
                pipe.end();
            }
        });
        let writer = tokio::spawn({
            let pipe = pipe.clone();
            async move {
                write_commands(&pipe, write, queue).await;
                cancelled.cancel();
            }
        });
        (pipe.clone(), PipeTasks { pipe, reader, writer })
    }

    /// Sends one command and waits for its reply.
    pub async fn call(
        &self,
        pass: &Pass,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, CallError> {
        self.call_within(COMMAND_DEADLINE, pass, session, method, params).await
    }

    /// As [`Pipe::call`], with a deadline of its own.
    pub async fn call_within(
        &self,
        deadline: Duration,
        pass: &Pass,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, CallError> {
        let mut replies = self.batch(deadline, pass, vec![Call::new(session, method, params)]).await?;
        Ok(replies.pop().unwrap_or_default())
    }

    /// Sends one typed command and waits for its typed reply.
    pub async fn command<C: Command>(
        &self,
        pass: &Pass,
        session: Option<&str>,
        command: C,
    ) -> Result<C::Response, CallError> {
        let call = Call::typed(session, &command);
        let method = call.method.clone();
        let mut replies = self.batch(COMMAND_DEADLINE, pass, vec![call]).await?;
        C::response_from_value(replies.pop().unwrap_or_default())
            .map_err(|cause| CallError::Reply { method, cause: cause.to_string() })
    }

    /// Sends commands in one write, so that no one comes between them and none is left half done
    /// (a button pressed and never released), and waits for all replies.
    ///
    /// # Errors
    ///
    /// The first that failed.
    pub async fn batch(&self, deadline: Duration, pass: &Pass, calls: Vec<Call>) -> Result<Vec<Value>, CallError> {
        let methods: Vec<String> = calls.iter().map(|call| call.method.clone()).collect();
        let (outgoing, replies) = self.number(pass.clone(), calls, true)?;
        let _forget = Forget { pipe: self, ids: outgoing.ids.clone() };
        let what = || methods.first().cloned().unwrap_or_default();
        let all = async {
            self.inner.outgoing.send(outgoing).await.map_err(|_| CallError::Closed)?;
            let mut values = Vec::with_capacity(replies.len());
            for (reply, method) in replies.into_iter().zip(&methods) {
                let value = reply.await.map_err(|_| CallError::Closed)?;
                values.push(value.map_err(|error| error.of(method))?);
            }
            Ok(values)
        };
        tokio::time::timeout(deadline, all)
            .await
            .unwrap_or_else(|_| Err(CallError::Deadline { method: what(), after: deadline }))
    }

    /// Sends bookkeeping without waiting for a reply. Never blocks, so that it may be used while an event is handled.
    pub fn note(&self, session: Option<&str>, method: &str, params: Value) {
        let numbered = self.number(Pass::Bookkeeping, vec![Call::new(session, method, params)], false);
        if let Ok((outgoing, _)) = numbered {
            self.enqueue(outgoing, method);
        }
    }

    /// As [`Pipe::note`]; `then` is given the result, in the reading task and in order with the events. Not called on failure.
    pub fn note_then(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
        then: impl FnOnce(&Pipe, Value) + Send + 'static,
    ) {
        let numbered = self.number(Pass::Bookkeeping, vec![Call::new(session, method, params)], true);
        let Ok((outgoing, _)) = numbered else { return };
        if let Some(waiting) = self.waiting().as_mut() {
            waiting.extend(outgoing.ids.first().map(|id| (*id, Waiter::Then(Box::new(then)))));
        }
        self.enqueue(outgoing, method);
    }

    /// Returns a number for a command that is forwarded.
    pub fn next_number(&self) -> u64 {
        self.inner.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a command of an outside client under that number; `then` is given the answer, in order with the events.
    ///
    /// # Errors
    ///
    /// Only when the pipe is closed. A refusal of the gate comes as the answer.
    pub async fn forward(
        &self,
        number: u64,
        pass: Pass,
        foreign: Foreign,
        then: impl FnOnce(Forwarded<'_>) + Send + 'static,
    ) -> Result<(), CallError> {
        let Foreign { session, method, params } = foreign;
        let (session, method) = (Value::String(session), Value::String(method));
        let mut bytes =
            format!(r#"{{"id":{number},"method":{method},"params":{params},"sessionId":{session}}}"#).into_bytes();
        bytes.push(0);
        self.waiting().as_mut().ok_or(CallError::Closed)?.insert(number, Waiter::Forward(Box::new(then)));
        let outgoing = Outgoing { pass, ids: vec![number], bytes };
        self.inner.outgoing.send(outgoing).await.map_err(|_| CallError::Closed)
    }

    /// Forgets who waits for these numbers.
    pub fn forget(&self, ids: impl IntoIterator<Item = u64>) {
        // Taken out first: what is dropped with them may ask the pipe again.
        let forgotten: Vec<Option<Waiter>> = match self.waiting().as_mut() {
            Some(waiting) => ids.into_iter().map(|id| waiting.remove(&id)).collect(),
            None => return,
        };
        drop(forgotten);
    }

    fn enqueue(&self, outgoing: Outgoing, method: &str) {
        if self.inner.outgoing.try_send(outgoing).is_err() {
            // A target that would stay paused for ever is worse than a browser that has to be started anew.
            tracing::warn!(method, "the browser does not read its debugging pipe");
            self.end();
        }
    }

    /// Whether the pipe has ended.
    pub fn is_closed(&self) -> bool {
        *self.inner.closed.borrow()
    }

    /// Resolves when the pipe has ended.
    pub async fn closed(&self) {
        // Fails only without a sender, which `self` keeps.
        let _ = self.inner.closed.subscribe().wait_for(|closed| *closed).await;
    }

    fn number(&self, pass: Pass, calls: Vec<Call>, answered: bool) -> Result<(Outgoing, Vec<Reply>), CallError> {
        let mut guard = self.waiting();
        let waiting = guard.as_mut().ok_or(CallError::Closed)?;
        let mut outgoing = Outgoing { pass, ids: Vec::new(), bytes: Vec::new() };
        let mut replies = Vec::new();
        for call in calls {
            let id = self.next_number();
            let mut message = json!({ "id": id, "method": call.method, "params": call.params });
            if let Some(session) = call.session {
                message["sessionId"] = Value::String(session);
            }
            outgoing.bytes.extend_from_slice(message.to_string().as_bytes());
            outgoing.bytes.push(0);
            if answered {
                let (answer, reply) = oneshot::channel();
                waiting.insert(id, Waiter::Caller(answer));
                outgoing.ids.push(id);
                replies.push(reply);
            }
        }
        Ok((outgoing, replies))
    }

    fn receive(&self, message: &[u8], on_event: &mut impl FnMut(&Pipe, Told<'_>)) {
        let Ok(message) = serde_json::from_slice::<Message<'_>>(message) else {
            tracing::warn!(bytes = message.len(), "a message of the debugging pipe is not understood");
            return;
        };
        if let Some(id) = message.id {
            let Some(waiter) = self.waiting().as_mut().and_then(|waiting| waiting.remove(&id)) else { return };
            self.answer(waiter, &message);
            return;
        }
        let Some(method) = message.method.as_deref() else { return };
        let params = message.params.map_or("{}", RawValue::get);
        on_event(self, Told { session: message.session.as_deref(), method, params });
    }

    fn answer(&self, waiter: Waiter, message: &Message<'_>) {
        let reply = || match message.error {
            Some(error) => {
                let error: Value = read(error);
                Err(CallError::Failed {
                    method: String::new(),
                    code: error["code"].as_i64().unwrap_or_default(),
                    message: error["message"].as_str().unwrap_or("unknown error").to_owned(),
                })
            }
            None => Ok(message.result.map(read).unwrap_or_default()),
        };
        match waiter {
            // Whoever asked may have given up.
            Waiter::Caller(answer) => drop(answer.send(reply())),
            Waiter::Then(then) => match reply() {
                Ok(value) => then(self, value),
                Err(error) => tracing::debug!(%error, "bookkeeping failed"),
            },
            Waiter::Forward(then) => match (message.error, message.result) {
                (Some(error), _) => then(Forwarded::Error(error.get())),
                (None, result) => then(Forwarded::Result(result.map_or("{}", RawValue::get))),
            },
        }
    }

    fn refuse(&self, ids: &[u64], refused: Refused) {
        let waiters: Vec<Waiter> = match self.waiting().as_mut() {
            Some(waiting) => ids.iter().filter_map(|id| waiting.remove(id)).collect(),
            None => return,
        };
        for waiter in waiters {
            match waiter {
                Waiter::Caller(answer) => drop(answer.send(Err(CallError::Refused(refused)))),
                Waiter::Then(_) => {}
                Waiter::Forward(then) => then(Forwarded::Refused(refused)),
            }
        }
    }

    /// Whoever still waits is told that the pipe is closed, by their sender being dropped.
    fn end(&self) {
        let waiting = self.waiting().take();
        drop(waiting);
        self.inner.closed.send_replace(true);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Reply = oneshot::Receiver<Result<Value, CallError>>;

impl Told<'_> {
    /// Reads the parameters.
    pub fn event(&self) -> Event {
        let params = serde_json::from_str(self.params).unwrap_or_default();
        Event { session: self.session.map(str::to_owned), method: self.method.to_owned(), params }
    }
}

impl CallError {
    fn of(self, of: &str) -> Self {
        match self {
            Self::Failed { code, message, .. } => Self::Failed { method: of.to_owned(), code, message },
            Self::Refused(_) | Self::Closed | Self::Deadline { .. } | Self::Reply { .. } => self,
        }
    }
}

impl Drop for PipeTasks {
    fn drop(&mut self) {
        self.writer.abort();
        self.reader.abort();
        self.pipe.end();
    }
}

/// Reads what was found to be JSON already.
fn read(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).unwrap_or_default()
}

/// Takes a call that was given up out of the list of those that wait.
struct Forget<'a> {
    pipe: &'a Pipe,
    ids: Vec<u64>,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.pipe.forget(self.ids.drain(..));
    }
}

async fn read_messages(mut read: impl AsyncRead + Unpin, mut on_message: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut held = Vec::with_capacity(64 << 10);
    loop {
        let scanned = held.len();
        if read.read_buf(&mut held).await? == 0 {
            return Ok(());
        }
        let mut begin = 0;
        let mut search = scanned;
        while let Some(length) = held[search..].iter().position(|byte| *byte == 0) {
            on_message(&held[begin..search + length]);
            begin = search + length + 1;
            search = begin;
        }
        held.drain(..begin);
        if held.len() > MAX_MESSAGE {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a message is too long"));
        }
        if held.capacity() > (4 << 20) && held.len() < (64 << 10) {
            held.shrink_to(64 << 10);
        }
    }
}

/// The one place where commands leave for Chromium, and where each one's right is checked: last, at dispatch.
async fn write_commands(pipe: &Pipe, mut write: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Outgoing>) {
    let mut closed = pipe.inner.closed.subscribe();
    loop {
        let outgoing = tokio::select! {
            outgoing = queue.recv() => outgoing,
            _ = closed.wait_for(|closed| *closed) => None,
        };
        let Some(Outgoing { pass, ids, bytes }) = outgoing else { return };
        let written = match begin(&pass, &mut write, &bytes).await {
            Err(refused) => {
                pipe.refuse(&ids, refused);
                continue;
            }
            Ok(Err(error)) => Err(error),
            // What has begun is finished: half a message would spoil all that follow.
            Ok(Ok(begun)) => finish(&mut write, &bytes[begun..]).await,
        };
        if let Err(error) = written {
            tracing::debug!(%error, "the debugging pipe cannot be written");
            pipe.end();
            return;
        }
    }
}

/// Writes the first bytes of a batch while the gate is locked, so that none begins after its right has ended.
async fn begin(
    pass: &Pass,
    write: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> Result<std::io::Result<usize>, Refused> {
    std::future::poll_fn(|context| {
        let polled = pass.dispatch(|| Pin::new(&mut *write).poll_write(context, bytes));
        match polled {
            Ok(written) => written.map(Ok),
            Err(refused) => Poll::Ready(Err(refused)),
        }
    })
    .await
}

async fn finish(write: &mut (impl AsyncWrite + Unpin), rest: &[u8]) -> std::io::Result<()> {
    write.write_all(rest).await?;
    write.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::Live;
    use sandbox_core::Lease;

    /// A browser that answers every command with its own method, after telling an event of the same name.
    async fn echo(io: tokio::io::DuplexStream) {
        let (read, mut write) = tokio::io::split(io);
        let (told, mut messages) = mpsc::channel::<Value>(64);
        let reader = read_messages(read, |message| {
            told.try_send(serde_json::from_slice(message).unwrap()).unwrap();
        });
        let writer = async {
            while let Some(message) = messages.recv().await {
                if message["method"] == "Silent" {
                    continue;
                }
                let event = json!({"method": message["method"], "params": {}, "sessionId": "s"});
                let reply = json!({"id": message["id"], "result": {"said": message["method"]}});
                write.write_all(format!("{event}\0{reply}\0").as_bytes()).await.unwrap();
            }
        };
        tokio::select! { _ = reader => {}, () = writer => {} }
    }

    fn started() -> (Pipe, PipeTasks, mpsc::Receiver<Event>, JoinHandle<()>) {
        let (ours, theirs) = tokio::io::duplex(256);
        let peer = tokio::spawn(echo(theirs));
        let (told, events) = mpsc::channel(64);
        let (pipe, tasks) = Pipe::start(ours, move |_, event| told.try_send(event.event()).unwrap());
        (pipe, tasks, events, peer)
    }

    #[tokio::test]
    async fn replies_find_their_calls_and_events_keep_their_order() {
        let (pipe, _tasks, mut events, _peer) = started();
        let calls = (0..20).map(|n| Call::new(None, &format!("Call.{n}"), json!({}))).collect();
        let replies = pipe.batch(COMMAND_DEADLINE, &Pass::Bookkeeping, calls).await.unwrap();
        for (n, reply) in replies.iter().enumerate() {
            assert_eq!(reply["said"], format!("Call.{n}"));
            assert_eq!(events.recv().await.unwrap().method, format!("Call.{n}"));
        }
    }

    #[tokio::test]
    async fn nothing_is_written_under_a_lease_that_is_over() {
        let (pipe, _tasks, mut events, _peer) = started();
        let gate = Gate::default();
        gate.set(Live::Agent(Lease(1)));
        let act = Pass::Act(gate.permit(Lease(1)));
        pipe.call(&act, None, "First", json!({})).await.unwrap();
        assert_eq!(events.recv().await.unwrap().method, "First");
        gate.set(Live::Person(Lease(2)));
        let refused = pipe.call(&act, None, "Second", json!({})).await.unwrap_err();
        assert!(matches!(refused, CallError::Refused(Refused::HeldByPerson)), "{refused}");
        let looked = pipe.call(&Pass::Look(gate.clone()), None, "Third", json!({})).await.unwrap_err();
        assert!(matches!(looked, CallError::Refused(Refused::HeldByPerson)), "{looked}");
        pipe.call(&Pass::Bookkeeping, None, "Fourth", json!({})).await.unwrap();
        assert_eq!(events.recv().await.unwrap().method, "Fourth", "neither refused command was written");
    }

    #[tokio::test]
    async fn a_batch_that_waits_for_room_does_not_begin_under_the_next_lease() {
        let (ours, mut theirs) = tokio::io::duplex(256);
        let (pipe, _tasks) = Pipe::start(ours, |_, _| {});
        let gate = Gate::default();
        gate.set(Live::Agent(Lease(1)));
        // Fills the wire to its last byte, so that the next command has its right and no room.
        let room = 255 - json!({"id": pipe.next_number() + 1, "method": "Fill", "params": {"x": ""}}).to_string().len();
        pipe.note(None, "Fill", json!({"x": "x".repeat(room)}));
        let act = Pass::Act(gate.permit(Lease(1)));
        let call = pipe.call(&act, None, "Late", json!({}));
        let handed_over = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            gate.set(Live::Person(Lease(2)));
            let mut filled = vec![0; 256];
            theirs.read_exact(&mut filled).await.unwrap();
            assert_eq!(filled.last(), Some(&0), "the wire was full to its last byte");
        };
        let (reply, ()) = tokio::join!(call, handed_over);
        assert!(matches!(reply, Err(CallError::Refused(Refused::HeldByPerson))), "{reply:?}");
    }

    #[tokio::test]
    async fn a_call_without_an_answer_ends_at_its_deadline_and_is_forgotten() {
        let (pipe, _tasks, _events, _peer) = started();
        let short = Duration::from_millis(20);
        let late = pipe.call_within(short, &Pass::Bookkeeping, None, "Silent", json!({})).await.unwrap_err();
        assert!(matches!(late, CallError::Deadline { .. }), "{late}");
        assert!(pipe.waiting().as_ref().unwrap().is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_is_told_when_the_browser_is_gone() {
        let (pipe, _tasks, _events, peer) = started();
        let call = pipe.call(&Pass::Bookkeeping, None, "Silent", json!({}));
        let gone = async {
            tokio::task::yield_now().await;
            peer.abort();
        };
        let (reply, ()) = tokio::join!(call, gone);
        assert!(matches!(reply, Err(CallError::Closed)));
        pipe.closed().await;
        assert!(matches!(pipe.call(&Pass::Bookkeeping, None, "Late", json!({})).await, Err(CallError::Closed)));
    }
}
