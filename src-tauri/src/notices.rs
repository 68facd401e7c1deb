//! System notifications, and the tray's count: when a person is asked, and only then. Never raises the window by itself.

use std::collections::BTreeSet;

use sandbox_core::event::{Event, EventData};
use sandbox_core::model::Actor;
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
    let changed = match news(&event.data) {
        News::Nothing => return,
        News::Asked { id, words } => {
            // A person who takes control unasked is recorded as a request, and asks for nothing.
            if event.by != Actor::Person {
                tell(app, &event.sandbox_id, &title(&job_of(baton, event).await), &words);
            }
            waiting.insert(id.to_owned())
        }
        News::Answered { id } => waiting.remove(id),
    };
    if changed && let Err(error) = tray::show_waiting(app, waiting.len()) {
        tracing::warn!(%error, "the tray could not be changed");
    }
}

/// What an event says to a person who may be asked for.
#[derive(Debug, PartialEq)]
enum News<'a> {
    Asked {
        id: &'a str,
        words: String,
    },
    /// The request stands no longer, or somebody is at it.
    Answered {
        id: &'a str,
    },
    Nothing,
}

fn news(event: &EventData) -> News<'_> {
    match event {
        EventData::HandoffRequested(asked) => {
            News::Asked { id: asked.request_id.as_str(), words: plain_name(&asked.message) }
        }
        EventData::ApprovalRequested(asked) => {
            let words = format!("May it {}? It goes to {}", asked.summary, asked.destination);
            News::Asked { id: asked.approval_id.as_str(), words: plain_name(&words) }
        }
        EventData::HandoffAccepted(accepted) => News::Answered { id: accepted.request_id.as_str() },
        EventData::HandoffCompleted(completed) => News::Answered { id: completed.request_id.as_str() },
        EventData::HandoffCancelled(cancelled) => News::Answered { id: cancelled.request_id.as_str() },
        EventData::HandoffExpired(expired) => News::Answered { id: expired.request_id.as_str() },
        EventData::ApprovalDecided(decided) => News::Answered { id: decided.approval_id.as_str() },
        _ => News::Nothing,
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
    use sandbox_core::event::{EventData, HandoffRequested};
    use sandbox_core::model::HandoffReason;
    use serde_json::{Value, json};

    use super::{News, news, title, without_markup};

    fn event(kind: &str, payload: Value) -> EventData {
        EventData::from_parts(kind.to_owned(), payload)
    }

    #[test]
    fn a_notification_says_which_job_and_what_is_asked() {
        assert_eq!(title("Invoices"), "Invoices needs you");
        assert_eq!(title("evil\u{202e}gnp\n"), "evilgnp needs you");
        assert_eq!(title(""), "Baton needs you");
        let message = "Sign in,\u{202e} then hand back".to_owned();
        let request = HandoffRequested { request_id: "ho_1".into(), reason: HandoffReason::Mfa, message, again: false };
        let words = "Sign in, then hand back".to_owned();
        assert_eq!(news(&request.into()), News::Asked { id: "ho_1", words });
        let question = json!({
            "approvalId": "apr_1", "hash": "ab", "held": false, "kind": "pay", "site": "shop.example", "fields": [],
            "summary": "click button \"Pay\"", "destination": "https://shop.example/pay",
        });
        let words = "May it click button \"Pay\"? It goes to https://shop.example/pay".to_owned();
        assert_eq!(news(&event("sandbox.approval.requested", question)), News::Asked { id: "apr_1", words });
    }

    #[test]
    fn a_request_is_counted_until_somebody_is_at_it_or_it_is_over() {
        let of = json!({ "requestId": "ho_1", "controller": "Ada" });
        for end in ["accepted", "completed", "cancelled", "expired"] {
            assert_eq!(
                news(&event(&format!("sandbox.handoff.{end}"), of.clone())),
                News::Answered { id: "ho_1" },
                "{end}"
            );
        }
        let decided = json!({ "approvalId": "apr_1", "status": "void" });
        assert_eq!(news(&event("sandbox.approval.decided", decided)), News::Answered { id: "apr_1" });
        assert_eq!(news(&event("sandbox.ready", json!({}))), News::Nothing);
    }

    #[test]
    fn a_message_is_text_and_never_markup() {
        assert_eq!(without_markup("<img src=x> & co"), "&lt;img src=x&gt; &amp; co");
    }
}
