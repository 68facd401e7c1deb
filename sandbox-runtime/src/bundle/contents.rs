//! What a bundle is made of, and what its events show.

use sandbox_core::event::{Event, EventData};
use sandbox_core::model::{Approval, Artifact, Handoff, NetworkDestination, Task};

use crate::store::Chained;

/// A task, and every record that belongs to it.
#[derive(Clone, Debug)]
pub struct Contents {
    pub task: Task,
    pub events: Chained,
    pub handoffs: Vec<Handoff>,
    pub approvals: Vec<Approval>,
    /// Of its sandbox as a whole: bytes are counted for no task alone.
    pub network: Vec<NetworkDestination>,
    /// Those that the task kept, and the recordings of its sandbox.
    pub artifacts: Vec<Artifact>,
}

/// Returns the events that this version can read of what the chain holds.
pub fn read_events(chained: &Chained) -> Vec<Event> {
    chained.lines.iter().filter_map(|one| serde_json::from_str(&one.line).ok()).collect()
}

/// Returns the hash of the picture that an event shows.
pub fn picture_of(event: &Event) -> Option<&str> {
    match &event.data {
        EventData::AgentAction(done) => done.picture.as_deref(),
        _ => None,
    }
}
