//! Which targets a client gets: pages, frames and workers of the web. Chromium's own pages hold more rights than any page
//! (`chrome.send`, Mojo), so a client neither hears of them nor reaches them.
//!
//! A target that moves from one side to the other is announced when it comes, and its session answers nothing while it is away.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::browser::address::may_open;

/// Kinds of targets that a client may get. `tab` holds a page and the pages prepared for it; `browser` is the client's own.
const KINDS: [&str; 8] =
    ["page", "tab", "iframe", "worker", "shared_worker", "service_worker", "auction_worklet", "browser"];
/// How many openers one above the other are followed.
const OPENERS_MAX: usize = 100;
/// What Chromium answers about a target that it does not have.
pub const NO_TARGET: &str = "No target with given id found";
/// Why a session answers nothing.
pub const NOT_OF_THE_WEB: &str = "this page is the browser's own, not one of the web: open another address in it";

/// Whether a client may see a target, by its kind and address.
fn is_shown(kind: &str, url: &str) -> bool {
    // An address that could not be opened shows Chromium's error page, which has no rights.
    KINDS.contains(&kind) && (may_open(url) || url.starts_with("chrome-error://"))
}

/// What is known of one target.
#[derive(Clone, Debug, Default)]
pub struct Target {
    kind: String,
    url: String,
    /// The target whose page opened this one.
    opener: Option<String>,
}

/// All targets of the browser, by id.
#[derive(Debug, Default)]
pub struct Targets {
    by_id: BTreeMap<String, Target>,
}

impl Targets {
    /// Takes in what the browser tells of its targets.
    pub fn on_event(&mut self, method: &str, params: &Value) {
        match method {
            "Target.targetCreated" | "Target.targetInfoChanged" | "Target.attachedToTarget" => {
                let info = &params["targetInfo"];
                let text = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
                let opener = info["openerId"].as_str().map(str::to_owned);
                self.by_id.insert(text("targetId"), Target { kind: text("type"), url: text("url"), opener });
            }
            "Target.targetDestroyed" => {
                self.by_id.remove(params["targetId"].as_str().unwrap_or_default());
            }
            _ => {}
        }
    }

    /// Takes in that a page shows another document. The browser tells that of its target only a moment later, and until then a
    /// command would reach a document of Chromium's own.
    pub fn navigated(&mut self, id: &str, url: &str) {
        if let Some(target) = self.by_id.get_mut(id) {
            url.clone_into(&mut target.url);
        }
    }

    /// Whether one page can have a handle of the other: both come from the same first one.
    pub fn are_related(&self, one: &str, other: &str) -> bool {
        self.first_of(one) == self.first_of(other)
    }

    fn first_of<'a>(&'a self, id: &'a str) -> &'a str {
        let mut first = id;
        for _ in 0..OPENERS_MAX {
            match self.by_id.get(first).and_then(|target| target.opener.as_deref()) {
                Some(opener) => first = opener,
                None => break,
            }
        }
        first
    }

    /// Whether a client may have this target. One that is not known is not there: Chromium says so itself.
    pub fn is_shown(&self, id: &str) -> bool {
        self.by_id.get(id).is_none_or(|target| is_shown(&target.kind, &target.url))
    }
}

