//! Outside clients of the debugging protocol: Playwright, Puppeteer and whoever speaks it, all on the one pipe.
//!
//! ```text
//!   client's words ─▶ plan: class, scope ─▶ pipe ─▶ (gate) ─▶ Chromium
//!   client's ears  ◀─ (gate) or missed ◀──────── sessions of its own
//! ```
//!
//! Each client has a browser session of its own in Chromium, made by `Target.attachToBrowserTarget`; what it attaches to hangs
//! on that one and goes with it. So the sessions' ids are Chromium's own, the messages' numbers are mapped by the pipe,
//! and no client hears of another's sessions.
//! Owns what each client has, missed and laid over pages. Leaves to others: whose turn it is (the driver), and the wire.

mod begun;
mod class;
mod client;
mod downloads;
mod hand_out;
mod headers;
mod member;
mod missed;
mod named;
mod nested;
mod new_documents;
mod reach;
mod scope;
mod standing;
mod targets;
mod veiled;
mod words;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::class::{Class, class};
pub use self::client::{Client, Command, Ears};
use self::member::{Attached, Member, watch};
use self::nested::Nested;
pub use self::targets::Targets;
use super::error::BrowserError;
use super::gate::Gate;
use super::pipe::{CallError, Pass, Pipe, Told};
use super::world::{State, World};

/// Longest message of a client, in bytes: a file that it gives to a page in base64 fits.
pub const MAX_MESSAGE: usize = 128 << 20;
/// Messages that may wait for a slow client; one that lets more pile up is cut off.
const QUEUE: usize = 65_536;
/// Clients of one browser at once.
const CLIENTS_MAX: usize = 64;

/// Every client of one browser, by session.
#[derive(Default)]
pub struct Clients {
    by_session: Mutex<HashMap<String, Arc<Member>>>,
    connected: AtomicUsize,
}

/// Where a client hangs: at the browser, or at one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Browser,
    Page(String),
}

impl Clients {
    /// Passes an event on if it is for a client; says whether it was.
    pub fn on_event(&self, told: Told<'_>) -> bool {
        let Some(session) = told.session else { return false };
        let Some(client) = self.lock().get(session).cloned() else { return false };
        client.on_event(session, told);
        true
    }

    /// Waits until each session has told what its page had to tell: its answer comes after that. A page that hangs is not
    /// waited for longer than `deadline`.
    pub async fn flush(&self, pipe: &Pipe, deadline: Duration) {
        let sessions: Vec<String> = self.lock().keys().cloned().collect();
        let answers = sessions.iter().map(|session| {
            // Of all methods that a page's own process answers, this one reads the least. A browser's session has none such.
            pipe.call_within(deadline, &Pass::Bookkeeping, Some(session), "Runtime.getIsolateId", json!({}))
        });
        join_all(answers).await;
    }

    /// Lets every client go: the browser is gone.
    pub fn close(&self) {
        for client in self.lock().values() {
            client.cut.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Member>>> {
        // Entries are put and taken whole: no panic leaves the map half changed.
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client could not be let in.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    #[error("{CLIENTS_MAX} clients are connected to this browser already")]
    TooMany,
    #[error(transparent)]
    Browser(#[from] BrowserError),
}

impl Client {
    /// Lets a client in at a place of the browser.
    pub(super) async fn admit(
        clients: &Arc<Clients>,
        pipe: &Pipe,
        gate: &Gate,
        world: &Arc<World>,
        place: Place,
    ) -> Result<(Self, Ears), AdmitError> {
        let seat = Seat::take(clients)?;
        let attached = pipe.call(&Pass::Bookkeeping, None, "Target.attachToBrowserTarget", json!({})).await;
        let browser = session_id(&attached.map_err(BrowserError::from)?)?;
        let leave = Leave { pipe: pipe.clone(), browser: browser.clone() };
        let root = match &place {
            Place::Browser => browser.clone(),
            Place::Page(id) => {
                let is_shown = |state: &State| state.tab(id).is_some() && state.targets.is_shown(id);
                if !is_shown(&world.state()) {
                    return Err(BrowserError::NoTab(id.clone()).into());
                }
                let page = json!({ "targetId": id, "flatten": true });
                let attached = pipe.call(&Pass::Bookkeeping, Some(&browser), "Target.attachToTarget", page).await;
                session_id(&attached.map_err(BrowserError::from)?)?
            }
        };
        let (queue, ears) = mpsc::channel(QUEUE);
        let member = Arc::new(Member {
            clients: clients.clone(),
            pipe: pipe.clone(),
            gate: gate.clone(),
            world: world.clone(),
            browser,
            root,
            state: Mutex::default(),
            queue,
            queued_bytes: AtomicUsize::new(0),
            cut: CancellationToken::new(),
            on_host: AtomicBool::new(false),
            nested: Nested::default(),
        });
        {
            let mut state = member.lock();
            let mut known = clients.lock();
            for session in [&member.browser, &member.root] {
                let target = match &place {
                    Place::Page(id) if *session == member.root => id.clone(),
                    Place::Page(_) | Place::Browser => String::new(),
                };
                state.sessions.insert(session.clone(), Attached { target, ..Attached::default() });
                known.insert(session.clone(), member.clone());
            }
        }
        world.starting.client_came();
        let watching = tokio::spawn(watch(member.clone()));
        Ok((Self { member: member.clone(), watching, _leave: leave, _seat: seat }, Ears { queue: ears, member }))
    }
}

fn session_id(attached: &Value) -> Result<String, BrowserError> {
    attached["sessionId"].as_str().map(str::to_owned).ok_or_else(|| {
        let method = "Target.attachToTarget".to_owned();
        BrowserError::Call(CallError::Reply { method, cause: "no session was given".to_owned() })
    })
}

/// A place among the clients, given back at the end.
struct Seat(Arc<Clients>);

impl Seat {
    fn take(clients: &Arc<Clients>) -> Result<Self, AdmitError> {
        let before = clients.connected.fetch_add(1, Ordering::Relaxed);
        let seat = Self(clients.clone());
        if before < CLIENTS_MAX { Ok(seat) } else { Err(AdmitError::TooMany) }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Detaches the client's browser session at the end, and with it all that hangs on it.
struct Leave {
    pipe: Pipe,
    browser: String,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.pipe.note(None, "Target.detachFromTarget", json!({ "sessionId": self.browser }));
    }
}
