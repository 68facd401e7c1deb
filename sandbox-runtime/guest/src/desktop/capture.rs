//! Reads the screen on damage, into the shared [`Frame`]. One thread; while nobody watches it sleeps and asks the X
//! server for nothing, while nothing changes it sleeps as well.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::time::{ClockId, clock_gettime};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, Damage, ReportLevel};
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use super::frame::Frame;
use super::pixels::Rect;
use super::xloop::{Waker, Wakeups, Woken, wakeups};

#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error("X server: {0}")]
    Connect(#[from] x11rb::errors::ConnectError),
    #[error("X server: {0}")]
    Connection(#[from] x11rb::errors::ConnectionError),
    #[error("X server: {0}")]
    Reply(#[from] x11rb::errors::ReplyError),
    #[error("X server: {0}")]
    Id(#[from] x11rb::errors::ReplyOrIdError),
    #[error("shared memory with the X server: {0}")]
    Memory(#[from] nix::Error),
    #[error("start the capture: {0}")]
    Start(#[from] std::io::Error),
    #[error("the X server has no {0}")]
    Missing(&'static str),
}

/// The capture of one screen. Dropping it ends its thread.
pub struct Capture {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the capture running.
pub struct Watching(Arc<Shared>);

struct Shared {
    frame: Arc<Frame>,
    watchers: AtomicUsize,
    ending: AtomicBool,
    waker: Waker,
}

impl Capture {
    /// Connects to the display and makes ready; nothing is captured yet.
    pub fn start(display: &str) -> Result<Self, CaptureError> {
        let (waker, wakeups) = wakeups()?;
        let frame = Arc::new(Frame::new());
        let shared = Arc::new(Shared { frame, watchers: AtomicUsize::new(0), ending: AtomicBool::new(false), waker });
        let mut grabber = Grabber::connect(display)?;
        let thread = std::thread::Builder::new().name("capture".into()).spawn({
            let shared = shared.clone();
            move || {
                if let Err(error) = grabber.run(&shared, &wakeups) {
                    tracing::error!(%error, "capture ended");
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn frame(&self) -> &Arc<Frame> {
        &self.shared.frame
    }

    /// Captures until the answer is dropped.
    pub fn watch(&self) -> Watching {
        self.shared.watchers.fetch_add(1, Ordering::SeqCst);
        self.shared.waker.wake();
        Watching(self.shared.clone())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::SeqCst);
        self.0.waker.wake();
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.shared.waker.wake();
        if let Some(thread) = self.thread.take() {
            // Its panic was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// The thread's side: connection, shared memory, and damage while somebody watches.
struct Grabber {
    x: RustConnection,
    root: Window,
    size: (usize, usize),
    segment: Option<Segment>,
    damage: Option<Damage>,
}

impl Grabber {
    fn connect(display: &str) -> Result<Self, CaptureError> {
        let (x, screen) = x11rb::connect(Some(display))?;
        for (name, what) in [("DAMAGE", "DAMAGE extension"), ("MIT-SHM", "MIT-SHM extension")] {
            x.extension_information(name)?.ok_or(CaptureError::Missing(what))?;
        }
        x.xfixes_query_version(5, 0)?.reply()?;
        x.damage_query_version(1, 1)?.reply()?;
        let shm = x.shm_query_version()?.reply()?;
        if (shm.major_version, shm.minor_version) < (1, 2) {
            return Err(CaptureError::Missing("MIT-SHM 1.2"));
        }
        let root = x.setup().roots[screen].root;
        let resizes = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        x.change_window_attributes(root, &resizes)?;
        let geometry = x.get_geometry(root)?.reply()?;
        let size = (usize::from(geometry.width), usize::from(geometry.height));
        Ok(Self { x, root, size, segment: None, damage: None })
    }

    fn run(&mut self, shared: &Shared, wakeups: &Wakeups) -> Result<(), CaptureError> {
        loop {
            let woken = wakeups.wait(&self.x, None)?;
            if shared.ending.load(Ordering::SeqCst) {
                return Ok(());
            }
            let watched = shared.watchers.load(Ordering::SeqCst) > 0;
            let mut damaged: Vec<Rect> = Vec::new();
            let mut resized = false;
            let mut event = match woken {
                Woken::Event(event) => Some(event),
                Woken::Called | Woken::DeadlinePassed => None,
            };
            while let Some(next) = event {
                match next {
                    Event::DamageNotify(notify) => damaged.push(Rect {
                        x: notify.area.x.max(0) as usize,
                        y: notify.area.y.max(0) as usize,
                        w: usize::from(notify.area.width),
                        h: usize::from(notify.area.height),
                    }),
                    Event::ConfigureNotify(notify) if notify.window == self.root => {
                        let size = (usize::from(notify.width), usize::from(notify.height));
                        resized |= size != self.size;
                        self.size = size;
                    }
                    _ => {}
                }
                event = self.x.poll_for_event()?;
            }
            match (watched, self.damage) {
                (false, None) => {}
                (false, Some(damage)) => {
                    self.x.damage_destroy(damage)?;
                    self.damage = None;
                    if let Some(segment) = self.segment.take() {
                        self.x.shm_detach(segment.id)?;
                    }
                    shared.frame.lock().live = false;
                }
                (true, None) => {
                    let damage = self.x.generate_id()?;
                    self.x.damage_create(damage, self.root, ReportLevel::DELTA_RECTANGLES)?;
                    self.damage = Some(damage);
                    self.grab_all(shared, damage)?;
                }
                (true, Some(damage)) if resized => self.grab_all(shared, damage)?,
                (true, Some(damage)) if !damaged.is_empty() => self.grab(shared, damage, &damaged)?,
                (true, Some(_)) => {}
            }
        }
    }

    fn grab_all(&mut self, shared: &Shared, damage: Damage) -> Result<(), CaptureError> {
        let (width, height) = self.size;
        {
            let mut latest = shared.frame.lock();
            if !latest.live || (latest.pixels.width, latest.pixels.height) != self.size {
                latest.restart(width, height);
                latest.live = false;
            }
        }
        self.grab(shared, damage, &[Rect { x: 0, y: 0, w: width, h: height }])
    }

    fn grab(&mut self, shared: &Shared, damage: Damage, damaged: &[Rect]) -> Result<(), CaptureError> {
        let (width, height) = self.size;
        let area = damaged.iter().copied().reduce(Rect::around).unwrap_or_default().within(width, height);
        if area.is_empty() {
            return Ok(());
        }
        let captured_at_us = monotonic_us();
        // What is drawn after this line is told anew, what was drawn before is in the image.
        self.x.damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        if let Some(small) = self.segment.take_if(|segment| segment.pixels < width * height) {
            self.x.shm_detach(small.id)?;
        }
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => none.insert(Segment::create(&self.x, width * height)?),
        };
        let (x, y, w, h) = (area.x as i16, area.y as i16, area.w as u16, area.h as u16);
        let image =
            self.x.shm_get_image(self.root, x, y, w, h, !0, ImageFormat::Z_PIXMAP.into(), segment.id, 0)?.reply();
        match image {
            Ok(_) => {}
            // The screen shrank in between; its own event follows.
            Err(x11rb::errors::ReplyError::X11Error(error)) => {
                tracing::debug!(?error, "a grab missed the screen");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let mut latest = shared.frame.lock();
        let grid = latest.pixels.grid();
        let mut tiles: Vec<usize> = damaged.iter().flat_map(|rect| grid.touched(*rect)).collect();
        tiles.sort_unstable();
        tiles.dedup();
        let mut news = latest.take(segment.read(area.area()), area, &tiles, captured_at_us);
        if !latest.live {
            latest.live = true;
            latest.captured_at_us = captured_at_us;
            news = true;
        }
        drop(latest);
        if news {
            shared.frame.ring();
        }
        Ok(())
    }
}

/// Memory that the X server writes pictures to.
struct Segment {
    id: Seg,
    memory: NonNull<std::ffi::c_void>,
    pixels: usize,
}

// SAFETY: the mapping belongs to this value alone and is only read through it.
unsafe impl Send for Segment {}

impl Segment {
    fn create(x: &RustConnection, pixels: usize) -> Result<Self, CaptureError> {
        let id = x.generate_id()?;
        let shared = x.shm_create_segment(id, (pixels * 4) as u32, false)?.reply()?;
        let length = NonZeroUsize::new(pixels * 4).ok_or(CaptureError::Missing("screen"))?;
        // SAFETY: a new mapping of a descriptor that the server has just made that long.
        let memory = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &shared.shm_fd, 0) }?;
        Ok(Self { id, memory, pixels })
    }

    fn read(&self, pixels: usize) -> &[u32] {
        assert!(pixels <= self.pixels);
        // SAFETY: the mapping is at least that long and page-aligned. The server writes only during our own request,
        // to which it has answered.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<u32>(), pixels) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: nothing borrowed from `self` outlives it. The server lets go of its side with the connection.
        let _ = unsafe { munmap(self.memory, self.pixels * 4) };
    }
}

/// Microseconds of the machine's monotonic clock, the same in every process.
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has a monotonic clock");
    now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000
}
