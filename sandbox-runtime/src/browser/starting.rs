//! New targets stand still until each of those who prepare them has let them go.
//!
//! Chromium lets a paused page's scripts go at the first `Runtime.runIfWaitingForDebugger`, and its requests when every session
//! has said it. So all words are passed on together, when the last has said it: the runtime itself, and each outside client
//! that was told of the paused target.
//!
//! ```text
//!   attached (paused) ─▶ ours is prepared ─▶ barrier: every client was told ─┐
//!                        clients prepare it, and let it go one by one ───────┴─▶ every word goes to Chromium
//! ```

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::pipe::Pipe;

/// How long a client may take over a new target; a page of the agent's or the person's waits for it no longer.
const PATIENCE: Duration = Duration::from_secs(30);
const GO: &str = "Runtime.runIfWaitingForDebugger";

/// The targets that stand still.
#[derive(Default)]
pub struct Starting {
    targets: Mutex<HashMap<String, Start>>,
    /// Clients that are connected: without any, nothing is waited for.
    clients: AtomicUsize,
}

#[derive(Debug, Default)]
struct Start {
    /// The runtime's own session, once it was told.
    ours: Option<String>,
    /// Whether every client has been told of the target, if it is to be told.
    all_told: bool,
    /// Sessions of clients that have not let it go yet.
    waiting: BTreeSet<String>,
    /// Sessions of clients that have let it go, and whose word was kept back.
    early: Vec<String>,
}

impl Start {
    /// Whether nobody is waited for.
    fn is_done(&self) -> bool {
        self.waiting.is_empty() && (self.ours.is_none() || self.all_told)
    }

    /// Returns the sessions that are to let it go.
    fn sessions(self) -> Vec<String> {
        self.ours.into_iter().chain(self.early).collect()
    }
}

/// Lets a target go in each of these sessions.
pub fn go(pipe: &Pipe, sessions: &[String]) {
    for session in sessions {
        pipe.note(Some(session), GO, json!({}));
    }
}

impl Starting {
    pub fn client_came(&self) {
        self.clients.fetch_add(1, Ordering::Relaxed);
    }

    pub fn client_left(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }

    /// The runtime has prepared a target in its own session: it goes as soon as nobody else waits.
    pub fn prepared(self: &Arc<Self>, pipe: &Pipe, target: &str, session: &str, is_paused: bool) {
        if !is_paused || self.clients.load(Ordering::Relaxed) == 0 {
            pipe.note(Some(session), GO, json!({}));
            return;
        }
        self.lock().entry(target.to_owned()).or_default().ours = Some(session.to_owned());
        let (starting, target) = (self.clone(), target.to_owned());
        // Chromium tells everyone of a new target at once: what it answers now comes after that.
        pipe.note_then(None, "Browser.getVersion", json!({}), move |pipe, _| starting.all_told(pipe, target));
    }

    fn all_told(self: &Arc<Self>, pipe: &Pipe, target: String) {
        let mut targets = self.lock();
        let Some(start) = targets.get_mut(&target) else { return };
        start.all_told = true;
        if start.waiting.is_empty() {
            let start = targets.remove(&target).unwrap_or_default();
            go(pipe, &start.sessions());
            return;
        }
        drop(targets);
        let (starting, pipe) = (self.clone(), pipe.clone());
        // Ends by itself.
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            let late = starting.lock().remove(&target);
            if let Some(start) = late {
                tracing::warn!("a client did not let a new page go; it goes without it");
                let silent: Vec<String> = start.waiting.iter().cloned().collect();
                go(&pipe, &silent);
                go(&pipe, &start.sessions());
            }
        });
    }

    /// A client knows of a target that stands still.
    pub fn waits(&self, target: &str, session: &str) {
        self.lock().entry(target.to_owned()).or_default().waiting.insert(session.to_owned());
    }

    /// A client lets a target go. Its word is passed on if this returns something: after those of the sessions that are named.
    /// Otherwise others prepare the target still, and the word is kept back.
    pub fn lets_go(&self, target: &str, session: &str) -> Option<Vec<String>> {
        let mut targets = self.lock();
        let Some(start) = targets.get_mut(target) else { return Some(Vec::new()) };
        start.waiting.remove(session);
        if !start.is_done() {
            start.early.push(session.to_owned());
            return None;
        }
        Some(targets.remove(target).unwrap_or_default().sessions())
    }

    /// A client is gone without a word; a target for which only it was waited goes.
    pub fn left(&self, pipe: &Pipe, target: &str, session: &str) {
        let sessions = {
            let mut targets = self.lock();
            let Some(start) = targets.get_mut(target) else { return };
            if !start.waiting.remove(session) || !start.is_done() {
                return;
            }
            targets.remove(target).unwrap_or_default().sessions()
        };
        go(pipe, &sessions);
    }

    /// A target is gone.
    pub fn gone(&self, target: &str) {
        self.lock().remove(target);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Start>> {
        // Each entry stands for itself.
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of these sessions, letting go in this order, is answered.
    fn last_words(told: &[&str], all_told: bool, order: &[&str]) -> Vec<Option<Vec<String>>> {
        let starting = Starting::default();
        {
            let mut targets = starting.lock();
            let start = targets.entry("t".to_owned()).or_default();
            start.ours = Some("ours".to_owned());
            start.all_told = all_told;
        }
        for session in told {
            starting.waits("t", session);
        }
        order.iter().map(|session| starting.lets_go("t", session)).collect()
    }

    #[test]
    fn with_the_last_word_all_are_passed_on() {
        let all = |sessions: &[&str]| Some(sessions.iter().map(|session| (*session).to_owned()).collect::<Vec<_>>());
        assert_eq!(last_words(&["a", "b"], true, &["a", "b"]), [None, all(&["ours", "a"])]);
        assert_eq!(last_words(&["a"], true, &["a"]), [all(&["ours"])]);
    }

    #[test]
    fn until_everyone_was_told_nobody_has_the_last_word() {
        assert_eq!(last_words(&["a"], false, &["a"]), [None]);
    }

    #[test]
    fn a_target_that_only_clients_know_and_one_that_runs_go_by_their_own_word() {
        let starting = Starting::default();
        starting.waits("worker", "a");
        assert!(starting.lets_go("worker", "a").is_some());
        assert!(starting.lets_go("runs already", "a").is_some());
        starting.waits("gone", "a");
        starting.gone("gone");
        assert!(starting.lets_go("gone", "a").is_some());
    }
}
