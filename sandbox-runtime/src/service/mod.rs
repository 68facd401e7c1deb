//! The operations of the product. HTTP, the programs and the desktop are thin over this and add no rules.

mod error;
pub mod home;

use std::path::Path;
use std::time::Duration;

pub use error::{ErrorCode, ServiceError};
use sandbox_core::model::{
    Artifact, Check, CodeRequest, ExecRequest, ExecResult, HandoffEnvelope, HandoffRequest, Preview, RequestedBy,
    Sandbox, SandboxConfig, Task, TaskRequest, Viewport,
};
use sandbox_core::{SandboxId, TaskId};

pub type Answer<T> = Result<T, ServiceError>;

/// The runtime: one for each data directory. Cheap to clone.
#[derive(Clone)]
pub struct Service;

/// A piece of a command's output as it comes.
pub enum Output {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

impl Service {
    /// Opens history, locks the data directory, settles what an earlier runtime left unfinished.
    pub async fn start(_home: &Path) -> Answer<Self> {
        unimplemented!()
    }
    /// Ends every sandbox and closes history.
    pub async fn stop(&self) {
        unimplemented!()
    }
    // store(): lists, events, search and idempotency are read from the store directly.

    pub async fn create_sandbox(&self, _config: SandboxConfig) -> Answer<Sandbox> {
        unimplemented!()
    }
    pub async fn sandbox(&self, _id: &SandboxId) -> Answer<Sandbox> {
        unimplemented!()
    }
    /// Waits until the sandbox is ready (or over); `Timeout` when it takes longer.
    pub async fn wait_until_ready(&self, _id: &SandboxId, _limit: Duration) -> Answer<Sandbox> {
        unimplemented!()
    }
    pub async fn end_sandbox(&self, _id: &SandboxId) -> Answer<Sandbox> {
        unimplemented!()
    }

    /// Runs a command; `on_output` sees the output as it comes. Dropping the future kills the command.
    pub async fn exec(
        &self,
        _id: &SandboxId,
        _request: ExecRequest,
        _on_output: impl FnMut(Output) + Send,
    ) -> Answer<ExecResult> {
        unimplemented!()
    }
    pub async fn code(&self, _id: &SandboxId, _request: CodeRequest) -> Answer<ExecResult> {
        unimplemented!()
    }
    // terminal(id, cols, rows) -> Answer<sandbox::calls::Terminal> follows with the rooms.
    // workspace(id) -> Answer<Workspace> follows with the workspace; also for ended sandboxes while their files are kept.
    /// Says that a path of the workspace was changed through the API.
    pub async fn file_changed(&self, _id: &SandboxId, _path: &str) -> Answer<()> {
        unimplemented!()
    }

    pub async fn preview(&self, _id: &SandboxId) -> Answer<Preview> {
        unimplemented!()
    }
    pub async fn browse(&self, _id: &SandboxId, _command: BrowseCommand) -> Answer<Preview> {
        unimplemented!()
    }
    /// PNG.
    pub async fn screenshot(&self, _id: &SandboxId) -> Answer<Vec<u8>> {
        unimplemented!()
    }

    pub async fn start_task(&self, _id: &SandboxId, _request: TaskRequest) -> Answer<TaskId> {
        unimplemented!()
    }
    pub async fn task(&self, _id: &TaskId) -> Answer<Task> {
        unimplemented!()
    }
    /// Waits until the task has ended.
    pub async fn task_ended(&self, _id: &TaskId) -> Answer<Task> {
        unimplemented!()
    }
    pub async fn cancel_task(&self, _id: &TaskId) -> Answer<Task> {
        unimplemented!()
    }

    pub async fn handoff(&self, _id: &SandboxId) -> Answer<HandoffEnvelope> {
        unimplemented!()
    }
    pub async fn request_handoff(
        &self,
        _id: &SandboxId,
        _request: HandoffRequest,
        _by: RequestedBy,
    ) -> Answer<HandoffEnvelope> {
        unimplemented!()
    }
    pub async fn accept_handoff(&self, _id: &SandboxId, _controller: String) -> Answer<HandoffEnvelope> {
        unimplemented!()
    }
    pub async fn complete_handoff(&self, _id: &SandboxId, _note: Option<String>) -> Answer<HandoffEnvelope> {
        unimplemented!()
    }
    pub async fn cancel_handoff(&self, _id: &SandboxId, _note: Option<String>) -> Answer<HandoffEnvelope> {
        unimplemented!()
    }
    pub async fn take_control(&self, _id: &SandboxId, _controller: String) -> Answer<Preview> {
        unimplemented!()
    }
    pub async fn release_control(&self, _id: &SandboxId, _note: Option<String>) -> Answer<Preview> {
        unimplemented!()
    }

    pub async fn save_artifact(&self, _id: &SandboxId, _path: &str, _name: Option<String>) -> Answer<Artifact> {
        unimplemented!()
    }
    // artifact content: store().artifact(key) and store().blobs().
    // delete_artifact(key) -> Answer<Artifact>

    /// The checks of this machine.
    pub async fn checks(&self) -> Vec<Check> {
        unimplemented!()
    }
    /// Makes a sandbox and starts the guided first task in it.
    pub async fn demo(&self) -> Answer<(SandboxId, TaskId)> {
        unimplemented!()
    }
    // driver(id) -> Answer<Driver>: join(mode) gives the seat of a live view, desktop_link() the way to the pictures.
}

/// What a program asks of the browser directly.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowseCommand {
    Start,
    Stop,
    Navigate { url: String },
    Back,
    Forward,
    Reload,
    Resize(Viewport),
    ActivateTab { tab_id: String },
    CloseTab { tab_id: String },
}
