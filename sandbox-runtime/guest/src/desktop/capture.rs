//! Reads the screen on damage, into the shared [`Frame`]. One thread. It asks the X server for nothing while nobody watches,
//! while nothing changes, and while no viewer is ready for another picture.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::time::{ClockId, clock_gettime};
use sandbox_picture::{Hashes, Seed};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, Damage, ReportLevel};
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

use super::damage::DamagedRows;
use super::frame::{Frame, Latest, Memory};
use super::segment::{Segment, SegmentError};
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
    #[error(transparent)]
    Memory(#[from] SegmentError),
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
        let frame = Arc::new(Frame::new(waker.clone()));
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

/// The thread's side: connection, and damage while somebody watches.
struct Grabber {
    x: RustConnection,
    root: Window,
    size: (usize, usize),
    damage: Option<Damage>,
    damaged: DamagedRows,
    /// The newest renewal of the whole screen that the damage holds.
    renewal: usize,
    seed: Seed,
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
        Ok(Self { x, root, size, damage: None, damaged: DamagedRows::default(), renewal: 0, seed: random_seed() })
    }

    fn run(&mut self, shared: &Shared, wakeups: &Wakeups) -> Result<(), CaptureError> {
        loop {
            let renewals = shared.frame.renewals();
            if self.damage.is_some() && renewals != self.renewal {
                self.renewal = renewals;
                self.damaged.add(0..self.size.1);
            }
            let can_grab = self.damage.is_some() && !self.damaged.is_empty() && shared.frame.is_awaited();
            let woken = wakeups.wait(&self.x, can_grab.then(Instant::now))?;
            if shared.ending.load(Ordering::SeqCst) {
                return Ok(());
            }
            let resized = self.take_events(woken)?;
            let is_watched = shared.watchers.load(Ordering::SeqCst) > 0;
            match (is_watched, self.damage) {
                (false, None) => self.damaged.clear(),
                (false, Some(damage)) => self.stop(shared, damage)?,
                (true, None) => {
                    let damage = self.x.generate_id()?;
                    self.x.damage_create(damage, self.root, ReportLevel::DELTA_RECTANGLES)?;
                    self.damage = Some(damage);
                    self.begin(shared)?;
                }
                (true, Some(_)) if resized => self.begin(shared)?,
                (true, Some(damage)) if shared.frame.is_awaited() => {
                    if let Some(rows) = self.damaged.take() {
                        self.grab(shared, damage, rows)?;
                    }
                }
                (true, Some(_)) => {}
            }
        }
    }

    /// Takes in what the X server has said; returns whether the screen has another size.
    fn take_events(&mut self, woken: Woken) -> Result<bool, CaptureError> {
        let mut resized = false;
        let mut event = match woken {
            Woken::Event(event) => Some(event),
            Woken::Called | Woken::DeadlinePassed => self.x.poll_for_event()?,
        };
        while let Some(next) = event {
            match next {
                Event::DamageNotify(notify) => {
                    let top = usize::try_from(notify.area.y).unwrap_or(0);
                    self.damaged.add(top..top + usize::from(notify.area.height));
                }
                Event::ConfigureNotify(notify) if notify.window == self.root => {
                    let size = (usize::from(notify.width), usize::from(notify.height));
                    resized |= size != self.size;
                    self.size = size;
                }
                _ => {}
            }
            event = self.x.poll_for_event()?;
        }
        Ok(resized)
    }

    /// Begins with a screen of this size, of which nothing is known.
    fn begin(&mut self, shared: &Shared) -> Result<(), CaptureError> {
        let (width, height) = self.size;
        let segment = Segment::create(&self.x, width * height)?;
        self.forget(&mut shared.frame.write(), Memory::Shared(segment))?;
        self.damaged.clear();
        self.renewal = shared.frame.renewals();
        self.damaged.add(0..height);
        Ok(())
    }

    fn stop(&mut self, shared: &Shared, damage: Damage) -> Result<(), CaptureError> {
        self.x.damage_destroy(damage)?;
        self.damage = None;
        self.damaged.clear();
        self.forget(&mut shared.frame.write(), Memory::None)
    }

    fn forget(&self, latest: &mut Latest, memory: Memory) -> Result<(), CaptureError> {
        if let Memory::Shared(segment) = &latest.memory {
            segment.detach(&self.x)?;
        }
        let (width, height) = self.size;
        latest.memory = memory;
        latest.hashes = Hashes::unknown(width, height);
        latest.live = false;
        Ok(())
    }

    /// Reads rows of the screen to their place in the shared memory.
    fn grab(&mut self, shared: &Shared, damage: Damage, rows: Range<usize>) -> Result<(), CaptureError> {
        let (width, height) = self.size;
        let rows = rows.start..rows.end.min(height);
        if rows.is_empty() {
            return Ok(());
        }
        let captured_at_us = monotonic_us();
        // What is drawn after this line is told anew, what was drawn before is in the image.
        self.x.damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        let mut latest = shared.frame.write();
        let latest = &mut *latest;
        let Memory::Shared(segment) = &latest.memory else { return Ok(()) };
        let (y, w, h) = (rows.start as i16, width as u16, rows.len() as u16);
        let (planes, format, place) = (!0, ImageFormat::Z_PIXMAP.into(), (rows.start * width * 4) as u32);
        let image = self.x.shm_get_image(self.root, 0, y, w, h, planes, format, segment.id, place)?.reply();
        match image {
            Ok(_) => {}
            // The screen shrank in between; its own event follows.
            Err(x11rb::errors::ReplyError::X11Error(error)) => {
                tracing::debug!(?error, "a grab missed the screen");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let picture = sandbox_picture::Picture { width, height, pixels: segment.pixels() };
        // All columns of these rows are new in memory, so all of their hashes are.
        let changed = latest.hashes.read(&picture, rows.clone(), &self.seed);
        let renewed = if rows == (0..height) { self.renewal } else { latest.renewed };
        let is_renewed = std::mem::replace(&mut latest.renewed, renewed) != renewed;
        if is_renewed && !changed {
            shared.frame.ring();
        }
        if changed {
            latest.version += 1;
            latest.captured_at_us = captured_at_us;
            latest.live |= rows == (0..height);
            shared.frame.ring();
        }
        Ok(())
    }
}

/// A seed that no page can know.
pub fn random_seed() -> Seed {
    Seed::new(RandomState::new().hash_one(std::process::id()))
}

/// Microseconds of the machine's monotonic clock, the same in every process.
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has a monotonic clock");
    now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000
}
