//! A display of its own for a test: Xvfb, and what one sees on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub struct Display {
    server: Child,
    /// As in the variable `DISPLAY`.
    pub name: String,
}

impl Display {
    pub fn start(width: u32, height: u32) -> Self {
        let mut server = Command::new("Xvfb")
            // Without -noreset it resets when its last client leaves, and refuses clients that connect just then.
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0", &format!("{width}x{height}x24")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        let told = server.stdout.take().expect("the output is a pipe");
        BufReader::new(told).read_line(&mut number).expect("Xvfb says its number");
        Self { server, name: format!(":{}", number.trim()) }
    }

    pub fn pid(&self) -> u32 {
        self.server.id()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Display {
    /// Returns what is on the display now.
    pub fn picture(&self) -> anyhow::Result<image::RgbaImage> {
        use x11rb::connection::Connection;
        use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};
        let (x, screen) = x11rb::connect(Some(&self.name))?;
        let root = &x.setup().roots[screen];
        let (width, height) = (root.width_in_pixels, root.height_in_pixels);
        let shot = x.get_image(ImageFormat::Z_PIXMAP, root.root, 0, 0, width, height, !0)?.reply()?;
        let rgba = shot.data.chunks_exact(4).flat_map(|bgrx| [bgrx[2], bgrx[1], bgrx[0], 255]).collect();
        image::RgbaImage::from_raw(width.into(), height.into(), rgba).ok_or_else(|| anyhow::anyhow!("odd picture"))
    }

    /// Waits for a window with that title, and asks it to close as a window manager does.
    pub async fn close_window(&self, title: &str) {
        crate::eventually(title, || async { self.try_to_close(title).ok().flatten() }).await;
    }

    fn try_to_close(&self, title: &str) -> anyhow::Result<Option<()>> {
        use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};
        let (x, screen) = x11rb::connect(Some(&self.name))?;
        let atom = |name: &str| anyhow::Ok(x.intern_atom(false, name.as_bytes())?.reply()?.atom);
        let Some(window) = shown_window(&x, screen, title)? else { return Ok(None) };
        let data = [atom("WM_DELETE_WINDOW")?, x11rb::CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom("WM_PROTOCOLS")?, data);
        x.send_event(false, window, EventMask::NO_EVENT, message)?;
        // An answer first: what a client that hung up had asked for, a busy X server throws away unread.
        x.get_input_focus()?.reply()?;
        Ok(Some(()))
    }

    /// Whether a window with that title is on the display.
    pub fn shows(&self, title: &str) -> anyhow::Result<bool> {
        let (x, screen) = x11rb::connect(Some(&self.name))?;
        Ok(shown_window(&x, screen, title)?.is_some())
    }

    /// Keeps a picture of the display beside the build; for whoever wonders why a test failed.
    pub fn keep(&self, name: &str) -> anyhow::Result<()> {
        let folder = crate::repository().join("target/pictures");
        std::fs::create_dir_all(&folder)?;
        Ok(self.picture()?.save(folder.join(name))?)
    }
}

/// Returns the window with that title, if it is on the display.
fn shown_window(x: &impl x11rb::connection::Connection, screen: usize, title: &str) -> anyhow::Result<Option<u32>> {
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt};
    for window in x.query_tree(x.setup().roots[screen].root)?.reply()?.children {
        let name = x.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64)?.reply()?.value;
        let mapped = x.get_window_attributes(window)?.reply()?.map_state != 0.into();
        if mapped && name == title.as_bytes() {
            return Ok(Some(window));
        }
    }
    Ok(None)
}
