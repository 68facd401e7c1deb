//! What is known of the browser from its events: tabs, sessions, dialogs, downloads.
//!
//! Owns the record and the handling of each event, in order, in the pipe's reading task; sends only bookkeeping.
//! Every new target is paused by Chromium until it is prepared here, so that no document escapes the page script, and is
//! always let go. Leaves acting to `act`, and who may hear of what to the gate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::action::DialogRecord;
use sandbox_core::plain_name;
use sandbox_core::viewer::Aim;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};
use zeroize::Zeroizing;

use super::clients::Targets;
use super::dialogs::Promise;
use super::documents::{Documents, Filled};
use super::downloads;
use super::exchange::Exchange;
use super::gate::Gate;
use super::hold::{self, HoldJudge, LetGo, PersonJudge};
use super::own_dialogs::{self, OwnDialog};
use super::passkeys::standing::Standings;
use super::pipe::{Event, Pipe};
use super::sign_in::typed::TypedSignIns;
use super::starting::Starting;
use super::tab::{Dialog, Tab};
use super::unreachable::{self, Watching};
use super::{BrowserEvent, ClientDid};

/// The page script: see the headers of its parts.
pub const PAGE_SCRIPT: &str =
    concat!(include_str!("page.js"), include_str!("sign_in/sign_in.js"), include_str!("observe/observe.js"));
/// Runs in new documents while a person drives.
pub const RECORD_SCRIPT: &str = "globalThis.batonRecords = true; globalThis.baton?.record(true)";
/// Chromium numbers a session's scripts from 1; ours are the page script, that of the page's own world, then the recording
/// one.
pub const RECORD_SCRIPT_ID: &str = "3";
/// The script of the page's own world.
const ASKS_SCRIPT_ID: &str = "2";
/// Name of the function by which the page script reports.
const REPORT_BINDING: &str = "batonReport";
/// What is told of a dialog of a page that a person typed in.
const WITHHELD: &str = "(withheld, because a person typed in this page)";
/// Names of fields that one form may tell of.
const TYPED_KEPT: usize = 100;
/// A client that goes on with the same, such as typing, within this time adds no line to the history.
const SAME_AGAIN: Duration = Duration::from_secs(2);
/// Longest text about an element that is told.
const ELEMENT_CHARS: usize = 200;
/// Where the agent's side pointed, for viewers that take their time; older ones are lost to them.
const AIMS: usize = 32;
/// Finished downloads that are remembered.
const DOWNLOADS_KEPT: usize = 64;

/// The record, shared by the reading task and everyone who acts or looks.
pub struct World {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    pub(super) gate: Gate,
    events: mpsc::Sender<BrowserEvent>,
    exchange: Arc<Exchange>,
    aims: broadcast::Sender<Aim>,
    pub(super) starting: Arc<Starting>,
    /// Name of the isolated world that the page script lives in. Nobody can guess it: who knows it could reach in.
    pub script_world: String,
    /// Begins the names of the events that tell the page script what a page asks the browser for. As hard to guess.
    asks: String,
    /// Name of the function by which the page script tells of a sign-in that a person types. As hard to guess: a session hears
    /// only of calls of a name that it gave itself.
    keeps: String,
}

