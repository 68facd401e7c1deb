//! The runtime stops: work that waits for a person is left as it is, and the next runtime goes on with it.

use sandbox_core::model::{Handoff, HandoffStatus, RequestedBy};

use super::actor::Actor;
use super::refusal::Reply;
use super::{Driver, Kit};
use crate::browser::forget_open_pages;

impl Actor {
    /// Ends what runs for the sandbox. Its records stay as they are where its task waits for a person; else the sandbox
    /// ends.
    pub(super) async fn leave(&mut self, answer: Reply<()>) {
        if self.leave_paused().await {
            self.left = true;
            self.ending.push(answer);
            return;
        }
        if !self.driver.waits_for_the_next_runtime() {
            return self.end(Some(answer)).await;
        }
        self.stop_recording().await;
        self.leave_task();
        self.stop_rooms().await;
        self.keep_recordings().await;
        let profile = self.kit.profile.clone();
        // What the browser kept of its pages holds what was typed into them.
        let forgotten = tokio::task::spawn_blocking(move || forget_open_pages(&profile)).await;
        if let Ok(Err(error)) = forgotten {
            tracing::warn!(%error, "open pages of a profile could not be forgotten");
        }
        self.left = true;
        self.ending.push(answer);
    }
}

impl Driver {
    /// Whether its task waits for a person, and a later runtime can go on with it.
    pub fn waits_for_the_next_runtime(&self) -> bool {
        let shared = self.shared.borrow();
        let is_standing = |handoff: &Handoff| match handoff.status {
            HandoffStatus::Pending | HandoffStatus::Accepted => handoff.requested_by == RequestedBy::Agent,
            HandoffStatus::Completed | HandoffStatus::Cancelled | HandoffStatus::Expired => false,
        };
        // Values of variables are kept nowhere: without them its commands would do something else.
        shared.has_task && shared.sandbox.handoff.as_ref().is_some_and(is_standing) && self.kit.foreign_env().is_empty()
    }
}

impl Kit {
    /// Names the variables of the sandbox's commands that somebody gave it.
    pub(super) fn foreign_env(&self) -> Vec<String> {
        self.env.keys().filter(|name| !self.own_env.contains(*name)).cloned().collect()
    }
}
