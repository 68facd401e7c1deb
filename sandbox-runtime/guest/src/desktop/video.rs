//! One stream of pictures for each view: a thread of its own decides and encodes ([`Sender`]), the stream's two directions
//! run as tasks beside it.

use std::io;
use std::sync::Arc;

use sandbox_link::protocol::{VideoControl, VideoRequest};
use sandbox_link::{Stream, read_message, write_frame};
use tokio::io::split;
use tokio::sync::mpsc;

use super::capture::Capture;
use super::sender::{Able, ON_THE_WAY, Sender, Wanted};
use super::wishes::{Asked, Ending};

/// Serves one [`sandbox_link::protocol::Open::Video`] stream until either side ends it.
pub async fn serve(stream: Stream, request: VideoRequest, capture: &Capture) -> io::Result<()> {
    let able = match (request.h264, request.lossless) {
        (true, true) => Able::Both,
        (false, true) => Able::Lossless,
        (true, false) => Able::Video,
        (false, false) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let wanted = Wanted::new(able, request.scale, request.rate);
    let watching = capture.watch();
    let asked = Arc::new(Asked::new(capture.frame().clone()));
    let (messages, mut ready) = mpsc::channel::<Vec<u8>>(ON_THE_WAY as usize);
    let sender = Sender::new(wanted, asked.clone(), capture.frame().clone(), messages);
    let thread = tokio::task::spawn_blocking(move || sender.run());
    // Ends the thread however this function ends.
    let _ending = Ending(asked.clone());

    let (mut from_view, mut to_view) = split(stream);
    let controls = async {
        while let Some(control) = read_message::<VideoControl>(&mut from_view).await? {
            asked.note(control);
        }
        Ok(())
    };
    let sending = async {
        while let Some(message) = ready.recv().await {
            write_frame(&mut to_view, &message).await?;
        }
        Ok(())
    };
    let ended = tokio::select! {
        ended = controls => ended,
        ended = sending => ended,
    };
    asked.end();
    drop(ready);
    if let Ok(Err(error)) = thread.await {
        tracing::error!(%error, "a view's pictures ended");
    }
    drop(watching);
    ended
}
