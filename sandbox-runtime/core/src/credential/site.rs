//! The site of an entry: exactly where it is filled in.
//!
//! Compared by origin, as browsers do: scheme, host and port. International names are compared in their ASCII form, so that
//! letters which only look alike are other letters.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Names that exist on no public network (RFC 2606, RFC 6761).
const RESERVED: [&str; 4] = ["localhost", "test", "example", "invalid"];

/// Where an entry is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    host: Host,
    /// `None` for the usual one of the scheme.
    port: Option<u16>,
    scheme: Scheme,
    /// Whether subdomains match too.
    is_wide: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// HTTPS; at names and addresses without certificates, HTTP also.
    Implied,
    Http,
    Https,
}

/// A text that is not a site.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    #[error("a site is a host such as `portal.example`, or an origin such as `https://portal.example:8443`, not {0:?}")]
    Unreadable(String),
    #[error("`{0}` belongs to many owners: name one of the sites beneath it")]
    PublicSuffix(String),
    #[error("`*.` stands before a name, not before an address")]
    WideAddress,
}

impl FromStr for Site {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let text = text.trim();
        let unreadable = || SiteError::Unreadable(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            None => (Scheme::Implied, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some(_) => return Err(unreadable()),
        };
        let (is_wide, rest) = rest.strip_prefix("*.").map_or((false, rest), |rest| (true, rest));
        let word = if scheme == Scheme::Http { "http" } else { "https" };
        let url = Url::parse(&format!("{word}://{rest}")).map_err(|_| unreadable())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unreadable());
        }
        let host = url.host().ok_or_else(unreadable)?.to_owned();
        if let Host::Domain(name) = &host {
            if name.contains('*') || name.ends_with('.') || name.starts_with('.') {
                return Err(unreadable());
            }
            // Names under a public suffix have different owners.
            if is_wide && psl::domain(name.as_bytes()).is_none() {
                return Err(SiteError::PublicSuffix(name.clone()));
            }
        } else if is_wide {
            return Err(SiteError::WideAddress);
        }
        // An explicit `https://` adds nothing, except for local names.
        let scheme = if scheme == Scheme::Https && !is_local(&host) { Scheme::Implied } else { scheme };
        Ok(Self { host, port: url.port(), scheme, is_wide })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Implied => "",
            Scheme::Http => "http://",
            Scheme::Https => "https://",
        })?;
        if self.is_wide {
            f.write_str("*.")?;
        }
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Site {
    /// Returns the site of an entry for exactly this origin; `None` for one that no entry can have.
    pub fn of_origin(origin: &str) -> Option<Self> {
        let (url, host) = origin_of(origin)?;
        let scheme = if url.scheme() == "https" || is_local(&host) { Scheme::Implied } else { Scheme::Http };
        Some(Self { host, port: url.port(), scheme, is_wide: false })
    }

    /// Returns this site with its subdomains, where they have the same owner.
    #[must_use]
    pub fn widened(self) -> Self {
        let is_wide = matches!(&self.host, Host::Domain(name) if psl::domain(name.as_bytes()).is_some());
        Self { is_wide, ..self }
    }

    /// Whether the entry is filled in at this origin, as the document itself tells it.
    pub fn covers(&self, origin: &str) -> bool {
        let Some((url, host)) = origin_of(origin) else { return false };
        let is_secure = url.scheme() == "https";
        let is_host = host == self.host || (self.is_wide && is_beneath(&host, &self.host));
        let is_scheme = is_secure || self.scheme == Scheme::Http || (self.scheme == Scheme::Implied && is_local(&host));
        is_host && is_scheme && url.port() == self.port
    }

    /// Whether an origin is of the same owner, and yet not where the entry is filled in: another scheme, port or subdomain.
    pub fn is_near(&self, origin: &str) -> bool {
        origin_of(origin).is_some_and(|(_, host)| is_same_owner(&host, &self.host)) && !self.covers(origin)
    }

    /// Whether only this host is meant, and no subdomain of it.
    pub fn is_exact(&self) -> bool {
        !self.is_wide
    }

    /// Whether both name the same host.
    pub fn has_host_of(&self, other: &Self) -> bool {
        self.host == other.host && (self.port == other.port || other.port.is_none())
    }
}

/// Whether a document may embed a sign-in form from another origin: both are of one owner, and neither is less safe.
pub(super) fn may_hold(outer: &str, inner: &str) -> bool {
    let (Some((outer, outer_host)), Some((inner, inner_host))) = (origin_of(outer), origin_of(inner)) else {
        return false;
    };
    // On one address, each port may belong to someone else.
    let is_port = matches!(outer_host, Host::Domain(_)) && !is_local(&outer_host) || outer.port() == inner.port();
    is_port && is_same_owner(&outer_host, &inner_host) && (inner.scheme() != "https" || outer.scheme() == "https")
}

fn origin_of(origin: &str) -> Option<(Url, Host)> {
    let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host()?.to_owned();
    Some((url, host))
}

