//! What an outside client missed while a person drove, as little as it needs to go on.
//!
//! Only structure is kept: which tabs, frames and scripts' worlds came and went, so that a client's picture of them is
//! true again after the hand-back. What came and went in between leaves no trace, and a later word replaces the earlier one,
//! so that no address in between is kept. Contents (requests, console lines, dialogs that were answered) are not kept at all.

use serde_json::Value;

/// One event to be told later.
#[derive(Clone, Debug, PartialEq)]
pub struct MissedEvent {
    /// As Chromium knows the session.
    pub session: String,
    pub method: String,
    pub params: Value,
}

/// In the order of their coming.
#[derive(Debug, Default)]
pub struct Missed {
    events: Vec<MissedEvent>,
}

impl Missed {
    /// Takes in one event: keeps it, lets it replace or undo an earlier one, or drops it.
    pub fn add(&mut self, session: &str, method: &str, params: Value) {
        let of = |key: &str| params[key].clone();
        match method {
            "Target.attachedToTarget" => {}
            "Target.detachedFromTarget" => {
                let child = of("sessionId");
                if let Some(child) = child.as_str() {
                    self.events.retain(|event| event.session != child);
                }
                if self.forget(session, "Target.attachedToTarget", |event| event["sessionId"] == child) {
                    return;
                }
            }
            "Target.targetCreated" => {}
            "Target.targetDestroyed" | "Target.targetCrashed" => {
                let target = of("targetId");
                self.forget(session, "Target.targetInfoChanged", |event| event["targetInfo"]["targetId"] == target);
                let new =
                    self.forget(session, "Target.targetCreated", |event| event["targetInfo"]["targetId"] == target);
                if new && method == "Target.targetDestroyed" {
                    return;
                }
            }
            "Target.targetInfoChanged" => {
                let info = of("targetInfo");
                // Every earlier word about this target, to whichever session, says its newest address.
                for event in &mut self.events {
                    if event.params["targetInfo"]["targetId"] == info["targetId"] {
                        event.params["targetInfo"] = info.clone();
                    }
                }
                self.forget(session, method, |event| event["targetInfo"]["targetId"] == info["targetId"]);
            }
            "Runtime.executionContextsCleared" => {
                self.forget(session, "Runtime.executionContextCreated", |_| true);
                self.forget(session, "Runtime.executionContextDestroyed", |_| true);
                self.forget(session, method, |_| true);
            }
            "Runtime.executionContextCreated" => {}
            "Runtime.executionContextDestroyed" => {
                let id = of("executionContextId");
                if self.forget(session, "Runtime.executionContextCreated", |event| event["context"]["id"] == id) {
                    return;
                }
            }
            "Page.frameAttached" => {}
            "Page.frameDetached" if params["reason"] != "swap" => {
                let frame = of("frameId");
                let is_new = self.forget(session, "Page.frameAttached", |event| event["frameId"] == frame);
                self.forget_frame(session, &frame);
                if is_new {
                    return;
                }
            }
            "Page.frameDetached" => {}
            "Page.frameNavigated" => {
                let frame = params["frame"]["id"].clone();
                self.forget_frame(session, &frame);
                if params["frame"]["parentId"].is_null() {
                    // A new document has none of the old one's frames, and a client drops them by itself.
                    self.events.retain(|event| event.session != session || !event.method.starts_with("Page.frame"));
                }
            }
            "Page.navigatedWithinDocument" => {
                let frame = of("frameId");
                self.forget(session, method, |event| event["frameId"] == frame);
            }
            "Page.lifecycleEvent" => {
                let frame = of("frameId");
                let new = params["name"] == "init" || params["name"] == "commit";
                self.forget(session, method, |event| {
                    event["frameId"] == frame
                        && (new && event["loaderId"] != params["loaderId"] || event["name"] == params["name"])
                });
            }
            "Page.frameStartedLoading" | "Page.frameStoppedLoading" => {
                let frame = of("frameId");
                self.forget(session, "Page.frameStartedLoading", |event| event["frameId"] == frame);
                self.forget(session, "Page.frameStoppedLoading", |event| event["frameId"] == frame);
            }
            "Page.domContentEventFired" | "Page.loadEventFired" | "DOM.documentUpdated" | "Inspector.targetCrashed" => {
                self.forget(session, method, |_| true);
            }
            // Of a download that the client already knows.
            "Browser.downloadProgress" if params["state"] != "inProgress" => {}
            "Inspector.detached" | "Inspector.targetReloadedAfterCrash" => {}
            "Page.javascriptDialogOpening" => {}
            "Page.javascriptDialogClosed" => {
                if self.forget(session, "Page.javascriptDialogOpening", |_| true) {
                    return;
                }
            }
            _ => return,
        }
        self.events.push(MissedEvent { session: session.to_owned(), method: method.to_owned(), params });
    }

