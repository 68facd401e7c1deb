//! Dialogs of pages (`alert`, `confirm`, `prompt`, `beforeunload`): which answer each one gets.
//!
//! An answer that was given with a click belongs to the dialogs that the click brings up, also late and several in a row:
//! it stands until something else acts. What a dialog is to be answered is never guessed across actions: one that stands
//! when an action begins, or comes while an action only waits, stops that action, and `dialog` answers it.
//! `alert` has only one answer, and `beforeunload` asks about what the action wants: both are accepted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chromiumoxide_cdp::cdp::browser_protocol::page::HandleJavaScriptDialogParams;
use sandbox_core::action::{Action, AnswerDialog, Click, DialogAnswer, DialogRecord};
use serde_json::json;

use super::error::{ActionError, BrowserError};
use super::gate::Gate;
use super::pipe::{COMMAND_DEADLINE, CallError, Pass, Pipe};
use super::tab::Dialog;
use super::world::{State, World};

/// How long a click that was given an answer waits for its dialog.
const LATE: Duration = Duration::from_millis(1_000);
/// How long after a click its answer makes the next action's dialogs doubtful.
const DOUBT: Duration = Duration::from_secs(10);
/// How long a page may take for what it does right after a dialog closed.
const TURN: Duration = Duration::from_secs(1);

/// An answer that was given with a click.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    pub accept: bool,
    /// What goes into a `prompt` that is accepted.
    text: Option<String>,
}

/// An answer that stands for dialogs still to come.
#[derive(Clone, Debug)]
pub struct Promise {
    given: Given,
    /// Other tabs that were already open: their dialogs are not meant.
    others: Vec<String>,
    since: Instant,
    /// A dialog came.
    met: bool,
}

/// A dialog that is open.
#[derive(Clone, Debug)]
pub struct Standing {
    pub tab: String,
    session: String,
    pub dialog: Dialog,
}

/// The dialogs of one action.
pub struct Dialogs<'a> {
    world: &'a Arc<World>,
    pipe: &'a Pipe,
    pass: Pass,
    /// What the action itself was given.
    own: Option<Given>,
    /// What an earlier click was given, and no dialog came yet.
    earlier: Option<Promise>,
    /// Whether the action can bring up dialogs itself.
    brings: bool,
    /// Whether it only looks at what is there, dialogs too.
    looks: bool,
    records: Mutex<Vec<DialogRecord>>,
    _acting: Acting<'a>,
}

enum Verdict {
    Answer(Given),
    /// Nobody gave an answer.
    Stop,
}

impl Given {
    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Click(Click { dialog: Some(answer), prompt_text, .. })
            | Action::DoubleClick(Click { dialog: Some(answer), prompt_text, .. }) => {
                Some(Self::new(*answer, prompt_text.clone()))
            }
            _ => None,
        }
    }

    fn new(answer: DialogAnswer, text: Option<String>) -> Self {
        Self { accept: answer == DialogAnswer::Accept, text }
    }

    fn just(accept: bool) -> Self {
        Self { accept, text: None }
    }
}

impl Promise {
    fn is_for(&self, tab: &str) -> bool {
        !self.others.iter().any(|other| other == tab)
    }
}

impl Standing {
    /// Finds a dialog that is open: that of the tab in front before any other.
    pub fn find(state: &State) -> Option<Self> {
        let tab = state.active().filter(|tab| tab.dialog.is_some());
        let tab = tab.or_else(|| state.tabs.iter().find(|tab| tab.dialog.is_some()))?;
        Some(Self { tab: tab.id.clone(), session: tab.session.clone(), dialog: tab.dialog.clone()? })
    }

    fn has_one_answer(&self) -> bool {
        self.dialog.kind == "alert"
    }

    pub fn error(&self) -> BrowserError {
        BrowserError::DialogOpen { kind: self.dialog.kind.clone(), message: self.dialog.message.clone() }
    }

