//! A live view: decodes tiles as `sandbox_core::viewer::picture` says, and compares with what the X server shows.

use std::time::{Duration, Instant};

use sandbox_core::viewer::{Screen, picture};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, Open, VideoControl, VideoRequest};
use sandbox_link::{Stream, read_frame, write_message};
use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use crate::rig::{DEADLINE, Rig, pictures, within};

pub struct View {
    frames: mpsc::Receiver<Vec<u8>>,
    controls: WriteHalf<Stream>,
    reading: JoinHandle<()>,
    screen: Screen,
    /// `0xFFRRGGBB`.
    pixels: Vec<u32>,
    exact: bool,
    pub bytes: usize,
    pub copies: usize,
    pub tiles: usize,
    pub videos: usize,
    pub keys: usize,
}

impl View {
    pub async fn open(rig: &Rig, request: VideoRequest) -> Self {
        let stream = rig.link.open_for(&Open::Video(request)).await.unwrap();
        let (from_guest, controls) = split(stream);
        let (frames_tx, frames) = mpsc::channel(8);
        let reading = tokio::spawn(read(from_guest, frames_tx));
        let screen = screen(rig).await;
        let pixels = vec![0; (screen.width * screen.height) as usize];
        Self {
            frames,
            controls,
            reading,
            screen,
            pixels,
            exact: false,
            bytes: 0,
            copies: 0,
            tiles: 0,
            videos: 0,
            keys: 0,
        }
    }

    pub async fn control(&mut self, control: VideoControl) {
        write_message(&mut self.controls, &control).await.unwrap();
    }

    /// Takes the room's new size, as a page does: an empty canvas, and everything anew.
    pub async fn resize(&mut self, rig: &Rig) {
        self.screen = screen(rig).await;
        self.pixels = vec![0; (self.screen.width * self.screen.height) as usize];
        self.exact = false;
        self.control(VideoControl::Refresh).await;
    }

