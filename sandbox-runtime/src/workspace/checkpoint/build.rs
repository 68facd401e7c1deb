//! Builds a folder as a manifest says, beside where it will be. Nothing of a sandbox reaches it meanwhile.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use tokio_util::sync::CancellationToken;

use super::manifest::{Entry, Kind, Manifest, Part};
use super::{CHUNK, CheckpointError};
use crate::store::Blobs;

/// Builds one part of a checkpoint in an empty folder. Each content is checked as it is read.
pub fn build(
    manifest: &Manifest,
    part: Part,
    folder: &Path,
    blobs: &Blobs,
    stop: &CancellationToken,
) -> Result<(), CheckpointError> {
    for entry in manifest.part(part) {
        if stop.is_cancelled() {
            return Err(CheckpointError::Stopped);
        }
        let path = folder.join(&entry.path);
        let wrong = |error| CheckpointError::io("write", &path)(error);
        match &entry.kind {
            // Ours until everything in it is there.
            Kind::Folder => fs::DirBuilder::new().mode(0o700).create(&path).map_err(wrong)?,
            Kind::Link { to } => {
                symlink(to, &path).map_err(wrong)?;
                let time = TimeSpec::new(entry.modified / 1_000_000_000, entry.modified % 1_000_000_000);
                let set = utimensat(AT_FDCWD, &path, &time, &time, UtimensatFlags::NoFollowSymlink);
                set.map_err(|errno| wrong(errno.into()))?;
            }
            Kind::File { .. } => write_file(entry, &path, blobs)?,
        }
    }
    // From the deepest up: what is made in a folder changes its time.
    let folders: Vec<&Entry> = manifest.part(part).filter(|entry| entry.kind == Kind::Folder).collect();
    for entry in folders.into_iter().rev() {
        let path = folder.join(&entry.path);
        let wrong = |error| CheckpointError::io("write", &path)(error);
        let opened = File::open(&path).map_err(wrong)?;
        opened.set_times(times(entry.modified)).map_err(wrong)?;
        opened.set_permissions(Permissions::from_mode(entry.mode)).map_err(wrong)?;
    }
    Ok(())
}

fn write_file(entry: &Entry, path: &Path, blobs: &Blobs) -> Result<(), CheckpointError> {
    let wrong = |error| CheckpointError::io("write", path)(error);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
    for (at, chunk) in entry.chunks().iter().enumerate() {
        let Some(name) = chunk else { continue };
        use std::io::Seek;
        file.seek(std::io::SeekFrom::Start((at * CHUNK) as u64)).map_err(wrong)?;
        file.write_all(&blobs.read(name)?).map_err(wrong)?;
    }
    // A hole at the end has nothing that was written.
    file.set_len(entry.size()).map_err(wrong)?;
    file.set_times(times(entry.modified)).map_err(wrong)?;
    file.set_permissions(Permissions::from_mode(entry.mode)).map_err(wrong)
}

fn times(modified: i64) -> FileTimes {
    let after = Duration::from_nanos(modified.unsigned_abs());
    let time: SystemTime = if modified < 0 { UNIX_EPOCH - after } else { UNIX_EPOCH + after };
    FileTimes::new().set_modified(time)
}
