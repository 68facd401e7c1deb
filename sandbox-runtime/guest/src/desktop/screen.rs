//! The room's X server. Its framebuffer is made once, as large as the screen may become; RandR sets the size wanted now,
//! which programs then see as their monitor.
//!
//! Nothing listens beyond a Unix socket in the room's own `/tmp`. Key repeat of the server is as good as off: repeats
//! come from the person's own keyboard, and a stalled link must not leave a key running.

use std::process::Stdio;
use std::time::Duration;

use sandbox_core::viewer::Screen;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::randr::{ConnectionExt as _, ModeInfo, Rotation};
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// How long Xvfb may take until it says its display.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// The framebuffer is at least this large: the largest page that may be asked for, with room for the browser's bars.
const ROOM_TO_GROW: Screen = Screen { width: 3840, height: 2160 + 240 };
const SOCKET_DIR: &str = "/tmp/.X11-unix";

#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    #[error("start Xvfb: {0}")]
    Start(#[source] std::io::Error),
    #[error("start Xvfb: it said no display within {} s", START_DEADLINE.as_secs())]
    NoDisplay,
    #[error("resize the screen to {}×{}: at most {}×{} fit", wanted.width, wanted.height, most.width, most.height)]
    TooLarge { wanted: Screen, most: Screen },
    #[error("the X server has no output that could be resized")]
    NoOutput,
    #[error("X server: {0}")]
    Connect(#[from] ConnectError),
    #[error("X server: {0}")]
    Connection(#[from] ConnectionError),
    #[error("X server: {0}")]
    Reply(#[from] ReplyError),
    #[error("X server: {0}")]
    Id(#[from] ReplyOrIdError),
}

/// A running Xvfb; dropping it ends it.
pub struct XServer {
    display: String,
    most: Screen,
    process: Child,
}

impl XServer {
    /// Starts Xvfb with a framebuffer that holds `wanted`, and sets the screen to it.
    pub async fn start(wanted: Screen) -> Result<Self, ScreenError> {
        let most =
            Screen { width: wanted.width.max(ROOM_TO_GROW.width), height: wanted.height.max(ROOM_TO_GROW.height) };
        make_socket_dir();
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-dpi", "96", "-ardelay", "3600000"])
            .args(["-screen", "0", &format!("{}x{}x24", most.width, most.height)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(ScreenError::Start)?;
        let stdout = process.stdout.take().expect("stdout was piped");
        let mut said = String::new();
        let line = tokio::time::timeout(START_DEADLINE, BufReader::new(stdout).read_line(&mut said)).await;
        let number: u32 = match line {
            Ok(Ok(_)) => said.trim().parse().map_err(|_| ScreenError::NoDisplay)?,
            Ok(Err(error)) => return Err(ScreenError::Start(error)),
            Err(_) => return Err(ScreenError::NoDisplay),
        };
        let server = Self { display: format!(":{number}"), most, process };
        server.resize(wanted)?;
        Ok(server)
    }

    /// The value of `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Its number in the room; `None` once it was waited for.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Makes the screen this size; whoever watches the root window is told by the X server.
    pub fn resize(&self, wanted: Screen) -> Result<(), ScreenError> {
        if wanted.width > self.most.width || wanted.height > self.most.height {
            return Err(ScreenError::TooLarge { wanted, most: self.most });
        }
        let (x, screen) = x11rb::connect(Some(&self.display))?;
        let root = x.setup().roots[screen].root;
        // Programs must not see the moment between the old and the new monitor.
        x.grab_server()?;
        let resized = set_size(&x, root, wanted);
        x.ungrab_server()?;
        // A reply means that the server has let go.
        x.get_input_focus()?.reply()?;
        resized
    }

    /// The size that the server has now.
    pub fn size(&self) -> Result<Screen, ScreenError> {
        let (x, screen) = x11rb::connect(Some(&self.display))?;
        let geometry = x.get_geometry(x.setup().roots[screen].root)?.reply()?;
        Ok(Screen { width: u32::from(geometry.width), height: u32::from(geometry.height) })
    }
}

fn set_size(x: &RustConnection, root: u32, wanted: Screen) -> Result<(), ScreenError> {
    let resources = x.randr_get_screen_resources_current(root)?.reply()?;
    let (&[crtc, ..], &[output, ..]) = (resources.crtcs.as_slice(), resources.outputs.as_slice()) else {
        return Err(ScreenError::NoOutput);
    };
    let (width, height) = (wanted.width as u16, wanted.height as u16);
    let mode = match resources.modes.iter().find(|mode| mode.width == width && mode.height == height) {
        Some(mode) => mode.id,
        None => {
            let name = format!("{width}x{height}");
            let info = ModeInfo { width, height, name_len: name.len() as u16, ..ModeInfo::default() };
            let mode = x.randr_create_mode(root, info, name.as_bytes())?.reply()?.mode;
            x.randr_add_output_mode(output, mode)?.check()?;
            mode
        }
    };
    // The screen must hold its monitor at each step: the monitor goes, the screen changes, the monitor comes back.
    let now = x11rb::CURRENT_TIME;
    x.randr_set_crtc_config(crtc, now, now, 0, 0, 0, Rotation::ROTATE0, &[])?.reply()?;
    x.randr_set_screen_size(root, width, height, millimetres(wanted.width), millimetres(wanted.height))?.check()?;
    x.randr_set_crtc_config(crtc, now, now, 0, 0, mode, Rotation::ROTATE0, &[output])?.reply()?;
    Ok(())
}

/// Length at 96 dots an inch.
fn millimetres(pixels: u32) -> u32 {
    pixels * 254 / 960
}

/// Xvfb makes its socket folder only as root.
fn make_socket_dir() {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::create_dir(SOCKET_DIR).is_ok() {
        // Failing leaves a folder that this user can still write, and no other user lives in the room.
        let _ = std::fs::set_permissions(SOCKET_DIR, std::fs::Permissions::from_mode(0o1777));
    }
}
