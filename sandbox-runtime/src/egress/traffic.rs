//! What goes where, counted: connections, refusals and bytes for each destination.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use sandbox_core::model::{EpochMs, NetworkDestination, NetworkUser};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Target;
use crate::now_ms;

/// Most destinations that are told apart. What comes after them is counted as one.
const MOST: usize = 1_000;
/// The host of all that is not told apart.
const FURTHER: &str = "*";

/// The counts of one side of a sandbox. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traffic(Arc<Inner>);

#[derive(Default)]
struct Inner {
    counts: Mutex<BTreeMap<(String, u16), Arc<Count>>>,
    /// A destination is new.
    grew: Notify,
}

/// What was counted since it was taken last.
#[derive(Default)]
struct Count {
    connections: AtomicU64,
    refused: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    first_at: AtomicI64,
    /// 0 where only bytes were counted.
    last_at: AtomicI64,
}

/// A connection to a destination, whose bytes are counted.
pub struct CountedStream {
    stream: TcpStream,
    count: Arc<Count>,
}

impl Traffic {
    /// Counts a connection that was just opened.
    pub(super) fn opened(&self, target: &Target, stream: TcpStream) -> CountedStream {
        let count = self.count(target);
        count.connections.fetch_add(1, Ordering::Relaxed);
        CountedStream { stream, count }
    }

    /// Counts a connection that was refused by a rule.
    pub(super) fn refused(&self, target: &Target) {
        self.count(target).refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes what was counted since this was asked last, as of `by`.
    pub fn take(&self, by: NetworkUser) -> Vec<NetworkDestination> {
        let counts = self.counts();
        let taken = counts.iter().filter_map(|((host, port), count)| count.take(host, *port, by));
        taken.collect()
    }

    /// Resolves when a destination was new since this resolved last.
    pub async fn grew(&self) {
        self.0.grew.notified().await;
    }

    fn count(&self, target: &Target) -> Arc<Count> {
        let now = now_ms();
        let mut counts = self.counts();
        let key = (target.host.to_string(), target.port);
        let key = if counts.len() < MOST || counts.contains_key(&key) { key } else { (FURTHER.to_owned(), 0) };
        let count = counts.entry(key).or_insert_with(|| {
            self.0.grew.notify_one();
            Arc::new(Count { first_at: AtomicI64::new(now), ..Count::default() })
        });
        count.last_at.store(now, Ordering::Relaxed);
        count.clone()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<(String, u16), Arc<Count>>> {
        // Each change is of one entry: a panic in one leaves the others as they are.
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn take(&self, host: &str, port: u16, by: NetworkUser) -> Option<NetworkDestination> {
        let [connections, refused, sent_bytes, received_bytes] =
            [&self.connections, &self.refused, &self.sent, &self.received]
                .map(|count| count.swap(0, Ordering::Relaxed));
        let is_used = connections + refused + sent_bytes + received_bytes > 0;
        let last_at: EpochMs = match self.last_at.swap(0, Ordering::Relaxed) {
            0 => now_ms(),
            at => at,
        };
        is_used.then(|| NetworkDestination {
            host: host.to_owned(),
            port,
            by,
            connections,
            refused,
            sent_bytes,
            received_bytes,
            first_at: self.first_at.load(Ordering::Relaxed),
            last_at,
        })
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        self.count.received.fetch_add((into.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let n_bytes = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.count.sent.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Poll::Ready(Ok(n_bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let n_bytes = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts))?;
        self.count.sent.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Poll::Ready(Ok(n_bytes))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use sandbox_core::policy::Host;

    use super::*;

    fn target(host: &str, port: u16) -> Target {
        Target::new(Host::parse(host).unwrap(), port)
    }

    #[test]
    fn what_was_taken_is_not_told_again() {
        let traffic = Traffic::default();
        traffic.refused(&target("shop.com", 443));
        traffic.refused(&target("shop.com", 443));
        let taken = traffic.take(NetworkUser::Browser);
        let told: Vec<_> = taken.iter().map(|told| (told.host.as_str(), told.port, told.refused)).collect();
        assert_eq!(told, [("shop.com", 443, 2)]);
        assert!(taken[0].first_at > 0 && taken[0].last_at >= taken[0].first_at);
        assert_eq!(traffic.take(NetworkUser::Browser), []);
        traffic.refused(&target("shop.com", 443));
        assert_eq!(traffic.take(NetworkUser::Commands)[0].refused, 1);
    }

    #[test]
    fn what_comes_after_the_most_that_are_told_apart_is_counted_as_one() {
        let traffic = Traffic::default();
        for n in 0..MOST + 5 {
            traffic.refused(&target(&format!("h{n}.com"), 443));
        }
        let taken = traffic.take(NetworkUser::Commands);
        assert_eq!(taken.len(), MOST + 1);
        let further = taken.iter().find(|told| told.host == FURTHER).unwrap();
        assert_eq!((further.port, further.refused), (0, 5));
        traffic.refused(&target("h0.com", 443));
        assert_eq!(traffic.take(NetworkUser::Commands)[0].host, "h0.com");
    }
}
