//! A start that came to nothing: leads to the window that is there already, or says in a window of its own why.

use std::process::ExitCode;

use tauri::{WebviewUrl, WebviewWindowBuilder};

use crate::app;
use crate::runtime::StartError;

/// Shows why the application did not start, until the person closes it; returns the code to exit with.
pub fn say(error: &StartError) -> ExitCode {
    let message = error.to_string();
    eprintln!("baton-desktop: {message}");
    let code = match error {
        // Another runtime holds the data directory, or it cannot be used.
        StartError::Home(_) => 2,
        StartError::Service(_) | StartError::Serve(_) => 1,
    };
    let built = tauri::Builder::default()
        // Where the holder is this application, the plugin shows its window and ends this process.
        .plugin(app::single_instance())
        .setup(move |app| {
            let told = format!("globalThis.batonNotStarted = {}", serde_json::Value::from(message.as_str()));
            WebviewWindowBuilder::new(app, "not-started", WebviewUrl::App("not-started.html".into()))
                .title("Baton did not start")
                .inner_size(520.0, 260.0)
                .resizable(false)
                .initialization_script(told)
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run_return(|_, _| {});
        }
        Err(error) => eprintln!("baton-desktop: {error}"),
    }
    ExitCode::from(code)
}
