//! Rate limits in Discord's responses.

use std::time::Duration;

use hyper::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

/// The state of a bucket after a request. Source: "Header Format" of "Rate Limits" in Discord's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Name of the bucket, which several routes may share. It does not include ids of top-level resources.
    pub(crate) bucket: String,
    /// Requests in a window.
    pub(crate) limit: u32,
    /// Requests left in this window.
    pub(crate) remaining: u32,
    /// Time until the window is over.
    pub(crate) reset_after: Duration,
}

impl Standing {
    /// Reads a response's headers; `None` if the route has no limit, or if headers are missing.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        Some(Self {
            bucket: text(headers, "x-ratelimit-bucket")?.to_owned(),
            limit: text(headers, "x-ratelimit-limit")?.parse().ok()?,
            remaining: text(headers, "x-ratelimit-remaining")?.parse().ok()?,
            reset_after: seconds(text(headers, "x-ratelimit-reset-after")?)?,
        })
    }
}

/// What a 429 applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The bot, on this route.
    User,
    /// All users of this resource. It does not count as an invalid request.
    Shared,
    /// The bot, on all routes except those of interactions.
    Global,
    /// This machine's address, on all routes: the response comes from Cloudflare, in front of Discord.
    Address,
}

impl Scope {
    /// Returns the name for logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Global => "global",
            Self::Address => "address",
        }
    }
}

/// A 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) scope: Scope,
    /// Time after which the request may be sent again.
    pub(crate) retry_after: Duration,
    /// Whether a maximum number was reached, for which no wait helps: the day's command creations, or pins.
    pub(crate) is_quota: bool,
}

impl Exceeded {
    /// Reads a 429's headers and body.
    ///
    /// `retry_after` of the body takes precedence, because `Retry-After` has whole seconds only.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        /// Wait if the response contains none.
        const UNSAID: Duration = Duration::from_secs(1);
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let in_body =
            json["retry_after"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let in_header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(seconds);
        let is_global = headers.contains_key("x-ratelimit-global") || json["global"] == true;
        let scope = match text(headers, "x-ratelimit-scope") {
            Some("shared") => Scope::Shared,
            _ if is_global => Scope::Global,
            // Cloudflare responds with a page.
            None if !json.is_object() => Scope::Address,
            _ => Scope::User,
        };
        Self {
            scope,
            retry_after: in_body.or(in_header).unwrap_or(UNSAID),
            // Source: "JSON Error Codes" in Discord's documentation, where 30xxx are "maximum number of ... reached".
            is_quota: json["code"].as_u64().is_some_and(|code| (30_000..40_000).contains(&code)),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_bucket_is_read_from_the_documentations_example() {
        let example = [
            ("x-ratelimit-limit", "5"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1470173023"),
            ("x-ratelimit-reset-after", "1.25"),
            ("x-ratelimit-bucket", "abcd1234"),
        ];
        let standing = Standing::read(&headers(&example)).unwrap();
        let reset_after = Duration::from_millis(1250);
        assert_eq!(standing, Standing { bucket: "abcd1234".into(), limit: 5, remaining: 0, reset_after });
        assert_eq!(Standing::read(&headers(&example[..4])), None);
    }

    #[test]
    fn a_429_says_whom_it_concerns_and_for_how_long() {
        let read =
            |pairs: &[(&'static str, &str)], body: &str| Exceeded::read(&headers(pairs), body.as_bytes());
        let user = read(
            &[("retry-after", "65"), ("x-ratelimit-scope", "user")],
            r#"{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}"#,
        );
        assert_eq!((user.scope, user.retry_after), (Scope::User, Duration::from_millis(64_570)));
        let shared =
            read(&[("retry-after", "1337"), ("x-ratelimit-scope", "shared")], r#"{"retry_after": 1336.57}"#);
        assert_eq!(shared.scope, Scope::Shared);
        let global = read(&[("retry-after", "65"), ("x-ratelimit-global", "true")], r#"{"global": true}"#);
        assert_eq!((global.scope, global.retry_after), (Scope::Global, Duration::from_secs(65)));
        let address = read(&[("retry-after", "3600")], "error code: 1015");
        assert_eq!((address.scope, address.retry_after), (Scope::Address, Duration::from_hours(1)));
        assert!(read(&[], r#"{"code": 30034, "retry_after": 7200.0}"#).is_quota);
        assert!(!read(&[], r#"{"code": 20028, "retry_after": 2.0}"#).is_quota);
    }
}
