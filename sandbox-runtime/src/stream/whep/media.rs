//! Pictures of the room as RTP packets, for viewers that read none by a data channel: the newest state at once, with the
//! capture's own clock.

use std::time::{Duration, Instant};

use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::playout_delay_extension::PlayoutDelayExtension;
use rtc::rtp::packetizer::{Packetizer, new_packetizer};
use rtc::rtp::sequence::new_random_sequencer;
use sandbox_link::Link;
use sandbox_link::protocol::{VideoControl, VideoRequest};
use std::sync::Arc;
use tokio::sync::watch;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

use super::feedback::{Arrivals, MAX_BITRATE, is_key_frame_request};
use super::peer::H264_CLOCK_HZ;
use crate::stream::video::{H264Picture, Video};

/// Bytes of an RTP packet: fits an Ethernet frame with all that comes around it.
const MTU: usize = 1200;

/// Why no more pictures are sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MediaEnd {
    RoomEnded,
    PeerGone,
}

/// Sends the room's pictures on the track until either is gone. Stopped and begun again, it goes on with the numbers of
/// its packets.
pub(super) async fn send_pictures(
    desktop: &Link,
    packets: &mut PictureWriter<impl Packetizer>,
    ceiling: &mut watch::Receiver<u32>,
    arrivals: &Arrivals,
) -> MediaEnd {
    let Ok(mut video) = Video::open(desktop, VideoRequest::whole(true, false)).await else {
        return MediaEnd::RoomEnded;
    };
    let track = packets.track.clone();
    let mut key_frames = KeyFrames::default();
    if *ceiling.borrow() != MAX_BITRATE {
        // The room was told in a stream that is over.
        ceiling.mark_changed();
    }
    loop {
        let told = tokio::select! {
            picture = video.next() => {
                let Some(Ok(picture)) = picture else { return MediaEnd::RoomEnded };
                let Some(picture) = H264Picture::parse(picture) else {
                    tracing::warn!("the room sent a picture that is not H.264");
                    continue;
                };
                let number = picture.number;
                match packets.write(&picture).await {
                    Ok(newest) => key_frames.newest = newest.map(|newest| (newest, Instant::now())).or(key_frames.newest),
                    Err(error) => {
                        tracing::debug!(%error, "the peer takes no more pictures");
                        return MediaEnd::PeerGone;
                    }
                }
                // Handed over is shown: what the way cannot carry comes back as loss, not as waiting.
                video.tell(VideoControl::Shown(number)).await
            }
            event = track.poll() => match event {
                Some(TrackLocalEvent::OnRtcpPacket(packets)) => {
                    if !packets.iter().any(|packet| is_key_frame_request(packet.as_ref())) {
                        continue;
                    }
                    if !key_frames.are_needed(arrivals, Instant::now()) {
                        continue;
                    }
                    video.tell(VideoControl::Refresh).await
                }
                // The library may add events; none but feedback is about pictures.
                Some(_) => continue,
                None => return MediaEnd::PeerGone,
            },
            Ok(()) = ceiling.changed() => {
                let carried = *ceiling.borrow_and_update();
                video.tell(VideoControl::Bitrate(carried)).await
            }
        };
        if told.is_err() {
            return MediaEnd::RoomEnded;
        }
    }
}

/// Which requests for a key frame are answered.
///
/// A receiver asks for one when it has seen no picture for some seconds, though the page is just at rest. Answered, that
/// would go on for ever; unanswered, the receiver takes the stream for inactive and is quiet.
#[derive(Debug, Default)]
struct KeyFrames {
    /// Packets lost when the last request was answered; `None` before the first.
    lost: Option<u64>,
    /// The sequence number of the last packet, and when it was written.
    newest: Option<(u16, Instant)>,
}

/// A receiver that cannot decode a picture says so sooner than this.
const DECODED: Duration = Duration::from_secs(2);

impl KeyFrames {
    fn are_needed(&mut self, arrivals: &Arrivals, now: Instant) -> bool {
        let lost = arrivals.lost();
        let has_all = self
            .newest
            .is_some_and(|(newest, at)| arrivals.has_come_to(newest) && now.saturating_duration_since(at) > DECODED);
        if self.lost == Some(lost) && has_all {
            return false;
        }
        self.lost = Some(lost);
        true
    }
}

pub(super) struct PictureWriter<P> {
    track: Arc<TrackLocalStaticRTP>,
    packetizer: P,
    payload_type: u8,
    now: [HeaderExtension; 1],
}

impl PictureWriter<()> {
    pub(super) fn new(track: Arc<TrackLocalStaticRTP>, ssrc: u32, payload_type: u8) -> PictureWriter<impl Packetizer> {
        let packetizer = new_packetizer(
            Instant::now(),
            MTU,
            payload_type,
            ssrc,
            Box::new(H264Payloader::default()),
            Box::new(new_random_sequencer()),
            H264_CLOCK_HZ,
        );
        // Receivers hold pictures back for tens of milliseconds unless told 0/0.
        let now = [HeaderExtension::PlayoutDelay(PlayoutDelayExtension::new(0, 0))];
        PictureWriter { track, packetizer, payload_type, now }
    }
}

impl<P: Packetizer> PictureWriter<P> {
    /// Writes one picture; returns the sequence number of its last packet.
    async fn write(&mut self, picture: &H264Picture) -> webrtc::error::Result<Option<u16>> {
        let mut newest = None;
        let timestamp = rtp_timestamp(picture.captured_at_us);
        for mut packet in self.packetizer.packetize(Instant::now(), &picture.access_unit, 0)? {
            packet.header.timestamp = timestamp;
            packet.header.payload_type = self.payload_type;
            newest = Some(packet.header.sequence_number);
            self.track.write_rtp_with_extensions(packet, &self.now).await?;
        }
        Ok(newest)
    }
}

/// Converts microseconds to the 90 kHz clock of RTP video, which wraps.
fn rtp_timestamp(captured_at_us: u64) -> u32 {
    (u128::from(captured_at_us) * u128::from(H264_CLOCK_HZ) / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_is_sent_unless_the_receiver_has_everything_and_the_page_rests() {
        let arrivals = Arrivals::default();
        let written = Instant::now();
        let late = written + DECODED + Duration::from_secs(1);
        let mut key_frames = KeyFrames { lost: None, newest: Some((7, written)) };
        arrivals.note(7, true);
        assert!(key_frames.are_needed(&arrivals, late), "the first request is answered");
        assert!(!key_frames.are_needed(&arrivals, late), "nothing changed and nothing was lost");
        assert!(key_frames.are_needed(&arrivals, written + DECODED), "the last picture may not have been decoded");
        arrivals.note(8, false);
        assert!(key_frames.are_needed(&arrivals, late), "a packet was lost");
        assert!(!key_frames.are_needed(&arrivals, late));
        key_frames.newest = Some((9, written));
        assert!(key_frames.are_needed(&arrivals, late), "the last packet was not reported");
    }

    #[test]
    fn capture_time_becomes_the_rtp_clock() {
        assert_eq!(rtp_timestamp(0), 0);
        assert_eq!(rtp_timestamp(1_000_000), 90_000);
        assert_eq!(rtp_timestamp(16_667), 1_500);
        assert_eq!(rtp_timestamp(47_721_858_857), 1);
    }
}
