//! One line of `network.allow`, `deny` or `allowPrivate`: who is meant, and at which port.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address::{canonical, embedded, is_within};
use super::host::{Host, HostError};

/// `example.org`, `*.example.org`, an address, a CIDR, or `*`; optionally `:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    who: Who,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Any,
    /// The name itself, not what is beneath it.
    Name(String),
    /// Everything beneath the name, not the name itself.
    Beneath(String),
    Block {
        first: IpAddr,
        prefix_len: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("\"{text}\" has no host")]
    Empty { text: String },
    #[error("\"{text}\" has a scheme or a path; give only the host, such as example.org")]
    NotAHost { text: String },
    #[error("\"{text}\" has a port that is not a number from 1 to 65535")]
    Port { text: String },
    #[error("\"{text}\" has a prefix that is not a number from 0 to {max}")]
    Prefix { text: String, max: u8 },
    #[error("\"{text}\": a star stands only for everything, or at the beginning, as in *.example.org")]
    Star { text: String },
    #[error("\"{text}\" names nothing; private destinations are named one by one")]
    NotNamed { text: String },
    #[error("\"{text}\": {cause}")]
    Host {
        text: String,
        #[source]
        cause: HostError,
    },
}

impl Pattern {
    pub fn matches(&self, host: &Host, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match (&self.who, host) {
            (Who::Any, _) => true,
            (Who::Name(name), Host::Name(asked)) => name == asked,
            (Who::Beneath(parent), Host::Name(asked)) => is_beneath(asked, parent),
            (Who::Block { first, prefix_len }, Host::Address(asked)) => {
                let asked = canonical(*asked);
                is_within(asked, *first, *prefix_len)
                    // What a translated address leads to is meant as well.
                    || embedded(asked).is_some_and(|v4| is_within(v4.into(), *first, *prefix_len))
            }
            (Who::Name(_) | Who::Beneath(_), Host::Address(_)) | (Who::Block { .. }, Host::Name(_)) => false,
        }
    }

    /// Whether this pattern matches everything that `other` matches.
    pub fn contains(&self, other: &Self) -> bool {
        if self.port.is_some() && self.port != other.port {
            return false;
        }
        match (&self.who, &other.who) {
            (Who::Any, _) => true,
            (Who::Name(name), Who::Name(other)) => name == other,
            (Who::Beneath(parent), Who::Name(name)) => is_beneath(name, parent),
            (Who::Beneath(parent), Who::Beneath(other)) => other == parent || is_beneath(other, parent),
            (Who::Block { first, prefix_len }, Who::Block { first: other, prefix_len: theirs }) => {
                theirs >= prefix_len && is_within(*other, *first, *prefix_len)
            }
            (Who::Name(_) | Who::Beneath(_) | Who::Block { .. }, _) => false,
        }
    }

    /// Whether it means every host there is.
    pub fn is_any(&self) -> bool {
        match self.who {
            Who::Any | Who::Block { prefix_len: 0, .. } => true,
            Who::Name(_) | Who::Beneath(_) | Who::Block { .. } => false,
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(given: &str) -> Result<Self, PatternError> {
        let text = given.trim();
        let quoted = || given.to_owned();
        if text.contains("://") {
            return Err(PatternError::NotAHost { text: quoted() });
        }
        let (host, port) = split_port(text);
        let port = match port {
            None => None,
            Some(digits) => Some(port_of(digits).ok_or_else(|| PatternError::Port { text: quoted() })?),
        };
        if host.is_empty() {
            return Err(PatternError::Empty { text: quoted() });
        }
        let who = match host.split_once('/') {
            Some((first, prefix)) => block_of(first, prefix, given)?,
            None => host_of(host, given)?,
        };
        Ok(Self { who, port })
    }
}

fn is_beneath(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn host_of(host: &str, given: &str) -> Result<Who, PatternError> {
    if host == "*" {
        return Ok(Who::Any);
    }
    let parse = |text: &str| Host::parse(text).map_err(|cause| PatternError::Host { text: given.to_owned(), cause });
    let star = || PatternError::Star { text: given.to_owned() };
    if let Some(parent) = host.strip_prefix("*.") {
        if parent.contains('*') {
            return Err(star());
        }
        return match parse(parent)? {
            Host::Name(parent) => Ok(Who::Beneath(parent)),
            Host::Address(_) => Err(star()),
        };
    }
    if host.contains('*') {
        return Err(star());
    }
    match parse(host.trim_start_matches('[').trim_end_matches(']'))? {
        Host::Name(name) => Ok(Who::Name(name)),
        Host::Address(first) => Ok(Who::Block { first, prefix_len: width(first) }),
    }
}

fn block_of(first: &str, prefix: &str, given: &str) -> Result<Who, PatternError> {
    let Ok(first) = first.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() else {
        return Err(PatternError::NotAHost { text: given.to_owned() });
    };
    let max = width(first);
    let prefix_len = prefix.trim_end_matches(']').parse::<u8>().ok().filter(|&len| len <= max);
    let Some(prefix_len) = prefix_len else {
        return Err(PatternError::Prefix { text: given.to_owned(), max });
    };
    // A block of mapped addresses is the block of IPv4 that it maps.
    match (canonical(first), prefix_len.checked_sub(96)) {
        (mapped @ IpAddr::V4(_), Some(prefix_len)) if first.is_ipv6() => Ok(Who::Block { first: mapped, prefix_len }),
        _ => Ok(Who::Block { first, prefix_len }),
    }
}

/// Splits `host:port`; more than one colon without brackets is an IPv6 address.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some(end) = text.rfind(']') {
        return match text[end + 1..].rsplit_once(':') {
            Some((between, port)) => (&text[..end + 1 + between.len()], Some(port)),
            None => (text, None),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        Some(_) | None => (text, None),
    }
}

fn port_of(digits: &str) -> Option<u16> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|&port| port > 0)
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::Any => f.write_str("*")?,
            Who::Name(name) => f.write_str(name)?,
            Who::Beneath(parent) => write!(f, "*.{parent}")?,
            Who::Block { first, prefix_len } => {
                let is_one = *prefix_len == width(*first);
                match (first, is_one, self.port) {
                    (IpAddr::V6(_), true, Some(_)) => write!(f, "[{first}]")?,
                    (IpAddr::V6(_), false, Some(_)) => write!(f, "[{first}/{prefix_len}]")?,
                    (_, true, _) => write!(f, "{first}")?,
                    (_, false, _) => write!(f, "{first}/{prefix_len}")?,
                }
            }
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}
