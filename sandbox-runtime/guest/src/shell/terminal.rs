//! One terminal: a pseudo-terminal with a program in a session of its own. When the stream ends, so does everything in it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::pty::{Winsize, openpty};
use sandbox_link::protocol::TerminalInput;
use sandbox_link::{Stream, read_message, write_frame};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::environment::environment;
use super::job::Job;
use super::supervised::Supervised;
use super::{ShellRoom, WORKSPACE};

const PIECE: usize = 32 << 10;

/// What a terminal is asked to be.
pub struct Terminal {
    pub cols: u16,
    pub rows: u16,
    /// Program and arguments; a shell when empty.
    pub command: Vec<String>,
    pub env: BTreeMap<String, String>,
}

/// Runs a terminal until its program ends or the stream does.
pub async fn serve(room: &ShellRoom, asked: Terminal, stream: Stream) -> io::Result<()> {
    let pty = openpty(&size(asked.cols, asked.rows), None)?;
    let mut running = Supervised::start_on_terminal(room, &job(room, asked), &pty.slave)?;
    drop(pty.slave);
    let screen = Screen::new(pty.master)?;
    let (from_runtime, mut to_runtime) = split(stream);
    tokio::select! {
        shown = show(&screen, &mut to_runtime) => shown?,
        typed = type_in(&screen, from_runtime) => typed?,
        report = running.report() => {
            tracing::debug!(?report, "a terminal's program ended");
            // What it wrote last is still in the terminal.
            while let Some(bytes) = screen.try_read()? {
                write_frame(&mut to_runtime, &bytes).await?;
            }
        }
    }
    to_runtime.shutdown().await
}

fn job(room: &ShellRoom, asked: Terminal) -> Job {
    let mut own = BTreeMap::from([("TERM".to_owned(), "xterm-256color".to_owned())]);
    own.extend(asked.env);
    let mut command = asked.command.into_iter();
    Job {
        program: command.next().unwrap_or_else(|| "/bin/bash".to_owned()),
        args: command.collect(),
        cwd: PathBuf::from(WORKSPACE),
        env: environment(&room.settings, &own),
        on_terminal: true,
    }
}

async fn show(screen: &Screen, to_runtime: &mut WriteHalf<Stream>) -> io::Result<()> {
    while let Some(bytes) = screen.read().await? {
        write_frame(to_runtime, &bytes).await?;
    }
    Ok(())
}

async fn type_in(screen: &Screen, mut from_runtime: ReadHalf<Stream>) -> io::Result<()> {
    while let Some(input) = read_message(&mut from_runtime).await? {
        match input {
            TerminalInput::Bytes(bytes) => screen.write_all(&bytes).await?,
            TerminalInput::Resize { cols, rows } => screen.resize(cols, rows)?,
        }
    }
    Ok(())
}

fn size(cols: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows.max(1), ws_col: cols.max(1), ws_xpixel: 0, ws_ypixel: 0 }
}

/// The controlling end of a pseudo-terminal.
struct Screen(AsyncFd<OwnedFd>);

impl Screen {
    fn new(controlling: OwnedFd) -> io::Result<Self> {
        fcntl(&controlling, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&controlling, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        // SAFETY: owned by the `AsyncFd`, so it stays open for as long.
        Ok(Self(unsafe { AsyncFd::register(controlling) }.map_err(io::Error::from)?))
    }

    /// Reads what was written on the terminal; `None` once nobody holds it any more.
    async fn read(&self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(read) = ready.try_io(|fd| read_once(fd.get_ref())) {
                return read;
            }
        }
    }

    /// Reads what is there without waiting.
    fn try_read(&self) -> io::Result<Option<Vec<u8>>> {
        match read_once(self.0.get_ref()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            read => read,
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|fd| Ok(nix::unistd::write(fd.get_ref(), bytes)?)) {
                Ok(written) => bytes = &bytes[written?..],
                Err(_would_block) => {}
            }
        }
        Ok(())
    }

    fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        let size = size(cols, rows);
        // SAFETY: the descriptor is open and the request reads one `winsize`.
        Errno::result(unsafe { libc::ioctl(self.0.get_ref().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) })?;
        Ok(())
    }
}

fn read_once(fd: &OwnedFd) -> io::Result<Option<Vec<u8>>> {
    let mut piece = vec![0; PIECE];
    match nix::unistd::read(fd, &mut piece) {
        Ok(0) | Err(Errno::EIO) => Ok(None),
        Ok(length) => {
            piece.truncate(length);
            Ok(Some(piece))
        }
        Err(error) => Err(error.into()),
    }
}
