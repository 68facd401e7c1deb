//! A request on its way out, in plain words: method, true destination, and the fields of its body.

use serde_json::Value;
use url::{Url, form_urlencoded};

use super::judge::{self, MOST_FIELDS, shown};
use super::rules::site;
use crate::model::{ActKind, Proposal, ShownField};

/// A request as the browser is about to send it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    pub method: String,
    pub url: String,
    /// Address of the page that sends it; empty where it is not known.
    pub page: String,
    pub content_type: String,
    /// `None` where there is none, or where the browser cannot show it.
    pub body: Option<Vec<u8>>,
    /// Whether there is a body at all.
    pub has_body: bool,
}

/// Judges a request by its address and its fields; whatever changes something is at least `submit`.
pub fn kind(request: &Outgoing) -> ActKind {
    let path = Url::parse(&request.url).map(|url| url.path().replace(['/', '_', '-', '.'], " ")).unwrap_or_default();
    let fields = fields(request);
    judge::by_fields(fields.iter().map(|field| field.name.as_str()))
        .or_else(|| judge::by_words(&path))
        .or_else(|| request.method.eq_ignore_ascii_case("DELETE").then_some(ActKind::Delete))
        .unwrap_or(ActKind::Submit)
}

/// Whether `next` is what a server made of `approved` by sending it on (307, 308): the same method and body to the same site,
/// and not out of an encrypted connection.
pub fn is_sent_on(approved: &Outgoing, next: &Outgoing) -> bool {
    let is_encrypted = |request: &Outgoing| request.url.starts_with("https:");
    let same_site = site(&approved.url).is_some_and(|from| site(&next.url) == Some(from));
    same_site
        && (is_encrypted(next) || !is_encrypted(approved))
        && approved.method.eq_ignore_ascii_case(&next.method)
        && (approved.has_body, &approved.body) == (next.has_body, &next.body)
}

/// Writes what a person is shown of a request.
pub fn propose(kind: ActKind, request: &Outgoing) -> Proposal {
    let fields = fields(request);
    let method = request.method.to_uppercase();
    let to = site(&request.url).unwrap_or_else(|| "an unknown place".to_owned());
    let summary = if judge::is_unsafe(&method) { format!("send a request to {to}") } else { format!("open {to}") };
    Proposal {
        kind,
        summary,
        site: site(&request.page).unwrap_or_default(),
        method: Some(method),
        destination: place(&request.url),
        amount: judge::amount_of(&fields),
        fields,
    }
}

/// Returns the fields of a request: of its address, then of its body.
pub fn fields(request: &Outgoing) -> Vec<ShownField> {
    let mut fields = Vec::new();
    if let Ok(url) = Url::parse(&request.url) {
        fields.extend(url.query_pairs().map(|(name, value)| shown(&name, &value, false)));
    }
    match &request.body {
        Some(body) => body_fields(&request.content_type, body, &mut fields),
        None if request.has_body => fields.push(unreadable("files or data that cannot be shown")),
        None => {}
    }
    let more = fields.len().saturating_sub(MOST_FIELDS);
    if more > 0 {
        fields.truncate(MOST_FIELDS);
        fields.push(ShownField { name: "…".to_owned(), value: format!("{more} more"), masked: false });
    }
    fields
}

fn body_fields(content_type: &str, body: &[u8], fields: &mut Vec<ShownField>) {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            fields.extend(form_urlencoded::parse(body).map(|(name, value)| shown(&name, &value, false)));
        }
        "multipart/form-data" => match boundary(content_type) {
            Some(boundary) => multipart(&boundary, body, fields),
            None => fields.push(plain(body)),
        },
        _ => match serde_json::from_slice::<Value>(body) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => flatten("", &value, fields),
            Ok(_) | Err(_) => fields.push(plain(body)),
        },
    }
}

/// A body that is neither a form nor JSON: its text, or how much of it there is.
fn plain(body: &[u8]) -> ShownField {
    match std::str::from_utf8(body) {
        // Text of unknown shape may carry secrets by name; then none of it is shown.
        Ok(text) if !judge::is_secret(text) => shown("body", text, false),
        Ok(text) => shown("body", text, true),
        Err(_) => unreadable(&format!("{} bytes that are not text", body.len())),
    }
}

fn unreadable(what: &str) -> ShownField {
    ShownField { name: "body".to_owned(), value: what.to_owned(), masked: false }
}

fn flatten(name: &str, value: &Value, fields: &mut Vec<ShownField>) {
    if fields.len() > MOST_FIELDS {
        return;
    }
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(&inner(key), value, fields)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| flatten(&inner(&(at + 1).to_string()), value, fields));
        }
        Value::String(text) => fields.push(shown(name, text, false)),
        Value::Null => fields.push(shown(name, "nothing", false)),
        Value::Bool(_) | Value::Number(_) => fields.push(shown(name, &value.to_string(), false)),
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let named = content_type.split(';').filter_map(|part| part.trim().split_once('='));
    let (_, boundary) = named.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

fn multipart(boundary: &str, body: &[u8], fields: &mut Vec<ShownField>) {
    let mark = format!("--{boundary}");
    for part in split(body, mark.as_bytes()).into_iter().skip(1) {
        let Some(at) = find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..at]);
        let content = part[at + 4..].strip_suffix(b"\r\n").unwrap_or(&part[at + 4..]);
        let Some(name) = parameter(&head, "name") else { continue };
        match (parameter(&head, "filename"), std::str::from_utf8(content)) {
            (Some(file), _) => {
                fields.push(shown(&name, &format!("the file {file:?}, {} bytes", content.len()), false));
            }
            (None, Ok(text)) => fields.push(shown(&name, text, false)),
            (None, Err(_)) => fields.push(shown(&name, &format!("{} bytes that are not text", content.len()), false)),
        }
    }
}

/// Returns a quoted parameter of a part's `Content-Disposition`.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let mark = format!("; {name}=\"");
    let begin = line.find(&mark)? + mark.len();
    let end = line[begin..].find('"')?;
    Some(line[begin..begin + end].replace("%22", "\""))
}

fn split<'a>(body: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest);
    parts
}

fn find(body: &[u8], mark: &[u8]) -> Option<usize> {
    body.windows(mark.len()).position(|window| window == mark)
}

/// Returns where an address leads: without user info, which may be a password, and without its query, which is shown as
/// fields.
pub(super) fn place(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    // Fails only for addresses that cannot have user info.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}
