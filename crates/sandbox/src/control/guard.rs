//! Rejects web pages: a browser must not act as the sandbox's bot or user only because it can reach the loopback
//! interface.
//!
//! A page's script can send requests to 127.0.0.1 and open websockets to it, and with DNS rebinding even read the
//! answers. All three can be recognized: the first two by an `Origin` that is not ours (by the Fetch standard, browsers
//! send it with every websocket and every request that is not a GET or HEAD), requests without it by `Sec-Fetch-Site`,
//! the last by a `Host` that is a public name. Programs send neither header, or name the address that they connect to.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::address;
use crate::event_log::{Event, EventLog};
use crate::stage::Stage;

/// The guard in front of all routes of a server.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// Hosts of the configured addresses, which may be public.
    hosts: Arc<[String]>,
    log: EventLog,
}

impl Guard {
    /// Creates a guard that accepts these hosts, local names and IP addresses.
    pub(crate) fn new(hosts: impl IntoIterator<Item = impl AsRef<str>>, log: EventLog) -> Self {
        Self { hosts: hosts.into_iter().map(|host| host.as_ref().to_ascii_lowercase()).collect(), log }
    }

    /// Adds the guard in front of everything else.
    pub(crate) fn before(self, stage: Stage) -> Stage {
        stage.behind(self, check)
    }
}

/// Refuses requests from a web page of another site.
async fn check(guard: Arc<Guard>, request: Request, next: Stage) -> Response {
    let Some(why) = why_not(&guard.hosts, request.method(), request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    guard.log.push(Event::Refused { reason: why.to_owned() });
    // REST clients expect a message and a code, clients of the control API an error.
    let body = json!({ "message": why, "code": 0, "error": why });
    (StatusCode::FORBIDDEN, axum::Json(body)).into_response()
}

const PUBLIC_NAME: &str =
    "This address is only served under a local name, an IP address, or a name in --public-url or --tls-name.";
const OTHER_SITE: &str = "Pages of other sites can't use the sandbox.";

fn why_not(own: &[String], method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or("?").to_ascii_lowercase();
    let named = headers.get(HOST).map(text);
    let in_target = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
    let host = named.clone().or_else(|| in_target.clone()).unwrap_or_default();
    if [&named, &in_target].into_iter().flatten().chain([&host]).any(|host| !is_served(own, host)) {
        return Some(PUBLIC_NAME);
    }
    if method == Method::GET && is_widget(uri.path()) {
        return None;
    }
    // Several would be a page's trick or a broken proxy. All must be ours.
    if headers.get_all(ORIGIN).iter().any(|origin| !is_own(&text(origin), &host)) {
        return Some(OTHER_SITE);
    }
    let sent = |name: &str| headers.get(name).map(text);
    let elsewhere =
        sent("sec-fetch-site").is_some_and(|site| !matches!(site.as_str(), "same-origin" | "none"));
    // A user follows a link to a file. The page with the link cannot read it.
    let follows = method == Method::GET
        && uri.path().starts_with("/attachments/")
        && sent("sec-fetch-mode").as_deref() == Some("navigate")
        && sent("sec-fetch-dest").as_deref() == Some("document");
    (elsewhere && !follows).then_some(OTHER_SITE)
}

/// Returns whether a path is that of a guild's widget. It is made for pages of other sites, and is off until somebody
/// switches it on.
fn is_widget(path: &str) -> bool {
    let mut parts = path.strip_prefix("/api/").unwrap_or_default().split('/').rev();
    matches!(parts.next(), Some("widget.json" | "widget.png"))
        && parts.next().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.next() == Some("guilds")
        || path.starts_with("/widget-avatars/")
}

/// Returns whether an origin is the address that the request was sent to. Some websocket clients (Starscream) name it
/// with the scheme of websockets; no browser does.
fn is_own(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return false,
    };
    let plain = |authority: &'_ str| authority.strip_suffix(port).unwrap_or(authority).to_owned();
    !authority.is_empty() && plain(authority) == plain(host)
}

