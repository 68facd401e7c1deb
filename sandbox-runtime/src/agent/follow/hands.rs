//! Doing one thing in the browser for the model, and telling it what it has to know of the page afterwards.
//!
//! Owns that nothing is done by what the model last saw once somebody else has been at the browser: it is shown the page
//! anew first, and decides again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::HandoffId;
use sandbox_core::action::{Action, DEFAULT_TIMEOUT_MS, Outcome as Done};
use sandbox_core::event::{ActionError as EventError, AgentAction};
use serde_json::Value;

use super::End;
use super::fence::{Shown, Source};
use super::handled::Handled;
use crate::agent::attempt::{Attempt, attempt, picture_after};
use crate::agent::consent::ConsentError;
use crate::agent::files;
use crate::agent::workbench::{WorkError, Workbench};
use crate::browser::{ActionError, Browser, Look};

/// A turn that does not come by then is somebody's at the wheel: whoever writes meanwhile is listened to.
const TURN_COMES_AT_ONCE: Duration = Duration::from_millis(400);
/// Longest that an action may wait for its target: what takes longer is asked for again.
const LONGEST_TIMEOUT_MS: u64 = 60_000;

/// The agent's hands on the browser.
pub struct Hands {
    pub bench: Arc<dyn Workbench>,
    /// Characters of a page that one look may have.
    pub page_chars: usize,
    /// Handoffs whose end the model has been told of.
    pub settled: BTreeSet<HandoffId>,
    /// Somebody else has been at the browser since the model saw it.
    must_look: bool,
}

impl Hands {
    pub fn new(bench: Arc<dyn Workbench>, page_chars: usize) -> Self {
        Self { bench, page_chars, settled: BTreeSet::new(), must_look: false }
    }

