//! The network policy: spellings of hosts, patterns, classes of addresses, and the two stages of the decision.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use sandbox_core::model::{NetworkConfig, NetworkMode};
use sandbox_core::policy::{Host, Pattern, Policy, Refusal, is_global};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn policy(mode: NetworkMode, allow: &[&str], deny: &[&str], allow_private: &[&str]) -> Policy {
    let config =
        NetworkConfig { mode, allow: strings(allow), deny: strings(deny), allow_private: strings(allow_private) };
    Policy::new(&config).unwrap()
}

fn open() -> Policy {
    policy(NetworkMode::Open, &[], &[], &[])
}

#[test]
fn hosts_have_one_form_whatever_their_spelling() {
    let check = |text: &str, expected: &str| assert_eq!(Host::parse(text).unwrap().to_string(), expected, "{text}");
    check("Example.ORG", "example.org");
    check("example.org.", "example.org");
    check("bücher.example", "xn--bcher-kva.example");
    check("ＥＸＡＭＰＬＥ.org", "example.org");
    check("example。org", "example.org");
    check("_dmarc.example.org", "_dmarc.example.org");
    check("127.0.0.1", "127.0.0.1");
    check("127.0.0.1.", "127.0.0.1");
    check("127.1", "127.0.0.1");
    check("0x7f.1", "127.0.0.1");
    check("0x7f000001", "127.0.0.1");
    check("2130706433", "127.0.0.1");
    check("0177.0.0.01", "127.0.0.1");
    check("０x7f.1", "127.0.0.1");
    check("①②⑦.0.0.1", "127.0.0.1");
    check("0", "0.0.0.0");
    check("[::ffff:127.0.0.1]", "127.0.0.1");
    check("::ffff:7f00:1", "127.0.0.1");
    check("[::1]", "[::1]");
    check("0:0:0:0:0:0:0:1", "[::1]");
    check("[2606:4700::1111]", "[2606:4700::1111]");
}

#[test]
fn hosts_that_two_readers_could_take_differently_are_refused() {
    let check = |text: &str, expected: &str| {
        let error = Host::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    };
    check("", "empty");
    check(".", "not a host name");
    check("example.org..", "not a host name");
    check("a..b", "not a host name");
    check("exa\0mple.org", "which no host name may");
    check("example.org\r\nHost: x", "which no host name may");
    check("exa mple.org", "which no host name may");
    check("user@example.org", "'@'");
    check("user:password@example.org", "'@'");
    check("example.org/path", "'/'");
    check("example.org%00.evil", "'%'");
    check("%31%32%37.0.0.1", "'%'");
    check("[example.org]", "not a host name");
    check("exam[ple.org", "which no host name may");
    check("::1]", "not a host name");
    check("[::1", "not a host name");
    check("[fe80::1%eth0]", "'%'");
    check("1.2.3.4.5", "not a host name");
    check("256.0.0.1", "not a host name");
    check("0x100000000", "not a host name");
    check("1::2::3", "not a host name");
    check(&"a".repeat(64), "longer");
    check(&["a".repeat(60).as_str(); 5].join("."), "longer");
    check(&"a.".repeat(2000), "longer");
}

#[test]
fn authorities_split_into_host_and_port() {
    let check = |text: &str, host: &str, port: Option<u16>| {
        assert_eq!(Host::parse_authority(text).unwrap(), (Host::parse(host).unwrap(), port), "{text}");
    };
    check("example.org", "example.org", None);
    check("example.org:8080", "example.org", Some(8080));
    check("[::1]:80", "::1", Some(80));
    check("[::1]", "::1", None);
    for bad in
        ["example.org:", "example.org:0", "example.org:65536", "example.org:+80", "::1", "a:1:2", "[::1]x:80", ":80"]
    {
        assert!(Host::parse_authority(bad).is_err(), "{bad}");
    }
}

