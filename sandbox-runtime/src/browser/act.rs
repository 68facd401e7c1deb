//! Doing one action: under one permit, within one deadline, and with whatever dialogs it brings up answered.

use std::time::{Duration, Instant};

use chromiumoxide_cdp::cdp::browser_protocol::dom::{BackendNodeId, SetFileInputFilesParams};
use chromiumoxide_cdp::cdp::browser_protocol::input::{
    DispatchMouseEventParams, DispatchMouseEventType, InsertTextParams, MouseButton,
};
use sandbox_core::action::{
    Action, AnswerDialog, Condition, DialogRecord, Drag, Outcome, Scroll, ScrollEnd, Target, Type,
};
use sandbox_core::model;
use sandbox_core::observation::Observation;
use serde_json::{Value, json};

use super::dialogs::{self, Dialogs};
use super::error::{ActionError, BrowserError};
use super::gate::Permit;
use super::keys::Chord;
use super::locate::{self, Located, Needs, locate};
use super::observe::{self, Look};
use super::page::{Page, argument};
use super::pipe::{COMMAND_DEADLINE, Call, Pass};
use super::world::{DownloadState, Tab};
use super::{Shared, hung, pattern};

/// Why no new document has come by the deadline.
const NO_ANSWER: &str = "the server does not answer";
/// How long an input may keep the page busy before the action counts as done.
const SETTLE: Duration = Duration::from_millis(1_500);
/// How long a page that was asked for may go on loading after it can be read.
const LOADING: Duration = Duration::from_secs(5);
/// After how long without news of a document its tab is asked.
const ASK_ANEW: Duration = Duration::from_secs(2);
/// How often an action looks whether its lease still lives.
const LEASE_CHECK: Duration = Duration::from_millis(20);
/// What an action's deadline leaves for saying why it failed.
const GRACE: Duration = Duration::from_secs(5);
/// How far beside its place the pointer begins, in CSS pixels, at each attempt to point there.
const ASIDE: [f64; 3] = [0.0, 1.0, -1.0];
/// How long a frame's place may take to become known before the pointer is moved anew.
const POINTER_PAUSE: Duration = Duration::from_millis(20);
/// Moves that a drag is made of: pages begin a drag only when the pointer moves by itself.
const DRAG_STEPS: i32 = 8;
/// Longest address that Chromium opens, in bytes (`url::kMaxURLChars`).
const LONGEST_ADDRESS: usize = 2 << 20;
/// How long a click may take to bring up a file chooser.
const CHOOSER: Duration = Duration::from_secs(3);

/// One action being done.
pub struct Doing<'a> {
    pub shared: &'a Shared,
    pub permit: &'a Permit,
    pub deadline: Instant,
}

/// What a part of an action adds to its outcome.
#[derive(Default)]
struct Done {
    summary: String,
    fitted: usize,
    data: Option<Value>,
    download: Option<String>,
    screenshot: Option<Vec<u8>>,
    observation: Option<Box<Observation>>,
    dialogs: Vec<DialogRecord>,
}

/// What there was before an action, to tell what else it did than was asked.
struct Before {
    /// Id, name.
    tabs: Vec<(String, String)>,
    /// Id, document and address of the tab in front.
    front: Option<(String, String, String)>,
    downloads: u64,
}

impl Done {
    fn said(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    fn at(located: &Located, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), fitted: located.fitted, ..Self::default() }
    }
}

