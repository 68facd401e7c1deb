//! What a program may call a destination: one canonical form for every spelling, as browsers read them (WHATWG URL, "host parsing").

use std::fmt;
use std::net::IpAddr;

use super::address::canonical;

/// A destination's host, in the one form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// Lower-case ASCII, without a trailing dot; international names in their `xn--` form.
    Name(String),
    /// Every numeric spelling ends here: `127.1`, `0x7f.1` and `[::ffff:127.0.0.1]` are all 127.0.0.1.
    Address(IpAddr),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("host name is empty")]
    Empty,
    #[error("host name {text:?} contains {found:?}, which no host name may")]
    Character { text: String, found: char },
    /// Without its text, which may carry a password.
    #[error("a host name carries no user info before an '@'")]
    UserInfo,
    #[error("host name {text:?} is longer than names can be")]
    TooLong { text: String },
    #[error("{text:?} is not a host name or an address")]
    Malformed { text: String },
}

/// The most octets of a name, and of one part of it (RFC 1035).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// More than any host could need before it is made canonical.
const TEXT_MAX: usize = 1024;

impl Host {
    /// Reads a host as it stands in an address, without a port: a name, an IPv4 address, or an IPv6 address with or
    /// without brackets.
    ///
    /// # Errors
    ///
    /// Control characters, user info, stray brackets, escapes, empty or over-long parts, and malformed numbers.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.len() > TEXT_MAX {
            return Err(HostError::TooLong { text: text.chars().take(32).chain(['…']).collect() });
        }
        if text.contains('@') {
            return Err(HostError::UserInfo);
        }
        if let Some(found) =
            text.chars().find(|&c| c.is_control() || c.is_whitespace() || "%/\\?#,;*\"'<>|^`".contains(c))
        {
            return Err(HostError::Character { text: text.to_owned(), found });
        }
        let malformed = || HostError::Malformed { text: text.to_owned() };

        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(malformed)?;
            let address = inner.parse::<std::net::Ipv6Addr>().map_err(|_| malformed())?;
            return Ok(Self::Address(canonical(address.into())));
        }
        if text.contains(':') {
            let address = text.parse::<std::net::Ipv6Addr>().map_err(|_| malformed())?;
            return Ok(Self::Address(canonical(address.into())));
        }
        if let Some(found) = text.chars().find(|c| "[]".contains(*c)) {
            return Err(HostError::Character { text: text.to_owned(), found });
        }
        match url::Host::parse(text).map_err(|_| malformed())? {
            url::Host::Ipv4(address) => Ok(Self::Address(address.into())),
            url::Host::Ipv6(address) => Ok(Self::Address(canonical(address.into()))),
            url::Host::Domain(name) => name_of(&name, text),
        }
    }

    /// Reads `host` or `host:port`, as in the authority of an address or a `Host` header.
    ///
    /// # Errors
    ///
    /// As [`Host::parse`], and for a port that is not a number from 1 to 65535.
    pub fn parse_authority(text: &str) -> Result<(Self, Option<u16>), HostError> {
        if text.contains('@') {
            return Err(HostError::UserInfo);
        }
        let (host, port) = match text.rsplit_once(':') {
            // A colon inside brackets belongs to the address.
            Some((_, after)) if after.contains(']') => (text, None),
            Some((host, digits)) => (host, Some(digits)),
            None => (text, None),
        };
        // Outside brackets a second colon would leave open where the port begins.
        if host.contains(':') && !host.starts_with('[') {
            return Err(HostError::Malformed { text: text.to_owned() });
        }
        let host = Self::parse(host)?;
        let Some(digits) = port else {
            return Ok((host, None));
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(port) if is_number && port > 0 => Ok((host, Some(port))),
            Ok(_) | Err(_) => Err(HostError::Malformed { text: text.to_owned() }),
        }
    }

    /// Whether the name always means the machine itself (RFC 6761, `localhost`).
    pub fn is_localhost(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(_) => false,
        }
    }
}

fn name_of(name: &str, text: &str) -> Result<Host, HostError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > NAME_MAX || name.split('.').any(|label| label.len() > LABEL_MAX) {
        return Err(HostError::TooLong { text: text.to_owned() });
    }
    if name.split('.').any(str::is_empty) {
        return Err(HostError::Malformed { text: text.to_owned() });
    }
    // Underscores are not of host names, but real sites carry them.
    if let Some(found) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || "-._".contains(*c))) {
        return Err(HostError::Character { text: text.to_owned(), found });
    }
    Ok(Host::Name(name.to_ascii_lowercase()))
}

/// As in the authority of an address: IPv6 in brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
