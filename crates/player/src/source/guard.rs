//! The addresses that the bot fetches for a user: public http(s) ones, and those that the allow-list names; never those
//! that the deny-list names.
//!
//! # Theory of operation
//!
//! An address is parsed once, by the parser that the HTTP client uses, so it cannot be read differently later. A host
//! that is an IP address is checked here, each time again: for the address that a user gave, and for every redirect
//! before it is followed. A host that is a name is checked where the client looks it up: [`Resolver`] is the client's
//! only source of addresses, it refuses the name if any of its addresses is not public, and the client connects to
//! exactly these addresses, so there is no second lookup that could return others.
//!
//! A public address alone is not enough: this machine's own, and those of its neighbours on a link, are refused like
//! private ones. A firewall lets them in, and services on them may trust clients from there.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::SourceError;

mod address;
mod hosts;
mod interfaces;
mod names;

pub use address::is_public;
pub use hosts::HostList;
pub use interfaces::{Interfaces, Network};
pub(super) use names::{Lookup, System};

/// Decides which addresses are fetched. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    rules: Arc<Rules>,
    /// Most characters of an address.
    most: usize,
}

#[derive(Clone, Debug, Default)]
struct Rules {
    allow: HostList,
    deny: HostList,
    interfaces: Interfaces,
}

impl Rules {
    /// Returns whether a connection to an address is allowed, for the address itself (with a `port`) or as that of a
    /// name, for which the port is not known.
    fn admit(&self, address: IpAddr, port: Option<u16>, is_listed: bool) -> bool {
        if self.deny.denies_address(address::plain(address), port) || self.deny.denies_address(address, port)
        {
            return false;
        }
        let is_open = || is_public(address) && !self.interfaces.contain(address);
        is_listed || self.allow.has_address(address, port) || is_open()
    }
}

impl Guard {
    /// Creates a guard that allows public addresses, and those that `allow` names.
    pub fn new(allow: HostList, most: usize) -> Self {
        Self { rules: Arc::new(Rules { allow, ..Rules::default() }), most }
    }

    /// Refuses hosts that `deny` names, even if they are public or allowed.
    #[must_use]
    pub fn denying(mut self, deny: HostList) -> Self {
        Arc::make_mut(&mut self.rules).deny = deny;
        self
    }

    /// Refuses this machine and its neighbours, even if their addresses are public.
    #[must_use]
    pub fn apart_from(mut self, interfaces: Interfaces) -> Self {
        Arc::make_mut(&mut self.rules).interfaces = interfaces;
        self
    }

    /// Parses and checks an address as a user writes it.
    pub fn parse(&self, text: &str) -> Result<Url, SourceError> {
        let text = text.trim();
        if text.len() > self.most {
            return Err(SourceError::NoAddress);
        }
        let url = Url::parse(text).map_err(|_| SourceError::NoAddress)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Checks an address before it is fetched. A name is checked again when it is looked up.
    pub fn check(&self, url: &Url) -> Result<(), SourceError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SourceError::Scheme);
        }
        if url.as_str().len() > self.most {
            return Err(SourceError::NoAddress);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SourceError::Credentials);
        }
        let host = url.host_str().ok_or(SourceError::NoAddress)?;
        let port = url.port_or_known_default().ok_or(SourceError::NoAddress)?;
        // In `url`, the brackets of an IPv6 address are part of the host.
        let allowed = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => self.rules.admit(address, Some(port), false),
            Err(_) => {
                self.rules.allow.may_reach(host, port) && !self.rules.deny.denies_name(host, Some(port))
            }
        };
        if allowed { Ok(()) } else { Err(SourceError::NotPublic) }
    }

    /// Creates the HTTP client's resolver.
    pub(super) fn resolver(&self, lookup: Arc<dyn Lookup>, within: Duration) -> Resolver {
        Resolver { rules: self.rules.clone(), lookup, within }
    }
}

