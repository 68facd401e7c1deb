//! Puts what a person does into the X server by XTEST, on a lane of its own: an own connection and an own thread for each
//! stream, so that nothing that is looked up or sent elsewhere delays a key.
//!
//! A lane remembers what it holds down. Whatever ends it, all of that goes up.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::InputFrame;
use sandbox_link::{Stream, read_message};
use tokio::sync::mpsc;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::clipboard::Clipboard;
use super::keymap::{Keycode, Keymap, Press};
use super::windows::WindowsError;

/// Frames that may wait for the thread; the stream waits when they are that many.
const WAITING: usize = 256;
/// Longer texts are pasted, and those with characters that no key has.
const MAX_TYPED: usize = 64;
/// Most notches of one wheel event.
const MAX_NOTCHES: i32 = 50;
/// How long programs get to read a changed keyboard map. Chromium loses a key that comes much sooner.
const MAP_READ: Duration = Duration::from_millis(40);
/// How long the clipboard may take to hold a text that is to be pasted.
const CLIPBOARD_DEADLINE: Duration = Duration::from_secs(2);

const SHIFT_LEFT: u32 = 0xFFE1;
const CONTROL_LEFT: u32 = 0xFFE3;
const SHIFTS: [&str; 2] = ["ShiftLeft", "ShiftRight"];
const SHORTCUTS: [&str; 6] = ["ControlLeft", "ControlRight", "AltLeft", "AltRight", "MetaLeft", "MetaRight"];

/// What all lanes share: the one keyboard map of the X server.
pub struct Input {
    display: String,
    keymap: Arc<Mutex<Keymap>>,
    clipboard: Arc<Clipboard>,
}

impl Input {
    pub fn start(display: &str, clipboard: Arc<Clipboard>) -> Result<Self, WindowsError> {
        let (x, _) = x11rb::connect(Some(display))?;
        let (first, last) = (x.setup().min_keycode, x.setup().max_keycode);
        let map = x.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let mut keymap = Keymap::new(first, usize::from(map.keysyms_per_keycode), &map.keysyms);
        for (keycode, levels) in keymap.prepare() {
            x.change_keyboard_mapping(1, keycode, 2, &levels)?;
        }
        // A reply means that the server has the new map.
        x.get_input_focus()?.reply()?;
        Ok(Self { display: display.to_owned(), keymap: Arc::new(Mutex::new(keymap)), clipboard })
    }

    /// Serves one [`sandbox_link::protocol::Open::Input`] stream until it ends.
    pub async fn serve(&self, mut stream: Stream) -> io::Result<()> {
        let lane = Lane::open(self).map_err(io::Error::other)?;
        let (frames, waiting) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || lane.run(waiting));
        let read = async {
            while let Some(frame) = read_message::<InputFrame>(&mut stream).await? {
                if frames.send(frame).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        let ended = read.await;
        drop(frames);
        match thread.await {
            Ok(Ok(())) => ended,
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(panicked) => Err(io::Error::other(panicked)),
        }
    }
}

struct Lane {
    x: RustConnection,
    root: Window,
    keymap: Arc<Mutex<Keymap>>,
    clipboard: Arc<Clipboard>,
    /// Keys held, by DOM `code` or, where there is none, by `key`.
    keys: BTreeMap<String, Keycode>,
    buttons: BTreeSet<u8>,
}

impl Lane {
    fn open(input: &Input) -> Result<Self, WindowsError> {
        let (x, screen) = x11rb::connect(Some(&input.display))?;
        x.xtest_get_version(2, 2)?.reply()?;
        let root = x.setup().roots[screen].root;
        let (keymap, clipboard) = (input.keymap.clone(), input.clipboard.clone());
        Ok(Self { x, root, keymap, clipboard, keys: BTreeMap::new(), buttons: BTreeSet::new() })
    }

    fn run(mut self, mut frames: mpsc::Receiver<InputFrame>) -> Result<(), WindowsError> {
        let mut held_back = None;
        while let Some(frame) = held_back.take().or_else(|| frames.blocking_recv()) {
            // Of moves that wait together only the last matters.
            if matches!(frame, InputFrame::Event(InputEvent::Move { .. }))
                && let Ok(next) = frames.try_recv()
            {
                let superseded = matches!(next, InputFrame::Event(InputEvent::Move { .. }));
                held_back = Some(next);
                if superseded {
                    continue;
                }
            }
            self.inject(frame)?;
            self.x.flush()?;
        }
        self.release_all()?;
        self.x.flush()?;
        Ok(())
    }

    fn inject(&mut self, frame: InputFrame) -> Result<(), WindowsError> {
        match frame {
            InputFrame::Event(event) => self.event(event),
            InputFrame::Paste(text) => self.paste(text),
            InputFrame::ReleaseAll => self.release_all(),
        }
    }

    fn event(&mut self, event: InputEvent) -> Result<(), WindowsError> {
        match event {
            InputEvent::Move { x, y } => self.go_to(x, y),
            InputEvent::Button { button, down, x, y } => {
                let Some(number) = x_button(button) else { return Ok(()) };
                self.go_to(x, y)?;
                let changed = if down { self.buttons.insert(number) } else { self.buttons.remove(&number) };
                if changed { self.button(number, down) } else { Ok(()) }
            }
            InputEvent::Wheel { dx, dy, x, y } => {
                self.go_to(x, y)?;
                for (notches, back, forth) in [(dy, 4, 5), (dx, 6, 7)] {
                    let number = if notches < 0 { back } else { forth };
                    for _ in 0..notches.clamp(-MAX_NOTCHES, MAX_NOTCHES).unsigned_abs() {
                        self.button(number, true)?;
                        self.button(number, false)?;
                    }
                }
                Ok(())
            }
            InputEvent::Key { code, key, down: true } => self.key_down(code, key),
            InputEvent::Key { code, key, down: false } => self.key_up(&identity(code, key)),
            InputEvent::Text { text } => self.text(text),
            InputEvent::Blur {} => self.release_all(),
        }
    }

