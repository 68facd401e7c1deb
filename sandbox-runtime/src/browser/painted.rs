//! Whether the screen shows the documents that are there now.
//!
//! A browser goes on showing the page before for a while, and so does a page that is busy.

use std::time::Duration;

use futures_util::future::join_all;

use super::page::Page;
use super::pipe::{Pass, Pipe};
use super::tab::Tab;
use super::world::World;

/// A browser clears the screen itself when a new page has shown nothing for four seconds.
const PAINT_DEADLINE: Duration = Duration::from_secs(5);

/// Answers when the document has been on the screen once, and what it had to draw when it was asked has been drawn. A page
/// that is not in front draws nothing. `first-paint` is noted when the picture is on the screen, not when it is made.
const PAINTED: &str = r"new Promise((done) => {
    const end = performance.now() + 4500;
    const look = () => requestAnimationFrame(() => requestAnimationFrame(() =>
        performance.getEntriesByName('first-paint').length || performance.now() > end
            ? done(true) : setTimeout(look, 50)));
    if (document.visibilityState === 'visible') look(); else done(true);
})";

/// Waits until each tab that is in front shows its document, or has had the time to.
pub async fn painted(pipe: &Pipe, world: &World) {
    let tabs: Vec<Tab> = world.state().shown_tabs().cloned().collect();
    join_all(tabs.into_iter().map(|tab| tab_painted(pipe, world, tab))).await;
}

async fn tab_painted(pipe: &Pipe, world: &World, tab: Tab) {
    if tab.dialog.is_some() || tab.crashed {
        return;
    }
    let page = Page::of(pipe, world, tab, Pass::Bookkeeping);
    let asked = async {
        let frames = page.frames().await.ok()?;
        page.ask(frames.first()?, PAINTED).await.ok()
    };
    // A page that cannot be asked has had the time in which a browser clears the screen.
    if !matches!(tokio::time::timeout(PAINT_DEADLINE, asked).await, Ok(Some(_))) {
        tracing::debug!("a page did not say that it is drawn");
    }
}