fn is_same_owner(one: &Host, other: &Host) -> bool {
    match (one, other) {
        (Host::Domain(one), Host::Domain(other)) => {
            let owner = |name: &str| psl::domain(name.as_bytes()).map(|domain| domain.as_bytes().to_vec());
            one == other || owner(one).is_some_and(|owner_of_one| owner(other) == Some(owner_of_one))
        }
        (one, other) => one == other,
    }
}

fn is_beneath(host: &Host, parent: &Host) -> bool {
    let (Host::Domain(host), Host::Domain(parent)) = (host, parent) else { return false };
    host.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Domain(name) => RESERVED.contains(&name.rsplit('.').next().unwrap_or(name)),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_site_is_written_in_one_way() {
        let check = |text: &str, expected: &str| assert_eq!(site(text).to_string(), expected);
        check("Shop.com", "shop.com");
        check(" https://shop.com/login?next=a ", "shop.com");
        check("https://shop.com:443", "shop.com");
        check("shop.com:8443", "shop.com:8443");
        check("http://shop.com", "http://shop.com");
        check("https://127.0.0.1:8080", "https://127.0.0.1:8080");
        check("127.0.0.1:8080", "127.0.0.1:8080");
        check("*.shop.com", "*.shop.com");
        check("bücher.de", "xn--bcher-kva.de");
        check("[::1]:80", "[::1]:80");
    }

    #[test]
    fn a_site_is_widened_to_what_belongs_to_its_owner() {
        for (text, expected) in [
            ("shop.com", "*.shop.com"),
            ("https://login.shop.com/a", "*.login.shop.com"),
            ("co.uk", "co.uk"),
            ("10.0.0.7", "10.0.0.7"),
        ] {
            assert_eq!(site(text).widened().to_string(), expected);
        }
    }

    #[test]
    fn what_names_no_site_is_refused() {
        for text in ["", "*", "a b", "ftp://a.example", "https://", "https://me:pw@a.example", "*.*.example", "a.*.com"]
        {
            assert!(text.parse::<Site>().is_err(), "{text}");
        }
        for text in ["*.com", "*.co.uk", "*.github.io"] {
            assert!(matches!(text.parse::<Site>(), Err(SiteError::PublicSuffix(_))), "{text}");
        }
        assert_eq!("*.127.0.0.1".parse::<Site>(), Err(SiteError::WideAddress));
    }

    #[test]
    fn an_entry_is_for_its_own_origin_alone() {
        let check = |text: &str, origin: &str, expected: bool| {
            assert_eq!(site(text).covers(origin), expected, "{text} at {origin}");
        };
        check("shop.com", "https://shop.com", true);
        check("https://shop.com", "https://shop.com", true);
        check("http://shop.com", "http://shop.com", true);
        check("http://shop.com", "https://shop.com", true);
        check("portal.example", "http://portal.example", true);
        check("127.0.0.1:8080", "http://127.0.0.1:8080", true);
        check("*.shop.com", "https://login.shop.com", true);
        check("*.shop.com", "https://shop.com", true);

        check("shop.com", "http://shop.com", false);
        check("shop.com", "https://login.shop.com", false);
        check("shop.com", "https://shop.com:8443", false);
        check("shop.com", "https://shop.com.evil.com", false);
        check("shop.com", "https://evilshop.com", false);
        check("shop.com", "https://shop.co", false);
        check("shop.com", "https://sh0p.com", false);
        check("shop.com", "https://xn--shp-8na.com", false);
        check("shop.com", "null", false);
        check("shop.com", "file://", false);
        check("shop.com", "data:text/html,shop.com", false);
        check("*.shop.com", "https://evilshop.com", false);
        check("https://127.0.0.1:8080", "http://127.0.0.1:8080", false);
        check("127.0.0.1:8080", "http://127.0.0.1:8081", false);
    }

    #[test]
    fn an_origin_has_a_site_that_covers_it() {
        for (origin, expected) in [
            ("https://shop.com", "shop.com"),
            ("https://shop.com:8443", "shop.com:8443"),
            ("http://shop.com", "http://shop.com"),
            ("http://portal.example", "portal.example"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            let site = Site::of_origin(origin).unwrap_or_else(|| panic!("{origin} has a site"));
            assert_eq!(site.to_string(), expected);
            assert!(site.covers(origin) && self::site(expected).covers(origin), "{origin}");
        }
        assert_eq!(Site::of_origin("null"), None);
        assert_eq!(Site::of_origin("file://"), None);
    }

    #[test]
    fn a_document_of_another_owner_holds_no_sign_in() {
        let check = |outer: &str, inner: &str, expected: bool| assert_eq!(may_hold(outer, inner), expected, "{outer}");
        check("https://account.shop.com", "https://login.shop.com", true);
        check("https://shop.com", "https://shop.com", true);
        check("http://shop.com", "https://login.shop.com", false);
        check("https://evil.com", "https://login.shop.com", false);
        check("https://evil.github.io", "https://shop.github.io", false);
        check("http://127.0.0.1:1", "http://127.0.0.1:1", true);
        check("http://127.0.0.1:1", "http://127.0.0.1:2", false);
        check("http://localhost:1", "http://localhost:2", false);
        check("https://shop.com:8443", "https://login.shop.com", true);
        check("null", "https://shop.com", false);
    }
}
