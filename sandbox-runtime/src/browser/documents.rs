//! Which document each frame shows and which script worlds are in it, from the events of the runtime's own sessions.
//!
//! Outside clients are checked against it: they do not reach the page script's world, nor documents in which a person typed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A world of scripts in one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub frame: String,
    pub origin: String,
    pub unique: String,
    /// The page script lives in it.
    pub is_ours: bool,
}

impl Context {
    /// Reads what `Runtime.executionContextCreated` tells; `ours` is the name of the page script's world.
    pub fn read(params: &Value, ours: &str) -> Option<(i64, Self)> {
        let told = &params["context"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let context = Self {
            frame: text(&told["auxData"]["frameId"]),
            origin: text(&told["origin"]),
            unique: text(&told["uniqueId"]),
            is_ours: told["name"] == ours,
        };
        Some((told["id"].as_i64()?, context))
    }
}

/// Contexts of one target, by number.
pub type Contexts = BTreeMap<i64, Context>;

/// Keeps contexts current by an event of a session.
pub fn follow(contexts: &mut Contexts, ours: &str, method: &str, params: &Value) {
    match method {
        "Runtime.executionContextCreated" => contexts.extend(Context::read(params, ours)),
        "Runtime.executionContextDestroyed" => {
            contexts.remove(&params["executionContextId"].as_i64().unwrap_or_default());
        }
        "Runtime.executionContextsCleared" => contexts.clear(),
        _ => {}
    }
}

/// One document: a frame and its loader. A document that comes back from the back/forward cache is the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    pub frame: String,
    pub loader: String,
}

/// A document that a person typed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub document: Document,
    pub origin: String,
    /// The runtime's session, and the tab that it is in.
    pub session: String,
    pub tab: String,
    /// The loading of the tab's main frame: with its page, each document in it goes and comes back.
    page: String,
    /// How often it was closed. An earlier look at it is out of date.
    times: u64,
    /// It is being filled in now.
    is_filled_in: bool,
    /// It holds vault values, so handing back does not reveal it.
    pub is_of_vault: bool,
}

/// A document that is being filled in, to say that it no longer is.
#[derive(Clone, Debug)]
pub struct Filled(Document);

/// How many documents are remembered, including those in the back/forward cache.
const TYPED_KEPT: usize = 1_000;

/// The record.
#[derive(Debug, Default)]
pub struct Documents {
    /// By session.
    contexts: BTreeMap<String, Contexts>,
    /// By frame: its loader.
    loaders: BTreeMap<String, String>,
    /// By frame: the session that shows it.
    sessions: BTreeMap<String, String>,
    /// Oldest first.
    typed: Vec<Typed>,
    /// Names of a page's globals: no client may add a binding under one of them.
    pub globals: BTreeSet<String>,
}

impl Documents {
    /// Takes in an event of one of the runtime's own sessions.
    pub fn on_event(&mut self, session: &str, ours: &str, method: &str, params: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match method {
            "Page.frameNavigated" => {
                let frame = &params["frame"];
                self.loaders.insert(text(&frame["id"]), text(&frame["loaderId"]));
                self.sessions.insert(text(&frame["id"]), session.to_owned());
            }
            "Page.frameDetached" if params["reason"] != "swap" => {
                let frame = text(&params["frameId"]);
                self.loaders.remove(&frame);
                self.sessions.remove(&frame);
                self.typed.retain(|typed| typed.document.frame != frame);
            }
            _ => follow(self.contexts.entry(session.to_owned()).or_default(), ours, method, params),
        }
    }

    /// Corrects the record by what a frame itself says.
    pub fn found(&mut self, frame: &str, loader: &str) {
        self.loaders.insert(frame.to_owned(), loader.to_owned());
    }

    /// Forgets a session: its frames are shown by another, or gone.
    pub fn detached(&mut self, session: &str) {
        self.contexts.remove(session);
        self.sessions.retain(|_, of| of != session);
    }

    /// Forgets a tab.
    pub fn tab_gone(&mut self, tab: &str) {
        self.typed.retain(|typed| typed.tab != tab);
        self.loaders.remove(tab);
        self.sessions.remove(tab);
    }

    /// Returns the world with this number in a target that `session` is attached to.
    pub fn context(&self, session: &str, id: i64) -> Option<&Context> {
        self.contexts.get(session)?.get(&id)
    }

    /// Returns the world with this lasting name.
    pub fn context_named(&self, session: &str, unique: &str) -> Option<&Context> {
        self.contexts.get(session)?.values().find(|context| context.unique == unique)
    }

    /// Returns the number of the world with this lasting name.
    pub fn number_of(&self, session: &str, unique: &str) -> Option<i64> {
        let known = self.contexts.get(session)?.iter();
        known.into_iter().find(|(_, context)| context.unique == unique).map(|(id, _)| *id)
    }

    /// Returns the origin of the document in a frame.
    pub fn origin_of(&self, session: &str, frame: &str) -> Option<String> {
        let mut known = self.contexts.get(session)?.values();
        known.find(|context| context.frame == frame).map(|context| context.origin.clone())
    }

    /// A person typed in the document that this world belongs to.
    pub fn typed_in(&mut self, session: &str, context: i64, tab: &str) -> &mut Typed {
        let (frame, origin) = match self.context(session, context) {
            Some(context) => (context.frame.clone(), context.origin.clone()),
            // A world that is not known closes the tab's document: better too much than too little.
            None => (tab.to_owned(), String::new()),
        };
        let document = Document { loader: self.loader(&frame), frame };
        if let Some(at) = self.typed.iter().position(|typed| typed.document == document) {
            self.typed[at].times += 1;
            return &mut self.typed[at];
        }
        if self.typed.len() == TYPED_KEPT {
            self.typed.remove(0);
        }
        self.sessions.entry(document.frame.clone()).or_insert_with(|| session.to_owned());
        let page = self.loader(tab);
        let (session, tab) = (session.to_owned(), tab.to_owned());
        self.typed.push(Typed {
            document,
            origin,
            session,
            tab,
            page,
            times: 0,
            is_filled_in: false,
            is_of_vault: false,
        });
        self.typed.last_mut().expect("it was just added")
    }