    /// Returns what there is to tell, in order.
    pub fn into_events(self) -> Vec<MissedEvent> {
        self.events
    }

    fn forget_frame(&mut self, session: &str, frame: &Value) {
        for method in [
            "Page.lifecycleEvent",
            "Page.navigatedWithinDocument",
            "Page.frameStartedLoading",
            "Page.frameStoppedLoading",
        ] {
            self.forget(session, method, |event| event["frameId"] == *frame);
        }
        self.forget(session, "Page.frameNavigated", |event| event["frame"]["id"] == *frame);
    }

    /// Drops events of a session; says whether there were any.
    fn forget(&mut self, session: &str, method: &str, is_old: impl Fn(&Value) -> bool) -> bool {
        let before = self.events.len();
        self.events.retain(|event| event.session != session || event.method != method || !is_old(&event.params));
        self.events.len() != before
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(events: &[(&str, Value)]) -> Vec<(String, Value)> {
        let mut missed = Missed::default();
        for (method, params) in events {
            missed.add("s", method, params.clone());
        }
        missed.into_events().into_iter().map(|event| (event.method, event.params)).collect()
    }

    fn check(events: &[(&str, Value)], expected: &[usize]) {
        let expected: Vec<_> =
            expected.iter().map(|index| (events[*index].0.to_owned(), events[*index].1.clone())).collect();
        assert_eq!(told(events), expected);
    }

    #[test]
    fn what_came_and_went_leaves_no_trace() {
        check(
            &[
                (
                    "Target.attachedToTarget",
                    json!({"sessionId": "a", "targetInfo": {"targetId": "1", "url": "secret"}}),
                ),
                ("Target.detachedFromTarget", json!({"sessionId": "a"})),
                ("Page.frameAttached", json!({"frameId": "f"})),
                ("Page.frameNavigated", json!({"frame": {"id": "f", "parentId": "m"}})),
                ("Page.frameDetached", json!({"frameId": "f", "reason": "remove"})),
                ("Page.javascriptDialogOpening", json!({"message": "your code?"})),
                ("Page.javascriptDialogClosed", json!({"userInput": "123456"})),
                ("Runtime.executionContextCreated", json!({"context": {"id": 3}})),
                ("Runtime.executionContextDestroyed", json!({"executionContextId": 3})),
            ],
            &[],
        );
    }

    #[test]
    fn what_the_client_knew_and_is_gone_is_told() {
        let gone = [
            ("Target.detachedFromTarget", json!({"sessionId": "a"})),
            ("Page.frameDetached", json!({"frameId": "f", "reason": "remove"})),
            ("Runtime.executionContextDestroyed", json!({"executionContextId": 3})),
        ];
        check(&gone, &[0, 1, 2]);
    }

    #[test]
    fn only_the_last_document_is_told() {
        let navigated = |url: &str| ("Page.frameNavigated", json!({"frame": {"id": "m", "url": url}}));
        let created = |id: u64| ("Runtime.executionContextCreated", json!({"context": {"id": id}}));
        let life = |name: &str, loader: &str| {
            ("Page.lifecycleEvent", json!({"frameId": "m", "name": name, "loaderId": loader}))
        };
        let cleared = || ("Runtime.executionContextsCleared", json!({}));
        let events = [
            cleared(),
            navigated("https://a.example/?code=1"),
            created(1),
            life("init", "1"),
            life("load", "1"),
            cleared(),
            navigated("https://a.example/in"),
            created(2),
            life("init", "2"),
            life("load", "2"),
        ];
        check(&events, &[5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_new_tab_is_told_with_its_newest_address() {
        let info = |url: &str| json!({"targetId": "1", "url": url});
        let told = told(&[
            ("Target.attachedToTarget", json!({"sessionId": "a", "targetInfo": info("https://a.example/?secret")})),
            ("Target.targetInfoChanged", json!({"targetInfo": info("https://a.example/b")})),
            ("Target.targetInfoChanged", json!({"targetInfo": info("https://a.example/c")})),
        ]);
        assert!(!format!("{told:?}").contains("secret"), "{told:?}");
        assert_eq!(told[0].1["targetInfo"]["url"], "https://a.example/c");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn contents_are_not_kept() {
        let events = [
            ("Network.requestWillBeSent", json!({"request": {"postData": "password=1"}})),
            ("Runtime.consoleAPICalled", json!({})),
            ("Runtime.bindingCalled", json!({})),
            ("Page.screencastFrame", json!({})),
            ("Novelty.happened", json!({})),
        ];
        check(&events, &[]);
    }
}
