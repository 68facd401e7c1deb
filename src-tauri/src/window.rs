//! The window: opened, shown again, closed.

use std::process::ExitCode;

use tauri::{AppHandle, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::runtime::Baton;
use crate::{bridge, notices, tray};

const MAIN: &str = "main";

/// Runs the application until the person quits.
pub fn run(baton: Baton) -> ExitCode {
    let follower = baton.clone();
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _args, _cwd| show(app)))
        .plugin(tauri_plugin_notification::init())
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
