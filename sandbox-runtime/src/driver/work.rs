//! Work beside the browser: commands and code in the shell room, files saved as artifacts.

use std::collections::BTreeMap;

use sandbox_core::event::ExecCompleted;
use sandbox_core::layout::WORKSPACE_DIR;
use sandbox_core::model::{Actor as By, Artifact, ArtifactKind, CodeRequest, ExecRequest, ExecResult, FileKind};
use sandbox_link::protocol::ExecSpec;
use tokio_util::sync::CancellationToken;

use super::Driver;
use super::refusal::{Refusal, RefusalCode};
use crate::now_ms;
use crate::sandbox::calls::{self, CallError, CodeCommand, Output};
use crate::sandbox::tell_exceeded;
use crate::workspace::artifacts::{SnapshotError, Source, snapshot};

/// A command without a limit of its own.
pub const DEFAULT_TIMEOUT_MS: u64 = 120_000;
pub const MAX_TIMEOUT_MS: u64 = 3_600_000;
/// How many commands run in one sandbox at once; more are refused until one ends.
pub const COMMANDS_MAX: usize = 64;

/// A command could not be run. A command that ran and failed is not an error.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error("{0}")]
    Invalid(String),
    #[error("{COMMANDS_MAX} commands run in this sandbox already")]
    Overloaded,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A file could not be saved as an artifact.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("save the artifact: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Driver {
    /// Runs a command in the shell room; `on_output` sees the output as it comes. Dropping the future kills it.
    pub async fn exec(
        &self,
        request: ExecRequest,
        by: By,
        on_output: impl FnMut(Output) + Send,
    ) -> Result<ExecResult, ExecError> {
        let label = std::iter::once(request.command.as_str()).chain(request.args.iter().map(String::as_str));
        let label = shorten(&label.collect::<Vec<_>>().join(" "));
        let timeout_ms = checked_timeout(request.timeout_ms)?;
        if request.command.is_empty() {
            return Err(ExecError::Invalid("`command` is empty: name a program".to_owned()));
        }
        if has_nul(&request.command) || request.args.iter().any(|arg| has_nul(arg)) {
            return Err(ExecError::Invalid("a command and its arguments cannot contain NUL".to_owned()));
        }
        if let Some(name) = request.env.iter().find_map(|(name, value)| bad_variable(name, value)) {
            return Err(ExecError::Invalid(format!("`{name}` is no name for an environment variable")));
        }
        let cwd = match &request.cwd {
            None => WORKSPACE_DIR.to_owned(),
            Some(path) => {
                format!("{WORKSPACE_DIR}/{}", self.folder(path).await?)
            }
        };
        let spec = ExecSpec { command: request.command, args: request.args, cwd, env: request.env, timeout_ms };
        self.run(spec, request.stdin.map(String::into_bytes), by, label, on_output).await
    }

    /// Returns the path of a folder of the workspace, relative to it.
    async fn folder(&self, path: &str) -> Result<String, ExecError> {
        let (workspace, asked) = (self.kit.workspace.clone(), path.to_owned());
        let entry = tokio::task::spawn_blocking(move || workspace.stat(&asked)).await;
        let entry = entry.map_err(|error| ExecError::Invalid(error.to_string()))?;
        let entry = entry.map_err(|error| ExecError::Invalid(format!("`cwd`: {error}")))?;
        if entry.kind == FileKind::Directory {
            return Ok(entry.path);
        }
        Err(ExecError::Invalid(format!("`cwd`: {path:?} is not a folder")))
    }

    /// Runs code in the shell room.
    pub async fn code(&self, request: CodeRequest, by: By) -> Result<ExecResult, ExecError> {
        let timeout_ms = checked_timeout(request.timeout_ms)?;
        let label = shorten(&format!("{} code", format!("{:?}", request.language).to_lowercase()));
        let CodeCommand { command, args, stdin } = calls::code_command(request.language, &request.code);
        let cwd = WORKSPACE_DIR.to_owned();
        let spec = ExecSpec { command, args, cwd, env: BTreeMap::new(), timeout_ms };
        self.run(spec, Some(stdin), by, label, |_| ()).await
    }

    /// Runs a command. Every one passes here, but those of a terminal; `label` is what the story shows of it.
    pub(super) async fn run(
        &self,
        spec: ExecSpec,
        stdin: Option<Vec<u8>>,
        by: By,
        label: String,
        on_output: impl FnMut(Output) + Send,
    ) -> Result<ExecResult, ExecError> {
        let link = self.shell_when_up().await.ok_or_else(|| Refusal::wrong_state("the sandbox is not ready"))?;
        // Before it runs: afterwards it could not be written down, and could not be undone either.
        self.room_for_work()?;
        let _place = self.commands.try_acquire().map_err(|_| ExecError::Overloaded)?;
        let _active = self.work();
        let before = self.kit.backend.exceeded(&self.id);
        let mut result = calls::exec_pausable(&link, spec, stdin, &self.kit.frozen, on_output).await?;
        let after = self.kit.backend.exceeded(&self.id);
        tell_exceeded(&mut result, before, after, &self.sandbox().limits.in_force);
        let completed = ExecCompleted {
            command: label,
            exit_code: result.exit_code,
            duration_ms: result.duration_ms,
            timed_out: result.timed_out,
            limit_exceeded: result.limit_exceeded,
        };
        self.record(completed, by).await?;
        Ok(result)
    }

    /// Refuses new work on a full disk, which would leave no trace in the history.
    fn room_for_work(&self) -> Result<(), Refusal> {
        let room = self.kit.store.room_for_work();
        room.map_err(|error| Refusal { code: RefusalCode::NotRecorded, message: error.to_string() })
    }

    /// Saves a workspace file as an artifact. Dropping the future ends the copy.
    pub async fn save_artifact(&self, path: String, name: Option<String>, by: By) -> Result<Artifact, SaveError> {
        self.save_as(ArtifactKind::File, path, name, by).await
    }

    /// As [`Self::save_artifact`], of a kind that the caller knows.
    pub(super) async fn save_as(
        &self,
        kind: ArtifactKind,
        path: String,
        name: Option<String>,
        by: By,
    ) -> Result<Artifact, SaveError> {
        self.room_for_work()?;
        let (files, blobs, sandbox) = (self.kit.workspace.clone(), self.kit.store.blobs().clone(), self.id.clone());
        let stop = CancellationToken::new();
        let _stops_when_dropped = stop.clone().drop_guard();
        let saved = move || {
            let (path, name) = (path.as_str(), name.as_deref());
            let source = Source { sandbox_id: sandbox, task_id: None, kind, path, name, created_at: now_ms() };
            snapshot(&files, &blobs, source, &stop)
        };
        let snapshot = tokio::task::spawn_blocking(saved).await??;
        // The snapshot holds its content until the record is committed.
        Ok(self.add_artifact(snapshot.artifact.clone(), by).await?)
    }
}

fn checked_timeout(asked: Option<u64>) -> Result<u64, ExecError> {
    match asked {
        None => Ok(DEFAULT_TIMEOUT_MS),
        Some(ms @ 1..=MAX_TIMEOUT_MS) => Ok(ms),
        Some(ms) => Err(ExecError::Invalid(format!("`timeoutMs` is {ms}; it goes from 1 to {MAX_TIMEOUT_MS}"))),
    }
}

fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

fn bad_variable(name: &str, value: &str) -> Option<String> {
    let is_bad = name.is_empty() || name.contains('=') || has_nul(name) || has_nul(value);
    is_bad.then(|| name.replace('\0', "\\0"))
}

/// Shortens a command to what a line of the story holds.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(std::iter::once('…')).collect()
}