#[derive(Default)]
pub struct State {
    /// In order of opening.
    pub tabs: Vec<Tab>,
    /// Id of the tab that was last in front.
    front: Option<String>,
    /// Tabs that an outside client's session has told they are in front, with that session: what they report of it is not so.
    feigned: BTreeSet<(String, String)>,
    sessions: BTreeMap<String, Session>,
    /// In order of their beginning, newest last.
    pub downloads: Vec<Download>,
    /// How many downloads ever began.
    pub downloads_begun: u64,
    /// File chooser that was asked for while it was intercepted.
    pub chooser: Option<Chooser>,
    /// Names of fields that a person touched, while one drives.
    recording: Option<Vec<String>>,
    /// Decides which requests are held, while any is to be.
    pub holding: Option<HoldJudge>,
    /// What was held and let go.
    pub let_go: LetGo,
    /// Decides which question a person's request answers.
    pub person: Option<PersonJudge>,
    /// Names of fields that a person typed in, of forms that were sent since a tab last changed its document.
    pub typed_fields: Vec<String>,
    /// How the runtime learns of requests that the proxy did not carry.
    pub watching: Option<Watching>,
    /// What each frame shows, and which documents a person typed in.
    pub documents: Documents,
    /// Every target that the browser reported.
    pub targets: Targets,
    /// Browser contexts whose downloads are settled, by the runtime or by the client whose they are.
    pub contexts: BTreeSet<String>,
    pub closed: bool,
    is_ending: bool,
    dialogs_seen: u64,
    /// How many actions run, each of which answers dialogs itself.
    pub acting: u32,
    /// An outside client sent input since the last action began.
    pub clients_act: bool,
    /// What the runtime was last told that a client did, and when.
    client_did: Option<(String, Instant)>,
    /// The answer that the latest click was given, for dialogs that still come.
    pub promise: Option<Promise>,
    /// Dialogs that were answered between actions, for the next outcome.
    pub late_dialogs: Vec<DialogRecord>,
    /// Dialogs of the browser's own that stand.
    pub own_dialogs: Vec<OwnDialog>,
    /// What was last refused, and when.
    pub last_refused: Option<(String, Instant)>,
    /// Pages that wait for a passkey.
    pub passkeys: Standings,
    /// What a person typed to sign in.
    pub typed_sign_ins: TypedSignIns,
    /// An outside client brings authenticators of its own.
    lets_passkeys: bool,
}

#[derive(Clone, Debug)]
struct Session {
    /// The session that this one was attached from; `None` for tabs.
    parent: Option<String>,
    target: String,
    parent_frame: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Download {
    pub guid: String,
    pub name: String,
    pub state: DownloadState,
    /// Its file is on its way into the workspace.
    arrives: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DownloadState {
    Running,
    /// Workspace path.
    Finished(String),
    Failed(String),
}

#[derive(Clone, Debug)]
pub struct Chooser {
    pub session: String,
    pub backend_node: i64,
}

/// A session of the active tab: the tab's own, or that of a frame in another process.
#[derive(Clone, Debug)]
pub struct FrameSession {
    pub session: String,
    /// The frame it is attached to, and the frame that holds that one.
    pub root: String,
    pub parent_frame: Option<String>,
}

impl World {
    pub fn new(gate: Gate, events: mpsc::Sender<BrowserEvent>, exchange: Arc<Exchange>) -> Arc<Self> {
        let script_world = format!("baton-{}", crate::unique());
        let asks = crate::unique();
        let keeps = format!("{REPORT_BINDING}{}", crate::unique());
        Arc::new(Self {
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            gate,
            events,
            script_world,
            asks,
            keeps,
            exchange,
            aims: broadcast::Sender::new(AIMS),
            starting: Arc::default(),
        })
    }

    pub fn aims(&self) -> broadcast::Receiver<Aim> {
        self.aims.subscribe()
    }

    /// Shows where the agent's side points. Nobody waits for it, and nothing happens while nobody looks.
    pub fn aim(&self, aim: impl FnOnce() -> Option<Aim>) {
        if self.aims.receiver_count() > 0
            && let Some(aim) = aim()
        {
            // The viewer may have gone in between.
            let _ = self.aims.send(aim);
        }
    }

    /// Returns the way that files take between browser and workspace.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // Each event's changes are independent: a panic in one leaves a record that is still true of the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds what it looks for. Has no deadline: the caller has.
    pub async fn wait_until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if let Some(found) = look(&mut self.state()) {
                return found;
            }
            // Fails only without a sender, which `self` keeps.
            let _ = changed.changed().await;
        }
    }

    /// Remembers that a tab was brought to the front.
    pub fn set_front(&self, tab: &str) {
        self.state().front = Some(tab.to_owned());
        self.bump();
    }

    /// Remembers that a session tells a tab it is in front whether it is or not, or no longer does.
    pub fn feign_front(&self, tab: &str, session: &str, feigned: bool) {
        let key = (tab.to_owned(), session.to_owned());
        let mut state = self.state();
        if feigned {
            state.feigned.insert(key);
        } else {
            state.feigned.remove(&key);
        }
    }