#[test]
fn patterns_match_what_they_name_and_nothing_else() {
    let check = |pattern: &str, host: &str, port: u16, expected: bool| {
        let matches = pattern.parse::<Pattern>().unwrap().matches(&Host::parse(host).unwrap(), port);
        assert_eq!(matches, expected, "{pattern} and {host}:{port}");
    };
    check("example.org", "example.org", 443, true);
    check("Example.org.", "EXAMPLE.org", 443, true);
    check("example.org", "www.example.org", 443, false);
    check("example.org", "badexample.org", 443, false);
    check("*.example.org", "www.example.org", 443, true);
    check("*.example.org", "a.b.example.org", 443, true);
    check("*.example.org", "example.org", 443, false);
    check("*.example.org", "badexample.org", 443, false);
    check("*.bücher.example", "a.xn--bcher-kva.example", 443, true);
    check("example.org:443", "example.org", 443, true);
    check("example.org:443", "example.org", 80, false);
    check("*:25", "example.org", 25, true);
    check("*:25", "1.2.3.4", 25, true);
    check("*:25", "example.org", 26, false);
    check("127.0.0.1:8888", "127.1", 8888, true);
    check("127.0.0.1", "127.0.0.2", 80, false);
    check("0x7f.1", "127.0.0.1", 80, true);
    check("10.0.0.0/8", "10.255.0.1", 80, true);
    check("10.0.0.0/8", "11.0.0.1", 80, false);
    check("10.0.0.0/8:8080", "10.0.0.1", 8080, true);
    check("10.0.0.0/8:8080", "10.0.0.1", 80, false);
    check("10.0.0.0/8", "::ffff:10.0.0.1", 80, true);
    check("10.0.0.0/8", "64:ff9b::10.0.0.1", 80, true);
    check("::ffff:10.0.0.0/104", "10.0.0.1", 80, true);
    check("0.0.0.0/0", "1.2.3.4", 80, true);
    check("0.0.0.0/0", "2606::1", 80, false);
    check("fd00::/8", "fd12::1", 80, true);
    check("[fd00::/8]:80", "fd12::1", 80, true);
    check("[fd00::]/8:80", "fd12::1", 81, false);
    check("::1", "::1", 80, true);
    check("[::1]:80", "::1", 81, false);
    check("10.0.0.0/8", "example.org", 80, false);
}

#[test]
fn patterns_show_as_they_would_be_written() {
    let check = |text: &str, expected: &str| {
        let pattern: Pattern = text.parse().unwrap();
        assert_eq!(pattern.to_string(), expected);
        assert_eq!(expected.parse::<Pattern>().unwrap(), pattern);
    };
    check("Example.org:80", "example.org:80");
    check("*.example.org", "*.example.org");
    check("*:25", "*:25");
    check("127.1:80", "127.0.0.1:80");
    check("[::1]:80", "[::1]:80");
    check("::1", "::1");
    check("[fd00::/8]:80", "[fd00::/8]:80");
    check("10.0.0.0/8:80", "10.0.0.0/8:80");
}

#[test]
fn bad_patterns_are_named_with_their_text() {
    let check = |text: &str, expected: &str| {
        let config = NetworkConfig { deny: strings(&["fine.example", text]), ..NetworkConfig::default() };
        let error = Policy::new(&config).expect_err(text).to_string();
        assert!(
            error.contains("network.deny") && error.contains(text) && error.contains(expected),
            "{text:?}: {error}"
        );
    };
    check("", "no host");
    check(":80", "no host");
    check("https://example.org", "scheme");
    check("example.org/path", "path");
    check("example.org:port", "port");
    check("example.org:0", "port");
    check("example.org:70000", "port");
    check("example.org:", "port");
    check("10.0.0.0/33", "0 to 32");
    check("fd00::/129", "0 to 128");
    check("10.0.0.0/x", "0 to 32");
    check("ex*mple.org", "star");
    check("*.*.org", "star");
    check("*.1.2.3.4", "star");
    check("*example.org", "star");
    check("user@example.org", "'@'");
    check("1.2.3.4.5", "not a host name");
}

