//! Closing the window, and quitting: what runs is not ended without asking, and whatever ends is ended properly.
//!
//! ```text
//!   close ─┬─ nothing runs ─────────────▶ quit
//!          ├─ "quit" was chosen ────────▶ ask ─▶ quit
//!          ├─ a tray shows our icon ────▶ hide
//!          └─ no tray ──────────────────▶ minimise
//!   quit ──┬─ nothing runs ─▶ end the runtime, exit
//!          └─ else ─────────▶ show the window, ask in it
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox_runtime::service::UnderWay;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager};

use crate::runtime::Baton;
use crate::{notices, tray, window};

/// Told to the page, which asks the person.
const QUIT_ASKED: &str = "quit-asked";
const FILE: &str = "window.json";
/// A page that has not shown the question by then shows nothing: whoever asks again means it.
const PAGE_LIMIT: Duration = Duration::from_secs(5);

/// What the person chose for the window, and what they were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Choices {
    /// Whether closing the window leaves running what runs.
    keeps_running: bool,
    was_told: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self { keeps_running: true, was_told: false }
    }
}

pub struct Closing {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    choices: Choices,
    asked: Option<Asked>,
    is_quitting: bool,
}

/// The page was told to ask.
struct Asked {
    at: Instant,
    is_shown: bool,
}

impl Closing {
    /// Reads what was chosen before; a file that cannot be read counts as none.
    pub fn beneath(home: &Path) -> Self {
        let path = home.join(FILE);
        let choices = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { path, state: Mutex::new(State { choices, asked: None, is_quitting: false }) }
    }

    pub fn keeps_running(&self) -> bool {
        self.state().choices.keeps_running
    }

    pub fn choose(&self, keeps_running: bool) -> std::io::Result<()> {
        let mut state = self.state();
        state.choices.keeps_running = keeps_running;
        self.save(state.choices)
    }

    /// The page shows the question.
    pub fn question_is_shown(&self) {
        if let Some(asked) = &mut self.state().asked {
            asked.is_shown = true;
        }
    }

    /// The person goes on.
    pub fn question_is_answered(&self) {
        self.state().asked = None;
    }

    /// Whether to tell the person now that things go on without a window. Told once.
    fn is_to_tell(&self) -> bool {
        let mut state = self.state();
        if std::mem::replace(&mut state.choices.was_told, true) {
            return false;
        }
        if let Err(error) = self.save(state.choices) {
            tracing::warn!(%error, "it could not be noted that the person was told");
        }
        true
    }

    /// Notes that the page is told to ask; `false` where it was told before and shows nothing.
    fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.state();
        match &state.asked {
            Some(asked) if !asked.is_shown && now.duration_since(asked.at) > PAGE_LIMIT => false,
            Some(asked) if !asked.is_shown => true,
            Some(_) | None => {
                state.asked = Some(Asked { at: now, is_shown: false });
                true
            }
        }
    }

    /// Whether this is the first to begin quitting.
    fn begins_quitting(&self) -> bool {
        !std::mem::replace(&mut self.state().is_quitting, true)
    }

    fn save(&self, choices: Choices) -> std::io::Result<()> {
        std::fs::write(&self.path, serde_json::to_vec(&choices)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment: no panic leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The person closed the window, which is still open.
pub async fn close(app: AppHandle) {
    let under_way = app.state::<Baton>().api.service().under_way();
    let closing = app.state::<Closing>();
    if under_way.is_nothing() {
        return end(app).await;
    }
    if !closing.keeps_running() {
        return ask(&app, &under_way).await;
    }
    let has_tray = tray::is_shown(&app).await;
    if has_tray {
        window::hide(&app);
    } else {
        window::minimise(&app);
    }
    if closing.is_to_tell() {
        notices::say("Baton keeps running", &going_on(&under_way, has_tray));
    }
}

/// The person wants to quit.
pub async fn quit(app: AppHandle) {
    let under_way = app.state::<Baton>().api.service().under_way();
    if under_way.is_nothing() { end(app).await } else { ask(&app, &under_way).await }
}

async fn ask(app: &AppHandle, under_way: &UnderWay) {
    if !app.state::<Closing>().may_ask(Instant::now()) {
        return end(app.clone()).await;
    }
    window::show(app);
    if let Err(error) = window::tell(app, QUIT_ASKED, under_way) {
        tracing::warn!(%error, "the page could not be told to ask");
    }
}

/// Ends the runtime, then the application.
pub async fn end(app: AppHandle) {
    if !app.state::<Closing>().begins_quitting() {
        return;
    }
    window::hide(&app);
    app.state::<Baton>().stop().await;
    app.exit(0);
}

fn going_on(under_way: &UnderWay, has_tray: bool) -> String {
    let how = if has_tray {
        "Its icon in the tray shows the window again and quits."
    } else {
        "Start it again to see the window. Ctrl Q in the window quits."
    };
    format!("{} {how}", words(under_way))
}

/// Says what runs: `2 tasks run, 1 task waits for you.`
fn words(under_way: &UnderWay) -> String {
    let several = |n: usize, one: &str, more: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {more}")),
    };
    let parts = [
        several(under_way.tasks, "task runs", "tasks run"),
        several(under_way.waiting, "task waits for you", "tasks wait for you"),
        several(under_way.sandboxes, "sandbox is open", "sandboxes are open"),
    ];
    format!("{}.", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_and_told_outlives_the_application() {
        let home = tempfile::tempdir().unwrap();
        let first = Closing::beneath(home.path());
        assert!(first.keeps_running());
        assert!(first.is_to_tell());
        assert!(!first.is_to_tell(), "said once");
        first.choose(false).unwrap();
        let second = Closing::beneath(home.path());
        assert!(!second.keeps_running());
        assert!(!second.is_to_tell());
    }

    #[test]
    fn a_page_that_shows_nothing_does_not_keep_a_person_from_quitting() {
        let home = tempfile::tempdir().unwrap();
        let closing = Closing::beneath(home.path());
        let start = Instant::now();
        assert!(closing.may_ask(start));
        assert!(closing.may_ask(start + Duration::from_secs(1)), "the page may be slow");
        assert!(!closing.may_ask(start + Duration::from_secs(6)), "it shows nothing");
        closing.question_is_shown();
        assert!(closing.may_ask(start + Duration::from_secs(60)), "a question that is shown is answered in the page");
    }

    #[test]
    fn what_runs_is_said_in_words() {
        let under_way = UnderWay { tasks: 2, waiting: 1, sandboxes: 0 };
        assert_eq!(words(&under_way), "2 tasks run, 1 task waits for you.");
        assert_eq!(words(&UnderWay { tasks: 0, waiting: 0, sandboxes: 3 }), "3 sandboxes are open.");
    }
}