    /// An outside client brings authenticators of its own: documents that come from now on are not refused passkeys.
    pub(super) fn let_passkeys(&self, pipe: &Pipe) {
        if std::mem::replace(&mut self.state().lets_passkeys, true) {
            return;
        }
        for session in self.state().all_sessions() {
            let id = json!({ "identifier": ASKS_SCRIPT_ID });
            pipe.note(Some(&session), "Page.removeScriptToEvaluateOnNewDocument", id);
            // Keeps its number: a script gets the one after the highest.
            pipe.note(Some(&session), "Page.addScriptToEvaluateOnNewDocument", json!({ "source": "" }));
        }
    }

    pub fn close(&self) {
        self.state().closed = true;
        self.bump();
        self.tell(BrowserEvent::Closed);
    }

    /// Handles one event. Called in order, never blocks.
    pub fn on_event(self: &Arc<Self>, pipe: &Pipe, event: Event) {
        if self.state().is_ending {
            return;
        }
        let Event { session, method, mut params } = event;
        let session = session.as_deref();
        match session {
            Some(own) => self.state().documents.on_event(own, &self.script_world, &method, &params),
            None => self.state().targets.on_event(&method, &params),
        }
        match method.as_str() {
            "Target.attachedToTarget" => self.attached(pipe, session, &params),
            "Target.detachedFromTarget" => self.detached(text(&params, "sessionId")),
            "Target.targetDestroyed" => self.destroyed(text(&params, "targetId")),
            "Target.targetInfoChanged" => self.target_changed(&params["targetInfo"]),
            "Target.targetCrashed" => self.crashed(text(&params, "targetId")),
            "Page.frameNavigated" => self.frame_navigated(pipe, session, &params),
            "Page.navigatedWithinDocument" => self.moved_within(text(&params, "frameId"), text(&params, "url")),
            "Page.frameStartedNavigating" if own_dialogs::leads_out(text(&params, "url")) => {
                self.other_program_wanted(session, text(&params, "url"));
            }
            "Page.frameStartedNavigating" if params["navigationType"] != "sameDocument" => {
                self.document_asked(text(&params, "frameId"));
                self.with_tab(text(&params, "frameId"), |tab| tab.asks(text(&params, "loaderId")));
            }
            "Page.frameRequestedNavigation" if params["disposition"] == "currentTab" => {
                self.with_tab(text(&params, "frameId"), |tab| tab.navigating = true);
            }
            "Page.frameClearedScheduledNavigation" => {}
            "Page.frameStoppedLoading" => self.with_tab(text(&params, "frameId"), |tab| {
                tab.navigating = false;
                tab.loaded = true;
            }),
            "Page.domContentEventFired" => {
                self.with_session_tab(session, |tab| tab.dom_ready = true);
                self.tell_navigated(session);
            }
            "Page.loadEventFired" => self.with_session_tab(session, |tab| {
                tab.dom_ready = true;
                tab.loaded = true;
            }),
            "Page.javascriptDialogOpening" => {
                let number = self.next_dialog();
                self.with_session_tab(session, |tab| {
                    // A page can ask back what a person typed, and while it asks it cannot be asked what that was.
                    let message = if tab.is_typed_in() { WITHHELD } else { text(&params, "message") };
                    tab.dialog =
                        Some(Dialog { kind: text(&params, "type").to_owned(), message: message.to_owned(), number });
                });
            }
            "Page.javascriptDialogClosed" => self.with_session_tab(session, |tab| tab.dialog = None),
            "Page.fileChooserOpened" => self.chooser_opened(session, &params),
            "Fetch.requestPaused" if self.watches(session) => unreachable::paused(self, pipe, session, &params),
            "Fetch.requestPaused" => hold::paused(self, pipe, session, &params),
            "Runtime.bindingCalled" if params["name"] == REPORT_BINDING => self.reported(pipe, session, &params),
            "Runtime.bindingCalled" if params["name"] == *self.keeps => self.sign_in_typed(session, &mut params),
            "Runtime.executionContextDestroyed" | "Runtime.executionContextsCleared" => self.passkeys_left(),
            "WebAuthn.credentialAdded" | "WebAuthn.credentialAsserted" => self.passkey_came(&params),
            _ => return,
        }
        self.bump();
    }

