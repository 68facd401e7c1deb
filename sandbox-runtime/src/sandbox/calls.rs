//! What the runtime asks of a guest, as functions: commands, terminals, the desktop's calls, readiness.

mod code;
mod convert;
mod heartbeat;
mod ring;
mod terminal;

use std::time::{Duration, Instant};

use sandbox_core::model::ExecResult;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, ExecInput, ExecOutput, ExecSpec, GuestOpen, Open};
use sandbox_link::{Incoming, Link, LinkError, Stream, read_frame, read_message, write_message};
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

pub use code::{CodeCommand, code_command};
pub use convert::{MISSING, MissingTool, convert_command, missing_tool};
pub use heartbeat::{Frozen, name_loss, watch as watch_room, within, within_beats};
pub use terminal::{TerminalKeys, TerminalScreen, terminal};

use ring::Ring;

/// Output kept of one stream of a command, the newest end.
pub const OUTPUT_KEPT: usize = 1 << 20;
/// How long a guest may take to say that a command's time is over, beyond that time. Then the runtime says it.
const EXIT_GRACE: Duration = Duration::from_secs(3);
/// How long the desktop may take for one call.
const DESKTOP_DEADLINE: Duration = Duration::from_secs(10);
/// Input goes to a command in pieces of this many bytes.
const INPUT_PIECE: usize = 32 << 10;

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no such program or working folder, or it may not be run.
    #[error("start the command: {0}")]
    NotStarted(String),
    #[error("the desktop: {0}")]
    Desktop(String),
    /// The room came up without what it is for.
    #[error("the room is not usable: {0}")]
    NotReady(String),
    #[error("the guest did not answer within {0:?}")]
    Silent(Duration),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("talk to the guest: {0}")]
    Io(#[from] std::io::Error),
}

/// A piece of a command's output, as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// Runs one command to its end. Dropping the future kills the command and everything that it started.
///
/// Without `stdin` the command's input is empty. `on_output` sees all output; the result keeps the newest
/// [`OUTPUT_KEPT`] bytes of each stream, as text, with replacement characters for what is not UTF-8.
///
/// The command's time is kept here too: a guest that hangs does not make the call last longer.
///
/// # Errors
/// [`CallError::NotStarted`] when there is nothing to run; a command that fails is no error.
pub async fn exec(
    link: &Link,
    spec: ExecSpec,
    stdin: Option<Vec<u8>>,
    on_output: impl FnMut(Output),
) -> Result<ExecResult, CallError> {
    exec_pausable(link, spec, stdin, &Frozen::default(), on_output).await
}

/// As [`exec`], in a sandbox that may be paused: time in which it is frozen does not count.
///
/// # Errors
/// As [`exec`].
pub async fn exec_pausable(
    link: &Link,
    spec: ExecSpec,
    stdin: Option<Vec<u8>>,
    frozen: &Frozen,
    on_output: impl FnMut(Output),
) -> Result<ExecResult, CallError> {
    let started = Instant::now();
    let deadline = Duration::from_millis(spec.timeout_ms).saturating_add(EXIT_GRACE);
    let mut collected = Collected { stdout: Ring::new(OUTPUT_KEPT), stderr: Ring::new(OUTPUT_KEPT), on_output };
    let ran = async {
        let stream = link.open_for(&Open::Exec(spec)).await?;
        let (from_guest, to_guest) = split(stream);
        tokio::select! {
            exit = collected.collect(from_guest) => exit,
            never = feed(to_guest, stdin.unwrap_or_default()) => match never {},
        }
    };
    let exit = within(deadline, frozen, ran).await.unwrap_or_else(|| {
        tracing::warn!("a guest did not say that a command's time is over");
        let duration_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        Ok(Exit { code: KILLED, signal: Some("SIGKILL".to_owned()), timed_out: true, duration_ms })
    })?;
    Ok(collected.result(exit))
}

/// The exit status of what `SIGKILL` ended.
const KILLED: i32 = 128 + 9;

struct Exit {
    code: i32,
    signal: Option<String>,
    timed_out: bool,
    duration_ms: u64,
}

