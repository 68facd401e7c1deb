//! The keyboard, and the fields of forms.

use std::time::{Duration, Instant};

use chromiumoxide_cdp::cdp::browser_protocol::input::InsertTextParams;
use sandbox_core::action::{Scroll, ScrollEnd, Target, Type};

use super::Doing;
use super::done::Done;
use crate::browser::error::{ActionError, BrowserError};
use crate::browser::keys::Chord;
use crate::browser::locate::Needs;
use crate::browser::page::argument;
use crate::browser::pipe::Call;

impl Doing<'_> {
    pub(super) async fn type_text(&self, target: &Target, typing: &Type) -> Result<Done, ActionError> {
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

    pub(super) async fn press(&self, key: &str, on: Option<&Target>) -> Result<Done, ActionError> {
        let calls_for = |session: &str| key_calls(Some(session), key);
        // A wrong key is said before anything is focused.
        calls_for("")?;
        if let Some(target) = on {
            let located = self.aim_at(target, Needs::Look).await?;
            let page = self.page()?;
            page.ask(&located.frame, &format!("baton.element({}).focus()", located.handle)).await?;
        }
        let session = self.page()?.tab.session.clone();
        self.input(calls_for(&session)?).await?;
        Ok(Done::said(format!("pressed {key}")))
    }

    pub(super) async fn select(&self, target: &Target, value: &str) -> Result<Done, ActionError> {
        loop {
            let located = self.aim_at(target, Needs::Look).await?;
            let tabs = self.shared.world.state().tabs.len();
            let choose = format!("baton.choose({}, {})", located.handle, argument(&value));
            let chosen = self.page()?.ask(&located.frame, &choose).await?;
            if let Some(option) = chosen["chosen"].as_str() {
                self.settle(tabs).await?;
                return Ok(Done::at(&located, format!("selected {option:?} in {target}")));
            }
            // Options often come after their list.
            if chosen["retry"] != true || Instant::now() >= self.deadline() {
                let why = chosen["why"].as_str().unwrap_or("it cannot be chosen from").to_owned();
                return Err(ActionError::NotReady { target: target.to_string(), why });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn scroll(&self, scroll: &Scroll, target: Option<&Target>) -> Result<Done, ActionError> {
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
        let located = self.aim_at(target, Needs::Look).await?;
        if moves {
            page.ask(&located.frame, &format!("baton.scrollBy({}, {dx}, {dy}, {to})", located.handle)).await?;
            return Ok(Done::at(&located, format!("scrolled {target}")));
        }
        Ok(Done::at(&located, format!("brought {target} into view")))
    }
}

pub(super) fn key_calls(session: Option<&str>, key: &str) -> Result<Vec<Call>, ActionError> {
    let chord = Chord::parse(key).map_err(|part| ActionError::Invalid(format!("{part:?} is not the name of a key")))?;
    Ok(chord.events().into_iter().map(|event| Call::new(session, "Input.dispatchKeyEvent", event)).collect())
}