    fn attached(self: &Arc<Self>, pipe: &Pipe, parent: Option<&str>, params: &Value) {
        let session = text(params, "sessionId");
        let info = &params["targetInfo"];
        let id = text(info, "targetId");
        let kind = text(info, "type");
        // The session of an outside client: it looks after itself.
        if kind == "browser" {
            return;
        }
        if kind != "page" && kind != "iframe" {
            if self.state().holding.is_some() {
                hold::hold_worker(pipe, session);
            }
            self.starting.prepared(pipe, id, session, params["waitingForDebugger"] == true);
            return;
        }
        if let Some(context) = info["browserContextId"].as_str()
            && self.state().contexts.insert(context.to_owned())
        {
            downloads::settle(pipe, &self.exchange, context);
        }
        let (recording, holding) = {
            let mut state = self.state();
            state.sessions.insert(
                session.to_owned(),
                Session {
                    parent: parent.map(str::to_owned),
                    target: id.to_owned(),
                    parent_frame: info["parentFrameId"].as_str().map(str::to_owned),
                },
            );
            if kind == "page" {
                state.tabs.retain(|tab| tab.id != id);
                state.tabs.push(Tab::attached(info, session, params["waitingForDebugger"] == true));
            }
            (state.recording.is_some(), state.holding.is_some())
        };
        if holding {
            hold::bypass_workers(pipe, session, true);
        }
        prepare(self, pipe, session, recording, holding);
        self.starting.prepared(pipe, id, session, params["waitingForDebugger"] == true);
        if kind == "page" {
            self.tell(BrowserEvent::TabsChanged);
        }
    }

    fn detached(&self, session: &str) {
        let gone = {
            let mut state = self.state();
            state.sessions.remove(session);
            state.documents.detached(session);
            state.forget_passkeys();
            let before = state.tabs.len();
            if let Some(tab) = state.tabs.iter().find(|tab| tab.session == session).map(|tab| tab.id.clone()) {
                state.own_dialogs_gone(&tab);
            }
            state.tabs.retain(|tab| tab.session != session);
            before != state.tabs.len()
        };
        if gone {
            self.tell(BrowserEvent::TabsChanged);
        }
    }

    fn destroyed(&self, target: &str) {
        self.starting.gone(target);
        let gone = {
            let mut state = self.state();
            state.sessions.retain(|_, session| session.target != target);
            state.documents.tab_gone(target);
            state.own_dialogs_gone(target);
            let before = state.tabs.len();
            state.tabs.retain(|tab| tab.id != target);
            before != state.tabs.len()
        };
        if gone {
            self.tell(BrowserEvent::TabsChanged);
        }
    }

    fn target_changed(&self, info: &Value) {
        self.with_tab(text(info, "targetId"), |tab| {
            tab.url = text(info, "url").to_owned();
            tab.hidden = !text(info, "subtype").is_empty();
            if !tab.titled {
                tab.title = plain_name(text(info, "title"));
            }
        });
    }

    fn crashed(&self, target: &str) {
        let mut url = None;
        self.with_tab(target, |tab| {
            tab.crashed = true;
            tab.dialog = None;
            url = Some(tab.told_url());
        });
        if let Some(url) = url {
            self.tell(BrowserEvent::Crashed { tab: target.to_owned(), url });
        }
    }

    fn frame_navigated(self: &Arc<Self>, pipe: &Pipe, session: Option<&str>, params: &Value) {
        let frame = &params["frame"];
        let restored = params["type"] == "BackForwardCacheRestore";
        if frame["parentId"].is_null() {
            let mut state = self.state();
            state.typed_fields.clear();
            state.targets.navigated(text(frame, "id"), text(frame, "url"));
            drop(state);
            self.document_replaced(text(frame, "id"), frame["unreachableUrl"].is_string());
        }
        self.with_session_tab(session, |tab| {
            if tab.id != text(frame, "id") {
                return;
            }
            tab.committed(frame, restored);
        });
        if restored {
            // A document that comes back as it was has told its title already.
            self.ask_title(pipe, text(frame, "id"));
            self.tell_navigated(session);
        }
    }

