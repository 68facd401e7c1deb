//! Input, sent in one write, and what it lets come about.

use std::time::Duration;

use super::Doing;
use crate::browser::error::ActionError;
use crate::browser::pipe::{COMMAND_DEADLINE, Call, CallError};

/// How long an input may keep the page busy before the action counts as done.
const SETTLE: Duration = Duration::from_millis(1_500);

impl Doing<'_> {
    /// Sends input in one write and waits until the page has taken it in.
    pub(super) async fn input(&self, calls: Vec<Call>) -> Result<(), ActionError> {
        let tabs = self.shared.world.state().tabs.len();
        if self.dispatch(calls).await? { self.settle(tabs).await } else { Ok(()) }
    }

    /// Sends input in one write; answers whether its page was there to the end.
    pub(super) async fn dispatch(&self, calls: Vec<Call>) -> Result<bool, ActionError> {
        match self.shared.pipe.batch(COMMAND_DEADLINE, &self.pass(), calls).await {
            Ok(_) => Ok(true),
            // Input that closes its own tab is answered by the session being gone.
            Err(CallError::Failed { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets what an input began come about: a new document, a new tab.
    pub(super) async fn settle(&self, tabs_before: usize) -> Result<(), ActionError> {
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
}
