//! A live view: draws lossless pictures, and compares with what the X server shows.

use std::time::{Duration, Instant};

use sandbox_link::protocol::{Open, VideoControl, VideoRequest};
use sandbox_link::{Stream, read_frame, write_message};
use sandbox_picture::Canvas;
use sandbox_picture::wire::{FLAG_EXACT, FLAG_KEY, HEADER_LEN, Header, KIND_H264, KIND_LOSSLESS, RECT_LEN};
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
    canvas: Canvas,
    exact: bool,
    pub bytes: usize,
    pub copies: usize,
    pub lossless: usize,
    pub videos: usize,
    pub keys: usize,
}

impl View {
    pub async fn open(rig: &Rig, request: VideoRequest) -> Self {
        let stream = rig.link.open_for(&Open::Video(request)).await.unwrap();
        let (from_guest, controls) = split(stream);
        let (frames_tx, frames) = mpsc::channel(8);
        let reading = tokio::spawn(read(from_guest, frames_tx));
        Self {
            frames,
            controls,
            reading,
            canvas: Canvas::new(0, 0),
            exact: false,
            bytes: 0,
            copies: 0,
            lossless: 0,
            videos: 0,
            keys: 0,
        }
    }

    pub async fn control(&mut self, control: VideoControl) {
        write_message(&mut self.controls, &control).await.unwrap();
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
        self.canvas.pixels.iter().filter(|pixel| **pixel == colour).count()
    }

    /// The leftmost and rightmost column with this colour.
    pub fn columns_of(&self, colour: u32) -> (u32, u32) {
        let columns = || {
            let marked = self.canvas.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour);
            marked.map(|(at, _)| (at % self.canvas.width) as u32)
        };
        (columns().min().unwrap(), columns().max().unwrap())
    }

    /// The topmost and lowest row with this colour.
    pub fn rows_of(&self, colour: u32) -> (u32, u32) {
        let rows = || {
            let marked = self.canvas.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour);
            marked.map(|(at, _)| (at / self.canvas.width) as u32)
        };
        (rows().min().unwrap(), rows().max().unwrap())
    }

    /// Writes the picture for a person to look at.
    pub fn save(&self, name: &str) {
        let Some(folder) = pictures() else { return };
        let bytes = self
            .canvas
            .pixels
            .iter()
            .flat_map(|pixel| [(pixel >> 16) as u8, (pixel >> 8) as u8, *pixel as u8])
            .collect();
        let image = image::RgbImage::from_raw(self.canvas.width as u32, self.canvas.height as u32, bytes).unwrap();
        image.save(folder.join(format!("{name}.png"))).unwrap();
    }

    /// How many pixels differ from what the X server shows.
    fn wrong(&self, rig: &Rig) -> usize {
        let (x, screen) = x11rb::connect(Some(&rig.display)).unwrap();
        let root = x.setup().roots[screen].root;
        let size = x.get_geometry(root).unwrap().reply().unwrap();
        let (w, h) = (size.width, size.height);
        if (usize::from(w), usize::from(h)) != (self.canvas.width, self.canvas.height) {
            return usize::from(w) * usize::from(h);
        }
        let image = x.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, w, h, !0).unwrap().reply().unwrap().data;
        let shown = image.chunks_exact(4).map(|p| u32::from_le_bytes(p.try_into().unwrap()) | 0xFF00_0000);
        shown.zip(&self.canvas.pixels).filter(|(shown, ours)| shown != *ours).count()
    }

    async fn take(&mut self, message: &[u8]) {
        self.bytes += message.len();
        let header = Header::read(message).expect("a picture of this version");
        match header.kind {
            KIND_LOSSLESS => {
                self.lossless += 1;
                self.copies += usize::from(u16::from_le_bytes([message[HEADER_LEN], message[HEADER_LEN + 1]]));
                self.exact = header.flags & FLAG_EXACT != 0;
                self.canvas.draw(message).unwrap();
            }
            KIND_H264 => {
                self.videos += 1;
                self.keys += usize::from(header.flags & FLAG_KEY != 0);
                self.exact = false;
                assert_eq!(message[HEADER_LEN + RECT_LEN..][..3], [0, 0, 0], "an access unit in Annex B");
            }
            other => panic!("no such kind: {other}"),
        }
        self.control(VideoControl::Shown(header.number)).await;
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut from_guest: ReadHalf<Stream>, frames: mpsc::Sender<Vec<u8>>) {
    while let Ok(Some(frame)) = read_frame(&mut from_guest).await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}
