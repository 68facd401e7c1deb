//! Room on the disk that is kept for what must be written: who holds control, how a task or a sandbox ended. A full disk
//! refuses everything else.
//!
//! ```text
//! stands ─▶ (the disk is full, and something must be written) ─▶ given back to the disk ─▶ (there is room) ─▶ stands
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use super::StoreError;

/// In the data directory.
const FILE: &str = "reserve";
/// Enough for a hundred changes of control with their events, where the disk is not a very small one.
const LARGEST: u64 = 8 << 20;
const SMALLEST: u64 = 256 << 10;
/// The part of a small disk that is kept.
const PART: u64 = 16;
/// Free room below which new work is refused: less than one step of it writes.
const ROOM: u64 = 256 << 10;
/// Free room below which not even a change that must be kept is sure to find a place.
const LAST: u64 = 128 << 10;

/// The reserve file. The writer owns it; others ask [`Room`].
pub(super) struct Reserve {
    path: PathBuf,
    size: u64,
    stands: Arc<AtomicBool>,
}

/// Tells whether there is room for new work.
#[derive(Clone)]
pub(super) struct Room {
    home: PathBuf,
    size: u64,
    stands: Arc<AtomicBool>,
}

impl Reserve {
    /// Takes the reserve if the disk has that much; a reserve of an earlier run is taken over.
    pub fn beneath(home: &Path) -> Self {
        let size = disk(home).map_or(SMALLEST, |disk| (disk.all / PART).clamp(SMALLEST, LARGEST));
        let mut reserve = Self { path: home.join(FILE), size, stands: Arc::default() };
        if !reserve.restore() {
            tracing::warn!("the disk is full: the history takes only what must be written");
        }
        reserve
    }

    pub fn room(&self, home: &Path) -> Room {
        Room { home: home.to_owned(), size: self.size, stands: self.stands.clone() }
    }

    pub fn stands(&self) -> bool {
        self.stands.load(Ordering::Relaxed)
    }

    /// Gives the room back to the disk, for a write that must succeed; returns whether there was any to give.
    pub fn release(&mut self) -> bool {
        if !self.stands.swap(false, Ordering::Relaxed) {
            return false;
        }
        tracing::warn!("the disk is full: the reserve of the history is used");
        std::fs::remove_file(&self.path).is_ok()
    }

    /// Takes the room again; returns whether it is held.
    pub fn restore(&mut self) -> bool {
        let held = match take(&self.path, self.size) {
            Ok(()) => true,
            Err(error) => {
                // A part of it would only keep room from others.
                let _ = std::fs::remove_file(&self.path);
                tracing::debug!(%error, "no room for the reserve of the history");
                false
            }
        };
        self.stands.store(held, Ordering::Relaxed);
        held
    }
}

impl Room {
    /// Whether new work may begin.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`].
    pub fn for_work(&self) -> Result<(), StoreError> {
        let stands = self.stands.load(Ordering::Relaxed);
        self.has(if stands { ROOM } else { ROOM + self.size })
    }

    /// Whether there is room left for what must be written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] when the reserve is used up too.
    pub fn for_what_must_be_written(&self) -> Result<(), StoreError> {
        if self.stands.load(Ordering::Relaxed) { Ok(()) } else { self.has(LAST) }
    }

    fn has(&self, bytes: u64) -> Result<(), StoreError> {
        // A file system that does not tell is asked by writing to it.
        let free = disk(&self.home).map_or(u64::MAX, |disk| disk.free);
        if free < bytes { Err(StoreError::Full) } else { Ok(()) }
    }
}

struct Disk {
    all: u64,
    free: u64,
}

/// Returns the size of the disk that `home` lies on, and what of it this user may still use, in bytes.
fn disk(home: &Path) -> Option<Disk> {
    let found = statvfs(home).ok()?;
    let blocks = if nix::unistd::geteuid().is_root() { found.blocks_free() } else { found.blocks_available() };
    let block = found.fragment_size();
    Some(Disk { all: found.blocks().saturating_mul(block), free: blocks.saturating_mul(block) })
}

fn take(path: &Path, size: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let has = file.metadata()?;
    if has.len() == size && allocated(&has) >= size {
        return Ok(());
    }
    match posix_fallocate(file.as_fd(), 0, i64::try_from(size).unwrap_or(i64::MAX)) {
        Ok(()) => file.set_len(size),
        Err(Errno::EOPNOTSUPP | Errno::EINVAL) => fill(&file, size),
        Err(error) => Err(error.into()),
    }
}

/// Where the file system cannot allocate, writing does.
fn fill(mut file: &File, size: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    let mut left = size;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    file.sync_all()
}

fn allocated(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}
