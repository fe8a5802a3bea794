//! The networks that this machine is in. They are as closed to users as private ones, though their addresses may be
//! public.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::address::{in_network, plain};

/// Time for which the networks are not read again.
const FRESH: Duration = Duration::from_secs(10);
/// Shortest prefixes of IPv4 and IPv6 networks that count as a link's. A shorter one, which some tunnels have, would
/// cover a large part of the internet.
const SHORTEST: (u32, u32) = (8, 32);

/// An address of one of this machine's interfaces, and the prefix of the network that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u32,
}

impl Network {
    /// Creates a network from an address in it and the length of its prefix in bits. With a length that no link has, it
    /// is the address alone.
    pub fn new(address: IpAddr, length: u32) -> Self {
        let (shortest, whole) = if address.is_ipv4() { (SHORTEST.0, 32) } else { (SHORTEST.1, 128) };
        let length = if (shortest..=whole).contains(&length) { length } else { whole };
        Self { address, length }
    }

    fn contains(&self, address: IpAddr) -> bool {
        in_network(address, self.address, self.length)
    }
}

type Read = dyn Fn() -> io::Result<Vec<Network>> + Send + Sync;

/// The networks of this machine's interfaces, which are read again over time. Cheap to clone. The default has none.
#[derive(Clone, Default)]
pub struct Interfaces(Option<Arc<Inner>>);

struct Inner {
    read: Box<Read>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    networks: Vec<Network>,
    since: Option<Instant>,
    /// Whether the last read has failed, which has been logged.
    has_failed: bool,
}

impl Interfaces {
    /// Creates them with a function that asks the system, which takes microseconds.
    pub fn new(read: impl Fn() -> io::Result<Vec<Network>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Inner { read: Box::new(read), known: Mutex::default() })))
    }

    /// Returns whether an address is this machine's own or in the network of one of its interfaces.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let Some(inner) = &self.0 else { return false };
        let address = plain(address);
        let mut known = inner.known.lock();
        if known.since.is_none_or(|since| since.elapsed() >= FRESH) {
            known.renew(&inner.read);
        }
        known.networks.iter().any(|network| network.contains(address))
    }
}

impl Known {
    /// Reads the networks. If that fails, the known ones stay.
    fn renew(&mut self, read: &Read) {
        match read() {
            Ok(networks) => {
                self.networks = networks;
                self.has_failed = false;
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::warn!(%error, "this machine's addresses cannot be read, so media may be fetched from them");
                }
                self.has_failed = true;
            }
        }
        self.since = Some(Instant::now());
    }
}

impl fmt::Debug for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.0.as_ref().map(|inner| inner.known.lock().networks.clone());
        f.debug_tuple("Interfaces").field(&networks).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str, length: u32) -> Network {
        Network::new(address.parse().unwrap(), length)
    }

    fn contain(interfaces: &Interfaces, address: &str) -> bool {
        interfaces.contain(address.parse().unwrap())
    }

    #[test]
    fn the_machine_itself_and_its_neighbours_are_known() {
        let interfaces = Interfaces::new(|| {
            Ok(vec![network("192.0.32.8", 29), network("2606:4700:1:2::3", 64), network("9.9.9.9", 32)])
        });
        for known in [
            "192.0.32.8",
            "192.0.32.15",
            "::ffff:192.0.32.9",
            "64:ff9b::192.0.32.9",
            "2606:4700:1:2:ffff::1",
            "9.9.9.9",
        ] {
            assert!(contain(&interfaces, known), "{known}");
        }
        for foreign in ["192.0.32.16", "192.0.32.7", "2606:4700:1:3::3", "9.9.9.8", "::1"] {
            assert!(!contain(&interfaces, foreign), "{foreign}");
        }
        assert!(!contain(&Interfaces::default(), "192.0.32.8"));
    }

    #[test]
    fn a_prefix_that_no_link_has_stands_for_its_address_alone() {
        let interfaces = Interfaces::new(|| {
            Ok(vec![network("9.9.9.9", 0), network("8.8.8.8", 33), network("2606:4700::1", 3)])
        });
        for known in ["9.9.9.9", "8.8.8.8", "2606:4700::1"] {
            assert!(contain(&interfaces, known), "{known}");
        }
        for foreign in ["9.9.9.8", "8.8.8.9", "2606:4700::2", "1.1.1.1"] {
            assert!(!contain(&interfaces, foreign), "{foreign}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn networks_that_change_are_read_again_and_a_failure_forgets_none() {
        let answers = [Ok("9.9.9.9"), Ok("8.8.8.8"), Err(()), Ok("1.1.1.1")];
        let answers = Mutex::new(answers.into_iter());
        let interfaces = Interfaces::new(move || {
            let answer = answers.lock().next().expect("read once each ten seconds");
            answer.map(|address| vec![network(address, 32)]).map_err(|()| io::Error::other("no netlink"))
        });
        for expected in ["9.9.9.9", "8.8.8.8", "8.8.8.8", "1.1.1.1"] {
            for address in ["9.9.9.9", "8.8.8.8", "1.1.1.1"] {
                assert_eq!(contain(&interfaces, address), address == expected, "{address}");
            }
            tokio::time::advance(FRESH).await;
        }
    }
}
