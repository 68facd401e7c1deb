//! The one who times: outside of everything that is measured, with an X display, a mouse and eyes.
//!
//! Real input by XTEST, real pixels after XDamage. Nothing of the product or its peers runs in here.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baton_tests::measure::{Spread, from_gray, gaps};
use image::RgbaImage;
use x11rb::connection::Connection;
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// After this a click has missed.
const PATIENCE: Duration = Duration::from_secs(1);
/// Cells of the frame counter.
const CELLS: u16 = 16;

pub struct Probe {
    x: RustConnection,
    root: u32,
    damage: u32,
    size: (u16, u16),
}

/// What is pressed on the patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    Button,
    Key,
}

impl Press {
    /// Types of its X events, down and up, and their detail: the left button, or the key of the letter x.
    fn events(self) -> (u8, u8, u8) {
        match self {
            Self::Button => (BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, 1),
            Self::Key => (KEY_PRESS_EVENT, KEY_RELEASE_EVENT, 53),
        }
    }
}

/// Where the page's marks lie on the display.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// Middle of the patch that a press of the button flips.
    pub patch: (i16, i16),
    /// Left, top, width and height of the row of cells.
    pub strip: (i16, i16, u16, u16),
}

impl Probe {
    pub fn on(display: &str) -> Result<Self> {
        let (x, screen) = x11rb::connect(Some(display)).with_context(|| format!("look at display {display}"))?;
        let screen = &x.setup().roots[screen];
        let (root, size) = (screen.root, (screen.width_in_pixels, screen.height_in_pixels));
        x.damage_query_version(1, 1)?.reply()?;
        let damage = x.generate_id()?;
        x.damage_create(damage, root, ReportLevel::NON_EMPTY)?;
        x.flush()?;
        Ok(Self { x, root, damage, size })
    }

    /// Finds the page's marks by their frames: magenta around the patch, cyan around the cells.
    pub fn marks(&self) -> Result<Option<Marks>> {
        let (width, height) = self.size;
        let pixels = self.grab(0, 0, width, height)?;
        let bounds = |is: fn([u8; 3]) -> bool| {
            let mut found: Option<(usize, usize, usize, usize)> = None;
            for (n, bgrx) in pixels.chunks_exact(4).enumerate() {
                if is([bgrx[2], bgrx[1], bgrx[0]]) {
                    let (x, y) = (n % width as usize, n / width as usize);
                    let (l, t, r, b) = found.unwrap_or((x, y, x, y));
                    found = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
                }
            }
            found.filter(|(l, t, r, b)| r - l > 30 && b - t > 8)
        };
        let patch = bounds(|[r, g, b]| r > 200 && g < 70 && b > 200);
        let strip = bounds(|[r, g, b]| r < 70 && g > 200 && b > 200);
        let (Some(patch), Some(strip)) = (patch, strip) else { return Ok(None) };
        // The frame of the cells is a sixteenth of its height thick on every side: see `pages`.
        let inset = ((strip.3 - strip.1) / 6) as i16;
        Ok(Some(Marks {
            patch: (usize::midpoint(patch.0, patch.2) as i16, usize::midpoint(patch.1, patch.3) as i16),
            strip: (
                strip.0 as i16 + inset,
                strip.1 as i16 + inset,
                (strip.2 - strip.0) as u16 - 2 * inset as u16,
                (strip.3 - strip.1) as u16 - 2 * inset as u16,
            ),
        }))
    }

