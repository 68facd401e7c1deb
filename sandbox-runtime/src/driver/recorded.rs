//! A picture of a recording as the guest sends it, with its time, and what stands for a time without any.

use sandbox_core::model::{EpochMs, GapReason};
use sandbox_picture::wire::{HEADER_LEN, Header, KIND_H264, RECT_LEN};
use tokio::time::Instant;

use crate::recording::AccessUnit;
use crate::{monotonic_us, now_ms};

/// A time that is not recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub from: EpochMs,
    pub why: GapReason,
}

/// A picture that waits.
pub(super) struct Picture {
    pub arrived: Instant,
    pub at: EpochMs,
    pub size: (u16, u16),
    pub unit: AccessUnit,
}

/// Reads a picture as the guest sends it.
pub(super) fn read(bytes: &[u8], clock: Clock) -> Option<Picture> {
    let header = Header::read(bytes).filter(|header| header.kind == KIND_H264)?;
    let unit = AccessUnit::from_annex_b(bytes.get(HEADER_LEN + RECT_LEN..)?);
    let at = clock.epoch_ms(header.captured_at_us);
    Some(Picture { arrived: Instant::now(), at, size: (header.width, header.height), unit })
}

/// Between the machine's monotonic clock, by which pictures are taken, and the wall clock.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    offset_us: i64,
}

impl Clock {
    pub(super) fn now() -> Self {
        let monotonic_us = i64::try_from(monotonic_us()).unwrap_or(i64::MAX);
        Self { offset_us: now_ms() * 1_000 - monotonic_us }
    }

    fn epoch_ms(self, monotonic_us: u64) -> EpochMs {
        (i64::try_from(monotonic_us).unwrap_or(i64::MAX / 2) + self.offset_us) / 1_000
    }
}

/// What the plain picture says.
pub(super) fn caption(why: GapReason, length_ms: EpochMs) -> String {
    let what = match why {
        GapReason::Person => "A person drove",
        GapReason::Typed => "A page held what a person typed",
        GapReason::Browser => "The browser was away",
        GapReason::Limit => "The recording was full",
        GapReason::DiskFull => "The disk was full",
    };
    let seconds = length_ms.max(0) / 1_000;
    format!("{what} · {:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_says_why_and_for_how_long() {
        assert_eq!(caption(GapReason::Person, 42_900), "A person drove · 00:42");
        assert_eq!(caption(GapReason::Typed, 3_600_000), "A page held what a person typed · 60:00");
    }
}
