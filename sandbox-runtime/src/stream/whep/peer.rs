//! One WebRTC peer connection: what is offered to a viewer, and how its offer is answered.
//!
//! Only H.264 in the profile that the encoder makes, only loopback candidates, no STUN, no mDNS.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{CongestionControlBuilder, Registry, Slot, TwccSenderBuilder};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_H264;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder, configure_nack, configure_rtcp_reports,
};

use super::WhepError;
use super::channels::Channel;
use super::feedback::{Arrivals, KeyFrameRequests, LossCeiling};

/// Constrained baseline 3.1, one picture in any number of packets: what openh264 makes and every browser takes.
pub(super) const H264_FMTP: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
pub(super) const H264_CLOCK_HZ: u32 = 90_000;
pub(super) const PLAYOUT_DELAY_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const DEFAULT_PAYLOAD_TYPE: u8 = 102;

/// Longest offer that is read: browsers write some ten kilobytes.
const MAX_OFFER: usize = 256 << 10;
/// Loopback candidates are there at once.
const GATHER_DEADLINE: Duration = Duration::from_secs(5);
/// How long the viewer may be unheard before it counts as disconnected, then as gone.
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::from_secs(15);
const ICE_KEEP_ALIVE: Duration = Duration::from_secs(2);
/// Bytes that may be on the way in a data channel. A word to the viewer waits behind no more of a picture than this, and a
/// viewer that reads nothing costs no more.
const SEND_BUFFER: usize = 256 << 10;

pub(super) struct Peer {
    pub connection: Arc<dyn PeerConnection>,
    pub track: Arc<TrackLocalStaticRTP>,
    pub ssrc: u32,
    pub payload_type: u8,
    pub state: watch::Receiver<RTCPeerConnectionState>,
    /// Whether the viewer's offer has a place for data channels.
    pub offers_channels: bool,
    /// Data channels that the viewer opened.
    pub channels: mpsc::Receiver<Channel>,
    /// Cancelled when the viewer has opened more of them than any viewer needs.
    pub flooded: CancellationToken,
    /// Bits a second that the way to the viewer carries.
    pub ceiling: watch::Receiver<u32>,
    pub arrivals: Arc<Arrivals>,
}

/// Answers an offer; the peer connects by itself from here on.
pub(super) async fn answer(offer: String) -> Result<(Peer, String), WhepError> {
    if offer.len() > MAX_OFFER {
        return Err(WhepError::BadOffer(format!("{} bytes are too long", offer.len())));
    }
    let offers_channels = offer.contains("\nm=application ");
    let offer = RTCSessionDescription::offer(offer).map_err(WhepError::bad_offer)?;
    let (events, mut heard) = Events::new();
    let (estimator, ceiling, arrivals) = LossCeiling::new();
    let connection = connect(events, estimator).await.map_err(WhepError::Peer)?;
    match negotiate(&connection, offer, &mut heard.gathered).await {
        Ok((track, ssrc, payload_type, answer)) => {
            let Heard { state, channels, flooded, .. } = heard;
            let peer = Peer {
                connection,
                track,
                ssrc,
                payload_type,
                state,
                offers_channels,
                channels,
                flooded,
                ceiling,
                arrivals,
            };
            Ok((peer, answer))
        }
        Err(error) => {
            // The connection is worth nothing without an answer; how its end goes changes nothing.
            let _ = connection.close().await;
            Err(error)
        }
    }
}

async fn connect(events: Events, estimator: LossCeiling) -> webrtc::error::Result<Arc<dyn PeerConnection>> {
    let mut media = MediaEngine::default();
    media.register_codec(
        RTCRtpCodecParameters { rtp_codec: h264(), payload_type: DEFAULT_PAYLOAD_TYPE },
        RtpCodecKind::Video,
    )?;
    for uri in [PLAYOUT_DELAY_URI, TRANSPORT_CC_URI] {
        media.register_header_extension(
            RTCRtpHeaderExtensionCapability { uri: uri.to_owned() },
            RtpCodecKind::Video,
            None,
        )?;
    }
    for (typ, parameter) in [("ccm", "fir"), ("transport-cc", "")] {
        media.register_feedback(
            RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() },
            RtpCodecKind::Video,
        );
    }
    // No pacer: it would hold back a picture that the loopback carries at once.
    let registry = configure_rtcp_reports(configure_nack(Registry::new(), &mut media))
        .with(Slot::CongestionControl, CongestionControlBuilder::new(estimator).build())
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::from(20_000), KeyFrameRequests::default());
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEP_ALIVE))
        .build();
    let building = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_setting_engine(settings)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(events))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .with_data_channel_send_buffer_limit(SEND_BUFFER)
        .build();
    let connection = Box::pin(building).await?;
    Ok(Arc::new(connection))
}

