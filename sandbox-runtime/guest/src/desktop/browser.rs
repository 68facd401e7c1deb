//! Starts Chromium: with its own sandbox, without any debugging port, with no way out but the proxy.
//!
//! The debugging pipe is Chromium's descriptors 3 (to it) and 4 (from it). Whether to start again after an exit is the
//! runtime's decision.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, pipe2};
use sandbox_core::layout::{DOWNLOADS, DOWNLOADS_IN_PROFILE};
use sandbox_link::protocol::DesktopSettings;
use serde_json::{Map, Value, json};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

/// What runs when the settings name no browser.
const CHROMIUM: &str = "/usr/bin/chromium";
/// Chromium's ends of the debugging pipe.
const TO_CHROMIUM: RawFd = 3;
const FROM_CHROMIUM: RawFd = 4;
/// The proxy of a room without network: a port on which nothing listens.
const NO_PROXY_PORT: u16 = 9;

#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    #[error("start {program}: {cause}")]
    Start { program: String, cause: std::io::Error },
    #[error("make the debugging pipe: {0}")]
    Pipe(#[from] nix::Error),
    #[error("debugging pipe: {0}")]
    Io(#[from] std::io::Error),
    #[error("write the browser's settings in {path}: {cause}", path = path.display())]
    Settings { path: PathBuf, cause: std::io::Error },
}

/// Folders as this room sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Chromium's profile.
    pub profile: PathBuf,
    /// Home of the browser: GTK's settings, the pointer theme.
    pub home: PathBuf,
    pub workspace: PathBuf,
}

/// A running browser. Dropping it kills it.
pub struct Browser {
    process: Child,
    group: Pid,
}

/// The runtime's ends of the debugging pipe.
pub struct DebuggingPipe {
    pub to_browser: pipe::Sender,
    pub from_browser: pipe::Receiver,
}

