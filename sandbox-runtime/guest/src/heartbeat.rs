//! Answers the runtime's heartbeat: how the room is, each time it asks.

use std::io;

use sandbox_link::protocol::Pulse;
use sandbox_link::{Stream, read_frame, write_message};

/// Answers until the runtime ends the stream.
pub async fn serve(mut stream: Stream, mut look: impl FnMut() -> Pulse) -> io::Result<()> {
    while read_frame(&mut stream).await?.is_some() {
        write_message(&mut stream, &look()).await?;
    }
    Ok(())
}

/// What the kernel says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    Runs,
    /// By a signal.
    Stopped,
    Gone,
}

/// Returns the state of a process of this room.
pub fn process_state(pid: u32) -> ProcessState {
    std::fs::read(format!("/proc/{pid}/stat")).map_or(ProcessState::Gone, |stat| parse_state(&stat))
}

/// Reads `pid (name) state …`; the name may hold anything, so the last parenthesis counts.
fn parse_state(stat: &[u8]) -> ProcessState {
    let stat = String::from_utf8_lossy(stat);
    match stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next()) {
        Some('T') => ProcessState::Stopped,
        Some('Z' | 'X') | None => ProcessState::Gone,
        Some(_) => ProcessState::Runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_behind_any_name() {
        assert_eq!(parse_state(b"42 (a) T) S 7 42"), ProcessState::Runs);
        assert_eq!(parse_state(b"42 (chromium) T 7 42"), ProcessState::Stopped);
        assert_eq!(parse_state(b"42 (chromium) Z 7 42"), ProcessState::Gone);
        assert_eq!(process_state(std::process::id()), ProcessState::Runs);
    }
}
