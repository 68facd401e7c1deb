//! The data channels of a viewer: which one is for what.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::DataChannel;

pub(super) type Channel = Arc<dyn DataChannel>;

/// The channel that carries the words.
const INPUT: &str = "input";
/// The channel that carries the pictures, where the viewer opens one.
const PICTURES: &str = "pictures";

/// Hands on the channels that a viewer opens, and closes those that have no use here, until the connection ends.
pub(super) async fn sort(
    opened: &mut mpsc::Receiver<Channel>,
    input: oneshot::Sender<Channel>,
    input_opened: &CancellationToken,
    pictures: mpsc::Sender<Channel>,
) {
    let mut input = Some(input);
    while let Some(channel) = opened.recv().await {
        // Gone already, and closed once more, if it has none.
        let label = channel.label().await.unwrap_or_default();
        let unused = match label.as_str() {
            INPUT => match input.take() {
                Some(input) => {
                    input_opened.cancel();
                    input.send(channel).err()
                }
                None => Some(channel),
            },
            PICTURES => pictures.try_send(channel).err().map(mpsc::error::TrySendError::into_inner),
            _ => Some(channel),
        };
        if let Some(channel) = unused {
            // Fails only if it is closed.
            let _ = channel.close().await;
        }
    }
}
