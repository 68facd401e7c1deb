//! Carries out a tool call: the service's operations, one for each.

use std::time::Duration;

use rmcp::model::CallToolResult;
use sandbox_core::SandboxId;
use sandbox_core::action::{Action, NewTab, Plain, TabChoice};
use sandbox_core::event::FileChange;
use sandbox_core::model::{HandoffEnvelope, RequestedBy, SandboxConfig, SandboxStatus};
use sandbox_core::viewer::ViewerMode;
use serde_json::json;

use super::answer;
use super::file::read_file;
use super::progress::Progress;
use super::tools::{
    ArtifactList, Beyond, BrowserTabs, Call, CheckpointCreate, CheckpointRestore, FsRead, FsWrite, HandoffWait,
    TaskGet, Within,
};
use crate::api::Api;
use crate::service::{Output, Service, ServiceError};
use crate::store::{ArtifactFilter, PageRequest, SandboxFilter};
use crate::workspace::{Workspace, WorkspaceError};

/// How long a sandbox may take to be ready: less than the minute after which clients give up.
const READY: Duration = Duration::from_secs(50);
/// The longest wait of one call; clients give up after a minute.
const LONGEST_WAIT_MS: u64 = 50_000;
/// For how long the link to the live view waits for the person.
const LINK_MS: i64 = 3_600_000;
/// Largest file that a call writes.
const MAX_FILE: u64 = 4 << 20;
type Told = Result<CallToolResult, ServiceError>;

/// Carries out a call; a refusal is an answer in words that a model can act on.
pub async fn carry_out(api: &Api, call: Call, progress: &Progress) -> CallToolResult {
    let service = api.service();
    match call {
        Call::Beyond(call) => match beyond(service, call, progress).await {
            Ok(told) => told,
            Err(error) => answer::refusal(&error),
        },
        Call::Within(id, call) => match within_as_model(api, &id, call, progress).await {
            Ok(told) => told,
            Err(error) => answer::refusal_in(service, &id, &error).await,
        },
        Call::Act(id, action) => match act(service, &id, action).await {
            Ok(told) => told,
            Err(error) => answer::refusal_in(service, &id, &error).await,
        },
    }
}

async fn beyond(service: &Service, call: Beyond, progress: &Progress) -> Told {
    match call {
        Beyond::SandboxLaunch(config) => launch(service, *config, progress).await,
        Beyond::SandboxList(_) => {
            let page = PageRequest { limit: PageRequest::MAX_LIMIT, cursor: None };
            let found = service.store().sandboxes(SandboxFilter::default(), page).await?;
            let running = found.data.into_iter().filter(|sandbox| !sandbox.status.is_over()).collect();
            Ok(answer::data(&json!({ "data": service.with_live_parts(running) })))
        }
        Beyond::HandoffWait(HandoffWait { request_id, timeout_ms }) => {
            let limit = waiting("timeoutMs", timeout_ms.unwrap_or(LONGEST_WAIT_MS))?;
            progress.say("waiting for the person");
            Ok(answer::handoff(&service.handoff_ended(&request_id, limit).await?))
        }
        Beyond::TaskGet(TaskGet { task_id, wait_ms }) => {
            let limit = waiting("waitMs", wait_ms.unwrap_or(0))?;
            progress.say("waiting for the task");
            match tokio::time::timeout(limit, service.task_ended(&task_id)).await {
                Ok(ended) => Ok(answer::task(&ended?)),
                Err(_) => Ok(answer::task(&service.task(&task_id).await?)),
            }
        }
        Beyond::ArtifactList(ArtifactList { sandbox_id, q }) => {
            let page = PageRequest { limit: PageRequest::DEFAULT_LIMIT, cursor: None };
            let found = service.store().artifacts(ArtifactFilter { sandbox_id, q }, page).await?;
            Ok(answer::data(&json!(found)))
        }
    }
}

async fn launch(service: &Service, config: SandboxConfig, progress: &Progress) -> Told {
    let sandbox = service.create_sandbox(config).await?;
    progress.say("the sandbox starts");
    let sandbox = service.wait_until_ready(&sandbox.id, READY).await?;
    if sandbox.status == SandboxStatus::Failed {
        let failure = sandbox.failure.map(|failure| failure.message).unwrap_or_default();
        return Err(ServiceError::internal(format!("the sandbox could not be started: {failure}")));
    }
    Ok(answer::data(&json!(sandbox)))
}

/// What a model does here, its commands included, is asked about as Baton's own agent's is.
async fn within_as_model(api: &Api, id: &SandboxId, call: Within, progress: &Progress) -> Told {
    match call {
        Within::SandboxExec(_) | Within::SandboxRunCode(_) | Within::TaskPrompt(_) => {
            api.service().serve_a_model(id).await?;
        }
        // Tabs are acted on as every action is.
        Within::SandboxEnd(_)
        | Within::FsRead(_)
        | Within::FsWrite(_)
        | Within::FsList(_)
        | Within::BrowserTabs(_)
        | Within::HandoffRequest(_)
        | Within::DocumentConvert(_)
        | Within::ArtifactSave(_)
        | Within::CheckpointCreate(_)
        | Within::CheckpointRestore(_) => {}
    }
    within(api, id, call, progress).await
}

