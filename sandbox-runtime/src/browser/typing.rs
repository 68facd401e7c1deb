//! What a person composes and commits with an input method, put into the page that has the focus.
//!
//! X has no keys for it, and the clipboard tells nobody when a paste is done. So the debugging protocol does it: the page
//! shows what is composed, as of an input method of its own, and the answer to a commit means that the page has the text.
//! Both reach the focused frame, whatever process it lives in. The protocol knows nothing of the browser's own fields and
//! windows: where one of these has the focus, the caller is told so and types by keys.
//! Nothing of a page is read but whether it has the focus.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sandbox_core::Lease;
use serde_json::{Value, json};

use super::Browser;
use super::pipe::Pass;
use super::tab::Tab;

/// How long a page may take to say whether it has the focus. One that hangs is typed at by keys, which wait for it.
const FOCUS_DEADLINE: Duration = Duration::from_secs(2);

impl Browser {
    /// Shows in the page what a person's input method is composing; nothing, when it gave up.
    ///
    /// Says whether a page has the focus. If none does, nothing was done.
    pub async fn compose(&self, lease: Lease, text: &str) -> bool {
        // The cursor stands behind the text; counted as the page counts.
        let end = text.encode_utf16().count();
        let composed = json!({ "text": text, "selectionStart": end, "selectionEnd": end });
        self.put(lease, "Input.imeSetComposition", composed).await
    }

    /// Commits a person's text to the page, in place of what was composed. The page has it when this returns.
    ///
    /// Says whether a page has the focus. If none does, nothing was done.
    pub async fn commit(&self, lease: Lease, text: &str) -> bool {
        self.put(lease, "Input.insertText", json!({ "text": text })).await
    }

    async fn put(&self, lease: Lease, method: &str, params: Value) -> bool {
        let pass = Pass::Person(self.shared.gate.clone(), lease);
        let Some(session) = self.focused(&pass).await else { return false };
        if let Err(error) = self.shared.pipe.call(&pass, Some(&session), method, params).await {
            // Whether the page has the text is not known: to type it again could double it.
            tracing::debug!(%error, "a page did not answer to committed text");
        }
        true
    }

    /// Returns the session of the tab whose page has the focus.
    async fn focused(&self, pass: &Pass) -> Option<String> {
        let tabs: Vec<Tab> = self.shared.world.state().shown_tabs().cloned().collect();
        // A page behind a dialog of its own does not answer, and is not what the keys go to.
        let answering = tabs.iter().filter(|tab| tab.dialog.is_none() && !tab.crashed);
        let mut asked: FuturesUnordered<_> = answering.map(|tab| self.has_focus(pass, tab)).collect();
        while let Some(answer) = asked.next().await {
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// Returns the tab's session, if its page has the focus. Asked in the page script's world, where no page can feign it.
    async fn has_focus(&self, pass: &Pass, tab: &Tab) -> Option<String> {
        let session = Some(tab.session.as_str());
        let call = |method, params| self.shared.pipe.call_within(FOCUS_DEADLINE, pass, session, method, params);
        let world = json!({ "frameId": tab.id, "worldName": self.shared.world.script_world });
        let made = call("Page.createIsolatedWorld", world).await.ok()?;
        let question = json!({
            "expression": "document.hasFocus()",
            "contextId": made["executionContextId"],
            "returnByValue": true,
        });
        let answer = call("Runtime.evaluate", question).await.ok()?;
        (answer["result"]["value"] == true).then(|| tab.session.clone())
    }
}