impl Browser {
    /// Starts the browser on a display whose window manager runs.
    pub fn start(
        settings: &DesktopSettings,
        display: &str,
        places: &Places,
    ) -> Result<(Self, DebuggingPipe), BrowserError> {
        write_settings(places)?;
        let chromium = [CHROMIUM.to_owned()];
        let line = if settings.browser.is_empty() { chromium.as_slice() } else { &settings.browser };
        let (chromium_reads, we_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (we_read, chromium_writes) = pipe2(OFlag::O_CLOEXEC)?;
        // Above the numbers that they are to have in the child, so that neither overwrites the other.
        let ends = [above_ten(&chromium_reads)?, above_ten(&chromium_writes)?];
        let [reads, writes] = [ends[0].as_raw_fd(), ends[1].as_raw_fd()];

        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .args(arguments(settings, places))
            .arg(&settings.start_url)
            .env("DISPLAY", display)
            .env("HOME", &places.home)
            .env("XCURSOR_PATH", places.home.join(".icons"))
            .env("XCURSOR_THEME", super::cursor::THEME)
            .env("NO_AT_BRIDGE", "1")
            .env("PATH", path_with(&places.home.join(OPENERS)))
            // Said to be missing, they would cost a bar on the first page.
            .envs(["GOOGLE_API_KEY", "GOOGLE_DEFAULT_CLIENT_ID", "GOOGLE_DEFAULT_CLIENT_SECRET"].map(|k| (k, "no")))
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .current_dir(&places.workspace)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if tracing::enabled!(tracing::Level::DEBUG) { Stdio::inherit() } else { Stdio::null() })
            .kill_on_drop(true);
        // SAFETY: dup2 is async-signal-safe and both descriptors live until after the fork.
        unsafe {
            command.pre_exec(move || {
                for (from, to) in [(reads, TO_CHROMIUM), (writes, FROM_CHROMIUM)] {
                    if nix::libc::dup2(from, to) == -1 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let started = command.spawn();
        drop(ends);
        let process = started.map_err(|cause| BrowserError::Start { program: line[0].clone(), cause })?;
        let group = Pid::from_raw(process.id().map_or(0, u32::cast_signed));
        let pipe = DebuggingPipe {
            to_browser: pipe::Sender::from_owned_fd(we_write)?,
            from_browser: pipe::Receiver::from_owned_fd(we_read)?,
        };
        Ok((Self { process, group }, pipe))
    }

    /// Its number in the room; `None` once it was waited for.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits until the browser has ended.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Once it was waited for, the number may belong to somebody else.
        if self.process.id().is_some() && self.group.as_raw() > 0 {
            // Already gone is as good.
            let _ = killpg(self.group, Signal::SIGKILL);
        }
    }
}

fn above_ten(end: &OwnedFd) -> Result<OwnedFd, nix::Error> {
    use std::os::fd::FromRawFd;
    let copy = fcntl(end, FcntlArg::F_DUPFD_CLOEXEC(10))?;
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Neither size nor place of the window: the window manager gives them, and as flags they would hold for popups too.
fn arguments(settings: &DesktopSettings, places: &Places) -> Vec<String> {
    let port = if settings.proxy_port == 0 { NO_PROXY_PORT } else { settings.proxy_port };
    let mut arguments: Vec<String> = [
        "--remote-debugging-pipe",
        // Loopback too goes through the proxy: there is nothing of the room's own to reach.
        "--proxy-bypass-list=<-loopback>",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-domain-reliability",
        "--disable-breakpad",
        "--disable-sync",
        "--hide-crash-restore-bubble",
        "--no-service-autorun",
        "--password-store=basic",
        // `window.print()` makes a PDF: its preview would be a dialog that only a person can close.
        // Chromium itself makes a page that prints again and again wait longer each time.
        "--kiosk-printing",
        "--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider,GlobalShortcutsPortal,\
         NetworkTimeServiceQuerying",
        "--disable-gpu",
        "--ozone-platform=x11",
        "--force-device-scale-factor=1",
    ]
    .map(String::from)
    .to_vec();
    arguments.push(format!("--user-data-dir={}", places.profile.display()));
    arguments.push(format!("--proxy-server=http://127.0.0.1:{port}"));
    arguments
}

/// Folder of the home with what Chromium finds in place of the programs that open others.
const OPENERS: &str = ".openers";
/// What Chromium runs to open an address that is none of its own: on some machines a second browser would come up.
const NO_OPENER: &[u8] = b"#!/bin/sh\nexit 3\n";

/// Returns the search path with a folder before all others.
fn path_with(first: &Path) -> std::ffi::OsString {
    let known = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&known));
    // A folder with a colon in its name cannot be searched: then the path stays as it is.
    std::env::join_paths(all).unwrap_or(known)
}

fn write_settings(places: &Places) -> Result<(), BrowserError> {
    let preferences = places.profile.join("Default/Preferences");
    let downloads = places.profile.join(DOWNLOADS_IN_PROFILE);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| BrowserError::Settings { path, cause }
    };
    let write = |path: &Path, body: &[u8]| {
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(path, body))
            .map_err(failed(path))
    };
    std::fs::create_dir_all(&downloads).map_err(failed(&downloads))?;
    // Where a program put a link or a file of that name, nothing is saved there.
    let _ = std::fs::create_dir_all(places.workspace.join(DOWNLOADS));
    // A profile that was used before keeps what else it holds; one that cannot be read is the browser's to judge.
    let mut kept: Value = File::open(&preferences)
        .ok()
        .and_then(|file| serde_json::from_reader(file).ok())
        .unwrap_or_else(|| Value::Object(Map::new()));
    merge(&mut kept, preferences_wanted(&places.workspace, &downloads));
    write(&preferences, kept.to_string().as_bytes())?;

