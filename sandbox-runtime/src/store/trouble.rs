//! What is wrong with the files of the history: met when it was opened, found by the check in the background, or when a
//! content was read. A caller shows it: history that is gone from sight is no small thing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One thing that is wrong, as a sentence; [`Trouble::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("the history was damaged ({cause}); a new one was begun")]
    SetAside { kept_at: PathBuf, cause: String },
    /// The log was damaged or removed while nothing ran.
    #[error("the newest {events} events are missing: the log of the history was damaged or removed")]
    EventsLost { events: u64, log_kept_at: Option<PathBuf> },
    /// Found while running.
    #[error("the history is damaged: {cause}")]
    Damaged { cause: String },
    #[error("the content {sha256} is not the one that was kept; it was changed on the disk")]
    ContentChanged { sha256: String },
    #[error("the disk is full: nothing new is taken, only what must be written is kept")]
    Full,
}

impl Trouble {
    /// Returns what a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::SetAside { kept_at, .. } => format!("the damaged file is kept at {}", kept_at.display()),
            Self::EventsLost { log_kept_at: Some(kept_at), .. } => format!("the log is kept at {}", kept_at.display()),
            Self::EventsLost { log_kept_at: None, .. } => {
                "restore history.db-wal from a backup, if there is one".into()
            }
            Self::Damaged { .. } => {
                "export what is needed, then start again: the damaged file is kept and a new one is begun".into()
            }
            Self::ContentChanged { .. } => "save the artifact again, or restore blobs/ from a backup".into(),
            Self::Full => "free some space; artifacts can be exported and deleted meanwhile".into(),
        }
    }
}

/// What was found while running. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Findings {
    found: Arc<Mutex<Found>>,
}

#[derive(Default)]
struct Found {
    damage: Option<String>,
    changed_contents: BTreeSet<String>,
}

impl Findings {
    pub fn damaged(&self, cause: String) {
        tracing::error!(cause, "the history is damaged");
        self.lock().damage = Some(cause);
    }

    pub fn content_changed(&self, sha256: &str) {
        tracing::error!(sha256, "a content was changed on the disk");
        self.lock().changed_contents.insert(sha256.to_owned());
    }

    /// The content was kept again.
    pub fn content_mended(&self, sha256: &str) {
        self.lock().changed_contents.remove(sha256);
    }

    pub fn all(&self) -> Vec<Trouble> {
        let found = self.lock();
        let damage = found.damage.clone().map(|cause| Trouble::Damaged { cause });
        let changed = found.changed_contents.iter().cloned().map(|sha256| Trouble::ContentChanged { sha256 });
        damage.into_iter().chain(changed).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        // Each change is one step: no panic leaves it half done.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
