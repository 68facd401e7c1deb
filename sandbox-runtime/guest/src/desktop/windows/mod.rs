//! The room's window manager, as small as a browser needs.
//!
//! The browser's own window fills the screen, without a frame. Everything else (login popups, dialogs, the file chooser)
//! is placed in the middle, above it, within the screen, with a title bar unless it draws one itself. Menus
//! and select lists are override-redirect: the X server never asks about them.
//!
//! This file meets windows and places them; `focus` keeps their order and
//! focus, `requests` does what they ask for, `title` draws their title bars.

mod focus;
mod requests;
mod title;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;
use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::properties::{WmHints, WmSizeHints};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConfigureNotifyEvent, ConfigureWindowAux, ConnectionExt as _,
    CreateWindowAux, EventMask, MapState, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use self::requests::Drag;
use super::atoms::Atoms;
use super::xloop::{Waker, Wakeups, Woken, wakeups};

const WM_NAME: &[u8] = b"baton";
/// What GTK calls its file choosers.
const FILE_CHOOSER_ROLE: &[u8] = b"GtkFileChooserDialog";

#[derive(Debug, thiserror::Error)]
pub enum WindowsError {
    #[error("X server: {0}")]
    Connect(#[from] ConnectError),
    #[error("X server: {0}")]
    Connection(#[from] ConnectionError),
    #[error("X server: {0}")]
    Reply(#[from] ReplyError),
    #[error("X server: {0}")]
    Id(#[from] ReplyOrIdError),
    #[error("become the window manager: another one runs")]
    Taken,
    #[error("start the window manager: {0}")]
    Start(#[from] std::io::Error),
}

/// The running window manager. Dropping it ends its thread.
pub struct WindowManager {
    /// How many browser windows are on the screen.
    pub browser_windows: watch::Receiver<usize>,
    /// How many file choosers are.
    pub file_choosers: watch::Receiver<usize>,
    /// How much of the screen windows may fill; 0×0 is all of it.
    usable: Arc<Mutex<(u32, u32)>>,
    closing: Arc<AtomicBool>,
    ending: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl WindowManager {
    pub fn start(display: &str) -> Result<Self, WindowsError> {
        let (waker, wakeups) = wakeups()?;
        let (count, browser_windows) = watch::channel(0);
        let (choosers, file_choosers) = watch::channel(0);
        let (ending, closing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let usable = Arc::new(Mutex::new((0, 0)));
        let mut windows = Windows::connect(display, usable.clone(), count, choosers)?;
        let thread = std::thread::Builder::new().name("windows".into()).spawn({
            let (ending, closing) = (ending.clone(), closing.clone());
            move || {
                if let Err(error) = windows.run(&wakeups, &closing, &ending) {
                    tracing::error!(%error, "window manager ended");
                }
            }
        })?;
        Ok(Self { browser_windows, file_choosers, usable, closing, ending, waker, thread: Some(thread) })
    }

    /// Lets windows fill this much of the screen, from its bottom left: the page's last row stays the screen's last. What is
    /// beyond stays black.
    pub fn use_only(&self, width: u32, height: u32) {
        *self.usable.lock().unwrap_or_else(PoisonError::into_inner) = (width, height);
        self.waker.wake();
    }

    /// Asks every dialog window to close, such as a file chooser. Login popups are pages, and stay.
    pub fn close_dialogs(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.waker.wake();
    }
}

impl Drop for WindowManager {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // Its panic was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// A place on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    x: i32,
    y: i32,
    w: u32,
    h: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A whole browser window: fills the screen.
    Browser,
    /// Anything else: keeps the size it asks for.
    Floating,
}

/// One managed window.
#[derive(Clone, Debug)]
struct Client {
    kind: Kind,
    place: Place,
    /// Where a floating window goes when it no longer fills the screen.
    restored: Place,
    fullscreen: bool,
    maximised: bool,
    above: Option<Window>,
    takes_input: bool,
    takes_focus: bool,
    deletes: bool,
    /// A dialog of the browser's or of GTK's own; not a page.
    dialog: bool,
    file_chooser: bool,
    /// The title bar that we draw for it.
    bar: Option<Window>,
}

struct Windows {
    x: RustConnection,
    atoms: Atoms,
    root: Window,
    /// The part of the screen that windows may fill.
    screen: (u32, u32),
    whole: (u32, u32),
    usable: Arc<Mutex<(u32, u32)>>,
    clients: BTreeMap<Window, Client>,
    /// Bottom first.
    stack: Vec<Window>,
    /// The window that had the focus last is last.
    focus_order: Vec<Window>,
    focused: Option<Window>,
    drag: Option<Drag>,
    check: Window,
    count: watch::Sender<usize>,
    choosers: watch::Sender<usize>,
}

impl Windows {
    fn connect(
        display: &str,
        usable: Arc<Mutex<(u32, u32)>>,
        count: watch::Sender<usize>,
        choosers: watch::Sender<usize>,
    ) -> Result<Self, WindowsError> {
        let (x, screen) = x11rb::connect(Some(display))?;
        let atoms = Atoms::new(&x)?.reply()?;
        let setup = &x.setup().roots[screen];
        let (root, black) = (setup.root, setup.black_pixel);
        let manage = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
        let attributes = ChangeWindowAttributesAux::new().event_mask(manage).background_pixel(black);
        match x.change_window_attributes(root, &attributes)?.check() {
            Ok(()) => {}
            Err(ReplyError::X11Error(_)) => return Err(WindowsError::Taken),
            Err(error) => return Err(error.into()),
        }
        let geometry = x.get_geometry(root)?.reply()?;
        let check = x.generate_id()?;
        x.create_window(0, check, root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &CreateWindowAux::new())?;
        let whole = (u32::from(geometry.width), u32::from(geometry.height));
        let windows = Self {
            screen: whole,
            whole,
            usable,
            x,
            atoms,
            root,
            clients: BTreeMap::new(),
            stack: Vec::new(),
            focus_order: Vec::new(),
            focused: None,
            drag: None,
            check,
            count,
            choosers,
        };
        windows.announce()?;
        Ok(windows)
    }

    /// Says in the root window's properties that a window manager runs and what it knows.
    fn announce(&self) -> Result<(), WindowsError> {
        let (x, a, root) = (&self.x, &self.atoms, self.root);
        let supported = [
            a._NET_ACTIVE_WINDOW,
            a._NET_CLIENT_LIST,
            a._NET_CLIENT_LIST_STACKING,
            a._NET_CLOSE_WINDOW,
            a._NET_CURRENT_DESKTOP,
            a._NET_FRAME_EXTENTS,
            a._NET_NUMBER_OF_DESKTOPS,
            a._NET_REQUEST_FRAME_EXTENTS,
            a._NET_SUPPORTED,
            a._NET_SUPPORTING_WM_CHECK,
            a._NET_WM_MOVERESIZE,
            a._NET_WM_NAME,
            a._NET_WM_STATE,
            a._NET_WM_STATE_FULLSCREEN,
            a._NET_WM_STATE_MAXIMIZED_HORZ,
            a._NET_WM_STATE_MAXIMIZED_VERT,
            a._NET_WM_WINDOW_TYPE,
            a._NET_WORKAREA,
        ];
        x.change_property32(PropMode::REPLACE, root, a._NET_SUPPORTED, AtomEnum::ATOM, &supported)?;
        for window in [root, self.check] {
            let check = [self.check];
            x.change_property32(PropMode::REPLACE, window, a._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW, &check)?;
        }
        x.change_property8(PropMode::REPLACE, self.check, a._NET_WM_NAME, a.UTF8_STRING, WM_NAME)?;
        x.change_property32(PropMode::REPLACE, root, a._NET_NUMBER_OF_DESKTOPS, AtomEnum::CARDINAL, &[1])?;
        x.change_property32(PropMode::REPLACE, root, a._NET_CURRENT_DESKTOP, AtomEnum::CARDINAL, &[0])?;
        x.clear_area(false, root, 0, 0, 0, 0)?;
        self.announce_size()
    }

    fn announce_size(&self) -> Result<(), WindowsError> {
        let (x, a, (w, h)) = (&self.x, &self.atoms, self.screen);
        x.change_property32(PropMode::REPLACE, self.root, a._NET_DESKTOP_GEOMETRY, AtomEnum::CARDINAL, &[w, h])?;
        x.change_property32(PropMode::REPLACE, self.root, a._NET_WORKAREA, AtomEnum::CARDINAL, &[0, 0, w, h])?;
        Ok(())
    }

    fn run(&mut self, wakeups: &Wakeups, closing: &AtomicBool, ending: &AtomicBool) -> Result<(), WindowsError> {
        loop {
            match wakeups.wait(&self.x, None)? {
                Woken::Event(event) => match self.handle(event) {
                    Ok(()) => {}
                    // Windows may vanish at any moment, between their event and our answer.
                    Err(WindowsError::Reply(ReplyError::X11Error(error))) => {
                        tracing::debug!(?error, "a window was gone");
                    }
                    Err(error) => return Err(error),
                },
                Woken::Called | Woken::DeadlinePassed => {}
            }
            if ending.load(Ordering::SeqCst) {
                return Ok(());
            }
            self.resized()?;
            if closing.swap(false, Ordering::SeqCst) {
                for (window, _) in self.clients.iter().filter(|(_, client)| client.dialog) {
                    self.close(*window, x11rb::CURRENT_TIME)?;
                }
            }
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), WindowsError> {
        match event {
            Event::MapRequest(event) => self.map(event.window),
            Event::ConfigureRequest(event) => self.configure_requested(&event),
            Event::UnmapNotify(event) => self.forget(event.window),
            Event::DestroyNotify(event) => self.forget(event.window),
            Event::ConfigureNotify(event) if event.window == self.root => {
                self.whole = (u32::from(event.width), u32::from(event.height));
                self.resized()
            }
            Event::ClientMessage(event) => self.asked(&event),
            Event::Expose(event) if event.count == 0 => match self.owner_of_bar(event.window) {
                Some(window) => self.draw_bar(window),
                None => Ok(()),
            },
            Event::PropertyNotify(event) if event.atom == self.atoms._NET_WM_NAME => self.draw_bar(event.window),
            Event::ButtonPress(event) => {
                if let Some(window) = self.owner_of_bar(event.event) {
                    return self.bar_pressed(window, &event);
                }
                // A press in a window without focus: give it the focus, then let the window have the press.
                if self.clients.contains_key(&event.event) {
                    self.activate(event.event, event.time)?;
                }
                self.x.allow_events(x11rb::protocol::xproto::Allow::REPLAY_POINTER, event.time)?;
                Ok(())
            }
            Event::MotionNotify(event) => self.dragged(i32::from(event.root_x), i32::from(event.root_y)),
            Event::ButtonRelease(event) => self.dropped(event.time),
            _ => Ok(()),
        }
    }

    fn map(&mut self, window: Window) -> Result<(), WindowsError> {
        if self.clients.contains_key(&window) {
            self.x.map_window(window)?;
            return self.activate(window, x11rb::CURRENT_TIME);
        }
        let attributes = self.x.get_window_attributes(window)?.reply()?;
        if attributes.override_redirect {
            self.x.map_window(window)?;
            return Ok(());
        }
        let client = self.meet(window)?;
        let (browser, file_chooser) = (client.kind == Kind::Browser, client.file_chooser);
        self.clients.insert(window, client);
        self.stack.push(window);
        let watched = EventMask::PROPERTY_CHANGE | EventMask::FOCUS_CHANGE;
        self.x.change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(watched))?;
        self.settle(window)?;
        self.tell_state(window)?;
        self.x.change_property32(PropMode::REPLACE, window, self.atoms.WM_STATE, self.atoms.WM_STATE, &[1, 0])?;
        if attributes.map_state == MapState::UNMAPPED {
            self.x.map_window(window)?;
        }
        self.activate(window, x11rb::CURRENT_TIME)?;
        self.list()?;
        if browser {
            self.count.send_modify(|count| *count += 1);
        }
        if file_chooser {
            self.choosers.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    /// Reads what a new window says about itself, and chooses its place.
    fn meet(&self, window: Window) -> Result<Client, WindowsError> {
        let (x, a) = (&self.x, &self.atoms);
        let geometry = x.get_geometry(window)?.reply()?;
        let above = self.property(window, AtomEnum::WM_TRANSIENT_FOR.into(), AtomEnum::WINDOW.into())?.first().copied();
        let above = above.filter(|&owner| owner != x11rb::NONE && owner != self.root && owner != window);
        let types = self.property(window, a._NET_WM_WINDOW_TYPE, AtomEnum::ATOM.into())?;
        let normal = types.is_empty() || types.contains(&a._NET_WM_WINDOW_TYPE_NORMAL);
        let role = x.get_property(false, window, a.WM_WINDOW_ROLE, AtomEnum::ANY, 0, 64)?.reply()?.value;
        let kind = if normal && above.is_none() && role == b"browser" { Kind::Browser } else { Kind::Floating };
        let hints = WmHints::get(x, window)?.reply_unchecked().ok().flatten();
        let sizes = WmSizeHints::get_normal_hints(x, window)?.reply_unchecked().ok().flatten();
        let protocols = self.property(window, a.WM_PROTOCOLS, AtomEnum::ATOM.into())?;
        let states = self.property(window, a._NET_WM_STATE, AtomEnum::ATOM.into())?;
        let (mut w, mut h) = (u32::from(geometry.width), u32::from(geometry.height));
        if let Some((least_w, least_h)) = sizes.and_then(|sizes| sizes.min_size) {
            (w, h) = (w.max(least_w.max(0) as u32), h.max(least_h.max(0) as u32));
        }
        let bar = self.make_bar(window, kind)?;
        let place = self.centred(w, h, if bar.is_some() { title::HEIGHT } else { 0 });
        Ok(Client {
            kind,
            place,
            restored: place,
            fullscreen: states.contains(&a._NET_WM_STATE_FULLSCREEN),
            maximised: kind == Kind::Browser || states.contains(&a._NET_WM_STATE_MAXIMIZED_VERT),
            above,
            takes_input: hints.and_then(|hints| hints.input).unwrap_or(true),
            takes_focus: protocols.contains(&a.WM_TAKE_FOCUS),
            deletes: protocols.contains(&a.WM_DELETE_WINDOW),
            dialog: types.contains(&a._NET_WM_WINDOW_TYPE_DIALOG),
            file_chooser: role == FILE_CHOOSER_ROLE,
            bar,
        })
    }

    pub fn property(&self, window: Window, name: Atom, kind: Atom) -> Result<Vec<u32>, WindowsError> {
        let reply = self.x.get_property(false, window, name, kind, 0, 64)?.reply()?;
        Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
    }

    /// The middle of the screen for a window with a bar of this height above.
    fn centred(&self, w: u32, h: u32, bar: u32) -> Place {
        let (screen_w, screen_h) = self.screen;
        let (w, h) = (w.clamp(1, screen_w), h.clamp(1, screen_h.saturating_sub(bar).max(1)));
        Place { x: (screen_w - w) as i32 / 2, y: (bar + screen_h.saturating_sub(h)) as i32 / 2, w, h }
    }

    /// `place` with all of it, and a bar of this height above, on the screen.
    pub fn on_screen(&self, place: Place, bar: u32) -> Place {
        let (screen_w, screen_h) = self.screen;
        let (w, h) = (place.w.clamp(1, screen_w), place.h.clamp(1, screen_h.saturating_sub(bar).max(1)));
        let bar = bar as i32;
        Place {
            x: place.x.clamp(0, (screen_w - w) as i32),
            y: place.y.clamp(bar, (screen_h as i32 - h as i32).max(bar)),
            w,
            h,
        }
    }

    /// Puts a window where its state wants it, and tells it where that is.
    pub fn settle(&mut self, window: Window) -> Result<(), WindowsError> {
        let (screen_w, screen_h) = self.screen;
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        let fills = client.fullscreen || client.maximised;
        let place = if fills {
            Place { x: 0, y: (self.whole.1 - screen_h) as i32, w: screen_w, h: screen_h }
        } else {
            self.on_screen(client.restored, client.bar_height())
        };
        if let Some(client) = self.clients.get_mut(&window) {
            client.place = place;
        }
        if let Some(client) = self.clients.get(&window) {
            self.settle_bar(client)?;
        }
        let Place { x, y, w, h } = place;
        let configure = ConfigureWindowAux::new().x(x).y(y).width(w).height(h).border_width(0);
        self.x.configure_window(window, &configure)?;
        let told = ConfigureNotifyEvent {
            response_type: x11rb::protocol::xproto::CONFIGURE_NOTIFY_EVENT,
            event: window,
            window,
            x: x as i16,
            y: y as i16,
            width: w as u16,
            height: h as u16,
            ..ConfigureNotifyEvent::default()
        };
        self.x.send_event(false, window, EventMask::STRUCTURE_NOTIFY, told)?;
        Ok(())
    }

    /// Writes the window's state where it looks for it.
    pub fn tell_state(&self, window: Window) -> Result<(), WindowsError> {
        let a = &self.atoms;
        let Some(client) = self.clients.get(&window) else { return Ok(()) };
        let mut states = Vec::new();
        if client.maximised {
            states.extend([a._NET_WM_STATE_MAXIMIZED_VERT, a._NET_WM_STATE_MAXIMIZED_HORZ]);
        }
        if client.fullscreen {
            states.push(a._NET_WM_STATE_FULLSCREEN);
        }
        self.x.change_property32(PropMode::REPLACE, window, a._NET_WM_STATE, AtomEnum::ATOM, &states)?;
        self.tell_frame(window)
    }

    /// Says how far our frame reaches beyond the window: left, right, top, bottom.
    pub fn tell_frame(&self, window: Window) -> Result<(), WindowsError> {
        let frame = [0, 0, self.clients.get(&window).map_or(0, Client::bar_height), 0];
        self.x.change_property32(
            PropMode::REPLACE,
            window,
            self.atoms._NET_FRAME_EXTENTS,
            AtomEnum::CARDINAL,
            &frame,
        )?;
        Ok(())
    }

    /// Follows the size of the screen, and how much of it may be filled.
    fn resized(&mut self) -> Result<(), WindowsError> {
        let usable = *self.usable.lock().unwrap_or_else(PoisonError::into_inner);
        let screen =
            if usable == (0, 0) { self.whole } else { (usable.0.min(self.whole.0), usable.1.min(self.whole.1)) };
        if screen == self.screen {
            return Ok(());
        }
        self.screen = screen;
        self.announce_size()?;
        for window in self.stack.clone() {
            self.settle(window)?;
        }
        Ok(())
    }
}