/// Returns whether a host, with or without a port, is the sandbox's own or cannot be a registered name: an IP address,
/// a name without a dot, or one with a reserved ending.
fn is_served(own: &[String], host: &str) -> bool {
    if host.starts_with('[') {
        return host.parse::<std::net::SocketAddrV6>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) {
        return false;
    }
    own.iter().any(|own| own == name)
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || address::is_local_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pairs: &[(&'static str, &str)]) -> Option<&'static str> {
        at(&Method::POST, "/api/v10/users/@me", pairs)
    }

    fn at(method: &Method, target: &str, pairs: &[(&'static str, &str)]) -> Option<&'static str> {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| {
                let name: axum::http::HeaderName = name.parse().unwrap();
                (name, value.parse().unwrap())
            })
            .collect();
        why_not(&["sandbox.example.com".to_owned()], method, &target.parse().unwrap(), &headers)
    }

    #[test]
    fn programs_and_our_own_page_are_let_in() {
        for host in [
            "127.0.0.1:8787",
            "localhost:8787",
            "LocalHost",
            "sandbox:8787",
            "[::1]:8787",
            "[::1]",
            "a.localhost",
            "host.docker.internal:8787",
            "build-7.local:8787",
            "sandbox.example.com",
            "Sandbox.Example.com:443",
        ] {
            assert_eq!(judge(&[("host", host)]), None, "{host}");
        }
        for origin in ["http://localhost:1", "ws://localhost:1", "https://LOCALHOST:1", "wss://localhost:1"] {
            assert_eq!(judge(&[("host", "localhost:1"), ("origin", origin)]), None, "{origin}");
        }
        assert_eq!(judge(&[("host", "sandbox"), ("origin", "http://sandbox:80")]), None);
        assert_eq!(judge(&[("host", "sandbox:443"), ("origin", "https://sandbox")]), None);
        // Node's own fetch and websockets.
        assert_eq!(judge(&[("host", "127.0.0.1:1"), ("sec-fetch-mode", "cors")]), None);
        // In HTTP/2 the host is in the target.
        assert_eq!(at(&Method::GET, "http://127.0.0.1:1/api", &[]), None);
    }

    #[test]
    fn other_pages_are_kept_out() {
        for pairs in [
            &[("host", "evil.example:8787")][..],
            &[],
            &[("host", "")],
            &[("host", "[evil.example]")],
            &[("host", "evil.example#.localhost")],
            &[("host", "user@127.0.0.1")],
            &[("host", "127.0.0.1.evil.example")],
            &[("host", "127.0.0.1:1"), ("origin", "https://evil.example")],
            &[("host", "127.0.0.1:1"), ("origin", "null")],
            &[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:2")],
            &[("host", "127.0.0.1:1"), ("origin", "http://localhost:1")],
            &[("host", "127.0.0.1:1"), ("origin", "chrome-extension://127.0.0.1:1")],
            &[("host", "127.0.0.1:1"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost:1"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(judge(pairs).is_some(), "{pairs:?}");
        }
        assert!(at(&Method::GET, "http://evil.example/api", &[("host", "127.0.0.1:1")]).is_some());
    }

    #[test]
    fn a_page_of_any_site_can_read_a_widget_only() {
        let page =
            [("host", "127.0.0.1:1"), ("origin", "https://blog.example"), ("sec-fetch-site", "cross-site")];
        for path in ["/api/v10/guilds/1/widget.json", "/api/guilds/1/widget.png", "/widget-avatars/1.png"] {
            assert_eq!(at(&Method::GET, path, &page), None, "{path}");
            assert!(at(&Method::POST, path, &page).is_some(), "{path}");
            assert!(at(&Method::GET, path, &[("host", "evil.example")]).is_some(), "{path}");
        }
        for path in ["/api/guilds/1/widget", "/sandbox/guilds/1/widget.json", "/api/x/widget.json"] {
            assert!(at(&Method::GET, path, &page).is_some(), "{path}");
        }
    }

    #[test]
    fn a_link_to_a_file_can_be_followed_from_anywhere() {
        let link = [
            ("host", "127.0.0.1:1"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(at(&Method::GET, "/attachments/1/2/a.png", &link), None);
        assert!(at(&Method::GET, "/api/v10/gateway", &link).is_some());
        assert!(at(&Method::POST, "/attachments/1/2/a.png", &link).is_some());
        let mut shown = link;
        shown[2] = ("sec-fetch-mode", "no-cors");
        assert!(at(&Method::GET, "/attachments/1/2/a.png", &shown).is_some());
    }
}
