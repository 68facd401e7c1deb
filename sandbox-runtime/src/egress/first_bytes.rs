//! What a program speaks, told by the first bytes that it sends: TLS (its server name is read), HTTP/1, or something else.

/// A TLS greeting is a record or a few; nobody's is longer.
const GREETING_MAX: usize = 64 * 1024;
/// What begins like words and has no end of line within this, is nothing that can be told.
const LINE_MAX: usize = 16 * 1024;

const RECORD_HANDSHAKE: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;
const EXTENSION_SERVER_NAME: u16 = 0;
const NAME_TYPE_HOST: u8 = 0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FirstBytes {
    /// More has to come before it can be told.
    Unfinished,
    Tls {
        server_name: Option<String>,
    },
    Http,
    Opaque,
    /// Begins like one of these and is none: two readers could take it differently.
    Unclear(&'static str),
}

pub(super) fn first_bytes(said: &[u8]) -> FirstBytes {
    match said.first() {
        None => FirstBytes::Unfinished,
        Some(&RECORD_HANDSHAKE) => match client_hello(said) {
            Ok(server_name) => FirstBytes::Tls { server_name },
            Err(Unread::Short) if said.len() < GREETING_MAX => FirstBytes::Unfinished,
            Err(Unread::Short | Unread::Malformed) => FirstBytes::Unclear("a TLS greeting that cannot be read"),
        },
        // Empty lines before a request are let pass by many servers.
        Some(byte) if byte.is_ascii_alphabetic() || b"\r\n".contains(byte) => words(said),
        Some(_) => FirstBytes::Opaque,
    }
}

fn words(said: &[u8]) -> FirstBytes {
    let said = said.trim_ascii_start();
    let Some(end) = said.iter().position(|&byte| byte == b'\n') else {
        let is_too_long = said.len() > LINE_MAX;
        return if is_too_long { FirstBytes::Unclear("a first line without end") } else { FirstBytes::Unfinished };
    };
    let line = said[..end].trim_ascii_end();
    let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => FirstBytes::Http,
        _ if version.to_ascii_uppercase().starts_with(b"HTTP/") => {
            FirstBytes::Unclear("plain HTTP other than HTTP/1, which cannot be checked")
        }
        // HTTP/0.9: a method and a path, nothing else.
        _ if line.to_ascii_uppercase().starts_with(b"GET /") => FirstBytes::Unclear("HTTP without a version"),
        _ => FirstBytes::Opaque,
    }
}

enum Unread {
    Short,
    Malformed,
}

/// Reads the server name of a ClientHello (RFC 8446, 4.1.2), which may lie across several records (5.1).
fn client_hello(said: &[u8]) -> Result<Option<String>, Unread> {
    let mut message = Vec::new();
    let mut records = said;
    loop {
        if let Some(&kind) = message.first()
            && kind != CLIENT_HELLO
        {
            return Err(Unread::Malformed);
        }
        if message.len() >= 4 {
            let body_len = usize::from(message[1]) << 16 | usize::from(message[2]) << 8 | usize::from(message[3]);
            if body_len > GREETING_MAX {
                return Err(Unread::Malformed);
            }
            if message.len() >= 4 + body_len {
                return server_name(&message[4..4 + body_len]).ok_or(Unread::Malformed);
            }
        }
        let [kind, major, _minor, len_high, len_low, rest @ ..] = records else {
            return Err(Unread::Short);
        };
        let record_len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        if *kind != RECORD_HANDSHAKE || *major != 3 || record_len == 0 {
            return Err(Unread::Malformed);
        }
        message.extend_from_slice(rest.get(..record_len).ok_or(Unread::Short)?);
        records = &rest[record_len..];
    }
}

