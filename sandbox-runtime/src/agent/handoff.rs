//! Asking a person until it is done: the runtime itself checks `until`, and a "done" without it asks again.

use std::time::Duration;

use sandbox_core::model::{Handoff, HandoffRequest, HandoffStatus, Until};

use super::workbench::{WorkError, Workbench};
use crate::browser::Browser;

/// How long after the hand-back the page may take to be where `until` says.
const UNTIL_SETTLES: Duration = Duration::from_secs(3);
const UNTIL_LOOKS_EVERY: Duration = Duration::from_millis(150);

/// How asking ended without being done.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("{0}")]
    Cancelled(String),
    #[error("nobody came before the request expired")]
    Expired,
    #[error("the request ended without an answer")]
    Lost,
    #[error("this sandbox has no browser to look at for `until`")]
    NoBrowser,
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl AskError {
    /// Returns the code that a task fails with.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(_) => "handoffCancelled",
            Self::Expired => "handoffExpired",
            Self::Lost => "handoffLost",
            Self::NoBrowser | Self::Work(_) => "stepFailed",
        }
    }
}

/// Asks a person, and asks again as long as they hand back before `until` holds; returns the request as it was completed.
pub async fn ask(bench: &dyn Workbench, request: &HandoffRequest) -> Result<Handoff, AskError> {
    let mut asked = request.clone();
    loop {
        let handoff = bench.ask(asked.clone()).await?.handoff;
        match handoff.status {
            HandoffStatus::Completed => {}
            HandoffStatus::Cancelled => {
                return Err(AskError::Cancelled(
                    handoff.note.unwrap_or_else(|| "the request was cancelled".to_owned()),
                ));
            }
            HandoffStatus::Expired => return Err(AskError::Expired),
            HandoffStatus::Pending | HandoffStatus::Accepted => return Err(AskError::Lost),
        }
        let Some(until) = &request.until else { return Ok(handoff) };
        let browser = bench.browser().ok_or(AskError::NoBrowser)?;
        if comes_true(&browser, until).await {
            return Ok(handoff);
        }
        asked.message = format!("{} — not there yet: {}", request.message, until_words(until));
    }
}

async fn comes_true(browser: &Browser, until: &Until) -> bool {
    let looking = async {
        while !browser.until_met(until).await {
            tokio::time::sleep(UNTIL_LOOKS_EVERY).await;
        }
    };
    tokio::time::timeout(UNTIL_SETTLES, looking).await.is_ok()
}

fn until_words(until: &Until) -> String {
    let parts = [
        until.url.as_ref().map(|url| format!("the address is not {url}")),
        until.selector.as_ref().map(|selector| format!("nothing matches {selector}")),
        until.cookie.as_ref().map(|cookie| format!("the cookie {cookie} is not set")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.len() == 1 { parts.join("") } else { format!("one of these holds: {}", parts.join(", ")) }
}
