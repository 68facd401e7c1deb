//! What models say while they say it: shown to whoever listens now, kept nowhere. The step's event holds the whole.

use sandbox_core::TaskId;
use tokio::sync::broadcast;

/// How many pieces a listener may lag behind before it misses some; the step's event holds them all.
const LAG: usize = 1024;

/// A piece of what the model of a task says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub task_id: TaskId,
    pub text: String,
}

/// The speech of all tasks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Speech {
    said: broadcast::Sender<Words>,
}

impl Default for Speech {
    fn default() -> Self {
        Self { said: broadcast::channel(LAG).0 }
    }
}

impl Speech {
    pub fn say(&self, words: Words) {
        // Nobody has to listen.
        let _ = self.said.send(words);
    }

    pub fn listen(&self) -> broadcast::Receiver<Words> {
        self.said.subscribe()
    }
}
