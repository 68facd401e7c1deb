//! After a restart: every unfinished thing is settled, honestly, or goes on where it can.

use std::time::Duration;

use sandbox_core::event::{ApprovalDecided, HandoffCancelled, NewEvent, SandboxEnded};
use sandbox_core::handoff::{Step, apply};
use sandbox_core::model::{
    Actor, AgentStatus, EpochMs, Failure, Paused, PausedBy, PreviewStatus, Sandbox, SandboxStatus,
};
use sandbox_core::{SandboxId, approval, task};

use super::{Answer, ErrorCode, Service, ServiceError, WeakService, resume};
use crate::browser::forget_open_pages;
use crate::now_ms;
use crate::store::Change;

const WHY: &str = "the runtime stopped while this was under way; nothing of it runs any more";
const KEPT: &str = "the workspace, the artifacts and the history are kept";

/// How long after a full disk it is looked whether there is room.
const ROOM_PAUSE: Duration = Duration::from_secs(2);

/// Settles what an earlier runtime left unfinished: its rooms died with it. On a full disk that is done as soon as there is
/// room; until then history is read as it was left.
pub(super) async fn settle(service: &Service) -> Answer<()> {
    let settled = match Box::pin(settle_now(service)).await {
        Ok(is_done) => is_done,
        Err(error) if error.code == ErrorCode::Unavailable => {
            tracing::warn!(%error, "what an earlier runtime left unfinished is settled later");
            false
        }
        Err(error) => return Err(error),
    };
    if !settled {
        tokio::spawn(settle_when_there_is_room(service.downgrade()));
    }
    Ok(())
}

/// Ends with the service.
async fn settle_when_there_is_room(service: WeakService) {
    loop {
        tokio::time::sleep(ROOM_PAUSE).await;
        let Some(service) = service.upgrade() else { return };
        if service.store().room_for_work().is_err() {
            continue;
        }
        match Box::pin(settle_now(&service)).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "what an earlier runtime left unfinished is not settled yet"),
        }
    }
}

/// Answers whether nothing is left to be done: tasks go on only where there is room for them.
async fn settle_now(service: &Service) -> Answer<bool> {
    let mut unfinished = service.store().unfinished().await?;
    // Those that run were started by this runtime.
    let runs = |id: &SandboxId| service.running(id).is_some();
    unfinished.sandboxes.retain(|sandbox| !runs(&sandbox.id));
    unfinished.tasks.retain(|task| !runs(&task.sandbox_id));
    unfinished.handoffs.retain(|handoff| !runs(&handoff.sandbox_id));
    unfinished.approvals.retain(|approval| !runs(&approval.sandbox_id));
    let now = now_ms();
    let mut change = Change { must_be_kept: true, ..Change::default() };
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
        change.events.push(task::fail(&mut task, failure, now));
        change.tasks.push(task);
    }
    for mut handoff in unfinished.handoffs {
        if apply(&mut handoff, Step::Cancel { note: Some(WHY.to_owned()) }, now).is_err() {
            continue;
        }
        let cancelled = HandoffCancelled {
            request_id: handoff.request_id.clone(),
            held_ms: None,
            takeovers: None,
            message: Some(WHY.to_owned()),
        };
        let event = NewEvent::new(&handoff.sandbox_id, Actor::System, now, cancelled);
        change.events.push(event.of_task(handoff.task_id.as_ref()));
        change.handoffs.push(handoff);
    }
    for mut asked in unfinished.approvals {
        if approval::apply(&mut asked, approval::Step::Void { why: WHY.to_owned() }, now).is_err() {
            continue;
        }
        let event = NewEvent::new(&asked.sandbox_id, Actor::System, now, ApprovalDecided::from(&asked));
        change.events.push(event.of_task(asked.task_id.as_ref()));
        change.approvals.push(asked);
    }
    for mut sandbox in unfinished.sandboxes {
        if sandbox.status == SandboxStatus::Paused {
            change.sandboxes.extend(left_paused(sandbox, now));
            continue;
        }
        sandbox.failure = Some(Failure { code: "interrupted".to_owned(), message: format!("{WHY}; {KEPT}") });
        let ended = SandboxEnded { code: Some("interrupted".to_owned()), message: Some(WHY.to_owned()) };
        change.events.push(close(&mut sandbox, ended, now));
        remove_temporary_profile(service, sandbox.id.as_str()).await;
        change.sandboxes.push(sandbox);
    }
    forget_open_pages_of_profiles(service).await;
    if !change.events.is_empty() || !change.sandboxes.is_empty() {
        service.store().commit(change).await.map_err(ServiceError::from)?;
    }
    if !resumed.is_empty() && service.store().room_for_work().is_err() {
        return Ok(false);
    }
    for plan in resumed {
        plan.carry_out(service).await;
    }
    Ok(true)
}

/// Ends a sandbox of which nothing runs.
pub(super) async fn end(service: &Service, sandbox: &mut Sandbox, ended: SandboxEnded) -> Answer<()> {
    let event = close(sandbox, ended, now_ms());
    remove_temporary_profile(service, sandbox.id.as_str()).await;
    let change =
        Change { sandboxes: vec![sandbox.clone()], events: vec![event], must_be_kept: true, ..Change::default() };
    service.store().commit(change).await?;
    Ok(())
}

fn close(sandbox: &mut Sandbox, ended: SandboxEnded, now: EpochMs) -> NewEvent {
    sandbox.status = SandboxStatus::Ended;
    sandbox.paused = None;
    sandbox.ended_at = Some(now);
    at_rest(sandbox, now);
    NewEvent::new(&sandbox.id, Actor::System, now, ended)
}

/// A paused sandbox stays so, and says that nothing of it runs; `None` where it says so already.
fn left_paused(mut sandbox: Sandbox, now: EpochMs) -> Option<Sandbox> {
    if sandbox.paused.is_some_and(|paused| paused.by == PausedBy::Stopped) && sandbox.handoff.is_none() {
        return None;
    }
    let at = sandbox.paused.map_or(now, |paused| paused.at);
    sandbox.paused = Some(Paused { by: PausedBy::Stopped, at });
    at_rest(&mut sandbox, now);
    Some(sandbox)
}

fn at_rest(sandbox: &mut Sandbox, now: EpochMs) {
    sandbox.updated_at = now;
    sandbox.handoff = None;
    sandbox.approvals = vec![];
    sandbox.agent.status = AgentStatus::Off;
    sandbox.agent.task_id = None;
    sandbox.preview.status = PreviewStatus::Off;
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
