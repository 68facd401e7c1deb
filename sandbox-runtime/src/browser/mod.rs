//! Chromium, driven over its debugging pipe: one connection, one [`gate`], actions, observation.
//!
//! ```text
//! Browser ─> act ─> locate ─> page ─> pipe ─> (gate) ─> Chromium
//!    │  observe, takeover, picture ┘      ├─> world: what events told ─> hold
//!    ├─> foresee ─> locate                │
//!    └─> clients: outside programs ───────┘
//! ```
//!
//! Owns the connection and what is known of the browser. Leaves to others: who drives (the driver sets the gate),
//! where files end up under which name (the runner), and starting Chromium (the guest).

mod act;
mod address;
mod aim;
pub mod clients;
mod dialogs;
mod documents;
mod downloads;
mod error;
pub mod exchange;
mod foresee;
pub mod gate;
mod hold;
mod hung;
mod keys;
mod locate;
mod observe;
mod own_dialogs;
mod page;
mod painted;
mod passkeys;
mod pattern;
mod picture;
pub mod pipe;
mod profile;
mod remembered;
mod sign_in;
mod starting;
mod tab;
mod takeover;
mod typing;
mod unreachable;
mod veil;
mod world;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chromiumoxide_cdp::cdp::browser_protocol::target::{ActivateTargetParams, CloseTargetParams, CreateTargetParams};
use sandbox_core::ApprovalId;
use sandbox_core::action::{Action, Navigate, Outcome, Plain, TabChoice};
use sandbox_core::approval::judge::Foreseen;
use sandbox_core::event::DialogState;
use sandbox_core::model::{self, Receipt, TypedText, Until};
use sandbox_core::observation::{DialogKind, Observation};
use sandbox_core::policy::Host;
use sandbox_core::viewer::Aim;
use sandbox_link::Link;
use sandbox_link::protocol::Open;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

pub use error::{ActionError, BrowserError};
pub use gate::{Gate, Live, Permit, Refused};
pub use hold::{HoldJudge, PausedRequest, PersonJudge};
pub use observe::{Look, Stale};
pub use passkeys::{Passkey, PasskeyAsked, PasskeyRefusal};
pub use pattern::matches as address_matches;
pub use pipe::CallError;
pub use profile::{KEPT as KEPT_OF_PROFILE, forget_open_pages, prepare as prepare_profile};
pub use remembered::Remembered;
pub use sign_in::{CodeError, EmptyVault, Login, Offered, OneTimeCodes, TypedSignIn, Vault, VaultError};
pub use takeover::Takeover;

use clients::{AdmitError, Client, Clients, Ears};
use downloads::Downloads;
use exchange::Exchange;
use observe::{Looks, Place};
use page::Page;
use picture::Format;
use pipe::{Pass, Pipe, PipeTasks};
use tab::Tab;
use world::World;

use crate::egress::Failures;

/// Events that may wait for the driver; more are dropped with a warning.
const EVENT_BACKLOG: usize = 1024;
/// How long a browser that was just started may take to show its first page.
const FIRST_PAGE: Duration = Duration::from_secs(20);
/// How long a look may take: one frame that hangs is not waited for so long.
const LOOK_DEADLINE: Duration = Duration::from_secs(15);
/// How long a tab may take to come to the front, or to go.
const TAB_DEADLINE: Duration = Duration::from_secs(3);

/// One running browser; cheap to clone. The connection ends with the last clone.
#[derive(Clone)]
pub struct Browser {
    shared: Arc<Shared>,
}

/// What the runtime is told. Nothing of a page is told while a person holds control.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowserEvent {
    /// A tab shows another document, or another address of the same one.
    Navigated { url: String, title: String },
    /// Tabs were opened or closed, or another one is in front.
    TabsChanged,
    /// A file arrived in the workspace, whoever made it come.
    DownloadFinished { path: String },
    /// The page of a tab crashed.
    Crashed { tab: String, url: String },
    /// A dialog of the browser's own opened, closed, or was refused.
    Dialog { kind: DialogKind, state: DialogState, message: String },
    /// A page waits for a passkey, whoever drives.
    PasskeyAsked(Box<PasskeyAsked>),
    /// A request stands still until it is let go or refused.
    Held(Box<PausedRequest>),
    /// A person, at the wheel, sent what this question is about.
    PersonDid(ApprovalId),
    /// An outside client did something that has a name.
    ClientDid(ClientDid),
    /// The browser is gone.
    Closed,
}

