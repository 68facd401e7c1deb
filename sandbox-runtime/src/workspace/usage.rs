//! How much of the disk a workspace takes.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstatat};
use sandbox_core::model::FileKind;

use super::beneath::kind;
use super::list::names;
use super::{Workspace, WorkspaceError};

/// Most entries that are counted.
const ENTRIES_MAX: u64 = 500_000;
/// How many folders deep is counted; each holds one descriptor open.
const MAX_DEPTH: usize = 64;

/// What a folder takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// Of the disk, so that a file with holes counts as what it takes.
    pub bytes: u64,
    pub files: u64,
    pub folders: u64,
    /// There is more than was counted.
    pub truncated: bool,
}

impl Workspace {
    /// Counts what is in the workspace. Links count as themselves.
    pub fn disk_usage(&self) -> Result<DiskUsage, WorkspaceError> {
        let mut usage = DiskUsage::default();
        let wrong = |error| WorkspaceError::io("count", "/", error);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let root = openat(&*self.root, ".", flags, Mode::empty()).map_err(|errno| wrong(errno.into()))?;
        usage.count(root.as_fd(), 1).map_err(wrong)?;
        Ok(usage)
    }
}

impl DiskUsage {
    fn count(&mut self, folder: BorrowedFd<'_>, depth: usize) -> std::io::Result<()> {
        for name in names(folder)? {
            if self.files + self.folders >= ENTRIES_MAX {
                self.truncated = true;
                return Ok(());
            }
            let name = name?;
            // What went since is nothing.
            let Ok(stat) = fstatat(folder, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else { continue };
            self.bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
            if kind(&stat) != FileKind::Directory {
                self.files += 1;
                continue;
            }
            self.folders += 1;
            if depth == MAX_DEPTH {
                self.truncated = true;
                continue;
            }
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            match openat(folder, name.as_os_str(), flags, Mode::empty()) {
                Ok(child) => self.count(child.as_fd(), depth + 1)?,
                // Gone or exchanged since it was looked at, or closed to us.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EACCES) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}