    fn ask_title(self: &Arc<Self>, pipe: &Pipe, tab: &str) {
        let world = self.clone();
        pipe.note_then(None, "Target.getTargetInfo", json!({ "targetId": tab }), move |_, found| {
            world.target_changed(&found["targetInfo"]);
            world.bump();
        });
    }

    /// Corrects the record by what a tab itself says: events of a document that came while its process changed can be lost.
    pub fn document_found(&self, id: &str, loader: &str, url: &str, ready: &str) {
        self.with_tab(id, |tab| {
            tab.loader = loader.to_owned();
            tab.url = url.to_owned();
            tab.dom_ready = ready != "loading";
            tab.loaded = ready == "complete";
        });
        self.state().documents.found(id, loader);
        self.bump();
    }

    fn moved_within(&self, frame: &str, url: &str) {
        let mut session = None;
        self.with_tab(frame, |tab| {
            tab.url = url.to_owned();
            tab.navigating = false;
            session = Some(tab.session.clone());
        });
        if session.is_some() {
            self.tell_navigated(session.as_deref());
        }
    }

    fn next_dialog(&self) -> u64 {
        let mut state = self.state();
        state.dialogs_seen += 1;
        state.dialogs_seen
    }

    fn watches(&self, session: Option<&str>) -> bool {
        self.state().watching.as_ref().is_some_and(|watching| watching.is_session(session))
    }

    /// Remembers why the document that a tab asked for last does not come.
    pub fn document_refused(&self, frame: &str, cause: String) {
        self.with_tab(frame, |tab| tab.was_refused(cause));
    }

    fn chooser_opened(&self, session: Option<&str>, params: &Value) {
        if let (Some(session), Some(backend_node)) = (session, params["backendNodeId"].as_i64()) {
            self.state().chooser = Some(Chooser { session: session.to_owned(), backend_node });
        }
    }

    pub(super) fn download_began(&self, params: &Value) {
        let mut state = self.state();
        if state.downloads.len() >= DOWNLOADS_KEPT {
            state.downloads.remove(0);
        }
        state.downloads.push(Download {
            guid: text(params, "guid").to_owned(),
            name: plain_name(text(params, "suggestedFilename")),
            state: DownloadState::Running,
            arrives: false,
        });
        state.downloads_begun += 1;
        let frame = text(params, "frameId");
        if let Some(tab) = state.tabs.iter_mut().find(|tab| tab.id == frame) {
            tab.navigating = false;
        }
        drop(state);
        self.bump();
    }

    /// Says that a download's file is on its way into the workspace; returns its name the first time.
    pub(super) fn begin_arrival(&self, guid: &str) -> Option<String> {
        let mut state = self.state();
        let download = state.downloads.iter_mut().find(|download| download.guid == guid)?;
        let first = download.state == DownloadState::Running && !std::mem::replace(&mut download.arrives, true);
        first.then(|| download.name.clone())
    }

    pub(super) fn download_ended(&self, guid: &str, end: DownloadState) {
        {
            let mut known = self.state();
            let Some(download) = known.downloads.iter_mut().find(|download| download.guid == guid) else { return };
            if download.state != DownloadState::Running {
                return;
            }
            download.state = end.clone();
        }
        match end {
            // A file in the workspace is no part of a page: told also while a person drives.
            DownloadState::Finished(path) => {
                self.send(BrowserEvent::DownloadFinished { path });
            }
            DownloadState::Failed(cause) => tracing::warn!(%cause, "a download did not arrive"),
            DownloadState::Running => {}
        }
        self.bump();
    }

