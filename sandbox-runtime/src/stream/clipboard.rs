//! The way of text out of the room's clipboard: only to the person who drives, only when they copied.

use std::time::Duration;

use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, Open};
use sandbox_link::{Link, read_message};

/// How long the browser may take to own the clipboard after the copying key.
const SETTLE: Duration = Duration::from_millis(120);
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// Watches the keys of one viewer for Ctrl+C and Ctrl+X.
#[derive(Debug, Default)]
pub(super) struct CopyKeys {
    control_held: bool,
}

impl CopyKeys {
    /// Takes one dispatched event; says whether the person has just copied.
    pub(super) fn copied(&mut self, event: &InputEvent) -> bool {
        match event {
            InputEvent::Key { code, down, .. } if code == "ControlLeft" || code == "ControlRight" => {
                self.control_held = *down;
                false
            }
            InputEvent::Key { key, down: true, .. } => {
                self.control_held && (key.eq_ignore_ascii_case("c") || key.eq_ignore_ascii_case("x"))
            }
            InputEvent::Blur {} => {
                self.control_held = false;
                false
            }
            InputEvent::Key { down: false, .. }
            | InputEvent::Move { .. }
            | InputEvent::Button { .. }
            | InputEvent::Wheel { .. }
            | InputEvent::Text { .. }
            | InputEvent::Compose { .. } => false,
        }
    }

    pub(super) fn released(&mut self) {
        self.control_held = false;
    }
}

/// Waits until the browser has put its copy in place, then reads it.
pub(super) async fn read_after_copy(desktop: &Link) -> Option<String> {
    tokio::time::sleep(SETTLE).await;
    read(desktop).await
}

/// Returns the clipboard's text; `None` if the room does not say in time.
pub(super) async fn read(desktop: &Link) -> Option<String> {
    match tokio::time::timeout(READ_DEADLINE, call(desktop, DesktopCall::ReadClipboard)).await {
        Ok(Some(DesktopAnswer::Clipboard(text))) => Some(text),
        Ok(Some(DesktopAnswer::Failed(cause))) => {
            tracing::debug!(cause, "the clipboard was not read");
            None
        }
        Ok(Some(DesktopAnswer::Done | DesktopAnswer::Geometry { .. }) | None) | Err(_) => None,
    }
}

/// Makes one call to the room; `None` when the room is gone or does not answer.
pub(super) async fn call(desktop: &Link, call: DesktopCall) -> Option<DesktopAnswer> {
    let mut room = desktop.open_for(&Open::Desktop(call)).await.ok()?;
    read_message(&mut room).await.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: &str, key: &str, down: bool) -> InputEvent {
        InputEvent::Key { code: code.into(), key: key.into(), down }
    }

    fn copies(events: &[InputEvent]) -> usize {
        let mut keys = CopyKeys::default();
        events.iter().filter(|event| keys.copied(event)).count()
    }

    #[test]
    fn control_c_and_control_x_copy() {
        assert_eq!(copies(&[key("ControlLeft", "Control", true), key("KeyC", "c", true)]), 1);
        assert_eq!(copies(&[key("ControlRight", "Control", true), key("KeyX", "X", true)]), 1);
    }

    #[test]
    fn a_plain_c_does_not_copy() {
        assert_eq!(copies(&[key("KeyC", "c", true)]), 0);
    }

    #[test]
    fn a_released_control_key_no_longer_counts() {
        let held = key("ControlLeft", "Control", true);
        assert_eq!(copies(&[held.clone(), key("ControlLeft", "Control", false), key("KeyC", "c", true)]), 0);
        assert_eq!(copies(&[held, InputEvent::Blur {}, key("KeyC", "c", true)]), 0);
    }
}
