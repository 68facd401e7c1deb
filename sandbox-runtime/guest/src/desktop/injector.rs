//! The one connection by which every lane presses keys and buttons, and the record of what each lane holds down.
//!
//! One connection, because the X server keeps the order of one connection only: what lifts the keys of one holder comes
//! before what the next holder presses. [`Injector::fence`] is the room's part of taking control away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox_core::Lease;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::keymap::Keycode;
use super::windows::WindowsError;

/// Number of one lane; never used twice.
pub type LaneId = u64;

/// Presses for all lanes.
pub struct Injector {
    x: RustConnection,
    root: Window,
    /// Leases below this one press nothing any more.
    first_live: AtomicU64,
    lanes: Mutex<BTreeMap<LaneId, Held>>,
    last_lane: AtomicU64,
}

/// What one lane holds down.
#[derive(Debug, Default)]
pub struct Held {
    /// By DOM `code` or, where there is none, by `key`.
    pub keys: BTreeMap<String, Keycode>,
    pub buttons: BTreeSet<u8>,
}

/// One lane's turn at the keyboard and the pointer.
pub struct Hands<'a> {
    injector: &'a Injector,
    pub held: &'a mut Held,
}

impl Injector {
    pub fn connect(display: &str) -> Result<Self, WindowsError> {
        let (x, screen) = x11rb::connect(Some(display))?;
        x.xtest_get_version(2, 2)?.reply()?;
        let root = x.setup().roots[screen].root;
        let (first_live, last_lane) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { x, root, first_live, lanes: Mutex::default(), last_lane })
    }

    /// Opens a lane that holds nothing.
    pub fn join(&self) -> LaneId {
        let lane = self.last_lane.fetch_add(1, Ordering::Relaxed);
        self.lanes().insert(lane, Held::default());
        lane
    }

    /// Ends a lane: what it holds goes up.
    pub fn leave(&self, lane: LaneId) -> Result<(), WindowsError> {
        let mut lanes = self.lanes();
        let Some(mut held) = lanes.remove(&lane) else { return Ok(()) };
        Hands { injector: self, held: &mut held }.release_all()?;
        self.x.flush()?;
        Ok(())
    }

    /// Lets a lane press, as long as its lease lives. `None` when the lease is over: nothing was pressed.
    pub fn act<R>(
        &self,
        lane: LaneId,
        lease: Lease,
        act: impl FnOnce(&mut Hands<'_>) -> Result<R, WindowsError>,
    ) -> Result<Option<R>, WindowsError> {
        let mut lanes = self.lanes();
        if !self.is_live(lease) {
            return Ok(None);
        }
        let Some(held) = lanes.get_mut(&lane) else { return Ok(None) };
        let done = act(&mut Hands { injector: self, held })?;
        self.x.flush()?;
        Ok(Some(done))
    }

    /// Lifts what a lane holds, whether its lease lives or not.
    pub fn release(&self, lane: LaneId) -> Result<(), WindowsError> {
        let mut lanes = self.lanes();
        let Some(held) = lanes.get_mut(&lane) else { return Ok(()) };
        Hands { injector: self, held }.release_all()?;
        self.x.flush()?;
        Ok(())
    }

    /// Ends a lease and all before it, and lifts what any lane holds. When this returns, the X server has done so.
    pub fn fence(&self, lease: Lease) -> Result<(), WindowsError> {
        // Before the lock: a lane that types a long text stops at its next key.
        self.first_live.fetch_max(lease.0.saturating_add(1), Ordering::SeqCst);
        let mut lanes = self.lanes();
        for held in lanes.values_mut() {
            Hands { injector: self, held }.release_all()?;
        }
        self.settle()
    }

    /// Whether input under this lease may still be pressed.
    pub fn is_live(&self, lease: Lease) -> bool {
        lease.0 >= self.first_live.load(Ordering::SeqCst)
    }

    /// Waits until the X server has taken in all that was pressed.
    pub fn settle(&self) -> Result<(), WindowsError> {
        self.x.get_input_focus()?.reply()?;
        Ok(())
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<LaneId, Held>> {
        // The record is changed after each request was sent: a panic leaves at most a key that is lifted twice.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands<'_> {
    pub fn go_to(&self, x: i32, y: i32) -> Result<(), WindowsError> {
        let at = |at: i32| at.clamp(0, i32::from(i16::MAX)) as i16;
        self.fake(MOTION_NOTIFY_EVENT, 0, at(x), at(y))
    }

    pub fn button(&self, number: u8, down: bool) -> Result<(), WindowsError> {
        self.fake(if down { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT }, number, 0, 0)
    }

    pub fn key(&self, keycode: Keycode, down: bool) -> Result<(), WindowsError> {
        self.fake(if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, keycode, 0, 0)
    }

    /// Presses and lets go of one key, with another held around it.
    pub fn stroke(&self, modifier: Option<Keycode>, keycode: Keycode) -> Result<(), WindowsError> {
        let around = |down| modifier.map_or(Ok(()), |modifier| self.key(modifier, down));
        around(true)?;
        self.key(keycode, true)?;
        self.key(keycode, false)?;
        around(false)
    }

    pub fn lift_keys(&mut self) -> Result<(), WindowsError> {
        for keycode in std::mem::take(&mut self.held.keys).into_values() {
            self.key(keycode, false)?;
        }
        Ok(())
    }

    pub fn release_all(&mut self) -> Result<(), WindowsError> {
        self.lift_keys()?;
        for number in std::mem::take(&mut self.held.buttons) {
            self.button(number, false)?;
        }
        Ok(())
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) -> Result<(), WindowsError> {
        self.injector.x.xtest_fake_input(kind, detail, 0, self.injector.root, x, y, 0)?;
        Ok(())
    }
}
