//! Many contents kept at once: they share one sync of the disk, where [`Blobs::put`] syncs each.
//!
//! ```text
//! put … put ─> temporary files ─┐
//!              their names ─────┴─> sync ─> renamed to where contents are ─> … ─> sync
//!              (a list beside)
//! ```
//!
//! Until the records that refer to them are committed, the names of new contents stand in a list on the disk. A list that
//! a runtime left behind is gone through at the next start: what no record refers to is deleted.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use sandbox_core::hexadecimal;
use sha2::{Digest, Sha256};
use tempfile::TempPath;

use super::StoreError;
use super::blobs::{Blob, Blobs, make_folder};

/// Contents that wait for one sync, at most.
const WAITING: usize = 1_000;
/// Their bytes, at most.
const WAITING_BYTES: u64 = 64 << 20;

/// Contents that are being kept. Dropping it without [`Batch::finish`] leaves what was synced to the next start.
pub struct Batch {
    blobs: Blobs,
    waiting: Vec<(TempPath, Blob)>,
    names: HashSet<String>,
    waiting_bytes: u64,
    new_bytes: u64,
    list: File,
    list_path: PathBuf,
}

/// Keeps the list of a batch until the records are committed. Dropping it before that leaves the list to the next start.
pub struct Uncommitted {
    path: PathBuf,
}

impl Blobs {
    /// Begins to keep many contents.
    pub fn batch(&self) -> Result<Batch, StoreError> {
        let folder = self.lists();
        make_folder(&folder)?;
        let list_path = folder.join(crate::unique());
        let opened = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&list_path);
        let list = opened.map_err(StoreError::io("create", &list_path))?;
        let (waiting, names) = (Vec::new(), HashSet::new());
        Ok(Batch { blobs: self.clone(), waiting, names, waiting_bytes: 0, new_bytes: 0, list, list_path })
    }

    /// Reads a content of at most a few MiB, once it is known to be the bytes of its name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBlob`], [`StoreError::ContentChanged`].
    pub fn read(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.open(sha256)?.read_to_end(&mut bytes).map_err(StoreError::io("read", self.path(sha256)))?;
        Ok(bytes)
    }

    /// Returns the names in lists that earlier runtimes left, and the lists.
    pub(super) fn left_uncommitted(&self) -> Vec<(PathBuf, Vec<String>)> {
        let lists = fs::read_dir(self.lists()).into_iter().flatten().flatten();
        lists
            .filter_map(|list| {
                let file = File::open(list.path()).ok()?;
                // A line that was not written whole names nothing.
                Some((list.path(), BufReader::new(file).lines().map_while(Result::ok).collect()))
            })
            .collect()
    }

    fn lists(&self) -> PathBuf {
        self.folder().join("uncommitted")
    }
}

impl Batch {
    /// Keeps a content; it is on the disk when [`Self::finish`] has returned.
    pub fn put(&mut self, content: &[u8]) -> Result<Blob, StoreError> {
        let sha256 = hexadecimal(&Sha256::digest(content));
        // Held before it is looked for: from here on nobody deletes it.
        let blob = self.blobs.hold(sha256.clone(), content.len() as u64);
        if self.names.contains(&sha256) || self.blobs.open(&sha256).is_ok() {
            return Ok(blob);
        }
        let incoming = self.blobs.incoming();
        let mut file = tempfile::NamedTempFile::new_in(&incoming).map_err(StoreError::io("create in", &incoming))?;
        file.write_all(content).map_err(StoreError::io("write to", &incoming))?;
        self.names.insert(sha256);
        self.waiting_bytes += blob.size;
        self.new_bytes += blob.size;
        self.waiting.push((file.into_temp_path(), blob.clone()));
        if self.waiting.len() >= WAITING || self.waiting_bytes >= WAITING_BYTES {
            self.flush()?;
        }
        Ok(blob)
    }

    /// Holds a content that is there already.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchBlob`].
    pub fn hold(&self, sha256: &str) -> Result<Blob, StoreError> {
        let blob = self.blobs.hold(sha256.to_owned(), 0);
        match self.blobs.size(sha256) {
            Some(_) => Ok(blob),
            None => Err(StoreError::NoSuchBlob(sha256.to_owned())),
        }
    }

    /// Returns how many bytes were new so far.
    pub fn new_bytes(&self) -> u64 {
        self.new_bytes
    }

    /// Returns the names of the contents that are new. Note each of them with the records, even one that is not
    /// needed in the end: then it goes when they go.
    pub fn new_names(&self) -> HashSet<String> {
        self.names.clone()
    }

    /// Puts everything on the disk. Keep what it returns until the records are committed.
    pub fn finish(mut self) -> Result<Uncommitted, StoreError> {
        self.flush()?;
        sync_all(self.blobs.folder())?;
        Ok(Uncommitted { path: self.list_path.clone() })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let names: String = self.waiting.iter().map(|(_, blob)| format!("{}\n", blob.sha256)).collect();
        self.list.write_all(names.as_bytes()).map_err(StoreError::io("write to", &self.list_path))?;
        // Contents and their names, before any of them is where contents are.
        sync_all(self.blobs.folder())?;
        for (file, blob) in self.waiting.drain(..) {
            let path = self.blobs.path(&blob.sha256);
            make_folder(path.parent().expect("a blob lies in a folder named by its first two digits"))?;
            file.persist(&path).map_err(|failed| StoreError::io("keep", &path)(failed.error))?;
            self.blobs.mended(&blob.sha256);
        }
        self.waiting_bytes = 0;
        Ok(())
    }
}

impl Uncommitted {
    /// The records are committed: nothing is left to be looked at.
    pub fn committed(self) {
        remove_list(&self.path);
    }
}

pub(super) fn remove_list(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        // The next start looks at contents that records refer to, and keeps them.
        tracing::warn!(%error, "a list of contents could not be removed");
    }
}

/// Puts all that was written to the file system of this folder on the disk.
fn sync_all(folder: &Path) -> Result<(), StoreError> {
    let opened = File::open(folder).map_err(StoreError::io("open", folder))?;
    // SAFETY: takes a descriptor that is open.
    let synced = Errno::result(unsafe { libc::syncfs(opened.as_raw_fd()) });
    synced.map(drop).map_err(|errno| StoreError::io("sync", folder)(errno.into()))
}