#[test]
fn private_destinations_are_named_one_by_one() {
    for everything in ["*", "*:80", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
        let config = NetworkConfig { allow_private: strings(&[everything]), ..NetworkConfig::default() };
        let error = Policy::new(&config).expect_err(everything).to_string();
        assert!(error.contains("allowPrivate") && error.contains(everything), "{error}");
    }
}

#[test]
fn every_special_range_is_private_at_its_edges() {
    let check = |text: &str, expected: bool| assert_eq!(is_global(text.parse().unwrap()), expected, "{text}");
    for (before, first, last, after) in [
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
        ("2001:200::", "2001:db8::", "2001:db8:ffff::1", "2001:db9::1"),
        ("2001:db9::", "2002::", "2002:ffff::", "2003::"),
        ("3ffe::1", "3fff::", "3fff:fff::1", "3fff:1000::"),
    ] {
        check(before, true);
        check(first, false);
        check(last, false);
        check(after, true);
    }
    for closed in [
        "0.0.0.0",
        "0.255.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:1ff:ffff::",
        "2002:7f00:1::",
        "2002:808:808::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "4000::1",
    ] {
        check(closed, false);
    }
    for public in ["1.1.1.1", "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00:1450::1"] {
        check(public, true);
    }
}

#[test]
fn decision_by_name_follows_mode_and_lists() {
    use NetworkMode::{Allowlist, None as NoNetwork, Open};
    let check = |policy: Policy, host: &str, port: u16, expected: Result<(), &str>| {
        let decision = policy.by_name(&Host::parse(host).unwrap(), port);
        assert_eq!(decision.map_err(|refusal| refusal.setting()), expected, "{host}:{port}");
    };
    check(policy(Open, &[], &[], &[]), "example.org", 443, Ok(()));
    check(policy(Open, &[], &["example.org"], &[]), "example.org", 443, Err("network.deny"));
    check(policy(Open, &["example.org"], &["*.org"], &[]), "example.org", 443, Err("network.deny"));
    check(policy(Open, &[], &["*:25"], &[]), "example.org", 25, Err("network.deny"));
    check(policy(Allowlist, &["example.org"], &[], &[]), "example.org", 443, Ok(()));
    check(policy(Allowlist, &["example.org"], &[], &[]), "other.example", 443, Err("network.allow"));
    check(policy(Allowlist, &["example.org:443"], &[], &[]), "example.org", 80, Err("network.allow"));
    check(policy(Allowlist, &[], &[], &["intranet.example"]), "intranet.example", 80, Ok(()));
    check(policy(Allowlist, &["10.0.0.0/8"], &[], &[]), "10.0.0.1", 80, Err("network.allowPrivate"));
    check(policy(Allowlist, &["1.1.1.1"], &[], &[]), "1.1.1.1", 80, Ok(()));
    check(policy(NoNetwork, &["*"], &[], &["127.0.0.1"]), "127.0.0.1", 80, Err("network.mode"));
    check(policy(NoNetwork, &["*"], &[], &[]), "example.org", 80, Err("network.mode"));
    check(policy(Open, &["*"], &[], &[]), "127.1", 80, Err("network.allowPrivate"));
    check(policy(Open, &[], &[], &["127.0.0.1:8888"]), "0x7f.1", 8888, Ok(()));
    check(policy(Open, &[], &[], &["127.0.0.1:8888"]), "127.0.0.1", 8889, Err("network.allowPrivate"));
    check(policy(Open, &[], &["127.0.0.0/8"], &["127.0.0.1"]), "127.0.0.1", 80, Err("network.deny"));
}

