//! The newest picture of the screen, shared between the capture, which alone writes it, and the senders.
//!
//! There is no queue: who is ready takes the newest state. The pixels stay where the X server wrote them, and are copied
//! nowhere; a sender reads them under the lock. While no sender is ready for a picture, nothing is captured.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use sandbox_picture::{Hashes, Picture};

use super::segment::Segment;
use super::xloop::Waker;

/// The picture and its bell.
pub struct Frame {
    latest: RwLock<Latest>,
    rings: Mutex<u64>,
    bell: Condvar,
    ready: AtomicUsize,
    /// How many times a reading of the whole screen was asked for.
    renewals: AtomicUsize,
    capture: Waker,
}

/// What the screen shows now.
#[derive(Debug)]
pub struct Latest {
    pub memory: Memory,
    pub hashes: Hashes,
    /// Grows with each change.
    pub version: u64,
    /// When the newest change was captured, in µs of the monotonic clock.
    pub captured_at_us: u64,
    /// Whether the memory holds all of the screen.
    pub live: bool,
    /// The newest [`Frame::renew`] since which the whole screen was read.
    pub renewed: usize,
}

/// Where the pixels are.
#[derive(Debug)]
pub enum Memory {
    None,
    Shared(Segment),
    #[cfg(test)]
    Owned(Vec<u32>),
}

/// A sender that takes the next picture at once; dropped when it no longer would.
pub struct Ready(Arc<Frame>);

impl Frame {
    /// `capture` wakes the capture when somebody becomes ready.
    pub fn new(capture: Waker) -> Self {
        let latest = Latest {
            memory: Memory::None,
            hashes: Hashes::unknown(0, 0),
            version: 0,
            captured_at_us: 0,
            live: false,
            renewed: 0,
        };
        Self {
            latest: RwLock::new(latest),
            rings: Mutex::new(0),
            bell: Condvar::new(),
            ready: AtomicUsize::new(0),
            renewals: AtomicUsize::new(0),
            capture,
        }
    }

    pub fn read(&self) -> RwLockReadGuard<'_, Latest> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, Latest> {
        self.latest.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the caller takes the next picture at once.
    pub fn ready(self: &Arc<Self>) -> Ready {
        self.ready.fetch_add(1, Ordering::SeqCst);
        self.capture.wake();
        Ready(self.clone())
    }

    /// Asks for a reading of the whole screen, for one who may not see what it showed before: while no sender is ready the
    /// memory grows old. Returns what [`Latest::renewed`] will be at least, once somebody is ready.
    pub fn renew(&self) -> usize {
        let renewal = self.renewals.fetch_add(1, Ordering::SeqCst) + 1;
        self.capture.wake();
        renewal
    }

    /// How many times [`Self::renew`] was called.
    pub fn renewals(&self) -> usize {
        self.renewals.load(Ordering::SeqCst)
    }

    /// Returns whether anyone would take a picture now.
    pub fn is_awaited(&self) -> bool {
        self.ready.load(Ordering::SeqCst) > 0
    }

    /// Wakes every sender, so that it looks at the picture and at what it was asked.
    pub fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.bell.notify_all();
    }

    /// Returns what to pass to [`Self::sleep`]; to be asked before looking.
    pub fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the bell has rung since `heard`, or the deadline.
    pub fn sleep(&self, heard: u64, deadline: Option<Instant>) {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        while *rings == heard {
            let Some(at) = deadline else {
                rings = self.bell.wait(rings).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let left = left.max(Duration::from_millis(1));
            rings = self.bell.wait_timeout(rings, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.0.ready.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Latest {
    /// The pixels of the screen, while `live`.
    pub fn picture(&self) -> Picture<'_> {
        let pixels = match &self.memory {
            Memory::None => &[],
            Memory::Shared(segment) => segment.pixels(),
            #[cfg(test)]
            Memory::Owned(pixels) => pixels,
        };
        Picture { width: self.hashes.width(), height: self.hashes.height(), pixels }
    }
}
