//! What a person deleted, kept beside the workspace until it is restored or the trash is emptied.
//!
//! It lies where no room sees it: one folder for each deletion, with the entry and a note of where it was. Nothing in it is
//! opened; it is only moved there and back, by descriptor.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, RenameFlags, renameat2};
use nix::sys::stat::fstatat;
use sandbox_core::model::{EpochMs, FileEntry};
use serde::{Deserialize, Serialize};

use super::beneath::{Parents, entry};
use super::path::Inside;
use super::{Workspace, WorkspaceError};

/// Most deletions that are kept; the oldest goes for good when one more comes.
pub const TRASH_MAX: usize = 1_000;
/// How many names are tried when something has the old one.
const MAX_NUMBER: usize = 1_000;
const ENTRY: &str = "entry";
const NOTE: &str = "note.json";
const NOTE_MAX: u64 = 16 << 10;

/// One deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trashed {
    pub trash_id: String,
    /// What was deleted, at the path that it had.
    pub entry: FileEntry,
    pub deleted_at: EpochMs,
}

/// The trash of one sandbox.
#[derive(Clone, Debug)]
pub struct Trash {
    dir: PathBuf,
}

impl Trash {
    /// `dir` is of the host, on the workspace's file system; it is made when something is deleted.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Moves what is at `path` out of the workspace, with all that is in it.
    pub fn discard(&self, workspace: &Workspace, path: &str, now: EpochMs) -> Result<Trashed, WorkspaceError> {
        let inside = Inside::parse(path)?;
        let place = workspace.place(&inside, Parents::MustExist)?;
        let wrong = |errno| WorkspaceError::errno("delete", path, errno);
        let stat = fstatat(&place.folder, place.name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW).map_err(wrong)?;
        self.make_room()?;
        let trashed = Trashed { trash_id: crate::unique(), entry: entry(inside.shown(), &stat), deleted_at: now };
        let own = self.dir.join(&trashed.trash_id);
        let io = |error| WorkspaceError::io("delete", path, error);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&own).map_err(io)?;
        let kept = write_note(&own, &trashed).and_then(|()| open_folder(&own)).map_err(io).and_then(|into| {
            renameat2(&place.folder, place.name.as_os_str(), &into, ENTRY, RenameFlags::RENAME_NOREPLACE).map_err(wrong)
        });
        if let Err(error) = kept {
            // Nothing was moved: an empty note is of no use.
            let _ = std::fs::remove_dir_all(&own);
            return Err(error);
        }
        Ok(trashed)
    }

    /// Puts a deletion back where it was; where something has the name by now, beside it as `name (1)`. Returns its entry.
    pub fn restore(&self, workspace: &Workspace, trash_id: &str) -> Result<FileEntry, WorkspaceError> {
        let gone = || WorkspaceError::NotFound { path: trash_id.to_owned() };
        let own = self.own(trash_id).ok_or_else(gone)?;
        let trashed = read_note(&own).ok_or_else(gone)?;
        let from = open_folder(&own).map_err(|_| gone())?;
        for number in 0..MAX_NUMBER {
            let path = super::arrive::beside(&trashed.entry.path, number);
            let place = workspace.place(&Inside::parse(&path)?, Parents::AreMade)?;
            let moved = renameat2(&from, ENTRY, &place.folder, place.name.as_os_str(), RenameFlags::RENAME_NOREPLACE);
            match moved {
                Ok(()) => {
                    // Only the note is left of it.
                    let _ = std::fs::remove_dir_all(&own);
                    return Ok(FileEntry { path, ..trashed.entry });
                }
                Err(Errno::EEXIST) => {}
                Err(Errno::ENOENT) => return Err(gone()),
                Err(errno) => return Err(WorkspaceError::errno("restore", &path, errno)),
            }
        }
        Err(WorkspaceError::AlreadyExists { path: trashed.entry.path })
    }

    /// Returns the deletions, newest first.
    pub fn list(&self) -> Vec<Trashed> {
        let mut ids = self.ids();
        ids.reverse();
        ids.iter().filter_map(|id| read_note(&self.dir.join(id))).collect()
    }

    /// Deletes what is in the trash for good; returns how many bytes that freed.
    pub fn empty(&self) -> Result<u64, WorkspaceError> {
        if !self.dir.exists() {
            return Ok(0);
        }
        // Its folders may be closed or too deep, as commands of the sandbox made them.
        let inner = Workspace::create(&self.dir)?;
        let freed = inner.disk_usage()?.bytes;
        inner.clear()?;
        Ok(freed)
    }

    /// Returns how many bytes of the disk the trash takes.
    pub fn bytes(&self) -> u64 {
        if !self.dir.exists() {
            return 0;
        }
        Workspace::create(&self.dir).and_then(|inner| inner.disk_usage()).map_or(0, |usage| usage.bytes)
    }

    fn make_room(&self) -> Result<(), WorkspaceError> {
        let ids = self.ids();
        let over = (ids.len() + 1).saturating_sub(TRASH_MAX);
        if over == 0 {
            return Ok(());
        }
        let inner = Workspace::create(&self.dir)?;
        ids.iter().take(over).try_for_each(|id| inner.remove(id, true))
    }

    /// Oldest first: ids begin with their time.
    fn ids(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        ids.sort();
        ids
    }

    /// Returns the folder of a deletion, for a name that can be one.
    fn own(&self, trash_id: &str) -> Option<PathBuf> {
        let is_id = !trash_id.is_empty() && trash_id.len() <= 64 && trash_id.chars().all(|c| c.is_ascii_alphanumeric());
        is_id.then(|| self.dir.join(trash_id)).filter(|own| own.is_dir())
    }
}

fn write_note(own: &Path, trashed: &Trashed) -> std::io::Result<()> {
    let text = serde_json::to_vec(trashed)?;
    File::options().write(true).create_new(true).mode(0o600).open(own.join(NOTE))?.write_all(&text)
}

fn read_note(own: &Path) -> Option<Trashed> {
    let mut text = Vec::new();
    File::open(own.join(NOTE)).ok()?.take(NOTE_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn open_folder(path: &Path) -> std::io::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    Ok(File::options().read(true).custom_flags(flags.bits()).open(path)?.into())
}
