//! Addresses: those of requests in one form, before they are matched with routes, and parts of the sandbox's own.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Endings of names that cannot be registered (RFC 2606, 6761, 6762, 8375, and `.internal` by ICANN's decision of
/// 2024).
const RESERVED: [&str; 5] = [".localhost", ".local", ".internal", ".test", ".home.arpa"];

/// Characters that a segment of a path may hold as they are (RFC 3986, "pchar").
const IN_SEGMENTS: &[u8] = b"-._~!$&'()*+,;=:@";

/// Returns a request whose path has no character percent-encoded that need not be, as in `/users/%40me`, which newer
/// clients (discord.js) send.
pub(crate) fn normalised(mut request: Request) -> Request {
    if request.uri().path().contains('%')
        && let Some(uri) = decoded(request.uri())
    {
        *request.uri_mut() = uri;
    }
    request
}

fn decoded(uri: &Uri) -> Option<Uri> {
    let mut path = String::with_capacity(uri.path().len());
    let mut rest = uri.path();
    while let Some((before, after)) = rest.split_once('%') {
        path += before;
        // A path with a percent sign that encodes nothing stays as it is.
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || IN_SEGMENTS.contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path += digits;
        }
        rest = &after[2..];
    }
    path += rest;
    if let Some(query) = uri.query() {
        path.push('?');
        path += query;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the address under which a client on this machine reaches a listener.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

/// Returns the host of an address such as `http://127.0.0.1:8787`.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Returns whether a name, in lower case, cannot be a registered one: it has no dot or a reserved ending.
pub(crate) fn is_local_name(name: &str) -> bool {
    !name.contains('.') || RESERVED.iter().any(|ending| name.ends_with(ending))
}

/// Returns whether an address is that of this machine's loopback interface or of a private network (RFC 1918 and 4193).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(of: &str) -> String {
        let request = Request::builder().uri(of).body(axum::body::Body::empty()).unwrap();
        normalised(request).uri().to_string()
    }

    #[test]
    fn only_what_need_not_be_encoded_is_decoded() {
        assert_eq!(path("/users/%40me?a=%40"), "/users/@me?a=%40");
        assert_eq!(path("/reactions/name%3A12/%40me"), "/reactions/name:12/@me");
        for same in ["/a/%F0%9F%91%8D", "/a%2Fb", "/%3F%23%25%20", "/%4", "/%", "/%zz", "/%FF", "/a?%41"] {
            assert_eq!(path(same), same);
        }
        assert_eq!(path("http://127.0.0.1:1/%75sers"), "http://127.0.0.1:1/users");
    }

    #[test]
    fn private_addresses_lead_into_no_other_network() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.9",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(inside.parse().unwrap()), "{inside}");
        }
        // Among them addresses of metadata services, which answer whoever asks.
        for outside in [
            "8.8.8.8",
            "172.32.0.1",
            "169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "100.64.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private(outside.parse().unwrap()), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn any_path_stays_the_same_path(text in "(/[a-z%0-9A-F@:]{0,6}){1,4}") {
            let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
            if let Ok(uri) = text.parse::<Uri>()
                && let Some(same) = decoded(&uri)
            {
                prop_assert_eq!(decode(same.path()), decode(uri.path()));
            }
        }
    }
}
