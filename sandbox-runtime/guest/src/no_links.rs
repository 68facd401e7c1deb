//! The desktop room's own view of the workspace: no link beneath it is followed.
//!
//! Programs of the shell room write the workspace, and a link that they put there would lead the browser, its file chooser
//! and its dialogs to wherever it says in this room: the browser's profile. So the kernel refuses every link on that mount.
//! bubblewrap cannot ask for it; the guest does, in a namespace of its own, before anything else runs.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::libc;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{getegid, geteuid};
use sandbox_link::protocol::NO_LINKS_VARIABLE;

use crate::isolation::namespaces::{enter_user_namespace, give_up_privileges};

/// `MS_NOSYMFOLLOW` of Linux 5.10.
const NO_LINKS: libc::c_ulong = 256;

/// Whether this room is to follow no links: the desktop room.
pub fn are_wanted() -> bool {
    std::env::var_os(NO_LINKS_VARIABLE).is_some()
}

/// Sets up what the room's environment asks for. To be called before any thread exists.
///
/// # Errors
///
/// When the kernel does not do it: then the room must not start.
pub fn follow_none() -> io::Result<()> {
    let Some(folder) = std::env::var_os(NO_LINKS_VARIABLE) else { return Ok(()) };
    // Everybody keeps the number that he has.
    let same = (geteuid().as_raw(), getegid().as_raw());
    enter_user_namespace(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, same)?;
    let flags = libc::MS_REMOUNT | libc::MS_BIND | NO_LINKS | kept(statvfs(folder.as_os_str())?.flags());
    let folder = CString::new(folder.as_bytes())?;
    // nix has no name for the flag, and would drop it.
    // SAFETY: a terminated path, and null where a remount takes nothing.
    let done = unsafe { libc::mount(std::ptr::null(), folder.as_ptr(), std::ptr::null(), flags, std::ptr::null()) };
    Errno::result(done)?;
    // A new user namespace gives its first process every capability in it; nothing here needs one.
    give_up_privileges()
}

/// Returns the flags that a mount has, as mounting it again takes them: without them it would lose them, or be refused.
fn kept(flags: FsFlags) -> libc::c_ulong {
    [
        (FsFlags::ST_RDONLY, libc::MS_RDONLY),
        (FsFlags::ST_NOSUID, libc::MS_NOSUID),
        (FsFlags::ST_NODEV, libc::MS_NODEV),
        (FsFlags::ST_NOEXEC, libc::MS_NOEXEC),
        (FsFlags::ST_NOATIME, libc::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, libc::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, libc::MS_RELATIME),
    ]
    .into_iter()
    .filter(|(has, _)| flags.contains(*has))
    .fold(0, |all, (_, flag)| all | flag)
}
