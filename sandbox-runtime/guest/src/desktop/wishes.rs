//! What a view asked for since its sender last looked.

use std::sync::{Arc, Mutex, PoisonError};

use sandbox_link::protocol::VideoControl;

use super::frame::Frame;

pub struct Asked {
    state: Mutex<Wishes>,
    frame: Arc<Frame>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    pub shown: Option<u32>,
    pub refresh: bool,
    pub bitrate: Option<u32>,
    pub ended: bool,
}

/// Ends the sender when dropped.
pub struct Ending(pub Arc<Asked>);

impl Asked {
    pub fn new(frame: Arc<Frame>) -> Self {
        Self { state: Mutex::new(Wishes::default()), frame }
    }

    pub fn note(&self, control: VideoControl) {
        {
            let mut wishes = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match control {
                VideoControl::Shown(number) => wishes.shown = Some(number),
                VideoControl::Refresh => wishes.refresh = true,
                VideoControl::Bitrate(bits_per_second) => wishes.bitrate = Some(bits_per_second),
            }
        }
        self.frame.ring();
    }

    pub fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.frame.ring();
    }

    /// Takes what was asked; only the end stays.
    pub fn take(&self) -> Wishes {
        let mut wishes = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = wishes.ended;
        std::mem::replace(&mut *wishes, Wishes { ended, ..Wishes::default() })
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}
