//! Keeps web pages out: a browser must not be able to drive the sandbox because it can reach the loopback interface.
//!
//! A page's script can send requests to 127.0.0.1, and with DNS rebinding even read the answers. Both give themselves
//! away: the first by an `Origin` that is not ours, the second by a `Host` that is a public name.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Refused;

/// Refuses requests that a web page of another site has made.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match why_not(request.headers()) {
        None => next.run(request).await,
        Some(why) => Refused::new(StatusCode::FORBIDDEN, why).into_response(),
    }
}

fn why_not(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    if !is_local(host) {
        return Some("This address is only served under a local name or an IP address.");
    }
    let same =
        |origin: &str| origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(host);
    if text(ORIGIN).is_some_and(|origin| !same(origin)) {
        return Some("Pages of other sites can't use the sandbox.");
    }
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some("Pages of other sites can't use the sandbox.");
    }
    None
}

/// Whether a host can't be a name that someone registered: an IP address, a name without a dot, or `.localhost`.
fn is_local(host: &str) -> bool {
    if host.starts_with('[') {
        return host.parse::<std::net::SocketAddrV6>().is_ok() || host.ends_with(']');
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.parse::<std::net::Ipv4Addr>().is_ok()
        || !name.is_empty() && !name.contains('.')
        || name.ends_with(".localhost")
        || name.ends_with(".internal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_terminal_and_our_own_page_are_let_in() {
        for host in ["127.0.0.1:8787", "localhost:8787", "sandbox:8787", "[::1]:8787", "a.localhost"] {
            assert_eq!(why_not(&headers(&[("host", host)])), None, "{host}");
        }
        assert_eq!(why_not(&headers(&[("host", "localhost:1"), ("origin", "http://localhost:1")])), None);
    }

    #[test]
    fn other_pages_are_kept_out() {
        for pairs in [
            &[("host", "evil.example:8787")][..],
            &[],
            &[("host", "127.0.0.1:1"), ("origin", "https://evil.example")],
            &[("host", "127.0.0.1:1"), ("origin", "null")],
            &[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:2")],
            &[("host", "127.0.0.1:1"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(why_not(&headers(pairs)).is_some(), "{pairs:?}");
        }
    }
}
