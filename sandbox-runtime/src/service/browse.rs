//! The browser, for programs: on the agent's side of the gate.

use sandbox_core::SandboxId;
use sandbox_core::action::Outcome;
use sandbox_core::model::{Preview, Viewport};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall};

use super::sandboxes::check_viewport;
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::browser::{ActionError, Browser, BrowserError, Permit};
use crate::driver::{Driver, Refusal};
use crate::sandbox::calls;

/// What a program asks of the browser directly.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowseCommand {
    /// Makes sure that the browser runs.
    Start,
    /// Lets go of the page: every tab but one blank is closed.
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
    /// `heldByPerson` and `waitingForPerson` while a person drives or is asked; `conflict` without a browser.
    pub async fn browse(&self, id: &SandboxId, command: BrowseCommand) -> Answer<Preview> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser().ok_or_else(|| no_browser(&driver))?;
        let turn = driver.begin().await?;
        let done = async {
            match command {
                BrowseCommand::Start => return Ok(()),
                BrowseCommand::Stop => leave(&browser, &turn.permit).await,
                BrowseCommand::Navigate { url } => browser.navigate(&turn.permit, &url).await,
                BrowseCommand::Back => browser.back(&turn.permit).await,
                BrowseCommand::Forward => browser.forward(&turn.permit).await,
                BrowseCommand::Reload => browser.reload(&turn.permit).await,
                BrowseCommand::ActivateTab { tab_id } => browser.activate_tab(&turn.permit, &tab_id).await,
                BrowseCommand::CloseTab { tab_id } => browser.close_tab(&turn.permit, &tab_id).await,
                BrowseCommand::Resize(viewport) => return resize(&driver, viewport).await,
            }
            .map(|_| ())
            .map_err(ServiceError::from)
        };
        tokio::select! {
            biased;
            done = done => done?,
            () = turn.cancelled.cancelled() => {
                let message = "a person took control while this was under way; look again after the hand-back";
                return Err(ServiceError::new(ErrorCode::HeldByPerson, message));
            }
        }
        Ok(driver.sandbox().preview)
    }

    /// Returns a PNG of the page; refused while a person drives.
    pub async fn screenshot(&self, id: &SandboxId) -> Answer<Vec<u8>> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser().ok_or_else(|| no_browser(&driver))?;
        Ok(browser.screenshot().await?)
    }
}

/// Closes every tab but one, and leaves that one blank.
async fn leave(browser: &Browser, permit: &Permit) -> Result<Outcome, ActionError> {
    for tab in browser.state().tabs.iter().filter(|tab| !tab.active) {
        browser.close_tab(permit, &tab.id).await?;
    }
    browser.navigate(permit, "about:blank").await
}

async fn resize(driver: &Driver, viewport: Viewport) -> Answer<()> {
    check_viewport(viewport)?;
    let desktop = driver.desktop_link().ok_or_else(|| no_browser(driver))?;
    match calls::desktop(&desktop, DesktopCall::Resize(viewport)).await.map_err(ServiceError::internal)? {
        DesktopAnswer::Done | DesktopAnswer::Geometry { .. } | DesktopAnswer::Clipboard(_) => {
            Ok(driver.resized(viewport).await?)
        }
        DesktopAnswer::Failed(reason) => Err(ServiceError::internal(format!("resize the browser: {reason}"))),
    }
}

pub(super) fn no_browser(driver: &Driver) -> ServiceError {
    ServiceError::conflict("this sandbox has no browser", driver.sandbox().preview.status)
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
            ActionError::NotReady { .. } | ActionError::OtherAddress { .. } => ErrorCode::Conflict,
            ActionError::Download { .. } => ErrorCode::Conflict,
            ActionError::Late { .. } => ErrorCode::Timeout,
        };
        Self::new(code, error.to_string())
    }
}
