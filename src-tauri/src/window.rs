//! The window: opened, shown again, put out of the way.

use sandbox_core::SandboxId;
use tauri::{AppHandle, Emitter, Manager, WebviewUrl, WebviewWindowBuilder};

/// The label of the one window.
pub const MAIN: &str = "main";
/// Told to the page with a sandbox's id, when the person chose it outside the window.
const OPEN_SANDBOX: &str = "open-sandbox";

pub fn hide(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "the window could not be hidden");
    }
}

/// Puts the window out of the way where the desktop still shows it.
pub fn minimise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    if let Err(error) = window.minimize() {
        tracing::warn!(%error, "the window could not be minimised");
    }
}

/// Tells the page something.
pub fn tell<T: serde::Serialize + Clone>(app: &AppHandle, event: &str, what: &T) -> tauri::Result<()> {
    app.emit_to(MAIN, event, what.clone())
}

/// Brings the window back; only when the person asked for it.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Shows one sandbox in the window, because the person chose it in a notification.
pub fn open_sandbox(app: &AppHandle, sandbox: &SandboxId) {
    show(app);
    if let Err(error) = tell(app, OPEN_SANDBOX, sandbox) {
        tracing::warn!(%error, "the window could not be told which sandbox to show");
    }
}

/// Opens a window of its own for one sandbox, or shows the one that is open.
pub fn open_job(app: &AppHandle, sandbox: &str) -> tauri::Result<()> {
    // The page sends ids that the runtime made; anything else opens nothing.
    if sandbox.is_empty() || !sandbox.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Ok(());
    }
    let label = format!("job-{sandbox}");
    if let Some(window) = app.get_webview_window(&label) {
        return window.unminimize().and_then(|()| window.set_focus());
    }
    WebviewWindowBuilder::new(app, label, WebviewUrl::App(format!("index.html?job={sandbox}").into()))
        .title("Baton")
        .inner_size(1180.0, 820.0)
        .min_inner_size(640.0, 480.0)
        .disable_drag_drop_handler()
        .build()?;
    Ok(())
}

/// Opens the window.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Baton")
        .inner_size(1440.0, 900.0)
        .min_inner_size(900.0, 600.0)
        // Files are dropped on the page, which imports them into the workspace.
        .disable_drag_drop_handler()
        .build()?;
    Ok(())
}
