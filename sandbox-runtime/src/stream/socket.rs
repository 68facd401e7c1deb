//! The live view by WebSocket, for pages on this machine and pages without WebRTC: binary messages are pictures, text
//! messages are words, both ways one connection.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use sandbox_core::viewer::{FromViewer, ToViewer};
use sandbox_link::Link;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::conversation::{End, SILENCE_DEADLINE, Wires, converse};
use super::pictures::{Pictures, PicturesEnded};
use super::seat::Seat;

/// Longest message that a view may send: a paste with room to spare. For `WebSocketUpgrade::max_message_size`.
pub const MAX_MESSAGE: usize = 4 << 20;

/// Words that may wait on either side; beyond it the faster side waits.
const WORDS: usize = 64;
/// How long the last words may take to reach the page.
const FAREWELL_DEADLINE: Duration = Duration::from_secs(2);

/// How long a room whose pictures ended may take to be gone.
const GOING_DEADLINE: Duration = Duration::from_secs(1);

/// Serves one view until it leaves or the desktop goes. The seat is left when this returns.
pub async fn serve<S: Seat>(ws: WebSocket, seat: S, desktop: Link) {
    let (mut sink, stream) = ws.split();
    let (words_in, words) = mpsc::channel(WORDS);
    let (answers, answers_out) = mpsc::channel(WORDS);
    let (pictures, asked) = mpsc::channel(WORDS);
    // Weak: when the conversation is over nothing more is answered, and the writer ends.
    let complaints = answers.downgrade();
    let wires = Wires { words, answers, pictures, silence: Some(SILENCE_DEADLINE) };

    let mut talking = std::pin::pin!(converse(seat, desktop.clone(), wires, "socket"));
    let mut carrying = std::pin::pin!(async {
        let carried = tokio::select! {
            () = read_words(stream, words_in, complaints) => Carried::ViewerGone,
            carried = write_all(&mut sink, answers_out, Pictures::new(desktop.clone(), asked)) => carried,
        };
        if carried == Carried::PicturesEnded {
            // A room that goes away ends its streams first; what the page is told depends on whether it does.
            let _ = timeout(GOING_DEADLINE, desktop.closed()).await;
        }
        (sink, carried)
    });
    // Whichever ends first closes the channels of the other. The conversation always ends by itself, so that keys go up.
    let (end, carried) = tokio::select! {
        end = &mut talking => (end, timeout(FAREWELL_DEADLINE, carrying).await.ok()),
        carried = &mut carrying => (talking.await, Some(carried)),
    };
    let Some((sink, carried)) = carried else { return };
    let farewell = match (end, carried) {
        (End::DesktopGone, _) => Farewell::Ended,
        (End::DesktopComesBack, _) => Farewell::ComeBack("the desktop is started again"),
        (_, Carried::PicturesEnded) if desktop.is_closed() => Farewell::Ended,
        (_, Carried::PicturesEnded) => Farewell::ComeBack("the picture stopped"),
        (End::NotReady, Carried::ViewerGone | Carried::AllSaid) => Farewell::ComeBack("the desktop is not ready"),
        (End::Silent, Carried::ViewerGone | Carried::AllSaid) => Farewell::ComeBack("nothing was heard from the view"),
        (End::ViewerLeft | End::Unread, Carried::ViewerGone | Carried::AllSaid) => Farewell::Quiet,
    };
    // The page may be gone already.
    let _ = timeout(FAREWELL_DEADLINE, say(sink, farewell)).await;
}

/// Why nothing more is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    ViewerGone,
    PicturesEnded,
    /// The conversation is over and its last word is written.
    AllSaid,
}

/// How the connection is closed.
enum Farewell {
    Quiet,
    Ended,
    /// Something broke that a new connection may cure.
    ComeBack(&'static str),
}

async fn read_words(
    mut stream: SplitStream<WebSocket>,
    words: mpsc::Sender<FromViewer>,
    complaints: mpsc::WeakSender<ToViewer>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return,
            // Pings are answered by the WebSocket itself; pages send no binary.
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => continue,
        };
        match serde_json::from_str(&text) {
            Ok(word) => {
                if words.send(word).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                let Some(complaints) = complaints.upgrade() else { return };
                let denied = ToViewer::Denied { code: "invalid".into(), message: format!("read a word: {error}") };
                // A page that says nonsense without reading the answers is not told twice.
                let _ = complaints.try_send(denied);
            }
        }
    }
}

async fn write_all(
    sink: &mut SplitSink<WebSocket, Message>,
    mut answers: mpsc::Receiver<ToViewer>,
    mut pictures: Pictures,
) -> Carried {
    loop {
        tokio::select! {
            biased;
            answer = answers.recv() => {
                let Some(answer) = answer else { return Carried::AllSaid };
                if sink.send(text(&answer)).await.is_err() {
                    return Carried::ViewerGone;
                }
            }
            news = pictures.wait() => match pictures.take(news).await {
                Ok(Some(picture)) => {
                    if sink.send(Message::Binary(picture.into())).await.is_err() {
                        return Carried::ViewerGone;
                    }
                }
                Ok(None) => {}
                Err(PicturesEnded) => return Carried::PicturesEnded,
            }
        }
    }
}

async fn say(mut sink: SplitSink<WebSocket, Message>, farewell: Farewell) -> Result<(), axum::Error> {
    let (code, reason) = match farewell {
        Farewell::Quiet => (close_code::NORMAL, ""),
        Farewell::Ended => {
            sink.send(text(&ToViewer::Ended { reason: "the sandbox's desktop is gone".into() })).await?;
            (close_code::NORMAL, "ended")
        }
        Farewell::ComeBack(reason) => (close_code::AGAIN, reason),
    };
    sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await
}

fn text(word: &ToViewer) -> Message {
    Message::Text(Utf8Bytes::from(serde_json::to_string(word).expect("words of the stream are plain data")))
}
