//! One open stream of pictures from the room, and what is said back on it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sandbox_core::viewer::picture;
use sandbox_link::protocol::{Open, VideoControl, VideoRequest};
use sandbox_link::{Link, LinkError, read_frame, write_message};
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

/// An H.264 picture, taken apart as `sandbox_core::viewer::picture` lays it out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct H264Picture {
    pub number: u32,
    /// Microseconds of the source's clock.
    pub captured_at_us: u64,
    /// Annex B.
    pub access_unit: Bytes,
}

/// Bytes of width and height between the header and the access unit.
const SIZE_LEN: usize = 4;

impl H264Picture {
    /// Returns `None` for anything but a whole H.264 picture.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() <= picture::HEADER_LEN + SIZE_LEN || bytes[0] != picture::KIND_H264 {
            return None;
        }
        let number = u32::from_le_bytes(bytes[4..8].try_into().ok()?);
        let captured_at_us = u64::from_le_bytes(bytes[8..16].try_into().ok()?);
        let access_unit = Bytes::from(bytes).slice(picture::HEADER_LEN + SIZE_LEN..);
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
        let mut tiles = h264_picture(1, 1, &[0, 0, 0, 1]);
        tiles[0] = picture::KIND_TILES;
        assert_eq!(H264Picture::parse(tiles), None);
    }
}
