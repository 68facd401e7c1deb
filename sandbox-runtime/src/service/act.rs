//! One action of the vocabulary, for a program outside: on the agent's side of the gate, and asked about as the agent's are.

use std::time::Duration;

use sandbox_core::SandboxId;
use sandbox_core::action::{Action, DEFAULT_TIMEOUT_MS, Outcome};
use sandbox_core::event::{ActionError, AgentAction};
use sandbox_core::model::Actor;
use sandbox_core::playbook::Step;
use serde_json::json;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::agent::{Attempt, ConsentError, WorkError, attempt};
use crate::browser::{Browser, Look};
use crate::driver::{Driver, Refusal};

/// For how long a call waits for a person's answer: clients give up after a minute.
const PATIENCE: Duration = Duration::from_secs(40);

impl Service {
    /// Notes that a model decides what programs do in this sandbox: from then on the defaults for one bind them all.
    pub async fn serve_a_model(&self, id: &SandboxId) -> Answer<()> {
        Ok(self.working_driver(id).await?.serve_a_model().await?)
    }

    /// Does one action in the browser for a model outside; the story tells it as a program's. Looking takes no turn and leaves
    /// no line.
    ///
    /// # Errors
    ///
    /// `heldByPerson` and `waitingForPerson` while a person drives or is asked (who is only asked does not hinder looking);
    /// `waitingForPerson` also when nobody answered yet whether it may be done, and `forbidden` when a person said no;
    /// `conflict` with the status `unknown` when a person took over in the middle;
    /// `staleLease` for a reference that means nothing any more; `notFound` when nothing fits the target in time.
    pub async fn act(&self, id: &SandboxId, action: Action) -> Answer<Outcome> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        if let Some(seen) = look(&browser, &action).await {
            return seen;
        }
        driver.serve_a_model().await?;
        act_in_turn(&driver, &browser, &action).await
    }
}

/// Does one action under the agent side's lease, asking first where the rules say so, and records it.
pub(super) async fn act_in_turn(driver: &Driver, browser: &Browser, action: &Action) -> Answer<Outcome> {
    let limit = Duration::from_millis(action.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS));
    let words = in_words(browser, action);
    let program = driver.program(PATIENCE);
    let mut agreed = None;
    let (answer, mut event) = loop {
        let turn = driver.begin().await?;
        // One that was lost meanwhile has come back as another.
        let browser = &driver.browser().ok_or_else(|| ServiceError::no_browser(driver))?;
        let tried = attempt(&program, browser, turn, action, limit, &mut agreed).await.map_err(could_not_ask)?;
        break match tried {
            Attempt::Again => continue,
            Attempt::Done(done) => {
                let event = AgentAction::from(&*done);
                (Ok(*done), event)
            }
            Attempt::Approved => {
                let state = browser.state();
                let summary = format!("{words}, after it was approved");
                let done = Outcome { summary, url: state.url, title: state.title, ..Outcome::default() };
                let event = AgentAction::from(&done);
                (Ok(done), event)
            }
            Attempt::Unanswered => return Err(unanswered(driver)),
            Attempt::Denied { note } => (Err(denied(note)), AgentAction::default()),
            Attempt::Held => (Err(held(driver)), AgentAction::default()),
            Attempt::Interrupted => (Err(interrupted()), AgentAction::default()),
            Attempt::Failed(error) => (Err(ServiceError::from(error)), AgentAction::default()),
        };
    };
    action.name().clone_into(&mut event.name);
    event.action.get_or_insert_with(|| Step::Browser(action.clone()).told());
    if let Err(error) = &answer {
        event.summary = words;
        event.error = Some(ActionError::new(&error.message));
    }
    driver.record(event, Actor::Api).await?;
    answer
}

/// Says an action in words, for the story.
fn in_words(browser: &Browser, action: &Action) -> String {
    let words = match (action, action.target()) {
        (Action::Navigate(navigate), _) => format!("open {}", navigate.url()),
        (_, Some(target)) => format!("{} {target}", action.name()),
        (_, None) => action.name().to_owned(),
    };
    browser.with_names(&words, action)
}

fn could_not_ask(error: ConsentError) -> ServiceError {
    match error {
        ConsentError::Action(error) => error.into(),
        ConsentError::Stopped(stopped) | ConsentError::Work(WorkError::Stopped(stopped)) => {
            ServiceError::new(ErrorCode::Conflict, stopped.to_string())
        }
        ConsentError::Work(WorkError::Failed(message)) => ServiceError::new(ErrorCode::Conflict, message),
    }
}

/// A person was asked whether it may be done, and has not answered.
fn unanswered(driver: &Driver) -> ServiceError {
    let message = "a person is asked whether this may be done and has not answered yet; nothing was done";
    waiting(driver, message)
        .with_hint("do exactly the same again to wait for the answer; GET /v1/approvals has the question")
}

/// It was done, and what it sends stands still.
fn held(driver: &Driver) -> ServiceError {
    let message = "it was done, but what it sends is held until a person has answered";
    waiting(driver, message).with_hint("do not do it again: look at the page later; GET /v1/approvals has the question")
}

fn waiting(driver: &Driver, message: &str) -> ServiceError {
    let asked: Vec<_> = driver.sandbox().approvals.into_iter().map(|asked| asked.approval_id).collect();
    let details = json!({ "status": "pending", "approvalIds": asked });
    ServiceError { details: Some(Box::new(details)), ..ServiceError::new(ErrorCode::WaitingForPerson, message) }
}

fn denied(note: Option<String>) -> ServiceError {
    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
    let message = format!("a person was asked and said no{note}; it was not sent");
    ServiceError::new(ErrorCode::Forbidden, message).with_hint("do not try to reach the same in another way")
}

/// How much of it was done before a person took over is not known: never said as a refusal.
pub(super) fn interrupted() -> ServiceError {
    let message = "a person took control while this was being done; whether it took effect is not known";
    ServiceError::conflict(message, "unknown").with_hint("look at the page after the hand-back before doing it again")
}

/// Does what only looks; `None` for an action that acts, or that may wait.
async fn look(browser: &Browser, action: &Action) -> Option<Answer<Outcome>> {
    let (wanted, with_picture) = match action {
        Action::Look(look) => {
            let wanted = Look { within: look.reference.clone(), max_chars: look.max_chars, ..Look::default() };
            (Some(wanted), look.screenshot == Some(true))
        }
        Action::Find(find) => {
            let within = find.reference.clone();
            (Some(Look { within, find: Some(find.text.clone()), ..Look::default() }), false)
        }
        Action::Screenshot(_) => (None, true),
        Action::Tabs(_) => {
            let tabs = browser.visible_tabs().map_err(|refused| Refusal::from(refused).into());
            return Some(tabs.map(|tabs| Outcome { data: Some(json!(tabs)), ..Outcome::default() }));
        }
        _ => return None,
    };
    Some(seen(browser, wanted, with_picture).await)
}

async fn seen(browser: &Browser, wanted: Option<Look>, with_picture: bool) -> Answer<Outcome> {
    let observation = match &wanted {
        Some(wanted) => Some(Box::new(browser.observe(wanted).await?)),
        None => None,
    };
    let screenshot = match with_picture {
        true => Some(browser.screenshot().await?),
        false => None,
    };
    Ok(Outcome { observation, screenshot, ..Outcome::default() })
}
