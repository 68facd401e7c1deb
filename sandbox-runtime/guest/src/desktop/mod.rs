//! The desktop room.

use sandbox_link::protocol::{DesktopSettings, GuestOpen};
use sandbox_link::{Incoming, Link};

/// Says that this guest has no desktop.
pub async fn run(_settings: DesktopSettings, link: Link, _incoming: Incoming) -> anyhow::Result<()> {
    link.open_for(&GuestOpen::Ready(Err("this guest has no desktop".to_owned()))).await?;
    link.closed().await;
    Ok(())
}
