//! Takes a checkpoint while things run.
//!
//! A file that changes while it is read is read again a few times; what was read then is one content all the same. A
//! profile is taken again until it held still, since its databases are several files that belong together.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::sys::stat::FileStat;
use nix::unistd::{Whence, lseek};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::manifest::{Entry, Kind, Looks, Manifest, Part};
use super::selection::Selection;
use super::walk::{Met, glance, nanoseconds, walk};
use super::{CHUNK, CheckpointError};
use crate::store::{Batch, Blob, StoreError};
use crate::workspace::Workspace;

/// How often a file, or a folder that is to hold still, is read.
const ATTEMPTS: usize = 4;
/// A file that changed so short a time ago may change again without a trace: its times are of coarse ticks.
const TICKS: Duration = Duration::from_millis(50);
/// How many names of what is not kept are told.
const SKIPPED_MAX: usize = 20;

/// A folder that goes into a checkpoint.
pub struct Source<'a> {
    pub part: Part,
    pub root: &'a Workspace,
    pub selection: Selection,
    /// Whether it is taken again until nothing changed meanwhile.
    pub holds_still: bool,
}

/// What was taken. The contents stay as long as this is kept.
pub struct Taken {
    pub manifest: Manifest,
    /// What was not kept, by path.
    pub skipped: Vec<String>,
    pub blobs: Vec<Blob>,
}

/// Takes the folders one after the other.
///
/// # Errors
///
/// The disk, or [`CheckpointError::Stopped`].
pub fn take(
    sources: &[Source<'_>],
    previous: Option<&Manifest>,
    batch: &mut Batch,
    stop: &CancellationToken,
) -> Result<Taken, CheckpointError> {
    let known: HashMap<(Part, &Path), &Entry> = previous
        .into_iter()
        .flat_map(|manifest| &manifest.entries)
        .map(|entry| ((entry.part, entry.path.as_path()), entry))
        .collect();
    let mut taking = Taking { known, batch, stop, buffer: vec![0; CHUNK], blobs: Vec::new() };
    let (mut entries, mut skipped) = (Vec::new(), Vec::new());
    for source in sources {
        let (found, left_out) = taking.source(source)?;
        entries.extend(found);
        skipped.extend(left_out);
    }
    skipped.truncate(SKIPPED_MAX);
    Ok(Taken { manifest: Manifest::new(Value::Null, entries), skipped, blobs: taking.blobs })
}

struct Taking<'a> {
    known: HashMap<(Part, &'a Path), &'a Entry>,
    batch: &'a mut Batch,
    stop: &'a CancellationToken,
    buffer: Vec<u8>,
    blobs: Vec<Blob>,
}

impl Taking<'_> {
    fn source(&mut self, source: &Source<'_>) -> Result<(Vec<Entry>, Vec<String>), CheckpointError> {
        for attempt in 1.. {
            let before = source.holds_still.then(|| glance(source.root, source.selection));
            let (mut entries, mut skipped) = (Vec::new(), Vec::new());
            walk(source.root, source.selection, |path, stat, met| {
                if self.stop.is_cancelled() {
                    return Err(CheckpointError::Stopped);
                }
                match self.entry(source.part, path, stat, met)? {
                    Some(entry) => entries.push(entry),
                    None => skipped.push(path.to_string_lossy().into_owned()),
                }
                Ok(())
            })?;
            let held = before.is_none_or(|before| before == glance(source.root, source.selection));
            if held || attempt == ATTEMPTS {
                return Ok((entries, skipped));
            }
        }
        unreachable!("the loop ends by itself")
    }

    fn entry(&mut self, part: Part, path: &Path, stat: &FileStat, met: Met) -> Result<Option<Entry>, CheckpointError> {
        let kind = match met {
            Met::Folder => Kind::Folder,
            Met::Link(to) => Kind::Link { to: PathBuf::from(to) },
            Met::Skipped => return Ok(None),
            Met::File(file) => return self.file(part, path, file).map(Some),
        };
        let modified = nanoseconds(stat.st_mtime, stat.st_mtime_nsec);
        Ok(Some(Entry { part, path: path.to_owned(), mode: stat.st_mode & 0o7777, modified, kind }))
    }

    fn file(&mut self, part: Part, path: &Path, mut file: File) -> Result<Entry, CheckpointError> {
        let wrong = |error| CheckpointError::io("read", path)(error);
        for attempt in 1.. {
            let before = Seen::of(&file).map_err(wrong)?;
            if let Some(same) = self.unchanged(part, path, &before) {
                return Ok(same);
            }
            let looked_at = SystemTime::now();
            let (size, chunks) = self.read(&mut file, &before, path)?;
            let after = Seen::of(&file).map_err(wrong)?;
            let is_whole = before == after && size == before.size;
            if is_whole || attempt == ATTEMPTS {
                let looks = (is_whole && before.is_older_than(looked_at)).then_some(before.looks);
                let kind = Kind::File { size, chunks, looks };
                return Ok(Entry { part, path: path.to_owned(), mode: after.mode, modified: after.modified, kind });
            }
            file.rewind().map_err(wrong)?;
        }
        unreachable!("the loop ends by itself")
    }

    /// Returns the entry of the checkpoint before, if the file is the same and its contents are there.
    fn unchanged(&mut self, part: Part, path: &Path, now: &Seen) -> Option<Entry> {
        let known = *self.known.get(&(part, path))?;
        let Kind::File { size, chunks, looks } = &known.kind else { return None };
        if *looks != Some(now.looks) || *size != now.size || known.modified != now.modified {
            return None;
        }
        let held: Result<Vec<Blob>, StoreError> = chunks.iter().flatten().map(|name| self.batch.hold(name)).collect();
        self.blobs.extend(held.ok()?);
        Some(Entry { mode: now.mode, ..known.clone() })
    }

    fn read(
        &mut self,
        file: &mut File,
        seen: &Seen,
        path: &Path,
    ) -> Result<(u64, Vec<Option<String>>), CheckpointError> {
        let wrong = |error| CheckpointError::io("read", path)(error);
        let (mut size, mut chunks) = (0, Vec::new());
        loop {
            if self.stop.is_cancelled() {
                return Err(CheckpointError::Stopped);
            }
            if seen.has_holes && size + CHUNK as u64 <= seen.size && is_hole(file, size).map_err(wrong)? {
                size += CHUNK as u64;
                chunks.push(None);
                continue;
            }
            let n_read = fill(file, &mut self.buffer).map_err(wrong)?;
            if n_read == 0 {
                return Ok((size, chunks));
            }
            let blob = self.batch.put(&self.buffer[..n_read])?;
            size += n_read as u64;
            chunks.push(Some(blob.sha256.clone()));
            self.blobs.push(blob);
            if n_read < CHUNK {
                return Ok((size, chunks));
            }
        }
    }
}

