//! Whether a sandbox reaches any host beside those that a secret is for.

use super::pattern::{Pattern, PatternError};
use crate::model::{NetworkConfig, NetworkMode};

/// What a sandbox reaches beside the hosts that a secret is for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Beside {
    #[error("every host")]
    Every,
    /// As its configuration names it.
    #[error("`{0}`")]
    Named(String),
}

/// Returns what a sandbox of this configuration reaches beside these hosts; `None` where it reaches nothing else.
///
/// What `deny` closes is not counted: it is there to close a part of what is open.
///
/// # Errors
///
/// A host that cannot be understood.
pub fn beside(config: &NetworkConfig, hosts: &[String]) -> Result<Option<Beside>, PatternError> {
    let hosts = hosts.iter().map(|host| host.parse()).collect::<Result<Vec<Pattern>, _>>()?;
    let open = match config.mode {
        NetworkMode::None => return Ok(None),
        // A person may open any.
        NetworkMode::Open | NetworkMode::Ask => return Ok(Some(Beside::Every)),
        NetworkMode::Allowlist => config.allow.iter().chain(&config.allow_private),
    };
    let is_meant = |text: &&String| {
        let open: Result<Pattern, _> = text.parse();
        open.is_ok_and(|open| hosts.iter().any(|host| host.contains(&open)))
    };
    let mut beside = open.filter(|text| !is_meant(text));
    Ok(beside.next().map(|text| Beside::Named(text.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: NetworkMode, allow: &[&str], hosts: &[&str], expected: Option<&str>) {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let config = NetworkConfig { mode, allow: texts(allow), ..NetworkConfig::default() };
        let found = beside(&config, &texts(hosts)).expect("hosts that are understood");
        assert_eq!(found.map(|found| found.to_string()).as_deref(), expected, "{allow:?} {hosts:?}");
    }

    #[test]
    fn only_a_list_of_those_hosts_or_no_network_leads_nowhere_else() {
        let hosts = ["api.example", "*.cdn.example:443", "10.0.0.0/8"];
        check(NetworkMode::None, &["evil.example"], &hosts, None);
        check(NetworkMode::Open, &[], &hosts, Some("every host"));
        let listed = |allow: &[&str], expected| check(NetworkMode::Allowlist, allow, &hosts, expected);
        listed(&[], None);
        listed(&["api.example", "api.example:443", "a.cdn.example:443", "*.b.cdn.example:443", "10.1.0.0/16"], None);
        listed(&["API.example"], None);
        listed(&["api.example", "evil.example"], Some("`evil.example`"));
        listed(&["*.api.example"], Some("`*.api.example`"));
        listed(&["a.cdn.example"], Some("`a.cdn.example`"));
        listed(&["cdn.example:443"], Some("`cdn.example:443`"));
        listed(&["10.0.0.0/7"], Some("`10.0.0.0/7`"));
        listed(&["*"], Some("`*`"));
    }

    #[test]
    fn a_private_destination_that_is_open_counts_too() {
        let config = NetworkConfig {
            mode: NetworkMode::Allowlist,
            allow: vec!["api.example".to_owned()],
            allow_private: vec!["127.0.0.1:8888".to_owned()],
            ..NetworkConfig::default()
        };
        let found = |hosts: &[String]| beside(&config, hosts).expect("hosts that are understood");
        assert_eq!(found(&["api.example".to_owned()]), Some(Beside::Named("127.0.0.1:8888".to_owned())));
        assert_eq!(found(&["api.example".to_owned(), "127.0.0.1".to_owned()]), None);
        assert!(beside(&config, &["https://api.example".to_owned()]).is_err());
    }
}
