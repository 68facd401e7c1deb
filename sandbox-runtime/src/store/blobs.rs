//! Contents as files, named by their SHA-256: `blobs/ab/abcdef…`. A content that is there is complete and on the disk.
//!
//! Whoever has put a content holds a [`Blob`] until a record that refers to it is committed: as long as one exists, the
//! content is not deleted. A content that is opened is read through first: what is not the bytes of its name is refused.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox_core::hexadecimal;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::hashed::copy_hashed;
use super::trouble::Findings;

const CHUNK: usize = 128 * 1024;
/// Larger contents are read through once in the life of this process, as long as their file looks the same.
const ALWAYS_CHECKED: u64 = 16 << 20;

/// The folder of contents; cheap to clone. Its calls block.
#[derive(Clone)]
pub struct Blobs {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    /// How many [`Blob`]s exist of each digest.
    held: Mutex<HashMap<String, usize>>,
    /// Large contents that were found to be right.
    right: Mutex<HashMap<String, Looks>>,
    findings: Findings,
}

/// What changes when a file is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks {
    inode: u64,
    size: u64,
    changed_at: (i64, i64),
}

/// A content that was put, and the promise that it stays while this exists.
pub struct Blob {
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    shared: Arc<Shared>,
}

impl Blobs {
    /// Opens the folder, and clears away what an earlier run left half written. Takes no room where the folder is there.
    pub(super) fn beneath(folder: &Path, findings: Findings) -> Result<Self, StoreError> {
        let (held, right) = (Mutex::default(), Mutex::default());
        let blobs = Self { shared: Arc::new(Shared { folder: folder.to_owned(), held, right, findings }) };
        let incoming = blobs.incoming();
        make_folder(&incoming)?;
        let clear = StoreError::io("clear", &incoming);
        let cleared =
            fs::read_dir(&incoming).and_then(|mut left| left.try_for_each(|left| fs::remove_file(left?.path())));
        cleared.map_err(clear)?;
        Ok(blobs)
    }

    /// Keeps the bytes of `content`; the same bytes twice are kept once.
    ///
    /// When this returns they are on the disk. What was not read to its end leaves nothing behind.
    pub fn put(&self, mut content: impl Read) -> Result<Blob, StoreError> {
        let incoming = self.incoming();
        let mut file = tempfile::NamedTempFile::new_in(&incoming).map_err(StoreError::io("create in", &incoming))?;
        let mut digest = Sha256::new();
        let mut size = 0;
        let mut chunk = vec![0; CHUNK];
        loop {
            let n_read = match content.read(&mut chunk) {
                Ok(0) => break,
                Ok(n_read) => n_read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(StoreError::io("read the content of a file for", incoming)(error)),
            };
            digest.update(&chunk[..n_read]);
            file.write_all(&chunk[..n_read]).map_err(StoreError::io("write to", &incoming))?;
            size += n_read as u64;
        }
        let sha256 = hexadecimal(&digest.finalize());

        // Held before it is looked for: from here on nobody deletes it.
        let blob = self.hold(sha256, size);
        let path = self.path(&blob.sha256);
        if self.open(&blob.sha256).is_ok() {
            return Ok(blob);
        }
        file.as_file().sync_all().map_err(StoreError::io("sync", file.path()))?;
        let shard = path.parent().expect("a blob lies in a folder named by its first two digits");
        make_folder(shard)?;
        // Two that put the same bytes at once replace one whole file by another.
        file.persist(&path).map_err(|failed| StoreError::io("keep", &path)(failed.error))?;
        sync_folder(shard)?;
        sync_folder(&self.shared.folder)?;
        self.mended(&blob.sha256);
        Ok(blob)
    }

    /// Makes a file without a name, on the disk of the contents. It is gone when it is closed.
    pub fn scratch(&self) -> Result<File, StoreError> {
        let incoming = self.incoming();
        tempfile::tempfile_in(&incoming).map_err(StoreError::io("create in", incoming))
    }

    /// Opens a content for reading, once it is known to be the bytes of its name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBlob`], [`StoreError::ContentChanged`].
    pub fn open(&self, sha256: &str) -> Result<File, StoreError> {
        check_digest(sha256)?;
        let path = self.path(sha256);
        let wrong = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => StoreError::NoSuchBlob(sha256.to_owned()),
            _ => StoreError::io("read", &path)(error),
        };
        let mut file = File::open(&path).map_err(wrong)?;
        let looks = Looks::of(&file).map_err(wrong)?;
        let known = looks.size > ALWAYS_CHECKED && self.shared.right().get(sha256) == Some(&looks);
        if known {
            return Ok(file);
        }
        if copy_hashed(&mut file, io::sink()).map_err(wrong)?.sha256 != sha256 {
            self.shared.findings.content_changed(sha256);
            return Err(StoreError::ContentChanged(sha256.to_owned()));
        }
        if looks.size > ALWAYS_CHECKED {
            self.shared.right().insert(sha256.to_owned(), looks);
        }
        file.rewind().map_err(wrong)?;
        Ok(file)
    }

    /// Returns the bytes of a content; `None` where there is none.
    pub fn size(&self, sha256: &str) -> Option<u64> {
        check_digest(sha256).ok()?;
        fs::metadata(self.path(sha256)).ok().map(|found| found.len())
    }

    /// Deletes a content unless somebody holds it; returns whether it did. Whether records refer to it is for the
    /// caller to know: the store calls this when the last record with this content is deleted.
    pub fn delete(&self, sha256: &str) -> Result<bool, StoreError> {
        check_digest(sha256)?;
        let held = self.shared.lock();
        if held.contains_key(sha256) {
            return Ok(false);
        }
        let path = self.path(sha256);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("delete", path)(error)),
        }
    }

    pub(super) fn hold(&self, sha256: String, size: u64) -> Blob {
        *self.shared.lock().entry(sha256.clone()).or_default() += 1;
        Blob { sha256, size, shared: self.shared.clone() }
    }

    pub(super) fn path(&self, sha256: &str) -> PathBuf {
        self.shared.folder.join(&sha256[..2]).join(sha256)
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.shared.folder.join("incoming")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// A content is whole again, if it was not.
    pub(super) fn mended(&self, sha256: &str) {
        self.shared.findings.content_mended(sha256);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Counts are changed in one step: no panic can leave them half changed.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn right(&self) -> MutexGuard<'_, HashMap<String, Looks>> {
        // Entries are put whole.
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Looks {
    fn of(file: &File) -> std::io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { inode: found.ino(), size: found.len(), changed_at: (found.ctime(), found.ctime_nsec()) })
    }
}

impl Clone for Blob {
    fn clone(&self) -> Self {
        Blobs { shared: self.shared.clone() }.hold(self.sha256.clone(), self.size)
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        let mut held = self.shared.lock();
        if let Some(count) = held.get_mut(&self.sha256) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.sha256);
            }
        }
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.sha256, self.size)
    }
}

fn check_digest(sha256: &str) -> Result<(), StoreError> {
    let fits = sha256.len() == 64 && sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if fits { Ok(()) } else { Err(StoreError::InvalidDigest(sha256.to_owned())) }
}

pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::io("create folder", folder))
}

/// Puts a renamed file's name on the disk too.
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync folder", folder))
}
