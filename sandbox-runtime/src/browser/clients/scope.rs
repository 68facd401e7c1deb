//! Commands whose parameters decide: kept within what one client may do to a browser that others use too.

use serde_json::{Value, json};

use super::member::ClientState;
use super::targets::may_open;
use crate::sandbox::WORKSPACE_DIR;

/// What becomes of a command.
#[derive(Debug, PartialEq)]
pub enum Scoped {
    AsIs,
    /// Sent with other parameters.
    With(Value),
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
        "Browser.setDownloadBehavior" | "Page.setDownloadBehavior" => downloads(&params()),
        // The window is the person's view. Clients that want a page of another size say so to the page as well.
        "Browser.setWindowBounds" | "Browser.setContentsSize" => Scoped::Passed,
        "Target.attachToTarget" if params()["flatten"] != true => Scoped::Refused(FLAT),
        "Target.setAutoAttach" => {
            let params = params();
            if params["autoAttach"] == true && params["flatten"] != true { Scoped::Refused(FLAT) } else { Scoped::AsIs }
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
        "DOM.setFileInputFiles" => {
            let params = params();
            let files = params["files"].as_array().map(Vec::as_slice).unwrap_or_default();
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

const FLAT: &str = "sessions are flat here: say flatten: true";
const FILES: &str = "only files beneath /workspace can be given to a page; write them there first";

/// Downloads stay where the person and the agent find them: in the workspace, under their own names.
fn downloads(params: &Value) -> Scoped {
    if params["behavior"] == "deny" {
        return Scoped::Refused("downloads are not switched off: the browser is the person's too");
    }
    let mut kept = json!({ "behavior": "default" });
    for key in ["browserContextId", "eventsEnabled"] {
        if let Some(value) = params.get(key) {
            kept[key] = value.clone();
        }
    }
    Scoped::With(kept)
}

#[cfg(test)]
mod tests {
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
    fn downloads_stay_in_the_workspace() {
        let asked = json!({"behavior": "allowAndName", "downloadPath": "/tmp/x", "eventsEnabled": true});
        let kept = Scoped::With(json!({"behavior": "default", "eventsEnabled": true}));
        check("Browser.setDownloadBehavior", asked, &kept);
        is_refused("Browser.setDownloadBehavior", json!({"behavior": "deny"}));
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
    fn sessions_are_flat() {
        is_refused("Target.attachToTarget", json!({"targetId": "1"}));
        is_refused("Target.setAutoAttach", json!({"autoAttach": true, "waitForDebuggerOnStart": false}));
        check("Target.setAutoAttach", json!({"autoAttach": false, "waitForDebuggerOnStart": false}), &Scoped::AsIs);
        check("Target.attachToTarget", json!({"targetId": "1", "flatten": true}), &Scoped::AsIs);
    }

    #[test]
    fn files_and_addresses_are_those_that_anyone_may_open() {
        check("DOM.setFileInputFiles", json!({"files": ["/workspace/a.csv"]}), &Scoped::AsIs);
        for path in ["/etc/passwd", "/workspace/../etc/passwd", "/workspacex", "a.csv"] {
            is_refused("DOM.setFileInputFiles", json!({"files": [path]}));
        }
        for url in ["https://a.example", "about:blank", "", "data:text/html,x", "HTTP://a.example"] {
            check("Page.navigate", json!({"url": url}), &Scoped::AsIs);
        }
        for url in ["file:///etc/passwd", "chrome://settings", "javascript:1", " file:///x", "view-source:file:///x"] {
            is_refused("Page.navigate", json!({"url": url}));
        }
    }
}
