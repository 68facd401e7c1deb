//! The pictures of one view, whatever carries them: asked for by its words, taken from the room one at a time.
//!
//! A slow view loses frames, never time: the next picture is read from the room only when the last one was handed on, and
//! the room keeps at most two on the way that the view has not shown.

use sandbox_link::Link;
use sandbox_link::protocol::VideoControl;
use tokio::sync::mpsc;

use super::conversation::PictureWord;
use super::video::Video;

pub(super) struct Pictures {
    desktop: Link,
    asked: mpsc::Receiver<PictureWord>,
    /// Whether the conversation may still ask.
    asking: bool,
    /// Open since the view said which pictures it can show.
    video: Option<Video>,
}

/// What [`Pictures::wait`] waited for.
pub(super) enum PictureNews {
    Word(Option<PictureWord>),
    /// `None` if the room has no more, or what came cannot be read.
    Picture(Option<Vec<u8>>),
}

/// The room sends no more pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PicturesEnded;

impl Pictures {
    pub(super) fn new(desktop: Link, asked: mpsc::Receiver<PictureWord>) -> Self {
        Self { desktop, asked, asking: true, video: None }
    }

    /// Waits for a word of the view or a picture of the room. A dropped wait loses nothing.
    pub(super) async fn wait(&mut self) -> PictureNews {
        tokio::select! {
            biased;
            word = self.asked.recv(), if self.asking => PictureNews::Word(word),
            picture = next_picture(&mut self.video) => PictureNews::Picture(picture),
        }
    }

    /// Does what the view's word asks for; returns the picture if it was one.
    pub(super) async fn take(&mut self, news: PictureNews) -> Result<Option<Vec<u8>>, PicturesEnded> {
        match news {
            PictureNews::Picture(picture) => return picture.map(Some).ok_or(PicturesEnded),
            PictureNews::Word(Some(PictureWord::Show(wish))) => match Video::open(&self.desktop, wish.into()).await {
                Ok(opened) => self.video = Some(opened),
                Err(error) => {
                    tracing::debug!(%error, "no picture");
                    return Err(PicturesEnded);
                }
            },
            PictureNews::Word(Some(PictureWord::Shown(number))) => {
                if let Some(video) = &mut self.video {
                    video.tell(VideoControl::Shown(number)).await.map_err(|_| PicturesEnded)?;
                }
            }
            PictureNews::Word(None) => self.asking = false,
        }
        Ok(None)
    }

    /// Takes no more pictures from the room until the view asks again.
    pub(super) fn stop(&mut self) {
        self.video = None;
    }
}

async fn next_picture(video: &mut Option<Video>) -> Option<Vec<u8>> {
    match video {
        Some(video) => video.next().await?.ok(),
        None => std::future::pending().await,
    }
}
