//! What the bot fetches for a user: public http(s) addresses, and what the allow-list names.
//!
//! # Theory of operation
//!
//! An address is parsed once, by the parser that the HTTP client uses, so nobody reads it differently later. A host that
//! is an address itself is judged here, each time anew: for what a user gave, and for every redirect before it is
//! followed. A host that is a name is judged where the client looks it up: [`Resolver`] is the client's only way to an
//! address, it refuses the name when any of its addresses is not public, and the client connects to exactly what it
//! was given, so there is no second look-up that could answer otherwise.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::SourceError;

mod address;
mod allow;

pub use address::is_public;
pub use allow::AllowList;

/// Decides which addresses are fetched; cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    allow: Arc<AllowList>,
    /// Most characters of an address.
    most: usize,
}

impl Guard {
    /// Makes a guard that lets through what is public, and what `allow` names.
    pub fn new(allow: AllowList, most: usize) -> Self {
        Self { allow: Arc::new(allow), most }
    }

    /// Reads an address as a user gives it.
    pub fn parse(&self, text: &str) -> Result<Url, SourceError> {
        let text = text.trim();
        if text.len() > self.most {
            return Err(SourceError::NoAddress);
        }
        let url = Url::parse(text).map_err(|_| SourceError::NoAddress)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Judges an address before it is fetched; a name is judged again when it is looked up.
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
        // The brackets of an IPv6 address are part of the host as `url` gives it.
        let allowed = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => is_public(address) || self.allow.has_address(address, Some(port)),
            Err(_) => self.allow.may_reach(host, port),
        };
        if allowed { Ok(()) } else { Err(SourceError::NotPublic) }
    }

    /// Makes the HTTP client's way from names to addresses.
    pub(super) fn resolver(&self, lookup: Arc<dyn Lookup>, within: Duration) -> Resolver {
        Resolver { allow: self.allow.clone(), lookup, within }
    }
}

/// Looks up names; the system does, or a test.
pub(super) trait Lookup: Send + Sync {
    /// Gives all addresses of a name.
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// Names as the system knows them.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Looks up names for the HTTP client, and refuses those that are not public.
pub(super) struct Resolver {
    allow: Arc<AllowList>,
    lookup: Arc<dyn Lookup>,
    within: Duration,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (found, allow, within) = (self.lookup.lookup(host.clone()), self.allow.clone(), self.within);
        Box::pin(async move {
            let found = tokio::time::timeout(within, found).await.map_err(|_| Refusal::Late)?;
            let found = found.map_err(|_| Refusal::Unknown)?;
            if found.is_empty() {
                return Err(Refusal::Unknown.into());
            }
            let any = allow.has_name(&host);
            if !any && found.iter().any(|address| !is_public(*address) && !allow.has_address(*address, None))
            {
                return Err(Refusal::NotPublic.into());
            }
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Why a name is not looked up, as it travels through the HTTP client.
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
    use super::*;

    fn guard(allow: &str) -> Guard {
        Guard::new(AllowList::parse(allow).unwrap(), 2_048)
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
}
