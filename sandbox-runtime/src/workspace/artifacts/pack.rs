//! Packs a folder of the workspace as a zip.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use sandbox_core::model::{EpochMs, FileKind};
use time::{OffsetDateTime, PrimitiveDateTime};
use tokio_util::sync::CancellationToken;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{MAX_ARTIFACT, SnapshotError};
use crate::workspace::{Workspace, WorkspaceError};

/// Most entries of a folder that is packed.
const MAX_PACKED: usize = 100_000;
const CHUNK: usize = 128 * 1024;
/// What a name that is no text is shown with.
const NO_TEXT: char = '\u{fffd}';

/// Returns a time as zips tell it, in Greenwich time: from 1980 to 2107.
fn zip_time(at: EpochMs) -> zip::DateTime {
    let at = OffsetDateTime::from_unix_timestamp(at / 1000).ok();
    let at = at.map(|at| PrimitiveDateTime::new(at.date(), at.time()));
    at.and_then(|at| zip::DateTime::try_from(at).ok()).unwrap_or_default()
}

/// Writes a folder into `zip` as it is now, with the folder's own name at the top. Links and what is neither a file nor a
/// folder are left out; what is deleted meanwhile is too.
///
/// # Errors
///
/// [`WorkspaceError::TooLarge`] for more than [`MAX_ARTIFACT`] bytes or [`MAX_PACKED`] entries, and
/// [`WorkspaceError::InvalidPath`] for a name that is no text: nothing is left out in silence.
pub fn pack(workspace: &Workspace, path: &str, mut zip: File, stop: &CancellationToken) -> Result<File, SnapshotError> {
    let listing = workspace.list_up_to(path, true, MAX_PACKED)?;
    let too_large = || WorkspaceError::TooLarge { path: path.to_owned(), limit: MAX_ARTIFACT };
    if listing.truncated {
        return Err(too_large().into());
    }
    // Paths of a listing begin beneath the workspace; those of the zip with the folder itself.
    let inside = workspace.stat(path)?.path;
    let above = inside.rfind('/').map_or(0, |at| at + 1);
    let wrong = |error: io::Error| WorkspaceError::io("pack", path, error);
    let zipped = |error: zip::result::ZipError| wrong(error.into());
    let mut writer = ZipWriter::new(&mut zip);
    let (mut left, mut chunk) = (MAX_ARTIFACT, vec![0; CHUNK]);
    for entry in listing.entries {
        if entry.path.contains(NO_TEXT) {
            let reason = "its name is not UTF-8, and a zip could not give it back; rename it";
            return Err(WorkspaceError::InvalidPath { path: entry.path, reason }.into());
        }
        let name = &entry.path[above..];
        let options = SimpleFileOptions::default().last_modified_time(zip_time(entry.modified_at));
        match entry.kind {
            FileKind::Directory => writer.add_directory(name, options).map_err(zipped)?,
            FileKind::Symlink | FileKind::Other => {}
            FileKind::File => {
                let mut file = match workspace.open_file(&entry.path) {
                    Ok((file, _)) => file,
                    Err(WorkspaceError::NotFound { .. } | WorkspaceError::NotAFile { .. }) => continue,
                    Err(error) => return Err(error.into()),
                };
                writer.start_file(name, options.large_file(entry.size > u64::from(u32::MAX / 2))).map_err(zipped)?;
                loop {
                    if stop.is_cancelled() {
                        return Err(SnapshotError::Stopped);
                    }
                    let n_read = file.read(&mut chunk).map_err(wrong)?;
                    if n_read == 0 {
                        break;
                    }
                    left = left.checked_sub(n_read as u64).ok_or_else(too_large)?;
                    writer.write_all(&chunk[..n_read]).map_err(wrong)?;
                }
            }
        }
    }
    writer.finish().map_err(zipped)?;
    zip.rewind().map_err(wrong)?;
    Ok(zip)
}
