//! Puts what a person does into the X server by XTEST: a thread for each stream, so that nothing that is looked up or sent
//! elsewhere delays a key.
//!
//! [`super::injector`] remembers what each lane holds down. Whatever ends a lane or its lease, all of that goes up.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox_core::Lease;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{InputFrame, Settled};
use sandbox_link::{Stream, read_message, write_message};
use tokio::sync::mpsc;

use super::clipboard::Clipboard;
use super::injector::{Hands, Injector, LaneId};
use super::keyboard::Keyboard;
use super::windows::WindowsError;

/// Frames that may wait for the thread; the stream waits when they are that many.
const WAITING: usize = 256;
/// Longer texts are pasted. Few are: what is committed in a page does not come here.
const MAX_TYPED: usize = 1_000;
/// Most notches of one wheel event.
const MAX_NOTCHES: i32 = 50;
/// How long the clipboard may take to hold a text that is to be pasted.
const CLIPBOARD_DEADLINE: Duration = Duration::from_secs(2);
/// How long a pasted text may take to be fetched by whoever has the focus. Where nothing takes a paste, input waits so long.
const FETCH_DEADLINE: Duration = Duration::from_secs(5);
/// A page reads a pasted text again while it puts it in: another text takes its place when nobody read it for so long.
const READ_AGAIN: Duration = Duration::from_millis(150);
/// A program that reads the clipboard again and again holds up no paste for longer.
const READ_DEADLINE: Duration = Duration::from_secs(1);

/// Between two looks at what the clipboard's thread does.
const PAUSE: Duration = Duration::from_micros(500);

const SHIFT_LEFT: u32 = 0xFFE1;
const CONTROL_LEFT: u32 = 0xFFE3;
const SHIFTS: [&str; 2] = ["ShiftLeft", "ShiftRight"];
const SHORTCUTS: [&str; 6] = ["ControlLeft", "ControlRight", "AltLeft", "AltRight", "MetaLeft", "MetaRight"];

/// What all lanes share: the keyboard of the X server, and what is held on it.
pub struct Input {
    injector: Arc<Injector>,
    keyboard: Arc<Keyboard>,
    clipboard: Arc<Clipboard>,
}

impl Input {
    pub fn start(display: &str, clipboard: Arc<Clipboard>) -> Result<Self, WindowsError> {
        let injector = Arc::new(Injector::connect(display)?);
        let keyboard = Arc::new(Keyboard::connect(display, injector.clone())?);
        Ok(Self { injector, keyboard, clipboard })
    }

    /// Serves one [`sandbox_link::protocol::Open::Input`] stream until it ends.
    pub async fn serve(&self, stream: Stream) -> io::Result<()> {
        let (mut from_runtime, mut to_runtime) = tokio::io::split(stream);
        let (settled, mut answers) = mpsc::channel(1);
        let lane = Lane::open(self, settled);
        let (frames, waiting) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || lane.run(waiting));
        let read = async move {
            while let Some(frame) = read_message::<InputFrame>(&mut from_runtime).await? {
                if frames.send(frame).await.is_err() {
                    break;
                }
            }
            // Without frames the lane ends, and with it the answers.
            Ok(())
        };
        let answer = async move {
            while let Some(settled) = answers.recv().await {
                write_message(&mut to_runtime, &settled).await?;
            }
            Ok(())
        };
        let (read, answered) = tokio::join!(read, answer);
        let ended = read.and(answered);
        match thread.await {
            Ok(Ok(())) => ended,
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(panicked) => Err(io::Error::other(panicked)),
        }
    }

    /// Ends a person's lease here: keys and buttons of every lane go up, and what still comes under it is dropped.
    pub async fn fence(&self, lease: Lease) -> io::Result<()> {
        let injector = self.injector.clone();
        let fenced = tokio::task::spawn_blocking(move || injector.fence(lease)).await;
        fenced.map_err(io::Error::other)?.map_err(io::Error::other)
    }
}

struct Lane {
    id: LaneId,
    /// Under which the frames come that are being read.
    lease: Lease,
    injector: Arc<Injector>,
    keyboard: Arc<Keyboard>,
    clipboard: Arc<Clipboard>,
    settled: mpsc::Sender<Settled>,
}

