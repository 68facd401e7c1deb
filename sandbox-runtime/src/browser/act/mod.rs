//! Doing one action: under one permit, within one deadline, and with whatever dialogs it brings up answered.

mod done;
mod files;
mod forms;
mod input;
mod navigate;
mod pointer;
mod sign_in;
mod used;
mod wait;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::action::{Action, AnswerDialog, Outcome, TabChoice, Target};

use self::done::{Before, Done};
use self::used::Used;
use super::dialogs::{self, Dialogs};
use super::error::{ActionError, BrowserError};
use super::gate::Permit;
use super::locate::{Located, Needs, locate};
use super::observe::{self, Look};
use super::page::Page;
use super::pattern;
use super::pipe::{CallError, Pass};
use super::tab::Tab;
use super::{Shared, aim, hung};

/// How often an action looks whether its lease still lives.
const LEASE_CHECK: Duration = Duration::from_millis(20);
/// Most time that does not count for an action's deadline: its own limits are shorter.
const LONGEST_UNCOUNTED: Duration = Duration::from_secs(300);
/// What an action's deadline leaves for saying why it failed.
const GRACE: Duration = Duration::from_secs(5);

/// One action being done.
pub struct Doing<'a> {
    shared: &'a Shared,
    permit: &'a Permit,
    deadline: Mutex<Instant>,
    /// The action's name in the vocabulary.
    name: &'static str,
    used: Mutex<Used>,
}

impl<'a> Doing<'a> {
    pub fn new(shared: &'a Shared, permit: &'a Permit, deadline: Instant, name: &'static str) -> Self {
        Self { shared, permit, deadline: Mutex::new(deadline), name, used: Mutex::default() }
    }

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
        let done = tokio::select! {
            done = self.perform_all(action, &dialogs, tabs) => done?,
            error = dialogs.answer() => return Err(error),
            error = self.lease_over() => return Err(error),
            () = self.shared.pipe.closed() => return Err(BrowserError::Call(CallError::Closed).into()),
            () = self.is_late() => {
                return Err(ActionError::Late { what: action.name().to_owned(), after_ms: began.elapsed().as_millis() });
            }
        };
        if action.kind().leads_elsewhere {
            before.check_opened(self.shared)?;
        }
        let (url, title) = self.shared.place();
        let repeat = std::mem::take(&mut *self.used()).repeat(action);
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
            repeat: Some(Box::new(repeat)),
            ..before.differences(self.shared)
        })
    }

    fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_off(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Does something that takes a person's time and not the page's: it does not count for the action's deadline.
    async fn uncounted<T>(&self, work: impl Future<Output = T>) -> T {
        let (began, before) = (Instant::now(), self.deadline());
        self.put_off(before + LONGEST_UNCOUNTED);
        let done = work.await;
        self.put_off(before + began.elapsed());
        done
    }

    /// Resolves when the deadline and the time to say why it failed are over.
    async fn is_late(&self) {
        while self.deadline() + GRACE > Instant::now() {
            tokio::time::sleep_until((self.deadline() + GRACE).into()).await;
        }
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
            Action::SignIn(wanted) => self.sign_in(wanted).await,
            Action::Tabs(_) => Ok(self.tabs()),
            Action::NewTab(tab) => self.new_tab(tab.url.as_deref()).await,
            Action::ActivateTab(tab) => {
                self.shared.activate_tab(self.pass(), &self.chosen(tab).await?).await?;
                Ok(Done::said("switched to the tab"))
            }
            Action::CloseTab(tab) => {
                self.shared.close_tab(self.pass(), &self.chosen(tab).await?).await?;
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

    pub(super) fn pass(&self) -> Pass {
        Pass::Act(self.permit.clone())
    }

    pub(super) fn page(&self) -> Result<Page<'_>, ActionError> {
        Ok(Page::active(&self.shared.pipe, &self.shared.world, self.pass())?)
    }

    async fn locate(&self, target: &Target, needs: Needs) -> Result<Located, ActionError> {
        let place = self.place(target)?;
        let aim = (target, place.as_ref());
        let located = locate(&self.shared.pipe, &self.shared.world, &self.pass(), aim, needs, self.deadline()).await?;
        let is_known = target.reference.as_ref().is_none_or(|reference| self.used().knows(reference));
        let lasting = if is_known { None } else { self.lasting(&located).await };
        self.used().note(target, &located, lasting);
        Ok(located)
    }

    /// Returns a target that means the element in another session too; `None` for one that has gone meanwhile.
    async fn lasting(&self, located: &Located) -> Option<Target> {
        let question = format!("baton.lasting({})", located.handle);
        let said = self.page().ok()?.ask(&located.frame, &question).await.ok()?;
        serde_json::from_value(said).ok()
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the target as [`Self::locate`], and shows viewers what is about to happen.
    async fn aim_at(&self, target: &Target, needs: Needs) -> Result<Located, ActionError> {
        let located = self.locate(target, needs).await?;
        self.shared.world.aim(|| {
            let words = target.reference.as_ref().and_then(|reference| self.shared.looks.words(reference));
            Some(aim::at_element(located.point, located.covers, target, words, self.name))
        });
        Ok(located)
    }

    fn place(&self, target: &Target) -> Result<Option<observe::Place>, ActionError> {
        target.reference.as_ref().map(|reference| self.shared.named(reference)).transpose()
    }

    /// Returns the id of the tab that is meant; waits for one with that address.
    async fn chosen(&self, choice: &TabChoice) -> Result<String, ActionError> {
        let world = &self.shared.world;
        let id = match (&choice.id, &choice.url) {
            (Some(id), None) => id.clone(),
            (None, Some(wanted)) => {
                let opened = world.wait_until(|state| {
                    let found = state.shown_tabs().find(|tab| pattern::matches(wanted, &tab.told_url()))?;
                    Some(found.id.clone())
                });
                let Ok(id) = tokio::time::timeout(self.left(), opened).await else {
                    let open: Vec<_> = world.state().shown_tabs().map(Tab::told_url).collect();
                    let (target, instead) = (format!("tab at {wanted}"), format!("the tabs {}", open.join(", ")));
                    return Err(ActionError::NotFound { target, instead });
                };
                id
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(ActionError::Invalid("name the tab by its `id` or by the pattern `url`".to_owned()));
            }
        };
        // Another session gives its tabs other ids.
        self.used().tab = world.state().tab(&id).map(Tab::told_url);
        Ok(id)
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

    async fn look(&self, summary: &str, look: &Look) -> Result<Done, ActionError> {
        let seen = observe::observe(self.shared, self.pass(), look).await?;
        Ok(Done { observation: Some(Box::new(seen)), ..Done::said(summary) })
    }

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

    pub(super) fn left(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }
}
