//! The desktop room: an X server, a window manager, Chromium; and what makes them visible and usable over the link.
//!
//! ```text
//!               ┌ screen ── windows ── browser ── cdp ───────> Open::Cdp
//!  run ── Room ─┤     └──── capture ── frame ─┬─ sender ─────> Open::Video   (sandbox_picture, motion, h264)
//!               │                            └─ camera ─────> Open::Recording
//!               │     └──── cursor ─── reports ──────────────> Open::Reports
//!               └───────────clipboard ─ input <── keymap ────  Open::Input
//! ```
//!
//! Each arrow to X is a connection and a thread of its own: input never waits behind pictures, nor pictures behind
//! windows. `viewport` is the page's size; the screen is larger by the browser's bars, whose height is measured once by
//! asking the page ([`cdp::Measure`]), because Chromium's height depends on its version and fonts.

mod atoms;
mod browser;
mod camera;
mod capture;
mod card;
mod cdp;
mod clipboard;
mod cursor;
mod damage;
mod frame;
mod gtk;
mod h264;
mod injector;
mod input;
mod keyboard;
mod keymap;
mod motion;
mod pulse;
mod quantiser;
mod room;
mod screen;
mod segment;
mod sender;
#[cfg(test)]
mod sender_tests;
mod small;
mod video;
mod windows;
mod wishes;
mod xloop;

use sandbox_link::protocol::{DesktopSettings, GuestOpen};
use sandbox_link::{Incoming, Link};

pub use browser::Places;
pub use room::{DesktopError, Room};

impl Default for Places {
    /// Where a room has its folders.
    fn default() -> Self {
        Self { profile: "/run/kept/profile".into(), home: "/home/baton".into(), workspace: "/workspace".into() }
    }
}

/// Starts the desktop room, says over the link whether it is usable, and serves it until the link is gone.
pub async fn run(settings: DesktopSettings, link: Link, incoming: Incoming) -> Result<(), DesktopError> {
    run_in(settings, Places::default(), link, incoming).await
}

/// [`run`] with folders elsewhere.
pub async fn run_in(
    settings: DesktopSettings,
    places: Places,
    link: Link,
    incoming: Incoming,
) -> Result<(), DesktopError> {
    match Room::start(&settings, &places).await {
        Ok(room) => {
            link.open_for(&GuestOpen::Ready(Ok(()))).await?;
            room.serve(incoming).await;
            Ok(())
        }
        Err(error) => {
            link.open_for(&GuestOpen::Ready(Err(error.to_string()))).await?;
            // The runtime reads the reason and ends the link.
            link.closed().await;
            Err(error)
        }
    }
}
