//! One viewer by WebRTC, from its offer until it leaves.
//!
//! ```text
//!   connecting ── connected ──▶ live ── left, lost, closed, desktop gone ──▶ over
//!       └── not in time, failed ──────────────────────────────────────────────▲
//! ```

use std::time::Duration;

use sandbox_core::viewer::{FromViewer, ToViewer};
use sandbox_link::Link;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::RTCPeerConnectionState;

use super::channels::{Channel, sort};
use super::media::{MediaEnd, PictureWriter};
use super::peer::Peer;
use super::ways::{Ways, show};
use super::words;
use crate::stream::conversation::{End, PictureWord, Wires, converse};
use crate::stream::pictures::Pictures;
use crate::stream::seat::Seat;

/// How long an answered viewer may take to connect.
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);
/// How long the last word and the connection's end may take.
const FAREWELL_DEADLINE: Duration = Duration::from_secs(2);
/// How long a room whose pictures ended may take to be gone.
const GOING_DEADLINE: Duration = Duration::from_secs(1);
const WORDS: usize = 64;

/// Runs the session; the seat is left and the connection closed when this returns.
pub(super) async fn run<S: Seat>(mut peer: Peer, seat: S, desktop: Link, closed: CancellationToken) {
    let reason = live(&mut peer, seat, &desktop, &closed).await;
    tracing::debug!(reason, "a WebRTC view is over");
    if timeout(FAREWELL_DEADLINE, peer.connection.close()).await.is_err() {
        tracing::debug!("a WebRTC connection did not close in time");
    }
}

async fn live<S: Seat>(peer: &mut Peer, seat: S, desktop: &Link, closed: &CancellationToken) -> &'static str {
    tokio::select! {
        () = closed.cancelled() => return "closed before it was connected",
        connected = timeout(CONNECT_DEADLINE, connected(&mut peer.state)) => match connected {
            Ok(true) => {}
            Ok(false) => return "the connection failed",
            Err(_) => return "the viewer did not connect in time",
        },
    }
    let mut state = peer.state.clone();
    let input_opened = CancellationToken::new();
    let (words_channel, input) = oneshot::channel();
    let (picture_channels, pictures) = mpsc::channel(1);
    let (asks, asked) = mpsc::channel(WORDS);
    let sorting = sort(&mut peer.channels, words_channel, &input_opened, picture_channels);
    let ways = Ways {
        packets: PictureWriter::new(peer.track.clone(), peer.ssrc, peer.payload_type),
        ceiling: peer.ceiling.clone(),
        arrivals: peer.arrivals.clone(),
        offers_channels: peer.offers_channels,
        input_opened: input_opened.clone(),
        channels: pictures,
    };
    let showing = show(desktop, ways, Pictures::new(desktop.clone(), asked));
    let over = CancellationToken::new();
    let mut talking = std::pin::pin!(talk(input, asks, seat, desktop, &over));
    let reason = tokio::select! {
        biased;
        end = &mut talking => return match end {
            End::ViewerLeft => "the viewer left",
            End::DesktopGone => "the desktop is gone",
            End::DesktopComesBack => "the desktop is started again",
            End::NotReady => "the desktop is not ready",
            End::Silent | End::Unread => "the viewer no longer reads",
        },
        () = closed.cancelled() => "closed by the viewer",
        () = lost(&mut state) => "the connection was lost",
        () = peer.flooded.cancelled() => "the viewer opened too many data channels",
        () = sorting => "the connection is gone",
        end = showing => match end {
            MediaEnd::RoomEnded => {
                // A room that goes away ends its streams first; the words then end by themselves, with a last one.
                let _ = timeout(GOING_DEADLINE, desktop.closed()).await;
                "the picture ended"
            }
            MediaEnd::PeerGone => "the connection is gone",
        },
    };
    // The conversation always ends by itself, so that keys go up.
    over.cancel();
    talking.await;
    reason
}

/// Waits until the connection stands, or is over; says whether it stands.
async fn connected(state: &mut watch::Receiver<RTCPeerConnectionState>) -> bool {
    let settled = state.wait_for(|state| *state == RTCPeerConnectionState::Connected || is_over(*state)).await;
    settled.is_ok_and(|state| !is_over(*state))
}

/// Waits until the connection is over.
async fn lost(state: &mut watch::Receiver<RTCPeerConnectionState>) {
    // An error says that the connection itself is gone: lost as well.
    let _ = state.wait_for(|state| is_over(*state)).await;
}

/// Disconnected is not over: ICE gives up by itself, as failed.
fn is_over(state: RTCPeerConnectionState) -> bool {
    matches!(state, RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed)
}

/// Waits for the channel of words and talks on it. A viewer that opens none watches, until its connection ends.
async fn talk<S: Seat>(
    input: oneshot::Receiver<Channel>,
    pictures: mpsc::Sender<PictureWord>,
    seat: S,
    desktop: &Link,
    over: &CancellationToken,
) -> End {
    let channel = tokio::select! {
        () = over.cancelled() => return End::ViewerLeft,
        () = desktop.closed() => {
            return if seat.comes_back() { End::DesktopComesBack } else { End::DesktopGone };
        }
        Ok(opened) = input => opened,
    };
    let (words_in, words) = mpsc::channel(WORDS);
    let (answers, answers_out) = mpsc::channel(WORDS);
    let complaints = answers.downgrade();
    let wires = Wires { words, answers, pictures, silence: None };
    let mut talking = std::pin::pin!(converse(seat, desktop.clone(), wires, "webrtc"));
    let mut carrying = std::pin::pin!(async {
        tokio::select! {
            () = over.cancelled() => {}
            () = carry(&*channel, words_in, answers_out, complaints) => {}
        }
    });
    let end = tokio::select! {
        end = &mut talking => {
            // What was answered last is still written.
            let _ = timeout(FAREWELL_DEADLINE, carrying).await;
            end
        }
        () = &mut carrying => talking.await,
    };
    if end == End::DesktopGone {
        let ended = ToViewer::Ended { reason: "the sandbox's desktop is gone".into() };
        // The viewer may be gone too.
        let _ = timeout(FAREWELL_DEADLINE, say_last(&*channel, &ended)).await;
    }
    end
}

/// Moves words both ways until either side has no more.
async fn carry(
    channel: &dyn DataChannel,
    said: mpsc::Sender<FromViewer>,
    mut answers: mpsc::Receiver<ToViewer>,
    complaints: mpsc::WeakSender<ToViewer>,
) {
    let mut reader = words::Reader::default();
    let reading = async {
        while let Some(event) = channel.poll().await {
            match event {
                DataChannelEvent::OnMessage(message) => match reader.read(&message) {
                    Ok(None) => {}
                    Ok(Some(word)) => {
                        if said.send(word).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        let Some(complaints) = complaints.upgrade() else { return };
                        let denied = ToViewer::Denied { code: "invalid".into(), message: error.to_string() };
                        // A page that says nonsense without reading the answers is not told twice.
                        let _ = complaints.try_send(denied);
                    }
                },
                DataChannelEvent::OnClosing | DataChannelEvent::OnClose => return,
                // Opened, and how full its buffer is: nothing to do. The library may add others.
                _ => {}
            }
        }
    };
    let writing = async {
        while let Some(answer) = answers.recv().await {
            if words::say(channel, &answer).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = reading => {}, () = writing => {} }
}

async fn say_last(channel: &dyn DataChannel, word: &ToViewer) -> webrtc::error::Result<()> {
    words::say(channel, word).await?;
    // Closing the connection throws away what is not acknowledged yet.
    while channel.outstanding_bytes().await? > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
