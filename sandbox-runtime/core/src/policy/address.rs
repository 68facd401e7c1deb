//! Which addresses are public. Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are not public, as first address and prefix length.
const CLOSED_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's platform service: a public number that only ever answers from inside the host.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// Blocks within `2000::/3` that are not public; everything outside `2000::/3` is closed anyway, but for NAT64.
const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    // Protocol assignments, Teredo and benchmarking among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4 reaches whatever IPv4 address is written in it, by way of anyone's relay.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Returns the address as the host would dial it: an IPv4-mapped IPv6 address is that IPv4 address.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Returns the IPv4 address that a NAT64 or 6to4 address leads to.
pub fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = canonical(address) else {
        return None;
    };
    let octets = v6.octets();
    if is_within_v6(v6, NAT64) {
        return Some(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]));
    }
    if octets[..2] == [0x20, 0x02] {
        return Some(Ipv4Addr::new(octets[2], octets[3], octets[4], octets[5]));
    }
    None
}

/// Whether the address is public: in none of the special-purpose blocks, in any spelling.
pub fn is_global(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => !CLOSED_V4.iter().any(|&block| is_within_v4(v4, block)),
        IpAddr::V6(v6) if is_within_v6(v6, NAT64) => embedded(address).is_some_and(|v4| is_global(v4.into())),
        IpAddr::V6(v6) => is_within_v6(v6, GLOBAL_UNICAST) && !CLOSED_V6.iter().any(|&block| is_within_v6(v6, block)),
    }
}

/// Whether `address` is in the block that begins at `first`; never across the two families.
pub(super) fn is_within(address: IpAddr, first: IpAddr, prefix_len: u8) -> bool {
    match (address, first) {
        (IpAddr::V4(address), IpAddr::V4(first)) => is_within_v4(address, (first, prefix_len)),
        (IpAddr::V6(address), IpAddr::V6(first)) => is_within_v6(address, (first, prefix_len)),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

fn is_within_v4(address: Ipv4Addr, (first, prefix_len): (Ipv4Addr, u8)) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix_len)).unwrap_or(0);
    address.to_bits() & mask == first.to_bits() & mask
}

fn is_within_v6(address: Ipv6Addr, (first, prefix_len): (Ipv6Addr, u8)) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix_len)).unwrap_or(0);
    address.to_bits() & mask == first.to_bits() & mask
}
