//! The workspace for the model: reading, listing and searching within bounds, each saying what it left out and how to get it.

use sandbox_core::model::FileKind;
use sandbox_core::work::{ListFolder, ReadFile, SearchFiles};

use super::fence::Source;
use super::handled::Handled;
use crate::workspace::Workspace;

/// Characters of a file or an output that are shown at once.
const SHOWN_CHARS: usize = 12_000;
/// Lines of a file that are shown unless more are asked for.
const LINES: usize = 400;
/// Bytes of a file that are read at all: a larger one is for a command.
const MOST_BYTES: u64 = 8 << 20;
const ENTRIES: usize = 300;
const HITS: usize = 60;
/// Bytes of a file that is searched; larger ones are named.
const SEARCHED_BYTES: u64 = 1 << 20;

/// Returns the beginning and the end of a long text, with how much is left out between them and how to get it.
pub fn bounded(text: &str, how: &str) -> String {
    let n_chars = text.chars().count();
    if n_chars <= SHOWN_CHARS {
        return text.to_owned();
    }
    let head: String = text.chars().take(SHOWN_CHARS / 4).collect();
    let tail: String = text.chars().skip(n_chars - SHOWN_CHARS * 3 / 4).collect();
    let left_out = n_chars - SHOWN_CHARS / 4 - SHOWN_CHARS * 3 / 4;
    format!("{head}\n… {left_out} characters are left out here; {how} …\n{tail}")
}

