//! The data directory: who owns it, who may read it, who runs on it.
//!
//! ```text
//! BATON_HOME (0700)
//!   lock            held for as long as a runtime lives; the system lets go of it however the runtime ends
//!   runtime.json    (0600) where the running runtime answers, and its token
//!   webhooks.key    (0600) what seals the secrets of webhooks in history.db
//!   history.db, blobs/, workspaces/, profiles/
//! ```
//!
//! Leaves to others what the folders inside hold.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sandbox_core::model::EpochMs;
use serde::{Deserialize, Serialize};

use super::{ErrorCode, ServiceError};

/// The environment variable that names the data directory.
pub const HOME_VARIABLE: &str = "BATON_HOME";

const PRIVATE_DIR: u32 = 0o700;
const STICKY: u32 = 0o1000;
const LOCK: &str = "lock";
const RUNTIME_FILE: &str = "runtime.json";

/// The data directory, locked for this process.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    /// Closing it lets the next runtime in.
    _lock: File,
}

/// Where a running runtime answers: the content of `runtime.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    pub url: String,
    pub token: String,
    pub pid: u32,
    pub version: String,
    pub started_at: EpochMs,
}

#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("find the platform's data directory: set {HOME_VARIABLE}")]
    Nowhere,
    #[error("use {0} as data directory: it is shared with others; name a folder of its own")]
    Shared(PathBuf),
    #[error("use {path} as data directory: it belongs to user {owner}")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{path} is in use by {}", holder.as_ref().map_or_else(
        || "another runtime, which is just starting".to_owned(),
        |running| format!("process {}, which answers at {}", running.pid, running.url)))]
    Held { path: PathBuf, holder: Option<Running> },
    #[error("open data directory {path}: {cause}; {HOME_VARIABLE} names another")]
    Io { path: PathBuf, cause: io::Error },
}

impl Home {
    /// Returns the data directory that this process is to use: `BATON_HOME`, else the platform's data directory + `baton`.
    ///
    /// # Errors
    ///
    /// `Nowhere` when the platform names no data directory.
    pub fn default_path() -> Result<PathBuf, HomeError> {
        let named = std::env::var_os(HOME_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = match named {
            Some(path) => path,
            None => dirs::data_dir().ok_or(HomeError::Nowhere)?.join("baton"),
        };
        std::path::absolute(&path).map_err(|cause| HomeError::Io { path, cause })
    }

    /// Makes the folder if need be, closes it to others, and locks it.
    ///
    /// # Errors
    ///
    /// `Held` when another runtime runs on it; nothing was changed then.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let io = |cause| HomeError::Io { path: path.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(path).map_err(io)?;
        close_to_others(path)?;
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(HomeError::Held { path: path.to_owned(), holder: Running::read(path) });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let home = Self { path: path.to_owned(), _lock: lock };
        // Left by a runtime that was killed: its address leads nowhere now.
        Running::withdraw(path);
        Ok(home)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        Running::withdraw(&self.path);
    }
}

impl Running {
    /// Returns what `runtime.json` says; `None` without one, or with one that cannot be read.
    pub fn read(home: &Path) -> Option<Self> {
        let text = std::fs::read(home.join(RUNTIME_FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes where this runtime answers, for the programs that join it. Only for whoever holds the [`Home`].
    ///
    /// # Errors
    ///
    /// When the file cannot be written; the old one, if any, is untouched.
    pub fn announce(&self, home: &Path) -> io::Result<()> {
        // The temporary file is 0600 from its first moment.
        let mut file = tempfile::NamedTempFile::new_in(home)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.as_file().sync_all()?;
        file.persist(home.join(RUNTIME_FILE)).map_err(|refused| refused.error)?;
        Ok(())
    }

    /// Removes what [`Self::announce`] wrote.
    pub fn withdraw(home: &Path) {
        match std::fs::remove_file(home.join(RUNTIME_FILE)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Harmless: whoever reads it finds the lock free.
            Err(error) => tracing::warn!(%error, "the runtime's address could not be removed"),
        }
    }
}

/// Narrows the folder to its owner, unless that would take it away from others.
fn close_to_others(path: &Path) -> Result<(), HomeError> {
    let io = |cause| HomeError::Io { path: path.to_owned(), cause };
    let metadata = std::fs::metadata(path).map_err(io)?;
    let user = nix::unistd::geteuid();
    if metadata.uid() != user.as_raw() && !user.is_root() {
        return Err(HomeError::Foreign { path: path.to_owned(), owner: metadata.uid() });
    }
    if metadata.mode() & STICKY != 0 || path.parent().is_none() {
        return Err(HomeError::Shared(path.to_owned()));
    }
    if metadata.mode() & 0o777 != PRIVATE_DIR {
        std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_DIR)).map_err(io)?;
    }
    Ok(())
}

impl From<HomeError> for ServiceError {
    fn from(error: HomeError) -> Self {
        let message = error.to_string();
        match error {
            HomeError::Held { holder, .. } => Self {
                details: holder.map(|running| Box::new(serde_json::json!({ "pid": running.pid, "url": running.url }))),
                hint: Some("stop it, or name another data directory with BATON_HOME".to_owned()),
                ..Self::new(ErrorCode::Conflict, message)
            },
            HomeError::Nowhere | HomeError::Shared(_) | HomeError::Foreign { .. } => {
                Self::new(ErrorCode::Invalid, message)
            }
            HomeError::Io { .. } => Self::new(ErrorCode::Unavailable, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        Running {
            url: "http://127.0.0.1:4242".to_owned(),
            token: "secret".to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            started_at: 1,
        }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_home_is_closed_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/baton");
        let _home = Home::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        running().announce(&path).unwrap();
        assert_eq!(mode(&path.join(RUNTIME_FILE)), 0o600);
        assert_eq!(mode(&path.join(LOCK)), 0o600);
    }

    #[test]
    fn an_existing_wider_home_is_narrowed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("baton");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let _home = Home::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_folder_shared_with_others_is_refused_and_left_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("shared");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o1777)).unwrap();
        assert!(matches!(Home::open(&path), Err(HomeError::Shared(_))));
        assert_eq!(mode(&path), 0o777);
    }

    #[test]
    fn the_second_runtime_learns_who_holds_the_home() {
        let parent = tempfile::tempdir().unwrap();
        let first = Home::open(parent.path()).unwrap();
        running().announce(first.path()).unwrap();
        let Err(HomeError::Held { holder, .. }) = Home::open(parent.path()) else { panic!("two hold one home") };
        assert_eq!(holder, Some(running()));
        let refused = ServiceError::from(Home::open(parent.path()).unwrap_err());
        assert_eq!(refused.code, ErrorCode::Conflict);
        assert!(refused.message.contains("process 7"), "{refused}");
        assert!(refused.message.contains("http://127.0.0.1:4242"), "{refused}");
        assert!(!refused.message.contains("secret"), "{refused}");
    }

    #[test]
    fn a_home_that_was_let_go_has_no_address_and_is_free() {
        let parent = tempfile::tempdir().unwrap();
        let first = Home::open(parent.path()).unwrap();
        running().announce(first.path()).unwrap();
        drop(first);
        assert_eq!(Running::read(parent.path()), None);
        Home::open(parent.path()).unwrap();
    }

    #[test]
    fn an_address_left_by_a_killed_runtime_is_forgotten() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join(RUNTIME_FILE), serde_json::to_vec(&running()).unwrap()).unwrap();
        let _home = Home::open(parent.path()).unwrap();
        assert_eq!(Running::read(parent.path()), None);
    }
}