impl Doing<'_> {
    /// Does the action, answers dialogs meanwhile, and stops as soon as the lease is over.
    pub async fn run(&self, action: &Action) -> Result<Outcome, ActionError> {
        let done = self.run_within(action).await;
        let Err(error) = done else { return done };
        let front = self.shared.world.state().active().cloned();
        Err(hung::cause(error, &self.shared.pipe, &self.pass(), front).await)
    }

    async fn run_within(&self, action: &Action) -> Result<Outcome, ActionError> {
        let (clicked_in, tabs) = {
            let state = self.shared.world.state();
            (state.active().map(|tab| tab.id.clone()).unwrap_or_default(), state.tabs.len())
        };
        let dialogs = Dialogs::begin(&self.shared.world, &self.shared.pipe, self.pass(), action).await?;
        let before = Before::of(self.shared);
        let began = Instant::now();
        let limit = self.deadline + GRACE;
        let done = tokio::select! {
            done = self.perform_all(action, &dialogs, tabs) => done?,
            error = dialogs.answer() => return Err(error),
            error = self.lease_over() => return Err(error),
            () = self.shared.pipe.closed() => return Err(BrowserError::Call(super::CallError::Closed).into()),
            () = tokio::time::sleep_until(limit.into()) => {
                return Err(ActionError::Late { what: action.name().to_owned(), after_ms: began.elapsed().as_millis() });
            }
        };
        if leads_elsewhere(action) {
            before.check_opened(self.shared)?;
        }
        let (url, title) = self.shared.place();
        Ok(Outcome {
            summary: done.summary,
            url,
            title,
            fitted: (done.fitted > 1).then_some(done.fitted),
            data: done.data,
            download: done.download,
            dialogs: [done.dialogs, dialogs.end(&clicked_in)].concat(),
            screenshot: done.screenshot,
            observation: done.observation,
            ..before.differences(self.shared)
        })
    }

    /// Does the action and what its late dialog begins.
    async fn perform_all(&self, action: &Action, dialogs: &Dialogs<'_>, tabs: usize) -> Result<Done, ActionError> {
        let done = self.perform(action).await?;
        if dialogs.expect().await {
            self.settle(tabs).await?;
        }
        Ok(done)
    }

    async fn perform(&self, action: &Action) -> Result<Done, ActionError> {
        let target = action.target();
        let aim = || target.clone().ok_or_else(|| ActionError::Invalid(format!("{} needs a target", action.name())));
        match action {
            Action::Navigate(navigate) => self.navigate(navigate.url()).await,
            Action::Back(_) => self.travel(-1).await,
            Action::Forward(_) => self.travel(1).await,
            Action::Reload(_) => self.reload().await,
            Action::Click(_) => self.click(&aim()?, 1).await,
            Action::DoubleClick(_) => self.click(&aim()?, 2).await,
            Action::Hover(_) => self.hover(&aim()?).await,
            Action::Drag(drag) => self.drag(drag).await,
            Action::Type(typing) => self.type_text(&aim()?, typing).await,
            Action::Press(press) => self.press(press.key(), target.as_ref()).await,
            Action::Select(select) => self.select(&aim()?, &select.value).await,
            Action::Scroll(scroll) => self.scroll(scroll, target.as_ref()).await,
            Action::WaitFor(condition) | Action::Expect(condition) => self.condition(condition, target.as_ref()).await,
            Action::Extract(extract) => self.extract(&aim()?, &extract.selector).await,
            Action::Download(_) => self.download(&aim()?).await,
            Action::Upload(upload) => self.upload(&aim()?, &upload.path).await,
            Action::Tabs(_) => Ok(self.tabs()),
            Action::NewTab(tab) => self.new_tab(tab.url.as_deref()).await,
            Action::ActivateTab(tab) => {
                self.shared.activate_tab(self.pass(), &tab.id).await?;
                Ok(Done::said("switched to the tab"))
            }
            Action::CloseTab(tab) => {
                self.shared.close_tab(self.pass(), &tab.id).await?;
                Ok(Done::said("closed the tab"))
            }
            Action::Dialog(answer) => self.answer_dialog(answer).await,
            Action::Screenshot(_) => {
                let screenshot = Some(self.shared.screenshot(self.pass()).await?);
                Ok(Done { summary: "took a picture of the page".to_owned(), screenshot, ..Done::default() })
            }
            Action::Look(look) => {
                let wanted = Look { within: look.reference.clone(), max_chars: look.max_chars, ..Look::default() };
                let mut done = self.look("looked at the page", &wanted).await?;
                if look.screenshot == Some(true) {
                    done.screenshot = Some(self.shared.screenshot(self.pass()).await?);
                }
                Ok(done)
            }
            Action::Find(find) => {
                let wanted = Look { within: find.reference.clone(), find: Some(find.text.clone()), ..Look::default() };
                self.look(&format!("searched the page for {:?}", find.text), &wanted).await
            }
        }
    }

    fn pass(&self) -> Pass {
        Pass::Act(self.permit.clone())
    }

    fn page(&self) -> Result<Page<'_>, ActionError> {
        Ok(Page::active(&self.shared.pipe, &self.shared.world, self.pass())?)
    }

    async fn locate(&self, target: &Target, needs: Needs) -> Result<Located, ActionError> {
        let place = self.place(target)?;
        let aim = (target, place.as_ref());
        locate(&self.shared.pipe, &self.shared.world, &self.pass(), aim, needs, self.deadline).await
    }

    fn place(&self, target: &Target) -> Result<Option<observe::Place>, ActionError> {
        target.reference.as_ref().map(|reference| self.shared.named(reference)).transpose()
    }

    async fn answer_dialog(&self, wanted: &AnswerDialog) -> Result<Done, ActionError> {
        let Shared { world, pipe, .. } = self.shared;
        let tabs = world.state().tabs.len();
        let (record, next) = dialogs::answer_standing(world, pipe, &self.pass(), wanted, self.left()).await?;
        let word = if record.accepted { "accepted" } else { "dismissed" };
        let mut summary = format!("{word} the {} {:?}", record.kind, record.message);
        match next {
            Some(next) => {
                summary.push_str(&format!("; now the page shows a {} ({:?})", next.dialog.kind, next.dialog.message))
            }
            None => self.settle(tabs).await?,
        }
        Ok(Done { dialogs: vec![record], ..Done::said(summary) })
    }

    // ---- looking ----

    async fn look(&self, summary: &str, look: &Look) -> Result<Done, ActionError> {
        let seen = observe::observe(self.shared, self.pass(), look).await?;
        Ok(Done { observation: Some(Box::new(seen)), ..Done::said(summary) })
    }

    fn tabs(&self) -> Done {
        let state = self.shared.world.state();
        let front = state.active().map(|tab| tab.id.clone());
        let tabs: Vec<Value> = state.shown_tabs().map(|tab| json!(model_tab(tab, front.as_ref()))).collect();
        Done { data: Some(Value::Array(tabs)), ..Done::said("listed the tabs") }
    }

    async fn new_tab(&self, url: Option<&str>) -> Result<Done, ActionError> {
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

    // ---- going places ----

    async fn navigate(&self, url: &str) -> Result<Done, ActionError> {
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
            Err(super::CallError::Deadline { .. }) => {
                hung::stay(&self.shared.pipe, &page);
                return Err(ActionError::Navigation { url, cause: NO_ANSWER.to_owned() });
            }
            // Chromium does not take the address.
            Err(super::CallError::Failed { message, .. }) => {
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
            let known = self.shared.world.state().tab(&page.id).and_then(|tab| tab.why_failed().cloned());
            return Err(ActionError::Navigation { url, cause: known.unwrap_or_else(|| said_error(cause)) });
        }
        if let Some(loader) = reply["loaderId"].as_str() {
            self.loaded(&page.id, &url, |tab| tab.loader == loader).await?;
        }
        Ok(Done::said(format!("opened {url}")))
    }

    async fn travel(&self, steps: i64) -> Result<Done, ActionError> {
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

    async fn reload(&self) -> Result<Done, ActionError> {
        let tab = self.shared.tab_to_navigate().await?;
        let (old, crashed) = (tab.loader.clone(), tab.crashed);
        hung::free(&self.shared.pipe, &self.pass(), &tab).await;
        self.shared.pipe.call(&self.pass(), Some(&tab.session), "Page.reload", json!({})).await?;
        self.loaded(&tab.id, &tab.url, |now| now.loader != old || (crashed && !now.crashed)).await?;
        Ok(Done::said("reloaded the page"))
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
            Ok(Err(error @ super::CallError::Refused(_))) => return Err(error.into()),
            Ok(Ok(Some((frame, ready)))) => {
                let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (loader, url) = (word(&frame["loaderId"]), word(&frame["url"]));
                self.shared.world.document_found(&id, &loader, &url, &word(&ready));
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {}
        }
        Ok(())
    }

    // ---- pointer ----

    async fn click(&self, target: &Target, count: i64) -> Result<Done, ActionError> {
        let located = self.press_pointer(target, Needs::Click, count).await?;
        let word = if count == 2 { "double-clicked" } else { "clicked" };
        Ok(Done::at(&located, format!("{word} {target}")))
    }

    async fn hover(&self, target: &Target) -> Result<Done, ActionError> {
        loop {
            let located = self.locate(target, Needs::Click).await?;
            let tabs = self.shared.world.state().tabs.len();
            if self.point_at(&located).await? {
                self.settle(tabs).await?;
                return Ok(Done::at(&located, format!("pointed at {target}")));
            }
            self.check_time(target)?;
        }
    }

    /// Finds the target and clicks it, until its own frame has seen the click.
    ///
    /// Chromium acknowledges input that it drops because a frame has not painted yet, and sends it to another frame
    /// as long as it does not know where that one has come to. Nobody saw what was dropped: it is done again.
    async fn press_pointer(&self, target: &Target, needs: Needs, count: i64) -> Result<Located, ActionError> {
        loop {
            let located = self.locate(target, needs).await?;
            let page = self.page()?;
            let tabs = self.shared.world.state().tabs.len();
            // In a single process there is no other frame that the click could go to.
            if page.is_one_process() || self.point_at(&located).await? {
                let (x, y) = located.point;
                let session = page.tab.session.as_str();
                let mut calls = vec![mouse(session, DispatchMouseEventType::MouseMoved, x, y, 0)];
                for nth in 1..=count {
                    calls.push(mouse(session, DispatchMouseEventType::MousePressed, x, y, nth));
                    calls.push(mouse(session, DispatchMouseEventType::MouseReleased, x, y, nth));
                }
                // A click that closes its own tab or document is not seen there any more: it arrived.
                let taken_in = self.dispatch(calls).await?;
                if !taken_in
                    || passing(page.ask(&located.frame, "baton.pressArrived()").await)? != Some(Value::Bool(false))
                {
                    self.settle(tabs).await?;
                    return Ok(located);
                }
            }
            self.check_time(target)?;
        }
    }

    /// Moves the pointer to the element, and says whether its own frame has seen it there.
    async fn point_at(&self, located: &Located) -> Result<bool, ActionError> {
        let page = self.page()?;
        let session = page.tab.session.as_str();
        let (x, y) = located.point;
        let seen = format!("baton.pointerAt({}, {})", located.point_in_frame.0, located.point_in_frame.1);
        for aside in ASIDE {
            // A pointer that is there already may not be told again: it comes from beside.
            let moves = [x + aside, x].map(|x| mouse(session, DispatchMouseEventType::MouseMoved, x, y, 0));
            if !self.dispatch(moves.into()).await? {
                return Ok(false);
            }
            match passing(page.ask(&located.frame, &seen).await)? {
                Some(Value::Bool(false)) => tokio::time::sleep(POINTER_PAUSE).await,
                Some(_) => return Ok(true),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Takes one element and lets it go over another. The button is lifted however it ends.
    async fn drag(&self, drag: &Drag) -> Result<Done, ActionError> {
        loop {
            // Brought into view one after the other; then both have to be there.
            self.locate(&drag.to, Needs::Look).await?;
            let from = self.locate(&drag.from, Needs::Click).await?;
            let to = self.locate(&drag.to, Needs::Look).await?;
            let still = self.locate(&drag.from, Needs::Click).await?;
            if near(from.point, still.point) && self.point_at(&still).await? {
                self.carry(still.point, to.point).await?;
                return Ok(Done::at(&still, format!("dragged {} to {}", drag.from, drag.to)));
            }
            if self.left().is_zero() {
                let why = format!("it is not in view together with {}", drag.to);
                return Err(ActionError::NotReady { target: drag.from.to_string(), why });
            }
        }
    }

    async fn carry(&self, from: (f64, f64), to: (f64, f64)) -> Result<(), ActionError> {
        let page = self.page()?;
        let session = page.tab.session.clone();
        let tabs = self.shared.world.state().tabs.len();
        let mut held = Held { shared: self.shared, session: session.clone(), at: from };
        self.dispatch(vec![mouse(&session, DispatchMouseEventType::MousePressed, from.0, from.1, 1)]).await?;
        for step in 1..=DRAG_STEPS {
            let part = f64::from(step) / f64::from(DRAG_STEPS);
            held.at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            let mut moved = mouse(&session, DispatchMouseEventType::MouseMoved, held.at.0, held.at.1, 0);
            moved.params["button"] = json!("left");
            moved.params["buttons"] = json!(1);
            self.dispatch(vec![moved]).await?;
        }
        drop(held);
        self.settle(tabs).await
    }

    fn check_time(&self, target: &Target) -> Result<(), ActionError> {
        if self.left().is_zero() {
            let why = "the pointer does not reach it".to_owned();
            return Err(ActionError::NotReady { target: target.to_string(), why });
        }
        Ok(())
    }

    /// Sends input in one write and waits until the page has taken it in.
    async fn input(&self, calls: Vec<Call>) -> Result<(), ActionError> {
        let tabs = self.shared.world.state().tabs.len();
        if self.dispatch(calls).await? { self.settle(tabs).await } else { Ok(()) }
    }

    /// Sends input in one write; answers whether its page was there to the end.
    async fn dispatch(&self, calls: Vec<Call>) -> Result<bool, ActionError> {
        match self.shared.pipe.batch(COMMAND_DEADLINE, &self.pass(), calls).await {
            Ok(_) => Ok(true),
            // Input that closes its own tab is answered by the session being gone.
            Err(super::CallError::Failed { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets what an input began come about: a new document, a new tab.
    async fn settle(&self, tabs_before: usize) -> Result<(), ActionError> {
        let Ok(page) = self.page() else { return Ok(()) };
        let tab = page.tab.id.clone();
        let came = async {
            // One answer of the script is one turn of the page's own loop.
            if let Ok(frames) = page.frames().await
                && let Some(main) = frames.first()
            {
                // It may go away with its document; then there is nothing more to wait for.
                let _ = page.ask(main, "baton.still()").await;
            }
            let world = &self.shared.world;
            world.wait_until(|state| state.tab(&tab).is_none_or(|tab| !tab.navigating).then_some(())).await;
            world
                .wait_until(|state| {
                    let newest = state.tabs.last();
                    let opened = state.tabs.len() > tabs_before;
                    (!opened || newest.is_none_or(|tab| tab.dom_ready || tab.loaded)).then_some(())
                })
                .await;
            world.wait_until(|state| state.tab(&tab).is_none_or(|tab| tab.dom_ready || tab.loaded).then_some(())).await;
        };
        // Slow is not wrong: the next action waits for its own target.
        let _ = tokio::time::timeout(SETTLE, came).await;
        Ok(())
    }

    // ---- keyboard and forms ----

    async fn type_text(&self, target: &Target, typing: &Type) -> Result<Done, ActionError> {
        let located = self.press_pointer(target, Needs::Type, 1).await?;
        let page = self.page()?;
        let prepare = format!("baton.prepareTyping({}, {})", located.handle, argument(&typing.text));
        let prepared = page.ask(&located.frame, &prepare).await?;
        match prepared["how"].as_str() {
            Some("insert") => {
                let session = Some(page.tab.session.as_str());
                let calls = if typing.text.is_empty() {
                    if prepared["empty"] == true { vec![] } else { key_calls(session, "Delete")? }
                } else {
                    vec![Call::typed(session, &InsertTextParams::new(typing.text.clone()))]
                };
                self.input(calls).await?;
            }
            Some("done") => {}
            _ => {
                let why = prepared["why"].as_str().unwrap_or("it does not take text").to_owned();
                return Err(ActionError::NotReady { target: target.to_string(), why });
            }
        }
        Ok(Done::at(&located, format!("typed into {target}")))
    }

    async fn press(&self, key: &str, on: Option<&Target>) -> Result<Done, ActionError> {
        let calls_for = |session: &str| key_calls(Some(session), key);
        // A wrong key is said before anything is focused.
        calls_for("")?;
        if let Some(target) = on {
            let located = self.locate(target, Needs::Look).await?;
            let page = self.page()?;
            page.ask(&located.frame, &format!("baton.element({}).focus()", located.handle)).await?;
        }
        let session = self.page()?.tab.session.clone();
        self.input(calls_for(&session)?).await?;
        Ok(Done::said(format!("pressed {key}")))
    }

    async fn select(&self, target: &Target, value: &str) -> Result<Done, ActionError> {
        loop {
            let located = self.locate(target, Needs::Look).await?;
            let tabs = self.shared.world.state().tabs.len();
            let choose = format!("baton.choose({}, {})", located.handle, argument(&value));
            let chosen = self.page()?.ask(&located.frame, &choose).await?;
            if let Some(option) = chosen["chosen"].as_str() {
                self.settle(tabs).await?;
                return Ok(Done::at(&located, format!("selected {option:?} in {target}")));
            }
            // Options often come after their list.
            if chosen["retry"] != true || Instant::now() >= self.deadline {
                let why = chosen["why"].as_str().unwrap_or("it cannot be chosen from").to_owned();
                return Err(ActionError::NotReady { target: target.to_string(), why });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn scroll(&self, scroll: &Scroll, target: Option<&Target>) -> Result<Done, ActionError> {
        let to = match scroll.to {
            Some(ScrollEnd::Top) => "'top'",
            Some(ScrollEnd::Bottom) => "'bottom'",
            None => "null",
        };
        let moves = scroll.dx.is_some() || scroll.dy.is_some() || scroll.to.is_some();
        let (dx, dy) = match (scroll.dx, scroll.dy) {
            (None, None) => (0, 600),
            (dx, dy) => (dx.unwrap_or_default(), dy.unwrap_or_default()),
        };
        let page = self.page()?;
        let Some(target) = target else {
            let frames = page.frames().await?;
            let main = frames.first().ok_or(BrowserError::NoPage)?;
            page.ask(main, &format!("baton.scrollBy(null, {dx}, {dy}, {to})")).await?;
            page.ask(main, "baton.still()").await?;
            return Ok(Done::said("scrolled the page"));
        };
        let located = self.locate(target, Needs::Look).await?;
        if moves {
            page.ask(&located.frame, &format!("baton.scrollBy({}, {dx}, {dy}, {to})", located.handle)).await?;
            return Ok(Done::at(&located, format!("scrolled {target}")));
        }
        Ok(Done::at(&located, format!("brought {target} into view")))
    }

    // ---- reading ----

    async fn condition(&self, condition: &Condition, target: Option<&Target>) -> Result<Done, ActionError> {
        if condition.url.is_none() && target.is_none() {
            return Err(ActionError::Invalid("say what to wait for: a text, a target or a url".to_owned()));
        }
        if let Some(wanted) = &condition.url {
            let world = &self.shared.world;
            let met = |tab: &Tab| pattern::matches(wanted, &tab.url);
            let met = world.wait_until(|state| state.active().is_some_and(met).then_some(()));
            if tokio::time::timeout(self.left(), met).await.is_err() {
                let (url, _) = self.shared.place();
                return Err(ActionError::OtherAddress { pattern: wanted.clone(), url });
            }
        }
        let Some(target) = target else { return Ok(Done::said("the address is as expected")) };
        if condition.gone == Some(true) {
            return self.gone(target).await;
        }
        let located = self.locate(target, Needs::Look).await?;
        Ok(Done::at(&located, format!("found {target}")))
    }

    async fn gone(&self, target: &Target) -> Result<Done, ActionError> {
        let place = match self.place(target) {
            Err(ActionError::OldReference(_, super::Stale::DocumentGone | super::Stale::ElementGone)) => {
                return Ok(Done::said(format!("{target} is gone")));
            }
            place => place?,
        };
        loop {
            let aim = (target, place.as_ref());
            match locate::is_shown(&self.shared.pipe, &self.shared.world, &self.pass(), aim).await {
                Ok(false) => return Ok(Done::said(format!("{target} is gone"))),
                Ok(true) => {}
                Err(ActionError::Browser(BrowserError::Call(error))) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
            if self.left().is_zero() {
                let why = "it was to go".to_owned();
                return Err(ActionError::NotReady { target: target.to_string(), why });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn extract(&self, target: &Target, selector: &str) -> Result<Done, ActionError> {
        let located = self.locate(target, Needs::Presence).await?;
        let page = self.page()?;
        let read = page.ask(&located.frame, &format!("baton.extract({})", argument(&selector))).await?;
        let mut values = read["values"].as_array().cloned().unwrap_or_default();
        let count = values.len();
        let data = if count == 1 { values.remove(0) } else { Value::Array(values) };
        Ok(Done { summary: format!("read {count} × {selector}"), data: Some(data), ..Done::default() })
    }

    // ---- files ----

    async fn download(&self, target: &Target) -> Result<Done, ActionError> {
        let before = self.shared.downloads_begun();
        let loaders: Vec<String> = self.shared.world.state().tabs.iter().map(|tab| tab.loader.clone()).collect();
        let located = self.press_pointer(target, Needs::Click, 1).await?;
        let failed = |cause: &str| ActionError::Download { target: target.to_string(), cause: cause.to_owned() };
        let world = &self.shared.world;
        let begun = world.wait_until(|state| {
            let new = usize::try_from(state.downloads_begun - before).unwrap_or_default();
            let first = state.downloads.len().checked_sub(new)?;
            if let Some(download) = state.downloads.get(first) {
                return Some(Ok((download.guid.clone(), download.name.clone())));
            }
            let came = |tab: &&Tab| !loaders.contains(&tab.loader);
            state.shown_tabs().filter(came).find_map(|tab| tab.failed.clone()).map(Err)
        });
        let (guid, name) = match tokio::time::timeout(self.left(), begun).await {
            Ok(Ok(download)) => download,
            Ok(Err(cause)) => return Err(failed(&cause)),
            Err(_) => return Err(failed("none began")),
        };
        let ended = world.wait_until(|state| {
            let download = state.downloads.iter().find(|download| download.guid == guid)?;
            (download.state != DownloadState::Running).then(|| download.state.clone())
        });
        match tokio::time::timeout(self.left(), ended).await {
            Ok(DownloadState::Finished(path)) => {
                let summary = format!("downloaded {path}");
                Ok(Done { summary, fitted: located.fitted, download: Some(path), ..Done::default() })
            }
            Ok(DownloadState::Failed(cause)) => Err(failed(&cause)),
            Ok(DownloadState::Running) | Err(_) => Err(failed(&format!("{name} is still coming"))),
        }
    }

    async fn upload(&self, target: &Target, path: &str) -> Result<Done, ActionError> {
        let file = self.shared.hand_out(path).await?;
        let located = self.locate(target, Needs::Presence).await?;
        let page = self.page()?;
        let done = Done::at(&located, format!("gave {path} to {target}"));
        let input = page.object(&located.frame, &format!("baton.fileInput({})", located.handle)).await?;
        if let Some(object_id) = input {
            let params = SetFileInputFilesParams {
                object_id: Some(object_id.into()),
                ..SetFileInputFilesParams::new(vec![file])
            };
            self.shared.pipe.command(&self.pass(), Some(&located.frame.session), params).await?;
            return Ok(done);
        }
        // A button that brings up a file chooser: its chooser is answered in place of being shown.
        let session = page.tab.session.clone();
        self.shared.world.state().chooser = None;
        page.call("Page.setInterceptFileChooserDialog", json!({ "enabled": true })).await?;
        let _restore = ChooserRestore { shared: self.shared, session };
        self.press_pointer(target, Needs::Click, 1).await?;
        let chooser = self.shared.world.wait_until(|state| state.chooser.take());
        let Ok(chooser) = tokio::time::timeout(self.left().min(CHOOSER), chooser).await else {
            let why = "it is not a file field, and clicking it asks for no file".to_owned();
            return Err(ActionError::NotReady { target: target.to_string(), why });
        };
        let node = Some(BackendNodeId::new(chooser.backend_node));
        let params = SetFileInputFilesParams { backend_node_id: node, ..SetFileInputFilesParams::new(vec![file]) };
        self.shared.pipe.command(&self.pass(), Some(&chooser.session), params).await?;
        Ok(done)
    }

    // ---- beside the action ----

    /// Resolves when nothing may be dispatched under this action's lease any more.
    async fn lease_over(&self) -> ActionError {
        let mut check = tokio::time::interval(LEASE_CHECK);
        loop {
            check.tick().await;
            if let Err(refused) = self.permit.dispatch(|| ()) {
                return refused.into();
            }
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Before {
    fn of(shared: &Shared) -> Self {
        let state = shared.world.state();
        Self {
            tabs: state.shown_tabs().map(|tab| (tab.id.clone(), tab_name(tab))).collect(),
            front: state.active().map(|tab| (tab.id.clone(), tab.loader.clone(), tab.told_url())),
            downloads: state.downloads_begun,
        }
    }

    /// Fails if what the action led to could not be opened: in the tab in front, or in a tab that opened.
    fn check_opened(&self, shared: &Shared) -> Result<(), ActionError> {
        let state = shared.world.state();
        let is_new = |tab: &Tab| match &self.front {
            Some((id, loader, _)) if *id == tab.id => *loader != tab.loader,
            Some(_) | None => !self.tabs.iter().any(|(id, _)| *id == tab.id),
        };
        let failed = state.shown_tabs().filter(|tab| is_new(tab)).find_map(|tab| Some((tab, tab.failed.as_ref()?)));
        failed.map_or(Ok(()), |(tab, cause)| Err(ActionError::Navigation { url: tab.told_url(), cause: cause.clone() }))
    }

    /// Returns an outcome that holds only what came about beside what was asked.
    fn differences(self, shared: &Shared) -> Outcome {
        let state = shared.world.state();
        let front = state.active().map(|tab| tab.id.clone());
        let new = |tab: &&Tab| !self.tabs.iter().any(|(id, _)| *id == tab.id);
        let left = self.front.filter(|(id, loader, _)| state.tab(id).is_some_and(|tab| tab.loader != *loader));
        let begun = usize::try_from(state.downloads_begun - self.downloads).unwrap_or_default();
        let first = state.downloads.len().saturating_sub(begun);
        Outcome {
            left: left.map(|(_, _, url)| url),
            tabs_opened: state.shown_tabs().filter(new).map(|tab| model_tab(tab, front.as_ref())).collect(),
            tabs_closed: self
                .tabs
                .into_iter()
                .filter(|(id, _)| state.tab(id).is_none())
                .map(|(_, name)| name)
                .collect(),
            downloads_begun: state.downloads[first..].iter().map(|download| download.name.clone()).collect(),
            ..Outcome::default()
        }
    }
}

/// Whether the action may bring another document by itself.
pub(super) fn leads_elsewhere(action: &Action) -> bool {
    match action {
        Action::Navigate(_)
        | Action::Back(_)
        | Action::Forward(_)
        | Action::Reload(_)
        | Action::Click(_)
        | Action::DoubleClick(_)
        | Action::Drag(_)
        | Action::Type(_)
        | Action::Press(_)
        | Action::Select(_)
        | Action::Upload(_)
        | Action::NewTab(_) => true,
        Action::Hover(_)
        | Action::Scroll(_)
        | Action::WaitFor(_)
        | Action::Expect(_)
        | Action::Extract(_)
        | Action::Download(_)
        | Action::ActivateTab(_)
        | Action::CloseTab(_)
        | Action::Dialog(_)
        | Action::Tabs(_)
        | Action::Screenshot(_)
        | Action::Look(_)
        | Action::Find(_) => false,
    }
}

fn tab_name(tab: &Tab) -> String {
    if tab.title.is_empty() { tab.told_url() } else { tab.title.clone() }
}

fn model_tab(tab: &Tab, front: Option<&String>) -> model::Tab {
    model::Tab { id: tab.id.clone(), url: tab.told_url(), title: tab.title.clone(), active: Some(&tab.id) == front }
}

/// A mouse button that is down: lifted when this goes.
struct Held<'a> {
    shared: &'a Shared,
    session: String,
    at: (f64, f64),
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let released = mouse(&self.session, DispatchMouseEventType::MouseReleased, self.at.0, self.at.1, 1);
        self.shared.pipe.note(Some(&self.session), &released.method, released.params);
    }
}

fn near(a: (f64, f64), b: (f64, f64)) -> bool {
    (a.0 - b.0).abs() <= 1.0 && (a.1 - b.1).abs() <= 1.0
}

/// Gives file choosers back to the person, however the upload ended.
struct ChooserRestore<'a> {
    shared: &'a Shared,
    session: String,
}

impl Drop for ChooserRestore<'_> {
    fn drop(&mut self) {
        self.shared.pipe.note(Some(&self.session), "Page.setInterceptFileChooserDialog", json!({ "enabled": false }));
    }
}

/// Returns the answer of a frame, or `None` where its document went away under the question.
fn passing(answer: Result<Value, super::CallError>) -> Result<Option<Value>, ActionError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_passing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn mouse(session: &str, kind: DispatchMouseEventType, x: f64, y: f64, click_count: i64) -> Call {
    let pressed = matches!(kind, DispatchMouseEventType::MousePressed);
    let mut event = DispatchMouseEventParams::new(kind, x, y);
    if click_count > 0 {
        event.button = Some(MouseButton::Left);
        event.buttons = Some(i64::from(pressed));
        event.click_count = Some(click_count);
    }
    Call::typed(Some(session), &event)
}

fn key_calls(session: Option<&str>, key: &str) -> Result<Vec<Call>, ActionError> {
    let chord = Chord::parse(key).map_err(|part| ActionError::Invalid(format!("{part:?} is not the name of a key")))?;
    Ok(chord.events().into_iter().map(|event| Call::new(session, "Input.dispatchKeyEvent", event)).collect())
}

/// Returns the address with a scheme, as an address bar would complete it.
///
/// # Errors
///
/// [`ActionError::Invalid`] for what Chromium would not open: no address, another scheme, or too long.
pub(super) fn with_scheme(url: &str) -> Result<String, ActionError> {
    let address = completed(url)?;
    if address.len() > LONGEST_ADDRESS {
        return Err(ActionError::Invalid(format!("an address has at most {LONGEST_ADDRESS} bytes")));
    }
    match url::Url::parse(&address) {
        Ok(_) => Ok(address),
        Err(cause) => Err(ActionError::Invalid(format!("this is not an address: {cause}"))),
    }
}

fn completed(url: &str) -> Result<String, ActionError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(ActionError::Invalid("an address is needed".to_owned()));
    }
    let scheme = url.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, _))
            if ["http", "https", "about", "data", "blob"].contains(&scheme.as_str())
                && super::clients::may_open(url) =>
        {
            Ok(url.to_owned())
        }
        // `host:8080/path` is an address without a scheme.
        Some((_, rest)) if rest.starts_with(|first: char| first.is_ascii_digit()) => Ok(format!("https://{url}")),
        Some((scheme, _)) if !scheme.contains(['.', '/']) => {
            Err(ActionError::Invalid(format!("addresses with {scheme}: are not opened")))
        }
        Some(_) | None => Ok(format!("https://{url}")),
    }
}

/// Says Chromium's name of a network error in words, the name kept for whoever knows it.
fn said_error(name: &str) -> String {
    let words = match name {
        "net::ERR_NAME_NOT_RESOLVED" => "there is no such host",
        "net::ERR_CONNECTION_REFUSED" => "the server refused the connection",
        "net::ERR_CONNECTION_TIMED_OUT" | "net::ERR_TIMED_OUT" => "the server did not answer in time",
        "net::ERR_TUNNEL_CONNECTION_FAILED" | "net::ERR_PROXY_CONNECTION_FAILED" => "the way out refused it",
        "net::ERR_ABORTED" => "it was stopped",
        "net::ERR_INTERNET_DISCONNECTED" => "there is no network",
        name if name.starts_with("net::ERR_CERT") => "its certificate is not valid",
        _ => return name.to_owned(),
    };
    format!("{words} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_scheme_that_an_address_bar_would_give() {
        let check = |url: &str, expected: &str| assert_eq!(with_scheme(url).unwrap(), expected);
        check(" example.org/a:b ", "https://example.org/a:b");
        check("http://a.example", "http://a.example");
        check("localhost:8080/x", "https://localhost:8080/x");
        check("about:blank", "about:blank");
        assert!(with_scheme("javascript:alert(1)").is_err());
        assert!(with_scheme("file:///etc/passwd").is_err());
        assert!(with_scheme("chrome://settings").is_err());
        assert!(with_scheme(" ").is_err());
    }

    #[test]
    fn what_is_no_address_is_refused_before_the_browser_is_asked() {
        for url in
            ["http://", "http://[", "https://a b.example/", "http://%zz/", "http://999.999.999.999/", "http://:80"]
        {
            assert!(matches!(with_scheme(url), Err(ActionError::Invalid(_))), "{url}");
        }
        let endless = format!("data:text/plain,{}", "a".repeat(LONGEST_ADDRESS));
        assert!(matches!(with_scheme(&endless), Err(ActionError::Invalid(_))));
    }
}