impl Lane {
    fn open(input: &Input, settled: mpsc::Sender<Settled>) -> Self {
        let (injector, keyboard, clipboard) = (input.injector.clone(), input.keyboard.clone(), input.clipboard.clone());
        Self { id: injector.join(), lease: Lease(0), injector, keyboard, clipboard, settled }
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
        }
        Ok(())
    }

    fn inject(&mut self, frame: InputFrame) -> Result<(), WindowsError> {
        match frame {
            InputFrame::Under(lease) => {
                self.lease = lease;
                Ok(())
            }
            InputFrame::Event(event) => self.event(event),
            InputFrame::Paste(text) => self.paste(text),
            InputFrame::ReleaseAll => self.injector.release(self.id),
            InputFrame::Settle => {
                self.keyboard.until_handled()?;
                // Whoever asked may have gone.
                let _ = self.settled.blocking_send(Settled);
                Ok(())
            }
        }
    }

    fn event(&mut self, event: InputEvent) -> Result<(), WindowsError> {
        match event {
            InputEvent::Move { x, y } => self.act(|hands| hands.go_to(x, y)),
            InputEvent::Button { button, down, x, y } => {
                let Some(number) = x_button(button) else { return Ok(()) };
                self.act(|hands| {
                    hands.go_to(x, y)?;
                    let buttons = &mut hands.held.buttons;
                    let changed = if down { buttons.insert(number) } else { buttons.remove(&number) };
                    if changed { hands.button(number, down) } else { Ok(()) }
                })
            }
            InputEvent::Wheel { dx, dy, x, y } => self.act(|hands| wheel(hands, (dx, dy), (x, y))),
            InputEvent::Key { code, key, down: true } => self.key_down(&code, &key),
            InputEvent::Key { code, key, down: false } => self.act(|hands| key_up(hands, identity(&code, &key))),
            InputEvent::Text { text } => self.text(text),
            // Only a page can show it, and the runtime tells the page.
            InputEvent::Compose { .. } => Ok(()),
            InputEvent::Blur {} => self.injector.release(self.id),
        }
    }

    /// Presses something, unless the lease is over.
    fn act(&self, act: impl FnOnce(&mut Hands<'_>) -> Result<(), WindowsError>) -> Result<(), WindowsError> {
        self.injector.act(self.id, self.lease, act).map(|_| ())
    }

    fn key_down(&mut self, code: &str, key: &str) -> Result<(), WindowsError> {
        let name = identity(code, key);
        let before = self.injector.act(self.id, self.lease, |hands| {
            if key == "AltGraph" {
                // Windows says AltGr as Ctrl and Alt; what it makes of the next key is a character, not a shortcut.
                key_up(hands, "ControlLeft")?;
            }
            let keys = &hands.held.keys;
            let any = |names: &[&str]| names.iter().any(|name| keys.contains_key(*name));
            Ok((keys.get(name).copied(), any(&SHIFTS), any(&SHORTCUTS)))
        })?;
        let Some((held, shift, shortcut)) = before else { return Ok(()) };
        if let Some(keycode) = held {
            // A repeat of the person's keyboard.
            return self.act(|hands| hands.key(keycode, true));
        }
        let Some(press) = self.keyboard.key(code, key, shift, shortcut)? else { return Ok(()) };
        self.act(|hands| {
            hands.held.keys.insert(name.to_owned(), press.keycode);
            hands.key(press.keycode, true)
        })
    }

    fn text(&mut self, text: String) -> Result<(), WindowsError> {
        if text.chars().count() > MAX_TYPED {
            return self.paste(text);
        }
        self.act(|hands| hands.lift_keys())?;
        let shift_key = self.keyboard.keycode(SHIFT_LEFT);
        for character in text.chars() {
            let Some(press) = self.keyboard.character(character)? else { continue };
            let modifier = shift_key.filter(|_| press.shift);
            self.act(|hands| hands.stroke(modifier, press.keycode))?;
        }
        Ok(())
    }

    fn paste(&mut self, text: String) -> Result<(), WindowsError> {
        self.act(|hands| hands.lift_keys())?;
        let deadline = Instant::now() + READ_DEADLINE;
        while self.clipboard.is_being_read(READ_AGAIN) && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
        }
        // After the wait: what is pasted under a lease that is over does not reach the clipboard either.
        if !self.injector.is_live(self.lease) {
            return Ok(());
        }
        let mut put = self.clipboard.offer(text);
        if !self.wait(&mut put.written, CLIPBOARD_DEADLINE) {
            tracing::warn!("the clipboard did not take a text; nothing was pasted");
            return Ok(());
        }
        let Some(v) = self.keyboard.keycode(u32::from('v')) else { return Ok(()) };
        let control = self.keyboard.keycode(CONTROL_LEFT);
        self.act(|hands| hands.stroke(control, v))?;
        // What comes next may change the clipboard again: only after this text was fetched.
        if !self.wait(&mut put.fetched, FETCH_DEADLINE) {
            tracing::debug!("nothing fetched the pasted text");
        }
        Ok(())
    }

    /// Waits for the clipboard's thread; says whether it answered while the lease lived.
    fn wait(&self, answer: &mut tokio::sync::oneshot::Receiver<()>, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if answer.try_recv().is_ok() {
                return true;
            }
            if Instant::now() > deadline || !self.injector.is_live(self.lease) {
                return false;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Err(error) = self.injector.leave(self.id) {
            tracing::warn!(%error, "keys of a lane that ended could not be lifted");
        }
    }
}

fn key_up(hands: &mut Hands<'_>, name: &str) -> Result<(), WindowsError> {
    match hands.held.keys.remove(name) {
        Some(keycode) => hands.key(keycode, false),
        None => Ok(()),
    }
}

fn wheel(hands: &Hands<'_>, (dx, dy): (i32, i32), (x, y): (i32, i32)) -> Result<(), WindowsError> {
    hands.go_to(x, y)?;
    for (notches, back, forth) in [(dy, 4, 5), (dx, 6, 7)] {
        let number = if notches < 0 { back } else { forth };
        for _ in 0..notches.clamp(-MAX_NOTCHES, MAX_NOTCHES).unsigned_abs() {
            hands.button(number, true)?;
            hands.button(number, false)?;
        }
    }
    Ok(())
}

/// What a key is remembered by between its down and its up.
fn identity<'a>(code: &'a str, key: &'a str) -> &'a str {
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
