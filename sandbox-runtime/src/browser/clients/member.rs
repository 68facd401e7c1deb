//! One client among the others: what it has, hears, missed, and laid over pages.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Clients;
use super::begun::Begun;
use super::class::Class;
use super::downloads::Wishes;
use super::headers;
use super::missed::{Missed, MissedEvent};
use super::nested::Nested;
use super::new_documents::{NewDocumentScript, NewDocuments};
use super::reach::News;
use super::standing::{self, Standing};
use super::targets::Withheld;
use super::veiled::Requests;
use super::words::{SERVER_ERROR, refusal};
use crate::browser::ClientDid;
use crate::browser::documents::Contexts;
use crate::browser::gate::{Gate, Refused};
use crate::browser::pipe::{Foreign, Forwarded, Pipe, Told};
use crate::browser::starting;
use crate::browser::world::World;

/// How many bytes may wait for a slow client; one that lets more pile up is cut off.
const QUEUE_BYTES: usize = 256 << 20;

/// What is said of an act whose answer came when a person held control.
const DONE: &str =
    "it was sent before a person took control; what came of it is not told: look again after the hand-back";

/// What the connection and the reading task share.
pub struct Member {
    pub clients: Arc<Clients>,
    pub pipe: Pipe,
    pub gate: Gate,
    pub world: Arc<World>,
    /// The client's browser session.
    pub browser: String,
    /// The session that messages without one are for.
    pub root: String,
    pub state: Mutex<ClientState>,
    pub queue: mpsc::Sender<String>,
    pub queued_bytes: AtomicUsize,
    /// The client is to be let go: it is too slow, or the browser is gone.
    pub cut: CancellationToken,
    /// It runs on this machine, not in a room.
    pub on_host: AtomicBool,
    pub nested: Nested,
}

#[derive(Default)]
pub struct ClientState {
    pub sessions: HashMap<String, Attached>,
    /// Browser contexts that this client made.
    pub contexts: BTreeSet<String>,
    pub downloads: Wishes,
    /// Set while nothing of the page is told to the client; nothing is sent for it meanwhile either.
    pub missed: Option<Missed>,
    /// Set once a person drove: of their requests nothing is told, also after the hand-back.
    pub begun: Option<Begun>,
    /// What it laid over pages was lifted for the person.
    pub lifted: bool,
    /// Numbers of commands that are not answered yet.
    pub unanswered: BTreeSet<u64>,
    /// Targets that are not for clients.
    pub withheld: Withheld,
    /// Authenticators that this client made.
    pub authenticators: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub struct Attached {
    pub target: String,
    /// The target waits until the client lets it go.
    pub waits: bool,
    /// The debugger stands at a breakpoint.
    pub paused: bool,
    /// It stood in our own script and goes on: that it did is not told either.
    pub stood_with_us: bool,
    /// What is attached by itself from here on is nested.
    pub nests: bool,
    pub standing: Standing,
    pub new_documents: NewDocuments,
    /// Worlds that Chromium told the session about, including ours.
    pub contexts: Contexts,
    /// Scripts that the client knows.
    pub scripts: BTreeSet<String>,
    /// Requests of documents that a person typed in.
    pub requests: Requests,
    /// Those by which such a document was left, with something sent along.
    pub posts: Requests,
}

/// What a command that succeeded makes true.
pub enum Follow {
    Nothing,
    /// This tab is in front.
    InFront(String),
    /// A browser context is the client's own.
    Context,
    /// An authenticator is the client's own.
    Authenticator,
    /// The session that was attached is nested in this one; `None` for the root.
    Nested(Option<String>),
    /// A document was asked for at this address.
    Opened(String),
    /// A script runs in each new document.
    Script(NewDocumentScript),
}

impl Member {
    pub fn lock(&self) -> MutexGuard<'_, ClientState> {
        // Each change stands for itself: a panic in one leaves a state that is still true of the rest.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles an event of one of the client's sessions. Called in order, never blocks.
    pub fn on_event(self: &Arc<Self>, session: &str, told: Told<'_>) {
        let mut state = self.lock();
        match told.method {
            "Target.attachedToTarget" => self.attached(&mut state, told),
            "Target.detachedFromTarget" => {
                let params = told.event().params;
                if let Some(gone) = params["sessionId"].as_str() {
                    if let Some(attached) = state.sessions.remove(gone) {
                        self.world.starting.left(&self.pipe, &attached.target, gone);
                        self.world.feign_front(&attached.target, gone, false);
                    }
                    self.nested.remove(gone);
                    self.clients.lock().remove(gone);
                    if gone == self.root {
                        self.cut.cancel();
                    }
                }
            }
            "Debugger.paused" | "Debugger.resumed" => {
                if let Some(attached) = state.sessions.get_mut(session) {
                    attached.paused = told.method == "Debugger.paused";
                }
            }
            _ => {}
        }
        let other;
        let news = match self.sort(&mut state, session, told) {
            News::AsIs => self.sort_veiled(&mut state, session, told),
            news @ (News::With(_) | News::After(_) | News::Kept) => news,
        };
        let (told, earlier) = match news {
            News::AsIs => (told, Vec::new()),
            News::With(params) => {
                other = params.to_string();
                (Told { params: &other, ..told }, Vec::new())
            }
            News::After(earlier) => (told, earlier),
            News::Kept => return,
        };
        for (session, method, params) in earlier {
            self.pass_on(&mut state, &session, Told { session: None, method, params: &params.to_string() });
        }
        self.pass_on(&mut state, session, told);
    }

