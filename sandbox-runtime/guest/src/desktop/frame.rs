//! The newest picture of the screen, shared between the capture, which alone writes it, and the senders.
//!
//! There is no queue: who is ready takes the newest state, and knows by the version of each tile what changed since.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pixels::{Grid, OPAQUE, Pixels, Rect};

/// The picture and its one bell.
pub struct Frame {
    latest: Mutex<Latest>,
    bell: Condvar,
}

/// What the screen shows now.
pub struct Latest {
    pub pixels: Pixels,
    /// For each tile the count of the picture in which it changed last; 0 before the first.
    pub versions: Vec<u64>,
    /// How many pictures there were.
    pub version: u64,
    /// When the newest was captured, in µs of the monotonic clock.
    pub captured_at_us: u64,
    /// Whether capture runs and `pixels` is the screen; otherwise it is an old one.
    pub live: bool,
}

impl Frame {
    pub fn new() -> Self {
        let pixels = Pixels::black(0, 0);
        Self {
            latest: Mutex::new(Latest { pixels, versions: Vec::new(), version: 0, captured_at_us: 0, live: false }),
            bell: Condvar::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes every sender, so that it looks at the picture and at what it was asked.
    pub fn ring(&self) {
        // Taken so that nobody can be between looking and sleeping.
        drop(self.lock());
        self.bell.notify_all();
    }

    /// Sleeps until the bell or the deadline.
    pub fn sleep<'a>(&self, latest: MutexGuard<'a, Latest>, deadline: Option<Instant>) -> MutexGuard<'a, Latest> {
        match deadline {
            None => self.bell.wait(latest).unwrap_or_else(PoisonError::into_inner),
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                self.bell.wait_timeout(latest, left).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

impl Latest {
    /// Takes in pixels of the screen: `grabbed` holds the rows of `area`, without gaps, with the unused byte undefined.
    /// Only the tiles named are looked at. Returns whether anything changed.
    pub fn take(&mut self, grabbed: &[u32], area: Rect, tiles: &[usize], captured_at_us: u64) -> bool {
        let grid = self.pixels.grid();
        let mut changed = false;
        for &tile in tiles {
            if self.take_tile(grabbed, area, grid, tile) {
                self.versions[tile] = self.version + 1;
                changed = true;
            }
        }
        if changed {
            self.version += 1;
            self.captured_at_us = captured_at_us;
        }
        changed
    }

    /// Begins anew with a screen of this size, of which nothing is known.
    pub fn restart(&mut self, width: usize, height: usize) {
        self.version += 1;
        self.pixels = Pixels::black(width, height);
        self.versions = vec![self.version; self.pixels.grid().len()];
    }

    fn take_tile(&mut self, grabbed: &[u32], area: Rect, grid: Grid, tile: usize) -> bool {
        let rect = grid.tile(tile);
        let (left, right) = (rect.x.max(area.x), rect.right().min(area.right()));
        let (top, bottom) = (rect.y.max(area.y), rect.bottom().min(area.bottom()));
        let mut changed = false;
        for y in top..bottom {
            let start = (y - area.y) * area.w;
            let source = &grabbed[start + left - area.x..start + right - area.x];
            let target = self.pixels.row_mut(y, left..right);
            // No early end within a row: the loop stays free of branches.
            let difference = source.iter().zip(&*target).fold(0, |all, (new, old)| all | ((new | OPAQUE) ^ old));
            if difference != 0 {
                changed = true;
                target.iter_mut().zip(source).for_each(|(old, new)| *old = new | OPAQUE);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tiles_that_differ_get_a_new_version() {
        let frame = Frame::new();
        let mut latest = frame.lock();
        latest.restart(128, 64);
        let mut grabbed = vec![0; 128 * 64];
        let whole = latest.pixels.whole();
        assert!(!latest.take(&grabbed, whole, &[0, 1], 1), "the unused byte is no change");
        grabbed[127] = 5;
        assert!(latest.take(&grabbed, whole, &[0, 1], 2));
        assert_eq!((latest.versions.clone(), latest.version), (vec![1, 2], 2));
        assert_eq!(latest.pixels.data[127], OPAQUE | 5);
    }

    #[test]
    fn a_grab_of_a_part_lands_where_it_belongs() {
        let frame = Frame::new();
        let mut latest = frame.lock();
        latest.restart(130, 70);
        let area = Rect { x: 63, y: 63, w: 4, h: 3 };
        assert!(latest.take(&[9; 12], area, &[0, 1, 3, 4], 1));
        let marked: Vec<usize> = (0..130 * 70).filter(|&at| latest.pixels.data[at] == OPAQUE | 9).collect();
        let expected: Vec<usize> = (63..66).flat_map(|y| (63..67).map(move |x| y * 130 + x)).collect();
        assert_eq!(marked, expected);
    }
}
