//! Forgetting a sandbox: its files, its outputs and its history go for good.

use std::path::{Path, PathBuf};

use sandbox_core::SandboxId;

use super::{Answer, Service, ServiceError};
use crate::workspace::Workspace;

impl Service {
    /// Ends a sandbox if it runs, then deletes its workspace with its trash, profile, artifacts, pictures and history. Returns how many
    /// bytes of files that freed. A profile with a name of its own stays.
    ///
    /// Files go before the history: what breaks off in between can be asked for again.
    ///
    /// # Errors
    ///
    /// `notFound` for a sandbox that there is not, or not any more.
    pub async fn forget_sandbox(&self, id: &SandboxId) -> Answer<u64> {
        self.end_sandbox(id).await?;
        let (workspace, profile) = (self.workspace_dir(id), self.home().join("profiles").join(id.as_str()));
        let (trash, recordings) = (self.trash_of(id), self.recordings_dir(id));
        let cleared = tokio::task::spawn_blocking(move || {
            Ok::<_, ServiceError>(clear(&workspace)? + clear(&profile)? + clear(trash.dir())? + clear(&recordings)?)
        });
        let freed = cleared.await.map_err(ServiceError::internal)??;
        let contents = self.store().forget(id).await?;
        self.drivers().remove(id);
        Ok(freed + contents)
    }
}

/// Removes a folder with all that is in it, and returns how many bytes of the disk it took.
fn clear(folder: &Path) -> Answer<u64> {
    if !folder.exists() {
        return Ok(0);
    }
    let taken = disk_bytes(folder);
    // Commands of the sandbox could make folders that are hard to remove: too deep, or closed.
    Workspace::create(folder)?.clear()?;
    std::fs::remove_dir(folder).map_err(ServiceError::internal)?;
    Ok(taken)
}

/// What cannot be read counts as nothing.
fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    let mut sum = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            sum += found.blocks() * 512;
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    sum
}