    /// Answers it and waits until it is closed. `None` if somebody else did meanwhile.
    async fn answer(
        &self,
        pipe: &Pipe,
        world: &World,
        pass: &Pass,
        given: &Given,
    ) -> Result<Option<DialogRecord>, BrowserError> {
        let mut params = HandleJavaScriptDialogParams::new(given.accept);
        params.prompt_text = given.text.clone().filter(|_| given.accept && self.dialog.kind == "prompt");
        let record = match pipe.command(pass, Some(&self.session), params).await {
            Ok(_) => {
                let (kind, message) = (self.dialog.kind.clone(), self.dialog.message.clone());
                Some(DialogRecord { kind, message, accepted: given.accept })
            }
            Err(CallError::Failed { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        // The next one in a row may be open already.
        let closed = world.wait_until(|state| {
            let now = state.tab(&self.tab).and_then(|tab| tab.dialog.as_ref());
            now.is_none_or(|now| now.number != self.dialog.number).then_some(())
        });
        match tokio::time::timeout(COMMAND_DEADLINE, closed).await {
            Ok(()) => Ok(record),
            Err(_) => Err(self.error()),
        }
    }

    /// Lets the page do what it does right after its dialog closed; ends early if that is another dialog.
    async fn turn(&self, pipe: &Pipe, world: &World, pass: &Pass) {
        let turned =
            pipe.call_within(TURN, pass, Some(&self.session), "Runtime.evaluate", json!({ "expression": "0" }));
        let next = world.wait_until(|state| state.tab(&self.tab).is_some_and(|tab| tab.dialog.is_some()).then_some(()));
        tokio::select! {
            // A page that hangs or goes away is the next command's to tell.
            _ = turned => {}
            () = next => {}
        }
    }
}

impl<'a> Dialogs<'a> {
    /// Begins with what stands: it is answered if its answer is known, and stops the action if not.
    pub async fn begin(
        world: &'a Arc<World>,
        pipe: &'a Pipe,
        pass: Pass,
        action: &Action,
    ) -> Result<Self, ActionError> {
        let acting = Acting::begin(world);
        let brings = action.kind().brings_dialog;
        let mut dialogs = Self {
            world,
            pipe,
            pass,
            own: Given::of(action),
            earlier: None,
            brings,
            looks: action.kind().ignores_dialog,
            records: Mutex::default(),
            _acting: acting,
        };
        if dialogs.looks {
            return Ok(dialogs);
        }
        clear_standing(world, pipe, &dialogs.pass).await?;
        let mut state = world.state();
        dialogs.keep(std::mem::take(&mut state.late_dialogs));
        dialogs.earlier = if brings { state.promise.take() } else { state.promise.clone() };
        drop(state);
        if brings {
            dialogs.earlier = dialogs.earlier.take().filter(|promise| !promise.met && promise.since.elapsed() < DOUBT);
        }
        Ok(dialogs)
    }

    /// Answers dialogs as they come, for as long as the action runs. Ends only with an error.
    pub async fn answer(&self) -> ActionError {
        if self.looks {
            return std::future::pending().await;
        }
        loop {
            let standing = self.world.wait_until(|state| Standing::find(state)).await;
            let given = match self.verdict(&standing) {
                Verdict::Answer(given) => given,
                Verdict::Stop => return standing.error().into(),
            };
            match standing.answer(self.pipe, self.world, &self.pass, &given).await {
                Ok(record) => self.keep(record),
                Err(error) => return error.into(),
            }
            self.world.bump();
        }
    }

    fn verdict(&self, standing: &Standing) -> Verdict {
        if matches!(standing.dialog.kind.as_str(), "alert" | "beforeunload") {
            return Verdict::Answer(Given::just(true));
        }
        let earlier = self.earlier.as_ref().filter(|promise| promise.is_for(&standing.tab));
        match (&self.own, earlier.map(|promise| &promise.given)) {
            (Some(own), None) => Verdict::Answer(own.clone()),
            (Some(own), Some(earlier)) if own == earlier => Verdict::Answer(own.clone()),
            // Which of the two brought it up is not known.
            (Some(_), Some(_)) => Verdict::Stop,
            (None, Some(_)) if self.brings => Verdict::Stop,
            (None, Some(earlier)) => Verdict::Answer(earlier.clone()),
            (None, None) if self.brings => Verdict::Answer(Given::just(false)),
            (None, None) => Verdict::Stop,
        }
    }

    /// Waits a moment for the dialog that the action was given an answer for. Says whether it had to, and it came.
    pub async fn expect(&self) -> bool {
        if self.own.is_none() || self.is_met() {
            return false;
        }
        let came = self.world.wait_until(|_| self.is_met().then_some(()));
        tokio::time::timeout(LATE, came).await.is_ok()
    }

    /// Lets the action's answer stand for dialogs that it still brings up, and returns those that came.
    pub fn end(self, clicked_in: &str) -> Vec<DialogRecord> {
        if let Some(given) = self.own.clone() {
            let mut state = self.world.state();
            let others = state.tabs.iter().map(|tab| tab.id.clone()).filter(|id| id != clicked_in).collect();
            state.promise = Some(Promise { given, others, since: Instant::now(), met: self.is_met() });
        }
        let refused = std::mem::take(&mut self.world.state().late_dialogs);
        self.keep(refused);
        std::mem::take(&mut *self.lock())
    }

    fn is_met(&self) -> bool {
        self.lock().iter().any(|record| matches!(record.kind.as_str(), "confirm" | "prompt"))
    }

    fn keep(&self, records: impl IntoIterator<Item = DialogRecord>) {
        self.lock().extend(records);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<DialogRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what stands and has a known answer, until nothing stands. The next outcome tells of it.
///
/// # Errors
///
/// A dialog stands that nobody said an answer for.
pub async fn clear_standing(world: &World, pipe: &Pipe, pass: &Pass) -> Result<(), ActionError> {
    loop {
        let (standing, promised) = {
            let state = world.state();
            let Some(standing) = Standing::find(&state) else { return Ok(()) };
            let promised = state.promise.as_ref().filter(|promise| promise.is_for(&standing.tab));
            (standing, promised.map(|promise| promise.given.clone()))
        };
        let given = match promised {
            _ if standing.has_one_answer() => Given::just(true),
            Some(given) => given,
            None => return Err(standing.error().into()),
        };
        let record = standing.answer(pipe, world, pass, &given).await?;
        world.state().late_dialogs.extend(record);
        standing.turn(pipe, world, pass).await;
    }
}

/// Answers the one dialog that stands, and waits for it until the deadline. Returns it, and what stands after it.
///
/// # Errors
///
/// None came.
pub async fn answer_standing(
    world: &World,
    pipe: &Pipe,
    pass: &Pass,
    wanted: &AnswerDialog,
    within: Duration,
) -> Result<(DialogRecord, Option<Standing>), ActionError> {
    let come = tokio::time::timeout(within, world.wait_until(|state| Standing::find(state))).await;
    let none = || ActionError::NotFound { target: "a dialog".to_owned(), instead: "the page shows none".to_owned() };
    let standing = come.map_err(|_| none())?;
    let given = Given::new(wanted.answer(), wanted.prompt_text().map(str::to_owned));
    let record = standing.answer(pipe, world, pass, &given).await?.ok_or_else(none)?;
    standing.turn(pipe, world, pass).await;
    Ok((record, Standing::find(&world.state())))
}

/// Answers dialogs that a click brings up after it was done, as the click was told. Nothing of that while a person was
/// asked or drives: then the answer is forgotten, and what comes is left for them.
pub async fn keep_promises(pipe: Pipe, world: Arc<World>, gate: Gate) {
    let mut held = gate.held();
    loop {
        let due = world.wait_until(|state| {
            let promise = state.promise.as_ref().filter(|_| state.acting == 0)?;
            let standing = Standing::find(state).filter(|standing| promise.is_for(&standing.tab))?;
            let given = if standing.dialog.kind == "alert" { Given::just(true) } else { promise.given.clone() };
            Some((standing, given))
        });
        let (standing, given) = tokio::select! {
            due = due => due,
            changed = held.changed() => {
                // Ends with the gate.
                if changed.is_err() {
                    return;
                }
                if *held.borrow_and_update() {
                    world.state().promise = None;
                }
                continue;
            }
        };
        match standing.answer(&pipe, &world, &Pass::Promised(gate.clone()), &given).await {
            Ok(record) => {
                let mut state = world.state();
                if standing.dialog.kind != "alert"
                    && let Some(promise) = &mut state.promise
                {
                    promise.met = true;
                }
                state.late_dialogs.extend(record);
            }
            Err(_) => world.state().promise = None,
        }
    }
}

/// While one lives, an action answers its own dialogs.
struct Acting<'a>(&'a World);

impl<'a> Acting<'a> {
    fn begin(world: &'a World) -> Self {
        let mut state = world.state();
        state.acting += 1;
        state.clients_act = false;
        drop(state);
        Self(world)
    }
}

impl Drop for Acting<'_> {
    fn drop(&mut self) {
        self.0.state().acting -= 1;
        self.0.bump();
    }
}
