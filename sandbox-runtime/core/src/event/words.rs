//! Events in words: the command line and the report of a bundle tell a task as these lines.

use super::{AgentStep, Event, EventData};
use crate::model::{ApprovalStatus, Receipt};

/// Returns the line for an event; `None` for one that says nothing to a reader of the task.
pub fn line(event: &Event) -> Option<String> {
    let words = match &event.data {
        EventData::TaskStarted(started) => format!("started {}", plain(&started.title)),
        EventData::AgentStep(step) => step_line(step),
        EventData::AgentAction(done) => format!("  {}", said([&done.summary, &done.name])?),
        EventData::AgentMessage(message) => format!("  {}", plain(&message.text)),
        EventData::HandoffRequested(asked) => format!("needs you: {}", plain(&asked.message)),
        EventData::ApprovalRequested(asked) => {
            format!("asks you: may it {}? (to {})", plain(&asked.summary), plain(&asked.destination))
        }
        EventData::ApprovalDecided(decided) => {
            let what = decided.summary.as_deref().map_or_else(|| "the question".to_owned(), plain);
            format!("  {what}: {}", status_word(decided.status))
        }
        EventData::HandoffAccepted(accepted) => format!("{} took control", plain(&accepted.controller)),
        EventData::HandoffCompleted(completed) => {
            format!("handed back{}", completed.receipt.as_ref().map(receipt_words).unwrap_or_default())
        }
        EventData::HandoffCancelled(_) => "the request was cancelled".to_owned(),
        EventData::HandoffExpired(_) => "the request expired".to_owned(),
        EventData::ArtifactsUpdated(artifact) if artifact.deleted => format!("  deleted {}", plain(&artifact.name)),
        EventData::ArtifactsUpdated(artifact) => format!("  kept {}", plain(&artifact.name)),
        EventData::DocumentConverted(converted) => format!("  made {}", plain(&converted.output)),
        EventData::CheckpointCreated(taken) if taken.automatic => return None,
        EventData::CheckpointCreated(taken) => format!("  took a checkpoint{}", labelled(taken.label.as_deref())),
        EventData::CheckpointRestored(restored) => {
            format!("  went back to a checkpoint{}", labelled(restored.label.as_deref()))
        }
        EventData::NetworkDenied(denied) => format!("  not let out to {}", plain(&denied.host)),
        EventData::TaskCompleted(completed) => match &completed.result {
            Some(result) => format!("completed: {}", plain(result)),
            None => "completed".to_owned(),
        },
        EventData::TaskFailed(failed) => {
            let message = failed.error.as_ref().map(|error| plain(&error.message));
            format!("failed: {}", message.unwrap_or_else(|| "no reason was recorded".to_owned()))
        }
        EventData::TaskCancelled(_) => "cancelled".to_owned(),
        EventData::SandboxFailed(failed) => format!("the sandbox failed: {}", plain(&failed.message)),
        EventData::SandboxPaused(_) => "the sandbox is paused".to_owned(),
        EventData::SandboxResumed(_) => "the sandbox goes on".to_owned(),
        EventData::SandboxEnded(_) => "the sandbox ended".to_owned(),
        EventData::Recovered(recovered) => format!("  the {} was started again", recovered.part),
        EventData::BrowserFailed(failed) => format!("  the browser: {}", plain(&failed.message)),
        EventData::BrowserDialog(dialog) => format!("  a dialog: {}", plain(&dialog.message)),
        EventData::CredentialUsed(used) => {
            let user = used.username.as_deref().filter(|user| !user.is_empty()).map(plain);
            let with = match (used.passkey, user) {
                (false, None) => String::new(),
                (false, Some(user)) => format!(" with {user}"),
                (true, None) => " with a passkey".to_owned(),
                (true, Some(user)) => format!(" with the passkey of {user}"),
            };
            format!("  signs in at {}{with} ({})", plain(&used.site), used.source.called())
        }
        EventData::SandboxCreated(_)
        | EventData::SandboxAssigned(_)
        | EventData::SandboxReady(_)
        | EventData::AgentReady(_)
        | EventData::BrowserReady(_)
        | EventData::BrowserNavigated(_)
        | EventData::TaskQueued(_)
        | EventData::ControlChanged(_)
        | EventData::ExecCompleted(_)
        | EventData::FileChanged(_)
        | EventData::Unknown(_) => return None,
    };
    Some(words)
}

fn labelled(label: Option<&str>) -> String {
    label.map_or_else(String::new, |label| format!(": {}", plain(label)))
}