    /// A document is about to be filled in for a person: it is closed from now on, whatever its fields hold yet.
    pub fn begin_filling(&mut self, session: &str, context: i64, tab: &str) -> Filled {
        let typed = self.typed_in(session, context, tab);
        typed.is_filled_in = true;
        typed.is_of_vault = true;
        Filled(typed.document.clone())
    }

    /// It is filled in. From now on it opens as any other, once its fields hold nothing.
    pub fn end_filling(&mut self, Filled(document): &Filled) {
        if let Some(typed) = self.typed.iter_mut().find(|typed| typed.document == *document) {
            typed.is_filled_in = false;
            typed.times += 1;
        }
    }

    /// Returns the documents that a person typed in and that are shown now.
    pub fn typed(&self) -> impl Iterator<Item = &Typed> {
        let is_shown = |typed: &&Typed| {
            self.loader(&typed.document.frame) == typed.document.loader && self.loader(&typed.tab) == typed.page
        };
        self.typed.iter().filter(is_shown)
    }

    /// Opens a document that, when it was looked at, no longer held what a person typed.
    pub fn opened(&mut self, looked_at: &Typed) {
        self.typed.retain(|typed| typed.is_filled_in || typed != looked_at);
    }

    pub fn is_typed(&self, frame: &str) -> bool {
        self.typed().any(|typed| typed.document.frame == frame)
    }

    /// Returns the session that shows a frame now.
    pub fn session_of(&self, typed: &Typed) -> String {
        self.sessions.get(&typed.document.frame).unwrap_or(&typed.session).clone()
    }

    fn loader(&self, frame: &str) -> String {
        self.loaders.get(frame).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(id: i64, frame: &str, name: &str) -> Value {
        json!({"context": {"id": id, "name": name, "origin": "http://a.example", "uniqueId": format!("u{id}"),
            "auxData": {"frameId": frame}}})
    }

    fn navigated(frame: &str, loader: &str) -> Value {
        json!({"frame": {"id": frame, "loaderId": loader}})
    }

    #[test]
    fn a_document_is_closed_until_another_is_in_its_frame_and_again_when_it_comes_back() {
        let mut documents = Documents::default();
        documents.on_event("s", "ours", "Page.frameNavigated", &navigated("f", "1"));
        documents.on_event("s", "ours", "Runtime.executionContextCreated", &context(3, "f", "ours"));
        documents.typed_in("s", 3, "f");
        assert!(documents.is_typed("f"));
        documents.on_event("s", "ours", "Page.frameNavigated", &navigated("f", "2"));
        assert!(!documents.is_typed("f"));
        documents.on_event("s", "ours", "Page.frameNavigated", &navigated("f", "1"));
        assert!(documents.is_typed("f"), "it came back from the cache of pages");
        let there = documents.typed().next().unwrap().clone();
        documents.opened(&there);
        assert!(!documents.is_typed("f"));
    }

    #[test]
    fn a_document_that_is_filled_in_is_not_opened_by_who_looked_before() {
        let mut documents = Documents::default();
        documents.on_event("s", "ours", "Page.frameNavigated", &navigated("f", "1"));
        documents.on_event("s", "ours", "Runtime.executionContextCreated", &context(3, "f", "ours"));
        let filled = documents.begin_filling("s", 3, "f");
        let looked_before = documents.typed().next().unwrap().clone();
        documents.opened(&looked_before);
        assert!(documents.is_typed("f"), "its fields may be empty still");
        documents.end_filling(&filled);
        documents.opened(&looked_before);
        assert!(documents.is_typed("f"), "they were looked at before they were filled in");
        let looked_after = documents.typed().next().unwrap().clone();
        documents.opened(&looked_after);
        assert!(!documents.is_typed("f"));
    }

    #[test]
    fn a_frame_that_is_gone_takes_its_document_along() {
        let mut documents = Documents::default();
        documents.on_event("s", "ours", "Page.frameNavigated", &navigated("f", "1"));
        documents.on_event("s", "ours", "Runtime.executionContextCreated", &context(3, "f", "ours"));
        documents.typed_in("s", 3, "tab");
        documents.on_event("s", "ours", "Page.frameDetached", &json!({"frameId": "f", "reason": "swap"}));
        assert!(documents.is_typed("f"), "it only changed its process");
        documents.on_event("s", "ours", "Page.frameDetached", &json!({"frameId": "f", "reason": "remove"}));
        assert!(!documents.is_typed("f"));
    }

    #[test]
    fn our_own_world_is_known_by_its_name() {
        let mut documents = Documents::default();
        documents.on_event("s", "ours", "Runtime.executionContextCreated", &context(1, "f", ""));
        documents.on_event("s", "ours", "Runtime.executionContextCreated", &context(2, "f", "ours"));
        assert!(!documents.context("s", 1).unwrap().is_ours);
        assert!(documents.context("s", 2).unwrap().is_ours);
        assert!(documents.context_named("s", "u2").unwrap().is_ours);
        documents.on_event("s", "ours", "Runtime.executionContextsCleared", &json!({}));
        assert_eq!(documents.context("s", 1), None);
    }
}
