//! What a person opens with one answer: a site with all of its hosts, or one address.

use std::fmt;

use super::host::Host;

/// Where a sandbox wants to go, as a person is asked about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A domain that has one owner, with everything beneath it: pages of one site use many hosts.
    Domain(String),
    /// A name or an address that stands for itself alone, with its port where it is not a usual one.
    Host(String),
}

impl Place {
    pub fn of(host: &Host, port: u16) -> Self {
        let domain = match host {
            Host::Name(name) => psl::domain(name.as_bytes()).filter(|domain| domain.suffix().is_known()),
            Host::Address(_) => None,
        };
        if let Some(domain) = domain {
            return Self::Domain(String::from_utf8_lossy(domain.as_bytes()).into_owned());
        }
        Self::Host(if matches!(port, 80 | 443) { host.to_string() } else { format!("{host}:{port}") })
    }

    /// Returns the lines of `network.allow` that open it.
    pub fn patterns(&self) -> Vec<String> {
        match self {
            Self::Domain(domain) => vec![domain.clone(), format!("*.{domain}")],
            Self::Host(host) => vec![host.clone()],
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) | Self::Host(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::*;

    #[test]
    fn one_answer_opens_a_site_with_all_of_its_hosts_and_nothing_of_another_owner() {
        let check = |text: &str, port: u16, expected: &str, others: &[&str], closed: &[&str]| {
            let host = Host::parse(text).unwrap();
            let place = Place::of(&host, port);
            assert_eq!(place.to_string(), expected, "{text}");
            let patterns: Vec<Pattern> = place.patterns().iter().map(|text| text.parse().unwrap()).collect();
            let opens = |text: &str| patterns.iter().any(|pattern| pattern.matches(&Host::parse(text).unwrap(), port));
            assert!(opens(text), "{text}");
            assert!(others.iter().all(|host| opens(host)), "{text} opens {others:?}");
            assert!(!closed.iter().any(|host| opens(host)), "{text} does not open {closed:?}");
        };
        check("shop.com", 443, "shop.com", &["www.shop.com", "cdn.img.shop.com"], &["evilshop.com", "com"]);
        check("img.cdn.shop.co.uk", 8443, "shop.co.uk", &["shop.co.uk"], &["other.co.uk"]);
        check("ada.github.io", 443, "ada.github.io", &["x.ada.github.io"], &["bob.github.io", "github.io"]);
        check("portal.internal", 443, "portal.internal", &[], &["other.internal"]);
        check("93.184.216.34", 80, "93.184.216.34", &[], &["93.184.216.35"]);
        check("93.184.216.34", 8080, "93.184.216.34:8080", &[], &[]);
        check("2606:2800::1", 8080, "[2606:2800::1]:8080", &[], &[]);
    }
}