    /// Does one action once it is the agent's turn.
    pub async fn act(&mut self, action: &Action) -> Result<Handled, End> {
        let Some(browser) = self.bench.browser() else {
            return Ok(Handled::not_done("Not done: this sandbox has no browser."));
        };
        let wanted_ms = action.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS);
        let action = with_page_chars(action, self.page_chars);
        let limit = Duration::from_millis(wanted_ms.min(LONGEST_TIMEOUT_MS));
        let mut agreed = None;
        loop {
            let bench = self.bench.clone();
            let late_message = async {
                tokio::time::sleep(TURN_COMES_AT_ONCE).await;
                bench.message_came().await;
            };
            let mut turn = tokio::select! {
                biased;
                turn = self.bench.begin() => turn?,
                () = late_message => return Ok(Handled::not_done(
                    "Not done: a person is at the browser or has been asked, and somebody has written to you meanwhile. \
                     You can work with files, commands and notes; any action in the browser waits until it is handed back.",
                )),
            };
            // One that was lost meanwhile has come back as another.
            let browser = self.bench.browser().unwrap_or_else(|| browser.clone());
            if turn.take_fresh() {
                browser.fresh_look();
                self.must_look = true;
            }
            if self.must_look && acts_on_what_was_seen(&action) {
                let handled = self.look_anew(&browser).await;
                drop(turn);
                return Ok(handled);
            }
            match attempt(self.bench.as_ref(), &browser, turn, &action, limit, &mut agreed).await? {
                // A task waits for its answers for as long as it takes.
                Attempt::Again | Attempt::Unanswered | Attempt::Held => {}
                Attempt::Done(done) => return self.tell(&browser, &action, *done).await,
                Attempt::Approved => {
                    let mut handled = Handled::said("Done, after a person approved it.");
                    self.show_page(&browser, &mut handled).await;
                    return Ok(handled);
                }
                Attempt::Interrupted => {
                    self.must_look = true;
                    return Ok(Handled::not_done(
                        "Interrupted: a person took over while this was being done. Whether it took effect is not known: \
                         look before you do it again.",
                    ));
                }
                Attempt::Denied { note } => {
                    let mut handled = Handled::not_done(
                        "Not done: a person was asked and said no. Do not try to reach the same in another way.",
                    );
                    if let Some(note) = note {
                        handled = handled.with(Source::Person, note);
                    }
                    self.show_page(&browser, &mut handled).await;
                    return Ok(handled);
                }
                Attempt::Failed(error) => return Ok(self.tell_failure(&browser, &error).await),
            }
        }
    }

    /// Shows the page as it is after somebody else was at the browser, and refuses everything known of it before.
    pub async fn look_fresh(&mut self) -> Result<Handled, End> {
        let Some(browser) = self.bench.browser() else { return Ok(Handled::default()) };
        let mut turn = self.bench.begin().await?;
        turn.take_fresh();
        browser.fresh_look();
        let mut handled = Handled::default();
        self.show_page(&browser, &mut handled).await;
        Ok(handled)
    }

    async fn look_anew(&mut self, browser: &Browser) -> Handled {
        let mut handled = Handled::not_done(
            "Not done: somebody else has used the browser since you last looked at it, so what you knew of the page may be \
             wrong, and its references are void. This is the page as it is now. Decide again.",
        );
        self.show_page(browser, &mut handled).await;
        handled
    }

    async fn tell_failure(&mut self, browser: &Browser, error: &ActionError) -> Handled {
        // What failed may quote the page.
        let mut handled = Handled::not_done("Not done.").with(Source::Page, error.to_string());
        handled.event.error = Some(EventError::new(error.to_string()));
        self.show_page(browser, &mut handled).await;
        handled
    }

    /// Tells what an action did and what the page shows now.
    async fn tell(&mut self, browser: &Browser, action: &Action, done: Done) -> Result<Handled, End> {
        let mut handled = Handled::said("Done.");
        handled.event = AgentAction::from(&done);
        handled.did.repeat = done.repeat.clone();
        let mut told = vec![done.summary.clone()];
        if let Some(fitted) = done.fitted {
            told.push(format!("{fitted} elements fitted; the first that could be used was taken"));
        }
        for dialog in &done.dialogs {
            let answer = if dialog.accepted { "accepted" } else { "dismissed" };
            told.push(format!("the page showed a {} ({:?}), which was {answer}", dialog.kind, dialog.message));
        }
        for tab in &done.tabs_opened {
            told.push(format!("a tab opened: {:?} {}", tab.title, tab.url));
        }
        for tab in &done.tabs_closed {
            told.push(format!("a tab closed: {tab:?}"));
        }
        for name in &done.downloads_begun {
            told.push(format!("a download began: {name:?}"));
        }
        if let Err(error) = self.keep(action, &done, &mut handled, &mut told).await {
            match error {
                WorkError::Stopped(stopped) => return Err(stopped.into()),
                WorkError::Failed(message) => {
                    handled.did.said = format!("Done in the browser, but the file could not be kept: {message}");
                    handled.did.failed = true;
                }
            }
        }
        handled.did.shown.push(Shown::new(Source::Page, told.join("\n")));
        let bench = self.bench.clone();
        let shown = async {
            match (&done.observation, action.kind().shows_itself) {
                (Some(seen), _) => {
                    self.must_look = false;
                    handled.did.shown.push(Shown::new(Source::Page, seen.told()));
                    handled.did.url = Some(seen.url.clone());
                }
                (None, true) => handled.did.url = Some(browser.state().url),
                (None, false) => self.show_page(browser, &mut handled).await,
            }
        };
        // The one that the model wanted is the story's as well.
        let picture =
            async { if done.screenshot.is_none() { picture_after(bench.as_ref(), browser).await } else { None } };
        if let ((), Some(picture)) = tokio::join!(shown, picture) {
            handled.event.picture = Some(picture);
        }
        handled.picture = done.screenshot;
        Ok(handled)
    }

    /// Keeps what an action brought where it was wanted: data in a file, a download under its name.
    async fn keep(
        &self,
        action: &Action,
        done: &Done,
        handled: &mut Handled,
        told: &mut Vec<String>,
    ) -> Result<(), WorkError> {
        let bench = self.bench.as_ref();
        match action {
            Action::Extract(extract) => {
                let Some(data) = &done.data else { return Ok(()) };
                let text = serde_json::to_string_pretty(data).unwrap_or_default();
                match &extract.to {
                    Some(to) => {
                        files::write(bench, to, text.into_bytes()).await?;
                        handled.did.said = format!("Done: what was read is in {to}.");
                        handled.event.path = Some(to.clone());
                    }
                    None => told.push(super::files::bounded(&text, "extract it `to` a file and read that in parts")),
                }
            }
            Action::Download(download) => {
                let Some(arrived) = &done.download else { return Ok(()) };
                let path = download.to.as_ref().unwrap_or(arrived);
                if path != arrived {
                    files::rename(bench, arrived, path).await?;
                }
                told.push(format!("the file is in the workspace: {path}"));
                handled.event.path = Some(path.clone());
            }
            Action::Tabs(_) => {
                let tabs = done.data.as_ref().and_then(Value::as_array).into_iter().flatten();
                told.extend(tabs.map(|tab| {
                    let in_front = if tab["active"] == true { ", in front" } else { "" };
                    format!("tab {}: {} {}{in_front}", tab["id"].as_str().unwrap_or_default(), tab["title"], tab["url"])
                }));
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds what the page shows now: only what changed, where the model has seen the rest.
    async fn show_page(&mut self, browser: &Browser, handled: &mut Handled) {
        let look = Look { max_chars: Some(self.page_chars), ..Look::default() };
        match browser.observe(&look).await {
            Ok(seen) => {
                let text = if self.must_look { seen.told() } else { seen.changes_told() };
                handled.did.shown.push(Shown::new(Source::Page, text));
                handled.did.url = Some(seen.url.clone());
                (handled.event.url, handled.event.title) = (Some(seen.url.clone()), Some(seen.title.clone()));
                self.must_look = false;
            }
            Err(error) => {
                handled.did.said.push_str(" The page could not be looked at afterwards.");
                handled.did.shown.push(Shown::new(Source::Page, error.to_string()));
            }
        }
    }
}

/// Whether the action aims at something that the model saw earlier. A look does so only by a reference of before.
fn acts_on_what_was_seen(action: &Action) -> bool {
    action.kind().acts_on_seen && !matches!(action, Action::Look(look) if look.reference.is_none())
}

/// A look shows no more of the page than the model has room for.
fn with_page_chars(action: &Action, most: usize) -> Action {
    let mut action = action.clone();
    if let Action::Look(look) = &mut action {
        look.max_chars = Some(look.max_chars.map_or(most, |wanted| wanted.min(2 * most)));
    }
    action
}

impl From<ConsentError> for End {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Stopped(stopped) => stopped.into(),
            ConsentError::Work(error) => error.into(),
            ConsentError::Action(error) => WorkError::Failed(error.to_string()).into(),
        }
    }
}
