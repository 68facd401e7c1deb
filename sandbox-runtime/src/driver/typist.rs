//! The way of what a view's person composes and commits, into the page of the browser that runs now.

use std::sync::Arc;

use sandbox_core::Lease;
use tokio::sync::watch;

use super::Shared;
use crate::browser::Browser;

/// Puts text into the page that has the focus, as long as the lease lives. Also into a browser that is started again.
pub struct Typist {
    pub(super) shared: watch::Receiver<Arc<Shared>>,
}

impl Typist {
    /// As [`Browser::compose`].
    pub async fn compose(&self, lease: Lease, text: &str) -> bool {
        match self.browser() {
            Some(browser) => browser.compose(lease, text).await,
            None => false,
        }
    }

    /// As [`Browser::commit`].
    pub async fn commit(&self, lease: Lease, text: &str) -> bool {
        match self.browser() {
            Some(browser) => browser.commit(lease, text).await,
            None => false,
        }
    }

    fn browser(&self) -> Option<Browser> {
        self.shared.borrow().browser.clone()
    }
}
