//! A few threads that read, each with a connection of its own; a slow search leaves the others free.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::connection::{self, Way};

const THREADS: usize = 3;
/// How many questions may wait; a caller beyond that waits for room.
const QUEUE: usize = 256;

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

pub(super) struct Readers {
    questions: mpsc::Sender<Question>,
}

impl Readers {
    /// Starts the threads; they end when the last `Readers` is dropped.
    pub(super) fn start(path: &Path, way: Way) -> Result<(Self, Vec<JoinHandle<()>>), StoreError> {
        let (questions, received) = mpsc::channel(QUEUE);
        let received = Arc::new(Mutex::new(received));
        let connections = (0..THREADS).map(|_| connection::reader(path, way)).collect::<Result<Vec<_>, _>>()?;
        let threads = connections
            .into_iter()
            .map(|db| {
                let received = received.clone();
                let thread = thread::Builder::new().name("history-reader".to_owned());
                thread.spawn(move || serve(db, &received)).map_err(StoreError::io("start a reader of", path))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok((Self { questions }, threads))
    }

    /// Runs `read` on one of the threads, within one transaction: all that it reads is of the same moment.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |db| {
            let result = db.transaction().map_err(StoreError::from).and_then(|snapshot| read(&snapshot));
            // A caller that went away does not want the answer.
            let _ = answer.send(result);
        });
        self.questions.send(question).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn serve(mut db: Connection, questions: &Mutex<mpsc::Receiver<Question>>) {
    loop {
        // The one that holds the lock waits for the next question, the others for the lock.
        let question = questions.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(question) = question else { return };
        question(&mut db);
    }
}