/// A file as its descriptor shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    size: u64,
    mode: u32,
    modified: i64,
    looks: Looks,
    has_holes: bool,
}

impl Seen {
    fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            size: found.size(),
            mode: found.mode() & 0o7777,
            modified: nanoseconds(found.mtime(), found.mtime_nsec()),
            looks: Looks { inode: found.ino(), changed: nanoseconds(found.ctime(), found.ctime_nsec()) },
            has_holes: found.blocks() * 512 < found.size(),
        })
    }

    fn is_older_than(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::from_nanos(u64::try_from(self.looks.changed).unwrap_or(0));
        changed + TICKS < now
    }
}

/// Whether the chunk that begins here holds nothing; then the file stands at the next one, else where it was.
fn is_hole(file: &mut File, at: u64) -> io::Result<bool> {
    let next = match lseek(file.as_fd(), i64::try_from(at).unwrap_or(i64::MAX), Whence::SeekData) {
        Ok(data) => u64::try_from(data).unwrap_or(0),
        // No more data follows.
        Err(Errno::ENXIO) => u64::MAX,
        // A file system that does not say where data is.
        Err(_) => at,
    };
    let is_hole = next >= at + CHUNK as u64;
    file.seek(SeekFrom::Start(if is_hole { at + CHUNK as u64 } else { at }))?;
    Ok(is_hole)
}

/// Reads until the buffer is full or the file ends.
pub fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n_read) => filled += n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
