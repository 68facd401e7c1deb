//! The ways down: every one ends at the kernel's fence.
//!
//! The kernel is asked without any link allowed. Where it meets one, the links are read here, as the room sees them, and
//! the kernel is asked again for the path that they gave, again without links. So whatever changes meanwhile, an open
//! descriptor is beneath the workspace.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mkdirat};
use sandbox_core::layout::WORKSPACE_DIR;
use sandbox_core::model::{FileEntry, FileKind};

use super::path::{Inside, relative};
use super::{Workspace, WorkspaceError};

/// Most links on one path, as in the kernel.
const MAX_LINKS: usize = 40;
/// How often a path that changes under way is tried.
const ATTEMPTS: usize = 32;

/// A name in an open folder.
pub(super) struct Place {
    pub folder: OwnedFd,
    pub name: OsString,
}

impl Workspace {
    /// Opens what the path leads to, through its links.
    pub(super) fn open(&self, inside: &Inside, flags: OFlag) -> Result<OwnedFd, WorkspaceError> {
        let mut parts = inside.parts.clone();
        for _ in 0..ATTEMPTS {
            match self.open_plain(&parts, flags) {
                Ok(opened) => return Ok(opened),
                Err(Errno::ELOOP | Errno::EAGAIN) => parts = self.without_links(inside, &inside.parts)?,
                Err(errno) => return Err(WorkspaceError::errno("open", &inside.asked, errno)),
            }
        }
        Err(WorkspaceError::Changing { path: inside.asked.clone() })
    }

    /// Opens the folder in which the path's last name is; that name itself may be anything, or nothing yet.
    pub(super) fn place(&self, inside: &Inside, parents: Parents) -> Result<Place, WorkspaceError> {
        self.place_of(inside, inside.parts.clone(), parents)
    }

    /// As [`Workspace::place`], with the links followed that the last name may be.
    pub(super) fn place_at_end_of_links(&self, inside: &Inside, parents: Parents) -> Result<Place, WorkspaceError> {
        self.place_of(inside, self.without_links(inside, &inside.parts)?, parents)
    }

    fn place_of(&self, inside: &Inside, parts: Vec<OsString>, parents: Parents) -> Result<Place, WorkspaceError> {
        let Some((name, above)) = parts.split_last() else {
            let reason = "it is the workspace itself";
            return Err(WorkspaceError::InvalidPath { path: inside.asked.clone(), reason });
        };
        for _ in 0..ATTEMPTS {
            let way = self.without_links(inside, above)?;
            let opened = match parents {
                Parents::MustExist => self.open_plain(&way, OFlag::O_PATH | OFlag::O_DIRECTORY),
                Parents::AreMade => self.open_made(&way),
            };
            match opened {
                Ok(folder) => return Ok(Place { folder, name: name.clone() }),
                Err(Errno::ELOOP | Errno::EAGAIN) => {}
                Err(errno) => return Err(WorkspaceError::errno("open the folder of", &inside.asked, errno)),
            }
        }
        Err(WorkspaceError::Changing { path: inside.asked.clone() })
    }

