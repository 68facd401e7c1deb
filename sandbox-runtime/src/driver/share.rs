//! The turn that outside clients of the debugging protocol share.
//!
//! A program that drives a page by hand sends many small commands, several at once, some of which wait for others.
//! So they do not take turns among themselves: whoever comes while a turn is under way joins it, and together they count as
//! one action in flight. A turn takes nobody in after [`JOINABLE`] and is over after [`LONGEST`] even if an answer is
//! still awaited, so that the task gets its own turns beside a client that never rests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Driver;
use super::refusal::Refusal;
use crate::agent::Turn;
use crate::browser::Permit;

/// For how long a turn takes in more commands.
const JOINABLE: Duration = Duration::from_secs(1);
/// After which a turn is over, whatever is still awaited: as long as control waits for an action to settle.
const LONGEST: Duration = Duration::from_secs(2);
/// For how long a turn waits for more when everything is answered: asking anew costs more than a command.
const LINGER: Duration = Duration::from_millis(25);

/// The turn under way, if there is one.
#[derive(Default)]
pub struct Share {
    current: Mutex<Weak<SharedTurn>>,
    /// Held by whoever asks for a turn, so that the others join theirs.
    asking: tokio::sync::Mutex<()>,
}

/// A part in the turn; the turn is over when nobody has one any more.
pub struct SharedTurn {
    permit: Permit,
    began: Instant,
    /// Taken out when the turn is over.
    turn: Mutex<Option<Turn>>,
}

impl Driver {
    /// Waits for a turn that outside clients share; joins one that another client was given meanwhile.
    ///
    /// # Errors
    ///
    /// A person drives or is asked, or the sandbox is over.
    pub async fn begin_shared(&self) -> Result<Arc<SharedTurn>, Refusal> {
        let share = self.share();
        let _asking = share.asking.lock().await;
        match share.join() {
            Some(turn) => Ok(turn),
            None => Ok(share.open(self.begin().await?)),
        }
    }
}

impl Share {
    /// Joins the turn under way; `None` when a new one is to be asked for.
    pub fn join(&self) -> Option<Arc<SharedTurn>> {
        let current = self.lock().upgrade()?;
        if current.began.elapsed() >= JOINABLE {
            // What is still awaited no longer counts: others may be waiting for their turn.
            current.end();
            return None;
        }
        let lives = current.lock().as_ref().is_some_and(|turn| !turn.cancelled.is_cancelled());
        lives.then_some(current)
    }

    /// Opens a turn that others may join.
    pub fn open(&self, turn: Turn) -> Arc<SharedTurn> {
        let cancelled = turn.cancelled.clone();
        let permit = turn.permit.clone();
        let shared = Arc::new(SharedTurn { permit, began: Instant::now(), turn: Mutex::new(Some(turn)) });
        *self.lock() = Arc::downgrade(&shared);
        let lingering = shared.clone();
        let watched = Arc::downgrade(&shared);
        // Ends by itself: with the turn, or at its limit.
        tokio::spawn(async move {
            let linger = tokio::time::timeout(LINGER, cancelled.cancelled()).await;
            drop(lingering);
            if linger.is_err() {
                // Late is as good as cancelled: the turn is over.
                let _ = tokio::time::timeout(LONGEST, cancelled.cancelled()).await;
            }
            if let Some(turn) = watched.upgrade() {
                turn.end();
            }
        });
        shared
    }

    fn lock(&self) -> MutexGuard<'_, Weak<SharedTurn>> {
        // A single value, put whole.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedTurn {
    pub fn permit(&self) -> Permit {
        self.permit.clone()
    }

    fn end(&self) {
        let turn = self.lock().take();
        drop(turn);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Turn>> {
        // A single value, taken whole.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use sandbox_core::Lease;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::browser::Gate;

    fn turn() -> (Turn, CancellationToken, Arc<AtomicBool>) {
        let (cancelled, settled) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let told = settled.clone();
        let permit = Gate::default().permit(Lease(1));
        let turn = Turn::new(permit, true, cancelled.clone(), move |_| told.store(true, Ordering::SeqCst));
        (turn, cancelled, settled)
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_over_when_everything_is_answered_and_nothing_came_for_a_moment() {
        let share = Share::default();
        let (turn, _, settled) = turn();
        let first = share.open(turn);
        let second = share.join().expect("it is under way");
        drop(first);
        tokio::time::sleep(LINGER * 2).await;
        assert!(!settled.load(Ordering::SeqCst), "one is not answered");
        drop(second);
        assert!(settled.load(Ordering::SeqCst));
        assert!(share.join().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_does_not_keep_the_turn() {
        let share = Share::default();
        let (turn, _, settled) = turn();
        let _unanswered = share.open(turn);
        tokio::time::sleep(LONGEST + LINGER * 2).await;
        assert!(settled.load(Ordering::SeqCst));
        assert!(share.join().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_who_takes_over_waits_for_no_answer() {
        let share = Share::default();
        let (turn, cancelled, settled) = turn();
        let _unanswered = share.open(turn);
        cancelled.cancel();
        assert!(share.join().is_none());
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(settled.load(Ordering::SeqCst));
    }
}
