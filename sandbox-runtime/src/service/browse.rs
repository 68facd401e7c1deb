//! The browser, for programs: on the agent's side of the gate.

use sandbox_core::SandboxId;
use sandbox_core::action::{Action, Address, Navigate, Plain, TabChoice};
use sandbox_core::address::without_sign_ins;
use sandbox_core::model::{Preview, Viewport};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall};

use super::act::{act_in_turn, interrupted};
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::browser::{ActionError, Browser, BrowserError};
use crate::driver::{Driver, Refusal};
use crate::sandbox::calls;

/// How long a page may take to come, and a tab to come to the front or to go.
const PAGE_MS: u64 = 30_000;
const TAB_MS: u64 = 3_000;
const PAGE: Plain = Plain { timeout_ms: Some(PAGE_MS) };

/// What a program asks of the browser directly.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowseCommand {
    /// Makes sure that the browser runs.
    Start,
    /// Stops the browser, and forgets its tabs.
    Stop,
    Navigate {
        url: String,
    },
    Back,
    Forward,
    Reload,
    Resize(Viewport),
    ActivateTab {
        tab_id: String,
    },
    CloseTab {
        tab_id: String,
    },
}

impl Service {
    pub async fn preview(&self, id: &SandboxId) -> Answer<Preview> {
        Ok(self.sandbox(id).await?.preview)
    }

    /// Does one thing to the browser under the agent side's lease.
    ///
    /// # Errors
    ///
    /// `heldByPerson` and `waitingForPerson` while a person drives or is asked; `conflict` without a browser, and where a browser
    /// that is to be stopped is needed by a task.
    pub async fn browse(&self, id: &SandboxId, command: BrowseCommand) -> Answer<Preview> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser().ok_or_else(|| ServiceError::no_browser(&driver))?;
        match command {
            // A person may start one that is stopped also while they are asked: then nobody has a turn.
            BrowseCommand::Start if driver.rests() => {
                driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
            }
            BrowseCommand::Start => drop(driver.begin().await?),
            BrowseCommand::Stop => {
                if !driver.rests() {
                    // In turn: nothing that is under way is cut off.
                    drop(driver.begin().await?);
                }
                driver.stop_browser().await?;
            }
            BrowseCommand::Navigate { url } => act(&driver, &browser, navigate(url)).await?,
            BrowseCommand::Back => act(&driver, &browser, Action::Back(PAGE)).await?,
            BrowseCommand::Forward => act(&driver, &browser, Action::Forward(PAGE)).await?,
            BrowseCommand::Reload => act(&driver, &browser, Action::Reload(PAGE)).await?,
            BrowseCommand::ActivateTab { tab_id } => act(&driver, &browser, Action::ActivateTab(tab(tab_id))).await?,
            BrowseCommand::CloseTab { tab_id } => act(&driver, &browser, Action::CloseTab(tab(tab_id))).await?,
            BrowseCommand::Resize(viewport) => {
                let turn = driver.begin().await?;
                tokio::select! {
                    biased;
                    done = resize(&driver, viewport) => done?,
                    () = turn.cancelled.cancelled() => return Err(interrupted()),
                }
            }
        }
        Ok(driver.sandbox().preview)
    }

    /// Returns a PNG of the page; refused while a person drives.
    pub async fn screenshot(&self, id: &SandboxId) -> Answer<Vec<u8>> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        Ok(browser.screenshot().await?)
    }
}

/// Does one action, asked about and told like any other.
async fn act(driver: &Driver, browser: &Browser, action: Action) -> Answer<()> {
    act_in_turn(driver, browser, &action).await.map(drop)
}

fn navigate(url: String) -> Action {
    Action::Navigate(Navigate::With(Address { url, timeout_ms: Some(PAGE_MS) }))
}

fn tab(id: String) -> TabChoice {
    TabChoice { timeout_ms: Some(TAB_MS), ..TabChoice::of(id) }
}

async fn resize(driver: &Driver, viewport: Viewport) -> Answer<()> {
    viewport.check().map_err(|error| ServiceError::invalid(error.to_string()))?;
    let desktop = driver.desktop_when_up().await.ok_or_else(|| ServiceError::no_browser(driver))?;
    match calls::desktop(&desktop, DesktopCall::Resize(viewport)).await.map_err(ServiceError::internal)? {
        DesktopAnswer::Done | DesktopAnswer::Geometry { .. } | DesktopAnswer::Clipboard(_) => {
            Ok(driver.resized(viewport).await?)
        }
        DesktopAnswer::Failed(reason) => Err(ServiceError::internal(format!("resize the browser: {reason}"))),
    }
}

impl From<BrowserError> for ServiceError {
    fn from(error: BrowserError) -> Self {
        let code = match &error {
            BrowserError::Refused(refused) => return Refusal::from(*refused).into(),
            BrowserError::DialogOpen { .. } | BrowserError::Crashed | BrowserError::NoPage => ErrorCode::Conflict,
            BrowserError::NoTab(_) => ErrorCode::NotFound,
            BrowserError::Link(_) | BrowserError::Call(_) | BrowserError::Uncovered(_) => ErrorCode::Unavailable,
            BrowserError::Picture(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ActionError> for ServiceError {
    fn from(error: ActionError) -> Self {
        let code = match error {
            ActionError::Refused(refused) => return Refusal::from(refused).into(),
            ActionError::Browser(error) => return error.into(),
            // An address that leads nowhere is the caller's to mend.
            ActionError::Invalid(_) | ActionError::Navigation { .. } => ErrorCode::Invalid,
            ActionError::NotFound { .. } => ErrorCode::NotFound,
            ActionError::OldReference(..) => ErrorCode::StaleLease,
            ActionError::NotReady { .. } | ActionError::OtherAddress { .. } | ActionError::DialogInTheWay { .. } => {
                ErrorCode::Conflict
            }
            ActionError::Download { .. } | ActionError::Silent { .. } => ErrorCode::Conflict,
            ActionError::NoCredential(_) => ErrorCode::NoCredential,
            ActionError::WrongOrigin(_) => ErrorCode::WrongOrigin,
            ActionError::SignIn { .. } => ErrorCode::Conflict,
            ActionError::Late { .. } => ErrorCode::Timeout,
        };
        Self::new(code, without_sign_ins(&error.to_string()))
    }
}
