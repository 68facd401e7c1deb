//! Memory that the X server writes pictures to.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyOrIdError};
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::rust_connection::RustConnection;

/// Why memory could not be shared with the X server.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("X server: {0}")]
    Server(#[from] ReplyOrIdError),
    #[error("shared memory with the X server: {0}")]
    Memory(#[from] nix::Error),
    #[error("the X server has no screen")]
    Empty,
}

/// A mapping that the server shares. The server lets go of its side with [`Segment::detach`], or with the connection.
#[derive(Debug)]
pub struct Segment {
    pub id: Seg,
    memory: NonNull<std::ffi::c_void>,
    pixels: usize,
}

// SAFETY: the mapping belongs to this value alone and is only read through it.
unsafe impl Send for Segment {}
// SAFETY: as above; the server writes to it only while `Latest` is locked for writing.
unsafe impl Sync for Segment {}

impl Segment {
    pub fn create(x: &RustConnection, pixels: usize) -> Result<Self, SegmentError> {
        let length = NonZeroUsize::new(pixels * 4).ok_or(SegmentError::Empty)?;
        let (id, shared) = ask_for(x, length)?;
        // SAFETY: a new mapping of a descriptor that the server has just made that long.
        let memory = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &shared, 0) }?;
        Ok(Self { id, memory, pixels })
    }

    pub fn detach(&self, x: &RustConnection) -> Result<(), ConnectionError> {
        x.shm_detach(self.id).map(drop)
    }

    pub fn pixels(&self) -> &[u32] {
        // SAFETY: the mapping is that long and page-aligned. The server writes only during a request of the capture, which
        // then holds the lock around this value for writing.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<u32>(), self.pixels) }
    }
}

/// Has the server make memory of this many bytes.
fn ask_for(x: &RustConnection, length: NonZeroUsize) -> Result<(Seg, OwnedFd), ReplyOrIdError> {
    let id = x.generate_id()?;
    let shared = x.shm_create_segment(id, length.get() as u32, false)?.reply()?;
    Ok((id, shared.shm_fd))
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: nothing borrowed from `self` outlives it.
        let _ = unsafe { munmap(self.memory, self.pixels * 4) };
    }
}
