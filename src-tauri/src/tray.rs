//! The tray: says at a glance how many need a person; never the only way back to the window.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};

use crate::window;

const NAME: &str = "baton";
const SHOW: &str = "show";
const QUIT: &str = "quit";
/// How long the desktop may take to say whether it shows icons.
#[cfg(target_os = "linux")]
const HOST_LIMIT: std::time::Duration = std::time::Duration::from_secs(2);

/// Puts Baton into the tray, where the desktop has one. `quit` begins when the person chooses it there.
pub fn put<F>(app: &AppHandle, quit: impl Fn(AppHandle) -> F + Send + Sync + 'static) -> tauri::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    if !is_supported() {
        tracing::info!("no tray: libayatana-appindicator is not installed");
        return Ok(());
    }
    let icon = app.default_window_icon().cloned();
    let mut tray = TrayIconBuilder::with_id(NAME).menu(&menu(app, 0)?).tooltip("Baton");
    if let Some(icon) = icon {
        tray = tray.icon(icon);
    }
    tray.on_menu_event(move |app, event| match event.id().as_ref() {
        SHOW => window::show(app),
        QUIT => {
            tauri::async_runtime::spawn(quit(app.clone()));
        }
        _ => {}
    })
    .build(app)?;
    Ok(())
}

/// Whether the desktop shows our icon: a library that draws one says nothing of whether anyone sees it.
pub async fn is_shown(app: &AppHandle) -> bool {
    app.tray_by_id(NAME).is_some() && has_host().await
}

#[cfg(target_os = "linux")]
async fn has_host() -> bool {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let watcher = zbus::Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).await?;
        watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await
    };
    match tokio::time::timeout(HOST_LIMIT, asked).await {
        Ok(Ok(is_there)) => is_there,
        // Nobody watches on this desktop, or nobody answers.
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Elsewhere the system always has a tray.
#[cfg(not(target_os = "linux"))]
async fn has_host() -> bool {
    true
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
    let quit = MenuItem::with_id(app, QUIT, "Quit Baton", true, None::<&str>)?;
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
