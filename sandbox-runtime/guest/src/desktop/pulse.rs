//! Whether the X server and the browser are well: neither is gone or stopped, and the X server answers.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sandbox_link::protocol::{Loss, Part, Pulse};
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::heartbeat::{ProcessState, process_state};

/// Between two questions to the X server.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Looks at one unanswered question after which the X server counts as hung. The runtime looks once a second; counting
/// its looks, and not the time, leaves out the time in which this machine stood still.
const SILENT_LOOKS: u32 = 8;
/// Looks after which a part that is stopped is not just paused for a moment.
const STOPPED_LOOKS: u32 = 2;

pub struct Vitals {
    display: u32,
    browser: u32,
    asked: Arc<Mutex<Asked>>,
    looks: Mutex<Looks>,
}

/// Questions to the X server.
#[derive(Default)]
struct Asked {
    number: u64,
    answered: bool,
    /// The connection broke.
    broken: bool,
}

#[derive(Default)]
struct Looks {
    question: u64,
    unanswered: u32,
    display_stopped: u32,
    browser_stopped: u32,
}

impl Vitals {
    /// Begins to ask the X server, on a thread and a connection of its own.
    pub fn watch(display: &str, display_pid: u32, browser_pid: u32) -> Result<Self, super::screen::ScreenError> {
        let (x, _) = x11rb::connect(Some(display))?;
        let asked = Arc::new(Mutex::new(Asked { answered: true, ..Asked::default() }));
        let asking = Arc::downgrade(&asked);
        let ask = move || ask(&x, &asking);
        std::thread::Builder::new()
            .name("display pulse".into())
            .spawn(ask)
            .map_err(super::screen::ScreenError::Start)?;
        Ok(Self { display: display_pid, browser: browser_pid, asked, looks: Mutex::default() })
    }

    /// Looks at both. To be called once for each heartbeat.
    pub fn look(&self) -> Pulse {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = &mut *looks;
        let display = process_state(self.display);
        let browser = process_state(self.browser);
        count(&mut looks.display_stopped, display == ProcessState::Stopped);
        count(&mut looks.browser_stopped, browser == ProcessState::Stopped);
        let (is_silent, is_broken) = {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let is_old = !asked.answered && asked.number == looks.question;
            looks.question = asked.number;
            count(&mut looks.unanswered, is_old);
            (looks.unanswered >= SILENT_LOOKS, asked.broken)
        };
        // The browser ends with the display: the display is named first.
        if display == ProcessState::Gone || is_broken {
            Pulse::Lost(Part::Display, Loss::Ended)
        } else if looks.display_stopped >= STOPPED_LOOKS || is_silent {
            Pulse::Lost(Part::Display, Loss::Hung)
        } else if browser == ProcessState::Gone {
            Pulse::Lost(Part::Browser, Loss::Ended)
        } else if looks.browser_stopped >= STOPPED_LOOKS {
            Pulse::Lost(Part::Browser, Loss::Hung)
        } else {
            Pulse::Well
        }
    }
}

fn count(looks: &mut u32, again: bool) {
    *looks = if again { *looks + 1 } else { 0 };
}

/// Asks until the connection breaks, or nobody wants to know any more.
fn ask(x: &RustConnection, asked: &Weak<Mutex<Asked>>) {
    loop {
        let Some(asking) = asked.upgrade() else { return };
        let note = |change: &dyn Fn(&mut Asked)| change(&mut asking.lock().unwrap_or_else(PoisonError::into_inner));
        note(&|asked| {
            asked.number += 1;
            asked.answered = false;
        });
        let answer = x.get_input_focus().map_err(|error| error.to_string());
        match answer.and_then(|cookie| cookie.reply().map_err(|error| error.to_string())) {
            Ok(_) => note(&|asked| asked.answered = true),
            Err(error) => {
                tracing::warn!(error, "the X server does not answer");
                note(&|asked| asked.broken = true);
                return;
            }
        }
        drop(asking);
        std::thread::sleep(ASK_AGAIN);
    }
}
