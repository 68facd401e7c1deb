//! Finding files by their name and by what stands in them, within bounds of time and of what is read.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use sandbox_core::model::{FileEntry, FileKind};
use tokio_util::sync::CancellationToken;

use super::{Workspace, WorkspaceError};

/// Most matches of one search.
pub const MATCHES_MAX: usize = 500;
/// Lines of one file that are told.
const LINES_OF_A_FILE: usize = 5;
/// How long a search looks into files; what it has by then is the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of all files together that a search reads.
const READ_MAX: u64 = 2 << 30;
/// Longest line that is looked at whole; of a longer one, the pieces.
const LINE_MAX: u64 = 64 << 10;
/// Letters of a line that are told, around the words.
const SHOWN: usize = 160;
const HEAD: usize = 4096;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub words: String,
    /// Also in what files say; else in their names only.
    pub content: bool,
    pub limit: usize,
}

/// A file that was found, or a line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMatch {
    pub entry: FileEntry,
    /// Counted from 1; `None` where its name has the words.
    pub line: Option<u64>,
    pub text: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub matches: Vec<FileMatch>,
    /// There may be more than is told.
    pub truncated: bool,
}

impl Workspace {
    /// Looks for words beneath a folder, whatever their case: in paths, then in what files say. Blocks; ends early when
    /// `stop` says so. Links are not followed, and only regular files are read.
    pub fn search(&self, path: &str, query: &Query, stop: &CancellationToken) -> Result<Found, WorkspaceError> {
        let listing = self.list(path, true)?;
        let words = query.words.to_lowercase();
        let mut found = Found { matches: Vec::new(), truncated: listing.truncated };
        if words.is_empty() {
            return Ok(found);
        }
        let named = listing.entries.iter().filter(|entry| entry.path.to_lowercase().contains(&words));
        found.matches.extend(named.map(|entry| FileMatch { entry: entry.clone(), line: None, text: None }));
        if query.content {
            self.look_into(&listing.entries, &words, query.limit, stop, &mut found);
        }
        if found.matches.len() > query.limit {
            found.matches.truncate(query.limit);
            found.truncated = true;
        }
        Ok(found)
    }

    fn look_into(&self, entries: &[FileEntry], words: &str, limit: usize, stop: &CancellationToken, found: &mut Found) {
        let until = Instant::now() + PATIENCE;
        let mut left = READ_MAX;
        for entry in entries.iter().filter(|entry| entry.kind == FileKind::File) {
            if found.matches.len() > limit || left == 0 || stop.is_cancelled() || Instant::now() > until {
                found.truncated = true;
                return;
            }
            // Gone, exchanged or closed to us since it was listed: passed over.
            let Ok((file, entry)) = self.open_file(&entry.path) else { continue };
            let over = || stop.is_cancelled() || Instant::now() > until;
            let read = lines_with(file.take(left), words, over, |line, text| {
                found.matches.push(FileMatch { entry: entry.clone(), line: Some(line), text: Some(text) });
            });
            left = left.saturating_sub(read);
        }
    }
}

/// Tells the first lines that have the words, and returns how many bytes were read. What is no text is passed over.
fn lines_with(file: impl Read, words: &str, over: impl Fn() -> bool, mut tell: impl FnMut(u64, String)) -> u64 {
    let mut reader = BufReader::with_capacity(128 << 10, file);
    match reader.fill_buf() {
        Ok(head) if head[..head.len().min(HEAD)].contains(&0) => return 0,
        Ok(_) => {}
        Err(_) => return 0,
    }
    let (mut read, mut line, mut n_told) = (0, 1, 0);
    let mut piece = Vec::new();
    while n_told < LINES_OF_A_FILE {
        piece.clear();
        match (&mut reader).take(LINE_MAX).read_until(b'\n', &mut piece) {
            Ok(0) | Err(_) => return read,
            Ok(n) => read += n as u64,
        }
        let text = String::from_utf8_lossy(&piece);
        let lower = text.to_lowercase();
        if let Some(at) = lower.find(words) {
            tell(line, around(&text, lower[..at].chars().count()));
            n_told += 1;
        }
        if piece.ends_with(b"\n") {
            line += 1;
            if line % 4096 == 0 && over() {
                return read;
            }
        }
    }
    read
}

/// Returns the letters around the one with that number, in one line.
fn around(text: &str, at: usize) -> String {
    let from = at.saturating_sub(SHOWN / 3);
    let cut = text.trim_end().chars().skip(from).take(SHOWN).collect::<String>();
    let mark = |is_cut: bool| if is_cut { "…" } else { "" };
    let is_long = text.trim_end().chars().nth(from + SHOWN).is_some();
    format!("{}{}{}", mark(from > 0), cut.trim_start(), mark(is_long))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_with_its_number_and_cut_around_the_words() {
        let text = format!("one\nTwo WORDS here\n{}words{}\n", "x".repeat(300), "y".repeat(300));
        let mut told = Vec::new();
        lines_with(text.as_bytes(), "words", || false, |line, text| told.push((line, text)));
        assert_eq!(told[0], (2, "Two WORDS here".to_owned()));
        assert!(
            told[1].0 == 3 && told[1].1.starts_with('…') && told[1].1.contains("words") && told[1].1.ends_with('…')
        );
        assert!(told[1].1.chars().count() <= SHOWN + 2);
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_over_and_a_file_tells_a_few_lines() {
        let mut told = 0;
        lines_with(&b"words\0words"[..], "words", || false, |_, _| told += 1);
        assert_eq!(told, 0);
        lines_with("words\n".repeat(100).as_bytes(), "words", || false, |_, _| told += 1);
        assert_eq!(told, LINES_OF_A_FILE);
    }
}
