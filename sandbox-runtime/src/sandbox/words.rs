//! What a room says on standard error: passed to the log, its newest end kept, to explain a failure.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How much is kept, in bytes.
const KEPT: usize = 4096;

/// The words themselves. Cheap to clone: all clones are one.
#[derive(Clone, Default)]
pub struct Words(Arc<Mutex<VecDeque<u8>>>);

impl Words {
    /// Adds what was said.
    pub fn add(&self, said: &[u8]) {
        tracing::debug!(target: "room", "{}", String::from_utf8_lossy(said).trim_end());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(said);
        let too_much = kept.len().saturating_sub(KEPT);
        kept.drain(..too_much);
    }

    /// Returns the end of what was said so far.
    pub fn end(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous()).into_owned()
    }
}

/// Words that a task reads from a stream.
pub struct Followed {
    words: Words,
    reader: Option<JoinHandle<()>>,
}

impl Followed {
    pub fn start(stderr: Option<impl AsyncRead + Send + Unpin + 'static>) -> Self {
        let words = Words::default();
        let reader = stderr.map(|stderr| tokio::spawn(follow(stderr, words.clone())));
        Self { words, reader }
    }

    /// Returns what was said last, once the room is gone.
    pub async fn last(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = timeout(Duration::from_secs(1), reader).await;
        }
        self.words.end()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

async fn follow(stderr: impl AsyncRead + Unpin, words: Words) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => words.add(&line),
        }
    }
}
