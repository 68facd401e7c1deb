//! A part of the sandbox that ended by itself, or hangs, is ended with its room, and the room is started again.
//!
//! ```text
//!   up ── lost ──▶ down ── started ──▶ up      (the other room goes on meanwhile)
//!                    └── not started, or lost too often ──▶ the sandbox has failed
//! ```
//!
//! The browser comes back with its profile, its cookies and the addresses of its tabs; what was typed into them is gone.
//! What ran in a shell room ends with it. Turns wait while the browser is away.

use std::path::Path;
use std::time::Duration;

use sandbox_core::control::State;
use sandbox_core::event::{BrowserFailed, BrowserReady, Recovered};
use sandbox_core::model::{Actor as By, Failure, PreviewStatus};
use sandbox_link::Link;
use sandbox_link::protocol::{Loss, Part};
use tokio::time::Instant;

use super::actor::Actor;
use super::cause::Cause;
use super::people::Naming;
use super::start::{Desktop, Life, Lost, Running, Starter, TABS_LIMIT};
use super::{Driver, Shared};
use crate::browser::{Browser, Remembered, forget_open_pages};

/// How often a room is started again at once.
const TRIES: u32 = 2;
/// Losses within [`LATELY`] after which the sandbox has failed.
const MOST_LOSSES: usize = 12;
const LATELY: Duration = Duration::from_secs(300);
/// A browser that is lost again so soon comes back without its tabs: one of them may be what ends it.
const TOO_SOON: Duration = Duration::from_secs(5);
/// How long callers wait for a room that is started again.
const BACK_LIMIT: Duration = Duration::from_secs(60);
/// How long the page may take to begin to note what a person touches.
const NAMING_LIMIT: Duration = Duration::from_secs(3);
/// By these names Chromium knows that another one uses its profile.
const LOCKS: [&str; 3] = ["SingletonLock", "SingletonCookie", "SingletonSocket"];

/// A room that was started again.
pub(super) enum Restarted {
    Shell(Running),
    Desktop(Desktop, Remembered),
}

/// Why a room is started again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    Lost(Lost),
    /// Somebody uses a browser that was stopped.
    Wanted,
}

impl Actor {
    pub(super) async fn part_lost(&mut self, lost: Lost) {
        if !self.sandbox.status.takes_work() {
            return;
        }
        // News of a room that was replaced, or is just being replaced, is old.
        let Some(life) = self.take_life(lost.number) else { return };
        tracing::warn!(sandbox = %self.sandbox.id, part = ?lost.part, loss = ?lost.loss, "a part was lost");
        let now = Instant::now();
        self.losses.retain(|at| now - *at < LATELY);
        let again_too_soon = self.losses.last().is_some_and(|at| now - *at < TOO_SOON);
        self.losses.push(now);
        if lost.part != Part::Shell {
            self.sandbox.preview.status = PreviewStatus::Starting;
            let failed = BrowserFailed { message: told(lost) };
            self.must_commit(vec![self.event(failed, By::System)]).await;
        }
        if self.losses.len() > MOST_LOSSES {
            life.end().await;
            let (times, minutes) = (self.losses.len(), LATELY.as_secs() / 60);
            let message = format!("{}; parts were lost {times} times in {minutes} minutes", told(lost));
            return self.lose(&message).await;
        }
        self.restart(Again::Lost(lost), life.end(), !again_too_soon);
        self.show();
    }

    /// Takes what keeps the room of that number, if it still runs.
    fn take_life(&mut self, number: u32) -> Option<Life> {
        // While rooms start, their start tells what fails.
        let rooms = self.rooms.as_mut()?;
        let desktop = rooms.desktop.as_mut().map(|desktop| &mut desktop.room);
        let room = [Some(&mut rooms.shell), desktop].into_iter().flatten().find(|room| room.number == number)?;
        room.life.take()
    }

    /// Starts a room again once the one before it has ended.
    pub(super) fn restart(&mut self, again: Again, ended: impl Future<Output = ()> + Send + 'static, with_tabs: bool) {
        let viewport = self.sandbox.preview.viewport;
        let Some(rooms) = &mut self.rooms else { return };
        rooms.started += 1;
        let (number, starter, inbox) = (rooms.started, rooms.starter.clone(), self.driver.inbox.clone());
        let remembered =
            rooms.desktop.as_ref().map(|desktop| desktop.browser.remembered(with_tabs)).unwrap_or_default();
        rooms.restarts.spawn(async move {
            ended.await;
            let mut tries = 1;
            let restarted = loop {
                let started = match again.part() {
                    Part::Shell => starter.shell(number).await.map(Restarted::Shell),
                    Part::Desktop | Part::Display | Part::Browser => {
                        clear_profile(&starter).await;
                        match starter.desktop(number, viewport).await {
                            Ok(desktop) => {
                                desktop.browser.give_cookies(&remembered).await;
                                Ok(Restarted::Desktop(desktop, remembered.clone()))
                            }
                            Err(failure) => Err(failure),
                        }
                    }
                };
                match started {
                    Err(failure) if tries < TRIES => {
                        tracing::warn!(message = failure.message, "a room did not start again");
                        tries += 1;
                    }
                    started => break started.map(Box::new),
                }
            };
            // An actor that ended meanwhile drops the room, which kills it.
            let _ = inbox.send(Cause::Restarted(again, restarted)).await;
        });
        while rooms.restarts.try_join_next().is_some() {}
    }