/// What an outside client of the debugging protocol did: by the names of elements, never by values.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientDid {
    /// The action's name in the vocabulary.
    pub name: &'static str,
    pub summary: String,
    pub url: String,
    pub title: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// What the browser shows, as last known; also while a person drives, when the caller hides it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrowserState {
    pub url: String,
    pub title: String,
    pub tabs: Vec<model::Tab>,
}

struct Shared {
    pipe: Pipe,
    world: Arc<World>,
    gate: Gate,
    clients: Arc<Clients>,
    looks: Looks,
    vault: Arc<dyn Vault>,
    /// As they were a moment ago, in case the browser is lost.
    cookies: Mutex<Vec<serde_json::Value>>,
    ending: JoinHandle<()>,
    forgetting: JoinHandle<()>,
    promising: JoinHandle<()>,
    _tasks: PipeTasks,
}

impl Browser {
    /// Connects to the browser of a room. `failures` are those of the room's way out; `vault` fills in sign-ins.
    pub async fn attach(
        link: &Link,
        gate: Gate,
        exchange: Exchange,
        failures: Failures,
        vault: Arc<dyn Vault>,
    ) -> Result<(Self, mpsc::Receiver<BrowserEvent>), BrowserError> {
        let stream = link.open_for(&Open::Cdp).await?;
        Self::attach_io(stream, gate, exchange, failures, vault).await
    }

