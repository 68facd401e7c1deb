//! One action of the vocabulary, for a program outside: on the agent's side of the gate.

use std::time::Duration;

use sandbox_core::SandboxId;
use sandbox_core::action::{Action, DEFAULT_TIMEOUT_MS, Outcome};
use sandbox_core::model::{Actor, EventType};
use sandbox_core::playbook::Step;
use serde_json::json;

use super::browse::no_browser;
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::browser::{Browser, Look};
use crate::driver::Refusal;

impl Service {
    /// Does one action in the browser; the story tells it as a program's. Looking takes no turn and leaves no line.
    ///
    /// # Errors
    ///
    /// `heldByPerson` and `waitingForPerson` while a person drives or is asked (who is only asked does not hinder looking);
    /// `staleLease` for a reference that means nothing any more; `notFound` when nothing fits the target in time.
    pub async fn act(&self, id: &SandboxId, action: Action) -> Answer<Outcome> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser().ok_or_else(|| no_browser(&driver))?;
        if let Some(seen) = look(&browser, &action).await {
            return seen;
        }
        let limit = Duration::from_millis(action.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS));
        let turn = driver.begin().await?;
        let done = tokio::select! {
            biased;
            done = browser.act(&turn.permit, &action, limit) => done?,
            () = turn.cancelled.cancelled() => {
                let message = "a person took control while this was under way; look again after the hand-back";
                return Err(ServiceError::new(ErrorCode::HeldByPerson, message));
            }
        };
        drop(turn);
        let data = json!({
            "name": action.name(),
            "summary": done.summary,
            "url": done.url,
            "title": done.title,
            "action": Step::Browser(action).told(),
        });
        driver.record(EventType::AgentAction, Actor::Api, data).await?;
        Ok(done)
    }
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
