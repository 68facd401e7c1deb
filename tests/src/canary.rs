//! What a person typed must be kept nowhere: looks for it in the data directory and in everything the API tells.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::baton::Baton;

/// Asserts that no secret is in the data directory or in what the API tells of a task, plain or encoded.
///
/// `present` is a text that a file of the data directory holds: it shows that the search finds what is there.
pub async fn assert_kept_nowhere(baton: &Baton, task: &str, secrets: &[&str], present: &str) {
    assert!(!search(baton.home(), present).is_empty(), "the search finds what is there: {present}");
    let mut told = Value::from(baton.events(task).await).to_string();
    for path in ["/handoffs".to_owned(), format!("/tasks/{task}"), "/sandboxes".to_owned()] {
        told.push_str(&baton.get(&path).await.to_string());
    }
    told.push_str(&bundled(&baton.bytes(&format!("/tasks/{task}/bundle")).await));
    for secret in secrets {
        let found = search(baton.home(), secret);
        assert!(found.is_empty(), "{secret} is in {found:?}");
        for needle in spellings(secret) {
            let needle = String::from_utf8_lossy(&needle).into_owned();
            assert!(!told.contains(&needle), "the API tells {secret} as {needle}");
        }
    }
}

/// Returns everything that a bundle holds, as text.
fn bundled(bundle: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bundle)).expect("a bundle is a zip");
    let mut all = Vec::new();
    for index in 0..zip.len() {
        zip.by_index(index).expect("a file").read_to_end(&mut all).expect("a file can be read");
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Returns the files of a runtime's data directory that hold a text, plain or in an encoding that programs use.
pub fn kept_in(baton: &Baton, text: &str) -> Vec<String> {
    search(baton.home(), text)
}

/// Asserts that nothing of what programs were told holds a secret, plain or encoded.
pub fn assert_read_by_nobody(told: &[String], secret: &str) {
    for needle in spellings(secret) {
        let needle = String::from_utf8_lossy(&needle).into_owned();
        for told in told {
            assert!(!told.contains(&needle), "a program was told {secret} as {needle}: {told}");
        }
    }
}

/// Returns the files beneath a folder that hold a text, plain or in an encoding that programs use.
fn search(folder: &Path, text: &str) -> Vec<String> {
    let needles = spellings(text);
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let content = std::fs::read(&path).unwrap_or_default();
                if needles.iter().any(|needle| content.windows(needle.len()).any(|part| part == needle)) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    found
}

fn spellings(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let in_a_form: String = text
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let reversed: String = text.chars().rev().collect();
    let mut spellings = vec![
        text.as_bytes().to_vec(),
        hex.into_bytes(),
        encoded.into_bytes(),
        in_a_form.into_bytes(),
        utf16,
        reversed.into_bytes(),
    ];
    // Within a longer text, one of three beginnings falls on the start of a group.
    spellings.extend((0..3).map(|skipped| base64(&text.as_bytes()[skipped..]).into_bytes()));
    spellings
}

/// Base64 of whole groups alone, so that it is found within that of a longer text.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let whole = bytes.chunks_exact(3).map(|three| u32::from_be_bytes([0, three[0], three[1], three[2]]));
    whole.flat_map(|bits| [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)]).collect()
}