    fn key_down(&mut self, code: String, key: String) -> Result<(), WindowsError> {
        if key == "AltGraph" {
            // Windows says AltGr as Ctrl and Alt; what it makes of the next key is a character, not a shortcut.
            self.key_up("ControlLeft")?;
        }
        let name = identity(code.clone(), key.clone());
        if let Some(&keycode) = self.keys.get(&name) {
            // A repeat of the person's keyboard.
            return self.key(keycode, true);
        }
        let shift = SHIFTS.iter().any(|name| self.keys.contains_key(*name));
        let shortcut = SHORTCUTS.iter().any(|name| self.keys.contains_key(*name));
        let press = self.with_keymap(|keymap| keymap.key(&code, &key, shift, shortcut));
        let Some(press) = press else { return Ok(()) };
        self.bind(press)?;
        self.keys.insert(name, press.keycode);
        self.key(press.keycode, true)
    }

    fn key_up(&mut self, name: &str) -> Result<(), WindowsError> {
        match self.keys.remove(name) {
            Some(keycode) => self.key(keycode, false),
            None => Ok(()),
        }
    }

    fn text(&mut self, text: String) -> Result<(), WindowsError> {
        let all_there = self.with_keymap(|keymap| text.chars().all(|character| keymap.has(character)));
        if text.chars().count() > MAX_TYPED || !all_there {
            return self.paste(text);
        }
        self.lift_keys()?;
        for character in text.chars() {
            let Some(press) = self.with_keymap(|keymap| keymap.character(character)) else { continue };
            let shift = if press.shift { self.with_keymap(|keymap| keymap.keycode(SHIFT_LEFT)) } else { None };
            self.stroke(shift, press.keycode)?;
        }
        Ok(())
    }

    fn paste(&mut self, text: String) -> Result<(), WindowsError> {
        self.lift_keys()?;
        let mut written = self.clipboard.write(text);
        let deadline = Instant::now() + CLIPBOARD_DEADLINE;
        // The clipboard's thread answers within a round trip to the X server.
        while written.try_recv().is_err() {
            if Instant::now() > deadline {
                tracing::warn!("the clipboard did not take a text; nothing was pasted");
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        let (control, v) = self.with_keymap(|keymap| (keymap.keycode(CONTROL_LEFT), keymap.keycode(u32::from('v'))));
        match v {
            Some(v) => self.stroke(control, v),
            None => Ok(()),
        }
    }

    /// Presses and lets go of one key, with another held around it.
    fn stroke(&self, modifier: Option<Keycode>, keycode: Keycode) -> Result<(), WindowsError> {
        let around = |down| modifier.map_or(Ok(()), |modifier| self.key(modifier, down));
        around(true)?;
        self.key(keycode, true)?;
        self.key(keycode, false)?;
        around(false)
    }

    fn bind(&self, press: Press) -> Result<(), WindowsError> {
        let Some(keysym) = press.binds else { return Ok(()) };
        // Every level the same: plain, Shift, and both again with AltGr.
        self.x.change_keyboard_mapping(1, press.keycode, 4, &[keysym; 4])?;
        self.x.flush()?;
        // Nothing tells when a program has read the new map. Once for each new character.
        std::thread::sleep(MAP_READ);
        Ok(())
    }

    fn lift_keys(&mut self) -> Result<(), WindowsError> {
        for keycode in std::mem::take(&mut self.keys).into_values() {
            self.key(keycode, false)?;
        }
        Ok(())
    }

    fn release_all(&mut self) -> Result<(), WindowsError> {
        self.lift_keys()?;
        for number in std::mem::take(&mut self.buttons) {
            self.button(number, false)?;
        }
        Ok(())
    }

    fn go_to(&self, x: i32, y: i32) -> Result<(), WindowsError> {
        let at = |at: i32| at.clamp(0, i32::from(i16::MAX)) as i16;
        self.x.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, self.root, at(x), at(y), 0)?;
        Ok(())
    }

    fn button(&self, number: u8, down: bool) -> Result<(), WindowsError> {
        let kind = if down { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT };
        self.x.xtest_fake_input(kind, number, 0, self.root, 0, 0, 0)?;
        Ok(())
    }

    fn key(&self, keycode: Keycode, down: bool) -> Result<(), WindowsError> {
        let kind = if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT };
        self.x.xtest_fake_input(kind, keycode, 0, self.root, 0, 0, 0)?;
        Ok(())
    }

    fn with_keymap<T>(&self, use_it: impl FnOnce(&mut Keymap) -> T) -> T {
        use_it(&mut self.keymap.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a key is remembered by between its down and its up.
fn identity(code: String, key: String) -> String {
    if code.is_empty() { key } else { code }
}

/// DOM's number of a button as X's; X has the wheel between.
fn x_button(button: u8) -> Option<u8> {
    match button {
        0..=2 => Some(button + 1),
        3 | 4 => Some(button + 5),
        _ => None,
    }
}
