//! Every supervisor that runs, as the guest knows them: what starts, wakes and ends them is the first process of the
//! commands' namespace, see [`super::starter`].

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socketpair, sockopt};
use nix::sys::time::TimeVal;
use sandbox_link::walls::{Layer, WallOrders};
use tokio::sync::Notify;

use super::job::{Job, SupervisorId};
use super::starter::{self, Answer, Order, STREAMS};
use crate::init;
use crate::isolation::namespaces::{Split, split_off_commands};
use crate::isolation::{Failure, wall_in_commands, wall_in_guest};

/// How long the starter may leave an order unread, in seconds: it does nothing that takes long.
const SEND_LIMIT_S: i64 = 5;
/// Beats of the room's heart that the starter may leave unanswered.
const LATE_BEATS: u64 = 6;

/// The process that starts commands, behind its walls.
pub struct Commands {
    socket: OwnedFd,
}

impl Commands {
    /// Splits off the process that starts commands, behind all its walls, and walls in this one. To be called while this
    /// process has one thread. Returns `None` in that process, once the guest is gone.
    ///
    /// # Errors
    /// The first layer that could not be set up: then nothing is to run.
    pub fn split_off(orders: &WallOrders) -> Result<Option<Self>, Failure> {
        let failed = |error: io::Error| Failure::new(Layer::Processes, error);
        let program = std::env::current_exe().map_err(failed)?;
        let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
        let (socket, guest) = pair.map_err(|error| failed(error.into()))?;
        match split_off_commands()? {
            Split::FirstOfCommands => {
                drop(socket);
                start_commands(guest, program, orders);
                Ok(None)
            }
            Split::Parent => {
                drop(guest);
                match starter::receive::<Answer>(&socket) {
                    Ok(Some((Answer::Begun, _))) => {}
                    // Said by the process itself already: its words are printed as they are.
                    Ok(Some((Answer::Failed(said), _))) => {
                        let (layer, cause) = Layer::failed_in(&said).unwrap_or((Layer::Processes, said));
                        return Err(Failure { layer, cause });
                    }
                    Ok(_) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
                    Err(error) => return Err(failed(error)),
                }
                let limit = TimeVal::new(SEND_LIMIT_S, 0);
                setsockopt(&socket, sockopt::SendTimeout, &limit).map_err(|error| failed(error.into()))?;
                wall_in_guest(orders)?;
                Ok(Some(Self { socket }))
            }
        }
    }
}

/// The life of the commands' first process.
fn start_commands(guest: OwnedFd, program: std::path::PathBuf, orders: &WallOrders) {
    let walled = init::close_all_but(guest.as_raw_fd())
        .map_err(|error| Failure::new(Layer::Processes, format!("close what is not for commands: {error}")))
        .and_then(|()| wall_in_commands(orders));
    if let Err(failure) = walled {
        // A guest that is gone needs no answer.
        let _ = starter::send(&guest, &Answer::Failed(failure.to_string()), &[]);
        return;
    }
    // Its end is the end of every command, and the guest's.
    let _ = starter::serve(guest, program);
}

pub struct Supervisors {
    starter: OwnedFd,
    next: AtomicU64,
    /// Pings that were not answered yet.
    unanswered: AtomicU64,
    /// Those that are not known to be gone.
    alive: Mutex<BTreeSet<SupervisorId>>,
    went: Notify,
}

impl Supervisors {
    /// Begins to listen to the starter, on a thread that lives as long as this process.
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn begin(commands: Commands) -> io::Result<Arc<Self>> {
        let starter = commands.socket;
        let next = AtomicU64::new(1);
        let supervisors = Arc::new(Self {
            starter,
            next,
            unanswered: AtomicU64::new(0),
            alive: Mutex::default(),
            went: Notify::new(),
        });
        let listening = supervisors.clone();
        std::thread::Builder::new().name("starter".to_owned()).spawn(move || listening.listen())?;
        Ok(supervisors)
    }

    /// Starts one with the standard streams and the control socket of its job. That it cannot be started it says on that
    /// socket.
    ///
    /// # Errors
    /// When the order cannot be given.
    pub fn start(&self, job: &Job, streams: [&OwnedFd; 3], control: &OwnedFd) -> io::Result<SupervisorId> {
        let mut described = File::from(memfd_create("job", MFdFlags::MFD_CLOEXEC)?);
        described.write_all(&serde_json::to_vec(job)?)?;
        described.rewind()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let [stdin, stdout, stderr] = streams.map(AsRawFd::as_raw_fd);
        let descriptors: [RawFd; STREAMS] = [described.as_raw_fd(), stdin, stdout, stderr, control.as_raw_fd()];
        self.lock().insert(id);
        starter::send(&self.starter, &Order::Start(id), &descriptors).inspect_err(|_| {
            self.lock().remove(&id);
        })?;
        Ok(id)
    }

    /// Lets a supervisor go on that its command has stopped.
    pub fn wake(&self, id: SupervisorId) {
        self.order(&Order::Wake(id));
    }

    /// Waits until a supervisor is gone: then its command's orphans are the starter's own.
    pub async fn gone(&self, id: SupervisorId) {
        loop {
            let mut went = pin!(self.went.notified());
            went.as_mut().enable();
            if !self.lock().contains(&id) {
                return;
            }
            went.await;
        }
    }

    /// Kills a supervisor that does not do as it is told, with all that its command started; `false` when it is gone.
    pub fn end(&self, id: SupervisorId) -> bool {
        let is_alive = self.lock().contains(&id);
        if is_alive {
            self.order(&Order::End(id));
        }
        is_alive
    }

    /// Kills what supervisors left behind that were killed themselves.
    pub fn kill_strays(&self) {
        self.order(&Order::KillStrays);
    }

    /// Whether the starter answers: asked once for each beat, it may be late by a few.
    pub fn answer(&self) -> bool {
        if self.unanswered.load(Ordering::Relaxed) >= LATE_BEATS {
            return false;
        }
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.order(&Order::Ping);
        true
    }

    fn order(&self, order: &Order) {
        if let Err(error) = starter::send(&self.starter, order, &[]) {
            tracing::warn!(%error, ?order, "the starter of commands did not take an order");
        }
    }

    fn listen(&self) {
        while let Ok(Some((answer, _))) = starter::receive::<Answer>(&self.starter) {
            match answer {
                Answer::Gone(id) => {
                    self.lock().remove(&id);
                    self.went.notify_waiters();
                }
                Answer::Pong => self.unanswered.store(0, Ordering::Relaxed),
                Answer::Begun | Answer::Failed(_) => {}
            }
        }
        // A room that can start nothing is of no use: its end is noticed, and it is started again.
        tracing::error!("the starter of commands is gone");
        std::process::exit(1);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<SupervisorId>> {
        // Every change is one call: no panic can leave it half changed.
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
