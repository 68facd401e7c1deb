//! System notifications, and the tray's count: when a person is asked, and only then. Never raises the window.

use std::collections::BTreeMap;

use sandbox_core::HandoffId;
use sandbox_core::model::{Event, EventType};
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;
use tokio::sync::broadcast::error::RecvError;

use crate::runtime::Baton;
use crate::tray;

/// Follows the events for as long as the application runs.
pub async fn follow(app: AppHandle, baton: Baton) {
    let mut events = baton.api.service().store().subscribe();
    let mut waiting: BTreeMap<String, HandoffId> = BTreeMap::new();
    loop {
        match events.recv().await {
            Ok(event) => notice(&app, &event, &mut waiting),
            // The count mends itself with the next events; a missed notification is shown in the window.
            Err(RecvError::Lagged(n_missed)) => tracing::warn!(n_missed, "events came faster than they were shown"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn notice(app: &AppHandle, event: &Event, waiting: &mut BTreeMap<String, HandoffId>) {
    let Some(id) = event.data.get("requestId").and_then(|id| id.as_str()) else { return };
    let changed = if event.kind == EventType::HandoffRequested {
        let message = event.data.get("message").and_then(|text| text.as_str()).unwrap_or("a task waits for you");
        let shown = app.notification().builder().title("Baton needs you").body(message).show();
        if let Err(error) = shown {
            tracing::warn!(%error, "the notification could not be shown");
        }
        waiting.insert(id.to_owned(), HandoffId::from(id)).is_none()
    } else {
        waiting.remove(id).is_some()
    };
    if changed && let Err(error) = tray::show_waiting(app, waiting.len()) {
        tracing::warn!(%error, "the tray could not be changed");
    }
}
