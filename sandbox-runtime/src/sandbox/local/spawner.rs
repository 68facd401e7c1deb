//! The one thread that starts rooms.
//!
//! "Die with parent" means the parent *thread*: a room started from a thread of a pool would be killed when the pool lets
//! that thread go. This one lives as long as the process.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::mpsc;

use nix::errno::Errno;
use nix::libc;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::descriptors::Descriptors;

/// Open files that a process of a room may have, if the host allows this process as many.
const OPEN_FILES: libc::rlim_t = 65_536;

struct Order {
    command: Command,
    runtime: tokio::runtime::Handle,
    started: oneshot::Sender<io::Result<Child>>,
}

/// Starts `command` with `descriptors` and no others, so that it dies with this process, in the control groups behind
/// `doors`.
pub async fn spawn(mut command: Command, descriptors: Descriptors, doors: Vec<File>) -> io::Result<Child> {
    prepare(&mut command, descriptors, doors)?;
    let (started, answer) = oneshot::channel();
    let order = Order { command, runtime: tokio::runtime::Handle::current(), started };
    let gone = || io::Error::other("the thread that starts rooms is gone");
    orders()?.send(order).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn orders() -> io::Result<&'static mpsc::Sender<Order>> {
    static ORDERS: OnceLock<Option<mpsc::Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        // Unbounded, but each order is waited for by whoever starts a room.
        let (orders, received) = mpsc::channel::<Order>();
        let run = move || {
            for mut order in received {
                let _entered = order.runtime.enter();
                // Nobody waits any more: the child is then dropped, and killed by that.
                let _ = order.started.send(order.command.spawn());
            }
        };
        std::thread::Builder::new().name("rooms".to_owned()).spawn(run).ok().map(|_| orders)
    });
    orders.as_ref().ok_or_else(|| io::Error::other("no thread to start rooms"))
}

fn prepare(command: &mut Command, descriptors: Descriptors, doors: Vec<File>) -> io::Result<()> {
    let (_, most_files) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    let open_files = libc::rlimit { rlim_cur: most_files.min(OPEN_FILES), rlim_max: most_files.min(OPEN_FILES) };
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let parent = nix::unistd::getpid();
    let is_root = nix::unistd::geteuid().is_root();
    // SAFETY: only system calls, which are safe between fork and exec; nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            Errno::result(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            if nix::unistd::getppid() != parent {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            // Ctrl+C in a terminal is for the runtime, which then ends its rooms.
            Errno::result(libc::setpgid(0, 0))?;
            for door in &doors {
                // To a control group, 0 is whoever writes it.
                let written = libc::write(door.as_raw_fd(), c"0".as_ptr().cast(), 1);
                Errno::result(written)?;
            }
            libc::umask(0o022);
            Errno::result(libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core))?;
            Errno::result(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const open_files))?;
            if is_root {
                // Groups of the runtime would be groups of the room.
                Errno::result(libc::setgroups(0, std::ptr::null()))?;
            }
            // A session keyring of its own, or the room would have the runtime's; a kernel without keys has none to give.
            let joined = libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<u8>());
            match Errno::result(joined) {
                Ok(_) | Err(Errno::ENOSYS) => {}
                Err(error) => return Err(error.into()),
            }
            descriptors.take_places()
        });
    }
    Ok(())
}
