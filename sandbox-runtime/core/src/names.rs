//! Names as they are shown: of pages, files, tasks and programs. Whoever chose one may want it to read as another.

/// Longest name of a file that is saved, in bytes.
pub const MAX_FILE_NAME: usize = 200;
/// Longest extension that is kept when a name is cut, in bytes and with its dot.
const MAX_EXTENSION: usize = 16;
const NAMELESS: &str = "file";

/// Returns a name as one line that reads as what it is: no control characters, no letters that nobody sees, none that
/// turn the direction of reading.
///
/// `evil\u{202e}gnp.exe`, which is drawn as `evilexe.png`, becomes `evilgnp.exe`.
pub fn plain_name(name: &str) -> String {
    let shown: String = name
        .chars()
        .filter_map(|letter| match letter {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
            letter if letter.is_control() || is_unseen(letter) => None,
            letter => Some(letter),
        })
        .collect();
    shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns a name that a file may be saved under on every system: plain, without folders, leading dots and letters that
/// a file system refuses, and at most [`MAX_FILE_NAME`] bytes with its extension kept.
pub fn file_name(name: &str) -> String {
    let plain: String = plain_name(name)
        .chars()
        .map(|letter| if matches!(letter, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { letter })
        .collect();
    let name = plain.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    if name.len() <= MAX_FILE_NAME {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |at| &name[at..]);
    let extension = if extension.len() <= MAX_EXTENSION { extension } else { "" };
    let kept = name.floor_char_boundary(MAX_FILE_NAME - extension.len());
    format!("{}{extension}", &name[..kept])
}

/// Zero-width signs, marks of direction, embeddings, overrides and isolates, and tag characters.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Writes bytes as lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_what_it_is() {
        let check = |name: &str, expected: &str| assert_eq!(plain_name(name), expected, "{name:?}");
        check("Rechnung März 🙂.pdf", "Rechnung März 🙂.pdf");
        check("חשבונית.pdf", "חשבונית.pdf");
        check("evil\u{202e}gnp.exe", "evilgnp.exe");
        check("\u{2067}a\u{2069}\u{200f}b\u{61c}c\u{200b}\u{feff}", "abc");
        check("two\r\nlines\u{2028}and\ttabs ", "two lines and tabs");
        check("\u{1b}[31mred\u{0}\u{7f}", "[31mred");
        check("\u{e0041}a", "a");
        check("../.hidden", "../.hidden");
        check("\u{202e}", "");
    }

    #[test]
    fn a_file_is_saved_under_a_name_that_is_no_path_and_not_hidden() {
        let check = |name: &str, expected: &str| assert_eq!(file_name(name), expected, "{name:?}");
        check("report.pdf", "report.pdf");
        check("evil\u{202e}gnp.exe", "evilgnp.exe");
        check("../../etc/passwd", "_.._etc_passwd");
        check(r"..\x", "_x");
        check(".bashrc", "bashrc");
        check("\u{200b}.bashrc", "bashrc");
        check(" . .profile. ", "profile");
        check("a:b|c?.txt", "a_b_c_.txt");
        check("", "file");
        check("...", "file");
        check("\u{200b}", "file");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = file_name(&format!("{}.tar.gz", "ä".repeat(200)));
        assert!(name.ends_with("ä.gz") && name.len() <= MAX_FILE_NAME, "{name}");
        let name = file_name(&format!("a.{}", "b".repeat(300)));
        assert_eq!(name.len(), MAX_FILE_NAME);
    }
}
