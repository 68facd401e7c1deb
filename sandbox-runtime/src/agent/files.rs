//! Files that a task writes itself: one way for the playbook and for the loop.

use sandbox_core::event::{FileChange, FileChanged};

use super::workbench::{WorkError, Workbench};

/// Largest file that a step writes.
const MAX_FILE: u64 = 256 << 20;

/// Writes a file of the workspace, and records that it changed.
pub async fn write(bench: &dyn Workbench, path: &str, content: Vec<u8>) -> Result<(), WorkError> {
    let (workspace, at) = (bench.workspace(), path.to_owned());
    let written = tokio::task::spawn_blocking(move || workspace.write(&at, content.as_slice(), MAX_FILE)).await;
    let written = written.map_err(|error| error.to_string());
    written.and_then(|done| done.map_err(|error| error.to_string())).map_err(WorkError::Failed)?;
    bench.record(FileChanged { path: path.to_owned(), change: FileChange::Written }.into()).await
}

/// Gives a file of the workspace another name.
pub async fn rename(bench: &dyn Workbench, from: &str, to: &str) -> Result<(), WorkError> {
    let (workspace, from, to) = (bench.workspace(), from.to_owned(), to.to_owned());
    let renamed = tokio::task::spawn_blocking(move || workspace.rename(&from, &to)).await;
    let renamed = renamed.map_err(|error| error.to_string());
    renamed.and_then(|done| done.map_err(|error| error.to_string())).map_err(WorkError::Failed)?;
    Ok(())
}