fn step_line(step: &AgentStep) -> String {
    let counted = step.of.map(|of| format!("step {} of {of}: ", step.step)).unwrap_or_default();
    let words = step.summary.as_deref().or(step.name.as_deref()).map(plain);
    format!("{counted}{}", words.unwrap_or_default())
}

fn status_word(status: ApprovalStatus) -> &'static str {
    match status {
        ApprovalStatus::Pending => "pending",
        ApprovalStatus::Approved => "approved",
        ApprovalStatus::Denied => "denied",
        ApprovalStatus::Void => "void",
        ApprovalStatus::Superseded => "superseded",
    }
}

/// Returns the first that says anything.
fn said(texts: [&String; 2]) -> Option<String> {
    texts.into_iter().find(|text| !text.is_empty()).map(|text| plain(text))
}

/// What changed while the person drove, in half a line.
fn receipt_words(receipt: &Receipt) -> String {
    let mut words = format!(" after {} s", receipt.held_ms.div_ceil(1000));
    if !receipt.signed_in_changed.is_empty() {
        let sites: Vec<String> = receipt.signed_in_changed.iter().map(|site| plain(site)).collect();
        words.push_str(&format!("; sign-in changed at {}", sites.join(", ")));
    }
    if receipt.until_met == Some(false) {
        words.push_str("; what was asked for is not reached yet");
    }
    words
}

/// What pages and programs say must not speak to the terminal: no control characters.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Actor;

    fn check(kind: &str, payload: Value, expected: Option<&str>) {
        let data = EventData::from_parts(kind.to_owned(), payload);
        assert_eq!(matches!(data, EventData::Unknown(_)), kind == "sandbox.moon.rose", "{data:?}");
        let event = Event {
            id: "evt_1".into(),
            sandbox_id: "sbx_1".into(),
            task_id: None,
            seq: 1,
            by: Actor::Agent,
            at: 0,
            data,
        };
        assert_eq!(line(&event).as_deref(), expected);
    }

    #[test]
    fn a_task_reads_as_a_story() {
        check(
            "sandbox.agent.step",
            json!({"step": 2, "of": 9, "name": "click", "summary": "click Invoices"}),
            Some("step 2 of 9: click Invoices"),
        );
        check(
            "sandbox.handoff.requested",
            json!({"requestId": "ho_1", "reason": "mfa", "message": "Sign in"}),
            Some("needs you: Sign in"),
        );
        check(
            "sandbox.approval.requested",
            json!({
                "approvalId": "apr_1", "hash": "", "held": false, "kind": "pay", "site": "shop.example", "method": null,
                "summary": "send a request to shop.example", "destination": "https://shop.example/pay", "fields": [],
                "amount": null,
            }),
            Some("asks you: may it send a request to shop.example? (to https://shop.example/pay)"),
        );
        let denied = json!({"approvalId": "apr_1", "summary": "open x", "status": "denied"});
        check("sandbox.approval.decided", denied, Some("  open x: denied"));
        let void = json!({"approvalId": "apr_1", "status": "void", "reason": "the runtime stopped"});
        check("sandbox.approval.decided", void, Some("  the question: void"));
        let page = json!({"url": "https://portal.example/", "title": "Portal"});
        check(
            "sandbox.handoff.completed",
            json!({"requestId": "ho_1", "note": null, "receipt": {
                "heldMs": 41_200, "before": page, "after": page, "tabsOpened": [], "tabsClosed": [], "fieldsTouched": [],
                "filesArrived": [], "inputs": 3, "signedInChanged": ["portal.example"], "untilMet": true,
            }}),
            Some("handed back after 42 s; sign-in changed at portal.example"),
        );
        check(
            "sandbox.agent.task.failed",
            json!({"title": "Invoices", "error": {"code": "stepFailed", "message": "no link"}}),
            Some("failed: no link"),
        );
        let command = json!({"command": "true", "exitCode": 0, "durationMs": 1, "timedOut": false});
        check("sandbox.exec.completed", command, None);
        check(
            "sandbox.recovered",
            json!({"part": "shell", "cause": "hung"}),
            Some("  the shell room was started again"),
        );
        check("sandbox.moon.rose", json!({"over": "there"}), None);
    }

    #[test]
    fn what_a_page_says_cannot_move_the_terminals_cursor() {
        let action = json!({"name": "look", "summary": "saw \u{1b}[2Jgone\nnow"});
        check("sandbox.agent.action", action, Some("  saw  [2Jgone now"));
    }
}
