//! Words by the data channel `input`: each is a text message. One that is longer than every data channel has to carry comes in
//! pieces ([`sandbox_picture::pieces`]), each a binary message.

use rtc::data_channel::RTCDataChannelMessage;
use sandbox_core::viewer::{FromViewer, ToViewer};
use sandbox_picture::pieces::{BadPiece, Joiner};
use webrtc::data_channel::DataChannel;

use super::picture_channel::send_in_pieces;
use crate::stream::MAX_MESSAGE;

/// Bytes of the longest word that is one message. A connection that names no limit carries 64 KiB (RFC 8841).
const LONGEST_TEXT: usize = 60 << 10;

/// Why what a viewer said is no word.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadWord {
    #[error("read a word: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("join the pieces of a word: {0}")]
    Piece(#[from] BadPiece),
}

/// Reads what a viewer says.
pub(super) struct Reader(Joiner);

impl Default for Reader {
    fn default() -> Self {
        Self(Joiner::up_to(MAX_MESSAGE))
    }
}

impl Reader {
    /// Takes the next message; `None` while a word is not whole.
    pub(super) fn read(&mut self, message: &RTCDataChannelMessage) -> Result<Option<FromViewer>, BadWord> {
        let word = serde_json::from_slice(&message.data);
        // A piece is never JSON: its fourth byte is a control character.
        if message.is_string || word.is_ok() {
            return Ok(Some(word?));
        }
        match self.0.push(&message.data)? {
            Some(whole) => Ok(Some(serde_json::from_slice(&whole)?)),
            None => Ok(None),
        }
    }
}

/// Says a word.
pub(super) async fn say(channel: &dyn DataChannel, word: &ToViewer) -> webrtc::error::Result<()> {
    let text = serde_json::to_string(word).expect("words of the stream are plain data");
    match text.len() {
        ..=LONGEST_TEXT => channel.send_text(&text).await,
        _ => send_in_pieces(channel, text.as_bytes()).await,
    }
}