    fn reported(&self, pipe: &Pipe, session: Option<&str>, params: &Value) {
        let Ok(report) = serde_json::from_str::<Value>(text(params, "payload")) else { return };
        match text(&report, "kind") {
            "front" => {
                let mut state = self.state();
                let Some(id) = state.tab_of(session).map(|tab| tab.id.clone()) else { return };
                let is_feigned = state.feigned.iter().any(|(tab, _)| *tab == id);
                let Some(tab) = state.tabs.iter_mut().find(|tab| tab.id == id) else { return };
                // A new tab comes to the front by itself; later a client may only make it believe so.
                if std::mem::replace(&mut tab.told_front, true) && is_feigned {
                    return;
                }
                if state.front.as_ref() != Some(&id) {
                    state.front = Some(id);
                    drop(state);
                    self.tell(BrowserEvent::TabsChanged);
                }
            }
            "asks" => self.page_asks(session, &report),
            "passkey" => {
                let context = params["executionContextId"].as_i64().unwrap_or_default();
                self.passkey_reported(pipe, session, context, &report);
            }
            "title" => self.with_session_tab(session, |tab| {
                tab.title = plain_name(text(&report, "title"));
                tab.titled = true;
            }),
            "sends" => {
                let names = report["typed"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let mut state = self.state();
                for name in names.take(TYPED_KEPT).map(str::to_owned) {
                    if !state.typed_fields.contains(&name) {
                        state.typed_fields.push(name);
                    }
                }
            }
            "touched" => {
                self.with_session_tab(session, |tab| tab.typed_in = Some(tab.loader.clone()));
                if report["typed"] == true {
                    self.typed_in(session, params["executionContextId"].as_i64().unwrap_or_default());
                }
                if let Some(touched) = &mut self.state().recording {
                    let name = text(&report, "name").to_owned();
                    if !touched.contains(&name) {
                        touched.push(name);
                    }
                }
            }
            "did" => self.client_input_did(session, &report),
            other => tracing::warn!(kind = other, "the page script reports something unknown"),
        }
    }

    /// A person types a sign-in: kept in memory alone, until they say whether it is to stay.
    fn sign_in_typed(&self, session: Option<&str>, params: &mut Value) {
        let Value::String(payload) = params["payload"].take() else { return };
        let mut state = self.state();
        let tab = state.tab_of(session).map(|tab| tab.id.clone());
        match tab.filter(|_| state.recording.is_some()) {
            Some(tab) => state.typed_sign_ins.told(&tab, payload),
            // Without a person at the wheel nobody is asked.
            None => drop(Zeroizing::new(payload)),
        }
    }

    /// Input did something in a page: if an outside client sent it, it goes into the history. Actions tell their own.
    fn client_input_did(&self, session: Option<&str>, report: &Value) {
        let tab = {
            let state = self.state();
            if !state.clients_act || state.acting > 0 {
                return;
            }
            state.tab_of(session).cloned()
        };
        let Some(tab) = tab else { return };
        let element: String = plain_name(text(report, "what")).chars().take(ELEMENT_CHARS).collect();
        let (name, word) = match text(report, "did") {
            "clicked" => ("click", "clicked"),
            "chose in" => ("select", "chose in"),
            _ => ("type", "typed into"),
        };
        self.client_did(ClientDid {
            name,
            summary: format!("{word} {element}"),
            url: tab.told_url(),
            title: tab.title,
            error: None,
        });
    }

    /// An outside client did something that has a name.
    pub fn client_did(&self, did: ClientDid) {
        let now = Instant::now();
        let is_same = {
            let key = format!("{} {}", did.url, did.summary);
            let mut state = self.state();
            let last = state.client_did.replace((key.clone(), now));
            last.is_some_and(|(last, at)| last == key && now.duration_since(at) < SAME_AGAIN)
        };
        if !is_same {
            self.tell(BrowserEvent::ClientDid(did));
        }
    }

    /// A person typed in the document of this world.
    fn typed_in(&self, session: Option<&str>, context: i64) {
        let mut state = self.state();
        let Some(tab) = state.tab_of(session).map(|tab| tab.id.clone()) else { return };
        state.documents.typed_in(session.unwrap_or_default(), context, &tab);
    }

    /// The document of this world is about to be filled in for a person: it is closed as if they had typed in it.
    pub fn begin_filling(&self, session: &str, context: i64, tab: &str) -> Filled {
        self.with_tab(tab, |tab| tab.typed_in = Some(tab.loader.clone()));
        self.state().documents.begin_filling(session, context, tab)
    }

    fn with_tab(&self, id: &str, change: impl FnOnce(&mut Tab)) {
        if let Some(tab) = self.state().tabs.iter_mut().find(|tab| tab.id == id) {
            change(tab);
        }
    }

    fn with_session_tab(&self, session: Option<&str>, change: impl FnOnce(&mut Tab)) {
        let mut state = self.state();
        let Some(id) = state.tab_of(session).map(|tab| tab.id.clone()) else { return };
        if let Some(tab) = state.tabs.iter_mut().find(|tab| tab.id == id) {
            change(tab);
        }
    }

    fn tell_navigated(&self, session: Option<&str>) {
        let moved = self.state().tab_of(session).filter(|tab| Some(tab.session.as_str()) == session).cloned();
        if let Some(tab) = moved {
            self.tell(BrowserEvent::Navigated { url: tab.told_url(), title: tab.title });
        }
    }

    /// Tells the runtime of the page, unless a person holds control.
    pub(super) fn tell(&self, event: BrowserEvent) {
        // Refused is meant: nothing of the page is told while a person drives.
        let _ = self.gate.dispatch_look(|| self.send(event));
    }

    /// Tells the runtime; answers whether it will hear of it.
    pub(super) fn send(&self, event: BrowserEvent) -> bool {
        let sent = self.events.try_send(event);
        if let Err(mpsc::error::TrySendError::Full(_)) = &sent {
            tracing::warn!("a browser event was dropped: nobody reads them");
        }
        sent.is_ok()
    }

    /// Wakes everyone who waits for a change.
    pub(super) fn bump(&self) {
        self.changed.send_modify(|version| *version += 1);
    }
}

impl State {
    /// Returns the tab in front: the last that said so, else the newest.
    pub fn active(&self) -> Option<&Tab> {
        let shown = || self.tabs.iter().filter(|tab| !tab.hidden);
        shown().find(|tab| Some(&tab.id) == self.front.as_ref()).or_else(|| shown().next_back())
    }

