//! The descriptors that a room's process is given: those named here at the numbers said here, and no others.

use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use sandbox_link::protocol::LINK_FD;

/// Numbers handed out are beneath this one and the originals are above, so that neither overwrites the other.
const FIRST_ORIGINAL: RawFd = 64;

/// Descriptors in the order of their numbers, the first being [`LINK_FD`].
#[derive(Default)]
pub struct Descriptors {
    originals: Vec<OwnedFd>,
}

impl Descriptors {
    /// Adds one and returns the number it will have in the new process.
    pub fn add(&mut self, fd: impl AsFd) -> io::Result<RawFd> {
        let original = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(FIRST_ORIGINAL))?;
        // SAFETY: just made, and owned by nobody else.
        self.originals.push(unsafe { OwnedFd::from_raw_fd(original) });
        let number = LINK_FD + RawFd::try_from(self.originals.len()).map_err(io::Error::other)? - 1;
        assert!(number < FIRST_ORIGINAL, "a room is given few descriptors");
        Ok(number)
    }

    /// Adds a descriptor from which `content` can be read, and returns its number.
    pub fn add_content(&mut self, content: &[u8]) -> io::Result<RawFd> {
        let mut file = std::fs::File::from(memfd_create("room-file", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(content)?;
        file.rewind()?;
        self.add(file)
    }

    /// Puts every descriptor at its number and marks all others to be closed at the next exec.
    ///
    /// To be called between fork and exec: it allocates nothing.
    pub fn take_places(&self) -> io::Result<()> {
        // SAFETY: marking descriptors changes nothing for this process before its exec.
        Errno::result(unsafe { libc::close_range(LINK_FD as u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) })?;
        for (number, original) in (LINK_FD..).zip(&self.originals) {
            // SAFETY: both are numbers; the copy is not marked to be closed.
            Errno::result(unsafe { libc::dup2(original.as_raw_fd(), number) })?;
        }
        Ok(())
    }
}
