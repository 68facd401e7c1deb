//! The far end of the lane: each frame goes to the room, in order, and what only a page can take goes into the page.
//!
//! ```text
//! keys, buttons, moves, pastes, short texts ──────────────────────────────────▶ room
//! composed and long texts ─▶ Settle ─▶ the room is done ─▶ the page has the focus? ─▶ page
//!                                                                         └ no ──▶ room: typed by keys
//! ```
//!
//! Two ways lead to the page, so the order is kept by hand: a text goes to the page only after the room has given its
//! window everything before, and what follows waits until the page has the text.

use std::io;

use sandbox_core::Lease;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{InputFrame, Settled};
use sandbox_link::{Stream, read_message, write_message};
use tokio::sync::watch;

use super::seat::Typist;

/// Longer texts are committed to the page as a whole. Shorter ones are typed key by key, which pages that listen to keys
/// alone notice too.
const MAX_BY_KEYS: usize = 64;

/// Carries the frames of one lane out.
pub(super) struct RoomInput<T> {
    room: Stream,
    typist: T,
    /// Under which the frames come that are being written.
    lease: Lease,
    /// Whether the page shows a text that is being composed.
    composing: bool,
    /// Whether nothing went to the room since it last had settled.
    settled: bool,
    /// Whether the page shows what is composed, for the view.
    in_page: watch::Sender<bool>,
}

impl<T: Typist> RoomInput<T> {
    pub(super) fn new(room: Stream, typist: T, in_page: watch::Sender<bool>) -> Self {
        Self { room, typist, lease: Lease(0), composing: false, settled: false, in_page }
    }

    /// Carries one frame out. When this returns, the next one may follow.
    pub(super) async fn carry(&mut self, frame: InputFrame) -> io::Result<()> {
        match frame {
            InputFrame::Event(InputEvent::Compose { text }) => self.compose(&text).await,
            InputFrame::Event(InputEvent::Text { text })
                if self.composing || text.chars().nth(MAX_BY_KEYS).is_some() =>
            {
                self.commit(text).await
            }
            InputFrame::Under(lease) => {
                self.lease = lease;
                self.write(&InputFrame::Under(lease)).await
            }
            InputFrame::ReleaseAll => {
                self.composing = false;
                self.write(&InputFrame::ReleaseAll).await
            }
            frame @ (InputFrame::Event(_) | InputFrame::Paste(_) | InputFrame::Settle) => self.write(&frame).await,
        }
    }

    async fn compose(&mut self, text: &str) -> io::Result<()> {
        self.settle().await?;
        let in_page = self.typist.compose(self.lease, text).await;
        self.composing = in_page && !text.is_empty();
        self.in_page.send_if_modified(|told| std::mem::replace(told, in_page) != in_page);
        Ok(())
    }

    async fn commit(&mut self, text: String) -> io::Result<()> {
        self.composing = false;
        self.settle().await?;
        if self.typist.commit(self.lease, &text).await {
            return Ok(());
        }
        self.write(&InputFrame::Event(InputEvent::Text { text })).await
    }

    /// Waits until the window with the focus has been given all that went to the room. The room answers within deadlines of
    /// its own.
    async fn settle(&mut self) -> io::Result<()> {
        if self.settled {
            return Ok(());
        }
        write_message(&mut self.room, &InputFrame::Settle).await?;
        let answer: Option<Settled> = read_message(&mut self.room).await?;
        answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.settled = true;
        Ok(())
    }

    async fn write(&mut self, frame: &InputFrame) -> io::Result<()> {
        self.settled = false;
        write_message(&mut self.room, frame).await
    }
}