/// Events withheld from a client, about targets that it may not see.
#[derive(Debug, Default)]
pub struct Withheld {
    /// By target: session, method and parameters of each event, in order.
    by_target: BTreeMap<String, Vec<(String, &'static str, Value)>>,
}

/// What becomes of an event about a target.
#[derive(Debug, PartialEq)]
pub enum TargetNews {
    /// It is told, after these that were withheld.
    Told(Vec<(String, &'static str, Value)>),
    /// It is not. A session that it brought waits for nothing.
    Withheld,
}

impl Withheld {
    /// Decides over an event that a session of the client heard.
    pub fn sort(&mut self, session: &str, method: &str, params: &Value) -> TargetNews {
        let info = &params["targetInfo"];
        let id = info["targetId"].as_str().or(params["targetId"].as_str()).unwrap_or_default();
        let shown = || is_shown(info["type"].as_str().unwrap_or_default(), info["url"].as_str().unwrap_or_default());
        let told = TargetNews::Told(Vec::new());
        match method {
            "Target.targetCreated" if !shown() => self.keep(id, (session, "Target.targetCreated"), params),
            "Target.attachedToTarget" if !shown() => self.keep(id, (session, "Target.attachedToTarget"), params),
            "Target.targetInfoChanged" if !shown() => TargetNews::Withheld,
            "Target.targetInfoChanged" => {
                let mut earlier = self.by_target.remove(id).unwrap_or_default();
                for (_, _, event) in &mut earlier {
                    event["targetInfo"] = info.clone();
                }
                TargetNews::Told(earlier)
            }
            "Target.targetDestroyed" | "Target.targetCrashed" if self.by_target.contains_key(id) => {
                self.by_target.remove(id);
                TargetNews::Withheld
            }
            "Target.detachedFromTarget" => {
                let gone = &params["sessionId"];
                let is_of = |event: &Value| event["sessionId"] == *gone;
                let mut known = true;
                for events in self.by_target.values_mut() {
                    let before = events.len();
                    events.retain(|(_, _, event)| !is_of(event));
                    known &= before == events.len();
                }
                if known { told } else { TargetNews::Withheld }
            }
            _ => told,
        }
    }

    /// Whether this session is withheld from the client.
    pub fn has_session(&self, session: &str) -> bool {
        self.by_target.values().flatten().any(|(_, _, event)| event["sessionId"] == session)
    }

    fn keep(&mut self, target: &str, (session, method): (&str, &'static str), params: &Value) -> TargetNews {
        let mut params = params.clone();
        if method == "Target.attachedToTarget" {
            params["waitingForDebugger"] = Value::Bool(false);
        }
        self.by_target.entry(target.to_owned()).or_default().push((session.to_owned(), method, params));
        TargetNews::Withheld
    }
}

/// Takes the targets that a client may not see out of an answer; `None` when the answer is about nothing else.
pub fn shown_answer(method: &str, result: &str) -> Option<String> {
    let is_info =
        |info: &Value| is_shown(info["type"].as_str().unwrap_or_default(), info["url"].as_str().unwrap_or_default());
    let mut answer: Value = match method {
        "Target.getTargets" | "Target.getTargetInfo" => serde_json::from_str(result).unwrap_or_default(),
        _ => return Some(result.to_owned()),
    };
    if let Some(infos) = answer["targetInfos"].as_array_mut() {
        infos.retain(is_info);
    }
    let one = &answer["targetInfo"];
    if one.is_object() && !is_info(one) {
        return None;
    }
    Some(answer.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_of_the_web_are_opened_and_no_others() {
        for url in [
            "",
            "about:blank",
            "ABOUT:blank#x",
            "about:srcdoc",
            "http://a.example",
            "HTTPS://a.example",
            "data:text/html,x",
            "blob:https://a.example/1",
            "blob:null/1",
        ] {
            assert!(may_open(url), "{url}");
        }
        for url in [
            "about:settings",
            "about:version?x",
            "chrome://settings",
            "chrome-untrusted://x",
            "devtools://devtools",
            "chrome-extension://x/y.html",
            "file:///etc/passwd",
            " file:///x",
            "view-source:https://a.example",
            "javascript:1",
            "blob:chrome://settings/1",
            "filesystem:https://a.example/x",
        ] {
            assert!(!may_open(url), "{url}");
        }
    }

    fn info(kind: &str, url: &str) -> Value {
        json!({ "targetInfo": { "targetId": "t", "type": kind, "url": url } })
    }

    #[test]
    fn a_page_is_judged_by_its_document_before_the_browser_tells_of_its_target() {
        let mut targets = Targets::default();
        targets.on_event("Target.targetCreated", &info("page", "https://a.example"));
        assert!(targets.is_shown("t"));
        targets.navigated("t", "chrome://version/");
        assert!(!targets.is_shown("t"));
        targets.navigated("t", "chrome-error://chromewebdata/");
        assert!(targets.is_shown("t"), "an error page has no rights");
        targets.navigated("other", "chrome://version/");
        assert!(targets.is_shown("other"), "one that is not known is not there");
    }

    #[test]
    fn kinds_and_addresses_are_an_allow_list() {
        for (kind, url, shown) in [
            ("page", "https://a.example", true),
            ("page", "", true),
            ("page", "chrome-error://chromewebdata/", true),
            ("tab", "about:blank", true),
            ("iframe", "https://a.example", true),
            ("service_worker", "https://a.example/sw.js", true),
            ("page", "chrome://omnibox-popup.top-chrome/", false),
            ("other", "https://a.example", false),
            ("webview", "https://a.example", false),
            ("background_page", "chrome-extension://x/", false),
            ("browser_ui", "chrome://tab-strip/", false),
            ("", "", false),
        ] {
            assert_eq!(is_shown(kind, url), shown, "{kind} {url}");
        }
    }

    #[test]
    fn what_was_withheld_is_told_when_the_page_is_one_of_the_web() {
        let mut withheld = Withheld::default();
        let mut attached = info("page", "chrome://newtab/");
        attached["sessionId"] = json!("child");
        attached["waitingForDebugger"] = json!(true);
        assert_eq!(withheld.sort("s", "Target.attachedToTarget", &attached), TargetNews::Withheld);
        assert_eq!(withheld.sort("s", "Target.targetInfoChanged", &info("page", "chrome://gpu")), TargetNews::Withheld);
        assert!(withheld.has_session("child"));
        let moved = info("page", "https://a.example");
        let TargetNews::Told(earlier) = withheld.sort("s", "Target.targetInfoChanged", &moved) else { panic!() };
        assert_eq!(earlier.len(), 1);
        assert_eq!(earlier[0].2["targetInfo"]["url"], "https://a.example");
        assert_eq!(earlier[0].2["waitingForDebugger"], false);
        assert!(!withheld.has_session("child"));
    }

    #[test]
    fn a_target_that_came_and_went_unseen_leaves_no_trace() {
        let mut withheld = Withheld::default();
        withheld.sort("s", "Target.targetCreated", &info("webview", "chrome://x"));
        let gone = json!({ "targetId": "t" });
        assert_eq!(withheld.sort("s", "Target.targetDestroyed", &gone), TargetNews::Withheld);
        assert_eq!(withheld.sort("s", "Target.targetDestroyed", &gone), TargetNews::Told(Vec::new()));
    }

    #[test]
    fn lists_lose_what_is_not_shown() {
        let list = json!({ "targetInfos": [
            { "targetId": "1", "type": "page", "url": "https://a.example" },
            { "targetId": "2", "type": "page", "url": "chrome://omnibox-popup.top-chrome/" },
        ] });
        let shown: Value =
            serde_json::from_str(&shown_answer("Target.getTargets", &list.to_string()).unwrap()).unwrap();
        assert_eq!(shown["targetInfos"].as_array().unwrap().len(), 1);
        let one = info("page", "chrome://gpu").to_string();
        assert_eq!(shown_answer("Target.getTargetInfo", &one), None);
        assert_eq!(shown_answer("Page.enable", "{}").as_deref(), Some("{}"));
    }
}
