//! A WebRTC client in this process, connected to a session: real sockets on loopback, real DTLS, SRTP and SCTP.

use std::sync::Arc;

use async_trait::async_trait;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use sandbox_core::Lease;
use sandbox_core::viewer::{FromViewer, ToViewer, ViewerMode};
use sandbox_picture::pieces::Joiner;
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder, register_default_interceptors,
};

use super::WhepSessions;
use super::peer::{PLAYOUT_DELAY_URI, h264};
use crate::stream::testing::{Asked, FakeDriver, FakeSeat, Room, SCREEN, Seen, soon};

pub(super) struct Client {
    pub connection: Arc<dyn PeerConnection>,
    pub input: Arc<dyn DataChannel>,
    pub tracks: mpsc::Receiver<Arc<dyn TrackRemote>>,
    state: watch::Receiver<RTCPeerConnectionState>,
}

struct Events {
    gathered: watch::Sender<bool>,
    tracks: mpsc::Sender<Arc<dyn TrackRemote>>,
    state: watch::Sender<RTCPeerConnectionState>,
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

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let _ = self.tracks.try_send(track);
    }
}

impl Client {
    /// Makes a client and its offer.
    pub(super) async fn offering() -> (Self, String) {
        let (client, _, offer) = Self::offering_channels(false).await;
        (client, offer)
    }

    /// Makes a client that opens a channel for pictures too if `pictures`, and its offer.
    async fn offering_channels(pictures: bool) -> (Self, Option<Arc<dyn DataChannel>>, String) {
        let (gathered, mut gathering) = watch::channel(false);
        let (tracks, tracks_seen) = mpsc::channel(1);
        let (state, state_seen) = watch::channel(RTCPeerConnectionState::New);
        let mut media = MediaEngine::default();
        let codec = RTCRtpCodecParameters { rtp_codec: h264(), payload_type: 109 };
        media.register_codec(codec, RtpCodecKind::Video).unwrap();
        let playout = RTCRtpHeaderExtensionCapability { uri: PLAYOUT_DELAY_URI.to_owned() };
        media.register_header_extension(playout, RtpCodecKind::Video, None).unwrap();
        let registry = register_default_interceptors(Default::default(), &mut media).unwrap();
        let building = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_setting_engine(SettingEngineBuilder::new().with_include_loopback_candidate(true).build())
            .with_handler(Arc::new(Events { gathered, tracks, state }))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build();
        let connection = Box::pin(building).await.unwrap();
        let receive = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Recvonly, ..Default::default() };
        connection.add_transceiver_from_kind(RtpCodecKind::Video, Some(receive)).await.unwrap();
        let pictures = match pictures {
            true => Some(connection.create_data_channel("pictures", None).await.unwrap()),
            false => None,
        };
        let input = connection.create_data_channel("input", None).await.unwrap();
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        soon("candidates", gathering.wait_for(|done| *done)).await.unwrap();
        let offer = connection.local_description().await.unwrap().sdp;
        let client = Self { connection: Arc::new(connection), input, tracks: tracks_seen, state: state_seen };
        (client, pictures, offer)
    }

    pub(super) async fn accept(&mut self, answer: String) {
        self.connection.set_remote_description(RTCSessionDescription::answer(answer).unwrap()).await.unwrap();
        let connected = self.state.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        soon("the connection", connected).await.unwrap();
    }

    pub(super) async fn word(&self) -> ToViewer {
        loop {
            let event = soon("a word", self.input.poll()).await.expect("the channel lives");
            if let DataChannelEvent::OnMessage(message) = event {
                return serde_json::from_slice(&message.data).unwrap();
            }
        }
    }

    pub(super) async fn say(&self, word: FromViewer) {
        self.input.send_text(&serde_json::to_string(&word).unwrap()).await.unwrap();
    }
}

/// A client that is connected to a room, past the welcome.
pub(super) struct Viewing {
    pub client: Client,
    pub room: Room,
    pub driver: FakeDriver,
    pub sessions: WhepSessions,
    pub id: String,
    /// The channel for pictures, if the client opened one.
    pub pictures: Option<Arc<dyn DataChannel>>,
}

impl Viewing {
    /// Without a channel for pictures, as a player that knows only WHEP.
    pub(super) async fn start(mode: ViewerMode, lease: Option<Lease>) -> Self {
        Self::connect(mode, lease, false).await
    }

    /// With a channel for pictures, as our own pages.
    pub(super) async fn start_with_pictures(mode: ViewerMode, lease: Option<Lease>) -> Self {
        Self::connect(mode, lease, true).await
    }

    async fn connect(mode: ViewerMode, lease: Option<Lease>, pictures: bool) -> Self {
        let (mut client, pictures, offer) = Client::offering_channels(pictures).await;
        let (room, desktop) = Room::start();
        let (seat, driver) = FakeSeat::new(mode, lease);
        let sessions = WhepSessions::default();
        let (id, answer) = sessions.open(offer, seat, desktop).await.unwrap();
        client.accept(answer).await;
        let ToViewer::Welcome { screen, transport, .. } = client.word().await else { panic!("no welcome") };
        assert_eq!((screen, transport.as_str()), (SCREEN, "webrtc"));
        let ToViewer::Control { control } = client.word().await else { panic!("no control") };
        assert_eq!(control.lease, lease);
        Self { client, room, driver, sessions, id, pictures }
    }

    /// Waits until the room saw `expected`.
    pub(super) async fn room_saw(&mut self, expected: Seen) {
        while self.room.next().await != expected {}
    }

    pub(super) async fn left(&mut self) {
        while soon("the seat to be left", self.driver.asked.recv()).await != Some(Asked::Left) {}
    }
}

/// Reads one message that comes in pieces; says how many there were.
pub(super) async fn whole(channel: &Arc<dyn DataChannel>, joiner: &mut Joiner) -> (Vec<u8>, usize) {
    let mut n_pieces = 0;
    loop {
        let event = soon("a piece", channel.poll()).await.expect("the channel lives");
        let DataChannelEvent::OnMessage(piece) = event else { continue };
        n_pieces += 1;
        if let Some(message) = joiner.push(&piece.data).unwrap() {
            return (message, n_pieces);
        }
    }
}