/// Looks up names for the HTTP client, and refuses those that are not public.
pub(super) struct Resolver {
    rules: Arc<Rules>,
    lookup: Arc<dyn Lookup>,
    within: Duration,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (found, rules, within) = (self.lookup.lookup(host.clone()), self.rules.clone(), self.within);
        Box::pin(async move {
            let found = tokio::time::timeout(within, found).await.map_err(|_| Refusal::Late)?;
            let found = found.map_err(|_| Refusal::Unknown)?;
            if found.is_empty() {
                return Err(Refusal::Unknown.into());
            }
            let is_listed = rules.allow.has_name(&host);
            if rules.deny.denies_name(&host, None)
                || !found.iter().all(|address| rules.admit(*address, None, is_listed))
            {
                return Err(Refusal::NotPublic.into());
            }
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Why a name is not looked up, as an error within the HTTP client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotPublic,
    Unknown,
    Late,
}

impl Refusal {
    /// Finds the refusal among the causes of a client's error.
    pub(super) fn within(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(refusal) = error.downcast_ref::<Self>() {
                return Some(*refusal);
            }
            cause = error.source();
        }
        None
    }
}

impl From<Refusal> for SourceError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotPublic => Self::NotPublic,
            Refusal::Unknown => Self::NoHost,
            Refusal::Late => Self::TimedOut,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SourceError::from(*self).fmt(f)
    }
}

impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::future::BoxFuture;

    use super::*;

    fn guard(allow: &str) -> Guard {
        Guard::new(HostList::parse(allow).unwrap(), 2_048)
    }

    #[test]
    fn what_is_not_a_plain_public_web_address_is_refused() {
        let guard = guard("");
        for (text, error) in [
            ("never gonna give you up", SourceError::NoAddress),
            ("http://", SourceError::NoAddress),
            ("-f", SourceError::NoAddress),
            ("file:///etc/passwd", SourceError::Scheme),
            ("ftp://example.org/a.mp3", SourceError::Scheme),
            ("data:audio/mpeg;base64,AAAA", SourceError::Scheme),
            ("http://me:secret@example.org/", SourceError::Credentials),
            ("http://me@example.org/", SourceError::Credentials),
            ("http://127.0.0.1/", SourceError::NotPublic),
            ("http://127.1/", SourceError::NotPublic),
            ("http://2130706433/", SourceError::NotPublic),
            ("http://0x7f.0.0.1/", SourceError::NotPublic),
            ("http://017700000001/", SourceError::NotPublic),
            ("http://①②⑦.0.0.1/", SourceError::NotPublic),
            ("http://[::1]/", SourceError::NotPublic),
            ("http://[::ffff:10.0.0.1]:80/", SourceError::NotPublic),
            ("https://169.254.169.254/latest/meta-data", SourceError::NotPublic),
        ] {
            assert_eq!(guard.parse(text).unwrap_err(), error, "{text}");
        }
        let long = format!("https://example.org/{}", "a".repeat(3_000));
        assert_eq!(guard.parse(&long).unwrap_err(), SourceError::NoAddress);
        for text in ["http://example.org/a.mp3", " https://8.8.8.8:8000/; ", "http://[2606:4700::1111]/"] {
            guard.parse(text).unwrap();
        }
    }

    #[test]
    fn what_the_list_allows_is_allowed_at_its_port_alone() {
        let guard = guard("127.0.0.1:4000, radio.lan:8000, 10.1.0.0/16, studio.lan");
        for text in [
            "http://127.0.0.1:4000/",
            "http://radio.lan:8000/",
            "http://10.1.2.3/",
            "http://studio.lan/",
            "http://STUDIO.lan.:9/",
        ] {
            guard.parse(text).unwrap();
        }
        for text in
            ["http://127.0.0.1:4001/", "http://127.0.0.2:4000/", "http://radio.lan/", "http://10.2.0.1/"]
        {
            assert_eq!(guard.parse(text).unwrap_err(), SourceError::NotPublic, "{text}");
        }
    }

    struct Answers(Vec<IpAddr>);

    impl Lookup for Answers {
        fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let answers = self.0.clone();
            Box::pin(async move { Ok(answers) })
        }
    }

    async fn resolve(guard: &Guard, name: &str, answers: &[&str]) -> Result<usize, Refusal> {
        let answers = answers.iter().map(|answer| answer.parse().unwrap()).collect();
        let resolver = guard.resolver(Arc::new(Answers(answers)), Duration::from_secs(5));
        match resolver.resolve(name.parse().unwrap()).await {
            Ok(found) => Ok(found.count()),
            Err(error) => Err(Refusal::within(&*error).unwrap()),
        }
    }

    #[tokio::test]
    async fn a_name_with_any_address_that_is_not_public_is_refused() {
        let guard = guard("studio.lan, radio.lan:8000, 10.1.0.0/16, 127.0.0.1:4000");
        assert_eq!(resolve(&guard, "a.example", &["8.8.8.8", "2606:4700::1"]).await, Ok(2));
        assert_eq!(resolve(&guard, "a.example", &["8.8.8.8", "127.0.0.1"]).await, Err(Refusal::NotPublic));
        assert_eq!(resolve(&guard, "a.example", &["::ffff:192.168.0.1"]).await, Err(Refusal::NotPublic));
        assert_eq!(resolve(&guard, "a.example", &[]).await, Err(Refusal::Unknown));
        assert_eq!(resolve(&guard, "a.example", &["10.1.0.9"]).await, Ok(1));
        assert_eq!(resolve(&guard, "studio.lan", &["192.168.0.1"]).await, Ok(1));
        assert_eq!(resolve(&guard, "radio.lan", &["192.168.0.1"]).await, Ok(1));
    }
    /// Returns the guard of a machine with a public IPv4 address of its own, and an IPv6 network that it shares.
    fn on_the_internet(allow: &str) -> Guard {
        guard(allow).apart_from(Interfaces::new(|| {
            let network = |address: &str, length| Network::new(address.parse().unwrap(), length);
            Ok(vec![network("127.0.0.1", 8), network("192.0.32.8", 29), network("2606:4700:1:2::3", 64)])
        }))
    }

    #[tokio::test]
    async fn the_machine_itself_and_its_neighbours_are_refused_unless_they_are_allowed() {
        let alone = on_the_internet("");
        for text in [
            "http://192.0.32.8/",
            "http://192.0.32.9:8000/",
            "https://[2606:4700:1:2::9]/",
            "http://[::ffff:192.0.32.8]/",
        ] {
            assert_eq!(alone.parse(text).unwrap_err(), SourceError::NotPublic, "{text}");
        }
        for text in ["http://192.0.32.16/", "https://[2606:4700:1:3::9]/", "http://me.example/"] {
            alone.parse(text).unwrap();
        }
        for addresses in [&["192.0.32.8"][..], &["8.8.8.8", "192.0.32.8"], &["2606:4700:1:2::9"]] {
            assert_eq!(resolve(&alone, "me.example", addresses).await, Err(Refusal::NotPublic));
        }
        assert_eq!(resolve(&alone, "other.example", &["192.0.32.16"]).await, Ok(1));

        let allowing = on_the_internet("192.0.32.8:8000, me.example");
        allowing.parse("http://192.0.32.8:8000/").unwrap();
        assert_eq!(allowing.parse("http://192.0.32.8/").unwrap_err(), SourceError::NotPublic);
        assert_eq!(resolve(&allowing, "me.example", &["192.0.32.8"]).await, Ok(1));
    }

    #[tokio::test]
    async fn what_is_denied_is_refused_also_where_it_is_public_or_allowed() {
        let deny = "bad.example, half.example:8000, 8.8.8.0/24, 9.9.9.9:8000, 10.0.0.1, 2606:4700::/32";
        let allow = "10.0.0.0/8, bad.example, good.example";
        let guard = guard(allow).denying(HostList::parse(deny).unwrap());
        for text in [
            "https://bad.example/",
            "http://BAD.example.:9/",
            "http://half.example:8000/",
            "http://8.8.8.8/",
            "http://[::ffff:8.8.8.8]/",
            "http://9.9.9.9:8000/",
            "http://10.0.0.1/",
            "http://[2606:4700::1]/",
        ] {
            assert_eq!(guard.parse(text).unwrap_err(), SourceError::NotPublic, "{text}");
        }
        for text in ["http://half.example/", "http://9.9.9.9/", "http://10.0.0.2/", "http://8.8.4.4/"] {
            guard.parse(text).unwrap();
        }
        for (name, address) in [
            ("bad.example", "1.1.1.1"),
            ("good.example", "10.0.0.1"),
            ("other.example", "8.8.8.8"),
            ("other.example", "::ffff:8.8.8.8"),
            // For the addresses of a name, the port is not known.
            ("other.example", "9.9.9.9"),
        ] {
            assert_eq!(resolve(&guard, name, &[address]).await, Err(Refusal::NotPublic), "{name}");
        }
        assert_eq!(resolve(&guard, "half.example", &["1.1.1.1"]).await, Ok(1));
        assert_eq!(resolve(&guard, "good.example", &["10.0.0.2"]).await, Ok(1));
    }
}
