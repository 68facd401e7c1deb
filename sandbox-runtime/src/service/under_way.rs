//! What runs now, for whoever is about to end the runtime.

use sandbox_core::model::AgentStatus;
use serde::Serialize;

use super::Service;

/// Counts of what an end of the runtime would stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnderWay {
    /// Tasks that would be stopped.
    pub tasks: usize,
    /// Tasks that wait for a person, and go on with the next runtime.
    pub waiting: usize,
    /// Sandboxes without a task.
    pub sandboxes: usize,
}

impl UnderWay {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Service {
    /// Returns what runs now.
    pub fn under_way(&self) -> UnderWay {
        let mut counted = UnderWay::default();
        for driver in self.drivers().values().filter(|driver| !driver.is_over()) {
            if driver.waits_for_the_next_runtime() {
                counted.waiting += 1;
                continue;
            }
            match driver.sandbox().agent.status {
                AgentStatus::Running | AgentStatus::Waiting => counted.tasks += 1,
                AgentStatus::Off | AgentStatus::Idle => counted.sandboxes += 1,
            }
        }
        counted
    }
}
