//! Commands whose parameters decide: kept within what one client may do to a browser that others use too.

use sandbox_core::layout::WORKSPACE_DIR;
use serde_json::Value;

use super::member::ClientState;
use super::nested::flat;
use crate::browser::address::may_open;

/// What becomes of a command.
#[derive(Debug, PartialEq)]
pub enum Scoped {
    AsIs,
    /// Sent with other parameters, which ask for flat sessions; the client itself has them nested.
    Nested(Value),
    /// Sent after an empty tab was opened: without a tab the browser ends.
    AfterNewTab,
    /// Not sent, and answered as done: what it would change is not the client's, and nothing of its page depends on it.
    Passed,
    /// Not sent, and why.
    Refused(&'static str),
}

/// Methods whose parameters decide: what cannot be read cannot be decided over.
const DECIDED: &[&str] = &[
    "Browser.setDownloadBehavior",
    "DOM.setFileInputFiles",
    "Page.navigate",
    "Page.setDownloadBehavior",
    "Target.attachToTarget",
    "Target.closeTarget",
    "Target.createTarget",
    "Target.detachFromTarget",
    "Target.disposeBrowserContext",
    "Target.setAutoAttach",
];

/// Keeps one command within its bounds.
pub fn scoped(method: &str, params: &str, state: &ClientState, only_tab: Option<&str>, session: &str) -> Scoped {
    if DECIDED.contains(&method) && serde_json::from_str::<Value>(params).is_err() {
        return Scoped::Refused("the parameters are not understood");
    }
    let params = || serde_json::from_str::<Value>(params).unwrap_or_default();
    match method {
        // The window is the person's view. Clients that want a page of another size say so to the page as well.
        "Browser.setWindowBounds" | "Browser.setContentsSize" => Scoped::Passed,
        "Target.attachToTarget" | "Target.setAutoAttach" => {
            let params = params();
            let attaches = method == "Target.attachToTarget" || params["autoAttach"] == true;
            flat(&params).filter(|_| attaches).map_or(Scoped::AsIs, Scoped::Nested)
        }
        "Target.detachFromTarget" => match params()["sessionId"].as_str() {
            Some(session) if state.sessions.contains_key(session) => Scoped::AsIs,
            Some(_) | None => Scoped::Refused("this session is not yours: name one that was told to you"),
        },
        "Target.disposeBrowserContext" => match params()["browserContextId"].as_str() {
            Some(context) if state.contexts.contains(context) => Scoped::AsIs,
            Some(_) | None => Scoped::Refused("this browser context was not made by you; closing your own is allowed"),
        },
        "Target.closeTarget" if only_tab.is_some_and(|only| params()["targetId"] == only) => Scoped::AfterNewTab,
        "Page.close" => {
            let target = state.sessions.get(session).map(|known| known.target.as_str());
            if target.is_some() && target == only_tab { Scoped::AfterNewTab } else { Scoped::AsIs }
        }
        "DOM.setFileInputFiles" | "Input.dispatchDragEvent" => {
            let params = params();
            let files = if method == "DOM.setFileInputFiles" { &params["files"] } else { &params["data"]["files"] };
            let files = files.as_array().map(Vec::as_slice).unwrap_or_default();
            let is_inside = |file: &Value| {
                file.as_str().is_some_and(|path| {
                    path.strip_prefix(WORKSPACE_DIR).is_some_and(|rest| rest.starts_with('/'))
                        && !path.split('/').any(|part| part == "..")
                })
            };
            if files.iter().all(is_inside) { Scoped::AsIs } else { Scoped::Refused(FILES) }
        }
        "Page.navigate" | "Target.createTarget" => match params()["url"].as_str() {
            Some(url) if !may_open(url) => {
                Scoped::Refused("only http:, https:, about:, data: and blob: addresses are opened")
            }
            Some(_) | None => Scoped::AsIs,
        },
        _ => Scoped::AsIs,
    }
}

const FILES: &str = "only files beneath /workspace can be given to a page; write them there first";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::member::Attached;
    use super::*;

    fn check(method: &str, params: Value, expected: &Scoped) {
        let mut state = ClientState::default();
        state.contexts.insert("mine".to_owned());
        state.sessions.insert("s".to_owned(), Attached { target: "only".to_owned(), ..Attached::default() });
        assert_eq!(scoped(method, &params.to_string(), &state, Some("only"), "s"), *expected, "{method} {params}");
    }

    fn is_refused(method: &str, params: Value) {
        let state = ClientState::default();
        let scoped = scoped(method, &params.to_string(), &state, Some("only"), "s");
        assert!(matches!(scoped, Scoped::Refused(_)), "{method} {params}: {scoped:?}");
    }

    #[test]
    fn a_client_closes_what_is_its_own() {
        check("Target.disposeBrowserContext", json!({"browserContextId": "mine"}), &Scoped::AsIs);
        is_refused("Target.disposeBrowserContext", json!({"browserContextId": "theirs"}));
        is_refused("Target.disposeBrowserContext", json!({}));
        check("Target.detachFromTarget", json!({"sessionId": "s"}), &Scoped::AsIs);
        is_refused("Target.detachFromTarget", json!({"sessionId": "theirs"}));
    }

    #[test]
    fn the_window_keeps_its_size() {
        check("Browser.setWindowBounds", json!({"windowId": 1, "bounds": {"width": 300}}), &Scoped::Passed);
    }

    #[test]
    fn the_last_tab_is_replaced() {
        check("Target.closeTarget", json!({"targetId": "only"}), &Scoped::AfterNewTab);
        check("Target.closeTarget", json!({"targetId": "other"}), &Scoped::AsIs);
        check("Page.close", json!({}), &Scoped::AfterNewTab);
    }

    #[test]
    fn sessions_are_flat_for_the_browser() {
        let flat = Scoped::Nested(json!({"targetId": "1", "flatten": true}));
        check("Target.attachToTarget", json!({"targetId": "1"}), &flat);
        let flat = Scoped::Nested(json!({"autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true}));
        check("Target.setAutoAttach", json!({"autoAttach": true, "waitForDebuggerOnStart": false}), &flat);
        check("Target.setAutoAttach", json!({"autoAttach": false, "waitForDebuggerOnStart": false}), &Scoped::AsIs);
        check("Target.attachToTarget", json!({"targetId": "1", "flatten": true}), &Scoped::AsIs);
    }

    #[test]
    fn files_and_addresses_are_those_that_anyone_may_open() {
        check("DOM.setFileInputFiles", json!({"files": ["/workspace/a.csv"]}), &Scoped::AsIs);
        for path in ["/etc/passwd", "/workspace/../etc/passwd", "/workspacex", "a.csv"] {
            is_refused("DOM.setFileInputFiles", json!({"files": [path]}));
            is_refused("Input.dispatchDragEvent", json!({"type": "drop", "data": {"items": [], "files": [path]}}));
        }
        for url in ["https://a.example", "about:blank", "", "data:text/html,x", "HTTP://a.example"] {
            check("Page.navigate", json!({"url": url}), &Scoped::AsIs);
        }
        for url in ["file:///etc/passwd", "chrome://settings", "javascript:1", " file:///x", "view-source:file:///x"] {
            is_refused("Page.navigate", json!({"url": url}));
        }
    }
}
