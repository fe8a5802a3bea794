//! The networks that this machine is in.

use std::io;
use std::net::IpAddr;

use if_addrs::IfAddr;
use player::source::Network;

/// Returns the addresses of all interfaces with the prefixes of their networks.
///
/// # Errors
/// If the system does not provide them, for example because a sandbox forbids netlink sockets.
pub(crate) fn read() -> io::Result<Vec<Network>> {
    Ok(if_addrs::get_if_addrs()?.into_iter().map(|interface| network(&interface.addr)).collect())
}

fn network(address: &IfAddr) -> Network {
    match address {
        IfAddr::V4(address) => Network::new(IpAddr::V4(address.ip), address.prefixlen.into()),
        IfAddr::V6(address) => Network::new(IpAddr::V6(address.ip), address.prefixlen.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn this_machine_has_a_loopback_interface() {
        assert!(read().unwrap().contains(&Network::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8)));
    }
}
