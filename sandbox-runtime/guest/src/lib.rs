//! What runs inside a room, on the runtime's behalf.
//!
//! ```text
//! shell room
//! pid 1  guest: one link to the runtime; serves the room's way out (egress)
//!   └─ pid 1 of the commands' own namespace: starts supervisors, reaps orphans
//!        └─ one supervisor for each command and terminal, which owns everything that it started
//! desktop room
//! pid 1  init: reaps orphans, ends the room with the guest
//!   └─ guest: as above
//!        └─ X server, window manager, browser, capture, input
//! ```
//!
//! In the shell room strangers' programs cannot name the guest: it lives outside their process namespace. The kernel
//! protects the first process of a namespace from its signals, `SIGKILL` and `SIGSTOP` included, so that no command stops
//! what starts commands either.
//!
//! The guest decides nothing. When the link ends the guest exits, and the PID namespace takes everything else with it.

pub mod desktop;
pub mod egress;
mod heartbeat;
pub mod init;
pub mod isolation;
pub mod no_links;
pub mod shell;

use egress::Egress;
use sandbox_link::protocol::{GuestOpen, RoomSettings};
use sandbox_link::{Incoming, Link};

/// Runs the room until the link ends. The way out is served for both rooms, and listens before anything is started.
///
/// `commands` is what starts commands, split off before this process had threads; the desktop room has none.
///
/// # Errors
/// When the room cannot be run.
pub async fn run(
    settings: RoomSettings,
    commands: Option<shell::Commands>,
    link: Link,
    incoming: Incoming,
) -> anyhow::Result<()> {
    let proxy_port = match &settings {
        RoomSettings::Shell(shell) => shell.proxy_port,
        RoomSettings::Desktop(desktop) => desktop.proxy_port,
    };
    let egress = match Egress::listen(proxy_port).await {
        Ok(egress) => egress,
        Err(error) => {
            let cause = format!("open the way out on port {proxy_port}: {error}");
            link.open_for(&GuestOpen::Ready(Err(cause))).await?;
            link.closed().await;
            return Ok(());
        }
    };
    let way_out = async {
        if let Some(egress) = egress {
            egress.serve(link.clone()).await;
        } else {
            link.closed().await;
        }
    };
    let room = async {
        match settings {
            RoomSettings::Shell(settings) => {
                let commands = commands.ok_or_else(|| anyhow::anyhow!("a shell room without a starter of commands"))?;
                shell::run(settings, commands, link.clone(), incoming).await
            }
            RoomSettings::Desktop(settings) => Ok(desktop::run(settings, link.clone(), incoming).await?),
        }
    };
    tokio::select! {
        result = room => result,
        () = way_out => Ok(()),
    }
}
