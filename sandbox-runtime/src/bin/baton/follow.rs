//! What happens in a task, as lines that a person reads.

use sandbox_core::model::{Event, EventType};
use serde_json::Value;

/// Returns the line for an event; `None` for one that says nothing to a reader of the task.
pub fn line(event: &Event) -> Option<String> {
    let data = &event.data;
    let text = |name: &str| data[name].as_str().map(plain);
    let words = match event.kind {
        EventType::TaskStarted => format!("started {}", text("title").unwrap_or_default()),
        EventType::AgentStep => {
            let counted = match (data["step"].as_u64(), data["of"].as_u64()) {
                (Some(step), Some(of)) => format!("step {step} of {of}: "),
                _ => String::new(),
            };
            format!("{counted}{}", text("summary").or_else(|| text("name")).unwrap_or_default())
        }
        EventType::AgentAction => format!("  {}", text("summary").or_else(|| text("name"))?),
        EventType::AgentMessage => format!("  {}", text("text")?),
        EventType::HandoffRequested => format!("needs you: {}", text("message").unwrap_or_default()),
        EventType::ApprovalRequested => {
            format!("asks you: may it {}? (to {})", text("summary")?, text("destination").unwrap_or_default())
        }
        EventType::ApprovalDecided => format!("  {}: {}", text("summary")?, text("status")?),
        EventType::HandoffAccepted => format!("{} took control", text("controller").unwrap_or("someone".to_owned())),
        EventType::HandoffCompleted => format!("handed back{}", receipt(&data["receipt"])),
        EventType::HandoffCancelled => "the request was cancelled".to_owned(),
        EventType::HandoffExpired => "the request expired".to_owned(),
        EventType::ArtifactsUpdated => format!("  kept {}", text("name")?),
        EventType::DocumentConverted => format!("  made {}", text("output")?),
        EventType::NetworkDenied => format!("  not let out to {}", text("host")?),
        EventType::TaskCompleted => match text("result") {
            Some(result) => format!("completed: {result}"),
            None => "completed".to_owned(),
        },
        EventType::TaskFailed => {
            let message = data["error"]["message"].as_str().map(plain);
            format!("failed: {}", message.unwrap_or_else(|| "no reason was recorded".to_owned()))
        }
        EventType::TaskCancelled => "cancelled".to_owned(),
        EventType::SandboxFailed => format!("the sandbox failed: {}", text("message").unwrap_or_default()),
        EventType::SandboxEnded => "the sandbox ended".to_owned(),
        EventType::Recovered => format!("  the {} was started again", text("part")?),
        EventType::BrowserFailed => format!("  the browser: {}", text("message")?),
        EventType::BrowserDialog => format!("  a dialog: {}", text("message")?),
        EventType::SandboxCreated
        | EventType::SandboxAssigned
        | EventType::SandboxReady
        | EventType::AgentReady
        | EventType::AgentFailed
        | EventType::BrowserReady
        | EventType::BrowserNavigated
        | EventType::TaskQueued
        | EventType::ControlChanged
        | EventType::ExecCompleted
        | EventType::FileChanged => return None,
    };
    Some(words)
}

/// What changed while the person drove, in half a line.
fn receipt(receipt: &Value) -> String {
    let Some(held_ms) = receipt["heldMs"].as_u64() else { return String::new() };
    let mut words = format!(" after {} s", held_ms.div_ceil(1000));
    let sites: Vec<String> = receipt["signedInChanged"]
        .as_array()
        .map(|sites| sites.iter().filter_map(Value::as_str).map(plain).collect())
        .unwrap_or_default();
    if !sites.is_empty() {
        words.push_str(&format!("; sign-in changed at {}", sites.join(", ")));
    }
    if receipt["untilMet"] == Value::Bool(false) {
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
    use sandbox_core::model::Actor;
    use serde_json::json;

    use super::*;

    fn check(kind: EventType, data: Value, expected: Option<&str>) {
        let event = Event {
            id: "evt_1".into(),
            sandbox_id: "sbx_1".into(),
            task_id: None,
            seq: 1,
            kind,
            by: Actor::Agent,
            at: 0,
            data,
        };
        assert_eq!(line(&event).as_deref(), expected);
    }

    #[test]
    fn a_task_reads_as_a_story() {
        check(
            EventType::AgentStep,
            json!({"step": 2, "of": 9, "summary": "click Invoices"}),
            Some("step 2 of 9: click Invoices"),
        );
        check(EventType::HandoffRequested, json!({"message": "Sign in"}), Some("needs you: Sign in"));
        check(
            EventType::ApprovalRequested,
            json!({"summary": "send a request to shop.example", "destination": "https://shop.example/pay"}),
            Some("asks you: may it send a request to shop.example? (to https://shop.example/pay)"),
        );
        check(EventType::ApprovalDecided, json!({"summary": "open x", "status": "denied"}), Some("  open x: denied"));
        check(
            EventType::HandoffCompleted,
            json!({"receipt": {"heldMs": 41_200, "signedInChanged": ["portal.example"], "untilMet": true}}),
            Some("handed back after 42 s; sign-in changed at portal.example"),
        );
        check(
            EventType::TaskFailed,
            json!({"error": {"code": "stepFailed", "message": "no link"}}),
            Some("failed: no link"),
        );
        check(EventType::ExecCompleted, json!({"command": "true"}), None);
    }

    #[test]
    fn what_a_page_says_cannot_move_the_terminals_cursor() {
        check(EventType::AgentAction, json!({"summary": "saw \u{1b}[2Jgone\nnow"}), Some("  saw  [2Jgone now"));
    }
}
