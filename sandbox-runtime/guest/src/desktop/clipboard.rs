//! The clipboard of the room, text only, both ways. One thread owns the connection; large texts go in pieces (INCR).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Property,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::atoms::Atoms;
use super::windows::WindowsError;
use super::xloop::{Waker, Wakeups, Woken, wakeups};

/// Larger texts go in pieces of this size; the X server takes requests up to 256 KiB without the big ones.
const PIECE: usize = 128 << 10;
/// How long the owner of the clipboard may take between two pieces.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);
/// A program that does not take its next piece within this has gone.
const TAKE_DEADLINE: Duration = Duration::from_secs(10);
/// Longest text that is read.
const MAX_TEXT: usize = 16 << 20;

/// The running clipboard. Dropping it ends its thread.
pub struct Clipboard {
    asked: Arc<Mutex<Asked>>,
    fetched_at: FetchedAt,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// When a program last fetched a whole text of ours.
type FetchedAt = Arc<Mutex<Option<Instant>>>;

#[derive(Default)]
struct Asked {
    calls: VecDeque<Call>,
    ending: bool,
}

enum Call {
    Write(String, Tells),
    Read(oneshot::Sender<String>),
}

/// Who is told of a text that was put in.
struct Tells {
    written: oneshot::Sender<()>,
    fetched: oneshot::Sender<()>,
}

/// A text on its way into the clipboard.
pub struct Offer {
    /// Told when every program of the room sees the text.
    pub written: oneshot::Receiver<()>,
    /// Told when a program has fetched the whole text; fails when another text takes its place first.
    pub fetched: oneshot::Receiver<()>,
}

impl Clipboard {
    pub fn start(display: &str) -> Result<Self, WindowsError> {
        let (waker, wakeups) = wakeups()?;
        let asked = Arc::new(Mutex::new(Asked::default()));
        let fetched_at = FetchedAt::default();
        let mut owner = Owner::connect(display, fetched_at.clone())?;
        let thread = std::thread::Builder::new().name("clipboard".into()).spawn({
            let asked = asked.clone();
            move || {
                if let Err(error) = owner.run(&wakeups, &asked) {
                    tracing::error!(%error, "clipboard ended");
                }
            }
        })?;
        Ok(Self { asked, fetched_at, waker, thread: Some(thread) })
    }

    /// Puts text into the clipboard. Once the answer comes, every program of the room sees it.
    pub fn write(&self, text: String) -> oneshot::Receiver<()> {
        self.offer(text).written
    }

    /// Puts text into the clipboard, for somebody to fetch.
    pub fn offer(&self, text: String) -> Offer {
        let (written, is_written) = oneshot::channel();
        let (fetched, is_fetched) = oneshot::channel();
        self.call(Call::Write(text, Tells { written, fetched }));
        Offer { written: is_written, fetched: is_fetched }
    }

    /// Whether a program fetched a text of ours within that time: it may fetch it once more.
    pub fn is_being_read(&self, within: Duration) -> bool {
        lock(&self.fetched_at).is_some_and(|at| at.elapsed() < within)
    }

    /// The text in the clipboard; empty when it holds none.
    pub fn read(&self) -> oneshot::Receiver<String> {
        let (done, read) = oneshot::channel();
        self.call(Call::Read(done));
        read
    }

