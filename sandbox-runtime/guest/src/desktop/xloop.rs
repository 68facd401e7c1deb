//! Waiting on an X connection and on calls from other threads at once. Each X thread of the desktop room has one loop
//! of this kind and owns its connection alone.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use x11rb::connection::Connection;
use x11rb::errors::ConnectionError;
use x11rb::protocol::Event;
use x11rb::rust_connection::RustConnection;

/// Wakes the thread that holds the [`Wakeups`]. Waking twice before it looks is waking once.
#[derive(Clone, Debug)]
pub struct Waker(Arc<UnixStream>);

/// The thread's end of a [`Waker`].
#[derive(Debug)]
pub struct Wakeups(UnixStream);

/// What ended a wait.
#[derive(Debug)]
pub enum Woken {
    Event(Event),
    /// A waker was used, or its owner is gone: look at what was asked.
    Called,
    DeadlinePassed,
}

/// Makes the two ends.
pub fn wakeups() -> std::io::Result<(Waker, Wakeups)> {
    let (waker, wakeups) = UnixStream::pair()?;
    waker.set_nonblocking(true)?;
    wakeups.set_nonblocking(true)?;
    Ok((Waker(Arc::new(waker)), Wakeups(wakeups)))
}

impl Waker {
    pub fn wake(&self) {
        // A full pipe means that a wake-up already waits; a closed one that nobody is left to wake.
        let _ = (&*self.0).write(&[1]);
    }
}

impl Wakeups {
    /// Flushes requests, then waits for an event, a call, or the deadline.
    pub fn wait(&self, x: &RustConnection, deadline: Option<Instant>) -> Result<Woken, ConnectionError> {
        loop {
            x.flush()?;
            if let Some(event) = x.poll_for_event()? {
                return Ok(Woken::Event(event));
            }
            let timeout = match deadline {
                None => PollTimeout::NONE,
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(Woken::DeadlinePassed);
                    }
                    PollTimeout::from(u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX))
                }
            };
            let mut ready =
                [PollFd::new(x.stream().as_fd(), PollFlags::POLLIN), PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut ready, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(ConnectionError::IoError(error.into())),
            }
            if ready[1].any().unwrap_or(false) && self.take() {
                return Ok(Woken::Called);
            }
        }
    }

    /// Takes all waiting wake-ups. True also when the waker is gone.
    fn take(&self) -> bool {
        let mut bytes = [0; 64];
        let mut called = false;
        loop {
            match (&self.0).read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => called = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return called,
            }
        }
    }
}
