//! What a client must not reach: Chromium's own pages, and the isolated world of the page script.
//!
//! A command that names one of them is answered as if it did not exist; events about it are not passed on.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::class::Class;
use super::member::{Attached, ClientState, Member};
use super::named::{self, Name, Pairs};
use super::targets::{NO_TARGET, NOT_OF_THE_WEB, TargetNews, shown_answer};
use super::words::{INVALID_PARAMS, NO_SESSION, SERVER_ERROR};
use crate::browser::documents::{self, Context};
use crate::browser::pipe::Told;

/// How names of our own begin.
const OUR_NAMES: &str = "baton";
const NO_CONTEXT: &str = "Cannot find context with specified id";
const NO_OBJECT: &str = "Invalid remote object id";
const NO_SCRIPT: &str = "No script with given id found";
const TWICE: &str = "the parameters are one object, and each is named once";
const TAKEN: &str = "a binding needs a name that no page has already";
const CONDITION: &str = "a breakpoint with a condition names the whole address of its script";
const NOT_ITS_OWN: &str = "refused: a client may only name authenticators that it made itself";
const NOT_PAUSED: &str = "Can only perform operation while paused.";

/// Code and message of a refusal, as Chromium writes them.
pub type Refusal = (i64, &'static str);

/// The parts of an event that name its world.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    execution_context_id: Option<i64>,
    exception_details: Option<Thrown>,
    script_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thrown {
    execution_context_id: Option<i64>,
}

/// What becomes of an event.
pub enum News {
    /// Told as it is.
    AsIs,
    /// Told with other parameters.
    With(Value),
    /// Told after these.
    After(Vec<(String, &'static str, Value)>),
    /// Not told.
    Kept,
}

impl Member {
    /// Checks that a command names only what the client may reach.
    ///
    /// # Errors
    ///
    /// What Chromium would answer if the thing did not exist.
    pub fn may_reach(
        &self,
        state: &ClientState,
        (session, method, class): (&str, &str, Class),
        params: &str,
    ) -> Result<(), Refusal> {
        if named::is_ambiguous(params) {
            return Err((INVALID_PARAMS, TWICE));
        }
        let Some(attached) = state.sessions.get(session).filter(|_| !state.withheld.has_session(session)) else {
            return Err((NO_SESSION, "Session with given id not found."));
        };
        self.may_name_target(params)?;
        if self.is_away(attached) && !passes_while_away(method, class) {
            return Err((SERVER_ERROR, NOT_OF_THE_WEB));
        }
        self.may_name_worlds(attached, method, params)?;
        match method {
            "Runtime.addBinding" | "Runtime.removeBinding" => self.may_bind(params),
            _ if method.starts_with("WebAuthn.") => may_name_authenticator(&state.authenticators, params),
            "Debugger.setBreakpointByUrl" => may_break(params),
            "Debugger.setReturnValue" if !attached.paused => Err((SERVER_ERROR, NOT_PAUSED)),
            _ => Ok(()),
        }
    }

    /// Whether the session's target currently shows one of Chromium's own pages.
    pub fn is_away(&self, attached: &Attached) -> bool {
        !attached.target.is_empty() && !self.world.state().targets.is_shown(&attached.target)
    }

    fn may_name_target(&self, params: &str) -> Result<(), Refusal> {
        if !params.contains("argetId") && !params.contains("\\u") {
            return Ok(());
        }
        let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(params) else { return Ok(()) };
        let named = pairs.iter().filter(|(key, _)| key.as_ref() == "targetId");
        let world = self.world.state();
        for (_, id) in named {
            let id: String = serde_json::from_str(id.get()).unwrap_or_default();
            if !world.targets.is_shown(&id) {
                return Err((INVALID_PARAMS, NO_TARGET));
            }
        }
        Ok(())
    }

    fn may_name_worlds(&self, attached: &Attached, method: &str, params: &str) -> Result<(), Refusal> {
        for name in named::names(params) {
            let context = match &name {
                Name::Context(id) | Name::Object(id) => self.context(attached, *id),
                Name::UniqueContext(unique) => self.context_named(attached, unique),
                Name::Script(id) => {
                    // Only the debugger changes scripts and stops in them.
                    if method.starts_with("Debugger.") && !attached.scripts.contains(id) {
                        return Err((SERVER_ERROR, NO_SCRIPT));
                    }
                    continue;
                }
                Name::Unreadable => return Err((INVALID_PARAMS, NO_OBJECT)),
            };
            let is_ours = match context {
                Some(context) => context.is_ours,
                // Every world of a page is known; a worker has only one.
                None => self.own_session(attached).is_some(),
            };
            if is_ours {
                return Err((SERVER_ERROR, NO_CONTEXT));
            }
        }
        Ok(())
    }

    /// Chromium adds a binding to every world of a page, including ours: it must not replace anything there.
    fn may_bind(&self, params: &str) -> Result<(), Refusal> {
        let params: Value = serde_json::from_str(params).map_err(|_| (INVALID_PARAMS, TAKEN))?;
        let name = params["name"].as_str().unwrap_or_default();
        let is_taken = name.starts_with(OUR_NAMES) || self.world.state().documents.globals.contains(name);
        if is_taken { Err((SERVER_ERROR, TAKEN)) } else { Ok(()) }
    }

    /// Returns the runtime's own session at the same target.
    pub fn own_session(&self, attached: &Attached) -> Option<String> {
        self.world.state().session_at(&attached.target).map(str::to_owned)
    }

    /// Returns the world that a session names by its number, if it is known.
    pub fn context(&self, attached: &Attached, id: i64) -> Option<Context> {
        let known = || {
            let own = self.own_session(attached)?;
            self.world.state().documents.context(&own, id).cloned()
        };
        attached.contexts.get(&id).cloned().or_else(known)
    }

    /// As [`Member::context`], by unique id.
    pub fn context_named(&self, attached: &Attached, unique: &str) -> Option<Context> {
        let known = || {
            let own = self.own_session(attached)?;
            self.world.state().documents.context_named(&own, unique).cloned()
        };
        attached.contexts.values().find(|context| context.unique == unique).cloned().or_else(known)
    }

    /// Decides whether the client gets an event, and keeps the record of its worlds current.
    pub fn sort(&self, state: &mut ClientState, session: &str, told: Told<'_>) -> News {
        if told.method.starts_with("Target.") {
            return self.sort_target(state, session, told);
        }
        let Some(attached) = state.sessions.get(session) else { return News::AsIs };
        if self.is_away(attached) {
            self.let_go_of(session, told);
            let ends = ["Runtime.executionContextsCleared", "Runtime.executionContextDestroyed"].contains(&told.method);
            if !ends && !told.method.starts_with("Inspector.") {
                return News::Kept;
            }
        }
        match told.method {
            "Runtime.executionContextCreated"
            | "Runtime.executionContextDestroyed"
            | "Runtime.executionContextsCleared" => {
                let params = told.event().params;
                let ours = self.world.script_world.as_str();
                let id = params["executionContextId"].as_i64().or(params["context"]["id"].as_i64());
                let was_ours = id.and_then(|id| self.context(attached, id)).is_some_and(|context| context.is_ours);
                let is_ours = Context::read(&params, ours).is_some_and(|(_, context)| context.is_ours);
                let is_created = told.method == "Runtime.executionContextCreated";
                if let Some(attached) = state.sessions.get_mut(session) {
                    documents::follow(&mut attached.contexts, ours, told.method, &params);
                }
                if is_ours || (was_ours && !is_created) { News::Kept } else { News::AsIs }
            }
            "Debugger.paused" => self.sort_pause(state, session, told),
            "Debugger.resumed" => {
                let attached = state.sessions.get_mut(session);
                let stood_with_us = attached.is_some_and(|attached| std::mem::take(&mut attached.stood_with_us));
                if stood_with_us { News::Kept } else { News::AsIs }
            }
            "Runtime.bindingCalled"
            | "Runtime.consoleAPICalled"
            | "Runtime.exceptionThrown"
            | "Runtime.inspectRequested"
            | "Debugger.scriptParsed"
            | "Debugger.scriptFailedToParse" => {
                let Ok(about) = serde_json::from_str::<About>(told.params) else { return News::AsIs };
                let thrown = about.exception_details.and_then(|thrown| thrown.execution_context_id);
                let id = about.execution_context_id.or(thrown);
                if id.and_then(|id| self.context(attached, id)).is_some_and(|context| context.is_ours) {
                    return News::Kept;
                }
                if let (Some(script), Some(attached)) = (about.script_id, state.sessions.get_mut(session)) {
                    attached.scripts.insert(script);
                }
                News::AsIs
            }
            _ => News::AsIs,
        }
    }

    fn sort_target(&self, state: &mut ClientState, session: &str, told: Told<'_>) -> News {
        let params = told.event().params;
        match state.withheld.sort(session, told.method, &params) {
            TargetNews::Told(earlier) if earlier.is_empty() => News::AsIs,
            TargetNews::Told(earlier) => News::After(earlier),
            TargetNews::Withheld => {
                if let Some(child) = params["sessionId"].as_str()
                    && let Some(attached) = state.sessions.get_mut(child)
                {
                    attached.let_go(&self.pipe, &self.world, child);
                }
                News::Kept
            }
        }
    }

    /// The debugger paused: leaves our own frames out, and resumes if it paused in one of them.
    fn sort_pause(&self, state: &mut ClientState, session: &str, told: Told<'_>) -> News {
        let Some(attached) = state.sessions.get(session) else { return News::AsIs };
        let mut params = told.event().params;
        let is_ours = |frame: &Value| {
            let world = frame["callFrameId"].as_str().and_then(named::world_in);
            world.and_then(|id| self.context(attached, id)).is_some_and(|context| context.is_ours)
        };
        if is_ours(&params["callFrames"][0]) {
            self.pipe.note(Some(session), "Debugger.resume", json!({}));
            if let Some(attached) = state.sessions.get_mut(session) {
                attached.paused = false;
                attached.stood_with_us = true;
            }
            return News::Kept;
        }
        let Some(frames) = params["callFrames"].as_array_mut() else { return News::AsIs };
        let before = frames.len();
        frames.retain(|frame| !is_ours(frame));
        if frames.len() == before { News::AsIs } else { News::With(params) }
    }

    /// Resumes a page that waits for the client's answer to this event.
    pub fn let_go_of(&self, session: &str, told: Told<'_>) {
        match told.method {
            "Debugger.paused" => self.pipe.note(Some(session), "Debugger.resume", json!({})),
            "Fetch.requestPaused" => {
                let id = told.event().params["requestId"].clone();
                self.pipe.note(Some(session), "Fetch.continueRequest", json!({ "requestId": id }));
            }
            "Page.screencastFrame" => {
                let number = told.event().params["sessionId"].clone();
                self.pipe.note(Some(session), "Page.screencastFrameAck", json!({ "sessionId": number }));
            }
            _ => {}
        }
    }
}

/// Whether a command works on one of Chromium's own pages: it leaves the page, or reveals nothing of it.
fn passes_while_away(method: &str, class: Class) -> bool {
    match class {
        Class::Neutral | Class::LetGo => true,
        Class::Prepare => {
            !method.starts_with("Page.addScript")
                && !matches!(method, "Page.createIsolatedWorld" | "Runtime.addBinding")
        }
        Class::Look | Class::Act | Class::Refused(_) => {
            method.starts_with("Target.")
                || matches!(method, "Page.navigate" | "Page.close" | "Page.bringToFront" | "Page.stopLoading")
        }
    }
}

/// A breakpoint's condition runs in every script that it matches: it must name a script's address, and ours has none.
fn may_break(params: &str) -> Result<(), Refusal> {
    let params: Value = serde_json::from_str(params).map_err(|_| (INVALID_PARAMS, CONDITION))?;
    let is_plain = params["condition"].as_str().unwrap_or_default().is_empty();
    let is_whole = params["url"].as_str().is_some_and(|url| !url.is_empty())
        && params["urlRegex"].is_null()
        && params["scriptHash"].is_null();
    if is_plain || is_whole { Ok(()) } else { Err((SERVER_ERROR, CONDITION)) }
}

/// An authenticator belongs to whoever made it: Chromium lets any session read the keys of one that it can name.
fn may_name_authenticator(own: &BTreeSet<String>, params: &str) -> Result<(), Refusal> {
    let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(params) else { return Ok(()) };
    let named = pairs.iter().find(|(key, _)| key.as_ref() == "authenticatorId");
    let id = named.map(|(_, id)| serde_json::from_str::<String>(id.get()).unwrap_or_default());
    if id.is_none_or(|id| own.contains(&id)) { Ok(()) } else { Err((SERVER_ERROR, NOT_ITS_OWN)) }
}

/// Removes from an answer what the client must not see; if nothing is left, returns Chromium's error.
pub fn judged<'a>(method: &str, result: &'a str) -> Result<std::borrow::Cow<'a, str>, String> {
    if !method.starts_with("Target.") {
        return Ok(result.into());
    }
    let none = json!({ "code": INVALID_PARAMS, "message": NO_TARGET });
    shown_answer(method, result).map(Into::into).ok_or_else(|| none.to_string())
}
