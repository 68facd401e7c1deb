//! The tray: says at a glance how many need a person; never the only way back to the window.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};

use crate::window;

const NAME: &str = "baton";
const SHOW: &str = "show";
const QUIT: &str = "quit";

/// Puts Baton into the tray, where the desktop has one.
pub fn put(app: &AppHandle) -> tauri::Result<()> {
    if !is_supported() {
        tracing::info!("no tray: libayatana-appindicator is not installed");
        return Ok(());
    }
    let icon = app.default_window_icon().cloned();
    let mut tray = TrayIconBuilder::with_id(NAME).menu(&menu(app, 0)?).tooltip("Baton");
    if let Some(icon) = icon {
        tray = tray.icon(icon);
    }
    tray.on_menu_event(|app, event| match event.id().as_ref() {
        SHOW => window::show(app),
        QUIT => app.exit(0),
        _ => {}
    })
    .build(app)?;
    Ok(())
}

/// Shows how many handoffs wait for a person.
pub fn show_waiting(app: &AppHandle, n_waiting: usize) -> tauri::Result<()> {
    let Some(tray): Option<TrayIcon<Wry>> = app.tray_by_id(NAME) else { return Ok(()) };
    tray.set_menu(Some(menu(app, n_waiting)?))?;
    tray.set_tooltip(Some(tooltip(n_waiting)))
}

fn menu(app: &AppHandle, n_waiting: usize) -> tauri::Result<Menu<Wry>> {
    let show = if n_waiting == 0 { "Show Baton".to_owned() } else { format!("Show Baton — {}", tooltip(n_waiting)) };
    let show = MenuItem::with_id(app, SHOW, show, true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, "Quit: ends every sandbox", true, None::<&str>)?;
    Menu::with_items(app, &[&show, &quit])
}

fn tooltip(n_waiting: usize) -> String {
    match n_waiting {
        0 => "Baton".to_owned(),
        1 => "1 needs you".to_owned(),
        n => format!("{n} need you"),
    }
}

/// Whether the library that draws a tray is there: the tray panics without it.
fn is_supported() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    const NAMES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];
    // SAFETY: loading runs the library's own initialisers, which the tray would run a moment later anyway.
    NAMES.iter().any(|name| unsafe { libloading::Library::new(name) }.is_ok())
}
