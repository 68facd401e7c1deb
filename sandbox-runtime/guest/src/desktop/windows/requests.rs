//! What windows ask of the window manager once they are on the screen: another place, another state, to be moved by hand.

use x11rb::protocol::xproto::{
    ClientMessageEvent, ConfigureRequestEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, GrabMode, Timestamp,
    Window,
};

use super::{Kind, Place, Windows, WindowsError};

/// The smallest a window can be made by hand.
const LEAST: u32 = 100;

/// Directions of `_NET_WM_MOVERESIZE`, clockwise from the top left corner; then moving, and giving up.
pub(super) const MOVE: u32 = 8;
const CANCEL: u32 = 11;
/// Actions of `_NET_WM_STATE`.
const REMOVE: u32 = 0;
const ADD: u32 = 1;

/// A window that follows the pointer until the button is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drag {
    pub window: Window,
    direction: u32,
    from: (i32, i32),
    place: Place,
}

impl Windows {
    /// A window wants another place or size. Floating windows get it, as far as the screen reaches.
    pub fn configure_requested(&mut self, event: &ConfigureRequestEvent) -> Result<(), WindowsError> {
        use x11rb::protocol::xproto::ConfigWindow as Asks;
        let Some(client) = self.clients.get(&event.window) else {
            self.x.configure_window(event.window, &ConfigureWindowAux::from_configure_request(event))?;
            return Ok(());
        };
        let asks = |what: Asks| event.value_mask.contains(what);
        let mut wanted = client.restored;
        if asks(Asks::WIDTH) {
            wanted.w = u32::from(event.width);
        }
        if asks(Asks::HEIGHT) {
            wanted.h = u32::from(event.height);
        }
        if asks(Asks::X) {
            wanted.x = i32::from(event.x);
        }
        if asks(Asks::Y) {
            wanted.y = i32::from(event.y);
        }
        if client.kind == Kind::Floating {
            let restored = self.on_screen(wanted, client.bar_height());
            if let Some(client) = self.clients.get_mut(&event.window) {
                client.restored = restored;
            }
        }
        self.settle(event.window)
    }

    /// A message to the window manager.
    pub fn asked(&mut self, event: &ClientMessageEvent) -> Result<(), WindowsError> {
        let data = event.data.as_data32();
        let a = self.atoms;
        let window = event.window;
        match event.type_ {
            kind if kind == a._NET_ACTIVE_WINDOW && self.clients.contains_key(&window) => {
                self.activate(window, data[1])
            }
            kind if kind == a._NET_CLOSE_WINDOW => self.close(window, data[0]),
            kind if kind == a._NET_WM_STATE => self.state_asked(window, data[0], &data[1..3]),
            kind if kind == a._NET_WM_MOVERESIZE => self.drag_asked(window, (data[0] as i32, data[1] as i32), data[2]),
            kind if kind == a._NET_REQUEST_FRAME_EXTENTS => self.tell_frame(window),
            // Includes WM_CHANGE_STATE: nothing could bring an iconified window back.
            _ => Ok(()),
        }
    }

    /// Asks a window to close; one that does not know how is ended.
    pub fn close(&self, window: Window, time: Timestamp) -> Result<(), WindowsError> {
        match self.clients.get(&window) {
            Some(client) if client.deletes => self.send_protocol(window, self.atoms.WM_DELETE_WINDOW, time),
            Some(_) => {
                self.x.kill_client(window)?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn state_asked(&mut self, window: Window, action: u32, states: &[u32]) -> Result<(), WindowsError> {
        let a = self.atoms;
        let Some(client) = self.clients.get_mut(&window) else { return Ok(()) };
        let changed = |now: bool| match action {
            REMOVE => false,
            ADD => true,
            _ => !now,
        };
        if states.contains(&a._NET_WM_STATE_FULLSCREEN) {
            client.fullscreen = changed(client.fullscreen);
        }
        // The browser's own window always fills the screen.
        let maximises =
            states.iter().any(|s| [a._NET_WM_STATE_MAXIMIZED_VERT, a._NET_WM_STATE_MAXIMIZED_HORZ].contains(s));
        if maximises && client.kind == Kind::Floating {
            client.maximised = changed(client.maximised);
        }
        self.tell_state(window)?;
        self.settle(window)
    }

    /// A window is to follow the pointer from here.
    pub fn drag_asked(&mut self, window: Window, from: (i32, i32), direction: u32) -> Result<(), WindowsError> {
        if direction == CANCEL {
            return self.dropped(x11rb::CURRENT_TIME);
        }
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        if client.kind == Kind::Browser || client.fullscreen || client.maximised || direction > MOVE {
            return Ok(());
        }
        let place = client.place;
        let watched = EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
        let (how, none, now) = (GrabMode::ASYNC, x11rb::NONE, x11rb::CURRENT_TIME);
        let grabbed = self.x.grab_pointer(false, self.root, watched, how, how, none, none, now)?.reply()?;
        if grabbed.status == x11rb::protocol::xproto::GrabStatus::SUCCESS {
            self.drag = Some(Drag { window, direction, from, place });
        }
        Ok(())
    }

    pub fn dragged(&mut self, x: i32, y: i32) -> Result<(), WindowsError> {
        let Some(drag) = self.drag else { return Ok(()) };
        let bar = self.clients.get(&drag.window).map_or(0, super::Client::bar_height);
        let place = self.on_screen(drag.place.dragged(drag.direction, x - drag.from.0, y - drag.from.1), bar);
        if let Some(client) = self.clients.get_mut(&drag.window) {
            client.restored = place;
        }
        self.settle(drag.window)
    }

    pub fn dropped(&mut self, time: Timestamp) -> Result<(), WindowsError> {
        if self.drag.take().is_some() {
            self.x.ungrab_pointer(time)?;
        }
        Ok(())
    }
}

impl Place {
    /// The place after the pointer went by (dx, dy), holding the side or corner of `direction`.
    fn dragged(self, direction: u32, dx: i32, dy: i32) -> Self {
        let Self { mut x, mut y, w, h } = self;
        let (mut right, mut bottom) = (x + w as i32, y + h as i32);
        let least = LEAST as i32;
        match direction {
            0 | 6 | 7 => x = (x + dx).min(right - least),
            2..=4 => right = (right + dx).max(x + least),
            MOVE => (x, right) = (x + dx, right + dx),
            _ => {}
        }
        match direction {
            0..=2 => y = (y + dy).min(bottom - least),
            4..=6 => bottom = (bottom + dy).max(y + least),
            MOVE => (y, bottom) = (y + dy, bottom + dy),
            _ => {}
        }
        Self { x, y, w: (right - x) as u32, h: (bottom - y) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(direction: u32, dx: i32, dy: i32, expected: (i32, i32, u32, u32)) {
        let Place { x, y, w, h } = Place { x: 100, y: 100, w: 300, h: 200 }.dragged(direction, dx, dy);
        assert_eq!((x, y, w, h), expected, "direction {direction}");
    }

    #[test]
    fn moving_keeps_the_size() {
        check(MOVE, 10, -20, (110, 80, 300, 200));
    }

    #[test]
    fn the_side_that_is_held_follows_the_pointer() {
        check(0, 10, 10, (110, 110, 290, 190));
        check(3, 10, 10, (100, 100, 310, 200));
        check(4, 10, 10, (100, 100, 310, 210));
        check(5, 10, 10, (100, 100, 300, 210));
        check(7, -10, 10, (90, 100, 310, 200));
    }

    #[test]
    fn a_window_does_not_get_smaller_than_its_least() {
        check(0, 900, 900, (300, 200, 100, 100));
    }
}
