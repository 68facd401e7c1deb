//! What one answer of a person opens, and what a task opens by its own words: lines of `network.allow`.

use std::fmt;

use super::host::Host;

/// Where a sandbox wants to go, as a person is asked about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A domain that has one owner, with everything beneath it: pages of one site use many hosts.
    Domain(String),
    /// A name or an address that stands for itself alone, with its port where it is not one of the web's own.
    Host(String),
}

/// The ports of `http` and `https`.
const WEB_PORTS: [u16; 2] = [80, 443];

impl Place {
    pub fn of(host: &Host, port: u16) -> Self {
        let domain = match host {
            Host::Name(name) => psl::domain(name.as_bytes()).filter(|domain| domain.suffix().is_known()),
            Host::Address(_) => None,
        };
        if let Some(domain) = domain {
            return Self::Domain(String::from_utf8_lossy(domain.as_bytes()).into_owned());
        }
        Self::Host(if WEB_PORTS.contains(&port) { host.to_string() } else { format!("{host}:{port}") })
    }

    /// Returns the lines of `network.allow` that open it.
    pub fn patterns(&self) -> Vec<String> {
        match self {
            Self::Domain(domain) => vec![domain.clone(), format!("*.{domain}")],
            Self::Host(host) if has_port(host) => vec![host.clone()],
            Self::Host(host) => WEB_PORTS.iter().map(|port| format!("{host}:{port}")).collect(),
        }
    }

    /// Says what a yes does, after "Let this job".
    pub fn summary(&self) -> String {
        match self {
            Self::Domain(domain) => format!("reach {domain} and every host beneath it"),
            Self::Host(host) => format!("reach {host}"),
        }
    }
}

/// Returns the lines of `network.allow` for a site that a task names: `portal.example`, with its port where that is not the
/// usual one. Only what is named is opened, with what is beneath it; its owner's other hosts are not.
pub fn named_patterns(site: &str) -> Vec<String> {
    let name = site.strip_prefix("www.").unwrap_or(site);
    let is_address = matches!(host_of(name).map(Host::parse), Some(Ok(Host::Address(_))));
    let own = name.to_owned();
    if is_address || is_public_suffix(name) { vec![own] } else { vec![own, format!("*.{name}")] }
}

/// Whether names directly beneath this one belong to different owners: `com`, `co.uk`, `github.io`.
pub fn is_public_suffix(site: &str) -> bool {
    let name = host_of(site).unwrap_or(site).as_bytes();
    psl::suffix(name).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name)
}

fn has_port(host: &str) -> bool {
    host_of(host).is_some_and(|name| name.len() < host.len())
}

/// Returns the host of `host` or `host:port`; IPv6 addresses stand in brackets.
fn host_of(site: &str) -> Option<&str> {
    match site.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => site.get(..end + 2),
        None => site.split(':').next(),
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
        check("2606:2800::1", 443, "[2606:2800::1]", &[], &[]);
        check("93.184.216.34", 8080, "93.184.216.34:8080", &[], &[]);
        check("2606:2800::1", 8080, "[2606:2800::1]:8080", &[], &[]);
    }

    #[test]
    fn an_answer_for_the_web_opens_no_other_port_of_one_address() {
        for text in ["93.184.216.34", "2606:2800::1", "portal.internal"] {
            let host = Host::parse(text).unwrap();
            let patterns = Place::of(&host, 443).patterns();
            let opens = |port| patterns.iter().any(|text| text.parse::<Pattern>().unwrap().matches(&host, port));
            assert_eq!([80, 443, 22].map(opens), [true, true, false], "{text}");
        }
    }

    #[test]
    fn a_task_opens_the_host_that_it_names_and_not_its_owners_others() {
        let check = |site: &str, open: &[&str], closed: &[&str]| {
            let patterns: Vec<Pattern> = named_patterns(site).iter().map(|text| text.parse().unwrap()).collect();
            let opens = |text: &str| patterns.iter().any(|pattern| pattern.matches(&Host::parse(text).unwrap(), 8443));
            assert!(open.iter().all(|host| opens(host)), "{site} opens {open:?}");
            assert!(!closed.iter().any(|host| opens(host)), "{site} does not open {closed:?}");
        };
        check("docs.shop.com", &["docs.shop.com", "cdn.docs.shop.com"], &["shop.com", "mail.shop.com"]);
        check("www.shop.com", &["shop.com", "www.shop.com", "cdn.shop.com"], &["evilshop.com"]);
        check("shop.com:8443", &["shop.com", "cdn.shop.com"], &[]);
        check("shop.com:9000", &[], &["shop.com"]);
        check("github.io", &["github.io"], &["ada.github.io"]);
        check("co.uk", &[], &["shop.co.uk"]);
        check("93.184.216.34", &["93.184.216.34"], &["93.184.216.35"]);
        check("[2606:2800::1]:8443", &["2606:2800::1"], &["2606:2800::2"]);
        check("localhost", &["localhost", "app.localhost"], &[]);
    }
}
