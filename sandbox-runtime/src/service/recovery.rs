//! After a restart: every unfinished thing is settled, honestly, or goes on where it can.

use sandbox_core::approval;
use sandbox_core::handoff::{Step, apply};
use sandbox_core::model::{Actor, AgentStatus, EventType, Failure, NewEvent, PreviewStatus, SandboxStatus, TaskStatus};
use serde_json::json;

use super::{Answer, Service, ServiceError, resume};
use crate::browser::forget_open_pages;
use crate::now_ms;
use crate::store::Change;

const WHY: &str = "the runtime stopped while this was under way; nothing of it runs any more";
const KEPT: &str = "the workspace, the artifacts and the history are kept";

/// Settles what an earlier runtime left unfinished: its rooms died with it.
pub(super) async fn settle(service: &Service) -> Answer<()> {
    let mut unfinished = service.store().unfinished().await?;
    let now = now_ms();
    let mut change = Change::default();
    let mut resumed = Vec::new();
    for mut task in unfinished.tasks {
        let why = match resume::plan(service, &task, &unfinished.sandboxes, &unfinished.handoffs).await {
            Ok(plan) => {
                // What belongs to it stays as it is until it goes on.
                unfinished.sandboxes.retain(|sandbox| sandbox.id != task.sandbox_id);
                unfinished.handoffs.retain(|handoff| plan.standing().is_none_or(|id| *id != handoff.request_id));
                resumed.push(plan);
                continue;
            }
            Err(why) => why,
        };
        let failure = Failure { code: "interrupted".to_owned(), message: format!("{WHY}; {why}; {KEPT}") };
        task.status = TaskStatus::Failed;
        task.ended_at = Some(now);
        task.error = Some(failure.clone());
        change.events.push(NewEvent {
            sandbox_id: task.sandbox_id.clone(),
            task_id: Some(task.id.clone()),
            kind: EventType::TaskFailed,
            by: Actor::System,
            at: now,
            data: json!({ "title": task.title, "error": failure }),
        });
        change.tasks.push(task);
    }
    for mut handoff in unfinished.handoffs {
        if apply(&mut handoff, Step::Cancel { note: Some(WHY.to_owned()) }, now).is_err() {
            continue;
        }
        change.events.push(NewEvent {
            sandbox_id: handoff.sandbox_id.clone(),
            task_id: handoff.task_id.clone(),
            kind: EventType::HandoffCancelled,
            by: Actor::System,
            at: now,
            data: json!({ "requestId": handoff.request_id, "message": WHY }),
        });
        change.handoffs.push(handoff);
    }
    for mut asked in unfinished.approvals {
        if approval::apply(&mut asked, approval::Step::Void { why: WHY.to_owned() }, now).is_err() {
            continue;
        }
        change.events.push(NewEvent {
            sandbox_id: asked.sandbox_id.clone(),
            task_id: asked.task_id.clone(),
            kind: EventType::ApprovalDecided,
            by: Actor::System,
            at: now,
            data: json!({ "approvalId": asked.approval_id, "status": asked.status, "reason": WHY }),
        });
        change.approvals.push(asked);
    }
    for mut sandbox in unfinished.sandboxes {
        sandbox.status = SandboxStatus::Ended;
        sandbox.ended_at = Some(now);
        sandbox.updated_at = now;
        sandbox.handoff = None;
        sandbox.approvals = vec![];
        sandbox.agent.status = AgentStatus::Off;
        sandbox.preview.status = PreviewStatus::Off;
        sandbox.failure = Some(Failure { code: "interrupted".to_owned(), message: format!("{WHY}; {KEPT}") });
        change.events.push(NewEvent {
            sandbox_id: sandbox.id.clone(),
            task_id: None,
            kind: EventType::SandboxEnded,
            by: Actor::System,
            at: now,
            data: json!({ "code": "interrupted", "message": WHY }),
        });
        remove_temporary_profile(service, sandbox.id.as_str()).await;
        change.sandboxes.push(sandbox);
    }
    forget_open_pages_of_profiles(service).await;
    if !change.events.is_empty() {
        service.store().commit(change).await.map_err(ServiceError::from)?;
    }
    for plan in resumed {
        plan.carry_out(service).await;
    }
    Ok(())
}

/// Sign-ins of a sandbox without a named profile end with it.
async fn remove_temporary_profile(service: &Service, sandbox: &str) {
    let profile = service.home().join("profiles").join(sandbox);
    if let Err(error) = tokio::fs::remove_dir_all(&profile).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "the profile of an ended sandbox could not be removed");
    }
}

/// What a killed browser kept of its pages holds what was typed into them.
async fn forget_open_pages_of_profiles(service: &Service) {
    let folder = service.home().join("profiles");
    let forgotten = tokio::task::spawn_blocking(move || {
        for profile in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Err(error) = forget_open_pages(&profile.path()) {
                tracing::warn!(%error, "open pages of a profile could not be forgotten");
            }
        }
    });
    // It only ends early with the runtime itself.
    let _ = forgotten.await;
}
