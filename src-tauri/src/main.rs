//! The desktop application: starts the runtime, opens the window, and stays out of the way.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod app;
mod bridge;
mod closing;
mod display;
mod not_started;
mod notices;
mod runtime;
mod tray;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    if !display::is_there() {
        eprintln!(
            "baton-desktop: there is no display to open a window on; `baton serve` serves the interface to a browser"
        );
        return ExitCode::FAILURE;
    }
    display::choose_renderer();
    runtime::log_to_stderr();
    let tokio = match tokio::runtime::Runtime::new() {
        Ok(tokio) => tokio,
        Err(error) => {
            eprintln!("baton-desktop: {error}");
            return ExitCode::FAILURE;
        }
    };
    tauri::async_runtime::set(tokio.handle().clone());
    let baton = match tokio.block_on(runtime::start()) {
        Ok(baton) => baton,
        Err(error) => return not_started::say(&error),
    };
    let code = app::run(baton.clone());
    // However the window went: what ended it may not have ended the runtime.
    tokio.block_on(baton.stop());
    // A thread that waits for a file or a pipe must not keep the program.
    tokio.shutdown_background();
    code
}