async fn within(api: &Api, id: &SandboxId, call: Within, progress: &Progress) -> Told {
    let service = api.service();
    match call {
        Within::SandboxEnd(_) => Ok(answer::data(&json!(service.end_sandbox(id).await?))),
        Within::SandboxExec(request) => {
            let printed = |output: Output| match output {
                Output::Stdout(bytes) | Output::Stderr(bytes) => progress.say(&String::from_utf8_lossy(&bytes)),
            };
            Ok(answer::data(&json!(service.exec(id, request, printed).await?)))
        }
        Within::SandboxRunCode(request) => Ok(answer::data(&json!(service.code(id, request).await?))),
        Within::FsRead(FsRead { path, offset }) => {
            let workspace = service.workspace(id).await?;
            let read = off(workspace, move |workspace| read_file(workspace, &path, offset)).await?;
            Ok(answer::file(&read))
        }
        Within::FsWrite(FsWrite { path, content }) => {
            let workspace = service.writable_workspace(id).await?;
            let write = move |workspace: &Workspace| workspace.write(&path, content.as_bytes(), MAX_FILE);
            let entry = off(workspace, write).await?;
            service.file_changed(id, &entry.path, FileChange::Written).await?;
            Ok(answer::data(&json!({ "path": entry.path, "size": entry.size })))
        }
        Within::FsList(list) => {
            let workspace = service.workspace(id).await?;
            let found = off(workspace, move |workspace| workspace.list(&list.path, list.recursive)).await?;
            Ok(answer::data(&json!({ "data": found.entries, "truncated": found.truncated })))
        }
        Within::BrowserTabs(wanted) => tabs(service, id, wanted).await,
        Within::HandoffRequest(request) => {
            let HandoffEnvelope { handoff, .. } = service.request_handoff(id, request, RequestedBy::Sdk).await?;
            let link = api.viewer_link(id, ViewerMode::Control, crate::now_ms() + LINK_MS).await.ok();
            Ok(answer::ticket(handoff.as_ref(), link))
        }
        Within::TaskPrompt(request) => {
            let task_id = service.start_task(id, request).await?;
            Ok(answer::task(&service.task(&task_id).await?))
        }
        Within::DocumentConvert(file) => {
            progress.say("converting the document");
            let made = service.convert(id, file).await?;
            Ok(answer::data(
                &json!({ "path": made.paths.first(), "paths": made.paths, "artifact": made.artifact, "durationMs": made.duration_ms }),
            ))
        }
        Within::CheckpointCreate(CheckpointCreate { label }) => {
            Ok(answer::data(&json!(service.create_checkpoint(id, label).await?)))
        }
        Within::CheckpointRestore(CheckpointRestore { checkpoint_id }) => {
            service.restore_checkpoint(id, &checkpoint_id).await?;
            progress.say("the sandbox starts again");
            Ok(answer::data(&json!(service.wait_until_ready(id, READY).await?)))
        }
        Within::ArtifactSave(save) => Ok(answer::data(&json!(service.save_artifact(id, &save.path, save.name).await?))),
    }
}

async fn act(service: &Service, id: &SandboxId, action: Action) -> Told {
    Ok(answer::outcome(&service.act(id, action).await?))
}

async fn tabs(service: &Service, id: &SandboxId, wanted: BrowserTabs) -> Told {
    let action = match wanted {
        BrowserTabs { open: None, activate: None, close: None } => None,
        BrowserTabs { open: Some(url), activate: None, close: None } => {
            Some(Action::NewTab(NewTab { url: Some(url), timeout_ms: None }))
        }
        BrowserTabs { open: None, activate: Some(id), close: None } => Some(Action::ActivateTab(TabChoice::of(id))),
        BrowserTabs { open: None, activate: None, close: Some(id) } => Some(Action::CloseTab(TabChoice::of(id))),
        _ => return Err(ServiceError::invalid("give at most one of `open`, `activate` and `close`")),
    };
    if let Some(action) = action {
        service.act(id, action).await?;
    }
    let listed = service.act(id, Action::Tabs(Plain::default())).await?;
    Ok(answer::data(&json!({ "data": listed.data })))
}

fn waiting(name: &str, ms: u64) -> Result<Duration, ServiceError> {
    if ms > LONGEST_WAIT_MS {
        let message = format!("`{name}` is {ms}; it goes to {LONGEST_WAIT_MS}: call again to wait longer");
        return Err(ServiceError::invalid(message));
    }
    Ok(Duration::from_millis(ms))
}

/// Runs file work on a thread that may wait.
async fn off<T: Send + 'static>(
    workspace: Workspace,
    work: impl FnOnce(&Workspace) -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, ServiceError> {
    let done = tokio::task::spawn_blocking(move || work(&workspace)).await.map_err(ServiceError::internal)?;
    Ok(done?)
}
