//! The application: its parts put together, from its first window to its end.

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use sandbox_runtime::service::home::Home;
use sha2::{Digest, Sha256};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, RunEvent, WindowEvent, Wry};

use crate::closing::{self, Closing};
use crate::runtime::Baton;
use crate::{bridge, notices, tray, window};

/// Runs the application until the person quits.
pub fn run(baton: Baton) -> ExitCode {
    let follower = baton.clone();
    let built = tauri::Builder::default()
        .plugin(single_instance())
        .plugin(tauri_plugin_opener::init())
        .manage(Closing::beneath(baton.api.service().home()))
        .manage(baton)
        .invoke_handler(tauri::generate_handler![
            bridge::request,
            bridge::read,
            bridge::write,
            bridge::save,
            bridge::endpoint,
            bridge::open_external,
            bridge::open_job,
            bridge::keeps_running,
            bridge::choose_keeps_running,
            bridge::quit,
            bridge::quit_question_shown,
            bridge::quit_answered
        ])
        .setup(|app| {
            window::open(app.handle())?;
            if let Err(error) = tray::put(app.handle(), closing::quit) {
                tracing::warn!(%error, "no tray");
            }
            tauri::async_runtime::spawn(notices::follow(app.handle().clone(), follower));
            tauri::async_runtime::spawn(end_when_told(app.handle().clone()));
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            // `run` would end the process before the runtime could be ended.
            let code = app.run_return(handle);
            u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("baton-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn handle(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. }
            if label == window::MAIN =>
        {
            api.prevent_close();
            tauri::async_runtime::spawn(closing::close(app.clone()));
        }
        // The last window was destroyed, and nobody asked for that: the runtime is ended first.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            tauri::async_runtime::spawn(closing::end(app.clone()));
        }
        // Events of the library.
        _ => {}
    }
}

/// Ends the application properly when the system, or a person in a terminal, tells it to.
async fn end_when_told(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let told = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = told else {
        tracing::warn!("signals cannot be heard");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    closing::end(app).await;
}

/// Makes a second start on the same data directory show the window of the first. Two data directories may run side by side.
pub fn single_instance() -> TauriPlugin<Wry> {
    let held = tauri_plugin_single_instance::Builder::new().callback(|app, _args, _cwd| window::show(app));
    match Home::default_path() {
        Ok(path) => held.dbus_id(format!("app.baton.desktop.h{}", short_hash(path.as_os_str().as_bytes()))).build(),
        // The start says what is wrong with the path.
        Err(_) => held.build(),
    }
}

fn short_hash(bytes: &[u8]) -> String {
    sandbox_core::hexadecimal(&Sha256::digest(bytes)[..8])
}
