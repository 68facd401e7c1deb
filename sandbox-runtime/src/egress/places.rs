//! Places that nobody named: a person is asked once for each, and every program that wants to go there waits for the answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::policy::{Host, Place, Refusal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How long a program waits for an answer. The question stays open, and its answer counts for the next try.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a no counts. Then the person is asked again: they may have changed their mind.
const DENIAL_LASTS: Duration = Duration::from_secs(600);
/// Most questions that stand at a time. A page of many trackers asks for no more than these.
const MOST_ASKED: usize = 12;

/// Hosts of Chromium's own background requests: nobody is asked about them, and they stay closed.
const OF_CHROMIUM: [&str; 6] = [
    "update.googleapis.com",
    "optimizationguide-pa.googleapis.com",
    "content-autofill.googleapis.com",
    "safebrowsing.googleapis.com",
    "edgedl.me.gvt1.com",
    "redirector.gvt1.com",
];

/// A place that a sandbox wants to reach, for a person to open.
#[derive(Debug)]
pub struct NewPlace {
    pub place: Place,
    /// The address that was wanted first, as far as it is known: `https://cdn.shop.com`.
    pub address: String,
    /// Dropped without a word, nothing is decided.
    pub answer: oneshot::Sender<bool>,
}

/// What is known of the places that a sandbox wanted to reach. Its rooms share it. Cheap to clone.
#[derive(Clone)]
pub struct Places {
    asks: mpsc::Sender<NewPlace>,
    known: Arc<Mutex<BTreeMap<Place, Standing>>>,
}

enum Standing {
    Open,
    Closed {
        until: Instant,
    },
    /// A question stands. Cancelled when it is over.
    Asked(CancellationToken),
}

impl Standing {
    /// Returns what the person said, as far as it counts now.
    fn answer(&self) -> Option<bool> {
        match self {
            Self::Open => Some(true),
            Self::Closed { until } if *until > Instant::now() => Some(false),
            Self::Closed { .. } | Self::Asked(_) => None,
        }
    }
}

impl Places {
    /// Sends each new place to `asks`.
    pub fn new(asks: mpsc::Sender<NewPlace>) -> Self {
        Self { asks, known: Arc::default() }
    }

    /// Nobody can be asked: what the policy leaves to people stays closed.
    pub fn nobody() -> Self {
        Self::new(mpsc::channel(1).0)
    }

    /// Whether a person has opened a place, as far as is known now.
    ///
    /// # Errors
    ///
    /// They said no, or nothing yet.
    pub(super) fn standing(&self, host: &Host, port: u16) -> Result<(), Refusal> {
        match self.known().get(&Place::of(host, port)).and_then(Standing::answer) {
            Some(true) => Ok(()),
            Some(false) => Err(Refusal::SaidNo),
            None => Err(Refusal::Unasked),
        }
    }

    /// Waits until a person has answered about a place, and asks them if nobody did.
    pub(super) async fn settle(&self, host: &Host, port: u16) {
        if matches!(host, Host::Name(name) if OF_CHROMIUM.contains(&name.as_str())) {
            return;
        }
        let Some(is_over) = self.ask(host, port) else { return };
        // Too late: the place is as it was.
        let _ = tokio::time::timeout(PATIENCE, is_over.cancelled()).await;
    }

    /// Returns what is cancelled when the question about a place is over; `None` where there is an answer, or nobody can be asked.
    fn ask(&self, host: &Host, port: u16) -> Option<CancellationToken> {
        let place = Place::of(host, port);
        let mut known = self.known();
        match known.get(&place) {
            Some(Standing::Asked(is_over)) => return Some(is_over.clone()),
            Some(standing) if standing.answer().is_some() => return None,
            Some(_) | None => {}
        }
        if known.values().filter(|standing| matches!(standing, Standing::Asked(_))).count() >= MOST_ASKED {
            return None;
        }
        let (answer, answering) = oneshot::channel();
        let address = match port {
            80 => format!("http://{host}"),
            443 => format!("https://{host}"),
            _ => format!("https://{host}:{port}"),
        };
        self.asks.try_send(NewPlace { place: place.clone(), address, answer }).ok()?;
        let is_over = CancellationToken::new();
        known.insert(place.clone(), Standing::Asked(is_over.clone()));
        drop(known);
        let (places, over) = (self.clone(), is_over.clone());
        tokio::spawn(async move {
            match answering.await.ok() {
                Some(true) => places.known().insert(place, Standing::Open),
                Some(false) => places.known().insert(place, Standing::Closed { until: Instant::now() + DENIAL_LASTS }),
                None => places.known().remove(&place),
            };
            over.cancel();
        });
        Some(is_over)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Place, Standing>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
