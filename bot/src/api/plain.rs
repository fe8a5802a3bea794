//! Keeps the token off connections that anybody on the way can read.
//!
//! A server in Discord's stead may be reached without TLS while it is on this machine or in a private network, as a
//! proxy in the next container is. Elsewhere TLS is needed, unless `ALLOW_PLAIN_HTTP` says otherwise.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use sdk::tokio::net::lookup_host;
use sdk::voice::source::is_public;

/// Checks an address that gets the token: it has TLS, or no public address.
///
/// A name that cannot be resolved yet passes here; the relay judges it again when it connects.
///
/// # Errors
/// One sentence that names `variable`, the address and the way out.
pub(crate) async fn check(url: &str, variable: &str) -> Result<(), String> {
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
        Some(address) => Err(refusal(variable, url, address)),
    }
}

fn refusal(variable: &str, url: &str, address: IpAddr) -> String {
    let secure = url.replacen("http", "https", 1).replacen("ws", "wss", 1);
    let known = if url.contains(&address.to_string()) { String::new() } else { format!(" ({address})") };
    format!(
        "{variable} is '{url}', a public address{known} without TLS, where anybody on the way could read the token; use \
         '{secure}', or set ALLOW_PLAIN_HTTP=true if the way there is safe."
    )
}

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
            let sentence = check(url, "DISCORD_API_URL").await.unwrap_err();
            assert!(sentence.starts_with(&format!("DISCORD_API_URL is '{url}'")), "{sentence}");
            assert!(sentence.contains(way_out), "{sentence}");
        }
    }
}