/// Reads lines of a text file. Blocks.
pub fn read(workspace: &Workspace, wanted: &ReadFile) -> Handled {
    let content = match workspace.stat(&wanted.path) {
        Ok(entry) if entry.size > MOST_BYTES => {
            return Handled::not_done(format!(
                "Not read: the file has {} bytes; take what you need of it with a command.",
                entry.size
            ));
        }
        Ok(_) => workspace.read(&wanted.path, None),
        Err(error) => Err(error),
    };
    let bytes = match content {
        Ok(content) => content.bytes,
        Err(error) => return Handled::not_done(format!("Not read: {error}.")),
    };
    let n_bytes = bytes.len();
    let Ok(text) = String::from_utf8(bytes) else {
        return Handled::not_done(format!("Not read: the file is no text, and has {n_bytes} bytes; use a command."));
    };
    let lines: Vec<&str> = text.lines().collect();
    let from = wanted.from_line.unwrap_or(1).max(1);
    if from > lines.len().max(1) {
        return Handled::not_done(format!("Not read: the file has only {} lines.", lines.len()));
    }
    let mut shown = String::new();
    let mut to = from - 1;
    for line in lines.iter().skip(from - 1).take(wanted.lines.unwrap_or(LINES).max(1)) {
        let n_chars = line.chars().count();
        if to >= from && shown.len() + line.len() > SHOWN_CHARS {
            break;
        }
        to += 1;
        if n_chars > SHOWN_CHARS {
            let begin: String = line.chars().take(SHOWN_CHARS).collect();
            shown.push_str(&format!("{begin}… {} characters of this line are left out\n", n_chars - SHOWN_CHARS));
        } else {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    let said = match lines.len() {
        0 => "The file is empty.".to_owned(),
        n_lines if to == n_lines && from == 1 => format!("The whole file, {n_lines} lines."),
        n_lines if to == n_lines => format!("Lines {from} to {to}, the last."),
        n_lines => format!("Lines {from} to {to} of {n_lines}; read on with `fromLine`: {}.", to + 1),
    };
    Handled::said(said).with(Source::File, shown)
}

/// Lists a folder. Blocks.
pub fn list(workspace: &Workspace, wanted: &ListFolder) -> Handled {
    let path = wanted.path.as_deref().unwrap_or(".");
    let listing = match workspace.list(path, wanted.recursive.unwrap_or(false)) {
        Ok(listing) => listing,
        Err(error) => return Handled::not_done(format!("Not listed: {error}.")),
    };
    let n_entries = listing.entries.len();
    let lines = listing.entries.iter().take(ENTRIES).map(|entry| match entry.kind {
        FileKind::Directory => format!("{}/", entry.path),
        FileKind::File => format!("{} ({} bytes)", entry.path, entry.size),
        FileKind::Symlink => format!("{} (a link)", entry.path),
        FileKind::Other => format!("{} (neither file nor folder)", entry.path),
    });
    let shown = lines.collect::<Vec<_>>().join("\n");
    let more = if listing.truncated { " and more" } else { "" };
    let said = match n_entries {
        0 => return Handled::said("The folder is empty."),
        n if n <= ENTRIES && !listing.truncated => format!("{n} entries."),
        n => format!("The first {} of {n}{more} entries; list one of the folders for the rest.", n.min(ENTRIES)),
    };
    Handled::said(said).with(Source::File, shown)
}

/// Looks for words in names and texts. Blocks.
pub fn search(workspace: &Workspace, wanted: &SearchFiles) -> Handled {
    let words = wanted.text.to_lowercase();
    if words.trim().is_empty() {
        return Handled::not_done("Not searched: `text` is empty.");
    }
    let listing = match workspace.list(wanted.path.as_deref().unwrap_or("."), true) {
        Ok(listing) => listing,
        Err(error) => return Handled::not_done(format!("Not searched: {error}.")),
    };
    let (mut hits, mut n_hits, mut too_large) = (Vec::new(), 0, 0);
    let mut hit = |line: String| {
        n_hits += 1;
        if hits.len() < HITS {
            hits.push(line);
        }
    };
    for entry in listing.entries.iter().filter(|entry| entry.kind == FileKind::File) {
        if entry.path.to_lowercase().contains(&words) {
            hit(format!("{} (its name)", entry.path));
        }
        if entry.size > SEARCHED_BYTES {
            too_large += 1;
            continue;
        }
        // A file that went away or is no text holds no words.
        let Ok(content) = workspace.read(&entry.path, None) else { continue };
        let Ok(text) = String::from_utf8(content.bytes) else { continue };
        for (index, line) in text.lines().enumerate() {
            if line.to_lowercase().contains(&words) {
                let begin: String = line.trim().chars().take(200).collect();
                hit(format!("{}:{}: {begin}", entry.path, index + 1));
            }
        }
    }
    let mut said = match n_hits {
        0 => "Nothing was found.".to_owned(),
        n if n <= HITS => format!("{n} places."),
        n => format!("The first {HITS} of {n} places; search for more words, or in one folder."),
    };
    if too_large > 0 {
        said.push_str(&format!(" {too_large} files are too large to be searched here; use a command for them."));
    }
    if listing.truncated {
        said.push_str(" The workspace has more files than were looked at; search in one folder.");
    }
    let found = Handled::said(said);
    if hits.is_empty() { found } else { found.with(Source::File, hits.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(&folder.path().join("w")).unwrap();
        (folder, workspace)
    }

    fn put(workspace: &Workspace, path: &str, text: &str) {
        workspace.write(path, text.as_bytes(), 1 << 20).unwrap();
    }

    #[test]
    fn a_long_file_is_read_in_parts_and_says_how_to_read_on() {
        let (_folder, workspace) = workspace();
        let text: String = (1..=1_000).map(|n| format!("line {n}\n")).collect();
        put(&workspace, "long.txt", &text);
        let wanted = ReadFile { path: "long.txt".to_owned(), from_line: None, lines: None };
        let part = read(&workspace, &wanted);
        assert_eq!(part.did.said, "Lines 1 to 400 of 1000; read on with `fromLine`: 401.");
        assert!(part.did.shown[0].text.ends_with("line 400\n"));
        let rest = read(&workspace, &ReadFile { from_line: Some(990), ..wanted });
        assert_eq!(rest.did.said, "Lines 990 to 1000, the last.");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let (_folder, workspace) = workspace();
        workspace.write("a.bin", &[0xff_u8, 0xfe][..], 10).unwrap();
        let wanted = |path: &str, from_line| ReadFile { path: path.to_owned(), from_line, lines: None };
        for (wanted, why) in [
            (wanted("a.bin", None), "no text"),
            (wanted("none.txt", None), "none.txt"),
            (wanted("../x", None), "Not read"),
        ] {
            let handled = read(&workspace, &wanted);
            assert!(handled.did.failed && handled.did.said.contains(why), "{}", handled.did.said);
        }
    }

    #[test]
    fn words_are_found_in_names_and_lines() {
        let (_folder, workspace) = workspace();
        put(&workspace, "notes/invoice.md", "# Total\nThe INVOICE is due\n");
        let found = search(&workspace, &SearchFiles { text: "invoice".to_owned(), path: None });
        assert_eq!(found.did.said, "2 places.");
        assert_eq!(found.did.shown[0].text, "notes/invoice.md (its name)\nnotes/invoice.md:2: The INVOICE is due");
    }

    #[test]
    fn a_long_text_keeps_both_ends_and_says_what_is_missing() {
        let text = format!("begin{}end", "x".repeat(20_000));
        let shown = bounded(&text, "read it in parts");
        assert!(shown.starts_with("begin") && shown.ends_with("end"));
        assert!(shown.contains("8008 characters are left out here; read it in parts"), "{}", &shown[2_990..3_100]);
    }
}