    /// Returns the tabs that a person would count.
    pub fn shown_tabs(&self) -> impl Iterator<Item = &Tab> {
        self.tabs.iter().filter(|tab| !tab.hidden)
    }

    /// The browser is about to end: what it tells from now on is not about its tabs, which stay known if they are to come back.
    pub fn end(&mut self, keeps_tabs: bool) {
        self.is_ending = true;
        if !keeps_tabs {
            self.tabs.clear();
        }
    }

    /// Whether a download is under way.
    pub fn is_downloading(&self) -> bool {
        self.downloads.iter().any(|download| download.state == DownloadState::Running)
    }

    /// Notes that those of these tabs load again whose page did not come; returns their sessions and addresses.
    pub fn load_again(&mut self, wanted: impl Fn(&Tab) -> bool) -> Vec<(String, String)> {
        let failed = self.tabs.iter_mut().filter(|tab| tab.failed.is_some() && !tab.navigating && wanted(tab));
        let again = failed.map(|tab| {
            // Before the browser says so: whoever waits for the page must not take the error for it.
            tab.navigating = true;
            (tab.session.clone(), tab.url.clone())
        });
        again.collect()
    }

    pub fn tab(&self, id: &str) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == id)
    }

    /// Returns the sessions that make up a tab: its own first, then those of its frames in other processes.
    pub fn sessions_of(&self, tab: &Tab) -> Vec<FrameSession> {
        let own = FrameSession { session: tab.session.clone(), root: tab.id.clone(), parent_frame: None };
        let frames = self.sessions.iter().filter(|(id, _)| **id != tab.session);
        let below = frames.filter(|(id, _)| self.tab_of(Some(id)).is_some_and(|of| of.id == tab.id));
        let below = below.map(|(id, session)| FrameSession {
            session: id.clone(),
            root: session.target.clone(),
            parent_frame: session.parent_frame.clone(),
        });
        std::iter::once(own).chain(below).collect()
    }

    /// Returns the session that a page or frame is attached by.
    pub fn session_at(&self, target: &str) -> Option<&str> {
        let of_frame = || self.sessions.iter().find(|(_, session)| session.target == target).map(|(id, _)| id.as_str());
        self.tab(target).map(|tab| tab.session.as_str()).or_else(of_frame)
    }

    /// Returns every session, to prepare or to end recording in each.
    pub fn all_sessions(&self) -> Vec<String> {
        self.sessions.keys().cloned().collect()
    }

    /// Begins to remember names of touched fields.
    pub fn begin_recording(&mut self) {
        self.recording = Some(Vec::new());
    }

    /// Returns the names of fields that were touched, and forgets them.
    pub fn end_recording(&mut self) -> Vec<String> {
        self.recording.take().unwrap_or_default()
    }

    /// The person lets programs read what they typed and is on a page now.
    pub fn reveal(&mut self) {
        let typed: Vec<_> = self.documents.typed().filter(|typed| !typed.is_of_vault).cloned().collect();
        for typed in &typed {
            self.documents.opened(typed);
        }
        for tab in &mut self.tabs {
            tab.typed_in = None;
        }
    }

    /// Returns the tab that a session belongs to.
    pub fn tab_at(&self, session: &str) -> Option<&Tab> {
        self.tab_of(Some(session))
    }

    /// As [`State::tab_at`], for a session that may be the browser's.
    pub fn tab_of_session(&self, session: Option<&str>) -> Option<&Tab> {
        self.tab_of(session)
    }

    fn tab_of(&self, session: Option<&str>) -> Option<&Tab> {
        let mut session = session?;
        loop {
            if let Some(tab) = self.tabs.iter().find(|tab| tab.session == session) {
                return Some(tab);
            }
            session = self.sessions.get(session)?.parent.as_deref()?;
        }
    }
}

