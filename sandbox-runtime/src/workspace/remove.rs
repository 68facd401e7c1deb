//! Removing, folder by folder through descriptors: nothing that is exchanged meanwhile leads outside.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::beneath::Parents;
use super::list::names;
use super::path::Inside;
use super::write::part_name;
use super::{Workspace, WorkspaceError};

/// How many folders deep the descent goes before it takes a deeper folder out to the top; each holds a descriptor open.
const MAX_DEPTH: usize = 64;
/// How often a folder that is filled meanwhile is emptied.
const ATTEMPTS: usize = 16;

impl Workspace {
    /// Removes everything that is in the workspace.
    pub fn clear(&self) -> Result<(), WorkspaceError> {
        let wrong = |errno| WorkspaceError::errno("remove", "/", errno);
        let itself = std::ffi::OsStr::new(".");
        let aside = open_folder(self.root.as_fd(), itself).map_err(wrong)?;
        let emptier = Emptier { aside };
        for _ in 0..ATTEMPTS {
            let root = open_folder(self.root.as_fd(), itself).map_err(wrong)?;
            match emptier.empty(root.as_fd(), 1) {
                Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
                Err(errno) => return Err(wrong(errno)),
                // Folders that were too deep lie at the top now.
                Ok(()) => {
                    if names(root.as_fd()).map_err(|error| wrong(errno_of(error)))?.next().is_none() {
                        return Ok(());
                    }
                }
            }
        }
        Err(WorkspaceError::Changing { path: "/".to_owned() })
    }

    /// Removes a file, a link (not what it leads to), or a folder; one that is not empty only if `recursive`.
    pub fn remove(&self, path: &str, recursive: bool) -> Result<(), WorkspaceError> {
        let inside = Inside::parse(path)?;
        let place = self.place(&inside, Parents::MustExist)?;
        let wrong = |errno| WorkspaceError::errno("remove", path, errno);
        let name = place.name.as_os_str();
        let folder = place.folder.as_fd();
        if !inside.folder {
            match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
                Ok(()) => return Ok(()),
                Err(Errno::EISDIR | Errno::EPERM) => {}
                Err(errno) => return Err(wrong(errno)),
            }
        }
        match unlinkat(folder, name, UnlinkatFlags::RemoveDir) {
            Ok(()) => return Ok(()),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) if recursive => {}
            Err(errno) => return Err(wrong(errno)),
        }
        // Folders too deep to hold open are taken to here.
        let aside = open_folder(self.root.as_fd(), std::ffi::OsStr::new(".")).map_err(wrong)?;
        let emptier = Emptier { aside };
        for _ in 0..ATTEMPTS {
            let emptied = open_folder(folder, name).and_then(|opened| emptier.empty(opened.as_fd(), 1));
            match emptied.and_then(|()| unlinkat(folder, name, UnlinkatFlags::RemoveDir)) {
                Ok(()) | Err(Errno::ENOENT) => return Ok(()),
                Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
                Err(errno) => return Err(wrong(errno)),
            }
        }
        Err(WorkspaceError::Changing { path: path.to_owned() })
    }
}

struct Emptier {
    aside: OwnedFd,
}

impl Emptier {
    fn empty(&self, folder: BorrowedFd<'_>, depth: usize) -> nix::Result<()> {
        for name in names(folder).map_err(errno_of)? {
            let name = name.map_err(errno_of)?;
            match unlinkat(folder, name.as_os_str(), UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => continue,
                Err(Errno::EISDIR | Errno::EPERM) => {}
                Err(errno) => return Err(errno),
            }
            if depth == MAX_DEPTH {
                self.take_aside(folder, &name)?;
                continue;
            }
            match open_folder(folder, &name) {
                Ok(child) => self.empty(child.as_fd(), depth + 1)?,
                // Gone or exchanged meanwhile; what is there now is met again when this folder is removed.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => continue,
                Err(errno) => return Err(errno),
            }
            match unlinkat(folder, name.as_os_str(), UnlinkatFlags::RemoveDir) {
                Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ENOTEMPTY | Errno::EEXIST) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Moves a folder out of the depth, and empties it where it costs few descriptors.
    fn take_aside(&self, folder: BorrowedFd<'_>, name: &std::ffi::OsStr) -> nix::Result<()> {
        let new_name = part_name();
        renameat(folder, name, &self.aside, new_name.as_os_str())?;
        let child = open_folder(self.aside.as_fd(), &new_name)?;
        self.empty(child.as_fd(), 1)?;
        unlinkat(&self.aside, new_name.as_os_str(), UnlinkatFlags::RemoveDir)
    }
}

/// Opens a folder by its own name, not through a link, and opens it to us if its mode does not.
fn open_folder(above: BorrowedFd<'_>, name: &std::ffi::OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let opened = openat(above, name, flags | OFlag::O_PATH, Mode::empty())?;
    let itself = format!("/proc/self/fd/{}", opened.as_raw_fd());
    let metadata = std::fs::metadata(&itself).map_err(errno_of)?;
    if metadata.permissions().mode() & 0o700 != 0o700 {
        // A folder of another user stays closed; then opening it says so.
        let _ = std::fs::set_permissions(&itself, std::fs::Permissions::from_mode(0o700));
    }
    openat(&opened, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

fn errno_of(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
