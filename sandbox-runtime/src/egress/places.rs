//! Places that nobody named: a person is asked once for each, and every program that wants to go there waits for the answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox_core::policy::{Host, Pattern, Place, Refusal};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// How long a program waits for an answer. The question stays open, and its answer counts for the next try.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a no counts. Then the person is asked again: they may have changed their mind.
const DENIAL_LASTS: Duration = Duration::from_secs(600);
/// Most questions that stand at a time. A page of many trackers asks for no more than these.
const MOST_ASKED: usize = 12;

/// Most connections that wait at a time; more are refused. Chromium opens 32 to one proxy: what is open already needs some.
const MOST_WAITING: usize = 24;

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
    pub answer: oneshot::Sender<PlaceAnswer>,
}

/// What was said about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceAnswer {
    /// These lines of `network.allow` are open from now on. They may be less than the place: the rest is asked about again.
    Open(Vec<String>),
    Closed,
}

/// What is known of the places that a sandbox wanted to reach. Its rooms share it. Cheap to clone.
#[derive(Clone)]
pub struct Places {
    asks: mpsc::Sender<NewPlace>,
    known: Arc<watch::Sender<Known>>,
    seats: Arc<Semaphore>,
}

#[derive(Default)]
struct Known {
    /// What was opened so far, by an answer or by a task's own words.
    opened: Vec<Pattern>,
    others: BTreeMap<Place, Standing>,
}

enum Standing {
    Asked,
    Closed {
        until: Instant,
    },
    /// Whoever was asked is gone. Nothing is decided, and the next one asks again.
    Dropped,
}

impl Known {
    /// Whether a place is open, as far as anybody has said.
    fn standing(&self, host: &Host, port: u16) -> Result<(), Refusal> {
        if self.opened.iter().any(|pattern| pattern.matches(host, port)) {
            return Ok(());
        }
        match self.others.get(&Place::of(host, port)) {
            Some(Standing::Closed { until }) if *until > Instant::now() => Err(Refusal::SaidNo),
            Some(Standing::Closed { .. } | Standing::Asked | Standing::Dropped) | None => Err(Refusal::Unasked),
        }
    }

    /// Whether a question stands whose answer decides about it.
    fn is_asked(&self, host: &Host, port: u16) -> bool {
        let is_asked = matches!(self.others.get(&Place::of(host, port)), Some(Standing::Asked));
        is_asked && self.standing(host, port) == Err(Refusal::Unasked)
    }

    fn answered(&mut self, place: Place, answer: Option<PlaceAnswer>) {
        match answer {
            Some(PlaceAnswer::Open(lines)) => {
                self.others.remove(&place);
                let lines = lines.iter().filter_map(|line| line.parse().ok());
                let new: Vec<Pattern> = lines.filter(|pattern| !self.opened.contains(pattern)).collect();
                self.opened.extend(new);
            }
            Some(PlaceAnswer::Closed) => {
                self.others.insert(place, Standing::Closed { until: Instant::now() + DENIAL_LASTS });
            }
            None => {
                self.others.insert(place, Standing::Dropped);
            }
        }
    }

    fn n_asked(&self) -> usize {
        self.others.values().filter(|standing| matches!(standing, Standing::Asked)).count()
    }
}

impl Places {
    /// Sends each new place to `asks`.
    pub fn new(asks: mpsc::Sender<NewPlace>) -> Self {
        Self { asks, known: Arc::default(), seats: Arc::new(Semaphore::new(MOST_WAITING)) }
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
        self.known.borrow().standing(host, port)
    }

    /// Waits until a person has answered about a place, and asks them if nobody did.
    pub(super) async fn settle(&self, host: &Host, port: u16) {
        if matches!(host, Host::Name(name) if OF_CHROMIUM.contains(&name.as_str())) {
            return;
        }
        let Ok(_seat) = self.seats.try_acquire() else {
            self.ask(host, port);
            return;
        };
        let mut known = self.known.subscribe();
        let settled = async {
            while self.ask(host, port) {
                // Fails only without a sender, which `self` keeps.
                let Ok(known) = known.wait_for(|known| !known.is_asked(host, port)).await else { return };
                if matches!(known.others.get(&Place::of(host, port)), Some(Standing::Dropped)) {
                    return;
                }
            }
        };
        // Too late: the place is as it was.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }

    /// Asks about a place, unless somebody was asked, has answered, or too many questions stand. Answers whether a question
    /// stands now.
    fn ask(&self, host: &Host, port: u16) -> bool {
        let place = Place::of(host, port);
        let (answer, answering) = oneshot::channel();
        let mut stands = false;
        let is_new = self.known.send_if_modified(|known| {
            stands = known.is_asked(host, port);
            if stands || known.standing(host, port) != Err(Refusal::Unasked) || known.n_asked() >= MOST_ASKED {
                return false;
            }
            let asked = NewPlace { place: place.clone(), address: address_of(host, port), answer };
            stands = self.asks.try_send(asked).is_ok();
            if stands {
                known.others.insert(place.clone(), Standing::Asked);
            }
            stands
        });
        if is_new {
            let known = self.known.clone();
            tokio::spawn(async move {
                let answer = answering.await.ok();
                known.send_modify(|known| known.answered(place, answer));
            });
        }
        stands
    }
}

fn address_of(host: &Host, port: u16) -> String {
    match port {
        80 => format!("http://{host}"),
        443 => format!("https://{host}"),
        _ => format!("https://{host}:{port}"),
    }
}