    for (path, body) in super::gtk::files(&places.home, &places.workspace) {
        write(&path, &body)?;
    }
    for opener in ["xdg-open", "xdg-email"] {
        let path = places.home.join(OPENERS).join(opener);
        write(&path, NO_OPENER)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(failed(&path))?;
    }
    for (path, body) in super::cursor::theme_files() {
        write(&places.home.join(".icons").join(path), &body)?;
    }
    Ok(())
}

fn preferences_wanted(workspace: &Path, downloads: &Path) -> Value {
    json!({
        "browser": { "custom_chrome_frame": true, "check_default_browser": false, "has_seen_welcome_page": true },
        "bookmark_bar": { "show_on_all_tabs": false },
        "credentials_enable_service": false,
        "credentials_enable_autosignin": false,
        "profile": {
            "password_manager_enabled": false,
            "password_manager_leak_detection": false,
            "exit_type": "Normal",
            "exited_cleanly": true,
            // Sites ask, as in any browser: 3 is the default, said because older profiles hold a refusal.
            "default_content_setting_values": { "notifications": 3 },
        },
        "autofill": { "profile_enabled": false, "credit_card_enabled": false },
        "translate": { "enabled": false },
        "search": { "suggest_enabled": false },
        "alternate_error_pages": { "enabled": false },
        "safebrowsing": { "enabled": false },
        "signin": { "allowed": false, "allowed_on_next_startup": false },
        "sync_promo": { "show_on_first_run_allowed": false },
        "webrtc": { "ip_handling_policy": "disable_non_proxied_udp", "multiple_routes_enabled": false,
                    "nonproxied_udp_enabled": false },
        "net": { "network_prediction_options": 2 },
        "dns_prefetching": { "enabled": false },
        "download": { "default_directory": downloads, "prompt_for_download": false, "directory_upgrade": true },
        "download_bubble": { "partial_view_enabled": false },
        "savefile": { "default_directory": workspace.join(DOWNLOADS) },
        "printing": { "print_preview_sticky_settings": { "appState": print_to_pdf() } },
        "selectfile": { "last_directory": workspace },
        "session": { "restore_on_startup": 5 },
    })
}

/// What the print preview remembers of its last use: that it wrote a PDF, which goes where files are saved.
fn print_to_pdf() -> String {
    const PDF: &str = "Save as PDF";
    let destination = json!({ "id": PDF, "origin": "local", "account": "", "capabilities": {} });
    json!({ "version": 2, "recentDestinations": [destination], "selectedDestinationId": PDF }).to_string()
}

/// Lays `over` on `under`, key by key.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(proxy_port: u16) -> DesktopSettings {
        let viewport = sandbox_core::model::Viewport::default();
        DesktopSettings { viewport, proxy_port, browser: Vec::new(), start_url: "about:blank".into() }
    }

    fn line(proxy_port: u16) -> Vec<String> {
        let places = Places { profile: "/p".into(), home: "/h".into(), workspace: "/w".into() };
        arguments(&settings(proxy_port), &places)
    }

    #[test]
    fn the_browser_keeps_its_own_sandbox_and_opens_no_port() {
        let line = line(8080);
        assert!(!line.iter().any(|a| a.contains("no-sandbox") || a.contains("remote-debugging-port")), "{line:?}");
    }

    #[test]
    fn the_proxy_is_the_only_way_out_with_and_without_network() {
        assert!(line(8080).contains(&"--proxy-server=http://127.0.0.1:8080".to_owned()));
        assert!(line(0).contains(&format!("--proxy-server=http://127.0.0.1:{NO_PROXY_PORT}")));
        assert!(line(8080).contains(&"--proxy-bypass-list=<-loopback>".to_owned()));
    }

    #[test]
    fn settings_of_a_used_profile_are_kept() {
        let mut kept = json!({ "profile": { "name": "Work", "exit_type": "Crashed" }, "other": 1 });
        merge(&mut kept, json!({ "profile": { "exit_type": "Normal" } }));
        assert_eq!(kept, json!({ "profile": { "name": "Work", "exit_type": "Normal" }, "other": 1 }));
    }
}
