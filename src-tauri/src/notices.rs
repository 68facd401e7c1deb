//! System notifications, and the tray's count: when a person is asked, and only then. Never raises the window by itself.

use std::collections::BTreeSet;

use sandbox_core::SandboxId;
use sandbox_core::model::{Event, EventType};
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
            Ok(event) => notice(&app, &event, &mut waiting),
            // The count mends itself with the next events; a missed notification is shown in the window.
            Err(RecvError::Lagged(n_missed)) => tracing::warn!(n_missed, "events came faster than they were shown"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn notice(app: &AppHandle, event: &Event, waiting: &mut BTreeSet<String>) {
    let text = |name: &str| event.data.get(name).and_then(|text| text.as_str());
    let Some(id) = text("requestId").or_else(|| text("approvalId")) else { return };
    let changed = if matches!(event.kind, EventType::HandoffRequested | EventType::ApprovalRequested) {
        let asked = text("summary").map(|summary| format!("asks you: may it {summary}?"));
        let message = text("message").map(str::to_owned).or(asked);
        tell(app, &event.sandbox_id, message.as_deref().unwrap_or("a task waits for you"));
        waiting.insert(id.to_owned())
    } else {
        waiting.remove(id)
    };
    if changed && let Err(error) = tray::show_waiting(app, waiting.len()) {
        tracing::warn!(%error, "the tray could not be changed");
    }
}

/// Shows a notification; choosing it opens the sandbox that asks.
fn tell(app: &AppHandle, sandbox: &SandboxId, message: &str) {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Baton").summary("Baton needs you").body(&without_markup(message)).action("default", "Open");
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
    use super::without_markup;

    #[test]
    fn a_message_is_text_and_never_markup() {
        assert_eq!(without_markup("<img src=x> & co"), "&lt;img src=x&gt; &amp; co");
    }
}
