//! Goes through a folder that programs write to meanwhile, by descriptors: no link is followed.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use sandbox_core::model::FileKind;

use super::selection::Selection;
use crate::workspace::Workspace;
use crate::workspace::beneath::kind;
use crate::workspace::list::names;
use crate::workspace::write::is_part;

/// Something that was met.
pub enum Met {
    Folder,
    File(File),
    Link(OsString),
    /// Not kept: a socket, a pipe, a device, or what could not be opened.
    Skipped,
}

/// Calls `visit` for everything that is selected; a folder comes before what is in it. What goes meanwhile is left out.
pub fn walk<E>(
    root: &Workspace,
    selection: Selection,
    mut visit: impl FnMut(&Path, &FileStat, Met) -> Result<(), E>,
) -> Result<(), E> {
    // Paths and not descriptors wait: a deep tree does not use them up.
    let mut folders = vec![PathBuf::new()];
    while let Some(path) = folders.pop() {
        let parts: Vec<OsString> = path.iter().map(OsString::from).collect();
        let opened = root.open_plain(&parts, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW);
        let Ok(folder) = opened.map_err(|errno| tracing::debug!(%errno, "a folder is not read")) else { continue };
        let Ok(found) = names(folder.as_fd()) else { continue };
        let mut found: Vec<OsString> = found.filter_map(Result::ok).filter(|name| !is_part(name)).collect();
        found.sort_unstable();
        for name in found {
            let child = path.join(&name);
            if !selection.has(&child) {
                continue;
            }
            // What went since is nothing.
            let Ok(stat) = fstatat(&folder, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) else { continue };
            let met = match kind(&stat) {
                FileKind::Directory => Met::Folder,
                // Not blocking: what was a file may have become a pipe.
                FileKind::File => {
                    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
                    match openat(&folder, name.as_os_str(), flags, Mode::empty()).map(File::from) {
                        Ok(file) if file.metadata().is_ok_and(|found| found.is_file()) => Met::File(file),
                        Err(Errno::ENOENT) => continue,
                        Ok(_) | Err(_) => Met::Skipped,
                    }
                }
                FileKind::Symlink => match readlinkat(&folder, name.as_os_str()) {
                    Ok(to) => Met::Link(to),
                    Err(_) => continue,
                },
                FileKind::Other => Met::Skipped,
            };
            if matches!(met, Met::Folder) {
                folders.push(child.clone());
            }
            visit(&child, &stat, met)?;
        }
    }
    Ok(())
}

/// Returns the names, sizes and times of everything: equal twice when nothing changed in between.
pub fn glance(root: &Workspace, selection: Selection) -> Vec<(PathBuf, u64, i64)> {
    let mut found = Vec::new();
    let looked = walk::<std::convert::Infallible>(root, selection, |path, stat, met| {
        let size = match met {
            Met::File(file) => file.metadata().map_or(0, |now| now.size()),
            Met::Folder | Met::Link(_) | Met::Skipped => 0,
        };
        found.push((path.to_owned(), size, nanoseconds(stat.st_mtime, stat.st_mtime_nsec)));
        Ok(())
    });
    match looked {
        Ok(()) => {}
        Err(never) => match never {},
    }
    found.sort_unstable();
    found
}

pub fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
