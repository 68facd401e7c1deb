//! The live view by WebRTC: WHEP's one request makes a session, one DELETE ends it.
//!
//! The viewer opens the data channels. `input` carries the words of `sandbox_core::viewer` both ways as text. `pictures`
//! carries the pictures of the WebSocket in pieces, and is what our own pages read. The H.264 track is for players that open no
//! such channel: nothing is encoded for it while a viewer reads the channel. Owns the sessions; leaves HTTP to the api.

mod channels;
#[cfg(test)]
mod client;
mod feedback;
mod media;
mod peer;
mod picture_channel;
#[cfg(test)]
mod picture_tests;
mod session;
#[cfg(test)]
mod tests;
mod ways;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox_link::Link;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::seat::Seat;

/// Sessions that may be open at once: each costs a socket, and an encoder of its own.
const MAX_SESSIONS: usize = 32;

/// All WebRTC views of the runtime. Cheap to clone.
#[derive(Clone, Default)]
pub struct WhepSessions {
    open: Arc<Mutex<BTreeMap<String, CancellationToken>>>,
    tasks: TaskTracker,
}

#[derive(Debug, thiserror::Error)]
pub enum WhepError {
    /// The viewer's fault: 400.
    #[error("read the offer: {0}")]
    BadOffer(String),
    /// The viewer's fault: 406.
    #[error("the offer has no receiving H.264 video of constrained baseline, packetization mode 1")]
    NoH264,
    #[error("at most {MAX_SESSIONS} WebRTC views at once")]
    TooMany,
    #[error("no address to connect to was found")]
    NoCandidates,
    #[error("draw a random number: {0}")]
    Random(String),
    #[error("prepare the connection: {0}")]
    Peer(#[source] webrtc::error::Error),
}

impl WhepError {
    fn bad_offer(cause: webrtc::error::Error) -> Self {
        Self::BadOffer(cause.to_string())
    }

    /// Whether another offer may be accepted, rather than the same one later.
    pub fn is_viewers_fault(&self) -> bool {
        match self {
            Self::BadOffer(_) | Self::NoH264 => true,
            Self::TooMany | Self::NoCandidates | Self::Random(_) | Self::Peer(_) => false,
        }
    }
}

impl WhepSessions {
    /// Answers a viewer's offer. Returns the session's id and the answer's SDP; the session runs until [`Self::close`],
    /// until the viewer is lost, or until the desktop goes.
    pub async fn open<S: Seat>(&self, offer: String, seat: S, desktop: Link) -> Result<(String, String), WhepError> {
        let id = format!("whep_{}", crate::unique());
        let closed = CancellationToken::new();
        {
            let mut open = self.lock();
            if open.len() >= MAX_SESSIONS {
                return Err(WhepError::TooMany);
            }
            open.insert(id.clone(), closed.clone());
        }
        let place = Place { open: self.open.clone(), id: id.clone() };
        let (peer, answer) = peer::answer(offer).await?;
        self.tasks.spawn(async move {
            session::run(peer, seat, desktop, closed).await;
            drop(place);
        });
        Ok((id, answer))
    }

    /// Ends a session; says whether it was there.
    pub fn close(&self, id: &str) -> bool {
        let Some(closed) = self.lock().remove(id) else { return false };
        closed.cancel();
        true
    }

    /// Ends every session and waits until they are gone.
    pub async fn close_all(&self) {
        for closed in std::mem::take(&mut *self.lock()).into_values() {
            closed.cancel();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, CancellationToken>> {
        // Every change of the map is one call: no panic can leave it half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's entry in the map; dropping it takes it out.
struct Place {
    open: Arc<Mutex<BTreeMap<String, CancellationToken>>>,
    id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
