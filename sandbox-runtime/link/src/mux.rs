//! Yamux over one byte stream. One task owns the connection; handles ask it for streams.

use std::io;
use std::task::Poll;

use futures_util::future::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

/// One of the many streams: tokio's `AsyncRead + AsyncWrite`. Dropping it closes it.
pub type Stream = Compat<yamux::Stream>;

/// How many streams may wait to be accepted before the other side's openings wait too.
const ACCEPT_BACKLOG: usize = 64;
const MAX_STREAMS: usize = 4096;

/// Which end of the link this is; the two ends must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Runtime,
    Guest,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the link to the guest is closed")]
    Closed,
    #[error("link: {0}")]
    Yamux(#[from] yamux::ConnectionError),
    #[error("link: {0}")]
    Io(#[from] io::Error),
}

/// Opens streams. Cheap to clone; the connection lives until every clone and the [`Incoming`] are gone, or the peer is.
#[derive(Clone)]
pub struct Link {
    openings: mpsc::Sender<oneshot::Sender<Result<Stream, LinkError>>>,
}

/// Streams that the other side opened.
pub struct Incoming {
    accepted: mpsc::Receiver<Stream>,
    connection: JoinHandle<()>,
}

impl Link {
    /// Starts yamux over `io` in a task of its own, which ends with the connection.
    pub fn start<S>(io: S, side: Side) -> (Self, Incoming)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mode = match side {
            Side::Runtime => yamux::Mode::Client,
            Side::Guest => yamux::Mode::Server,
        };
        let mut config = yamux::Config::default();
        config.set_max_num_streams(MAX_STREAMS);
        config.set_max_connection_receive_window(Some(MAX_STREAMS * (512 << 10)));
        let connection = yamux::Connection::new(io.compat(), config, mode);
        let (openings, opening_requests) = mpsc::channel(ACCEPT_BACKLOG);
        let (accepted_tx, accepted) = mpsc::channel(ACCEPT_BACKLOG);
        let connection = tokio::spawn(drive(connection, opening_requests, accepted_tx));
        (Self { openings }, Incoming { accepted, connection })
    }

    /// Opens one stream.
    pub async fn open(&self) -> Result<Stream, LinkError> {
        let (answer, opened) = oneshot::channel();
        self.openings.send(answer).await.map_err(|_| LinkError::Closed)?;
        opened.await.map_err(|_| LinkError::Closed)?
    }

    /// Opens one stream and writes `header`, which says what it is for.
    pub async fn open_for(&self, header: &impl serde::Serialize) -> Result<Stream, LinkError> {
        let mut stream = self.open().await?;
        crate::write_message(&mut stream, header).await?;
        Ok(stream)
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.openings.is_closed()
    }

    /// Resolves when the connection is gone.
    pub async fn closed(&self) {
        self.openings.closed().await;
    }
}

impl Incoming {
    /// Waits for the next stream; `None` when the connection is gone.
    pub async fn accept(&mut self) -> Option<Stream> {
        self.accepted.recv().await
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Polls the connection, which moves all bytes, and answers openings as they come.
async fn drive<S>(
    mut connection: yamux::Connection<Compat<S>>,
    mut openings: mpsc::Receiver<oneshot::Sender<Result<Stream, LinkError>>>,
    accepted: mpsc::Sender<Stream>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut asked: Option<oneshot::Sender<Result<Stream, LinkError>>> = None;
    poll_fn(|cx| {
        loop {
            if asked.is_none()
                && let Poll::Ready(Some(next)) = openings.poll_recv(cx)
            {
                asked = Some(next);
            }
            if asked.is_some()
                && let Poll::Ready(opened) = connection.poll_new_outbound(cx)
            {
                if let Some(answer) = asked.take() {
                    // Whoever asked may have gone; the stream then closes by being dropped.
                    let _ = answer.send(opened.map(FuturesAsyncReadCompatExt::compat).map_err(LinkError::from));
                }
                continue;
            }
            match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    // A full backlog refuses the newest stream, rather than stall those that run.
                    if accepted.try_send(stream.compat()).is_err() {
                        tracing::warn!("a stream was refused: too many wait to be accepted");
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "link ended");
                    return Poll::Ready(());
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