    /// Opens a folder, making those on the way that do not exist.
    fn open_made(&self, parts: &[OsString]) -> nix::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        match self.open_plain(parts, flags) {
            Err(Errno::ENOENT) => {}
            done => return done,
        }
        let mut folder = self.open_plain(&[], flags)?;
        for (idx, name) in parts.iter().enumerate() {
            folder = match self.open_plain(&parts[..=idx], flags) {
                Err(Errno::ENOENT) => {
                    match mkdirat(&folder, name.as_os_str(), Mode::from_bits_truncate(0o755)) {
                        Ok(()) | Err(Errno::EEXIST) => {}
                        Err(errno) => return Err(errno),
                    }
                    self.open_plain(&parts[..=idx], flags)?
                }
                done => done?,
            };
        }
        Ok(folder)
    }

    /// Asks the kernel for a path beneath the workspace on which there is no link. With `O_PATH | O_NOFOLLOW` the last
    /// name may be one, and is opened as such.
    pub(super) fn open_plain(&self, parts: &[OsString], flags: OFlag) -> nix::Result<OwnedFd> {
        let path: PathBuf = if parts.is_empty() { PathBuf::from(".") } else { parts.iter().collect() };
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(
            ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS | ResolveFlag::RESOLVE_NO_SYMLINKS,
        );
        loop {
            match openat2(&*self.root, &path, how) {
                Err(Errno::EINTR) => {}
                done => return done,
            }
        }
    }

    /// Replaces the links on a path by what they say, as a program in the room would see it.
    pub(super) fn without_links(&self, inside: &Inside, parts: &[OsString]) -> Result<Vec<OsString>, WorkspaceError> {
        let outside = || WorkspaceError::Outside { path: inside.asked.clone() };
        let mut todo: VecDeque<OsString> = parts.iter().cloned().collect();
        let mut done: Vec<OsString> = Vec::new();
        let mut n_links = 0;
        while let Some(part) = todo.pop_front() {
            match part.as_bytes() {
                b"" | b"." => continue,
                b".." => {
                    done.pop().ok_or_else(outside)?;
                    continue;
                }
                _ => done.push(part),
            }
            let Some(target) = self.link_target(inside, &done)? else { continue };
            n_links += 1;
            if n_links > MAX_LINKS {
                let reason = "its links lead in a circle";
                return Err(WorkspaceError::InvalidPath { path: inside.asked.clone(), reason });
            }
            done.pop();
            // A link in bytes that are no text is followed as such; only its beginning has to be understood.
            let text = target.to_string_lossy();
            if text.starts_with('/') {
                relative(&text).ok_or_else(outside)?;
                done.clear();
            }
            let rest = if text.starts_with('/') { beyond_workspace(target.as_bytes()) } else { target.as_bytes() };
            for name in rest.split(|byte| *byte == b'/').rev() {
                todo.push_front(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(done)
    }

    /// Returns what the last name says if it is a link; `None` if it is something else, or nothing.
    fn link_target(&self, inside: &Inside, parts: &[OsString]) -> Result<Option<OsString>, WorkspaceError> {
        let wrong = |errno| WorkspaceError::errno("look at", &inside.asked, errno);
        let opened = match self.open_plain(parts, OFlag::O_PATH | OFlag::O_NOFOLLOW) {
            Ok(opened) => opened,
            Err(Errno::ENOENT) => return Ok(None),
            // A name on the way became a link: the caller's own attempt will meet it again.
            Err(Errno::ELOOP | Errno::EAGAIN) => return Ok(None),
            Err(errno) => return Err(wrong(errno)),
        };
        if kind(&fstat(&opened).map_err(wrong)?) != FileKind::Symlink {
            return Ok(None);
        }
        readlinkat(&opened, "").map(Some).map_err(wrong)
    }
}

/// What is done about folders that are missing on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parents {
    MustExist,
    AreMade,
}

/// Drops `/workspace`, however many slashes and dots are before and in it, from a target known to begin with it.
fn beyond_workspace(target: &[u8]) -> &[u8] {
    let name = &WORKSPACE_DIR.as_bytes()[1..];
    let at = target.windows(name.len()).position(|window| window == name).unwrap_or(0);
    &target[at + name.len()..]
}

pub(super) fn kind(stat: &FileStat) -> FileKind {
    match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => FileKind::File,
        SFlag::S_IFDIR => FileKind::Directory,
        SFlag::S_IFLNK => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

/// Describes what was looked at. Only files have a size that means something.
pub(super) fn entry(path: String, stat: &FileStat) -> FileEntry {
    let kind = kind(stat);
    let size = match kind {
        FileKind::File => u64::try_from(stat.st_size).unwrap_or(0),
        FileKind::Directory | FileKind::Symlink | FileKind::Other => 0,
    };
    FileEntry { path, kind, size, modified_at: stat.st_mtime * 1000 + stat.st_mtime_nsec / 1_000_000 }
}
