//! Puts what was built in the place of what is there: all of it or nothing, whenever the runtime is killed.
//!
//! ```text
//!   restoring/ID/…       built; no journal yet     killed here: it is thrown away, everything is as it was
//!   restoring/ID.json    `out`: what is there is moved out, name by name
//!   restoring/ID.json    `in`:  what was built is moved in, name by name
//!                                                  killed here: the next start goes on where it stopped
//! ```
//!
//! The folders themselves stay: rooms mount them, and others hold them open. Their rooms do not run meanwhile.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use sandbox_core::{CheckpointId, SandboxId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::CheckpointError;
use super::build::build;
use super::manifest::{Manifest, Part};
use crate::store::Blobs;
use crate::workspace::Workspace;

/// A folder to bring back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub part: Part,
    /// Relative to the data directory, so that it may move.
    pub folder: PathBuf,
}

/// Folders that are built and not yet in their place. Dropping it throws them away.
pub struct Staged {
    home: PathBuf,
    journal: Journal,
    is_begun: bool,
}

/// A restore that an earlier runtime had begun, and that is done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub sandbox: SandboxId,
    pub checkpoint: CheckpointId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    sandbox: SandboxId,
    checkpoint: CheckpointId,
    targets: Vec<Target>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Phase {
    Out,
    In,
}

impl Staged {
    /// Builds the folders of a checkpoint beneath `home`. `extra` is written into the folder of its part, under its name.
    pub fn build(
        home: &Path,
        (sandbox, checkpoint): (SandboxId, CheckpointId),
        manifest: &Manifest,
        targets: Vec<Target>,
        extra: Option<(Part, &str, &[u8])>,
        blobs: &Blobs,
        stop: &CancellationToken,
    ) -> Result<Self, CheckpointError> {
        let journal = Journal { sandbox, checkpoint, targets, phase: Phase::Out };
        let staged = Self { home: home.to_owned(), journal, is_begun: false };
        let folder = staged.folder();
        remove(&folder)?;
        let wrong = |error| CheckpointError::io("create", &folder)(error);
        for target in &staged.journal.targets {
            for way in ["in", "out"] {
                let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(staged.place(way, target.part));
                made.map_err(wrong)?;
            }
            let into = staged.place("in", target.part);
            build(manifest, target.part, &into, blobs, stop)?;
            if let Some((_, name, content)) = extra.filter(|(part, _, _)| *part == target.part) {
                write_private(&into.join(name), content).map_err(CheckpointError::io("write", name))?;
            }
        }
        sync_all(&folder).map_err(wrong)?;
        Ok(staged)
    }

    /// Puts the folders in their place. While the journal is there, the next start would do it again: remove it with
    /// [`Self::committed`] once its event is committed.
    pub fn swap(&mut self) -> Result<(), CheckpointError> {
        self.write_journal()?;
        self.is_begun = true;
        self.go_on()
    }

    /// Its event is committed: nothing is left to do again.
    pub fn committed(mut self) {
        self.is_begun = true;
        if let Err(error) = self.forget() {
            tracing::warn!(%error, "what a restore left could not be removed");
        }
    }

    fn go_on(&mut self) -> Result<(), CheckpointError> {
        if self.journal.phase == Phase::Out {
            for target in &self.journal.targets {
                let there = self.home.join(&target.folder);
                fs::create_dir_all(&there).map_err(CheckpointError::io("create", &there))?;
                move_all(&there, &self.place("out", target.part))?;
            }
            self.journal.phase = Phase::In;
            self.write_journal()?;
        }
        for target in &self.journal.targets {
            move_all(&self.place("in", target.part), &self.home.join(&target.folder))?;
        }
        sync_all(&self.home).map_err(CheckpointError::io("sync", &self.home))
    }

    fn write_journal(&self) -> Result<(), CheckpointError> {
        let path = self.journal_path();
        let written = serde_json::to_vec(&self.journal).map_err(io::Error::other);
        let fresh = path.with_extension("fresh");
        let kept = written.and_then(|bytes| write_private(&fresh, &bytes)).and_then(|()| fs::rename(&fresh, &path));
        let kept = kept.and_then(|()| File::open(restoring(&self.home))?.sync_all());
        kept.map_err(CheckpointError::io("write", &path))
    }

    fn forget(&self) -> Result<(), CheckpointError> {
        remove(&self.folder())?;
        match fs::remove_file(self.journal_path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(CheckpointError::io("remove", self.journal_path())(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn folder(&self) -> PathBuf {
        restoring(&self.home).join(self.journal.sandbox.as_str())
    }

    fn place(&self, way: &str, part: Part) -> PathBuf {
        let name = match part {
            Part::Workspace => "workspace",
            Part::Profile => "profile",
        };
        self.folder().join(way).join(name)
    }

    fn journal_path(&self) -> PathBuf {
        restoring(&self.home).join(format!("{}.json", self.journal.sandbox))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_begun
            && let Err(error) = remove(&self.folder())
        {
            tracing::warn!(%error, "what was built for a restore could not be removed");
        }
    }
}

/// Finishes what an earlier runtime had begun beneath `home`, and throws away what it had only built. The caller commits
/// an event for each, and calls [`Staged::committed`] then.
pub fn finish_all(home: &Path) -> Result<Vec<(Finished, Staged)>, CheckpointError> {
    let folder = restoring(home);
    let mut finished = Vec::new();
    let mut begun = Vec::new();
    for found in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if found.path().extension().is_some_and(|ending| ending == "json") {
            let read = fs::read(found.path()).map_err(CheckpointError::io("read", found.path()))?;
            let journal: Journal =
                serde_json::from_slice(&read).map_err(|error| CheckpointError::Manifest(error.to_string()))?;
            let mut staged = Staged { home: home.to_owned(), journal, is_begun: true };
            staged.go_on()?;
            begun.push(staged.journal.sandbox.to_string());
            let Journal { sandbox, checkpoint, .. } = staged.journal.clone();
            finished.push((Finished { sandbox, checkpoint }, staged));
        }
    }
    for found in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = found.file_name().to_string_lossy().into_owned();
        if found.path().is_dir() && !begun.contains(&name) {
            remove(&found.path())?;
        }
    }
    Ok(finished)
}

/// Moves everything that is in one folder into another of the same file system.
fn move_all(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    let wrong = |error| CheckpointError::io("move what is in", from)(error);
    for entry in fs::read_dir(from).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        move_one(&entry.path(), &to.join(entry.file_name())).map_err(wrong)?;
    }
    Ok(())
}

/// A folder that is closed to its owner can be moved only while it is open.
fn move_one(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        done => return done,
    }
    let found = fs::symlink_metadata(from)?;
    if !found.is_dir() {
        return fs::rename(from, to);
    }
    fs::set_permissions(from, Permissions::from_mode(0o700))?;
    fs::rename(from, to)?;
    fs::set_permissions(to, found.permissions())
}

/// Removes a folder with all that is in it, however deep or closed.
fn remove(folder: &Path) -> Result<(), CheckpointError> {
    if !folder.exists() {
        return Ok(());
    }
    Workspace::create(folder)?.clear()?;
    fs::remove_dir(folder).map_err(CheckpointError::io("remove", folder))
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync_all(folder: &Path) -> io::Result<()> {
    let opened = File::open(folder)?;
    // SAFETY: takes a descriptor that is open.
    Ok(Errno::result(unsafe { libc::syncfs(opened.as_raw_fd()) }).map(drop)?)
}

fn restoring(home: &Path) -> PathBuf {
    home.join("restoring")
}