/// Returns the arguments that attach to tabs and frames, and to their workers: one that is waited for and not attached to
/// would never begin. Workers that belong to no page run without us, unless what they send is to be held.
pub fn auto_attach(all_workers: bool) -> Value {
    let mut filter = vec![json!({ "type": "page" }), json!({ "type": "iframe" }), json!({ "type": "worker" })];
    if all_workers {
        filter.extend(["shared_worker", "service_worker"].map(|kind| json!({ "type": kind })));
    }
    filter.push(json!({ "exclude": true }));
    json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true, "filter": filter })
}

/// Prepares a target that is paused. Chromium takes a session's commands in order, so that none waits for
/// the one before. A tab is sent elsewhere only when it has answered: what it has not yet taken in can be lost on the way.
fn prepare(world: &Arc<World>, pipe: &Pipe, session: &str, recording: bool, holding: bool) {
    let note = |method: &str, params: Value| pipe.note(Some(session), method, params);
    let script = |source: &str| json!({ "source": source, "worldName": world.script_world, "runImmediately": true });
    note("Page.enable", json!({}));
    // Without it Chromium does not tell of calls of the binding.
    note("Runtime.enable", json!({}));
    for name in [REPORT_BINDING, &world.keeps] {
        note("Runtime.addBinding", json!({ "name": name, "executionContextName": world.script_world }));
    }
    let (known, id) = (world.clone(), session.to_owned());
    let (asks, keeps) = (json!(world.asks), json!(world.keeps));
    let page_script = format!("globalThis.batonAsks = {asks}; globalThis.batonKeeps = {keeps};{PAGE_SCRIPT}");
    pipe.note_then(Some(session), "Page.addScriptToEvaluateOnNewDocument", script(&page_script), move |_, _| {
        known.with_session_tab(Some(&id), |tab| tab.prepared |= tab.session == id);
        known.bump();
    });
    let lets_passkeys = world.state().lets_passkeys;
    let asks = if lets_passkeys { String::new() } else { own_dialogs::asks_script(&world.asks) };
    note("Page.addScriptToEvaluateOnNewDocument", json!({ "source": asks, "runImmediately": true }));
    if recording {
        note("Page.addScriptToEvaluateOnNewDocument", script(RECORD_SCRIPT));
    }
    note("Target.setAutoAttach", auto_attach(holding));
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