/// Returns the server name of a whole greeting, `Some(None)` if it carries none; `None` if it is malformed.
fn server_name(body: &[u8]) -> Option<Option<String>> {
    let mut body = Fields(body);
    body.take(2 + 32)?; // version, random
    body.short()?; // session id
    body.long()?; // cipher suites
    body.short()?; // compression
    if body.0.is_empty() {
        return Some(None);
    }
    let mut extensions = Fields(body.long()?);
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.number()?;
        let content = extensions.long()?;
        if kind != EXTENSION_SERVER_NAME {
            continue;
        }
        let mut names = Fields(Fields(content).long()?);
        while !names.0.is_empty() {
            let name_type = names.take(1)?[0];
            let name = names.long()?;
            // A second name would be another meaning.
            if name_type != NAME_TYPE_HOST || found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(name).ok()?.to_owned());
        }
    }
    Some(found)
}

/// Length-prefixed fields, taken from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(field)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// A field after its length in one byte.
    fn short(&mut self) -> Option<&'a [u8]> {
        let len = self.take(1)?[0];
        self.take(usize::from(len))
    }

    /// A field after its length in two bytes.
    fn long(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        self.take(usize::from(len))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A greeting as a TLS client sends it, in records of at most `record_len` bytes.
    fn greeting(names: &[&str], record_len: usize) -> Vec<u8> {
        let mut list = Vec::new();
        for name in names {
            list.push(0);
            list.extend((name.len() as u16).to_be_bytes());
            list.extend(name.as_bytes());
        }
        let mut extensions = vec![0x2b, 0x2b, 0, 1, 7];
        if !names.is_empty() {
            extensions.extend([0, 0]);
            extensions.extend((list.len() as u16 + 2).to_be_bytes());
            extensions.extend((list.len() as u16).to_be_bytes());
            extensions.extend(list);
        }
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        let mut message = vec![1, 0];
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(body);
        let record = |part: &[u8]| [&[0x16, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat();
        message.chunks(record_len).flat_map(record).collect()
    }

    fn check(said: &[u8], expected: FirstBytes) {
        assert_eq!(first_bytes(said), expected, "{:?}", String::from_utf8_lossy(said));
    }

    #[test]
    fn server_name_is_read_whole_or_across_records() {
        let expected = FirstBytes::Tls { server_name: Some("example.org".to_owned()) };
        check(&greeting(&["example.org"], 16_000), expected.clone());
        check(&greeting(&["example.org"], 7), expected);
        check(&greeting(&[], 16_000), FirstBytes::Tls { server_name: None });
    }

    #[test]
    fn each_prefix_of_a_greeting_is_unfinished() {
        let whole = greeting(&["example.org"], 30);
        for len in 1..whole.len() {
            check(&whole[..len], FirstBytes::Unfinished);
        }
    }

    #[test]
    fn greetings_that_two_readers_could_take_differently_are_unclear() {
        let unclear = FirstBytes::Unclear("a TLS greeting that cannot be read");
        check(&greeting(&["example.org", "other.example"], 16_000), unclear.clone());
        check(&[0x16, 2, 0, 0, 1, 1], unclear.clone());
        check(&[0x16, 3, 1, 0, 4, 2, 0, 0, 0], unclear.clone());
        check(&[0x16, 3, 1, 0, 0], unclear);
    }

    #[test]
    fn plain_http_is_told_from_other_words() {
        check(b"GET / HTTP/1.1\r\n", FirstBytes::Http);
        check(b"\r\nanything /x HTTP/1.0\n", FirstBytes::Http);
        check(b"GET / HT", FirstBytes::Unfinished);
        check(b"SSH-2.0-OpenSSH_9.2\r\n", FirstBytes::Opaque);
        check(b"EHLO example.org\r\n", FirstBytes::Opaque);
        check(b"\x00\x01binary", FirstBytes::Opaque);
        check(b"GET /\r\n", FirstBytes::Unclear("HTTP without a version"));
        check(b"PRI * HTTP/2.0\r\n", FirstBytes::Unclear("plain HTTP other than HTTP/1, which cannot be checked"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_without_panic(said in proptest::collection::vec(any::<u8>(), 0..300), tls in any::<bool>()) {
            let mut said = said;
            if tls && said.len() > 3 {
                said[..3].copy_from_slice(&[0x16, 3, 1]);
            }
            first_bytes(&said);
        }
    }
}
