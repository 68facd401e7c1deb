//! Pictures by the data channel `pictures`: the messages of the WebSocket, cut into pieces ([`sandbox_picture::pieces`]).

use bytes::BytesMut;
use sandbox_picture::pieces::{HEAD_LEN, cut};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use crate::stream::pictures::{Pictures, PicturesEnded};

/// Bytes of a piece. Any data channel carries as many, and words never wait behind more than a few pieces.
const PIECE: usize = 16 << 10;

/// Why no more pictures are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelEnd {
    RoomEnded,
    Closed,
}

/// Sends the view's pictures until either side ends them.
pub(super) async fn send_pictures(channel: &dyn DataChannel, pictures: &mut Pictures) -> ChannelEnd {
    let end = tokio::select! {
        () = closed(channel) => ChannelEnd::Closed,
        end = write(channel, pictures) => end,
    };
    pictures.stop();
    end
}

/// Waits for the channel's end. What the viewer sends by it is read and dropped: nothing is said there.
async fn closed(channel: &dyn DataChannel) {
    while let Some(event) = channel.poll().await {
        if matches!(event, DataChannelEvent::OnClosing | DataChannelEvent::OnClose) {
            return;
        }
    }
}

async fn write(channel: &dyn DataChannel, pictures: &mut Pictures) -> ChannelEnd {
    loop {
        let news = pictures.wait().await;
        let picture = match pictures.take(news).await {
            Ok(Some(picture)) => picture,
            Ok(None) => continue,
            Err(PicturesEnded) => return ChannelEnd::RoomEnded,
        };
        // Waits while the viewer has not taken what is on the way: the rest of the picture stays here, the next one in the
        // room.
        if let Err(error) = send_in_pieces(channel, &picture).await {
            tracing::debug!(%error, "the channel takes no more pictures");
            return ChannelEnd::Closed;
        }
    }
}

/// Sends a message in pieces, each a binary message of the channel.
pub(super) async fn send_in_pieces(channel: &dyn DataChannel, message: &[u8]) -> webrtc::error::Result<()> {
    for (head, part) in cut(message, PIECE) {
        let mut piece = BytesMut::with_capacity(HEAD_LEN + part.len());
        piece.extend_from_slice(&head);
        piece.extend_from_slice(part);
        channel.send(piece).await?;
    }
    Ok(())
}
