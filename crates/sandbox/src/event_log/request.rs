//! The content of the line of a REST request.

use serde::Serialize;

use super::body::Body;
use crate::snowflake::Snowflake;

/// One REST request and its answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Request {
    /// Method, in capitals.
    pub method: String,
    /// Path and query, tokens redacted.
    pub path: String,
    /// Path with ids and tokens replaced by their names, as in `/channels/{channel.id}/messages`.
    pub route: String,
    /// Bot that sent it, if a handler knew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<Snowflake>,
    /// Status of the answer; absent if the client got none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Microseconds from the request to the answer's head.
    pub us: u64,
    /// Body of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Body>,
    /// Body of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Body>,
    /// Rate limit bucket, as in `X-RateLimit-Bucket`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// State of the bucket after it, as in the headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The limit that refused it: `user`, `shared` or `global`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<&'static str>,
    /// Number of the fault rule that struck it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
}

/// State of a rate limit's bucket.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RateLimit {
    /// Requests in a window.
    pub limit: u32,
    /// Requests left in this one.
    pub remaining: u32,
    /// Milliseconds until the window ends.
    pub reset_after_ms: u64,
}
