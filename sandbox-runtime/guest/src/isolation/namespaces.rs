//! The namespaces of commands, made by the guest inside its room.
//!
//! Commands cannot name the guest: they live in a process namespace beneath the guest's, with a `/proc` of that namespace.
//! They are user 1000 in a user namespace that has no right over any mount, and in which no further one can be made.
//!
//! The backend starts the guest with the few capabilities that this takes, over its own room alone; [`give_up_privileges`]
//! drops them before the first command.

use std::ffi::c_ulong;
use std::fs;
use std::io;

use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sys::resource::{Resource, setrlimit};
use sandbox_link::walls::{Layer, WallOrders};

use super::Failure;
use super::proc_covers::cover_proc;

/// User and group of commands, and of the desktop room's programs.
pub const COMMAND_ID: u32 = 1000;

/// Which side of a split a process is.
pub enum Split {
    Parent,
    /// The first process of the new namespace.
    FirstOfCommands,
}

/// Splits off the first process of the commands' namespace. To be called while this process has one thread.
///
/// # Errors
/// When the kernel does not make it.
pub fn split_off_commands() -> Result<Split, Failure> {
    let flags = libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::SIGCHLD;
    // SAFETY: without a stack and without shared memory this is a fork, of a process with one thread.
    let child = unsafe { libc::syscall(libc::SYS_clone, c_ulong::from(flags.cast_unsigned()), 0, 0, 0, 0) };
    match Errno::result(child) {
        Ok(0) => Ok(Split::FirstOfCommands),
        Ok(_) => Ok(Split::Parent),
        Err(error) => Err(Failure::new(Layer::Processes, format!("make a process namespace: {}", error.desc()))),
    }
}

/// Walls in the first process of the commands' namespace: its own `/proc`, user 1000, no right to more.
///
/// # Errors
/// The first step that the kernel refuses.
pub fn wall_in(orders: &WallOrders) -> Result<(), Failure> {
    let step =
        |layer, what: &str, done: io::Result<()>| done.map_err(|error| Failure::new(layer, format!("{what}: {error}")));
    let processes = Layer::Processes;
    step(processes, "keep mounts private", private_mounts())?;
    step(processes, "mount /proc", mount_proc())?;
    step(Layer::UserNamespaces, "allow no further user namespaces", allow_one_more_user_namespace())?;
    step(processes, "cover /proc", cover_proc())?;
    // Commands are what goes when memory is short, before the display and the browser.
    step(Layer::Limits, "offer commands when memory is short", fs::write("/proc/self/oom_score_adj", "300"))?;
    // The kernel counts it for this user namespace alone, because it is set before that is made.
    let limits = [
        (Resource::RLIMIT_NPROC, orders.processes),
        (Resource::RLIMIT_DATA, orders.data_bytes),
        (Resource::RLIMIT_FSIZE, orders.file_bytes),
    ];
    for (resource, most) in limits {
        if let Some(most) = most {
            step(Layer::Limits, "set limits of processes", setrlimit(resource, most, most).map_err(io::Error::from))?;
        }
    }
    step(Layer::UserNamespaces, "become user 1000", become_user())?;
    step(Layer::Privileges, "give up privileges", give_up_privileges())?;
    step(Layer::Privileges, "gain no new privileges", no_new_privileges())
}

fn private_mounts() -> io::Result<()> {
    Ok(mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?)
}

fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}

/// The one that this process becomes user 1000 in.
fn allow_one_more_user_namespace() -> io::Result<()> {
    fs::write("/proc/sys/user/max_user_namespaces", "1")
}

fn become_user() -> io::Result<()> {
    enter_user_namespace(libc::CLONE_NEWUSER, (COMMAND_ID, COMMAND_ID))
}

/// Makes the container's one user `id` in a user namespace of its own, with every right over the mounts of this room alone;
/// [`give_up_privileges`] drops them.
///
/// # Errors
/// When the kernel refuses.
pub fn become_user_of_container(id: u32) -> Result<(), Failure> {
    enter_user_namespace(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, (id, id))
        .map_err(|error| Failure::new(Layer::UserNamespaces, format!("make a user namespace: {error}")))
}

/// Enters new namespaces, a user namespace among them, in which this process's user and group have the numbers `named`.
///
/// # Errors
/// When the kernel refuses.
pub fn enter_user_namespace(flags: libc::c_int, named: (u32, u32)) -> io::Result<()> {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    // SAFETY: takes a number; no thread shares what it changes.
    Errno::result(unsafe { libc::unshare(flags) })?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{} {user} 1", named.0))?;
    fs::write("/proc/self/gid_map", format!("{} {group} 1", named.1))
}

/// Drops every capability, also of what this process may start.
///
/// # Errors
/// When the kernel refuses.
pub fn give_up_privileges() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    const VERSION_3: u32 = 0x2008_0522;
    const LAST_POSSIBLE: libc::c_ulong = 63;
    for capability in 0..=LAST_POSSIBLE {
        // Refused for numbers that this kernel has no capability for, and where nothing is there to drop.
        // SAFETY: takes numbers.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [0_u32; 6];
    // SAFETY: the header and the two sets of three words that this version of the call reads.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) })?;
    Ok(())
}

fn no_new_privileges() -> io::Result<()> {
    Ok(nix::sys::prctl::set_no_new_privs()?)
}