    pub(super) async fn restarted(&mut self, again: Again, restarted: Result<Box<Restarted>, Failure>) {
        if !self.sandbox.status.takes_work() {
            return;
        }
        let restarted = match restarted {
            Ok(restarted) => *restarted,
            Err(failure) => {
                let message = format!("{}, and could not be started again: {}", again.told(), failure.message);
                return self.lose(&message).await;
            }
        };
        let Some(rooms) = &mut self.rooms else { return };
        match restarted {
            Restarted::Shell(shell) => rooms.shell = shell,
            Restarted::Desktop(desktop, remembered) => {
                let (browser, number) = (desktop.browser.clone(), desktop.room.number);
                rooms.desktop = Some(Desktop { is_back: false, ..desktop });
                self.turns.others_acted();
                // Before any page comes: what it sends may have to be held, and what a person types is noted.
                self.sync_holding().await;
                // What was named of the browser before this one is worth nothing: its pages are gone.
                let is_prepared = self.takeover.take().is_some();
                if matches!(self.control.state(), State::Person { .. }) {
                    let named = tokio::time::timeout(NAMING_LIMIT, browser.before_takeover()).await;
                    self.takeover = named.ok().map(Naming::Done);
                } else if is_prepared {
                    self.prepare_takeover();
                }
                let Some(rooms) = &mut self.rooms else { return };
                let inbox = self.driver.inbox.clone();
                rooms.restarts.spawn(async move {
                    if tokio::time::timeout(TABS_LIMIT, browser.reopen(&remembered)).await.is_err() {
                        tracing::warn!("tabs of a browser that was started again still load");
                    }
                    // The actor may have ended.
                    let _ = inbox.send(Cause::Reopened(again, number)).await;
                });
                // Those who watch need not wait for the tabs.
                return self.show();
            }
        }
        self.tell_recovered(again).await;
    }

    /// The tabs are back in the room of that number.
    pub(super) async fn reopened(&mut self, again: Again, number: u32) {
        let desktop = self.rooms.as_mut().and_then(|rooms| rooms.desktop.as_mut());
        let Some(desktop) = desktop.filter(|desktop| desktop.room.number == number && desktop.room.life.is_some())
        else {
            return;
        };
        desktop.is_back = true;
        if self.sandbox.status.takes_work() {
            self.sandbox.preview.status = PreviewStatus::Ready;
            self.look_at_questions_again();
            self.tell_recovered(again).await;
        }
    }

    async fn tell_recovered(&mut self, again: Again) {
        let recovered = match again {
            Again::Lost(lost) => self.event(Recovered { part: lost.part, cause: lost.loss }, By::System),
            Again::Wanted => {
                // Whoever wanted it is about to use it.
                self.driver.activity.touch();
                self.event(BrowserReady {}, By::System)
            }
        };
        self.must_commit(vec![recovered]).await;
        self.grant_turns();
    }

    async fn lose(&mut self, message: &str) {
        let message = format!("{message}; what is in the workspace is kept");
        self.fail(Failure { code: "roomLost".to_owned(), message }).await;
    }

    /// Whether the browser is away, or its tabs are, and come back.
    pub(super) fn is_browser_away(&self) -> bool {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        self.is_desktop_down() || desktop.is_some_and(|desktop| !desktop.is_back)
    }

    /// Whether the desktop room is away, and comes back.
    pub(super) fn is_desktop_down(&self) -> bool {
        let desktop = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref());
        desktop.is_some_and(|desktop| desktop.room.life.is_none())
    }

    pub(super) fn is_shell_down(&self) -> bool {
        self.rooms.as_ref().is_some_and(|rooms| rooms.shell.life.is_none())
    }
}

impl Driver {
    /// Returns the way to the shell room; waits for one that is started again.
    pub async fn shell_when_up(&self) -> Option<Link> {
        self.when(|now| !now.shell_down).await?.shell.clone()
    }

    /// Returns the way to the desktop room; waits for one that is started again, and starts one that was stopped.
    pub async fn desktop_when_up(&self) -> Option<Link> {
        self.wake().await;
        self.when(|now| !now.desktop_down).await?.desktop.clone()
    }

    /// Returns the browser, with its tabs; waits for one that is started again, and starts one that was stopped.
    pub async fn browser_when_up(&self) -> Option<Browser> {
        self.wake().await;
        let is_up = |now: &Shared| !now.desktop_down && now.sandbox.preview.status != PreviewStatus::Starting;
        self.when(is_up).await?.browser.clone()
    }

    async fn when(&self, is_up: impl Fn(&Shared) -> bool) -> Option<std::sync::Arc<Shared>> {
        let mut shared = self.shared.clone();
        let up = shared.wait_for(|now| is_up(now) || !now.sandbox.status.takes_work());
        let found = tokio::time::timeout(BACK_LIMIT, up).await.ok()?.ok()?.clone();
        Some(found)
    }
}

/// Removes what an ended browser left in its profile: its pages, which hold what was typed into them, and its locks.
async fn clear_profile(starter: &Starter) {
    let profile = starter.kit.profile.clone();
    let cleared = tokio::task::spawn_blocking(move || {
        forget_open_pages(&profile)?;
        LOCKS.iter().try_for_each(|lock| remove(&profile.join(lock)))
    });
    match cleared.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a profile could not be cleared"),
        Err(error) => tracing::warn!(%error, "a profile could not be cleared"),
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Again {
    fn part(self) -> Part {
        match self {
            Self::Lost(lost) => lost.part,
            Self::Wanted => Part::Desktop,
        }
    }

    /// Says what happened, for people.
    fn told(self) -> String {
        match self {
            Self::Lost(lost) => told(lost),
            Self::Wanted => "the browser had been stopped".to_owned(),
        }
    }
}

/// Says what happened, for people.
fn told(lost: Lost) -> String {
    match lost.loss {
        Loss::Ended => format!("the {} ended by itself", lost.part),
        Loss::Hung => format!("the {} did not answer and was ended", lost.part),
    }
}
