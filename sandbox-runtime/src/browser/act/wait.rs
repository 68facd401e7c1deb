//! Waiting for what a page shows, and reading it.

use std::time::Duration;

use sandbox_core::action::{Condition, Target};
use serde_json::Value;

use super::Doing;
use super::done::Done;
use crate::browser::error::{ActionError, BrowserError};
use crate::browser::locate::{self, Needs};
use crate::browser::page::argument;
use crate::browser::tab::Tab;
use crate::browser::{Stale, pattern};

impl Doing<'_> {
    pub(super) async fn condition(&self, condition: &Condition, target: Option<&Target>) -> Result<Done, ActionError> {
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

    pub(super) async fn extract(&self, target: &Target, selector: &str) -> Result<Done, ActionError> {
        let located = self.locate(target, Needs::Presence).await?;
        let page = self.page()?;
        let read = page.ask(&located.frame, &format!("baton.extract({})", argument(&selector))).await?;
        let mut values = read["values"].as_array().cloned().unwrap_or_default();
        let count = values.len();
        let data = if count == 1 { values.remove(0) } else { Value::Array(values) };
        Ok(Done { summary: format!("read {count} × {selector}"), data: Some(data), ..Done::default() })
    }

    async fn gone(&self, target: &Target) -> Result<Done, ActionError> {
        let place = match self.place(target) {
            Err(ActionError::OldReference(_, Stale::DocumentGone | Stale::ElementGone)) => {
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
}
