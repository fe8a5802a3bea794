//! Which addresses may be reached: this machine, private networks, and hosts that were named at the start.

use std::io;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::{is_local_name, is_private};

/// The addresses that may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    /// Hosts outside of private networks, in lower case.
    hosts: Arc<[String]>,
}

impl Targets {
    /// Creates targets with these hosts outside of private networks.
    pub(crate) fn new(hosts: &[String]) -> Self {
        Self { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// Returns an address if requests may be sent to it, so far as that does not depend on what its name resolves to. The
    /// error is one sentence without its end.
    pub(crate) fn check(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|_| format!("\"{text}\" is no address"))?;
        let shown = shown(&url);
        let host = url.host_str().ok_or_else(|| format!("{shown} has no host"))?.trim_matches(['[', ']']);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "{shown} has a name or password before its host, which is not sent; leave it out"
            ));
        }
        let is_named = self.is_named(host);
        let address = host.parse().ok();
        if address.is_some_and(|address| !is_private(address)) && !is_named {
            return Err(refusal(host));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if address.map_or_else(|| is_local_name(host), is_private) => Ok(url),
            "http" => Err(format!(
                "{shown} is not encrypted, which is for this machine and private networks only; use https://"
            )),
            scheme => Err(format!("{shown} begins with {scheme}: and not with https:// or http://")),
        }
    }

    fn is_named(&self, host: &str) -> bool {
        self.hosts.iter().any(|named| named == host)
    }
}

/// Returns an address as logs and sentences show it: without what may be secret.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Neither fails for an address with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn refusal(host: &str) -> String {
    format!(
        "{host} is neither this machine nor in a private network; start the sandbox with --endpoint-host {host} to send \
         requests there"
    )
}

/// A name whose addresses may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

impl Resolve for Targets {
    /// Resolves a name, and leaves out addresses that may not be reached.
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let mut found = tokio::net::lookup_host((host.clone(), 0)).await?.peekable();
            if found.peek().is_none() {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")).into());
            }
            let is_named = targets.is_named(&host);
            let mut allowed = found.filter(move |address| is_named || is_private(address.ip())).peekable();
            if allowed.peek().is_none() {
                return Err(Refused(refusal(&host)).into());
            }
            Ok(Box::new(allowed) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_this_machine_private_networks_and_named_hosts() {
        let targets = Targets::new(&["Bot.Example.com".to_owned(), "8.8.4.4".to_owned()]);
        for good in [
            "http://127.0.0.1:3000/interactions",
            "http://localhost:3000",
            "http://bot:3000/a?b=c",
            "http://bot.test",
            "https://[::1]:3000/",
            "http://[fd00::1]/",
            "https://192.168.1.2/",
            "https://8.8.4.4/",
            // What a name leads to is seen when it is resolved.
            "https://bot.example.com/",
            "https://other.example.com/",
        ] {
            assert!(targets.check(good).is_ok(), "{good}");
        }
        for (bad, reason) in [
            ("frog", "is no address"),
            ("ftp://127.0.0.1/", "and not with https:// or http://"),
            ("http://other.example.com/", "is not encrypted"),
            ("http://bot.example.com/", "is not encrypted"),
            ("https://8.8.8.8/", "--endpoint-host 8.8.8.8"),
            ("http://169.254.169.254/latest", "neither this machine nor in a private network"),
            ("http://0.0.0.0:3000/", "neither this machine nor in a private network"),
            ("http://2130706434.nip.io/", "is not encrypted"),
            ("http://a:b@127.0.0.1/", "name or password"),
        ] {
            let error = targets.check(bad).unwrap_err();
            assert!(error.contains(reason), "{bad}: {error}");
            assert!(!error.contains("a:b"), "{error}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let url = Url::parse("https://a:b@bot.test:1/x?key=secret#y").unwrap();
        assert_eq!(shown(&url), "https://bot.test:1/x");
    }

    #[tokio::test]
    async fn a_name_leads_to_private_addresses_only_unless_it_is_named() {
        let targets = Targets::new(&[]);
        let mut found = targets.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.all(|address| address.ip().is_loopback()));
        // An address is resolved to itself.
        let outside = "8.8.8.8".parse::<Name>();
        if let Ok(outside) = outside {
            let error = targets.resolve(outside).await.err().unwrap().to_string();
            assert!(error.contains("--endpoint-host 8.8.8.8"), "{error}");
            let named = Targets::new(&["8.8.8.8".to_owned()]);
            assert_eq!(named.resolve("8.8.8.8".parse().unwrap()).await.unwrap().count(), 1);
        }
    }
}
