//! What one answer of a person opens, and what a task opens by its own words: lines of `network.allow`.

use std::fmt;

use super::host::Host;

/// Where a sandbox wants to go, as a person is asked about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// A domain that has one owner, or a name or an address that stands for itself alone.
    name: String,
    /// Whether everything beneath the name belongs to it: pages of one site use many hosts.
    is_domain: bool,
    /// `None` for the ports of the web.
    port: Option<u16>,
}

/// The ports of `http` and `https`.
const WEB_PORTS: [u16; 2] = [80, 443];

impl Place {
    pub fn of(host: &Host, port: u16) -> Self {
        let domain = match host {
            Host::Name(name) => psl::domain(name.as_bytes()).filter(|domain| domain.suffix().is_known()),
            Host::Address(_) => None,
        };
        let port = Some(port).filter(|port| !WEB_PORTS.contains(port));
        match domain {
            Some(domain) => {
                Self { name: String::from_utf8_lossy(domain.as_bytes()).into_owned(), is_domain: true, port }
            }
            None => Self { name: host.to_string(), is_domain: false, port },
        }
    }

    /// Returns the lines of `network.allow` that open it.
    pub fn patterns(&self) -> Vec<String> {
        patterns(&self.name, self.is_domain, self.port)
    }

    /// Says what a yes does, after "Let this job".
    pub fn summary(&self) -> String {
        if self.is_domain { format!("reach {self} and every host beneath it") } else { format!("reach {self}") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.name),
            Some(port) => write!(f, "{}:{port}", self.name),
        }
    }
}

/// Returns the lines of `network.allow` for a site that a task names: `portal.example`, with its port where that is not the
/// usual one. Only what is named is opened, with what is beneath it; its owner's other hosts are not.
pub fn named_patterns(site: &str) -> Vec<String> {
    let (name, port) = with_port(site.strip_prefix("www.").unwrap_or(site));
    let is_name = matches!(Host::parse(name), Ok(Host::Name(_)));
    patterns(name, is_name && !is_public_suffix(name), port)
}

/// Returns the lines of `network.allow` for one host alone, with its port where that is not the usual one.
pub fn host_patterns(site: &str) -> Vec<String> {
    let (name, port) = with_port(site);
    patterns(name, false, port)
}

fn patterns(name: &str, with_beneath: bool, port: Option<u16>) -> Vec<String> {
    let ports = port.map_or_else(|| WEB_PORTS.to_vec(), |port| vec![port]);
    let names = [Some(name.to_owned()), with_beneath.then(|| format!("*.{name}"))];
    names
        .into_iter()
        .flatten()
        .flat_map(|name| ports.iter().map(move |port| format!("{name}:{port}")).collect::<Vec<_>>())
        .collect()
}

/// Whether names directly beneath this one belong to different owners: `com`, `co.uk`, `github.io`.
pub fn is_public_suffix(site: &str) -> bool {
    let name = with_port(site).0.as_bytes();
    psl::suffix(name).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name)
}

/// Splits `host` or `host:port`; IPv6 addresses stand in brackets.
fn with_port(site: &str) -> (&str, Option<u16>) {
    match site.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (site, None),
        },
        Some(_) | None => (site, None),
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
        check("img.cdn.shop.co.uk", 8443, "shop.co.uk:8443", &["shop.co.uk"], &["other.co.uk"]);
        check("ada.github.io", 443, "ada.github.io", &["x.ada.github.io"], &["bob.github.io", "github.io"]);
        check("portal.internal", 443, "portal.internal", &[], &["other.internal"]);
        check("93.184.216.34", 80, "93.184.216.34", &[], &["93.184.216.35"]);
        check("2606:2800::1", 443, "[2606:2800::1]", &[], &[]);
        check("93.184.216.34", 8080, "93.184.216.34:8080", &[], &[]);
        check("2606:2800::1", 8080, "[2606:2800::1]:8080", &[], &[]);
    }

    #[test]
    fn an_answer_for_the_web_opens_no_other_port() {
        for text in ["93.184.216.34", "2606:2800::1", "portal.internal", "shop.com", "cdn.shop.com"] {
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
            let port = if site.ends_with(":8443") { 8443 } else { 443 };
            let opens = |text: &str| patterns.iter().any(|pattern| pattern.matches(&Host::parse(text).unwrap(), port));
            assert!(open.iter().all(|host| opens(host)), "{site} opens {open:?}");
            assert!(!closed.iter().any(|host| opens(host)), "{site} does not open {closed:?}");
        };
        check("docs.shop.com", &["docs.shop.com", "cdn.docs.shop.com"], &["shop.com", "mail.shop.com"]);
        check("www.shop.com", &["shop.com", "www.shop.com", "cdn.shop.com"], &["evilshop.com"]);
        check("shop.com:8443", &["shop.com", "cdn.shop.com"], &[]);
        check("github.io", &["github.io"], &["ada.github.io"]);
        check("co.uk", &[], &["shop.co.uk"]);
        check("93.184.216.34", &["93.184.216.34"], &["93.184.216.35"]);
        check("[2606:2800::1]:8443", &["2606:2800::1"], &["2606:2800::2"]);
        check("localhost", &["localhost", "app.localhost"], &[]);
        assert_eq!(named_patterns("shop.com:9000"), ["shop.com:9000", "*.shop.com:9000"]);
        assert_eq!(host_patterns("docs.shop.com"), ["docs.shop.com:80", "docs.shop.com:443"]);
        assert_eq!(host_patterns("[2606:2800::1]:8443"), ["[2606:2800::1]:8443"]);
    }
}
