//! The tasks of one connection: tunnels and connections upstream, all of which end with it.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

#[derive(Clone, Default)]
pub(super) struct Tasks(Arc<Mutex<JoinSet<()>>>);

/// Aborts the tasks when dropped. Tasks may hold [`Tasks`] themselves, so its own drop would come too late.
pub(super) struct Owner(Tasks);

impl Tasks {
    pub(super) fn owner(&self) -> Owner {
        Owner(self.clone())
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Waits until every task has ended, those that are spawned meanwhile too.
    pub(super) async fn finished(&self) {
        loop {
            let mut running = std::mem::take(&mut *self.lock());
            if running.is_empty() {
                return;
            }
            while running.join_next().await.is_some() {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        // A set of tasks is whole between any two calls: no panic can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().abort_all();
    }
}
