//! Writing: files appear whole or not at all, folders on the way are made.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use sandbox_core::model::{FileEntry, FileKind};

use super::beneath::{Parents, Place, entry, kind};
use super::path::Inside;
use super::{Workspace, WorkspaceError};

const CHUNK: usize = 128 * 1024;
const NEW_FILE_MODE: u32 = 0o644;
const PART_PREFIX: &str = ".baton-";
const PART_SUFFIX: &str = ".part";

impl Workspace {
    /// Writes what `content` gives, at most `max` bytes, and makes the folders on the way.
    ///
    /// A reader sees the old file or the new one. A file that is there keeps its mode; a link to a file inside is
    /// followed. Nothing is left behind on an error.
    pub fn write(&self, path: &str, content: impl Read, max: u64) -> Result<FileEntry, WorkspaceError> {
        let inside = Inside::parse(path)?;
        if inside.folder {
            return Err(WorkspaceError::NotAFile { path: path.to_owned(), kind: FileKind::Directory });
        }
        let place = self.place_at_end_of_links(&inside, Parents::AreMade)?;
        let mode = mode_to_give(path, &place)?;
        let wrong = |errno| WorkspaceError::errno("write", path, errno);

        let part = Part { folder: place.folder.as_fd(), name: part_name() };
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = openat(part.folder, part.name.as_os_str(), flags, Mode::from_bits_truncate(0o600));
        let mut file = File::from(opened.map_err(wrong)?);
        copy(path, content, &mut file, max)?;
        fchmod(&file, Mode::from_bits_truncate(mode)).map_err(wrong)?;
        renameat(part.folder, part.name.as_os_str(), &place.folder, place.name.as_os_str()).map_err(wrong)?;
        Ok(entry(inside.shown(), &fstat(&file).map_err(wrong)?))
    }

    /// Makes a folder and those on the way; one that is there already is fine.
    pub fn mkdir(&self, path: &str) -> Result<FileEntry, WorkspaceError> {
        let inside = Inside::parse(path)?;
        if inside.parts.is_empty() {
            return self.stat(path);
        }
        let place = self.place(&inside, Parents::AreMade)?;
        match mkdirat(&place.folder, place.name.as_os_str(), Mode::from_bits_truncate(0o755)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(WorkspaceError::errno("make folder", path, errno)),
        }
        let found = self.open(&inside, OFlag::O_PATH)?;
        let stat = fstat(&found).map_err(|errno| WorkspaceError::errno("look at", path, errno))?;
        if kind(&stat) != FileKind::Directory {
            return Err(WorkspaceError::AlreadyExists { path: path.to_owned() });
        }
        Ok(entry(inside.shown(), &stat))
    }

    /// Renames a file, link or folder, and makes the folders on the way to its new name. A file that has the new name
    /// is replaced, as is an empty folder by a folder.
    pub fn rename(&self, from: &str, to: &str) -> Result<FileEntry, WorkspaceError> {
        let (from_inside, to_inside) = (Inside::parse(from)?, Inside::parse(to)?);
        let source = self.place(&from_inside, Parents::MustExist)?;
        // Looked at before folders are made for nothing.
        let stat = fstatat(&source.folder, source.name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
            .map_err(|errno| WorkspaceError::errno("rename", from, errno))?;
        if to_inside.folder && kind(&stat) != FileKind::Directory {
            return Err(WorkspaceError::NotAFolder { path: to.to_owned() });
        }
        if to_inside.parts.len() > from_inside.parts.len() && to_inside.parts.starts_with(&from_inside.parts) {
            return Err(into_itself(to));
        }
        let target = self.place(&to_inside, Parents::AreMade)?;
        renameat(&source.folder, source.name.as_os_str(), &target.folder, target.name.as_os_str()).map_err(
            |errno| match errno {
                Errno::EINVAL => into_itself(to),
                Errno::ENOENT => WorkspaceError::NotFound { path: from.to_owned() },
                errno => WorkspaceError::errno("rename to", to, errno),
            },
        )?;
        Ok(entry(to_inside.shown(), &stat))
    }
}

fn into_itself(to: &str) -> WorkspaceError {
    WorkspaceError::InvalidPath { path: to.to_owned(), reason: "a folder cannot be moved into itself" }
}

/// Returns the mode of the file that is there, or that of a new one.
fn mode_to_give(path: &str, place: &Place) -> Result<u32, WorkspaceError> {
    match fstatat(&place.folder, place.name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => match kind(&stat) {
            FileKind::File => Ok(stat.st_mode & 0o777),
            // The links were followed: this one came since.
            FileKind::Symlink => Err(WorkspaceError::Changing { path: path.to_owned() }),
            kind @ (FileKind::Directory | FileKind::Other) => {
                Err(WorkspaceError::NotAFile { path: path.to_owned(), kind })
            }
        },
        Err(Errno::ENOENT) => Ok(NEW_FILE_MODE),
        Err(errno) => Err(WorkspaceError::errno("look at", path, errno)),
    }
}

fn copy(path: &str, mut content: impl Read, file: &mut File, max: u64) -> Result<(), WorkspaceError> {
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let n_read = match content.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n_read) => n_read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(source) => return Err(WorkspaceError::Source { path: path.to_owned(), source }),
        };
        size += n_read as u64;
        if size > max {
            return Err(WorkspaceError::TooLarge { path: path.to_owned(), limit: max });
        }
        file.write_all(&chunk[..n_read]).map_err(|source| WorkspaceError::io("write", path, source))?;
    }
}

/// A file that is being written; gone when this is, unless it got its name.
struct Part<'a> {
    folder: BorrowedFd<'a>,
    name: OsString,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // After the renaming there is nothing of this name any more.
        let _ = unlinkat(self.folder, self.name.as_os_str(), UnlinkatFlags::NoRemoveDir);
    }
}

/// Returns a name for something that is under way; listings leave it out.
pub(super) fn part_name() -> OsString {
    format!("{PART_PREFIX}{}{PART_SUFFIX}", crate::unique()).into()
}

pub(super) fn is_part(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PART_PREFIX.as_bytes()) && name.ends_with(PART_SUFFIX.as_bytes())
}
