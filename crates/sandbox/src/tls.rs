//! TLS in front of everything: the names that the certificate proves, and the addresses that bots are given.

use std::io;
use std::net::SocketAddr;

use sandbox_net::{Identity, Root};

use crate::address;

/// Port of HTTPS.
const HTTPS: u16 = 443;
/// Most names; each is in every handshake.
const MOST_NAMES: usize = 32;

/// TLS as it was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// Names of other servers that lead here, such as `discord.com`.
    pub(crate) names: Vec<String>,
    /// Whether `CONNECT` leads these names here, so that clients use the port of HTTPS.
    pub(crate) proxy: bool,
}

/// The addresses that bots are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Base address, which corresponds to `https://discord.com`.
    pub(crate) base: String,
    /// Address of files, which corresponds to `https://cdn.discordapp.com`.
    pub(crate) files: String,
    /// Address of the gateway; `None` if it is the one that the client has used.
    pub(crate) gateway: Option<String>,
    /// Host of the voice servers, and a name that requests may be sent to.
    pub(crate) host: String,
}

impl Addresses {
    /// Returns the addresses of a sandbox without TLS.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn plain(base: &str) -> Self {
        let host = address::host(base).to_owned();
        Self { base: base.to_owned(), files: base.to_owned(), gateway: None, host }
    }

    /// Returns the addresses of a sandbox that listens there.
    ///
    /// # Errors
    /// When `--public-url` contradicts TLS, or a name is no host name.
    pub(crate) fn new(
        listening: SocketAddr,
        public_url: Option<&str>,
        tls: Option<&Tls>,
    ) -> Result<Self, String> {
        let own = address::reachable(listening);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let own_url = public_url.map_or_else(|| format!("{scheme}://{own}"), str::to_owned);
        let host = address::host(&own_url).to_owned();
        let same = |base: String| {
            let gateway = public_url.map(|url| url.replacen("http", "ws", 1));
            Self { files: base.clone(), base, gateway, host: host.clone() }
        };
        let Some(tls) = tls else { return Ok(same(own_url)) };
        if own_url.starts_with("http://") {
            return Err(format!(
                "bots would reach {own_url} without TLS; with --tls it begins with https://"
            ));
        }
        tls.check()?;
        let port = if tls.proxy || own.port() == HTTPS { String::new() } else { format!(":{}", own.port()) };
        let named = |part: &str| tls.names.iter().find(|name| name.split('.').next() == Some(part));
        let (gateway, files) = (named("gateway"), named("cdn"));
        let rest = tls.names.iter().find(|name| Some(*name) != gateway && Some(*name) != files);
        if public_url.is_some() {
            return Ok(same(own_url));
        }
        let Some(api) = rest.or(gateway).or(files) else { return Ok(same(own_url)) };
        let at = |scheme: &str, name: Option<&String>| format!("{scheme}://{}{port}", name.unwrap_or(api));
        Ok(Self {
            base: at("https", Some(api)),
            files: at("https", files),
            gateway: Some(at("wss", gateway)),
            host,
        })
    }
}

impl Tls {
    fn check(&self) -> Result<(), String> {
        if self.names.len() > MOST_NAMES {
            return Err(format!(
                "{} names are more than a certificate has here, {MOST_NAMES}",
                self.names.len()
            ));
        }
        if let Some(name) = self.names.iter().find(|name| !is_host_name(name)) {
            return Err(format!("{name:?} is no host name; give one in lower case, such as discord.com"));
        }
        if self.proxy && self.names.is_empty() {
            return Err("the proxy leads the names of --tls-name here, and there is none; add --tls-name discord.com \
                 --tls-name gateway.discord.gg --tls-name cdn.discordapp.com, or what your library asks for"
                .to_owned());
        }
        Ok(())
    }
}

/// Returns whether this is a host name (RFC 1123, 2.1) with a letter in it, in lower case.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(is_label) && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Returns the certificate of all servers, for loopback, the host of the sandbox's address, and the names of TLS.
pub(crate) fn identity(host: &str, tls: Option<&Tls>, kept: Option<&Root>) -> io::Result<Identity> {
    let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let host = host.trim_matches(['[', ']']).to_owned();
    let mut others: Vec<String> = tls.iter().flat_map(|tls| &tls.names).cloned().collect();
    // In another order they are the same names, and have the same root.
    others.sort();
    for name in std::iter::once(host.clone()).chain(others) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Identity::new(&names, kept)
        .map_err(|error| io::Error::other(format!("no certificate for {host} can be made: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(
        listening: &str,
        public_url: Option<&str>,
        names: &[&str],
        proxy: bool,
    ) -> Result<Addresses, String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Addresses::new(listening.parse().unwrap(), public_url, Some(&Tls { names, proxy }))
    }

    #[test]
    fn each_address_has_the_name_that_is_made_for_it() {
        let all = ["discord.com", "gateway.discord.gg", "cdn.discordapp.com"];
        let some = |base: &str, files: &str, gateway: &str, host: &str| Addresses {
            base: base.into(),
            files: files.into(),
            gateway: Some(gateway.into()),
            host: host.into(),
        };
        assert_eq!(
            addresses("0.0.0.0:443", None, &all, false).unwrap(),
            some(
                "https://discord.com",
                "https://cdn.discordapp.com",
                "wss://gateway.discord.gg",
                "127.0.0.1"
            )
        );
        assert_eq!(
            addresses("127.0.0.1:87", None, &all, false).unwrap(),
            some(
                "https://discord.com:87",
                "https://cdn.discordapp.com:87",
                "wss://gateway.discord.gg:87",
                "127.0.0.1"
            )
        );
        assert_eq!(
            addresses("127.0.0.1:87", None, &["discord.com"], true).unwrap(),
            some("https://discord.com", "https://discord.com", "wss://discord.com", "127.0.0.1")
        );
        let public = addresses("0.0.0.0:87", Some("https://box:87"), &all, false).unwrap();
        assert_eq!(public, some("https://box:87", "https://box:87", "wss://box:87", "box"));
        let plain = addresses("127.0.0.1:87", None, &[], false).unwrap();
        assert_eq!((plain.base.as_str(), plain.gateway), ("https://127.0.0.1:87", None));
    }

    #[test]
    fn what_cannot_be_is_one_sentence() {
        for (public_url, names, proxy, part) in [
            (Some("http://box:87"), &[][..], false, "begins with https://"),
            (None, &["*.discord.com"], false, "no host name"),
            (None, &["Discord.com"], false, "lower case"),
            (None, &["discord.com:443"], false, "no host name"),
            (None, &["127.0.0.1"], false, "no host name"),
            (None, &[""], false, "no host name"),
            (None, &[], true, "--tls-name discord.com"),
        ] {
            let error = addresses("127.0.0.1:87", public_url, names, proxy).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{error}");
        }
        let many: Vec<String> = (0..33).map(|n| format!("a{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(addresses("127.0.0.1:87", None, &many, false).unwrap_err().contains("33 names"));
    }
}