    pub fn await_marks(&self, what: &str) -> Result<Marks> {
        let begun = Instant::now();
        loop {
            if let Some(marks) = self.marks()? {
                return Ok(marks);
            }
            if begun.elapsed() > Duration::from_secs(40) {
                self.picture()?.save(baton_tests::repository().join("target/pictures/bench-no-marks.png")).ok();
                anyhow::bail!("{what}: the page's marks are not to be seen");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Presses on the patch, many times, and times each change of its colour.
    pub fn presses(&self, press: Press, marks: Marks, times: usize) -> Result<Spread> {
        self.point_at(marks.patch)?;
        std::thread::sleep(Duration::from_millis(300));
        let mut taken = Vec::with_capacity(times);
        for gap in gaps().take(times) {
            taken.push(self.press(press, marks.patch)?);
            std::thread::sleep(gap);
        }
        Ok(Spread::of(&taken))
    }

    /// Presses once; `None` if nothing changed in time.
    fn press(&self, press: Press, at: (i16, i16)) -> Result<Option<Duration>> {
        let (down, up, detail) = press.events();
        let before = self.bright(at)?;
        self.forget_damage()?;
        let pressed = Instant::now();
        self.x.xtest_fake_input(down, detail, 0, self.root, 0, 0, 0)?;
        self.x.flush()?;
        let mut changed = None;
        while pressed.elapsed() < PATIENCE {
            if self.await_damage(PATIENCE.saturating_sub(pressed.elapsed()))? && self.bright(at)? != before {
                changed = Some(pressed.elapsed());
                break;
            }
        }
        self.x.xtest_fake_input(up, detail, 0, self.root, 0, 0, 0)?;
        self.x.flush()?;
        Ok(changed)
    }

    /// Reads the frame counter at each change for that long.
    pub fn frames(&self, marks: Marks, during: Duration) -> Result<Vec<(Duration, u32)>> {
        let begun = Instant::now();
        let mut seen: Vec<(Duration, u32)> = Vec::new();
        while begun.elapsed() < during {
            if !self.await_damage(Duration::from_millis(50))? {
                continue;
            }
            let counter = self.counter(marks)?;
            if seen.last().is_none_or(|(_, last)| *last != counter) {
                seen.push((begun.elapsed(), counter));
            }
        }
        Ok(seen)
    }

    pub fn picture(&self) -> Result<RgbaImage> {
        let (width, height) = self.size;
        let pixels = self.grab(0, 0, width, height)?;
        let rgba = pixels.chunks_exact(4).flat_map(|bgrx| [bgrx[2], bgrx[1], bgrx[0], 255]).collect();
        RgbaImage::from_raw(width.into(), height.into(), rgba).context("odd picture")
    }

    pub fn point_at(&self, (x, y): (i16, i16)) -> Result<()> {
        self.x.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, self.root, x, y, 0)?;
        Ok(self.x.flush()?)
    }

    fn counter(&self, marks: Marks) -> Result<u32> {
        let (x, y, width, height) = marks.strip;
        // One line through the middle of the cells.
        let line = self.grab(x, y + (height / 2) as i16, width, 1)?;
        let cell = |n: u16| {
            let at = usize::from((2 * n + 1) * width / (2 * CELLS));
            line[at * 4 + 1] > 128
        };
        Ok(from_gray((0..CELLS).map(cell)))
    }

    fn bright(&self, (x, y): (i16, i16)) -> Result<bool> {
        Ok(self.grab(x, y, 1, 1)?[1] > 128)
    }

    fn grab(&self, x: i16, y: i16, width: u16, height: u16) -> Result<Vec<u8>> {
        Ok(self.x.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0)?.reply()?.data)
    }

    fn forget_damage(&self) -> Result<()> {
        while self.x.poll_for_event()?.is_some() {}
        damage::subtract(&self.x, self.damage, x11rb::NONE, x11rb::NONE)?;
        Ok(self.x.flush()?)
    }

    /// Waits for the next change on the display; `false` if there was none in time.
    fn await_damage(&self, limit: Duration) -> Result<bool> {
        let deadline = Instant::now() + limit;
        loop {
            let mut is_damaged = false;
            while let Some(event) = self.x.poll_for_event()? {
                is_damaged |= matches!(event, x11rb::protocol::Event::DamageNotify(_));
            }
            if is_damaged {
                damage::subtract(&self.x, self.damage, x11rb::NONE, x11rb::NONE)?;
                self.x.flush()?;
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let fd = nix::poll::PollFd::new(self.fd(), nix::poll::PollFlags::POLLIN);
            let ms =
                nix::poll::PollTimeout::try_from(left.as_millis().max(1) as i32).unwrap_or(nix::poll::PollTimeout::MAX);
            nix::poll::poll(&mut [fd], ms)?;
        }
    }

    fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        // SAFETY: the connection owns the descriptor and outlives the borrow.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(self.x.stream().as_raw_fd()) }
    }
}
