//! System notifications, and the tray's count: when a person is asked, and only then. Never raises the window by itself.

use std::collections::BTreeSet;

use sandbox_core::model::{Actor, Event, EventType};
use sandbox_core::{SandboxId, plain_name};
use tauri::AppHandle;
use tokio::sync::broadcast::error::RecvError;

use crate::runtime::Baton;
use crate::{tray, window};

/// Follows the events for as long as the application runs.
pub async fn follow(app: AppHandle, baton: Baton) {
    let mut events = baton.api.service().store().subscribe();
    let mut waiting: BTreeSet<String> = BTreeSet::new();
    loop {
        match events.recv().await {
            Ok(event) => notice(&app, &baton, &event, &mut waiting).await,
            // The count mends itself with the next events; a missed notification is shown in the window.
            Err(RecvError::Lagged(n_missed)) => tracing::warn!(n_missed, "events came faster than they were shown"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn notice(app: &AppHandle, baton: &Baton, event: &Event, waiting: &mut BTreeSet<String>) {
    let text = |name: &str| event.data.get(name).and_then(|text| text.as_str());
    let Some(id) = text("requestId").or_else(|| text("approvalId")) else { return };
    let changed = if matches!(event.kind, EventType::HandoffRequested | EventType::ApprovalRequested) {
        // A person who takes control unasked is recorded as a request, and asks for nothing.
        if event.by != Actor::Person {
            tell(app, &event.sandbox_id, &title(&job_of(baton, event).await), &asked(event));
        }
        waiting.insert(id.to_owned())
    } else {
        waiting.remove(id)
    };
    if changed && let Err(error) = tray::show_waiting(app, waiting.len()) {
        tracing::warn!(%error, "the tray could not be changed");
    }
}

/// Names the job that asks, as the window's list does: its task, else its sandbox.
async fn job_of(baton: &Baton, event: &Event) -> String {
    let service = baton.api.service();
    let task = match &event.task_id {
        Some(id) => service.task(id).await.ok().map(|task| task.title),
        None => None,
    };
    match task.filter(|title| !title.is_empty()) {
        Some(title) => title,
        None => service.sandbox(&event.sandbox_id).await.map(|sandbox| sandbox.name).unwrap_or_default(),
    }
}

/// Says who needs the person: `Invoices needs you`.
fn title(job: &str) -> String {
    const LONGEST: usize = 60;
    let job = plain_name(job);
    let shown: String = job.chars().take(LONGEST).collect();
    let cut = if shown.len() < job.len() { "…" } else { "" };
    if shown.is_empty() { "Baton needs you".to_owned() } else { format!("{shown}{cut} needs you") }
}

/// Says what is asked, and where it would go.
fn asked(event: &Event) -> String {
    let text = |name: &str| event.data.get(name).and_then(|text| text.as_str()).filter(|text| !text.is_empty());
    let said = match (text("message"), text("summary"), text("destination")) {
        (Some(message), _, _) => message.to_owned(),
        (None, Some(summary), Some(destination)) => format!("May it {summary}? It goes to {destination}"),
        (None, Some(summary), None) => format!("May it {summary}?"),
        (None, None, _) => "A task waits for you".to_owned(),
    };
    plain_name(&said)
}

/// Tells the person something that leads nowhere.
pub fn say(title: &str, message: &str) {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Baton").summary(title).body(&without_markup(message));
    std::thread::spawn(move || {
        if let Err(error) = notification.show() {
            tracing::warn!(%error, "the notification could not be shown");
        }
    });
}

/// Shows a notification; choosing it opens the sandbox that asks.
fn tell(app: &AppHandle, sandbox: &SandboxId, title: &str, message: &str) {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Baton").summary(title).body(&without_markup(message)).action("default", "Open");
    let (app, sandbox) = (app.clone(), sandbox.clone());
    // The desktop may answer late or never: a thread of its own waits, so that nothing else does.
    std::thread::spawn(move || match notification.show() {
        Ok(shown) => wait_until_chosen(shown, || window::open_sandbox(&app, &sandbox)),
        Err(error) => tracing::warn!(%error, "the notification could not be shown"),
    });
}

#[cfg(target_os = "linux")]
fn wait_until_chosen(shown: notify_rust::NotificationHandle, chosen: impl FnOnce()) {
    shown.wait_for_action(|action| {
        if action == "default" {
            chosen();
        }
    });
}

/// Elsewhere the system does not tell which notification was chosen.
#[cfg(not(target_os = "linux"))]
fn wait_until_chosen(_shown: notify_rust::NotificationHandle, _chosen: impl FnOnce()) {}

/// The message may quote a page, and some desktops read notifications as markup.
fn without_markup(message: &str) -> String {
    message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::{Actor, Event, EventType};
    use serde_json::{Value, json};

    use super::{asked, title, without_markup};

    fn said(data: Value) -> String {
        asked(&Event {
            id: "evt_1".into(),
            sandbox_id: "sbx_1".into(),
            task_id: None,
            seq: 1,
            kind: EventType::ApprovalRequested,
            by: Actor::Agent,
            at: 0,
            data,
        })
    }

    #[test]
    fn a_notification_says_which_job_and_what_is_asked() {
        assert_eq!(title("Invoices"), "Invoices needs you");
        assert_eq!(title("evil\u{202e}gnp\n"), "evilgnp needs you");
        assert_eq!(title(""), "Baton needs you");
        assert_eq!(said(json!({ "message": "Sign in,\u{202e} then hand back" })), "Sign in, then hand back");
        let question = json!({ "summary": "click button \"Pay\"", "destination": "https://shop.example/pay" });
        assert_eq!(said(question), "May it click button \"Pay\"? It goes to https://shop.example/pay");
    }

    #[test]
    fn a_message_is_text_and_never_markup() {
        assert_eq!(without_markup("<img src=x> & co"), "&lt;img src=x&gt; &amp; co");
    }
}
