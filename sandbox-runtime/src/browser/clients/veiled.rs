//! Documents in which a person typed, as a client sees them: which commands are refused, which events are kept back.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::class::Class;
use super::member::{Attached, ClientState, Member};
use super::named::{self, Name};
use super::new_documents::has_source;
use super::reach::News;
use crate::browser::address::without_values;
use crate::browser::aim;
use crate::browser::pipe::{Foreign, Told};
use crate::browser::veil::{self, Place, Reading, reading};

/// How many requests of closed documents are remembered.
const REQUESTS_KEPT: usize = 10_000;
/// Replaces the text of a dialog of a closed document.
const WITHHELD: &str = "(withheld, because a person typed in this page)";
/// Domains whose events reveal a document's content.
const TELLING: &[&str] = &[
    "Accessibility",
    "Animation",
    "CSS",
    "Console",
    "DOM",
    "DOMStorage",
    "IndexedDB",
    "LayerTree",
    "Log",
    "Overlay",
    "Storage",
];

/// Requests that closed documents made.
#[derive(Debug, Default)]
pub struct Requests {
    known: BTreeSet<String>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Requests {
    fn add(&mut self, id: &str) {
        if self.known.insert(id.to_owned()) {
            self.order.push_back(id.to_owned());
        }
        if self.order.len() > REQUESTS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn has(&self, id: &str) -> bool {
        self.known.contains(id)
    }
}

impl Member {
    /// Returns where a command reads, or `None` for one that reads nothing of a document.
    pub fn reads(&self, session: &str, method: &str, class: Class, params: &str) -> Option<Place> {
        if matches!(class, Class::Neutral | Class::LetGo) {
            return None;
        }
        let reading = match reading(method) {
            // The script also runs in each new frame of the page, and can reach the other frames from there.
            Reading::Nothing if method.starts_with("Page.addScript") && runs(params) => Reading::Tab,
            Reading::Nothing if method == "Page.navigate" => return self.inner_frame(session, params),
            reading => reading,
        };
        let state = self.lock();
        let attached = state.sessions.get(session)?;
        match reading {
            Reading::Nothing | Reading::Picture => None,
            Reading::Memory => Some(Place::Browser),
            Reading::World => self.worlds(attached, params),
            Reading::Documents => self.own_session(attached).map(Place::Session),
            Reading::Tab => self.tab_of(attached).map(Place::Tab),
        }
    }

    /// Returns the tab if a command opens an address in one of its inner frames: a document there can reach the others.
    fn inner_frame(&self, session: &str, params: &str) -> Option<Place> {
        let params: Value = serde_json::from_str(params).unwrap_or_default();
        let state = self.lock();
        let tab = self.tab_of(state.sessions.get(session)?)?;
        let frame = params["frameId"].as_str()?;
        (frame != tab).then_some(Place::Tab(tab))
    }

    /// Returns the tab whose picture a command asks for, if a person typed in it.
    pub fn pictured(&self, session: &str, method: &str) -> Option<String> {
        if reading(method) != Reading::Picture {
            return None;
        }
        let state = self.lock();
        let tab = self.tab_of(state.sessions.get(session)?)?;
        self.is_closed(&Place::Tab(tab.clone())).then_some(tab)
    }

    /// Shows viewers where the client points, in the tab that is in front.
    pub fn aims(&self, foreign: &Foreign) {
        if foreign.method != "Input.dispatchMouseEvent" {
            return;
        }
        self.world.aim(|| {
            let tab = {
                let state = self.lock();
                state.sessions.get(&foreign.session).and_then(|attached| self.tab_of(attached))
            };
            let in_front = tab.is_some() && self.world.state().active().map(|tab| tab.id.clone()) == tab;
            if in_front { aim::of_mouse_event(&foreign.params) } else { None }
        });
    }

    pub fn is_closed(&self, place: &Place) -> bool {
        !veil::closed(&self.world.state(), place).is_empty()
    }

    /// As [`Member::is_closed`], but asks the page again first.
    pub async fn stays_closed(&self, place: &Place) -> bool {
        let typed = veil::closed(&self.world.state(), place);
        !typed.is_empty() && !veil::look_again(&self.pipe, &self.world, &typed).await
    }

    /// Whether a command asks about a request that a closed document made.
    pub fn carries_typed(&self, session: &str, method: &str, params: &str) -> bool {
        if !method.starts_with("Network.") {
            return false;
        }
        let params: Value = serde_json::from_str(params).unwrap_or_default();
        let Some(request) = params["requestId"].as_str() else { return false };
        let state = self.lock();
        let Some(attached) = state.sessions.get(session) else { return false };
        attached.requests.has(request) || method == "Network.getRequestPostData" && attached.posts.has(request)
    }

    /// Decides whether the client gets an event of a session in which a person may have typed.
    pub fn sort_veiled(&self, state: &mut ClientState, session: &str, told: Told<'_>) -> News {
        let Some(attached) = state.sessions.get_mut(session) else { return News::AsIs };
        let is_of_network = told.method.starts_with("Network.");
        if is_of_network && !attached.requests.known.is_empty() {
            let params = told.event().params;
            if params["requestId"].as_str().is_some_and(|id| attached.requests.has(id)) {
                return News::Kept;
            }
        }
        if self.world.state().documents.typed().next().is_none() {
            return News::AsIs;
        }
        if matches!(told.method, "Network.requestWillBeSent" | "Fetch.requestPaused") {
            return self.sort_request(attached, session, told);
        }
        let own = self.own_session(attached);
        let is_closed = own.is_some_and(|own| self.is_closed(&Place::Session(own)));
        match told.method {
            "Runtime.bindingCalled"
            | "Runtime.consoleAPICalled"
            | "Runtime.exceptionThrown"
            | "Runtime.inspectRequested" => {
                let params = told.event().params;
                let id = params["executionContextId"].as_i64();
                let id = id.or(params["exceptionDetails"]["executionContextId"].as_i64());
                let place = self.place_of(attached, id.into_iter().collect());
                if place.is_some_and(|place| self.is_closed(&place)) { News::Kept } else { News::AsIs }
            }
            "Page.screencastFrame" if self.tab_of(attached).is_some_and(|tab| self.is_closed(&Place::Tab(tab))) => {
                self.let_go_of(session, told);
                News::Kept
            }
            "Debugger.paused" if is_closed => {
                self.let_go_of(session, told);
                attached.paused = false;
                attached.stood_with_us = true;
                News::Kept
            }
            "Page.javascriptDialogOpening" if is_closed => {
                let mut params = told.event().params;
                params["message"] = json!(WITHHELD);
                params["defaultPrompt"] = json!("");
                News::With(params)
            }
            "Page.navigatedWithinDocument" | "Target.targetInfoChanged" | "Target.targetCreated" => {
                let mut params = told.event().params;
                veil::without_typed(&self.world.state(), &mut params);
                News::With(params)
            }
            method if is_closed => {
                let domain = method.split('.').next().unwrap_or_default();
                let is_frame = method.starts_with("Network.webSocketFrame") || method.contains("MessageReceived");
                if TELLING.contains(&domain) || is_frame { News::Kept } else { News::AsIs }
            }
            _ => News::AsIs,
        }
    }

    /// Keeps a closed document's request back, and lets it go if it waits. A navigation away is passed on without its body.
    fn sort_request(&self, attached: &mut Attached, session: &str, told: Told<'_>) -> News {
        let mut params = told.event().params;
        let frame = params["frameId"].as_str().unwrap_or_default().to_owned();
        let request = params["requestId"].as_str().unwrap_or_default().to_owned();
        let has_body = params["request"]["hasPostData"] == true || !params["request"]["postData"].is_null();
        if told.method == "Fetch.requestPaused" {
            let tab = self.tab_of(attached);
            let is_near = tab.as_ref().is_some_and(|tab| {
                let world = self.world.state();
                world.documents.typed().any(|typed| world.targets.are_related(tab, &typed.tab))
            });
            // A client could send a body elsewhere, or answer with a document that reaches into the closed one.
            let leaves = params["resourceType"] == "Document" && !has_body && tab.as_ref() == Some(&frame);
            if !is_near || leaves {
                return News::AsIs;
            }
            self.let_go_of(session, told);
            return News::Kept;
        }
        if !self.world.state().documents.is_typed(&frame) {
            return News::AsIs;
        }
        if params["type"] != "Document" || params["loaderId"] != params["requestId"] {
            attached.requests.add(&request);
            return News::Kept;
        }
        if !has_body {
            return News::AsIs;
        }
        attached.posts.add(&request);
        if let Some(request) = params["request"].as_object_mut() {
            request.remove("postData");
            request.remove("postDataEntries");
        }
        News::With(params)
    }

    /// Removes from an answer what would reveal a closed document.
    pub fn answer_without_typed(&self, method: &str, result: &str) -> Option<String> {
        let tells = ["Page.getFrameTree", "Page.getNavigationHistory", "Target.getTargets", "Target.getTargetInfo"];
        let world = self.world.state();
        if !tells.contains(&method) || world.documents.typed().next().is_none() {
            return None;
        }
        let mut answer: Value = serde_json::from_str(result).ok()?;
        if let Some(entries) = answer["entries"].as_array_mut() {
            // A page can put anything into its own history.
            for entry in entries {
                let url = without_values(entry["url"].as_str().unwrap_or_default());
                entry["url"] = json!(url);
                entry["userTypedURL"] = json!(url);
                entry["title"] = json!("");
            }
        }
        veil::without_typed(&world, &mut answer);
        Some(answer.to_string())
    }

    fn tab_of(&self, attached: &Attached) -> Option<String> {
        let world = self.world.state();
        let own = world.session_at(&attached.target)?;
        world.tab_at(own).map(|tab| tab.id.clone())
    }

    /// Returns the worlds that a command names, or the main one.
    fn worlds(&self, attached: &Attached, params: &str) -> Option<Place> {
        let numbers = named::names(params).into_iter().filter_map(|name| match name {
            Name::Context(id) | Name::Object(id) => Some(id),
            Name::UniqueContext(unique) => self.number_of(attached, &unique),
            Name::Script(_) | Name::Unreadable => None,
        });
        self.place_of(attached, numbers.collect())
    }

    fn number_of(&self, attached: &Attached, unique: &str) -> Option<i64> {
        let told = attached.contexts.iter().find(|(_, context)| context.unique == unique).map(|(id, _)| *id);
        let own = self.own_session(attached)?;
        told.or_else(|| self.world.state().documents.number_of(&own, unique))
    }

    fn place_of(&self, attached: &Attached, numbers: Vec<i64>) -> Option<Place> {
        let own = self.own_session(attached)?;
        let tab = self.tab_of(attached)?;
        let named = |id: &i64| {
            let context = self.context(attached, *id);
            // A world that is not known counts as the whole page.
            context.map_or_else(|| (attached.target.clone(), String::new()), |known| (known.frame, known.origin))
        };
        let mut worlds: Vec<(String, String)> = numbers.iter().map(named).collect();
        if worlds.is_empty() {
            let origin = self.world.state().documents.origin_of(&own, &attached.target).unwrap_or_default();
            worlds.push((attached.target.clone(), origin));
        }
        Some(Place::Worlds { tab, session: own, worlds })
    }
}

fn runs(params: &str) -> bool {
    has_source(&serde_json::from_str(params).unwrap_or_default())
}
