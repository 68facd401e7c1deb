//! One open stream of pictures from the room, and what is said back on it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sandbox_link::protocol::{Open, VideoControl, VideoRequest};
use sandbox_link::{Link, LinkError, read_frame, write_message};
use sandbox_picture::wire::{HEADER_LEN, Header, KIND_H264, RECT_LEN};
use tokio::io::WriteHalf;

/// How long the room may take to accept a word about its pictures.
const TELL_DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Video {
    pictures: Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>> + Send>>,
    controls: WriteHalf<sandbox_link::Stream>,
}

impl Video {
    pub(super) async fn open(desktop: &Link, request: VideoRequest) -> Result<Self, LinkError> {
        let room = desktop.open_for(&Open::Video(request)).await?;
        let (pictures, controls) = tokio::io::split(room);
        let pictures = stream::unfold(pictures, |mut room| async move {
            read_frame(&mut room).await.transpose().map(|picture| (picture, room))
        });
        Ok(Self { pictures: Box::pin(pictures), controls })
    }

    /// Waits for the next picture; `None` when the room ends the stream. A dropped wait loses nothing.
    pub(super) async fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        self.pictures.next().await
    }

    pub(super) async fn tell(&mut self, control: VideoControl) -> io::Result<()> {
        tokio::time::timeout(TELL_DEADLINE, write_message(&mut self.controls, &control)).await?
    }
}

/// An H.264 picture, taken apart as `sandbox_picture::wire` lays it out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct H264Picture {
    pub number: u32,
    /// Microseconds of the source's clock.
    pub captured_at_us: u64,
    /// Annex B.
    pub access_unit: Bytes,
}

impl H264Picture {
    /// Returns `None` for anything but a whole H.264 picture.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let header = Header::read(&bytes).filter(|header| header.kind == KIND_H264)?;
        let access_unit = Bytes::from(bytes);
        let start = HEADER_LEN + RECT_LEN;
        if access_unit.len() <= start {
            return None;
        }
        let (number, captured_at_us) = (header.number, header.captured_at_us);
        let access_unit = access_unit.slice(start..);
        Some(Self { number, captured_at_us, access_unit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::testing::h264_picture;

    #[test]
    fn an_h264_picture_is_taken_apart() {
        let unit = [0, 0, 0, 1, 0x67, 1, 2];
        assert_eq!(
            H264Picture::parse(h264_picture(9, 1_234_567, &unit)),
            Some(H264Picture { number: 9, captured_at_us: 1_234_567, access_unit: Bytes::copy_from_slice(&unit) })
        );
    }

    #[test]
    fn what_is_not_an_h264_picture_is_refused() {
        assert_eq!(H264Picture::parse(vec![]), None);
        assert_eq!(H264Picture::parse(h264_picture(1, 1, &[])), None);
        let mut lossless = h264_picture(1, 1, &[0, 0, 0, 1]);
        lossless[0] = sandbox_picture::wire::KIND_LOSSLESS;
        assert_eq!(H264Picture::parse(lossless), None);
    }
}
