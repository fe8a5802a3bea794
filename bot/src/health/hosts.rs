//! The host names under which this server may be requested.
//!
//! A web page whose own name points to a private address (DNS rebinding) can read what is served there, and its
//! requests carry that name as `Host`. So a name that could be registered publicly is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Suffixes of names that cannot be registered publicly. Sources: RFC 6761, RFC 6762, RFC 8375, ICANN's resolution on
/// `.internal`, and what Kubernetes and routers use.
const PRIVATE: [&str; 8] =
    [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc", ".test", ".invalid"];

/// Returns whether a `Host` is an IP address, a name without a dot, or a name with a private suffix.
pub(super) fn is_private(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let Some((address, port)) = address.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'));
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
    !name.is_empty()
        && (name.parse::<Ipv4Addr>().is_ok()
            || !name.contains('.')
            || PRIVATE.iter().any(|ending| name.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_anybody_can_register_is_refused() {
        for host in [
            "127.0.0.1:9464",
            "10.1.2.3",
            "[::1]:9464",
            "[::1]",
            "localhost",
            "bot",
            "bot:9464",
            "LOCALHOST.",
            "bot.local",
            "bot.default.svc:9464",
            "bot.default.svc.cluster.local",
            "nas.home.arpa",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in [
            "",
            ":9464",
            "evil.example",
            "evil.example:9464",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[::1].evil.example",
            "[evil.example]",
            "evil.example.",
            "local.example",
        ] {
            assert!(!is_private(host), "{host}");
        }
    }
}
