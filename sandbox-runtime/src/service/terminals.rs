//! Terminals that are kept with their sandbox: what runs in one goes on when a page leaves, and who comes back sees what it
//! showed meanwhile.
//!
//! Owns the kept terminals of all sandboxes and their scrollback, which lives in memory only and ends with the terminal.
//! Leaves the bytes themselves to the room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sandbox_core::SandboxId;
use sandbox_core::model::EpochMs;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::driver::Presence;
use crate::now_ms;
use crate::sandbox::calls::{CallError, TerminalKeys, TerminalScreen};

/// How many terminals one sandbox keeps.
pub const TERMINALS_MAX: usize = 8;
/// Longest name of a kept terminal.
const LONGEST_NAME: usize = 32;
/// How much of what a terminal showed is kept.
const SCROLLBACK: usize = 512 << 10;
/// How many messages a slow viewer may fall behind before it is sent the whole scrollback again.
const BEHIND: usize = 256;
/// Keystrokes that wait for a program that does not read.
const TYPED_AHEAD: usize = 256;
/// Clears the screen and its scrollback: what follows is shown from the beginning.
const RESET: &[u8] = b"\x1bc";

/// What a terminal showed, oldest first, up to a number of bytes.
#[derive(Debug)]
struct Scrollback {
    bytes: std::collections::VecDeque<u8>,
    limit: usize,
    /// Something was cut off at the beginning.
    cut: bool,
}

impl Scrollback {
    fn new(limit: usize) -> Self {
        Self { bytes: std::collections::VecDeque::new(), limit, cut: false }
    }

    fn push(&mut self, shown: &[u8]) {
        self.bytes.extend(shown);
        let over = self.bytes.len().saturating_sub(self.limit);
        self.bytes.drain(..over);
        self.cut |= over > 0;
    }

    /// Returns what is kept. One that was cut begins with a whole line: half an escape sequence means something else.
    fn text(&self) -> Vec<u8> {
        let line_end = self.bytes.iter().position(|byte| *byte == b'\n').filter(|_| self.cut);
        self.bytes.iter().skip(line_end.map_or(0, |at| at + 1)).copied().collect()
    }
}

/// What is typed into a terminal, and its size.
enum Typed {
    Bytes(Vec<u8>),
    Resize(u16, u16),
}

struct Shown {
    scrollback: Scrollback,
    /// `None` once the terminal has ended.
    news: Option<broadcast::Sender<Bytes>>,
    n_attached: usize,
}

/// One kept terminal. Its task ends with the room, with its program, or when it is closed.
struct Kept {
    name: String,
    started_at: EpochMs,
    shown: Mutex<Shown>,
    keys: mpsc::Sender<Typed>,
    stop: CancellationToken,
}

impl Kept {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Changed whole: no panic leaves it half done.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, bytes: Vec<u8>) {
        let mut shown = self.shown();
        shown.scrollback.push(&bytes);
        if let Some(news) = &shown.news {
            // Nobody may be looking.
            let _ = news.send(bytes.into());
        }
    }
}

type ById = BTreeMap<SandboxId, BTreeMap<String, Arc<Kept>>>;

/// The kept terminals of every sandbox.
#[derive(Clone, Default)]
pub(super) struct Terminals(Arc<Mutex<ById>>);

/// A kept terminal as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTerminal {
    pub name: String,
    pub started_at: EpochMs,
    /// How many pages show it now.
    pub viewers: usize,
}

/// One viewer of a kept terminal. Dropping it leaves the terminal running.
pub struct AttachedTerminal {
    kept: Arc<Kept>,
    /// What was shown before, until it is taken.
    replay: Option<Vec<u8>>,
    news: Option<broadcast::Receiver<Bytes>>,
    /// The sandbox is not idle while somebody looks.
    _presence: Presence,
}

impl AttachedTerminal {
    fn new(kept: Arc<Kept>, presence: Presence) -> Self {
        let mut shown = kept.shown();
        shown.n_attached += 1;
        let replay = Some(shown.scrollback.text());
        let news = shown.news.as_ref().map(broadcast::Sender::subscribe);
        drop(shown);
        Self { kept, replay, news, _presence: presence }
    }

    /// Returns what the terminal showed before this viewer came, once.
    pub fn take_replay(&mut self) -> Vec<u8> {
        self.replay.take().unwrap_or_default()
    }

    /// Waits for more to show; `None` when the terminal has ended. A viewer that is too far behind gets the whole scrollback again.
    pub async fn read(&mut self) -> Option<Bytes> {
        match self.news.as_mut()?.recv().await {
            Ok(bytes) => Some(bytes),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let shown = self.kept.shown();
                self.news = shown.news.as_ref().map(broadcast::Sender::subscribe);
                Some([RESET, &shown.scrollback.text()].concat().into())
            }
        }
    }

    /// Types bytes; waits while the program does not read.
    pub async fn write(&self, bytes: Vec<u8>) {
        // It may have ended: then `read` says so.
        let _ = self.kept.keys.send(Typed::Bytes(bytes)).await;
    }

    pub async fn resize(&self, cols: u16, rows: u16) {
        // As above.
        let _ = self.kept.keys.send(Typed::Resize(cols, rows)).await;
    }
}

impl Drop for AttachedTerminal {
    fn drop(&mut self) {
        self.kept.shown().n_attached -= 1;
    }
}