    /// Tells an event that is for the client, now or later.
    fn pass_on(&self, state: &mut ClientState, session: &str, told: Told<'_>) {
        // A client of one page knows nothing of a browser session.
        if session == self.browser && session != self.root {
            return;
        }
        if state.missed.is_none() {
            let early = match &mut state.begun {
                Some(begun) => begun.tells(session, told),
                None => Some(Vec::new()),
            };
            let Some(early) = early else { return };
            let shown = (session != self.root).then_some(session);
            let tell = || {
                self.send_event(told.method, &headers::told(told.method, told.params), shown);
                self.tell(early);
            };
            if self.gate.dispatch_look(tell).is_ok() {
                return;
            }
        }
        self.miss(state, session, told);
    }

    /// Keeps what the client needs to know later, and lets nothing of the page wait for it.
    fn miss(&self, state: &mut ClientState, session: &str, told: Told<'_>) {
        let mut params = told.event().params;
        match told.method {
            "Target.attachedToTarget" => {
                if let Some(child) = params["sessionId"].as_str()
                    && let Some(attached) = state.sessions.get_mut(child)
                {
                    attached.let_go(&self.pipe, &self.world, child);
                }
                params["waitingForDebugger"] = Value::Bool(false);
            }
            "Debugger.paused" => {
                if let Some(attached) = state.sessions.get_mut(session) {
                    attached.let_go(&self.pipe, &self.world, session);
                }
            }
            _ => {}
        }
        state.missed.get_or_insert_default().add(session, told.method, params);
    }

    fn attached(self: &Arc<Self>, state: &mut ClientState, told: Told<'_>) {
        let params = told.event().params;
        let Some(child) = params["sessionId"].as_str() else { return };
        let target = params["targetInfo"]["targetId"].as_str().unwrap_or_default().to_owned();
        let waits = params["waitingForDebugger"] == true;
        if waits {
            self.world.starting.waits(&target, child);
        }
        if let Some(above) = told.session.filter(|above| state.sessions.get(*above).is_some_and(|above| above.nests)) {
            self.nested.insert(child, Some(above).filter(|above| *above != self.root));
        }
        state.sessions.entry(child.to_owned()).or_insert(Attached { target, waits, ..Attached::default() });
        self.clients.lock().insert(child.to_owned(), self.clone());
    }

    pub fn follow_of(&self, foreign: &Foreign) -> Follow {
        match foreign.method.as_str() {
            "Target.createBrowserContext" => Follow::Context,
            "WebAuthn.addVirtualAuthenticator" => Follow::Authenticator,
            "Page.navigate" | "Target.createTarget" => {
                let params: Value = serde_json::from_str(&foreign.params).unwrap_or_default();
                let url = params["url"].as_str().filter(|url| !url.is_empty() && *url != "about:blank");
                let is_frame = params["frameId"].as_str().is_some_and(|frame| self.world.state().tab(frame).is_none());
                url.filter(|_| !is_frame).map_or(Follow::Nothing, |url| Follow::Opened(url.to_owned()))
            }
            "Page.addScriptToEvaluateOnNewDocument" | "Page.addScriptToEvaluateOnLoad" => {
                Follow::Script(NewDocumentScript::of(foreign))
            }
            "Page.bringToFront" => match self.lock().sessions.get(&foreign.session) {
                Some(attached) => Follow::InFront(attached.target.clone()),
                None => Follow::Nothing,
            },
            "Target.activateTarget" => {
                let params: Value = serde_json::from_str(&foreign.params).unwrap_or_default();
                params["targetId"].as_str().map_or(Follow::Nothing, |tab| Follow::InFront(tab.to_owned()))
            }
            _ => Follow::Nothing,
        }
    }

