//! Pictures of the room as RTP packets: the newest state at once, with the capture's own clock.

use std::time::Instant;

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

use super::feedback::is_key_frame_request;
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

/// Sends the room's pictures on the track until either is gone.
pub(super) async fn send_pictures(
    desktop: &Link,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    mut ceiling: watch::Receiver<u32>,
) -> MediaEnd {
    let Ok(mut video) = Video::open(desktop, VideoRequest { h264: true, lossless: false }).await else {
        return MediaEnd::RoomEnded;
    };
    let mut packets = PictureWriter::new(track.clone(), ssrc, payload_type);
    loop {
        let told = tokio::select! {
            picture = video.next() => {
                let Some(Ok(picture)) = picture else { return MediaEnd::RoomEnded };
                let Some(picture) = H264Picture::parse(picture) else {
                    tracing::warn!("the room sent a picture that is not H.264");
                    continue;
                };
                let number = picture.number;
                if let Err(error) = packets.write(&picture).await {
                    tracing::debug!(%error, "the peer takes no more pictures");
                    return MediaEnd::PeerGone;
                }
                // Handed over is shown: what the way cannot carry comes back as loss, not as waiting.
                video.tell(VideoControl::Shown(number)).await
            }
            event = track.poll() => match event {
                Some(TrackLocalEvent::OnRtcpPacket(packets)) => {
                    if !packets.iter().any(|packet| is_key_frame_request(packet.as_ref())) {
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

struct PictureWriter<P> {
    track: Arc<TrackLocalStaticRTP>,
    packetizer: P,
    payload_type: u8,
    now: [HeaderExtension; 1],
}

impl PictureWriter<()> {
    fn new(track: Arc<TrackLocalStaticRTP>, ssrc: u32, payload_type: u8) -> PictureWriter<impl Packetizer> {
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
    async fn write(&mut self, picture: &H264Picture) -> webrtc::error::Result<()> {
        let timestamp = rtp_timestamp(picture.captured_at_us);
        for mut packet in self.packetizer.packetize(Instant::now(), &picture.access_unit, 0)? {
            packet.header.timestamp = timestamp;
            packet.header.payload_type = self.payload_type;
            self.track.write_rtp_with_extensions(packet, &self.now).await?;
        }
        Ok(())
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
    fn capture_time_becomes_the_rtp_clock() {
        assert_eq!(rtp_timestamp(0), 0);
        assert_eq!(rtp_timestamp(1_000_000), 90_000);
        assert_eq!(rtp_timestamp(16_667), 1_500);
        assert_eq!(rtp_timestamp(47_721_858_857), 1);
    }
}