impl Terminals {
    fn all(&self) -> MutexGuard<'_, ById> {
        // Entries are put and taken whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: &SandboxId, name: &str) -> Option<Arc<Kept>> {
        self.all().get(id)?.get(name).cloned()
    }

    /// Keeps a terminal that was just opened; an older one of that name, which came meanwhile, is answered instead.
    fn keep(&self, id: &SandboxId, name: &str, screen: TerminalScreen, keys: TerminalKeys) -> Arc<Kept> {
        let mut all = self.all();
        let of_sandbox = all.entry(id.clone()).or_default();
        if let Some(there) = of_sandbox.get(name) {
            return there.clone();
        }
        let (typed, to_type) = mpsc::channel(TYPED_AHEAD);
        let kept = Arc::new(Kept {
            name: name.to_owned(),
            started_at: now_ms(),
            shown: Mutex::new(Shown {
                scrollback: Scrollback::new(SCROLLBACK),
                news: Some(broadcast::Sender::new(BEHIND)),
                n_attached: 0,
            }),
            keys: typed,
            stop: CancellationToken::new(),
        });
        of_sandbox.insert(name.to_owned(), kept.clone());
        drop(all);
        let (terminals, id, mine) = (self.clone(), id.clone(), kept.clone());
        // Owned by the entry: it ends when the entry is closed, and with the link of its room.
        tokio::spawn(async move {
            if let Some(Err(error)) = mine.stop.run_until_cancelled(carry(&mine, screen, keys, to_type)).await {
                tracing::debug!(%error, "a kept terminal was cut off");
            }
            mine.shown().news = None;
            terminals.forget(&id, &mine);
        });
        kept
    }

    fn forget(&self, id: &SandboxId, gone: &Arc<Kept>) {
        let mut all = self.all();
        let Some(of_sandbox) = all.get_mut(id) else { return };
        if of_sandbox.get(&gone.name).is_some_and(|there| Arc::ptr_eq(there, gone)) {
            of_sandbox.remove(&gone.name);
        }
        if of_sandbox.is_empty() {
            all.remove(id);
        }
    }
}

/// Carries bytes both ways until the terminal's program ends.
async fn carry(
    kept: &Kept,
    mut screen: TerminalScreen,
    mut keys: TerminalKeys,
    mut to_type: mpsc::Receiver<Typed>,
) -> Result<(), CallError> {
    let show = async {
        while let Some(bytes) = screen.read().await? {
            kept.show(bytes);
        }
        Ok(())
    };
    let type_in = async {
        while let Some(typed) = to_type.recv().await {
            match typed {
                Typed::Bytes(bytes) => keys.write(bytes).await?,
                Typed::Resize(cols, rows) => keys.resize(cols, rows).await?,
            }
        }
        Ok(())
    };
    tokio::select! {
        done = show => done,
        done = type_in => done,
    }
}

impl Service {
    /// Joins the kept terminal of that name, and opens it where there is none.
    ///
    /// # Errors
    ///
    /// `invalid` for a name that is none, `overloaded` for one terminal too many.
    pub async fn kept_terminal(&self, id: &SandboxId, name: &str, size: (u16, u16)) -> Answer<AttachedTerminal> {
        check_name(name)?;
        let driver = self.working_driver(id).await?;
        let terminals = &self.inner.terminals;
        if let Some(kept) = terminals.get(id, name) {
            return Ok(AttachedTerminal::new(kept, driver.presence()));
        }
        if terminals.all().get(id).is_some_and(|of_sandbox| of_sandbox.len() >= TERMINALS_MAX) {
            let message = format!("{TERMINALS_MAX} terminals are open in this sandbox already");
            return Err(ServiceError::new(ErrorCode::Overloaded, message).with_hint("close one of them"));
        }
        let (screen, keys, presence) = self.terminal(id, size.0, size.1).await?;
        Ok(AttachedTerminal::new(terminals.keep(id, name, screen, keys), presence))
    }

    /// Returns the kept terminals of a sandbox by name.
    pub async fn kept_terminals(&self, id: &SandboxId) -> Answer<Vec<KeptTerminal>> {
        self.sandbox(id).await?;
        let all = self.inner.terminals.all();
        Ok(all.get(id).into_iter().flatten().map(|(_, kept)| listed(kept)).collect())
    }

    /// Ends a kept terminal with all that runs in it.
    pub async fn close_terminal(&self, id: &SandboxId, name: &str) -> Answer<KeptTerminal> {
        self.sandbox(id).await?;
        let kept = self.inner.terminals.get(id, name).ok_or_else(|| ServiceError::not_found("terminal", name))?;
        self.inner.terminals.forget(id, &kept);
        kept.stop.cancel();
        Ok(listed(&kept))
    }
}

fn listed(kept: &Arc<Kept>) -> KeptTerminal {
    KeptTerminal { name: kept.name.clone(), started_at: kept.started_at, viewers: kept.shown().n_attached }
}

fn check_name(name: &str) -> Answer<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(ServiceError::invalid(format!("`name`: a terminal's name has 1 to {LONGEST_NAME} letters, digits, - or _")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scrollback_keeps_the_newest_and_begins_with_a_whole_line() {
        let mut kept = Scrollback::new(12);
        kept.push(b"one\n");
        assert_eq!(kept.text(), b"one\n");
        kept.push(b"two\nthree\n");
        assert_eq!(kept.text(), b"two\nthree\n", "half of a line is left out");
        kept.push(&[b'x'; 40]);
        assert_eq!(kept.text(), [b'x'; 12], "one line that is longer than all is shown from somewhere on");
    }

    #[test]
    fn a_name_is_short_and_plain() {
        for name in ["1", "build-2", "a_b"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a/b", "é", &"x".repeat(33)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