    fn call(&self, call: Call) {
        lock(&self.asked).calls.push_back(call);
        self.waker.wake();
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        lock(&self.asked).ending = true;
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // Its panic was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is put whole: no panic leaves it half changed.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Owner {
    x: RustConnection,
    atoms: Atoms,
    window: Window,
    /// What we put in, while the clipboard is ours.
    text: Option<Vec<u8>>,
    /// Who wants to know that it was fetched.
    fetched: Option<oneshot::Sender<()>>,
    fetched_at: FetchedAt,
    /// Programs that take a large text piece by piece, by window and property.
    takers: HashMap<(Window, Atom), Taker>,
    reading: Option<Reading>,
}

struct Taker {
    rest: Vec<u8>,
    /// Whether the text is still the one in the clipboard.
    is_newest: bool,
    kind: Atom,
    deadline: Instant,
}

/// Those who want to know what another program's clipboard holds.
struct Reading {
    waiting: Vec<oneshot::Sender<String>>,
    /// What has come, of a text in pieces.
    pieces: Option<Vec<u8>>,
    deadline: Instant,
}

impl Owner {
    fn connect(display: &str, fetched_at: FetchedAt) -> Result<Self, WindowsError> {
        let (x, screen) = x11rb::connect(Some(display))?;
        let atoms = Atoms::new(&x)?.reply()?;
        let window = x.generate_id()?;
        let root = x.setup().roots[screen].root;
        let attributes = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        x.create_window(0, window, root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &attributes)?;
        Ok(Self { x, atoms, window, text: None, fetched: None, fetched_at, takers: HashMap::new(), reading: None })
    }

    fn run(&mut self, wakeups: &Wakeups, asked: &Mutex<Asked>) -> Result<(), WindowsError> {
        loop {
            let deadline = self.reading.as_ref().map(|reading| reading.deadline);
            match wakeups.wait(&self.x, deadline)? {
                Woken::Event(event) => self.handle(event)?,
                Woken::Called => {
                    let calls = {
                        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                        if asked.ending {
                            return Ok(());
                        }
                        std::mem::take(&mut asked.calls)
                    };
                    for call in calls {
                        self.called(call)?;
                    }
                }
                Woken::DeadlinePassed => self.have_read(Vec::new()),
            }
            let now = Instant::now();
            self.takers.retain(|_, taker| taker.deadline > now);
        }
    }

