//! One command: its input and output over one stream, its end, and its killing when the stream or its time is over.

use std::io;
use std::time::Duration;

use sandbox_link::protocol::{ExecInput, ExecOutput, ExecSpec};
use sandbox_link::{Stream, read_message, write_frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::ShellRoom;
use super::environment::environment;
use super::job::Job;
use super::supervised::{Supervised, working_folder};
use super::supervisor::Report;

/// Output is passed on in pieces of at most this many bytes.
const PIECE: usize = 64 << 10;
/// After the command has ended its pipes are read until they are quiet for this long …
const QUIET: Duration = Duration::from_millis(50);
/// … and no longer than this: what it left in the background may go on writing for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often a command's time is looked at.
const TICK: Duration = Duration::from_secs(1);
/// The most that passes between two looks on a busy machine.
const LONGEST_TICK: Duration = Duration::from_secs(3);
/// How often a command's stream is tried, to learn whether anybody still listens, and its supervisor woken.
const PROBE: Duration = Duration::from_secs(1);

/// Runs `spec` and tells `stream` about it. A stream that breaks kills the command.
pub async fn serve(room: &ShellRoom, spec: ExecSpec, stream: Stream) -> io::Result<()> {
    let (from_runtime, mut to_runtime) = split(stream);
    let started = Instant::now();
    let mut running = match start(room, &spec) {
        Ok(running) => running,
        Err(cause) => {
            send(&mut to_runtime, ExecOutput::Failed(cause)).await?;
            return to_runtime.shutdown().await;
        }
    };
    let (stdin, mut stdout, mut stderr) = running.take_pipes()?;
    // An end of time too far to name is no end.
    let mut deadline = Deadline::after(Duration::from_millis(spec.timeout_ms));
    let relayed = tokio::select! {
        relayed = relay(&mut running, &mut stdout, &mut stderr, &mut to_runtime, &mut deadline) => relayed?,
        () = feed(from_runtime, stdin) => return Ok(()),
    };
    let last = match relayed.report {
        Report::Failed(cause) => ExecOutput::Failed(cause),
        Report::Ended { code, signal } => {
            let duration_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            ExecOutput::Exit { code, signal, timed_out: relayed.timed_out, duration_ms }
        }
    };
    running.release();
    send(&mut to_runtime, last).await?;
    to_runtime.shutdown().await?;
    drop(to_runtime);
    // Background programs keep a reader, or their next line of output would kill them.
    tokio::join!(discard(stdout), discard(stderr), running.all_gone());
    Ok(())
}

fn start(room: &ShellRoom, spec: &ExecSpec) -> Result<Supervised, String> {
    if spec.command.is_empty() {
        return Err("no command was named".to_owned());
    }
    let job = Job {
        program: spec.command.clone(),
        args: spec.args.clone(),
        cwd: working_folder(&spec.cwd)?,
        env: environment(&room.settings, &spec.env),
        on_terminal: false,
    };
    Supervised::start_on_pipes(room, &job).map_err(|error| format!("{}: {error}", spec.command))
}

/// How a command ended.
struct Relayed {
    report: Report,
    timed_out: bool,
}

/// Passes output on until the command has ended and said its last words, or its time is over and it was killed.
async fn relay(
    running: &mut Supervised,
    stdout: &mut ChildStdout,
    stderr: &mut ChildStderr,
    to_runtime: &mut WriteHalf<Stream>,
    deadline: &mut Deadline,
) -> io::Result<Relayed> {
    let mut pipes = Pipes { stdout: Some(stdout), stderr: Some(stderr), out: vec![0; PIECE], err: vec![0; PIECE] };
    let mut timed_out = false;
    let mut probes = interval(PROBE);
    probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let report = loop {
        let woken = tokio::select! {
            report = running.report() => Woken::Report(report),
            output = pipes.read() => Woken::Output(output?),
            () = deadline.passed(), if !timed_out => Woken::TimeIsOver,
            _ = probes.tick() => {
                running.wake();
                Woken::Output(ExecOutput::Stdout(Vec::new()))
            }
        };
        match woken {
            Woken::Report(report) => break report,
            Woken::TimeIsOver => {
                timed_out = true;
                running.kill();
            }
            // A reader that has stopped reading must not keep the command from its end.
            Woken::Output(output) => tokio::select! {
                sent = send(to_runtime, output) => sent?,
                () = deadline.passed(), if !timed_out => {
                    running.kill();
                    return Ok(Relayed { report: running.report().await, timed_out: true });
                }
            },
        }
    };
    let silence = Instant::now() + LAST_WORDS;
    while !pipes.are_closed() && Instant::now() < silence {
        match timeout(QUIET, pipes.read()).await {
            Ok(output) => send(to_runtime, output?).await?,
            Err(_) => break,
        }
    }
    Ok(Relayed { report, timed_out })
}

enum Woken {
    Report(Report),
    Output(ExecOutput),
    TimeIsOver,
}

struct Pipes<'a> {
    stdout: Option<&'a mut ChildStdout>,
    stderr: Option<&'a mut ChildStderr>,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Pipes<'_> {
    fn are_closed(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// Reads the next piece of either; pends for ever once both are closed. May be dropped and called again.
    async fn read(&mut self) -> io::Result<ExecOutput> {
        loop {
            tokio::select! {
                read = next(self.stdout.as_deref_mut(), &mut self.out) => match read? {
                    0 => self.stdout = None,
                    length => return Ok(ExecOutput::Stdout(self.out[..length].to_vec())),
                },
                read = next(self.stderr.as_deref_mut(), &mut self.err) => match read? {
                    0 => self.stderr = None,
                    length => return Ok(ExecOutput::Stderr(self.err[..length].to_vec())),
                },
            }
        }
    }
}

async fn next(pipe: Option<&mut (impl AsyncRead + Unpin)>, piece: &mut [u8]) -> io::Result<usize> {
    match pipe {
        Some(pipe) => pipe.read(piece).await,
        None => std::future::pending().await,
    }
}

/// Passes input on; returns when the runtime has dropped the stream.
async fn feed(mut from_runtime: ReadHalf<Stream>, stdin: ChildStdin) {
    let mut stdin = Some(stdin);
    while let Ok(Some(input)) = read_message(&mut from_runtime).await {
        match input {
            ExecInput::Stdin(bytes) => {
                // A command may close its input before it has read all of it.
                if let Some(pipe) = &mut stdin
                    && pipe.write_all(&bytes).await.is_err()
                {
                    stdin = None;
                }
            }
            ExecInput::CloseStdin => stdin = None,
        }
    }
}

async fn send(to_runtime: &mut WriteHalf<Stream>, output: ExecOutput) -> io::Result<()> {
    write_frame(to_runtime, &output.encode()).await
}

/// What is left of a command's time. It does not run while the room is frozen: of a pause in which nothing of the room ran,
/// only [`LONGEST_TICK`] counts.
struct Deadline {
    left: Duration,
    looked_at: Instant,
}

impl Deadline {
    fn after(time: Duration) -> Self {
        Self { left: time, looked_at: Instant::now() }
    }

    async fn passed(&mut self) {
        loop {
            let now = Instant::now();
            self.left = self.left.saturating_sub(now.duration_since(self.looked_at).min(LONGEST_TICK));
            self.looked_at = now;
            if self.left.is_zero() {
                return;
            }
            sleep(self.left.min(TICK)).await;
        }
    }
}

async fn discard(mut pipe: impl AsyncRead + Unpin) {
    // Nobody is interested in how it ends.
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
}
