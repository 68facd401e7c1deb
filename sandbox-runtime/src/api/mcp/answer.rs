//! How answers and refusals are told to a model: data as JSON, pages within their fence, pictures as pictures, and after each
//! refusal what to do next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rmcp::model::{CallToolResult, ContentBlock};
use sandbox_core::SandboxId;
use sandbox_core::action::Outcome;
use sandbox_core::model::{Handoff, HandoffStatus, Task, TaskStatus};
use serde_json::{Value, json};

use super::file::ReadFile;
use crate::service::{ErrorCode, Service, ServiceError};

/// Tells data: the same as text and as structure.
pub fn data(value: &Value) -> CallToolResult {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut told = CallToolResult::success(vec![ContentBlock::text(text)]);
    told.structured_content = Some(value.clone());
    told
}

/// Tells what came of an action in the browser.
pub fn outcome(done: &Outcome) -> CallToolResult {
    let mut content = Vec::new();
    match &done.observation {
        Some(seen) => content.push(ContentBlock::text(seen.words())),
        None if done.summary.is_empty() => {}
        None => {
            let mut words = format!("{}\nnow at {}", done.summary, done.url);
            let told = json!({ "dialogs": done.dialogs, "tabsOpened": done.tabs_opened,
                "tabsClosed": done.tabs_closed, "downloadsBegun": done.downloads_begun });
            for (name, list) in told.as_object().into_iter().flatten().filter(|(_, list)| **list != json!([])) {
                words.push_str(&format!("\n{name}: {list}"));
            }
            content.push(ContentBlock::text(words));
        }
    }
    if let Some(png) = &done.screenshot {
        content.push(ContentBlock::image(BASE64.encode(png), "image/png"));
    }
    CallToolResult::success(content)
}

/// Tells what was read of a file: text, a picture, or why it is neither.
pub fn file(read: &ReadFile) -> CallToolResult {
    let ReadFile { path, content_type, size, offset, bytes } = read;
    if content_type.starts_with("image/") && *offset == 0 && bytes.len() as u64 == *size {
        return CallToolResult::success(vec![ContentBlock::image(BASE64.encode(bytes), content_type.clone())]);
    }
    // A part may end within a letter: what is left of it comes with the next part.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let Some(text) = text else {
        let words = format!("{path} is no text ({content_type}, {size} bytes): read it with sandbox_run_code");
        return CallToolResult::error(vec![ContentBlock::text(words)]);
    };
    let mut content = vec![ContentBlock::text(text)];
    let next = offset + text.len() as u64;
    if next < *size {
        content.push(ContentBlock::text(format!("{path} has {size} bytes: go on with offset {next}")));
    }
    CallToolResult::success(content)
}

/// Tells that a person was asked, and how to wait for them.
pub fn ticket(handoff: Option<&Handoff>, link: Option<String>) -> CallToolResult {
    let id = handoff.map(|handoff| handoff.request_id.to_string()).unwrap_or_default();
    let next = format!(
        "A person was asked, in Baton's window or at viewerUrl, which is theirs alone and opens once: tell it to them, do \
         not open it. Now call handoff_wait with requestId {id}, again and again until it says that the request ended."
    );
    let mut told = data(&json!({ "requestId": id, "handoff": handoff, "viewerUrl": link }));
    told.content.push(ContentBlock::text(next));
    told
}

/// Tells how a handoff stands, and what follows.
pub fn handoff(handoff: &Handoff) -> CallToolResult {
    let (ended, next) = match handoff.status {
        HandoffStatus::Pending => (false, "Nobody came yet: call handoff_wait again."),
        HandoffStatus::Accepted => (false, "A person is at it: call handoff_wait again."),
        HandoffStatus::Completed => {
            (true, "The person handed back. References from before mean nothing: take a new browser_snapshot.")
        }
        HandoffStatus::Cancelled => (true, "The request was cancelled: do not count on what you asked for."),
        HandoffStatus::Expired => (true, "Nobody came before the request expired: ask anew, or go on without."),
    };
    let mut told = data(&json!({ "ended": ended, "status": handoff.status, "handoff": handoff }));
    told.content.push(ContentBlock::text(next));
    told
}

/// Tells how a task stands; one that failed is an error, with the reason.
pub fn task(task: &Task) -> CallToolResult {
    let mut told = data(&json!(task));
    told.is_error = Some(task.status == TaskStatus::Failed);
    let next = match task.status {
        TaskStatus::Queued | TaskStatus::Running => "It is under way: call task_get with this id.",
        TaskStatus::Waiting => "It waits for a person: call task_get with this id.",
        TaskStatus::Completed | TaskStatus::Cancelled => return told,
        TaskStatus::Failed => {
            let said = task.error.as_ref().map(|error| format!("{}: {}", error.code, error.message));
            told.content.insert(0, ContentBlock::text(said.unwrap_or_default()));
            return told;
        }
    };
    told.content.push(ContentBlock::text(next));
    told
}

/// Tells a refusal.
pub fn refusal(error: &ServiceError) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(words(error))])
}

/// Tells a refusal within a sandbox: while a person is at it, how to wait for them.
pub async fn refusal_in(service: &Service, id: &SandboxId, error: &ServiceError) -> CallToolResult {
    let asks_for_approval = error.details.as_ref().is_some_and(|details| details.get("approvalIds").is_some());
    let next = match error.code {
        // Its hint says what to do.
        ErrorCode::WaitingForPerson if asks_for_approval => return refusal(error),
        ErrorCode::HeldByPerson | ErrorCode::HeldByOther | ErrorCode::WaitingForPerson => {
            let handoff = service.sandbox(id).await.ok().and_then(|sandbox| sandbox.handoff);
            match handoff {
                Some(handoff) => wait_for(&handoff),
                // They handed back in between.
                None => "Nobody holds control any more: take a new browser_snapshot and try again.".to_owned(),
            }
        }
        ErrorCode::StaleLease => "Take a new browser_snapshot and use its references.".to_owned(),
        _ => return refusal(error),
    };
    CallToolResult::error(vec![ContentBlock::text(format!("{}\n{next}", words(error)))])
}

fn wait_for(handoff: &Handoff) -> String {
    let who = handoff.controller.as_deref().unwrap_or("a person");
    let state = match handoff.status {
        HandoffStatus::Pending => format!("A person was asked ({})", handoff.message),
        HandoffStatus::Accepted | HandoffStatus::Completed | HandoffStatus::Cancelled | HandoffStatus::Expired => {
            format!("{who} holds control of the browser ({})", handoff.message)
        }
    };
    let id = &handoff.request_id;
    format!(
        "{state}. Nothing was done. Call handoff_wait with requestId {id} until it says that the request ended, then take a \
         new browser_snapshot. Commands, code and files work meanwhile."
    )
}

fn words(error: &ServiceError) -> String {
    let code = json!(error.code);
    let hint = error.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    format!("{}: {}{hint}", code.as_str().unwrap_or_default(), error.message)
}