    fn called(&mut self, call: Call) -> Result<(), WindowsError> {
        match call {
            Call::Write(text, tells) => {
                self.text = Some(text.into_bytes());
                self.fetched = Some(tells.fetched);
                // What is left of an older text is for its taker only.
                for taker in self.takers.values_mut() {
                    taker.is_newest = false;
                }
                self.x.set_selection_owner(self.window, self.atoms.CLIPBOARD, x11rb::CURRENT_TIME)?;
                // A reply means that the server has told everybody.
                self.x.get_input_focus()?.reply()?;
                // Whoever asked may have gone.
                let _ = tells.written.send(());
            }
            Call::Read(done) => match (&self.text, &mut self.reading) {
                (Some(text), _) => {
                    let _ = done.send(String::from_utf8_lossy(text).into_owned());
                }
                (None, Some(reading)) => reading.waiting.push(done),
                (None, none) => {
                    let deadline = Instant::now() + ANSWER_DEADLINE;
                    *none = Some(Reading { waiting: vec![done], pieces: None, deadline });
                    let a = &self.atoms;
                    self.x.delete_property(self.window, a._BATON_SELECTION)?;
                    let (utf8, place, now) = (a.UTF8_STRING, a._BATON_SELECTION, x11rb::CURRENT_TIME);
                    self.x.convert_selection(self.window, a.CLIPBOARD, utf8, place, now)?;
                }
            },
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), WindowsError> {
        match event {
            Event::SelectionClear(event) if event.selection == self.atoms.CLIPBOARD => {
                self.text = None;
                Ok(())
            }
            Event::SelectionRequest(event) => self.give(&event),
            Event::SelectionNotify(event) if event.requestor == self.window => {
                if event.property == x11rb::NONE {
                    self.have_read(Vec::new());
                    return Ok(());
                }
                self.receive()
            }
            Event::PropertyNotify(event) if event.window == self.window => {
                let in_pieces = self.reading.as_ref().is_some_and(|reading| reading.pieces.is_some());
                if in_pieces && event.atom == self.atoms._BATON_SELECTION && event.state == Property::NEW_VALUE {
                    return self.receive();
                }
                Ok(())
            }
            Event::PropertyNotify(event) if event.state == Property::DELETE => {
                self.give_piece(event.window, event.atom)
            }
            _ => Ok(()),
        }
    }

    /// A value has come: all of it, the news that it comes in pieces, or a piece; an empty piece is the last.
    fn receive(&mut self) -> Result<(), WindowsError> {
        let (window, place) = (self.window, self.atoms._BATON_SELECTION);
        let longest = (MAX_TEXT / 4) as u32;
        let value = self.x.get_property(true, window, place, AtomEnum::ANY, 0, longest)?.reply()?;
        let Some(reading) = &mut self.reading else { return Ok(()) };
        reading.deadline = Instant::now() + ANSWER_DEADLINE;
        if value.type_ == self.atoms.INCR {
            reading.pieces = Some(Vec::new());
            return Ok(());
        }
        match &mut reading.pieces {
            None => self.have_read(value.value),
            Some(pieces) if value.value.is_empty() => {
                let whole = std::mem::take(pieces);
                self.have_read(whole);
            }
            Some(pieces) => {
                pieces.extend_from_slice(&value.value);
                if pieces.len() > MAX_TEXT {
                    self.have_read(Vec::new());
                }
            }
        }
        Ok(())
    }

    fn have_read(&mut self, text: Vec<u8>) {
        let Some(reading) = self.reading.take() else { return };
        let text = String::from_utf8_lossy(&text).into_owned();
        for waiting in reading.waiting {
            // Whoever asked may have gone.
            let _ = waiting.send(text.clone());
        }
    }

    /// A program wants our text, or to know in which forms there is one.
    fn give(&mut self, event: &SelectionRequestEvent) -> Result<(), WindowsError> {
        let a = self.atoms;
        let forms = [a.UTF8_STRING, a.TEXT_PLAIN_UTF8, u32::from(AtomEnum::STRING)];
        let place = if event.property == x11rb::NONE { event.target } else { event.property };
        let (asker, target) = (event.requestor, event.target);
        let mut whole = false;
        let given = match &self.text {
            Some(_) if target == a.TARGETS => {
                let targets = [&[a.TARGETS][..], &forms].concat();
                self.x.change_property32(PropMode::REPLACE, asker, place, AtomEnum::ATOM, &targets)?;
                true
            }
            Some(text) if forms.contains(&target) && text.len() <= PIECE => {
                self.x.change_property8(PropMode::REPLACE, asker, place, target, text)?;
                whole = true;
                true
            }
            Some(text) if forms.contains(&target) => {
                let watched = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
                self.x.change_window_attributes(asker, &watched)?;
                let length = [text.len() as u32];
                let taker = Taker {
                    rest: text.clone(),
                    is_newest: true,
                    kind: target,
                    deadline: Instant::now() + TAKE_DEADLINE,
                };
                self.takers.insert((asker, place), taker);
                self.x.change_property32(PropMode::REPLACE, asker, place, a.INCR, &length)?;
                true
            }
            Some(_) | None => false,
        };
        let told = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: event.time,
            requestor: asker,
            selection: event.selection,
            target,
            property: if given { place } else { x11rb::NONE },
        };
        self.x.send_event(false, asker, EventMask::NO_EVENT, told)?;
        if whole {
            self.tell_fetched();
        }
        Ok(())
    }

    fn tell_fetched(&mut self) {
        *lock(&self.fetched_at) = Some(Instant::now());
        if let Some(fetched) = self.fetched.take() {
            // Whoever asked may have gone.
            let _ = fetched.send(());
        }
    }

    fn give_piece(&mut self, asker: Window, place: Atom) -> Result<(), WindowsError> {
        let Some(taker) = self.takers.get_mut(&(asker, place)) else { return Ok(()) };
        let rest = taker.rest.split_off(taker.rest.len().min(PIECE));
        let piece = std::mem::replace(&mut taker.rest, rest);
        taker.deadline = Instant::now() + TAKE_DEADLINE;
        self.x.change_property8(PropMode::REPLACE, asker, place, taker.kind, &piece)?;
        if piece.is_empty() {
            let is_newest = taker.is_newest;
            self.takers.remove(&(asker, place));
            if is_newest {
                self.tell_fetched();
            }
            self.x
                .change_window_attributes(asker, &ChangeWindowAttributesAux::new().event_mask(EventMask::NO_EVENT))?;
        }
        Ok(())
    }
}
