//! Places that nobody named: a person is asked once for each, and every program that wants to go there waits for the answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::policy::{Host, Place, Refusal};
use tokio::sync::{mpsc, oneshot, watch};

/// How long a program waits for an answer. The question stands on: whoever comes again gets its answer.
const PATIENCE: Duration = Duration::from_secs(300);
/// For how long a no counts. Afterwards the person is asked again: they may have changed their mind.
const NO_COUNTS: Duration = Duration::from_secs(600);
/// Most questions that stand at a time. A page of many trackers asks for no more than these.
const MOST_ASKED: usize = 12;

/// Hosts that Chromium asks by itself, for its own sake: nobody is asked about them, and they stay closed.
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
    /// A question stands; `None` until it is answered.
    Asked(watch::Receiver<Option<bool>>),
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
        match self.known().get(&Place::of(host, port)) {
            Some(Standing::Open) => Ok(()),
            Some(Standing::Closed { until }) if *until > Instant::now() => Err(Refusal::SaidNo),
            Some(Standing::Closed { .. } | Standing::Asked(_)) | None => Err(Refusal::Unasked),
        }
    }

    /// Waits until a person has answered about a place, and asks them if nobody did.
    pub(super) async fn settle(&self, host: &Host, port: u16) {
        if matches!(host, Host::Name(name) if OF_CHROMIUM.contains(&name.as_str())) {
            return;
        }
        let Some(mut answered) = self.ask(host, port) else { return };
        // Too late, or the sandbox is over: the place is as it was.
        let _ = tokio::time::timeout(PATIENCE, answered.wait_for(Option::is_some)).await;
    }

    /// Returns the answer to come; `None` where there is one already, or nobody can be asked.
    fn ask(&self, host: &Host, port: u16) -> Option<watch::Receiver<Option<bool>>> {
        let place = Place::of(host, port);
        let mut known = self.known();
        match known.get(&place) {
            Some(Standing::Open) => return None,
            Some(Standing::Closed { until }) if *until > Instant::now() => return None,
            Some(Standing::Asked(answered)) => return Some(answered.clone()),
            Some(Standing::Closed { .. }) | None => {}
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
        let (tell, answered) = watch::channel(None);
        known.insert(place.clone(), Standing::Asked(answered.clone()));
        drop(known);
        let places = self.clone();
        tokio::spawn(async move {
            let answer = answering.await.ok();
            match answer {
                Some(true) => places.known().insert(place, Standing::Open),
                Some(false) => places.known().insert(place, Standing::Closed { until: Instant::now() + NO_COUNTS }),
                None => places.known().remove(&place),
            };
            tell.send_replace(Some(answer.unwrap_or(false)));
        });
        Some(answered)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Place, Standing>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
