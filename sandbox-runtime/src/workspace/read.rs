//! Looking at files and reading them.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use nix::fcntl::OFlag;
use nix::sys::stat::fstat;
use sandbox_core::model::{FileEntry, FileKind};

use super::beneath::{Parents, entry, kind};
use super::path::Inside;
use super::{FileContent, Workspace, WorkspaceError};

/// Most bytes that one [`Workspace::read`] holds in memory; larger files are read through [`Workspace::open_file`].
pub const MAX_READ: u64 = 64 * 1024 * 1024;

impl Workspace {
    /// Describes what is at `path`; a link is described as such.
    pub fn stat(&self, path: &str) -> Result<FileEntry, WorkspaceError> {
        let inside = Inside::parse(path)?;
        let wrong = |errno| WorkspaceError::errno("look at", path, errno);
        if inside.parts.is_empty() {
            return Ok(entry(String::new(), &fstat(&*self.root).map_err(wrong)?));
        }
        let place = self.place(&inside, Parents::MustExist)?;
        let flags = nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW;
        let stat = nix::sys::stat::fstatat(&place.folder, place.name.as_os_str(), flags).map_err(wrong)?;
        if inside.folder && kind(&stat) == FileKind::File {
            return Err(WorkspaceError::NotAFolder { path: path.to_owned() });
        }
        Ok(entry(inside.shown(), &stat))
    }

    /// Opens a regular file for reading, and describes what was opened.
    pub fn open_file(&self, path: &str) -> Result<(File, FileEntry), WorkspaceError> {
        let inside = Inside::parse(path)?;
        if inside.folder {
            return Err(WorkspaceError::NotAFile { path: path.to_owned(), kind: FileKind::Directory });
        }
        // Looked at first, because opening a device or a pipe is already doing something to it; and again after,
        // because it may have been exchanged. Without blocking, so that an exchanged pipe holds nobody up.
        regular(path, self.open(&inside, OFlag::O_PATH)?.as_fd())?;
        let opened = self.open(&inside, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)?;
        let stat = regular(path, opened.as_fd())?;
        Ok((File::from(opened), entry(inside.shown(), &stat)))
    }

    /// Reads a file, or the bytes `from..to` of it; a range that ends beyond the file ends with it.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::TooLarge`] beyond [`MAX_READ`], [`WorkspaceError::Range`] for a range that begins beyond the
    /// file or ends before it begins.
    pub fn read(&self, path: &str, range: Option<(u64, u64)>) -> Result<FileContent, WorkspaceError> {
        let (file, entry) = self.open_file(path)?;
        let (from, to) = range.unwrap_or((0, entry.size));
        if from > entry.size || to < from {
            return Err(WorkspaceError::Range { path: path.to_owned(), size: entry.size });
        }
        let wanted = to.min(entry.size) - from;
        if wanted > MAX_READ {
            return Err(WorkspaceError::TooLarge { path: path.to_owned(), limit: MAX_READ });
        }
        let mut bytes = Vec::with_capacity(wanted as usize);
        let read = At { file: &file, offset: from }.take(wanted).read_to_end(&mut bytes);
        read.map_err(|source| WorkspaceError::io("read", path, source))?;
        Ok(FileContent { bytes, size: entry.size, modified_at: entry.modified_at })
    }
}

/// Reads from a place on, and leaves the file's own position alone.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.file.read_at(buffer, self.offset)?;
        self.offset += n_read as u64;
        Ok(n_read)
    }
}

fn regular(path: &str, opened: std::os::fd::BorrowedFd<'_>) -> Result<nix::sys::stat::FileStat, WorkspaceError> {
    let stat = fstat(opened).map_err(|errno| WorkspaceError::errno("look at", path, errno))?;
    match kind(&stat) {
        FileKind::File => Ok(stat),
        kind @ (FileKind::Directory | FileKind::Symlink | FileKind::Other) => {
            Err(WorkspaceError::NotAFile { path: path.to_owned(), kind })
        }
    }
}
