//! The X server's keyboard map: what [`super::keymap`] decides, carried out before the key is pressed.
//!
//! Chromium reads the map again only when it is told to by the core protocol, and the X server no longer tells programs
//! that know XKB. So the room tells it ([`Keyboard::tell`]). Messages and keys reach a program in the order in which they
//! were sent, so a key always meets the map that it was pressed for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask, MAPPING_NOTIFY_EVENT,
    Mapping, MappingNotifyEvent, Window,
};
use x11rb::rust_connection::RustConnection;

use super::atoms::Atoms;
use super::injector::Injector;
use super::keymap::{Keycode, Keymap, Keysym, Press};
use super::windows::WindowsError;
use super::xloop::{Woken, wakeups};

/// How long a program may take to handle the keys that it was sent, before one of their keycodes is used for another character.
const HANDLED_DEADLINE: Duration = Duration::from_secs(10);

/// The one keyboard map of the room.
pub struct Keyboard {
    display: String,
    x: RustConnection,
    root: Window,
    atoms: Atoms,
    injector: Arc<Injector>,
    state: Mutex<State>,
}

struct State {
    keymap: Keymap,
    /// Keycodes with a lent character that were pressed, and perhaps not handled yet.
    pressed: BTreeSet<Keycode>,
}

impl Keyboard {
    pub fn connect(display: &str, injector: Arc<Injector>) -> Result<Self, WindowsError> {
        let (x, screen) = x11rb::connect(Some(display))?;
        let atoms = Atoms::new(&x)?.reply()?;
        let (root, first, last) = (x.setup().roots[screen].root, x.setup().min_keycode, x.setup().max_keycode);
        let map = x.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let keymap = Keymap::new(first, usize::from(map.keysyms_per_keycode), &map.keysyms);
        let state = Mutex::new(State { keymap, pressed: BTreeSet::new() });
        Ok(Self { display: display.to_owned(), x, root, atoms, injector, state })
    }

    /// Returns what to press for a key of the person's keyboard; the map has it when this returns.
    pub fn key(&self, code: &str, key: &str, shift: bool, shortcut: bool) -> Result<Option<Press>, WindowsError> {
        self.bound(|keymap| keymap.key(code, key, shift, shortcut))
    }

    /// Returns what to press for a character when nothing else is down; the map has it when this returns.
    pub fn character(&self, character: char) -> Result<Option<Press>, WindowsError> {
        self.bound(|keymap| keymap.character(character))
    }

    /// The keycode of a keysym of the map itself.
    pub fn keycode(&self, keysym: Keysym) -> Option<Keycode> {
        self.state().keymap.keycode(keysym)
    }

    fn bound(&self, press: impl FnOnce(&mut Keymap) -> Option<Press>) -> Result<Option<Press>, WindowsError> {
        let mut state = self.state();
        let Some(press) = press(&mut state.keymap) else { return Ok(None) };
        if let Some(keysym) = press.binds {
            if state.pressed.contains(&press.keycode) {
                self.until_handled()?;
                state.pressed.clear();
            }
            self.bind(press.keycode, keysym)?;
        }
        if press.lent {
            state.pressed.insert(press.keycode);
        }
        Ok(Some(press))
    }

    /// Gives a keycode one character on every level: plain, Shift, and both again with AltGr.
    fn bind(&self, keycode: Keycode, keysym: Keysym) -> Result<(), WindowsError> {
        self.x.change_keyboard_mapping(1, keycode, 4, &[keysym; 4])?;
        self.tell()?;
        // The keys go by another connection: a reply means that the map and the message come before them.
        self.x.get_input_focus()?.reply()?;
        Ok(())
    }

    /// Tells every program with a window that the map has changed.
    fn tell(&self) -> Result<(), WindowsError> {
        let (first, last) = (self.x.setup().min_keycode, self.x.setup().max_keycode);
        let changed = MappingNotifyEvent {
            response_type: MAPPING_NOTIFY_EVENT,
            sequence: 0,
            request: Mapping::KEYBOARD,
            first_keycode: first,
            count: last - first + 1,
        };
        for window in windows_in(&self.x, self.root, self.atoms._NET_CLIENT_LIST)? {
            // To the program that made the window; one that went meanwhile needs no news.
            let sent = self.x.send_event(false, window, EventMask::NO_EVENT, <[u8; 32]>::from(changed))?;
            sent.ignore_error();
        }
        Ok(())
    }

    /// Waits until the program with the focus has handled every key that was pressed: it answers a ping after them.
    pub fn until_handled(&self) -> Result<(), WindowsError> {
        self.injector.settle()?;
        // A connection for this alone: what else it would be told must not pile up.
        let (x, _) = x11rb::connect(Some(&self.display))?;
        let Some(window) = windows_in(&x, self.root, self.atoms._NET_ACTIVE_WINDOW)?.first().copied() else {
            return Ok(());
        };
        let listen = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        x.change_window_attributes(self.root, &listen)?;
        let ping = [self.atoms._NET_WM_PING, x11rb::CURRENT_TIME, window, 0, 0];
        let message = ClientMessageEvent::new(32, window, self.atoms.WM_PROTOCOLS, ping);
        x.send_event(false, window, EventMask::NO_EVENT, message)?.ignore_error();
        let (_waker, wakeups) = wakeups()?;
        let deadline = Instant::now() + HANDLED_DEADLINE;
        loop {
            match wakeups.wait(&x, Some(deadline))? {
                Woken::Event(Event::ClientMessage(answer))
                    if answer.window == self.root
                        && answer.type_ == self.atoms.WM_PROTOCOLS
                        && answer.data.as_data32()[0] == self.atoms._NET_WM_PING
                        && answer.data.as_data32()[2] == window =>
                {
                    return Ok(());
                }
                Woken::Event(_) | Woken::Called => {}
                Woken::DeadlinePassed => {
                    tracing::warn!("the window with the focus does not answer");
                    return Ok(());
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic leaves at most a keycode that is bound once more.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a list of windows from a property of the root window.
fn windows_in(x: &RustConnection, root: Window, property: u32) -> Result<Vec<Window>, WindowsError> {
    let reply = x.get_property(false, root, property, AtomEnum::WINDOW, 0, 256)?.reply()?;
    Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
}
