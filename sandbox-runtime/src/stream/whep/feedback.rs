//! What the receiver reports about the picture: it lost the thread and needs a key frame, or packets get lost.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rtc::interceptor::{
    Attribute, BandwidthEstimator, EstimatorStats, Gcc, Interceptor, Packet, PacketReport, StreamInfo, TaggedPacket,
};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::watch;

/// Where the rate begins, and its ceiling: a loopback carries it, and the encoder seldom needs it.
pub(super) const MAX_BITRATE: u32 = 50_000_000;
/// Beneath this, text is no longer readable in motion.
const MIN_BITRATE: f64 = 500_000.0;

/// Hands the receiver's key-frame requests to the application; the rest of RTCP stays with the interceptors.
///
/// It belongs last in the chain, after everyone who reads RTCP. A packet leaves the chain only if marked.
#[derive(Default)]
pub(super) struct KeyFrameRequests {
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// Says whether this is a request for a key frame.
pub(super) fn is_key_frame_request(packet: &dyn rtc::rtcp::Packet) -> bool {
    let packet = packet.as_any();
    packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>()
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyFrameRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut tagged: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(packets) = &mut tagged.message.packet {
            packets.retain(|packet| is_key_frame_request(packet.as_ref()));
            if packets.is_empty() {
                return Ok(());
            }
            tagged.message.add(Attribute::DeliverToApplication);
        }
        self.inbound.push_back(tagged);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<Self::Rout> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, tagged: TaggedPacket) -> Result<(), Self::Error> {
        self.outbound.push_back(tagged);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<Self::Wout> {
        self.outbound.pop_front()
    }
}

impl Interceptor for KeyFrameRequests {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

/// Publishes what the way to the viewer carries, judged by loss.
///
/// The delay half of the estimator backs off from the rate that was *received*; a page at rest sends next to nothing,
/// so on a busy machine it would take scheduling for congestion and starve the next picture. Loss does not mislead so.
pub(super) struct LossCeiling {
    gcc: Gcc,
    ceiling: watch::Sender<u32>,
    arrivals: Arc<Arrivals>,
}

/// What the receiver has reported about packets so far.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    lost: AtomicU64,
    /// The RTP sequence number of the newest packet that arrived; `u64::MAX` before the first.
    newest: AtomicU64,
}

impl Arrivals {
    /// How many packets did not arrive.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the packet with this number is the newest that arrived.
    pub(super) fn has_come_to(&self, sequence_number: u16) -> bool {
        self.newest.load(Ordering::Relaxed) == u64::from(sequence_number)
    }

    pub(super) fn note(&self, sequence_number: u16, arrived: bool) {
        if arrived {
            self.newest.store(u64::from(sequence_number), Ordering::Relaxed);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl LossCeiling {
    pub(super) fn new() -> (Self, watch::Receiver<u32>, Arc<Arrivals>) {
        let max = f64::from(MAX_BITRATE);
        let (ceiling, published) = watch::channel(MAX_BITRATE);
        let arrivals = Arc::new(Arrivals { newest: AtomicU64::new(u64::MAX), ..Arrivals::default() });
        (Self { gcc: Gcc::new(max, MIN_BITRATE, max), ceiling, arrivals: arrivals.clone() }, published, arrivals)
    }
}

impl BandwidthEstimator for LossCeiling {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        self.gcc.on_reports(now, reports);
        for report in reports {
            self.arrivals.note(report.rtp_sequence_number, report.arrived);
        }
        let carried = self.target_bitrate();
        self.ceiling
            .send_if_modified(|published| is_news(*published, carried).inspect(|news| *published = *news).is_some());
    }

    fn target_bitrate(&self) -> f64 {
        self.gcc.loss_based_bitrate()
    }

    fn stats(&self) -> EstimatorStats {
        self.gcc.stats()
    }
}

/// Returns the rate to tell the encoder, if it differs enough from what it was told.
fn is_news(published: u32, carried: f64) -> Option<u32> {
    // Within the bounds of the estimator, which fit.
    let carried = carried as u32;
    let change = f64::from(carried) / f64::from(published);
    let back_at_the_top = carried == MAX_BITRATE && published != MAX_BITRATE;
    (back_at_the_top || !(0.85..=1.2).contains(&change)).then_some(carried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_of_the_rate_are_not_told() {
        assert_eq!(is_news(10_000_000, 9_000_000.0), None);
        assert_eq!(is_news(10_000_000, 11_500_000.0), None);
        assert_eq!(is_news(10_000_000, 8_000_000.0), Some(8_000_000));
        assert_eq!(is_news(10_000_000, 13_000_000.0), Some(13_000_000));
        assert_eq!(is_news(45_000_000, 50_000_000.0), Some(MAX_BITRATE));
        assert_eq!(is_news(MAX_BITRATE, 50_000_000.0), None);
    }
}
