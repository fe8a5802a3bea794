//! Lists of hosts and networks: those that are fetched though they are not public, and those that are never fetched.

use std::net::IpAddr;

use super::address::in_network;

/// A list of hosts and networks, each at one port or at all ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostList(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// A name, at one port or at all ports.
    Name(String, Option<u16>),
    /// A network, at one port or at all ports.
    Network(IpAddr, u32, Option<u16>),
}

impl HostList {
    /// Reads entries separated by commas or spaces: `host`, `host:port`, an address, or a network like `10.0.0.0/8`.
    ///
    /// # Errors
    /// When an entry is none of these. The error is the position of the first one, from 1.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let words = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
        let words = words.filter(|word| !word.is_empty()).enumerate();
        words.map(|(index, word)| Entry::parse(word).ok_or(index + 1)).collect::<Result<_, _>>().map(Self)
    }

    /// Adds one host or network, in a form that [`parse`](Self::parse) reads. Returns whether it is valid.
    pub fn add(&mut self, entry: &str) -> bool {
        let entry = Entry::parse(entry);
        let is_one = entry.is_some();
        self.0.extend(entry);
        is_one
    }

    /// Returns whether an address is listed at a port; without a `port`, whether it is listed at all ports.
    pub(super) fn has_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::Network(network, length, at) => {
                in_network(address, *network, *length) && (at.is_none() || *at == port)
            }
            Entry::Name(..) => false,
        })
    }

    /// Returns whether a name is listed, at any port.
    pub(super) fn has_name(&self, name: &str) -> bool {
        let name = plain(name);
        self.0.iter().any(|entry| matches!(entry, Entry::Name(listed, _) if *listed == name))
    }

    /// Returns whether a name may be looked up for a port. A name that is listed with ports is reached at these only.
    pub(super) fn may_reach(&self, name: &str, port: u16) -> bool {
        let name = plain(name);
        let mut ports = self.0.iter().filter_map(|entry| match entry {
            Entry::Name(listed, at) if *listed == name => Some(*at),
            _ => None,
        });
        let Some(first) = ports.next() else { return true };
        std::iter::once(first).chain(ports).any(|at| at.is_none_or(|at| at == port))
    }
}

impl HostList {
    /// Returns whether an address is listed at a port; without a `port`, whether it is listed at any.
    pub(super) fn denies_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::Network(network, length, at) => {
                in_network(address, *network, *length) && (at.is_none() || port.is_none() || *at == port)
            }
            Entry::Name(..) => false,
        })
    }

    /// Returns whether a name is listed at a port; without a `port`, whether it is listed at all ports.
    pub(super) fn denies_name(&self, name: &str, port: Option<u16>) -> bool {
        let name = plain(name);
        self.0.iter().any(|entry| match entry {
            Entry::Name(listed, at) => *listed == name && (at.is_none() || *at == port),
            Entry::Network(..) => false,
        })
    }
}

impl Entry {
    fn parse(word: &str) -> Option<Self> {
        if let Some((network, length)) = word.split_once('/') {
            let (network, length) = (network.parse::<IpAddr>().ok()?, length.parse().ok()?);
            let most = if network.is_ipv4() { 32 } else { 128 };
            return (length <= most).then_some(Self::Network(network, length, None));
        }
        let whole = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        if let Ok(address) = word.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Network(address, whole(address), None));
        }
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
            None => (word, None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Network(address, whole(address), port));
        }
        let is_name = !host.is_empty()
            && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
            && host.chars().any(char::is_alphanumeric);
        is_name.then(|| Self::Name(plain(host), port))
    }
}

/// Normalizes a name for comparison.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_that_is_none_is_named_by_its_place() {
        assert_eq!(HostList::parse(" a.lan, 127.0.0.1:80 [::1]:80,::1,fd00::/8 "), {
            let mut list = HostList::default();
            assert!(
                ["a.lan", "127.0.0.1:80", "[::1]:80", "::1", "fd00::/8"].iter().all(|entry| list.add(entry))
            );
            Ok(list)
        });
        for wrong in ["a,http://b", "a,10.0.0.0/33", "a,b:port", "a,x/8", "a,:80", "a,*.lan"] {
            assert_eq!(HostList::parse(wrong), Err(2), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", name in ".{0,20}", port: u16) {
            if let Ok(list) = HostList::parse(&text) {
                let _ = (list.has_name(&name), list.may_reach(&name, port));
            }
        }

        #[test]
        fn a_network_has_just_what_shares_its_prefix(bits: u32, other: u32, length in 0_u32..=32) {
            let network = std::net::Ipv4Addr::from_bits(bits);
            let list = HostList::parse(&format!("{network}/{length}")).unwrap();
            let other_address = std::net::Ipv4Addr::from_bits(other);
            let same = length == 0 || (bits ^ other) >> (32 - length) == 0;
            prop_assert_eq!(list.has_address(other_address.into(), Some(1)), same);
        }
    }
}