    pub async fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !is(self) {
            if started.elapsed() > DEADLINE {
                self.save("late");
                panic!("{what}: not within {DEADLINE:?}");
            }
            let frame = within(what, self.frames.recv()).await.expect("pictures go on");
            self.take(&frame).await;
        }
    }

    /// Until the view says that it is exact and is what the X server shows.
    pub async fn until_like_the_screen(&mut self, rig: &Rig) {
        let started = Instant::now();
        loop {
            while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(150), self.frames.recv()).await {
                self.take(&frame).await;
            }
            let wrong = self.wrong(rig);
            if self.exact && wrong == 0 {
                return;
            }
            if started.elapsed() > DEADLINE {
                self.save("wrong");
                panic!("{wrong} pixels differ from the screen, exact: {}", self.exact);
            }
        }
    }

    /// Until no more pictures come.
    pub async fn rest(&mut self) {
        let started = Instant::now();
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(500), self.frames.recv()).await {
            self.take(&frame).await;
            assert!(started.elapsed() < DEADLINE, "pictures do not end");
        }
    }

    /// Asserts that nothing comes.
    pub async fn quiet(&mut self, time: Duration) {
        let came = tokio::time::timeout(time, self.frames.recv()).await;
        assert!(came.is_err(), "a still screen sent {:?}", came.map(|frame| frame.map(|frame| frame.len())));
    }

    /// How many pixels have this colour.
    pub fn count(&self, colour: u32) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == colour).count()
    }

    /// The leftmost and rightmost column with this colour.
    pub fn columns_of(&self, colour: u32) -> (u32, u32) {
        let columns = || {
            let marked = self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour);
            marked.map(|(at, _)| at as u32 % self.screen.width)
        };
        (columns().min().unwrap(), columns().max().unwrap())
    }

    /// The topmost and lowest row with this colour.
    pub fn rows_of(&self, colour: u32) -> (u32, u32) {
        let rows = || {
            let marked = self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour);
            marked.map(|(at, _)| at as u32 / self.screen.width)
        };
        (rows().min().unwrap(), rows().max().unwrap())
    }

    /// Writes the picture for a person to look at.
    pub fn save(&self, name: &str) {
        let Some(folder) = pictures() else { return };
        let bytes =
            self.pixels.iter().flat_map(|pixel| [(pixel >> 16) as u8, (pixel >> 8) as u8, *pixel as u8]).collect();
        let image = image::RgbImage::from_raw(self.screen.width, self.screen.height, bytes).unwrap();
        image.save(folder.join(format!("{name}.png"))).unwrap();
    }

    fn wrong(&self, rig: &Rig) -> usize {
        let (x, screen) = x11rb::connect(Some(&rig.display)).unwrap();
        let root = x.setup().roots[screen].root;
        let (w, h) = (self.screen.width as u16, self.screen.height as u16);
        let image = x.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, w, h, !0).unwrap().reply().unwrap().data;
        let shown = image.chunks_exact(4).map(|p| u32::from_le_bytes(p.try_into().unwrap()) | 0xFF00_0000);
        shown.zip(&self.pixels).filter(|(shown, ours)| shown != *ours).count()
    }

    async fn take(&mut self, frame: &[u8]) {
        self.bytes += frame.len();
        let number = u32::from_le_bytes(frame[4..8].try_into().unwrap());
        let (kind, flags, body) = (frame[0], frame[1], &frame[picture::HEADER_LEN..]);
        match kind {
            picture::KIND_TILES => {
                self.tiles += 1;
                self.exact = flags & picture::FLAG_EXACT != 0;
                self.apply(body);
            }
            picture::KIND_H264 => {
                self.videos += 1;
                self.keys += usize::from(flags & picture::FLAG_KEY != 0);
                self.exact = false;
                assert_eq!(body[4..7], [0, 0, 0], "an access unit in Annex B");
            }
            other => panic!("no such kind: {other}"),
        }
        self.control(VideoControl::Shown(number)).await;
    }

    fn apply(&mut self, body: &[u8]) {
        let before = self.pixels.clone();
        let width = self.screen.width as usize;
        let mut rest = body;
        let mut bytes = |n: usize| {
            let (these, others) = rest.split_at(n);
            rest = others;
            these
        };
        let number = |bytes: &[u8]| usize::from(u16::from_le_bytes(bytes.try_into().unwrap()));
        let pixel = |p: &[u8]| u32::from_be_bytes([p[3], p[0], p[1], p[2]]);
        for _ in 0..number(bytes(2)) {
            let [x, y, w, h] = std::array::from_fn(|_| number(bytes(2)));
            let fits = x + w <= width && y + h <= self.screen.height as usize;
            let body = match bytes(1)[0] {
                picture::TILE_RAW => bytes(w * h * 4).to_vec(),
                picture::TILE_SOLID => bytes(4).repeat(w * h),
                picture::TILE_COPY => {
                    self.copies += 1;
                    let (from_x, from_y) = (number(bytes(2)), number(bytes(2)));
                    let rows = (0..h).flat_map(|row| before[(from_y + row) * width + from_x..][..w].iter());
                    rows.flat_map(|p| p.rotate_left(8).to_be_bytes()).collect()
                }
                other => panic!("no such encoding: {other}"),
            };
            // A picture of the size before the last change of size.
            if !fits {
                continue;
            }
            for (at, p) in body.chunks_exact(4).enumerate() {
                self.pixels[(y + at / w) * width + x + at % w] = pixel(p);
            }
        }
        assert!(rest.is_empty());
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn screen(rig: &Rig) -> Screen {
    match rig.call(DesktopCall::Geometry).await {
        DesktopAnswer::Geometry { screen } => screen,
        other => panic!("no geometry: {other:?}"),
    }
}

async fn read(mut from_guest: ReadHalf<Stream>, frames: mpsc::Sender<Vec<u8>>) {
    while let Ok(Some(frame)) = read_frame(&mut from_guest).await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}
