//! Notices that a room, or a part in it, hangs: by asking its guest once a second.
//!
//! What counts is unanswered beats, and not time: while this machine stands still, or sleeps, no beat passes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sandbox_link::protocol::{Loss, Open, Part, Pulse};
use sandbox_link::{Link, LinkError, Stream, read_message, write_frame};

/// Between two questions.
pub const BEAT: Duration = Duration::from_secs(1);
/// Beats without an answer after which a guest counts as hung; one that is only slow on a busy machine answers within.
const SILENT_BEATS: u32 = 6;
/// How long a guest may take to say which part of it was lost.
const NAME_DEADLINE: Duration = Duration::from_secs(1);

/// Whether a sandbox's processes are frozen, so that nobody takes them for hung. Clones say the same.
#[derive(Clone, Debug, Default)]
pub struct Frozen(Arc<AtomicBool>);

impl Frozen {
    pub fn set(&self, is_frozen: bool) {
        self.0.store(is_frozen, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Waits until a part of a room is lost that `guest` belongs to; `None` when the link ends, which is told elsewhere.
pub async fn watch(link: &Link, guest: Part, frozen: &Frozen) -> Option<(Part, Loss)> {
    let mut stream = match within_beats(SILENT_BEATS, frozen, link.open_for(&Open::Heartbeat)).await {
        Some(opened) => opened.ok()?,
        None => return Some((guest, Loss::Hung)),
    };
    loop {
        match within_beats(SILENT_BEATS, frozen, ask(&mut stream)).await {
            Some(Ok(Some(Pulse::Well))) => tokio::time::sleep(BEAT).await,
            Some(Ok(Some(Pulse::Lost(part, loss)))) => return Some((part, loss)),
            Some(Ok(None) | Err(_)) => return None,
            None => return Some((guest, Loss::Hung)),
        }
    }
}

/// Asks a desktop room which part of it was lost, when something was; the browser, when it says nothing else.
pub async fn name_loss(link: &Link) -> (Part, Loss) {
    let asked = async {
        let mut stream = link.open_for(&Open::Heartbeat).await?;
        Ok::<_, LinkError>(ask(&mut stream).await?)
    };
    match tokio::time::timeout(NAME_DEADLINE, asked).await {
        Ok(Ok(Some(Pulse::Lost(part, loss)))) => (part, loss),
        Ok(Ok(None) | Err(_)) => (Part::Desktop, Loss::Ended),
        Ok(Ok(Some(Pulse::Well))) | Err(_) => (Part::Browser, Loss::Ended),
    }
}

/// Asks a guest how its room is; `None` when the stream ends.
async fn ask(stream: &mut Stream) -> std::io::Result<Option<Pulse>> {
    write_frame(stream, &[]).await?;
    read_message(stream).await
}

/// Waits for an answer for so long; `None` when it has not come by then. Time in which the sandbox is frozen does not count,
/// as far as whole beats go.
pub async fn within<T>(limit: Duration, frozen: &Frozen, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = pin!(answer);
    let mut left = limit;
    while !left.is_zero() {
        let step = left.min(BEAT);
        let was_frozen = frozen.is_set();
        if let Ok(answer) = tokio::time::timeout(step, &mut answer).await {
            return Some(answer);
        }
        if !was_frozen && !frozen.is_set() {
            left -= step;
        }
    }
    None
}

/// Waits for an answer for as many beats; `None` when it has not come by then. Beats in which the sandbox is frozen do not
/// count.
pub async fn within_beats<T>(beats: u32, frozen: &Frozen, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = pin!(answer);
    let mut silent = 0;
    while silent < beats {
        if let Ok(answer) = tokio::time::timeout(BEAT, &mut answer).await {
            return Some(answer);
        }
        // After it goes on, it has all of them again.
        silent = if frozen.is_set() { 0 } else { silent + 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox_link::{Incoming, Side, read_frame, write_message};

    fn linked() -> (Link, Incoming, Incoming) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (link, kept) = Link::start(ours, Side::Runtime);
        let (_, incoming) = Link::start(theirs, Side::Guest);
        (link, kept, incoming)
    }

    async fn answer(mut incoming: Incoming, pulses: Vec<Pulse>) {
        let mut stream = incoming.accept().await.unwrap();
        assert_eq!(read_message::<Open>(&mut stream).await.unwrap(), Some(Open::Heartbeat));
        for pulse in pulses {
            read_frame(&mut stream).await.unwrap();
            write_message(&mut stream, &pulse).await.unwrap();
        }
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_guest_says_is_lost_is_lost() {
        let (link, _kept, incoming) = linked();
        let lost = Pulse::Lost(Part::Display, Loss::Hung);
        tokio::spawn(answer(incoming, vec![Pulse::Well, Pulse::Well, lost]));
        assert_eq!(watch(&link, Part::Desktop, &Frozen::default()).await, Some((Part::Display, Loss::Hung)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_guest_that_falls_silent_is_hung() {
        let (link, _kept, incoming) = linked();
        tokio::spawn(answer(incoming, vec![Pulse::Well]));
        let begun = tokio::time::Instant::now();
        assert_eq!(watch(&link, Part::Shell, &Frozen::default()).await, Some((Part::Shell, Loss::Hung)));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn the_end_of_a_link_is_not_for_the_heartbeat_to_tell() {
        let (link, _kept, incoming) = linked();
        let guest = tokio::spawn(answer(incoming, vec![]));
        guest.abort();
        assert_eq!(watch(&link, Part::Shell, &Frozen::default()).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_room_is_not_hung_and_has_all_its_beats_when_it_goes_on() {
        let frozen = Frozen::default();
        frozen.set(true);
        let thaws = frozen.clone();
        let answer = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            thaws.set(false);
            tokio::time::sleep(Duration::from_secs(4)).await;
        };
        assert_eq!(within_beats(SILENT_BEATS, &frozen, answer).await, Some(()));
        assert_eq!(within_beats(SILENT_BEATS, &frozen, std::future::pending::<()>()).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_command_stands_still_while_its_sandbox_does() {
        let frozen = Frozen::default();
        let limit = Duration::from_millis(4500);
        let begun = tokio::time::Instant::now();
        assert_eq!(within(limit, &frozen, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed().as_secs(), 4);
        frozen.set(true);
        let thaws = frozen.clone();
        let answer = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            thaws.set(false);
            tokio::time::sleep(Duration::from_secs(4)).await;
        };
        assert_eq!(within(limit, &frozen, answer).await, Some(()));
    }
}
