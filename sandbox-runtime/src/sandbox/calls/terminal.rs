//! A terminal in a room, seen from the host: what it shows, and what is typed into it.

use std::collections::BTreeMap;

use sandbox_link::protocol::{Open, TerminalInput};
use sandbox_link::{Link, Stream, read_frame, write_message};
use tokio::io::{ReadHalf, WriteHalf, split};

use super::CallError;

/// What a terminal shows.
pub struct TerminalScreen(ReadHalf<Stream>);

/// What is typed into a terminal, and its size. Dropping it together with its [`TerminalScreen`] ends the terminal and
/// everything that runs in it.
pub struct TerminalKeys(WriteHalf<Stream>);

/// Opens a terminal; a shell without `command`.
pub async fn terminal(
    link: &Link,
    (cols, rows): (u16, u16),
    command: Vec<String>,
    env: BTreeMap<String, String>,
) -> Result<(TerminalScreen, TerminalKeys), CallError> {
    let stream = link.open_for(&Open::Terminal { cols, rows, command, env }).await?;
    let (screen, keys) = split(stream);
    Ok((TerminalScreen(screen), TerminalKeys(keys)))
}

impl TerminalScreen {
    /// Waits for more to show; `None` when the terminal's program has ended.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        Ok(read_frame(&mut self.0).await?)
    }
}

impl TerminalKeys {
    /// Types bytes.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<(), CallError> {
        Ok(write_message(&mut self.0, &TerminalInput::Bytes(bytes)).await?)
    }

    /// Tells the terminal its new size.
    pub async fn resize(&mut self, cols: u16, rows: u16) -> Result<(), CallError> {
        Ok(write_message(&mut self.0, &TerminalInput::Resize { cols, rows }).await?)
    }
}
