//! Order and focus of the windows: who is in front, who hears the keyboard, and who does next when a window goes.

use x11rb::protocol::xproto::{
    Atom, AtomEnum, ButtonIndex, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, GrabMode,
    InputFocus, ModMask, PropMode, StackMode, Timestamp, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::{Kind, Windows, WindowsError};

impl Windows {
    /// Raises a window and gives it the focus; a dialog of it comes first.
    pub fn activate(&mut self, window: Window, time: Timestamp) -> Result<(), WindowsError> {
        let dialog = self.stack.iter().rev().find(|other| self.clients[other].above == Some(window)).copied();
        self.raise(window)?;
        self.focus(dialog.unwrap_or(window), time)
    }

    /// Brings a window to the front. Floating windows stay above browser windows, where they could not be found again.
    fn raise(&mut self, window: Window) -> Result<(), WindowsError> {
        let mut moved = vec![window];
        let mut at = 0;
        while at < moved.len() {
            let owner = moved[at];
            let dialogs = self.stack.iter().filter(|other| self.clients[other].above == Some(owner));
            let dialogs: Vec<Window> = dialogs.filter(|other| !moved.contains(other)).copied().collect();
            moved.extend(dialogs);
            at += 1;
        }
        self.stack.retain(|other| !moved.contains(other));
        self.stack.extend(moved);
        self.stack.sort_by_key(|window| match self.clients[window].kind {
            Kind::Browser => 0,
            Kind::Floating => 1,
        });
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        for window in &self.stack {
            self.x.configure_window(*window, &above)?;
            if let Some(bar) = self.clients[window].bar {
                self.x.configure_window(bar, &above)?;
            }
        }
        self.list()
    }

    fn focus(&mut self, window: Window, time: Timestamp) -> Result<(), WindowsError> {
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        if client.takes_input {
            self.x.set_input_focus(InputFocus::POINTER_ROOT, window, time)?;
        }
        if client.takes_focus {
            self.send_protocol(window, self.atoms.WM_TAKE_FOCUS, time)?;
        }
        if let Some(before) = self.focused.filter(|before| *before != window && self.clients.contains_key(before)) {
            // A press in it comes here first.
            let (sync, pressed) = (GrabMode::SYNC, EventMask::BUTTON_PRESS);
            let none = x11rb::NONE;
            self.x.grab_button(
                true,
                before,
                pressed,
                sync,
                GrabMode::ASYNC,
                none,
                none,
                ButtonIndex::ANY,
                ModMask::ANY,
            )?;
        }
        self.x.ungrab_button(ButtonIndex::ANY, window, ModMask::ANY)?;
        self.focused = Some(window);
        self.focus_order.retain(|other| *other != window);
        self.focus_order.push(window);
        let active = [window];
        self.x.change_property32(
            PropMode::REPLACE,
            self.root,
            self.atoms._NET_ACTIVE_WINDOW,
            AtomEnum::WINDOW,
            &active,
        )?;
        Ok(())
    }

    pub fn send_protocol(&self, window: Window, protocol: Atom, time: Timestamp) -> Result<(), WindowsError> {
        let message = ClientMessageEvent::new(32, window, self.atoms.WM_PROTOCOLS, [protocol, time, 0, 0, 0]);
        self.x.send_event(false, window, EventMask::NO_EVENT, message)?;
        Ok(())
    }

    /// A window went: the focus returns to the one that had it before.
    pub fn forget(&mut self, window: Window) -> Result<(), WindowsError> {
        let Some(client) = self.clients.remove(&window) else { return Ok(()) };
        if let Some(bar) = client.bar {
            self.x.destroy_window(bar)?;
        }
        self.stack.retain(|other| *other != window);
        self.focus_order.retain(|other| *other != window);
        if self.drag.as_ref().is_some_and(|drag| drag.window == window) {
            self.dropped(x11rb::CURRENT_TIME)?;
        }
        if client.kind == Kind::Browser {
            self.count.send_modify(|count| *count -= 1);
        }
        if client.file_chooser {
            self.choosers.send_modify(|count| *count -= 1);
        }
        self.list()?;
        if self.focused != Some(window) {
            return Ok(());
        }
        self.focused = None;
        match self.focus_order.last().copied() {
            Some(next) => self.activate(next, x11rb::CURRENT_TIME),
            None => {
                self.x.set_input_focus(InputFocus::POINTER_ROOT, self.root, x11rb::CURRENT_TIME)?;
                let none = [x11rb::NONE];
                let (root, name) = (self.root, self.atoms._NET_ACTIVE_WINDOW);
                self.x.change_property32(PropMode::REPLACE, root, name, AtomEnum::WINDOW, &none)?;
                Ok(())
            }
        }
    }

    pub fn list(&self) -> Result<(), WindowsError> {
        let (x, a) = (&self.x, &self.atoms);
        let windows: Vec<u32> = self.clients.keys().copied().collect();
        x.change_property32(PropMode::REPLACE, self.root, a._NET_CLIENT_LIST, AtomEnum::WINDOW, &windows)?;
        x.change_property32(PropMode::REPLACE, self.root, a._NET_CLIENT_LIST_STACKING, AtomEnum::WINDOW, &self.stack)?;
        Ok(())
    }
}
