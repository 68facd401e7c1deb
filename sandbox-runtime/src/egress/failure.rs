//! What the proxy could not carry, in a form that the browser can turn into its own network error.
//!
//! A browser that speaks plain HTTP to a proxy cannot tell the proxy's error page from a page of the server. So the proxy
//! marks its own answers with [`FAILURE_HEADER`], which it removes from every answer of a server. For CONNECT the browser
//! never shows the answer to anyone: those failures are looked up here by their destination.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::http::header::{HeaderName, HeaderValue};
use sandbox_core::policy::Host;

use super::Target;

/// Marks an answer of the proxy itself: the kind of failure, a space, and the sentence in ASCII.
pub const FAILURE_HEADER: HeaderName = HeaderName::from_static("x-baton-failure");

/// Failures that are remembered; the oldest goes first.
const KEPT: usize = 256;
/// How long a failed destination is remembered: the browser tells of it at once, or after it tried again.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Why a request was not carried, as browsers tell failures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The sandbox's network policy closes the destination.
    Refused,
    NotResolved,
    ConnectionRefused,
    TimedOut,
    Unreachable,
    Reset,
    /// The server ended the connection without an answer.
    Closed,
    /// Anything else, such as an answer that is no HTTP.
    Other,
}

/// One request that was not carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// Names the destination and the cause, and the setting that decides about it, if one does.
    pub sentence: String,
}

/// The latest failures by destination; cheap to clone.
#[derive(Clone, Default)]
pub struct Failures(Arc<Mutex<VecDeque<Noted>>>);

struct Noted {
    target: Target,
    at: Instant,
    failure: Failure,
}

impl FailureKind {
    const WORDS: [(Self, &'static str); 8] = [
        (Self::Refused, "refused"),
        (Self::NotResolved, "not-resolved"),
        (Self::ConnectionRefused, "connection-refused"),
        (Self::TimedOut, "timed-out"),
        (Self::Unreachable, "unreachable"),
        (Self::Reset, "reset"),
        (Self::Closed, "closed"),
        (Self::Other, "other"),
    ];

    pub(super) fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Self::Reset,
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other,
        }
    }

    pub(super) fn of_http(error: &hyper::Error) -> Self {
        if error.is_incomplete_message() || error.is_closed() {
            return Self::Closed;
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                return Self::of_io(io);
            }
            source = cause.source();
        }
        Self::Other
    }
}

impl Failure {
    pub(super) fn header(&self) -> HeaderValue {
        let word = FailureKind::WORDS.iter().find(|(kind, _)| *kind == self.kind).map_or("other", |(_, word)| *word);
        let plain = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
        let text: String = format!("{word} {}", self.sentence).chars().map(plain).collect();
        HeaderValue::from_str(&text).expect("printable ASCII is a header's value")
    }

    /// Reads what [`FAILURE_HEADER`] says.
    pub fn read(header: &str) -> Self {
        let (word, sentence) = header.split_once(' ').unwrap_or((header, ""));
        let known = FailureKind::WORDS.iter().find(|(_, known)| *known == word);
        Self { kind: known.map_or(FailureKind::Other, |(kind, _)| *kind), sentence: sentence.to_owned() }
    }
}

impl Failures {
    pub(super) fn note(&self, target: &Target, failure: Failure) {
        let mut kept = self.lock();
        kept.retain(|noted| noted.target != *target && noted.at.elapsed() < KEPT_FOR);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Noted { target: target.clone(), at: Instant::now(), failure });
    }

    /// Forgets a destination that was reached.
    pub(super) fn forget(&self, target: &Target) {
        self.lock().retain(|noted| noted.target != *target);
    }

    /// Returns why the destination of an address could not be reached, if it was tried in the last seconds.
    pub fn of(&self, address: &str) -> Option<Failure> {
        let address = url::Url::parse(address).ok()?;
        let (host, _) = Host::parse_authority(address.host_str()?).ok()?;
        let target = Target::new(host, address.port_or_known_default()?);
        let kept = self.lock();
        let noted = kept.iter().find(|noted| noted.target == target && noted.at.elapsed() < KEPT_FOR)?;
        Some(noted.failure.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Noted>> {
        // Entries are put and taken whole: no panic leaves the list half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_its_header() {
        for (kind, _) in FailureKind::WORDS {
            let failure = Failure { kind, sentence: "a.example:80: a cause; a setting decides that".to_owned() };
            assert_eq!(Failure::read(failure.header().to_str().unwrap()), failure);
        }
        let odd = Failure { kind: FailureKind::Refused, sentence: "line\nbreak, größe".to_owned() };
        assert_eq!(Failure::read(odd.header().to_str().unwrap()).sentence, "line?break, gr??e");
    }

    #[test]
    fn a_destination_is_known_by_its_address_until_it_is_reached() {
        let failures = Failures::default();
        let target = Target::new(Host::parse("a.example").unwrap(), 443);
        let failure = Failure { kind: FailureKind::NotResolved, sentence: "no".to_owned() };
        failures.note(&target, failure.clone());
        assert_eq!(failures.of("https://A.example/path"), Some(failure.clone()));
        assert_eq!(failures.of("https://a.example:443/"), Some(failure));
        assert_eq!(failures.of("http://a.example/"), None);
        failures.forget(&target);
        assert_eq!(failures.of("https://a.example/"), None);
    }
}
