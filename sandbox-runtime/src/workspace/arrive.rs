//! Files that come from the browser: moved into a folder of the workspace under a name that nothing has there yet.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, RenameFlags, openat, renameat2};
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use sandbox_core::model::FileKind;

use super::beneath::{Parents, Place, kind};
use super::path::Inside;
use super::{Workspace, WorkspaceError};

/// Longest name of a file in bytes.
const MAX_NAME: usize = 255;
/// Longest ending in bytes that a shortened name keeps, the dot included.
const MAX_ENDING: usize = 32;
/// How many names are tried when files of that name are there.
const MAX_NUMBER: usize = 10_000;
const MODE: u32 = 0o644;

impl Workspace {
    /// Moves `file` of the open folder `from` into the workspace's folder `into`, as `name` or, where that is taken, as
    /// `name (1)` and so on. Makes the folders on the way, follows their links as far as they stay inside, and replaces nothing.
    ///
    /// Returns the path in the workspace. On an error the file stays where it is.
    pub fn arrive(&self, from: BorrowedFd<'_>, file: &OsStr, into: &str, name: &str) -> Result<String, WorkspaceError> {
        let wrong = |errno| WorkspaceError::errno("take in", name, errno);
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let opened = File::from(openat(from, file, flags, Mode::empty()).map_err(wrong)?);
        match kind(&fstat(&opened).map_err(wrong)?) {
            FileKind::File => {}
            kind @ (FileKind::Directory | FileKind::Symlink | FileKind::Other) => {
                return Err(WorkspaceError::NotAFile { path: name.to_owned(), kind });
            }
        }
        fchmod(&opened, Mode::from_bits_truncate(MODE)).map_err(wrong)?;
        let name = plain_name(name);
        for number in 0..MAX_NUMBER {
            let path = format!("{into}/{}", numbered(&name, number));
            let place = self.place(&Inside::parse(&path)?, Parents::AreMade)?;
            let moved = renameat2(from, file, &place.folder, place.name.as_os_str(), RenameFlags::RENAME_NOREPLACE);
            let done = match moved {
                // Another file system, or one that cannot be told not to replace.
                Err(Errno::EXDEV | Errno::EINVAL | Errno::ENOSYS) => copy_to(&place, &opened)
                    .and_then(|()| unlinkat(from, file, UnlinkatFlags::NoRemoveDir).map_err(std::io::Error::from)),
                moved => moved.map_err(std::io::Error::from),
            };
            match done {
                Ok(()) => return Ok(path),
                Err(error) if error.raw_os_error() == Some(Errno::EEXIST as i32) => {}
                Err(error) => return Err(WorkspaceError::io("take in", &path, error)),
            }
        }
        Err(WorkspaceError::AlreadyExists { path: format!("{into}/{name}") })
    }
}

fn copy_to(place: &Place, mut from: &File) -> std::io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let made = openat(place.folder.as_fd(), place.name.as_os_str(), flags, Mode::from_bits_truncate(MODE))?;
    let copied = std::io::copy(&mut from, &mut File::from(made));
    if copied.is_err() {
        // What is half there is of no use; the error is told either way.
        let _ = unlinkat(place.folder.as_fd(), place.name.as_os_str(), UnlinkatFlags::NoRemoveDir);
    }
    copied.map(drop)
}

/// Returns a suggested name as a file can have it: one name, not hidden, at most [`MAX_NAME`] bytes, its ending kept.
pub fn plain_name(suggested: &str) -> String {
    let of_a_file = |c: char| if c == '/' || c.is_control() { '_' } else { c };
    let mut name: String = suggested.trim().chars().map(of_a_file).collect();
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    if name.is_empty() {
        name.push_str("download");
    }
    numbered(&name, 0)
}

/// Returns `name (number)` with its ending behind the number, cut to what a file can have; the name itself for 0.
fn numbered(name: &str, number: usize) -> String {
    let (stem, ending) = stem_and_ending(name);
    let number = if number == 0 { String::new() } else { format!(" ({number})") };
    let room = MAX_NAME.saturating_sub(ending.len() + number.len());
    let stem = &stem[..stem.floor_char_boundary(room)];
    format!("{stem}{number}{ending}")
}

/// Returns a path with `name (number)` in place of its last name; the path itself for 0.
pub(super) fn beside(path: &str, number: usize) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{}", numbered(name, number)),
        None => numbered(path, number),
    }
}

/// Splits a name before its ending. `.tar.gz` and its like are one; what is long, or has a space, is no ending.
fn stem_and_ending(name: &str) -> (&str, &str) {
    let ending_of = |name: &str| {
        let at = name.rfind('.').filter(|at| *at > 0)?;
        let ending = &name[at..];
        (ending.len() > 1 && ending.len() <= MAX_ENDING && !ending.contains(char::is_whitespace)).then_some(at)
    };
    let Some(mut at) = ending_of(name) else { return (name, "") };
    if let Some(first) = ending_of(&name[..at]).filter(|first| &name[*first..at] == ".tar") {
        at = first;
    }
    name.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_in_bytes_and_keeps_its_ending() {
        for (long, ending) in [
            ("n".repeat(300) + ".csv", ".csv"),
            ("备案管理".repeat(40) + ".pdf", ".pdf"),
            ("x".repeat(254) + "é.tar.gz", ".tar.gz"),
            ("🙂".repeat(100), "🙂"),
            ("n".repeat(300) + ".no ending", "n"),
            ("a.".to_owned() + &"b".repeat(300), "b"),
        ] {
            let name = plain_name(&long);
            assert!(name.len() <= MAX_NAME && name.len() > MAX_NAME - 4, "{} bytes: {name}", name.len());
            assert!(name.ends_with(ending), "{name}");
            let second = numbered(&name, 12);
            assert!(second.len() <= MAX_NAME && second.contains(" (12)"), "{second}");
        }
    }

    #[test]
    fn a_name_is_that_of_one_file_that_is_seen() {
        for (suggested, name) in [
            ("report.csv", "report.csv"),
            ("a/b", "a_b"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            (".bashrc", "_bashrc"),
            ("two\nlines.txt", "two_lines.txt"),
            ("", "download"),
            ("..", "_."),
            ("résumé 履歴書.txt", "résumé 履歴書.txt"),
        ] {
            let given = plain_name(suggested);
            assert!(given == name || (suggested.starts_with("../") && !given.contains('/')), "{suggested:?}: {given}");
        }
    }

    #[test]
    fn the_number_stands_before_the_ending() {
        for (name, second) in [
            ("report.csv", "report (1).csv"),
            ("logs.tar.gz", "logs (1).tar.gz"),
            ("README", "README (1)"),
            ("v1.2 final", "v1.2 final (1)"),
        ] {
            assert_eq!(numbered(name, 1), second);
        }
    }
}
