//! What is in a folder, in one order, within bounds.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use sandbox_core::model::{FileEntry, FileKind};

use super::beneath::{entry, kind};
use super::path::Inside;
use super::write::is_part;
use super::{Workspace, WorkspaceError};

/// Most entries of one listing.
pub const MAX_ENTRIES: usize = 10_000;
/// How many folders deep a listing goes; each holds one descriptor open.
const MAX_DEPTH: usize = 64;

/// The entries of a folder: by name, what is in a folder right after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub entries: Vec<FileEntry>,
    /// There is more than was listed.
    pub truncated: bool,
}

impl Workspace {
    /// Lists a folder; an empty path is the workspace itself. Links are listed, not followed.
    pub fn list(&self, path: &str, recursive: bool) -> Result<Listing, WorkspaceError> {
        self.list_up_to(path, recursive, MAX_ENTRIES)
    }

    pub(super) fn list_up_to(&self, path: &str, recursive: bool, limit: usize) -> Result<Listing, WorkspaceError> {
        let inside = Inside::parse(if path.is_empty() { "." } else { path })?;
        let folder = self.open(&inside, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        let mut walk = Walk { listing: Listing::default(), recursive, limit };
        walk.visit(folder.as_fd(), &inside.shown(), 1)
            .map_err(|source| WorkspaceError::io("list", &inside.asked, source))?;
        Ok(walk.listing)
    }
}

struct Walk {
    listing: Listing,
    recursive: bool,
    limit: usize,
}

impl Walk {
    fn visit(&mut self, folder: BorrowedFd<'_>, path: &str, depth: usize) -> std::io::Result<()> {
        for (name, stat) in self.children(folder)? {
            if self.listing.entries.len() == self.limit {
                self.listing.truncated = true;
                return Ok(());
            }
            let shown = name.to_string_lossy();
            let child_path = if path.is_empty() { shown.into_owned() } else { format!("{path}/{shown}") };
            self.listing.entries.push(entry(child_path.clone(), &stat));
            if !self.recursive || kind(&stat) != FileKind::Directory {
                continue;
            }
            if depth == MAX_DEPTH {
                self.listing.truncated = true;
                continue;
            }
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            match openat(folder, name.as_os_str(), flags, Mode::empty()) {
                Ok(child) => self.visit(child.as_fd(), &child_path, depth + 1)?,
                // Gone or exchanged since it was looked at, or closed to us: listed as it was, without content.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EACCES) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Returns what is in a folder by name. Of a folder with far too much in it, only as much as could be listed.
    fn children(&mut self, folder: BorrowedFd<'_>) -> std::io::Result<Vec<(OsString, FileStat)>> {
        let mut children = Vec::new();
        for name in names(folder)? {
            if children.len() > self.limit {
                self.listing.truncated = true;
                break;
            }
            let name = name?;
            if is_part(&name) {
                continue;
            }
            match fstatat(folder, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(stat) => children.push((name, stat)),
                Err(Errno::ENOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        children.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(children)
    }
}

/// Returns the names in an open folder, in no order.
///
/// The path names the descriptor itself, so it is that folder which is read, wherever it has gone.
pub(super) fn names(
    folder: BorrowedFd<'_>,
) -> std::io::Result<impl Iterator<Item = std::io::Result<OsString>> + use<>> {
    let entries = std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
    Ok(entries.map(|entry| entry.map(|entry| entry.file_name())))
}