async fn negotiate(
    connection: &Arc<dyn PeerConnection>,
    offer: RTCSessionDescription,
    gathered: &mut watch::Receiver<bool>,
) -> Result<(Arc<TrackLocalStaticRTP>, u32, u8, String), WhepError> {
    connection.set_remote_description(offer).await.map_err(WhepError::bad_offer)?;
    // After the offer: the track takes the place that the viewer made, with the numbers that the viewer chose.
    let mut ssrc = [0; 4];
    getrandom::fill(&mut ssrc).map_err(|error| WhepError::Random(error.to_string()))?;
    let ssrc = u32::from_ne_bytes(ssrc).max(1);
    let track = Arc::new(TrackLocalStaticRTP::new(screen_track(ssrc)));
    let sender = connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.map_err(WhepError::bad_offer)?;
    let answer = connection.create_answer(None).await.map_err(WhepError::bad_offer)?;
    connection.set_local_description(answer).await.map_err(WhepError::bad_offer)?;
    timeout(GATHER_DEADLINE, gathered.wait_for(|done| *done))
        .await
        .map_err(|_| WhepError::NoCandidates)?
        .map_err(|_| WhepError::NoCandidates)?;
    let parameters = sender.get_parameters().await.map_err(WhepError::Peer)?;
    let Some(codec) = parameters.rtp_parameters.codecs.first() else { return Err(WhepError::NoH264) };
    let answer = connection.local_description().await.ok_or(WhepError::NoCandidates)?.sdp;
    if !sends_video(&answer) {
        return Err(WhepError::NoH264);
    }
    Ok((track, ssrc, codec.payload_type, answer))
}

/// Says whether an answer carries a picture: its video section is accepted and named H.264.
fn sends_video(answer: &str) -> bool {
    let Some((_, video)) = answer.split_once("m=video ") else { return false };
    let video = video.split("\r\nm=").next().unwrap_or(video);
    !video.starts_with("0 ") && video.contains("H264/90000") && !video.contains("a=inactive")
}

pub(super) fn h264() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.to_owned(),
        clock_rate: H264_CLOCK_HZ,
        channels: 0,
        sdp_fmtp_line: H264_FMTP.to_owned(),
        rtcp_feedback: vec![],
    }
}

fn screen_track(ssrc: u32) -> MediaStreamTrack {
    MediaStreamTrack::new(
        "baton".to_owned(),
        "screen".to_owned(),
        "the sandbox's screen".to_owned(),
        RtpCodecKind::Video,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: h264(),
            ..Default::default()
        }],
    )
}

/// What the connection says about itself, as values that a session waits for.
struct Events {
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    channels: mpsc::Sender<Channel>,
    n_channels: AtomicUsize,
    flooded: CancellationToken,
}

struct Heard {
    state: watch::Receiver<RTCPeerConnectionState>,
    gathered: watch::Receiver<bool>,
    channels: mpsc::Receiver<Channel>,
    flooded: CancellationToken,
}

/// Data channels that a viewer may open while its session lives. It needs two, and one more each time the second fails.
const MAX_CHANNELS: usize = 16;

impl Events {
    fn new() -> (Self, Heard) {
        let (state, state_seen) = watch::channel(RTCPeerConnectionState::New);
        let (gathered, gathered_seen) = watch::channel(false);
        let (channels, channels_seen) = mpsc::channel(MAX_CHANNELS);
        let flooded = CancellationToken::new();
        let heard =
            Heard { state: state_seen, gathered: gathered_seen, channels: channels_seen, flooded: flooded.clone() };
        (Self { state, gathered, channels, n_channels: AtomicUsize::new(0), flooded }, heard)
    }
}

#[async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Channel) {
        // The queue has room for all that may come, and its reader is gone only with the session.
        if self.n_channels.fetch_add(1, Ordering::Relaxed) >= MAX_CHANNELS || self.channels.try_send(channel).is_err() {
            self.flooded.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_h264_sends_no_video() {
        let video = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\na=rtpmap:102 H264/90000\r\na=sendonly\r\n";
        assert!(sends_video(video));
        assert!(!sends_video("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
        assert!(!sends_video(&video.replace("video 9", "video 0")));
        assert!(!sends_video(&video.replace("H264", "VP8")));
        assert!(!sends_video(&video.replace("sendonly", "inactive")));
    }
}