    /// Puts into the history that the client opened an address, and why that failed.
    fn tell_opened(&self, url: &str, result: &str) {
        let answer: Value = serde_json::from_str(result).unwrap_or_default();
        // What a data address holds is the client's own, and long.
        let place = if url.starts_with("data:") { "data:…" } else { url };
        self.world.client_did(ClientDid {
            name: "navigate",
            summary: format!("opened {place}"),
            url: place.to_owned(),
            title: String::new(),
            error: answer["errorText"].as_str().filter(|why| !why.is_empty()).map(str::to_owned),
        });
    }

    /// Remembers what a command lays over a page, before it is sent.
    pub fn note(&self, foreign: &Foreign) {
        let mut state = self.lock();
        let Some(attached) = state.sessions.get_mut(&foreign.session) else { return };
        if foreign.method == "Runtime.runIfWaitingForDebugger" {
            attached.waits = false;
        }
        attached.standing.note(&foreign.method, &foreign.params);
        attached.new_documents.note(&foreign.method, &foreign.params);
        if foreign.method.starts_with("Input.") {
            self.world.state().clients_act = true;
        }
        if foreign.method == standing::FOCUS {
            self.world.feign_front(&attached.target, &foreign.session, attached.standing.feigns_front());
        }
    }

    /// Remembers whether what is attached by itself is nested from now on.
    pub fn note_nesting(&self, foreign: &Foreign, nests: bool) {
        if foreign.method == "Target.setAutoAttach"
            && let Some(attached) = self.lock().sessions.get_mut(&foreign.session)
        {
            attached.nests = nests;
        }
    }

    /// Whether letting a paused target go waits for others who prepare it.
    pub fn is_early(&self, foreign: &Foreign) -> bool {
        if foreign.method != "Runtime.runIfWaitingForDebugger" {
            return false;
        }
        let target = self.lock().sessions.get(&foreign.session).map(|attached| attached.target.clone());
        let Some(target) = target else { return false };
        let Some(others) = self.world.starting.lets_go(&target, &foreign.session) else { return true };
        starting::go(&self.pipe, &others);
        false
    }

    /// Passes an answer on; what a look would show of a person's page is withheld.
    pub fn answered(
        &self,
        number: u64,
        id: i64,
        named: Option<&str>,
        class: Class,
        follows: Follow,
        answer: Forwarded<'_>,
    ) {
        let mut state = self.lock();
        state.unanswered.remove(&number);
        let (kind, body) = match answer {
            Forwarded::Result(result) => {
                match follows {
                    Follow::Nothing => {}
                    Follow::InFront(tab) => self.world.set_front(&tab),
                    Follow::Context => {
                        let made: Value = serde_json::from_str(result).unwrap_or_default();
                        state.contexts.extend(made["browserContextId"].as_str().map(str::to_owned));
                    }
                    Follow::Authenticator => {
                        let made: Value = serde_json::from_str(result).unwrap_or_default();
                        state.authenticators.extend(made["authenticatorId"].as_str().map(str::to_owned));
                    }
                    Follow::Nested(above) => {
                        let attached: Value = serde_json::from_str(result).unwrap_or_default();
                        if let Some(session) = attached["sessionId"].as_str() {
                            self.nested.insert(session, above.as_deref());
                        }
                    }
                    Follow::Opened(url) => self.tell_opened(&url, result),
                    Follow::Script(script) => {
                        let added: Value = serde_json::from_str(result).unwrap_or_default();
                        let is_lifted = state.lifted;
                        if let Some(attached) = state.sessions.get_mut(&script.session) {
                            attached.new_documents.add(&added["identifier"], script.method, script.params);
                            // A person came before it was answered.
                            if is_lifted {
                                attached.new_documents.lift(&self.pipe, &script.session);
                            }
                        }
                    }
                }
                ("result", result)
            }
            Forwarded::Error(error) => ("error", error),
            Forwarded::Refused(refused) => {
                let (word, why) = refusal(class, refused);
                self.refuse(id, named, SERVER_ERROR, word, Some(&why));
                return;
            }
        };
        if class == Class::Neutral {
            self.send_answer(id, kind, body, named);
            return;
        }
        let may = if state.missed.is_some() { Err(Refused::HeldByPerson) } else { self.gate.dispatch_look(|| ()) };
        match may {
            Ok(()) => self.send_answer(id, kind, body, named),
            // What was done is never answered with a refusal to do it; an answer that says nothing of the page is passed on.
            Err(_) if class == Class::Act => match answer {
                Forwarded::Result("{}") => self.send_answer(id, kind, body, named),
                Forwarded::Result(_) | Forwarded::Error(_) | Forwarded::Refused(_) => {
                    self.refuse(id, named, SERVER_ERROR, "blind", Some(DONE));
                }
            },
            Err(refused) => {
                let (word, why) = refusal(class, refused);
                self.refuse(id, named, SERVER_ERROR, word, Some(&why));
            }
        }
    }

