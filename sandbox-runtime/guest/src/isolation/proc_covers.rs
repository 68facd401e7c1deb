//! Covers over the entries of `/proc` that are not processes, by the rule that the backend has for the other room.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use sandbox_link::walls::{ProcCover, proc_covers};

/// Makes folders read-only, and hides files that somebody may write or that not everybody may read.
pub fn cover_proc() -> io::Result<()> {
    for (path, cover) in proc_covers()? {
        match cover {
            ProcCover::ReadOnly => {
                bind(&path, &path)?;
                let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | KEPT;
                mount(None::<&str>, &path, None::<&str>, flags, None::<&str>)?;
            }
            ProcCover::Hidden => bind(Path::new("/dev/null"), &path)?,
        }
    }
    Ok(())
}

/// Flags that every mount of `/proc` has.
const KEPT: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

fn bind(from: &Path, onto: &Path) -> io::Result<()> {
    let from = CString::new(from.as_os_str().as_bytes())?;
    Ok(mount(Some(from.as_c_str()), onto, None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}
