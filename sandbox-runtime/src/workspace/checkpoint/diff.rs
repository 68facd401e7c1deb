//! How a workspace differs from a checkpoint, and what a file was then.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use sandbox_core::model::{ChangedFile, CheckpointDiff, FileDifference};
use sha2::{Digest, Sha256};

use super::manifest::{Entry, Kind, Manifest, Part};
use super::selection::Selection;
use super::take::fill;
use super::walk::{Met, walk};
use super::{CHUNK, CheckpointError};
use crate::store::Blobs;
use crate::workspace::{Workspace, WorkspaceError};

/// Most files that are listed.
const LISTED_MAX: usize = 2_000;

/// Compares the workspace as it is now with a checkpoint: files and links, by what is in them.
pub fn differences(manifest: &Manifest, workspace: &Workspace) -> Result<CheckpointDiff, CheckpointError> {
    let is_listed = |entry: &&Entry| entry.kind != Kind::Folder;
    let mut then: BTreeMap<&Path, &Entry> =
        manifest.part(Part::Workspace).filter(is_listed).map(|entry| (entry.path.as_path(), entry)).collect();
    let mut found: BTreeMap<PathBuf, ChangedFile> = BTreeMap::new();
    walk(workspace, Selection::All, |path, _, met| {
        let size = match &met {
            Met::Folder | Met::Skipped => return Ok(()),
            Met::Link(_) => 0,
            Met::File(file) => file.metadata().map_or(0, |now| now.len()),
        };
        let was = then.remove(path);
        let change = match was {
            None => FileDifference::Added,
            Some(entry) if is_same(entry, met, size).map_err(CheckpointError::io("read", path))? => return Ok(()),
            Some(_) => FileDifference::Changed,
        };
        let size_then = was.map_or(0, Entry::size);
        found.insert(path.to_owned(), ChangedFile { path: shown(path), change, size, size_then });
        Ok::<_, CheckpointError>(())
    })?;
    for (path, entry) in then {
        let (change, size_then) = (FileDifference::Removed, entry.size());
        found.insert(path.to_owned(), ChangedFile { path: shown(path), change, size: 0, size_then });
    }
    let truncated = found.len() > LISTED_MAX;
    Ok(CheckpointDiff { data: found.into_values().take(LISTED_MAX).collect(), truncated })
}

/// Returns the content of a file as it was, up to `limit` bytes.
///
/// # Errors
///
/// [`CheckpointError::NoSuchFile`], or one that is too large.
pub fn file_at(manifest: &Manifest, path: &str, blobs: &Blobs, limit: u64) -> Result<Vec<u8>, CheckpointError> {
    let mut files = manifest.part(Part::Workspace);
    let entry = files.find(|entry| entry.path == Path::new(path) && matches!(entry.kind, Kind::File { .. }));
    let entry = entry.ok_or_else(|| CheckpointError::NoSuchFile(path.to_owned()))?;
    if entry.size() > limit {
        return Err(WorkspaceError::TooLarge { path: path.to_owned(), limit }.into());
    }
    let mut bytes = Vec::new();
    for (at, chunk) in entry.chunks().iter().enumerate() {
        bytes.resize(at * CHUNK, 0);
        if let Some(name) = chunk {
            bytes.extend(blobs.read(name)?);
        }
    }
    bytes.resize(usize::try_from(entry.size()).unwrap_or(usize::MAX), 0);
    Ok(bytes)
}

fn is_same(entry: &Entry, now: Met, size: u64) -> std::io::Result<bool> {
    match (&entry.kind, now) {
        (Kind::Link { to }, Met::Link(now)) => Ok(to.as_os_str() == now),
        (Kind::File { size: then, chunks, .. }, Met::File(file)) => Ok(*then == size && has_chunks(file, chunks)?),
        (_, _) => Ok(false),
    }
}

fn has_chunks(mut file: File, chunks: &[Option<String>]) -> std::io::Result<bool> {
    let mut buffer = vec![0; CHUNK];
    for chunk in chunks {
        let n_read = fill(&mut file, &mut buffer)?;
        let is_same = match chunk {
            None => buffer[..n_read].iter().all(|byte| *byte == 0),
            Some(name) => sandbox_core::hexadecimal(&Sha256::digest(&buffer[..n_read])) == *name,
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
