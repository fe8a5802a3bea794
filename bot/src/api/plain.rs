//! Keeps the token off connections that can be eavesdropped on.
//!
//! A server in place of Discord may be reached without TLS while it is on this machine or in a private network, as a
//! proxy in the next container is. Elsewhere TLS is required, unless `ALLOW_PLAIN_HTTP` allows otherwise.
//!
//! A name may resolve to another address later. So it is checked at the start, where a mistake stops the bot, and again
//! each time the relay connects: its client resolves names only through [`NotPublic`], so it connects exactly to the
//! addresses that were checked.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use player::source::is_public;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use sdk::tokio::net::lookup_host;

/// Checks an address to which the token is sent: it has TLS, or no public address.
///
/// A name that cannot be resolved yet passes here. The relay checks it again when it connects.
///
/// # Errors
/// If it has neither; `variable` names it in the error.
pub(crate) async fn check(url: &str, variable: &'static str) -> Result<(), PublicWithoutTls> {
    let Ok(parsed) = Url::parse(url) else { return Ok(()) };
    if !matches!(parsed.scheme(), "http" | "ws") {
        return Ok(());
    }
    let Some(host) = parsed.host_str() else { return Ok(()) };
    let addresses: Vec<IpAddr> = match host.trim_matches(['[', ']']).parse() {
        Ok(address) => vec![address],
        Err(_) => lookup_host((host, parsed.port_or_known_default().unwrap_or(80)))
            .await
            .map(|found| found.map(|address: SocketAddr| address.ip()).collect())
            .unwrap_or_default(),
    };
    match addresses.into_iter().find(|address| is_public(*address)) {
        None => Ok(()),
        Some(address) => Err(PublicWithoutTls { variable, url: url.to_owned(), address }),
    }
}

type Found = Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>>;
type Lookup = dyn Fn(String) -> BoxFuture<'static, Found> + Send + Sync;

/// Resolves names for connections without TLS, and refuses those that resolve to a public address.
pub(super) struct NotPublic(Arc<Lookup>);

impl NotPublic {
    /// Creates a resolver that returns these addresses for each name, for tests.
    #[cfg(test)]
    pub(super) fn of(addresses: &'static [&'static str], asked: Arc<std::sync::atomic::AtomicUsize>) -> Self {
        Self(Arc::new(move |_| -> BoxFuture<'static, Found> {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Box::pin(async move { Ok(addresses.iter().map(|text| text.parse().unwrap()).collect()) })
        }))
    }
}

impl Default for NotPublic {
    fn default() -> Self {
        let system = |host: String| -> BoxFuture<'static, Found> {
            Box::pin(async move { Ok(lookup_host((host.as_str(), 0)).await?.collect()) })
        };
        Self(Arc::new(system))
    }
}

impl Resolve for NotPublic {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            if let Some(address) = found.iter().map(SocketAddr::ip).find(|address| is_public(*address)) {
                let words = format!(
                    "its name leads to {address} now, a public address, and without TLS anybody on the way could read \
                     the token; use https://, or set ALLOW_PLAIN_HTTP=true if the way there is safe"
                );
                return Err(words.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A public address without TLS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PublicWithoutTls {
    variable: &'static str,
    url: String,
    address: IpAddr,
}

impl fmt::Display for PublicWithoutTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, url, address } = self;
        let secure = url.replacen("http", "https", 1).replacen("ws", "wss", 1);
        let known = if url.contains(&address.to_string()) { String::new() } else { format!(" ({address})") };
        write!(
            f,
            "{variable} is '{url}', a public address{known} without TLS, where anybody on the way could read the token; \
             use '{secure}', or set ALLOW_PLAIN_HTTP=true if the way there is safe."
        )
    }
}

impl Error for PublicWithoutTls {}

#[cfg(test)]
mod tests {
    use super::*;

    #[sdk::tokio::test]
    async fn only_tls_reaches_a_public_address() {
        for url in [
            "https://192.0.32.8",
            "wss://192.0.32.8/",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "ws://10.1.2.3:7878/",
            "http://192.168.0.2/proxy",
            "http://[fd00::1]",
            "http://100.64.0.9",
            "http://localhost:3000",
        ] {
            assert_eq!(check(url, "DISCORD_API_URL").await, Ok(()), "{url}");
        }
        for (url, way_out) in [
            ("http://192.0.32.8:3000", "'https://192.0.32.8:3000'"),
            ("ws://192.0.32.8:3000/", "'wss://192.0.32.8:3000/'"),
            ("http://[2606:4700::1111]", "'https://[2606:4700::1111]'"),
            ("http://[::ffff:192.0.32.8]", "ALLOW_PLAIN_HTTP=true"),
        ] {
            let sentence = check(url, "DISCORD_API_URL").await.unwrap_err().to_string();
            assert!(sentence.starts_with(&format!("DISCORD_API_URL is '{url}'")), "{sentence}");
            assert!(sentence.contains(way_out), "{sentence}");
        }
    }
    async fn resolved(addresses: &'static [&'static str]) -> Result<usize, String> {
        let resolved = NotPublic::of(addresses, Arc::default()).resolve("proxy.lan".parse().unwrap()).await;
        resolved.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[sdk::tokio::test]
    async fn a_name_that_leads_to_a_public_address_by_now_is_not_connected_to() {
        assert_eq!(resolved(&["10.0.0.1:0", "[fd00::1]:0", "127.0.0.1:0"]).await, Ok(3));
        for addresses in [&["192.0.32.8:0"][..], &["10.0.0.1:0", "192.0.32.8:0"], &["[::ffff:192.0.32.8]:0"]]
        {
            let sentence = resolved(addresses).await.unwrap_err();
            assert!(
                sentence.contains("192.0.32.8 now") && sentence.contains("ALLOW_PLAIN_HTTP"),
                "{sentence}"
            );
        }
    }
}
