//! How coarse the video may be. Starts sharp, because on text a fine quantiser costs fewer bytes than a coarse one, and
//! backs off only while more was sent than the way to the view carries. Pure.

use std::time::Duration;

/// Quality while pictures move, 0 (best) to 51.
pub const SHARP: i32 = 20;
/// Quality of a part of the screen that goes on moving: the eye sees no more, and half the bytes do.
pub const MOVING: i32 = 28;
/// Quality of the one picture that is sent when the screen rests.
pub const REST: i32 = 8;
const COARSE: i32 = 42;
/// More than this ahead of the way: coarser by one step a picture.
const AHEAD: f64 = 0.08;
/// More than this: coarser quickly.
const FAR_AHEAD: f64 = 0.2;
/// More than this: no picture until the way has caught up.
const FULL: f64 = 0.4;

/// A bucket that fills with what is sent and drains as the way to the view carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiser {
    bits_per_second: Option<u32>,
    qp: i32,
    waiting_bits: f64,
    at: Duration,
}

impl Quantiser {
    pub fn new() -> Self {
        Self { bits_per_second: None, qp: SHARP, waiting_bits: 0.0, at: Duration::ZERO }
    }

    /// Sets what the way carries.
    pub fn limit(&mut self, bits_per_second: u32, now: Duration) {
        self.drain(now);
        self.bits_per_second = Some(bits_per_second.max(1));
    }

    /// The quantiser for the next picture.
    pub fn qp(&self) -> i32 {
        self.qp
    }

    /// When the next picture may be sent.
    pub fn ready_at(&mut self, now: Duration) -> Duration {
        self.drain(now);
        now + Duration::from_secs_f64((self.seconds_ahead() - FULL).max(0.0))
    }

    /// Counts a picture that was sent.
    pub fn sent(&mut self, bytes: usize, now: Duration) {
        self.drain(now);
        self.waiting_bits += bytes as f64 * 8.0;
        let ahead = self.seconds_ahead();
        let step = match ahead {
            _ if ahead > FAR_AHEAD => 4,
            _ if ahead > AHEAD => 1,
            _ => -1,
        };
        self.qp = (self.qp + step).clamp(SHARP, COARSE);
    }

    fn drain(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.waiting_bits = match self.bits_per_second {
            Some(rate) => (self.waiting_bits - passed * f64::from(rate)).max(0.0),
            None => 0.0,
        };
    }

    fn seconds_ahead(&self) -> f64 {
        self.bits_per_second.map_or(0.0, |rate| self.waiting_bits / f64::from(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(quantiser: &mut Quantiser, pictures: u64, bytes: usize) {
        for picture in 0..pictures {
            let now = quantiser.at + Duration::from_millis(16 * u64::from(picture > 0));
            quantiser.sent(bytes, now);
        }
    }

    #[test]
    fn an_unlimited_way_stays_sharp() {
        let mut quantiser = Quantiser::new();
        send(&mut quantiser, 100, 500_000);
        assert_eq!((quantiser.qp(), quantiser.ready_at(quantiser.at)), (SHARP, quantiser.at));
    }

    #[test]
    fn a_narrow_way_makes_pictures_coarser_and_then_fewer() {
        let mut quantiser = Quantiser::new();
        quantiser.limit(1_000_000, Duration::ZERO);
        send(&mut quantiser, 30, 20_000);
        assert!(quantiser.qp() > SHARP + 10);
        assert!(quantiser.ready_at(quantiser.at) > quantiser.at);
    }

    #[test]
    fn a_way_that_is_free_again_gets_sharp_again() {
        let mut quantiser = Quantiser::new();
        quantiser.limit(1_000_000, Duration::ZERO);
        send(&mut quantiser, 30, 20_000);
        quantiser.limit(50_000_000, quantiser.at + Duration::from_secs(10));
        send(&mut quantiser, 40, 1_000);
        assert_eq!(quantiser.qp(), SHARP);
    }
}