    /// Connects over any stream that carries a debugging pipe.
    pub async fn attach_io<S>(
        io: S,
        gate: Gate,
        exchange: Exchange,
        failures: Failures,
        vault: Arc<dyn Vault>,
    ) -> Result<(Self, mpsc::Receiver<BrowserEvent>), BrowserError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (told, events) = mpsc::channel(EVENT_BACKLOG);
        let exchange = Arc::new(exchange);
        let world = World::new(gate.clone(), told, exchange.clone());
        let clients: Arc<Clients> = Arc::default();
        let downloads = Downloads { world: world.clone(), clients: clients.clone(), exchange: exchange.clone() };
        let (pipe, tasks) = Pipe::start(io, {
            let (world, clients) = (world.clone(), clients.clone());
            move |pipe, told| {
                if !clients.on_event(told) && !downloads.on_event(told) {
                    world.on_event(pipe, told.event());
                }
            }
        });
        let ending = tokio::spawn({
            let (pipe, world, clients) = (pipe.clone(), world.clone(), clients.clone());
            async move {
                pipe.closed().await;
                world.close();
                clients.close();
            }
        });
        let forgetting = tokio::spawn(forget_console_lines(pipe.clone(), world.clone(), gate.held()));
        let promising = tokio::spawn(dialogs::keep_promises(pipe.clone(), world.clone(), gate.clone()));
        let looks = Looks::default();
        let cookies = Mutex::default();
        let shared =
            Shared { pipe, world, gate, clients, looks, vault, cookies, ending, forgetting, promising, _tasks: tasks };
        let setup = Pass::Bookkeeping;
        shared
            .pipe
            .call(&setup, None, "Target.setDiscoverTargets", json!({ "discover": true, "filter": [{}] }))
            .await?;
        let behavior = downloads::behavior(&exchange, None);
        shared.pipe.call(&setup, None, "Browser.setDownloadBehavior", behavior).await?;
        unreachable::watch(&shared.pipe, &shared.world, failures).await?;
        shared.pipe.call(&setup, None, "Target.setAutoAttach", world::auto_attach(false)).await?;
        let first = shared
            .world
            .wait_until(|state| (state.active().is_some_and(|tab| tab.prepared) || state.closed).then_some(()));
        if tokio::time::timeout(FIRST_PAGE, first).await.is_err() || shared.pipe.is_closed() {
            return Err(if shared.pipe.is_closed() { CallError::Closed.into() } else { BrowserError::NoPage });
        }
        shared.learn_globals().await?;
        Ok((Self { shared: Arc::new(shared) }, events))
    }

    /// Returns what the agent's side does on the page, from now on; the size of the page is left to whoever knows it.
    pub fn aims(&self) -> broadcast::Receiver<Aim> {
        self.shared.world.aims()
    }

    /// Returns what the browser shows, as last known.
    pub fn state(&self) -> BrowserState {
        let state = self.shared.world.state();
        let active = state.active();
        let active_id = active.map(|tab| tab.id.clone());
        BrowserState {
            url: active.map(Tab::told_url).unwrap_or_default(),
            title: active.map(|tab| tab.title.clone()).unwrap_or_default(),
            tabs: state
                .shown_tabs()
                .map(|tab| model::Tab {
                    id: tab.id.clone(),
                    url: tab.told_url(),
                    title: tab.title.clone(),
                    active: Some(&tab.id) == active_id.as_ref(),
                })
                .collect(),
        }
    }

    /// Opens an address in the active tab and waits until the page can be used.
    pub async fn navigate(&self, permit: &Permit, url: &str) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::Navigate(Navigate::Url(url.to_owned())), NAVIGATION).await
    }

    pub async fn back(&self, permit: &Permit) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::Back(Plain::default()), NAVIGATION).await
    }

    pub async fn forward(&self, permit: &Permit) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::Forward(Plain::default()), NAVIGATION).await
    }

    pub async fn reload(&self, permit: &Permit) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::Reload(Plain::default()), NAVIGATION).await
    }

    pub async fn activate_tab(&self, permit: &Permit, id: &str) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::ActivateTab(TabChoice::of(id)), TAB_DEADLINE).await
    }

    /// Closes a tab. The last one is replaced by an empty one, for without a tab the browser ends.
    pub async fn close_tab(&self, permit: &Permit, id: &str) -> Result<Outcome, ActionError> {
        self.act(permit, &Action::CloseTab(TabChoice::of(id)), TAB_DEADLINE).await
    }

    /// Does one action under the permit's lease: waits for its target for as long as the action's own `timeoutMs` says,
    /// or `timeout`. Dropping the future cancels what has not been sent.
    pub async fn act(&self, permit: &Permit, action: &Action, timeout: Duration) -> Result<Outcome, ActionError> {
        let timeout = action.timeout_ms().map_or(timeout, Duration::from_millis);
        let doing = act::Doing::new(&self.shared, permit, Instant::now() + timeout, action.name());
        // Looked up before: what was clicked may be gone afterwards.
        let names = self.names(action);
        // The many kinds of action make one large future: kept off the caller's own.
        let done = Box::pin(doing.run(action)).await;
        let mut done = done.map_err(|error| self.shared.world.state().in_the_way(error))?;
        done.summary = with_names(&done.summary, &names);
        Ok(done)
    }

    /// Returns a sentence about an action with the names of its elements, where it knows only their references.
    pub fn with_names(&self, words: &str, action: &Action) -> String {
        with_names(words, &self.names(action))
    }

    /// By reference, how each element was told that the action aims at.
    fn names(&self, action: &Action) -> Vec<(String, String)> {
        let targets = match action {
            Action::Drag(drag) => vec![drag.from.clone(), drag.to.clone()],
            other => other.target().into_iter().collect(),
        };
        let references = targets.into_iter().filter_map(|target| target.reference);
        references.filter_map(|reference| Some((reference.clone(), self.shared.looks.words(&reference)?))).collect()
    }

    /// Returns what an action would do, without doing it; waits for its target like [`Browser::act`].
    /// `None` for one that sends nothing anywhere by itself.
    pub async fn foresee(
        &self,
        permit: &Permit,
        action: &Action,
        timeout: Duration,
    ) -> Result<Option<Foreseen>, ActionError> {
        let timeout = action.timeout_ms().map_or(timeout, Duration::from_millis);
        let pass = Pass::Act(permit.clone());
        Box::pin(foresee::foresee(&self.shared, pass, action, Instant::now() + timeout)).await
    }

    /// As [`Browser::foresee`], only looking: for whoever has no turn. Waits a moment at most.
    pub async fn look_ahead(&self, action: &Action) -> Result<Option<Foreseen>, ActionError> {
        let pass = Pass::Look(self.shared.gate.clone());
        Box::pin(foresee::foresee(&self.shared, pass, action, Instant::now() + LOOK_AHEAD)).await
    }

    /// Says for each value whether a person typed it into the page that is open.
    pub async fn typed_by_person(&self, values: &[String]) -> Result<Vec<bool>, BrowserError> {
        foresee::typed_by_person(&self.shared, values).await
    }

    /// Holds the requests that `judge` names from now on, each told as [`BrowserEvent::Held`]; none without one.
    pub async fn hold(&self, judge: Option<HoldJudge>) -> Result<(), CallError> {
        hold::hold(&self.shared, judge).await
    }

    /// Tells which question a person's request answers, while anything is held.
    pub fn watch_person(&self, judge: PersonJudge) {
        self.shared.world.state().person = Some(judge);
    }

    /// Whether a held request still stands: its page may have left it.
    pub async fn is_held(&self, request: &PausedRequest) -> Result<bool, CallError> {
        hold::is_held(&self.shared, request).await
    }

    /// Lets a held request go.
    ///
    /// # Errors
    ///
    /// The browser does not know it any more: its page is gone, and it never left.
    pub async fn let_go(&self, request: &PausedRequest) -> Result<(), CallError> {
        hold::let_go_held(&self.shared, request).await
    }

    /// Refuses a held request: it never leaves.
    pub fn refuse(&self, request: &PausedRequest) {
        hold::refuse_held(&self.shared, request);
    }

    /// Returns a PNG of what the active page shows, fields that a person typed in covered. Changes nothing of the page.
    ///
    /// # Errors
    ///
    /// Refused while a person holds control, also when they took it after the picture was asked for.
    pub async fn screenshot(&self) -> Result<Vec<u8>, BrowserError> {
        self.picture(Format::Png).await
    }

    /// Takes a small JPEG of the active page, for the story of what was done.
    ///
    /// # Errors
    ///
    /// As [`Browser::screenshot`].
    pub async fn story_picture(&self) -> Result<Vec<u8>, BrowserError> {
        self.picture(Format::Jpeg).await
    }

    async fn picture(&self, format: Format) -> Result<Vec<u8>, BrowserError> {
        let shared = &self.shared;
        let picture = picture::take(&shared.pipe, &shared.world, Pass::Look(shared.gate.clone()), format).await?;
        Ok(shared.gate.dispatch_look(|| picture)?)
    }

    /// Looks at the active page: what it shows, with references that `act` takes, and what changed since the latest look.
    ///
    /// # Errors
    ///
    /// Refused while a person holds control, also when they took it after the look began.
    pub async fn observe(&self, look: &Look) -> Result<Observation, ActionError> {
        let pass = Pass::Look(self.shared.gate.clone());
        let looking = tokio::time::timeout(LOOK_DEADLINE, observe::observe(&self.shared, pass, look));
        let seen = looking.await.unwrap_or_else(|_| {
            Err(ActionError::Late { what: "look".to_owned(), after_ms: LOOK_DEADLINE.as_millis() })
        })?;
        Ok(self.shared.gate.dispatch_look(|| seen)?)
    }

    /// Begins a fresh look: references given out before are refused from now on. Returns the number of the look.
    pub fn fresh_look(&self) -> u64 {
        self.shared.looks.begin_anew()
    }

    /// Notes what there is before a person takes over, and begins to note the names of fields they touch.
    /// To be called before the person's first input.
    pub async fn before_takeover(&self) -> Takeover {
        takeover::begin(&self.shared).await
    }

    /// Returns what changed while the person drove: names, never values. The driver adds time, inputs, files and note.
    pub async fn after_takeover(&self, takeover: Takeover) -> Receipt {
        self.fresh_look();
        takeover::end(&self.shared, takeover).await
    }

    /// Does with what a person typed what they said at the hand-back; returns the names of the fields that still hold it,
    /// whose documents stay closed to programs.
    pub async fn leave_typed(&self, typed: TypedText) -> Vec<String> {
        let Shared { pipe, world, .. } = &*self.shared;
        match typed {
            TypedText::Veiled => {}
            TypedText::Cleared => veil::tell(pipe, world, "baton.clearTyped()").await,
            TypedText::Revealed => {
                veil::tell(pipe, world, "baton.reveal()").await;
                world.state().reveal();
            }
        }
        veil::fields(pipe, world).await
    }

    /// Whether a document that is open may hold what a person typed, as last known.
    pub fn may_show_typed(&self) -> bool {
        self.shared.world.state().documents.typed().next().is_some()
    }

    /// Whether a document that is open holds what a person typed: looks again at those that may.
    pub async fn shows_typed(&self) -> bool {
        let Shared { pipe, world, .. } = &*self.shared;
        let typed: Vec<_> = world.state().documents.typed().cloned().collect();
        !veil::look_again(pipe, world, &typed).await
    }

    /// Notes that the browser is about to end. Its tabs stay known as they are, if they are to come back.
    pub fn will_close(&self, keeps_tabs: bool) {
        self.shared.world.state().end(keeps_tabs);
    }

    /// Asks the browser to end, and waits until it has: what pages stored is on the disk then.
    pub async fn close(&self) {
        self.shared.pipe.note(None, "Browser.close", json!({}));
        self.shared.pipe.closed().await;
    }

    /// Whether a download is under way.
    pub fn is_downloading(&self) -> bool {
        self.shared.world.state().is_downloading()
    }

    /// Loads the tabs again whose page did not come, where `is_open` says of its host and port that the way there is open now.
    pub fn load_refused(&self, is_open: impl Fn(&Host, u16) -> bool) {
        unreachable::load_refused(&self.shared.pipe, &self.shared.world, is_open);
    }

    /// Waits until the page of the active tab has come, or will not; no longer than `limit`.
    ///
    /// # Errors
    ///
    /// It does not come, and why.
    pub async fn page_came(&self, limit: Duration) -> Result<(), ActionError> {
        let came = self.shared.world.wait_until(|state| {
            let tab = state.active()?;
            tab.is_settled().then(|| tab.failed.clone().map(|cause| (tab.told_url(), cause)))
        });
        // One that goes on loading can be used all the same.
        match tokio::time::timeout(limit, came).await {
            // Of a page that a person has taken over meanwhile nothing is told.
            Ok(Some((url, cause))) if self.shared.gate.dispatch_look(|| ()).is_ok() => {
                Err(ActionError::Navigation { url, cause })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Waits until the screen shows the documents that are open now, or has had the time to.
    pub async fn painted(&self) {
        let Shared { pipe, world, .. } = &*self.shared;
        painted::painted(pipe, world).await;
    }

    /// Whether every named part of the condition holds in the active tab.
    pub async fn until_met(&self, until: &Until) -> bool {
        takeover::until_met(&self.shared, until).await
    }

    /// Returns the site of the sign-in form that the page shows, as an entry names it, if the vault has no sign-in for it.
    pub async fn missing_sign_in(&self) -> Option<String> {
        sign_in::missing(&self.shared).await.map(|site| site.to_string())
    }

    /// Returns the sign-ins that a person typed since they were asked for last, and forgets them. They are for the person's own
    /// answer alone.
    pub fn take_typed_sign_ins(&self) -> Vec<TypedSignIn> {
        self.shared.world.state().typed_sign_ins.take()
    }

    /// Lets an outside client of the debugging protocol in, with sessions of its own.
    pub async fn admit(&self, place: clients::Place) -> Result<(Client, Ears), AdmitError> {
        let Shared { clients, pipe, gate, world, .. } = &*self.shared;
        Client::admit(clients, pipe, gate, world, place).await
    }

    /// Returns the tabs for a program to see; refused while a person holds control.
    pub fn visible_tabs(&self) -> Result<Vec<model::Tab>, Refused> {
        self.shared.gate.dispatch_look(|| self.state().tabs)
    }

    /// Returns the tabs that an outside client of the debugging protocol may attach to; refused as above.
    pub fn debuggable_tabs(&self) -> Result<Vec<model::Tab>, Refused> {
        let mut tabs = self.visible_tabs()?;
        let state = self.shared.world.state();
        tabs.retain(|tab| state.targets.is_shown(&tab.id));
        Ok(tabs)
    }

    /// Returns what `Browser.getVersion` says: names of the program, nothing of a page.
    pub async fn version(&self) -> Result<serde_json::Value, BrowserError> {
        Ok(self.shared.pipe.call(&Pass::Bookkeeping, None, "Browser.getVersion", json!({})).await?)
    }

    /// The room's window manager says whether a file chooser is on the screen.
    pub fn chooser_shown(&self, is_shown: bool) {
        self.shared.world.chooser_shown(is_shown);
    }

    /// Forgets the file chooser that stands, as it is being closed. Says whether one did.
    pub fn forget_chooser(&self) -> bool {
        self.shared.world.state().forget_chooser()
    }

    /// Whether the browser is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.pipe.is_closed()
    }
}

fn with_names(words: &str, names: &[(String, String)]) -> String {
    names
        .iter()
        .fold(words.to_owned(), |words, (reference, name)| words.replace(&format!("element {reference:?}"), name))
}

/// How long a page may take to come, for the calls that name no deadline of their own.
const NAVIGATION: Duration = Duration::from_secs(30);
/// How long looking again may wait for a target that was there before.
const LOOK_AHEAD: Duration = Duration::from_secs(1);

impl Shared {
    /// Returns the address and title of the tab in front, as they may be told.
    fn place(&self) -> (String, String) {
        let state = self.world.state();
        state.active().map(|tab| (tab.told_url(), tab.title.clone())).unwrap_or_default()
    }

    /// Learns which globals a page has: no client may lay a binding over them.
    async fn learn_globals(&self) -> Result<(), BrowserError> {
        let tab = self.world.state().active().cloned().ok_or(BrowserError::NoPage)?;
        let page = Page::of(&self.pipe, &self.world, tab, Pass::Bookkeeping);
        let frames = page.frames().await?;
        let main = frames.first().ok_or(BrowserError::NoPage)?;
        let names = page.ask(main, "baton.globals()").await?;
        let names = names.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned);
        self.world.state().documents.globals = names.collect();
        Ok(())
    }

    fn downloads_begun(&self) -> u64 {
        self.world.state().downloads_begun
    }

    /// Returns the tab in front, crashed or not: going elsewhere mends it.
    async fn tab_to_navigate(&self) -> Result<Tab, BrowserError> {
        let prepared = self.world.wait_until(|state| state.active().filter(|tab| tab.prepared).cloned());
        tokio::time::timeout(TAB_DEADLINE, prepared).await.map_err(|_| BrowserError::NoPage)
    }

    async fn activate_tab(&self, pass: Pass, id: &str) -> Result<(), BrowserError> {
        let tab = self.world.state().tab(id).cloned().ok_or_else(|| BrowserError::NoTab(id.to_owned()))?;
        self.pipe.command(&pass, None, ActivateTargetParams::new(tab.id.clone())).await?;
        self.world.set_front(&tab.id);
        Ok(())
    }

    async fn close_tab(&self, pass: Pass, id: &str) -> Result<(), BrowserError> {
        let (known, count) = {
            let state = self.world.state();
            (state.tab(id).is_some(), state.shown_tabs().count())
        };
        if !known {
            return Err(BrowserError::NoTab(id.to_owned()));
        }
        if count == 1 {
            self.pipe.command(&pass, None, CreateTargetParams::new("about:blank")).await?;
        }
        self.pipe.command(&pass, None, CloseTargetParams::new(id.to_owned())).await?;
        let gone = self.world.wait_until(|state| state.tab(id).is_none().then_some(()));
        // A page that asks before it closes stays; its dialog is answered like any other.
        let _ = tokio::time::timeout(TAB_DEADLINE, gone).await;
        Ok(())
    }

    async fn screenshot(&self, pass: Pass) -> Result<Vec<u8>, BrowserError> {
        picture::take(&self.pipe, &self.world, pass, Format::Png).await
    }

    /// Returns the element that a reference means, or refuses one that means nothing any more.
    fn named(&self, reference: &str) -> Result<Place, ActionError> {
        self.looks.place(reference).map_err(|stale| ActionError::OldReference(reference.to_owned(), stale))
    }

    /// Opens a tab in front, and waits until it can be used.
    async fn open_tab(&self, pass: Pass) -> Result<Tab, BrowserError> {
        let opened = self.pipe.command(&pass, None, CreateTargetParams::new("about:blank")).await?;
        let id: String = opened.target_id.into();
        let ready = self.world.wait_until(|state| state.tab(&id).filter(|tab| tab.prepared).cloned());
        let tab = tokio::time::timeout(TAB_DEADLINE, ready).await.map_err(|_| BrowserError::NoPage)?;
        self.world.set_front(&id);
        Ok(tab)
    }

    /// Opens a file of the workspace for the browser; returns where the browser sees it.
    async fn hand_out(&self, path: &str) -> Result<String, ActionError> {
        let (exchange, path) = (self.world.exchange().clone(), path.to_owned());
        let opened = tokio::task::spawn_blocking(move || exchange.hand_out(&path)).await;
        let opened = opened.map_err(|error| ActionError::Invalid(error.to_string()))?;
        opened.map_err(|error| ActionError::Invalid(error.to_string()))
    }
}

/// Chromium keeps console lines for whoever asks later: those of a time when a person drove go with the hand-back.
async fn forget_console_lines(pipe: Pipe, world: Arc<World>, mut held: watch::Receiver<bool>) {
    let mut was_held = false;
    loop {
        let is_held = *held.borrow_and_update();
        if was_held && !is_held {
            for session in world.state().all_sessions() {
                pipe.note(Some(&session), "Runtime.discardConsoleEntries", json!({}));
                pipe.note(Some(&session), "Log.clear", json!({}));
            }
        }
        was_held = is_held;
        // Ends with the gate.
        if held.changed().await.is_err() {
            return;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ending.abort();
        self.forgetting.abort();
        self.promising.abort();
    }
}
