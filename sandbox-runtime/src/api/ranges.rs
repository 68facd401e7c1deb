//! Files as answers: their type, and the part that `Range` asks for.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sandbox_core::file_name;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::error::ApiError;
use crate::service::ErrorCode;

/// Bytes that one read of a file takes.
const CHUNK: usize = 64 << 10;

/// What was made in a sandbox is never a page of ours: no script, no forms, an origin of its own.
const CONTENT_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'";

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// First and last byte, both within the file.
    Bytes(u64, u64),
    Beyond,
}

/// How the browser is to treat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Bytes for a program.
    Plain,
    /// Opened by a person: shown if that is harmless, else saved.
    ForPerson,
}

/// Answers with an open file, or with the part of it that is asked for.
pub async fn file(
    file: std::fs::File,
    size: u64,
    name: &str,
    content_type: &str,
    asked: &HeaderMap,
    disposition: Disposition,
) -> Result<Response, ApiError> {
    let part = part(asked.get(header::RANGE), size);
    let (status, from, length) = match part {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Bytes(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Beyond => {
            let mut refusal =
                ApiError::invalid(format!("the range lies beyond the {size} bytes there are")).into_response();
            *refusal.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            refusal.headers_mut().insert(header::CONTENT_RANGE, header_value(&format!("bytes */{size}")));
            return Ok(refusal);
        }
    };
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(from)).await.map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    // `take`: a file that grows meanwhile must not say more than was announced.
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header_value(&with_charset(content_type)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    if let Part::Bytes(first, last) = part {
        headers.insert(header::CONTENT_RANGE, header_value(&format!("bytes {first}-{last}/{size}")));
    }
    if disposition == Disposition::ForPerson {
        headers.insert(header::CONTENT_DISPOSITION, header_value(&content_disposition(name, content_type)));
    }
    Ok(response)
}

/// Says of text that it is UTF-8, as browsers would guess otherwise.
pub fn with_charset(content_type: &str) -> String {
    match content_type.starts_with("text/") && !content_type.contains("charset") {
        true => format!("{content_type}; charset=utf-8"),
        false => content_type.to_owned(),
    }
}

/// Reads `bytes=FIRST-LAST`. What is no range of bytes, or several, is answered whole, as RFC 9110 allows.
fn part(range: Option<&HeaderValue>, size: u64) -> Part {
    let Some(spec) = range.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else { return Part::Whole };
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(suffix)) if first.is_empty() => match suffix {
            0 => return Part::Beyond,
            suffix => (size.saturating_sub(suffix), size.saturating_sub(1)),
        },
        _ => return Part::Whole,
    };
    if first >= size { Part::Beyond } else { Part::Bytes(first, last) }
}

/// Pictures, sound and plain text are shown; everything else is saved.
fn content_disposition(name: &str, content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let shown = matches!(essence, "text/plain" | "image/png" | "image/jpeg" | "image/gif" | "image/webp")
        || essence.starts_with("video/")
        || essence.starts_with("audio/");
    let how = if shown { "inline" } else { "attachment" };
    let name = file_name(name.rsplit('/').next().unwrap_or(name));
    // RFC 8187: every byte that is not plain is written as %XX.
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("{how}; filename*=UTF-8''{encoded}")
}

fn header_value(text: &str) -> HeaderValue {
    // A type that a sandbox made up may hold letters that no header takes.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_the_file() {
        let check = |range: &str, size: u64, expected: Part| {
            assert_eq!(part(Some(&HeaderValue::from_str(range).unwrap()), size), expected, "{range} of {size}");
        };
        check("bytes=0-4", 10, Part::Bytes(0, 4));
        check("bytes=5-", 10, Part::Bytes(5, 9));
        check("bytes=-3", 10, Part::Bytes(7, 9));
        check("bytes=-30", 10, Part::Bytes(0, 9));
        check("bytes=0-99", 10, Part::Bytes(0, 9));
        check("bytes=10-", 10, Part::Beyond);
        check("bytes=0-0", 0, Part::Beyond);
        check("bytes=-0", 10, Part::Beyond);
        check("bytes=4-2", 10, Part::Whole);
        check("bytes=0-1,3-4", 10, Part::Whole);
        check("bytes=99999999999999999999-", 10, Part::Whole);
        check("lines=0-4", 10, Part::Whole);
        check("bytes=", 10, Part::Whole);
        assert_eq!(part(None, 10), Part::Whole);
    }

    #[test]
    fn what_could_run_is_saved_not_shown() {
        assert_eq!(content_disposition("a b.png", "image/png"), "inline; filename*=UTF-8''a%20b.png");
        for content_type in ["text/html", "image/svg+xml", "application/pdf", "text/javascript", ""] {
            let said = content_disposition("x/\"é\r\n", content_type);
            assert_eq!(said, "attachment; filename*=UTF-8''_%C3%A9", "{content_type}");
        }
    }

    #[test]
    fn a_name_that_reads_as_another_is_saved_as_what_it_is() {
        let said = content_disposition("evil\u{202e}gnp.exe", "application/octet-stream");
        assert_eq!(said, "attachment; filename*=UTF-8''evilgnp.exe");
        assert_eq!(content_disposition(".bashrc", "text/plain"), "inline; filename*=UTF-8''bashrc");
    }
}