struct Collected<F> {
    stdout: Ring,
    stderr: Ring,
    on_output: F,
}

impl<F: FnMut(Output)> Collected<F> {
    async fn collect(&mut self, mut from_guest: ReadHalf<Stream>) -> Result<Exit, CallError> {
        while let Some(frame) = read_frame(&mut from_guest).await? {
            match ExecOutput::decode(&frame)? {
                ExecOutput::Stdout(bytes) if bytes.is_empty() => {}
                ExecOutput::Stderr(bytes) if bytes.is_empty() => {}
                ExecOutput::Stdout(bytes) => {
                    self.stdout.push(&bytes);
                    (self.on_output)(Output::Stdout(bytes));
                }
                ExecOutput::Stderr(bytes) => {
                    self.stderr.push(&bytes);
                    (self.on_output)(Output::Stderr(bytes));
                }
                ExecOutput::Failed(cause) => return Err(CallError::NotStarted(cause)),
                ExecOutput::Exit { code, signal, timed_out, duration_ms } => {
                    return Ok(Exit { code, signal, timed_out, duration_ms });
                }
            }
        }
        Err(CallError::Link(LinkError::Closed))
    }

    fn result(self, exit: Exit) -> ExecResult {
        let Exit { code, signal, timed_out, duration_ms } = exit;
        ExecResult {
            exit_code: code,
            signal,
            stdout_truncated: self.stdout.is_truncated(),
            stderr_truncated: self.stderr.is_truncated(),
            stdout: self.stdout.into_text(),
            stderr: self.stderr.into_text(),
            duration_ms,
            timed_out,
            limit_exceeded: None,
        }
    }
}

/// Sends all input, then holds the stream open: dropping it would kill the command.
async fn feed(mut to_guest: WriteHalf<Stream>, stdin: Vec<u8>) -> std::convert::Infallible {
    let sent: std::io::Result<()> = async {
        for piece in stdin.chunks(INPUT_PIECE) {
            write_message(&mut to_guest, &ExecInput::Stdin(piece.to_vec())).await?;
        }
        write_message(&mut to_guest, &ExecInput::CloseStdin).await
    }
    .await;
    if let Err(error) = sent {
        // The command has ended, or its room; what is read from the stream says which.
        tracing::debug!(%error, "a command did not take all of its input");
    }
    std::future::pending().await
}

/// Asks the desktop room one thing.
///
/// # Errors
/// [`CallError::Desktop`] with the desktop's own words when it could not do it.
pub async fn desktop(link: &Link, call: DesktopCall) -> Result<DesktopAnswer, CallError> {
    let asked = async {
        let mut stream = link.open_for(&Open::Desktop(call)).await?;
        let answer = read_message(&mut stream).await?.ok_or(LinkError::Closed)?;
        // The answer is complete; whether the stream closes in order does not matter.
        let _ = stream.shutdown().await;
        Ok(answer)
    };
    match timeout(DESKTOP_DEADLINE, asked).await.unwrap_or(Err(CallError::Silent(DESKTOP_DEADLINE)))? {
        DesktopAnswer::Failed(cause) => Err(CallError::Desktop(cause)),
        answer @ (DesktopAnswer::Done | DesktopAnswer::Geometry { .. } | DesktopAnswer::Clipboard(_)) => Ok(answer),
    }
}

/// Waits until the room says that it is usable. The first stream that a guest opens says so.
///
/// Streams that come before are connections on the way out; they are closed, since nobody serves them yet. Callers give a
/// deadline of their own: a browser may take long to start.
///
/// # Errors
/// [`CallError::NotReady`] when the room says that it cannot be used.
pub async fn wait_ready(incoming: &mut Incoming) -> Result<(), CallError> {
    while let Some(mut stream) = incoming.accept().await {
        match read_message(&mut stream).await? {
            Some(GuestOpen::Ready(usable)) => return usable.map_err(CallError::NotReady),
            Some(GuestOpen::Egress) | None => {}
        }
    }
    Err(CallError::Link(LinkError::Closed))
}
