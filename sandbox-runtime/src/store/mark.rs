//! How far the history has come, written outside of it: where a damaged log loses the newest events, the mark tells.
//!
//! The mark follows the commits, so it is never ahead of the disk.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Beside the database.
const FILE: &str = "history.mark";

/// The file with the number of the event that was committed last.
pub(super) struct Mark {
    path: PathBuf,
    /// `None` where it could not be opened: then nothing is noticed at the next start.
    file: Option<File>,
}

impl Mark {
    /// Opens the mark of the database beneath `home`.
    pub fn beneath(home: &Path) -> Self {
        let path = home.join(FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(|error| tracing::warn!(%error, "the history's mark cannot be kept")).ok();
        Self { path, file }
    }

    /// Returns the number that was written last; `None` if there is none, or none that can be read.
    pub fn last(&self) -> Option<i64> {
        let mut line = [0; LINE];
        self.file.as_ref()?.read_exact_at(&mut line, 0).ok()?;
        let text = std::str::from_utf8(&line).ok()?;
        let row: i64 = text.get(..DIGITS)?.parse().ok()?;
        (text == self::line(row)).then_some(row)
    }

    /// Writes the number, in place: that takes no room on a full disk.
    pub fn set(&self, row: i64) {
        let Some(file) = &self.file else { return };
        if let Err(error) = file.write_all_at(line(row).as_bytes(), 0) {
            tracing::warn!(%error, path = %self.path.display(), "the history's mark could not be written");
        }
    }
}

const DIGITS: usize = 19;
/// Digits, a blank, a check sum, the end of the line.
const LINE: usize = DIGITS + 1 + 8 + 1;

fn line(row: i64) -> String {
    let digits = format!("{row:019}");
    // FNV-1a: tells a damaged mark from a written one.
    let sum = digits.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{digits} {sum:08x}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_a_damaged_one_is_none() {
        let home = tempfile::tempdir().unwrap();
        let mark = Mark::beneath(home.path());
        assert_eq!(mark.last(), None);
        for row in [0, 7, i64::MAX] {
            mark.set(row);
            assert_eq!(Mark::beneath(home.path()).last(), Some(row));
        }
        mark.set(7);
        let path = home.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3] = b'9';
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Mark::beneath(home.path()).last(), None);
    }
}
