//! The title bar of a floating window that draws none itself: Chromium leaves the frame of popups, and GTK that of
//! dialogs, to the window manager. It says the title, moves the window, and has a cross that closes it.
//!
//! The bar is a window beside the client, not around it: nothing is reparented, so coordinates stay the screen's.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ButtonPressEvent, ConfigureWindowAux, ConnectionExt as _, CoordMode, CreateGCAux, CreateWindowAux,
    EventMask, Point, Window, WindowClass,
};

use super::requests::MOVE;
use super::{Client, Kind, Place, Windows, WindowsError};

/// Height of the bar; the cross is a square of this side at its right end.
pub(super) const HEIGHT: u32 = 28;
const BACKGROUND: u32 = 0xDE_E1E6;
const INK: u32 = 0x20_2124;
/// A font that every X server has built in; it knows Latin-1.
const FONT: &[u8] = b"fixed";
const TEXT_LEFT: i16 = 10;
const TEXT_BASELINE: i16 = 18;
/// From the bar's edges to the ends of the cross.
const CROSS_MARGIN: i16 = 10;
const MAX_TITLE: usize = 200;
/// In `_MOTIF_WM_HINTS`: the flag that decorations are spoken of, and where they are.
const MOTIF_DECORATIONS: u32 = 2;
const MOTIF_DECORATIONS_AT: usize = 2;

impl Client {
    /// Height of the bar that is shown above the window now.
    pub fn bar_height(&self) -> u32 {
        if self.bar.is_some() && !self.fullscreen && !self.maximised { HEIGHT } else { 0 }
    }
}

impl Windows {
    /// Makes the bar of a new window, if it wants one.
    pub fn make_bar(&self, window: Window, kind: Kind) -> Result<Option<Window>, WindowsError> {
        let hints = self.property(window, self.atoms._MOTIF_WM_HINTS, AtomEnum::ANY.into())?;
        let speaks = hints.first().is_some_and(|flags| flags & MOTIF_DECORATIONS != 0);
        let undecorated = speaks && hints.get(MOTIF_DECORATIONS_AT) == Some(&0);
        if kind == Kind::Browser || undecorated {
            return Ok(None);
        }
        let bar = self.x.generate_id()?;
        let attributes = CreateWindowAux::new()
            .override_redirect(1)
            .background_pixel(BACKGROUND)
            .event_mask(EventMask::BUTTON_PRESS | EventMask::EXPOSURE);
        let (h, copy) = (HEIGHT as u16, x11rb::COPY_FROM_PARENT);
        self.x.create_window(0, bar, self.root, 0, 0, 1, h, 0, WindowClass::INPUT_OUTPUT, copy, &attributes)?;
        Ok(Some(bar))
    }

    /// Puts a window's bar above it, or takes it away while the window fills the screen.
    pub fn settle_bar(&self, client: &Client) -> Result<(), WindowsError> {
        let Some(bar) = client.bar else { return Ok(()) };
        if client.bar_height() == 0 {
            self.x.unmap_window(bar)?;
            return Ok(());
        }
        let Place { x, y, w, .. } = client.place;
        self.x.configure_window(bar, &ConfigureWindowAux::new().x(x).y(y - HEIGHT as i32).width(w))?;
        self.x.map_window(bar)?;
        Ok(())
    }

    /// The managed window whose bar this is.
    pub fn owner_of_bar(&self, bar: Window) -> Option<Window> {
        self.clients.iter().find(|(_, client)| client.bar == Some(bar)).map(|(window, _)| *window)
    }

    /// A press on the bar: on the cross it closes the window, elsewhere it moves it.
    pub fn bar_pressed(&mut self, window: Window, event: &ButtonPressEvent) -> Result<(), WindowsError> {
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        if i32::from(event.event_x) >= client.place.w as i32 - HEIGHT as i32 {
            return self.close(window, event.time);
        }
        self.activate(window, event.time)?;
        self.drag_asked(window, (i32::from(event.root_x), i32::from(event.root_y)), MOVE)
    }

    /// Draws the bar: title and cross.
    pub fn draw_bar(&self, window: Window) -> Result<(), WindowsError> {
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        let Some(bar) = client.bar else { return Ok(()) };
        let (x, a) = (&self.x, &self.atoms);
        let title = x.get_property(false, window, a._NET_WM_NAME, AtomEnum::ANY, 0, MAX_TITLE as u32)?.reply()?.value;
        let title: Vec<u8> =
            String::from_utf8_lossy(&title).chars().take(MAX_TITLE).map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        let (font, gc) = (x.generate_id()?, x.generate_id()?);
        x.open_font(font, FONT)?;
        x.create_gc(gc, bar, &CreateGCAux::new().foreground(INK).background(BACKGROUND).font(font).line_width(2))?;
        x.clear_area(false, bar, 0, 0, 0, 0)?;
        x.image_text8(bar, gc, TEXT_LEFT, TEXT_BASELINE, &title)?;
        let (right, height) = (client.place.w as i16, HEIGHT as i16);
        x.clear_area(false, bar, right - height, 0, HEIGHT as u16, HEIGHT as u16)?;
        let [left, right] = [right - height + CROSS_MARGIN, right - CROSS_MARGIN];
        let [top, bottom] = [CROSS_MARGIN, height - CROSS_MARGIN];
        for (from, to) in [((left, top), (right, bottom)), ((left, bottom), (right, top))] {
            let ends = [from, to].map(|(x, y)| Point { x, y });
            x.poly_line(CoordMode::ORIGIN, bar, gc, &ends)?;
        }
        x.free_gc(gc)?;
        x.close_font(font)?;
        Ok(())
    }
}
