//! Going places: addresses, the history of a tab, new tabs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Doing;
use super::done::{Done, model_tab};
use crate::browser::address::{said_error, with_scheme};
use crate::browser::error::ActionError;
use crate::browser::hung;
use crate::browser::page::Page;
use crate::browser::pipe::CallError;
use crate::browser::tab::Tab;

/// Why no new document has come by the deadline.
const NO_ANSWER: &str = "the server does not answer";
/// How long a page that was asked for may go on loading after it can be read.
const LOADING: Duration = Duration::from_secs(5);
/// After how long without news of a document its tab is asked.
const ASK_ANEW: Duration = Duration::from_secs(2);

impl Doing<'_> {
    pub(super) async fn navigate(&self, url: &str) -> Result<Done, ActionError> {
        let url = with_scheme(url)?;
        let page = self.shared.tab_to_navigate().await?;
        let before = self.shared.downloads_begun();
        hung::free(&self.shared.pipe, &self.pass(), &page).await;
        // Raw, because the reply of a navigation that becomes a download has changed shape between versions.
        let pass = self.pass();
        let navigated = self.shared.pipe.call_within(
            self.left(),
            &pass,
            Some(&page.session),
            "Page.navigate",
            json!({ "url": url }),
        );
        let reply = match navigated.await {
            Err(CallError::Deadline { .. }) => {
                hung::stay(&self.shared.pipe, &page);
                return Err(ActionError::Navigation { url, cause: NO_ANSWER.to_owned() });
            }
            // Chromium does not take the address.
            Err(CallError::Failed { message, .. }) => {
                return Err(ActionError::Navigation { url, cause: message });
            }
            reply => reply?,
        };
        if let Some(cause) = reply["errorText"].as_str() {
            if self.shared.downloads_begun() > before {
                return Ok(Done::said(format!("{url} is a file; its download began")));
            }
            if cause.starts_with("net::ERR_CERT_") {
                self.shared.world.certificate_refused(&page.id, &url);
            }
            let loader = reply["loaderId"].as_str().unwrap_or_default();
            let state = self.shared.world.state();
            let refused = state.tab(&page.id).and_then(|tab| tab.why_refused(loader));
            let cause = refused.map_or_else(|| said_error(cause), str::to_owned);
            return Err(ActionError::Navigation { url, cause });
        }
        if let Some(loader) = reply["loaderId"].as_str() {
            self.loaded(&page.id, &url, |tab| tab.loader == loader).await?;
        }
        Ok(Done::said(format!("opened {url}")))
    }

    pub(super) async fn travel(&self, steps: i64) -> Result<Done, ActionError> {
        let page = self.page()?;
        let history = page.call("Page.getNavigationHistory", json!({})).await?;
        let index = history["currentIndex"].as_i64().unwrap_or_default() + steps;
        let entry = usize::try_from(index).ok().and_then(|index| history["entries"].get(index));
        let word = if steps < 0 { "back" } else { "forward" };
        let Some(entry) = entry else { return Err(ActionError::Invalid(format!("there is no page to go {word} to"))) };
        let (tab, url) = (page.tab.id.clone(), entry["url"].as_str().unwrap_or_default().to_owned());
        let old = page.tab.loader.clone();
        hung::free(&self.shared.pipe, &self.pass(), &page.tab).await;
        page.call("Page.navigateToHistoryEntry", json!({ "entryId": entry["id"] })).await?;
        // A step within one document brings no new loader.
        self.loaded(&tab, &url, |tab| tab.loader != old || (tab.url == url && !tab.navigating)).await?;
        Ok(Done::said(format!("went {word} to {url}")))
    }

    pub(super) async fn reload(&self) -> Result<Done, ActionError> {
        let tab = self.shared.tab_to_navigate().await?;
        let (old, crashed) = (tab.loader.clone(), tab.crashed);
        hung::free(&self.shared.pipe, &self.pass(), &tab).await;
        self.shared.pipe.call(&self.pass(), Some(&tab.session), "Page.reload", json!({})).await?;
        self.loaded(&tab.id, &tab.url, |now| now.loader != old || (crashed && !now.crashed)).await?;
        Ok(Done::said("reloaded the page"))
    }

    pub(super) async fn new_tab(&self, url: Option<&str>) -> Result<Done, ActionError> {
        // A wrong address is said before anything is opened.
        let url = url.map(with_scheme).transpose()?;
        self.shared.open_tab(self.pass()).await?;
        match url {
            Some(url) => {
                self.navigate(&url).await?;
                Ok(Done::said(format!("opened {url} in a new tab")))
            }
            None => Ok(Done::said("opened a new tab")),
        }
    }

    pub(super) fn tabs(&self) -> Done {
        let state = self.shared.world.state();
        let front = state.active().map(|tab| tab.id.clone());
        let tabs: Vec<Value> = state.shown_tabs().map(|tab| json!(model_tab(tab, front.as_ref()))).collect();
        Done { data: Some(Value::Array(tabs)), ..Done::said("listed the tabs") }
    }

    /// Waits until a new document has come, then until it has loaded, or could be read for a while. `url` is where it leads.
    async fn loaded(&self, tab: &str, url: &str, mut come: impl FnMut(&Tab) -> bool) -> Result<(), ActionError> {
        let world = &self.shared.world;
        let begun = Instant::now();
        loop {
            let ready = world.wait_until(|state| match state.tab(tab) {
                None => Some(()),
                Some(tab) => (come(tab) && (tab.dom_ready || tab.loaded)).then_some(()),
            });
            if tokio::time::timeout(self.left().min(ASK_ANEW), ready).await.is_ok() {
                break;
            }
            let Some(now) = world.state().tab(tab).cloned() else { continue };
            if self.left().is_zero() {
                let cause = if !come(&now) {
                    hung::stay(&self.shared.pipe, &now);
                    NO_ANSWER.to_owned()
                } else if hung::hangs(&self.shared.pipe, &self.pass(), &now).await {
                    "a script of the page does not end".to_owned()
                } else {
                    format!("not readable after {} ms", begun.elapsed().as_millis())
                };
                return Err(ActionError::Navigation { url: url.to_owned(), cause });
            }
            self.ask_document(tab).await?;
        }
        let whole = world.wait_until(|state| state.tab(tab).is_none_or(|tab| tab.loaded).then_some(()));
        // A page that goes on loading can be used all the same.
        let _ = tokio::time::timeout(self.left().min(LOADING), whole).await;
        Ok(())
    }

    /// Asks the tab itself which document it shows, in case the events of it were lost.
    async fn ask_document(&self, tab: &str) -> Result<(), ActionError> {
        let Some(tab) = self.shared.world.state().tab(tab).filter(|tab| tab.dialog.is_none()).cloned() else {
            return Ok(());
        };
        let id = tab.id.clone();
        let page = Page::of(&self.shared.pipe, &self.shared.world, tab, self.pass());
        let asked = async {
            let tree = page.call("Page.getFrameTree", json!({})).await?;
            let frames = page.frames().await?;
            let Some(main) = frames.first() else { return Ok(None) };
            let ready = page.ask(main, "document.readyState").await?;
            Ok(Some((tree["frameTree"]["frame"].clone(), ready)))
        };
        // A page that hangs answers later, or the action's own deadline comes.
        match tokio::time::timeout(ASK_ANEW, asked).await {
            Ok(Err(error @ CallError::Refused(_))) => return Err(error.into()),
            Ok(Ok(Some((frame, ready)))) => {
                let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (loader, url) = (word(&frame["loaderId"]), word(&frame["url"]));
                self.shared.world.document_found(&id, &loader, &url, &word(&ready));
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {}
        }
        Ok(())
    }
}
