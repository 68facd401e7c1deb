//! The data directory, as far as rooms are given folders of it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::BackendError;

/// The data directory. A folder that is given to a room is a plain folder in it.
pub struct Home {
    /// Without symbolic links.
    path: PathBuf,
    as_named: PathBuf,
}

impl Home {
    /// # Errors
    /// When there is no such folder.
    pub fn find(home: &Path) -> io::Result<Self> {
        Ok(Self { path: std::fs::canonicalize(home)?, as_named: home.to_owned() })
    }

    /// Returns the data directory, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a folder in `area` of the data directory, following no symbolic link on the way.
    ///
    /// # Errors
    /// [`BackendError::Refused`] for what is no such folder.
    pub fn open(&self, path: &Path, area: &str) -> Result<OwnedFd, BackendError> {
        let refused = |cause: String| BackendError::Refused {
            layer: "folders",
            cause,
            fix: format!("it must be a plain folder in {}", self.path.join(area).display()),
        };
        let inside = path.strip_prefix(&self.path).or_else(|_| path.strip_prefix(&self.as_named));
        let inside = inside.map_err(|_| refused(format!("{}: outside the data directory", path.display())))?;
        let within_area = inside.strip_prefix(area).is_ok_and(|rest| rest.components().next().is_some());
        if !within_area {
            return Err(refused(format!("{}: not in {area}", path.display())));
        }
        let home = File::open(&self.path)?;
        let how =
            OpenHow::new().flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).resolve(
                ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS,
            );
        openat2(&home, inside, how).map_err(|error| refused(format!("{}: {}", path.display(), error.desc())))
    }
}
