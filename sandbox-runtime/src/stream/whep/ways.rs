//! Which way a viewer's pictures take: by its data channel while it has one, else on the track.

use std::sync::Arc;
use std::time::Duration;

use rtc::rtp::packetizer::Packetizer;
use sandbox_link::Link;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::channels::Channel;
use super::feedback::Arrivals;
use super::media::{self, MediaEnd, PictureWriter};
use super::picture_channel::{self, ChannelEnd};
use crate::stream::pictures::Pictures;

/// How long a viewer that offers data channels may take to open one, before video is encoded for it.
const CHANNEL_DEADLINE: Duration = Duration::from_secs(2);
/// How long a channel for pictures may come after the one for words, which is opened later.
const REORDERED: Duration = Duration::from_millis(100);

/// The ways of a picture to one viewer.
pub(super) struct Ways<P> {
    pub packets: PictureWriter<P>,
    /// Bits a second that the track may have.
    pub ceiling: watch::Receiver<u32>,
    pub arrivals: Arc<Arrivals>,
    pub offers_channels: bool,
    /// Cancelled when the channel for words is open.
    pub input_opened: CancellationToken,
    /// Channels for pictures, as the viewer opens them.
    pub channels: mpsc::Receiver<Channel>,
}

impl<P> Ways<P> {
    /// Waits for a channel for pictures. Viewers that want one open it before the channel for words.
    async fn first_channel(&mut self) -> Option<Channel> {
        let input_opened = self.input_opened.clone();
        let none_comes = async {
            // Opened or not: from then on a short time is left.
            let _ = timeout(CHANNEL_DEADLINE, input_opened.cancelled()).await;
            sleep(REORDERED).await;
        };
        tokio::select! {
            biased;
            opened = self.channels.recv() => opened,
            () = none_comes => None,
        }
    }
}

/// Sends pictures by the viewer's channel while it has one, and on the track while it has none.
pub(super) async fn show(desktop: &Link, mut ways: Ways<impl Packetizer>, mut pictures: Pictures) -> MediaEnd {
    let mut channel = match ways.offers_channels {
        true => ways.first_channel().await,
        false => None,
    };
    loop {
        if let Some(open) = channel.take() {
            match picture_channel::send_pictures(&*open, &mut pictures).await {
                ChannelEnd::RoomEnded => return MediaEnd::RoomEnded,
                // The track goes on, unless the connection is over too.
                ChannelEnd::Closed => {}
            }
            // The other side learns that this one sends no more; it may have closed it itself.
            let _ = open.close().await;
        }
        tokio::select! {
            biased;
            Some(opened) = ways.channels.recv() => channel = Some(opened),
            end = media::send_pictures(desktop, &mut ways.packets, &mut ways.ceiling, &ways.arrivals) => return end,
        }
    }
}