#[test]
fn decision_by_address_closes_what_a_name_hides() {
    let name = Host::parse("rebind.example").unwrap();
    let check = |policy: &Policy, address: &str, expected: Result<(), &str>| {
        let decision = policy.by_address(&name, address.parse().unwrap(), 80);
        assert_eq!(decision.map_err(|refusal| refusal.setting()), expected, "{address}");
    };
    check(&open(), "8.8.8.8", Ok(()));
    check(&open(), "127.0.0.1", Err("network.allowPrivate"));
    check(&open(), "169.254.169.254", Err("network.allowPrivate"));
    check(&open(), "::ffff:192.168.0.1", Err("network.allowPrivate"));
    let denied = policy(NetworkMode::Open, &["*"], &["8.8.8.0/24"], &["127.0.0.1", "8.8.8.8"]);
    check(&denied, "8.8.8.8", Err("network.deny"));
    check(&denied, "64:ff9b::8.8.8.8", Err("network.deny"));
    check(&denied, "127.0.0.1", Ok(()));
    check(&denied, "127.0.0.2", Err("network.allowPrivate"));
    let named = policy(NetworkMode::Open, &[], &[], &["rebind.example:80"]);
    check(&named, "10.0.0.1", Ok(()));
    assert_eq!(
        named.by_address(&name, "10.0.0.1".parse().unwrap(), 81),
        Err(Refusal::Private { address: "10.0.0.1".parse().unwrap() })
    );
}

#[test]
fn localhost_is_told_from_names_that_only_look_like_it() {
    for (name, expected) in
        [("localhost", true), ("LOCALHOST.", true), ("a.localhost", true), ("localhost.example", false)]
    {
        assert_eq!(Host::parse(name).unwrap().is_localhost(), expected, "{name}");
    }
}

/// Every way to write an IPv4 address that browsers read.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let bits = address.to_bits();
    vec![
        address.to_string(),
        format!("{address}."),
        bits.to_string(),
        format!("0x{bits:x}"),
        format!("0X{bits:X}"),
        format!("0{bits:o}"),
        format!("{a}.{}", bits & 0xff_ffff),
        format!("0x{a:x}.0{b:o}.{}", bits & 0xffff),
        format!("0{a:o}.{b}.0x{c:x}.{d}"),
        format!("::ffff:{address}"),
        format!("[::ffff:{address}]"),
    ]
}

proptest! {
    #[test]
    fn no_spelling_of_an_address_changes_the_decision(bits in any::<u32>(), port in 1..=u16::MAX) {
        let address = Ipv4Addr::from_bits(bits);
        let expected = open().by_name(&Host::Address(address.into()), port);
        prop_assert_eq!(expected.is_ok(), is_global(address.into()));
        for spelling in spellings(address) {
            let host = Host::parse(&spelling).unwrap();
            prop_assert_eq!(open().by_name(&host, port), expected.clone(), "{}", spelling);
        }
        let nat64 = IpAddr::V6(Ipv6Addr::from_bits(0x0064_ff9b << 96 | u128::from(bits)));
        prop_assert_eq!(is_global(nat64), is_global(address.into()));
    }

    #[test]
    fn what_is_parsed_parses_to_itself(text in "\\PC{0,40}|[a-z0-9.:\\[\\]x@%-]{0,30}") {
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()).unwrap(), host.clone());
            if let Host::Name(name) = host {
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)));
                prop_assert!(name.parse::<IpAddr>().is_err());
            }
        }
    }

    #[test]
    fn any_pattern_text_is_read_or_refused_with_itself(text in "\\PC{0,40}|[a-z0-9.:/*\\[\\]]{0,30}") {
        match text.parse::<Pattern>() {
            Ok(pattern) => prop_assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern),
            Err(error) => prop_assert!(error.to_string().contains(&text)),
        }
    }

    #[test]
    fn deny_beats_allow_for_every_address(bits in any::<u128>(), port in 1..=u16::MAX) {
        let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
        let text = address.to_string();
        let policy = policy(NetworkMode::Open, &["*", &text], &[&text], &[&text]);
        let host = Host::Address(sandbox_core::policy::canonical(address));
        prop_assert_eq!(policy.by_name(&host, port).map_err(|refusal| refusal.setting()), Err("network.deny"));
        prop_assert_eq!(policy.by_address(&host, address, port).map_err(|refusal| refusal.setting()), Err("network.deny"));
    }
}
