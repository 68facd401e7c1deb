//! The desktop application: starts the runtime, opens the window, and stays out of the way.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod bridge;
mod display;
mod notices;
mod runtime;
mod tray;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    display::choose_renderer();
    runtime::log_to_stderr();
    let tokio = match tokio::runtime::Runtime::new() {
        Ok(tokio) => tokio,
        Err(error) => return fail(&error, 1),
    };
    tauri::async_runtime::set(tokio.handle().clone());
    let baton = match tokio.block_on(runtime::start()) {
        Ok(baton) => baton,
        // Another runtime holds the data directory: the message names it.
        Err(error @ runtime::StartError::Home(_)) => return fail(&error, 2),
        Err(error) => return fail(&error, 1),
    };
    let code = window::run(baton.clone());
    tokio.block_on(baton.stop());
    code
}

fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("baton-desktop: {error}");
    ExitCode::from(code)
}
