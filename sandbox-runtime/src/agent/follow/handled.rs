//! What came of a tool call: for the model, and for the story.

use sandbox_core::event::{ActionError, AgentAction};

use super::entry::Did;
use super::fence::{Shown, Source};

/// What was done, and what the story says about it.
#[derive(Default)]
pub struct Handled {
    pub did: Did,
    /// Its event, without what every action has: step, name, arguments.
    pub event: AgentAction,
    /// PNG that the model wanted to see.
    pub picture: Option<Vec<u8>>,
}

impl Handled {
    pub fn said(said: impl Into<String>) -> Self {
        let mut handled = Self::default();
        handled.did.said = said.into();
        handled
    }

    /// Something that was not done, in our own words.
    pub fn not_done(why: impl Into<String>) -> Self {
        let mut handled = Self::said(why);
        handled.did.failed = true;
        handled.event.error = Some(ActionError::new(&handled.did.said));
        handled
    }

    pub fn with(mut self, source: Source, text: impl Into<String>) -> Self {
        self.did.shown.push(Shown::new(source, text));
        self
    }
}
