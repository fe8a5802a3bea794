//! Public addresses, by IANA's registries of special-purpose addresses (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not public, with the length of their prefix.
const IPV4: [(Ipv4Addr, u32); 16] = [
    // "This network" and the unspecified address.
    (Ipv4Addr::UNSPECIFIED, 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by a provider's customers (RFC 6598).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, which clouds use for their metadata services.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Azure's virtual public address of the machine's host, which serves its agents. Source: "What is IP address
    // 168.63.129.16?" in Azure's documentation. The metadata services of other clouds use link-local, shared or local
    // addresses.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4, which is deprecated.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// IPv6 networks within the public one (2000::/3) that are not public, with the length of their prefix.
const IPV6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, with Teredo, ORCHID and benchmarks among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4, which carries any IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Returns whether an address is public: not loopback, private, shared, link-local, multicast or reserved.
///
/// An IPv6 address that represents an IPv4 address (mapped, or of NAT64) is treated as that one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !IPV4.iter().any(|(network, length)| in_ipv4(address, *network, *length)),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public(address.into()),
            None => {
                in_ipv6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                    && !IPV6.iter().any(|(network, length)| in_ipv6(address, *network, *length))
            }
        },
    }
}

/// Returns the IPv4 address for an IPv6 address that represents one; other addresses as they are.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(long) => embedded(long).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Returns the IPv4 address that an IPv6 address represents, in the forms that a host or a gateway translates.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = in_ipv6(address, Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
    if nat64 {
        let [.., a, b, c, d] = address.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    address.to_ipv4_mapped()
}

/// Returns whether `address` is in the network.
pub(super) fn in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => in_ipv4(address, network, length),
        (IpAddr::V6(address), IpAddr::V6(network)) => in_ipv6(address, network, length),
        _ => false,
    }
}

fn in_ipv4(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

fn in_ipv6(address: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_network_is_known_from_its_first_to_its_last_address() {
        for (first, last, before, after) in [
            ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
            ("224.0.0.0", "255.255.255.255", Some("223.255.255.255"), None),
            ("fc00::", "fdff::ffff", None, None),
            ("fe80::1", "feff::1", None, None),
            ("ff02::1", "ffff::", None, None),
            ("::", "::1", None, None),
            ("2002::", "2002:ffff::", Some("2001:ffff::"), Some("2003::")),
            ("2001:db8::", "2001:db8:ffff::", Some("2001:db7:ffff::"), Some("2001:db9::")),
            ("2001::", "2001:1ff:ffff::", None, Some("2001:200::")),
            ("64:ff9b:1::1", "64:ff9b:1:ffff::", None, None),
        ] {
            for address in [first, last] {
                assert!(!is_public(address.parse().unwrap()), "{address}");
            }
            for address in [before, after].into_iter().flatten() {
                assert!(is_public(address.parse().unwrap()), "{address}");
            }
        }
    }

    #[test]
    fn the_metadata_of_no_cloud_is_public() {
        for address in [
            // AWS, Google, Azure, Oracle, DigitalOcean, Hetzner, Vultr, IBM, OpenStack.
            "169.254.169.254",
            // AWS, its tasks' credentials, its DNS and its clock.
            "fd00:ec2::254",
            "169.254.170.2",
            "fd00:ec2::23",
            "169.254.169.253",
            "fd00:ec2::253",
            "169.254.169.123",
            // Azure's host.
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "64:ff9b::a83f:8110",
            // Google, for machines without IPv4.
            "fd20:ce::254",
            // Alibaba.
            "100.100.100.200",
            // Oracle's older one.
            "192.0.0.192",
            // Scaleway.
            "169.254.42.42",
            "fd00:42::42",
            // OpenStack.
            "fe80::a9fe:a9fe",
            // Tencent.
            "169.254.0.23",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for neighbour in ["168.63.129.15", "168.63.129.17"] {
            assert!(is_public(neighbour.parse().unwrap()), "{neighbour}");
        }
    }

    proptest! {
        #[test]
        fn an_embedded_address_is_what_it_stands_for(bits: u32) {
            let plain = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = plain.octets();
            let low = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, low[0], low[1]);
            let sixtofour = Ipv6Addr::new(0x2002, low[0], low[1], 0, 0, 0, 0, 1);
            let compatible = Ipv6Addr::new(0, 0, 0, 0, 0, 0, low[0], low[1]);
            prop_assert_eq!(is_public(plain.to_ipv6_mapped().into()), is_public(plain.into()));
            prop_assert_eq!(is_public(nat64.into()), is_public(plain.into()));
            prop_assert!(!is_public(sixtofour.into()));
            prop_assert!(!is_public(compatible.into()));
        }

        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u32, long: u128) {
            let plain = Ipv4Addr::from_bits(bits);
            if plain.is_private() || plain.is_loopback() || plain.is_link_local() || plain.is_multicast()
                || plain.is_documentation() || plain.is_unspecified() || plain.is_broadcast() {
                prop_assert!(!is_public(plain.into()));
            }
            let long = Ipv6Addr::from_bits(long);
            if long.is_multicast() || long.is_unique_local() || long.is_unicast_link_local() {
                prop_assert!(!is_public(long.into()));
            }
        }
    }
}
