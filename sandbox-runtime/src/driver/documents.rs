//! Documents: converted by programs of the shell room, which is where hostile ones are taken apart.

use std::collections::BTreeMap;

use sandbox_core::document::ConvertFile;
use sandbox_core::event::DocumentConverted;
use sandbox_core::layout::WORKSPACE_DIR;
use sandbox_core::model::{Actor as By, ArtifactKind, FileKind};
use sandbox_link::protocol::ExecSpec;

use super::Driver;
use super::work::{ExecError, SaveError, shorten};
use crate::agent::Converted;
use crate::sandbox::calls::{self, CodeCommand, MissingTool};
use crate::workspace::WorkspaceError;

/// How long one conversion may take; then all that it started is killed.
const DEADLINE_MS: u64 = 120_000;
/// Bytes of what a failed program said that are told.
const SAID: usize = 400;

/// A document was not converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error("{} is missing on this machine: it is in the package {}", .0.program, .0.package)]
    Missing(MissingTool),
    #[error("it was not done after {} s and was stopped", DEADLINE_MS / 1000)]
    Late,
    #[error("convert the document: {0}")]
    Failed(String),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error("convert the document: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Driver {
    /// Converts a document of the workspace, and saves what it became as an artifact; of several pages, the first.
    pub async fn convert(&self, file: ConvertFile, by: By) -> Result<Converted, ConvertError> {
        let recipe = file.recipe().map_err(ConvertError::Invalid)?;
        let (workspace, asked, wanted) = (self.kit.workspace.clone(), file.path.clone(), file.output());
        let places = tokio::task::spawn_blocking(move || {
            let (_, source) = workspace.open_file(&asked)?;
            Ok::<_, WorkspaceError>((source.path, workspace.normal(&wanted)?))
        });
        let (input, output) = places.await??;
        if output.is_empty() {
            return Err(ConvertError::Invalid("`output` is the workspace itself".to_owned()));
        }
        let inside = |path: &str| format!("{WORKSPACE_DIR}/{path}");
        let CodeCommand { command, args, stdin } = calls::convert_command(recipe, &inside(&input), &inside(&output));
        let cwd = WORKSPACE_DIR.to_owned();
        let spec = ExecSpec { command, args, cwd, env: BTreeMap::new(), timeout_ms: DEADLINE_MS };
        let label = shorten(&format!("convert {input} to {}", file.to.ending()));
        let result = self.run(spec, Some(stdin), by, label, |_| ()).await?;
        if result.timed_out {
            return Err(ConvertError::Late);
        }
        if result.exit_code != 0 {
            let missing = calls::missing_tool(&result.stderr).filter(|_| result.exit_code == calls::MISSING);
            return Err(missing.map_or_else(|| ConvertError::Failed(tail(&result.stderr)), ConvertError::Missing));
        }
        let made = result.stdout.lines().filter_map(|line| line.strip_prefix(WORKSPACE_DIR)?.strip_prefix('/'));
        let made: Vec<String> = made.map(str::to_owned).collect();
        let workspace = self.kit.workspace.clone();
        let looked = tokio::task::spawn_blocking(move || {
            // What the room says is looked at from here before it is believed.
            made.into_iter()
                .filter(|path| workspace.stat(path).is_ok_and(|entry| entry.kind == FileKind::File))
                .collect()
        });
        let paths: Vec<String> = looked.await?;
        let Some(first) = paths.first().cloned() else {
            return Err(ConvertError::Failed("the result is not there any more".to_owned()));
        };
        let artifact = self.save_as(ArtifactKind::Document, first, None, by).await?;
        let converted = DocumentConverted {
            path: input,
            to: file.to,
            output: paths[0].clone(),
            pages: paths.len(),
            artifact: artifact.key.clone(),
            duration_ms: result.duration_ms,
        };
        let recorded = self.record(converted, by).await;
        recorded.map_err(|refusal| ConvertError::Exec(refusal.into()))?;
        Ok(Converted { paths, artifact, duration_ms: result.duration_ms })
    }
}

fn tail(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() {
        return "it failed without a word".to_owned();
    }
    said[said.ceil_char_boundary(said.len().saturating_sub(SAID))..].replace('\n', "; ")
}
