//! Files that go to the browser: opened here, beneath the workspace, and given a name in a folder of the browser's own.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::linkat;
use sandbox_core::model::FileKind;

use super::beneath::kind;
use super::path::Inside;
use super::{Workspace, WorkspaceError};

/// What was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedOut {
    /// A file, under this name in the folder that was given.
    File(OsString),
    /// A folder, at this path of the workspace on which there is no link.
    Folder(String),
}

impl Workspace {
    /// Gives a file a name in the open folder `into`: the one that it was asked by. A folder stays where it is.
    ///
    /// # Errors
    ///
    /// As for reading the file: one that leads outside, or is no file.
    pub fn hand_out(&self, path: &str, into: BorrowedFd<'_>) -> Result<HandedOut, WorkspaceError> {
        let inside = Inside::parse(path)?;
        let Some(name) = inside.parts.last().cloned() else { return Ok(HandedOut::Folder(String::new())) };
        let found = self.open(&inside, OFlag::O_PATH)?;
        let stat = fstat(&found).map_err(|errno| WorkspaceError::errno("look at", path, errno))?;
        if kind(&stat) == FileKind::Directory {
            let plain = self.without_links(&inside, &inside.parts)?;
            let plain: std::path::PathBuf = plain.iter().collect();
            return Ok(HandedOut::Folder(plain.to_string_lossy().into_owned()));
        }
        let (file, _) = self.open_file(path)?;
        // The same file under a second name costs nothing; where there can be none, a copy does.
        let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
        let linked = linkat(AT_FDCWD, itself.as_str(), into, name.as_os_str(), AtFlags::AT_SYMLINK_FOLLOW);
        if linked.is_err() {
            copy(&file, into, &name).map_err(|source| WorkspaceError::io("hand out", path, source))?;
        }
        Ok(HandedOut::File(name))
    }
}

fn copy(mut file: &File, into: BorrowedFd<'_>, name: &OsString) -> std::io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let made = openat(into.as_fd(), name.as_os_str(), flags, Mode::from_bits_truncate(0o600))?;
    std::io::copy(&mut file, &mut File::from(made)).map(drop)
}
