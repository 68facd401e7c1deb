//! The window: opened, shown again, closed.

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use sandbox_core::SandboxId;
use sandbox_runtime::service::home::Home;
use sha2::{Digest, Sha256};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Emitter, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder, WindowEvent, Wry};

use crate::runtime::Baton;
use crate::{bridge, notices, tray};

const MAIN: &str = "main";
/// Told to the page with a sandbox's id, when the person chose it outside the window.
const OPEN_SANDBOX: &str = "open-sandbox";

/// Runs the application until the person quits.
pub fn run(baton: Baton) -> ExitCode {
    let follower = baton.clone();
    let built = tauri::Builder::default()
        .plugin(single_instance())
        .plugin(tauri_plugin_opener::init())
        .manage(baton)
        .invoke_handler(tauri::generate_handler![
            bridge::request,
            bridge::read,
            bridge::write,
            bridge::save,
            bridge::endpoint,
            bridge::open_external
        ])
        .setup(|app| {
            open(app.handle())?;
            if let Err(error) = tray::put(app.handle()) {
                tracing::warn!(%error, "no tray");
            }
            tauri::async_runtime::spawn(notices::follow(app.handle().clone(), follower));
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if let RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { .. }, .. } = event
                    && label == MAIN
                {
                    app.exit(0);
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("baton-desktop: {error}");
            ExitCode::FAILURE
        }
    }
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
    if let Err(error) = app.emit_to(MAIN, OPEN_SANDBOX, sandbox) {
        tracing::warn!(%error, "the window could not be told which sandbox to show");
    }
}

/// Makes a second start on the same data directory show the window of the first. Two data directories may run side by side.
pub fn single_instance() -> TauriPlugin<Wry> {
    let held = tauri_plugin_single_instance::Builder::new().callback(|app, _args, _cwd| show(app));
    match Home::default_path() {
        Ok(path) => held.dbus_id(format!("app.baton.desktop.h{}", short_hash(path.as_os_str().as_bytes()))).build(),
        // The start says what is wrong with the path.
        Err(_) => held.build(),
    }
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open(app: &AppHandle) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Baton")
        .inner_size(1440.0, 900.0)
        .min_inner_size(900.0, 600.0)
        // Files are dropped on the page, which imports them into the workspace.
        .disable_drag_drop_handler()
        .build()?;
    Ok(())
}
