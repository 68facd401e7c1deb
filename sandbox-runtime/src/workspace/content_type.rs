//! What kind of content a file has, from its name and its first bytes.

/// How many bytes from the beginning are worth giving to [`content_type`].
pub const HEAD: usize = 4096;

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// First bytes that say it all.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
];

/// Returns the media type of a file called `name` that begins with `head` (up to [`HEAD`] bytes).
///
/// The name decides, because only it tells CSV from other text; where it says nothing, or says something that the bytes
/// deny (TypeScript is no video), the bytes do.
pub fn content_type(name: &str, head: &[u8]) -> String {
    let sniffed = sniff(head);
    let guess = mime_guess::from_path(name).first_raw();
    match guess {
        Some(guess) if sniffed == TEXT && (guess.starts_with("video/") || guess.starts_with("audio/")) => TEXT,
        Some(guess) => guess,
        None => sniffed,
    }
    .to_owned()
}

fn sniff(head: &[u8]) -> &'static str {
    if let Some((_, found)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return found;
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return "image/webp";
    }
    if is_text(head) { TEXT } else { BYTES }
}

fn is_text(head: &[u8]) -> bool {
    if head.contains(&0) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        // A letter that the end of `head` cuts is no sign against text.
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_and_the_bytes_where_it_says_nothing_or_lies() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("invoice.csv", b"a,b", "text/csv"),
            ("invoice.CSV", b"", "text/csv"),
            ("report.pdf", b"%PDF-1.7", "application/pdf"),
            ("data.json", b"{}", "application/json"),
            ("index.ts", b"export {}", "text/plain"),
            ("film.ts", b"G\0\x01", "video/vnd.dlna.mpeg-tts"),
            ("noname", b"\x89PNG\r\n\x1a\n\0", "image/png"),
            ("noname", "naïve".as_bytes(), "text/plain"),
            ("noname", &"naïve".as_bytes()[..3], "text/plain"),
            ("noname", b"", "text/plain"),
            ("noname", b"a\0b", "application/octet-stream"),
            ("noname", b"\xff\xfe", "application/octet-stream"),
        ];
        for (name, head, expected) in cases {
            assert_eq!(content_type(name, head), *expected, "{name} {head:?}");
        }
    }
}