    /// A person took control: nothing of the client's stands in their way.
    fn lift(&self) {
        let mut state = self.lock();
        state.missed.get_or_insert_default();
        if std::mem::replace(&mut state.lifted, true) {
            return;
        }
        for (session, attached) in &mut state.sessions {
            attached.let_go(&self.pipe, &self.world, session);
            self.world.feign_front(&attached.target, session, false);
            attached.standing.lift(&self.pipe, session);
            attached.new_documents.lift(&self.pipe, session);
        }
    }

    /// The person handed back: the client's settings stand again, and it is told what it missed.
    fn lay_again(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.lifted) {
            for (session, attached) in &state.sessions {
                // Before it is laid: a tab behind would report that it came to the front.
                self.world.feign_front(&attached.target, session, attached.standing.feigns_front());
                attached.standing.lay_again(&self.pipe, session);
                attached.new_documents.add_again(&self.pipe, session);
            }
        }
        let Some(missed) = state.missed.take() else { return };
        // Taken again at once: then what was missed is told after that.
        let may = self.gate.dispatch_look(|| ());
        if may.is_err() {
            state.missed = Some(missed);
            return;
        }
        state.begun = Some(Begun::default());
        self.tell(missed.into_events());
    }

    fn tell(&self, events: Vec<MissedEvent>) {
        for event in events {
            let shown = (event.session != self.root).then_some(event.session.as_str());
            self.send_event(&event.method, &event.params.to_string(), shown);
        }
    }

    /// Returns the only tab that is shown, if it is the only one.
    pub fn only_tab(&self) -> Option<String> {
        let state = self.world.state();
        let mut shown = state.shown_tabs();
        let only = shown.next()?.id.clone();
        shown.next().is_none().then_some(only)
    }

    pub fn refuse(&self, id: i64, named: Option<&str>, code: i64, message: &str, why: Option<&str>) {
        let mut error = json!({ "code": code, "message": message });
        if let Some(why) = why {
            error["data"] = Value::String(why.to_owned());
        }
        self.send_answer(id, "error", &error.to_string(), named);
    }

    pub fn say(&self, message: Value) {
        self.send(message.to_string());
    }

    pub fn send(&self, text: String) {
        let bytes = text.len();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if queued > QUEUE_BYTES || self.queue.try_send(text).is_err() {
            self.cut.cancel();
        }
    }
}

impl Attached {
    /// Lets the target go on, whatever it waits for.
    pub fn let_go(&mut self, pipe: &Pipe, world: &World, session: &str) {
        if std::mem::take(&mut self.waits)
            && let Some(others) = world.starting.lets_go(&self.target, session)
        {
            starting::go(pipe, &others);
            pipe.note(Some(session), "Runtime.runIfWaitingForDebugger", json!({}));
        }
        if std::mem::take(&mut self.paused) {
            pipe.note(Some(session), "Debugger.resume", json!({}));
        }
    }
}

/// Follows who drives, for one client.
pub async fn watch(member: Arc<Member>) {
    let mut held = member.gate.held();
    loop {
        let is_held = *held.borrow_and_update();
        if is_held {
            member.lift();
        } else {
            member.lay_again();
        }
        // Ends with the client, or with the gate.
        if held.changed().await.is_err() {
            return;
        }
    }
}
