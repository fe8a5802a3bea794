//! Information about sessions.

use std::sync::Arc;

use serde::Serialize;

use super::Intents;
use crate::snowflake::Snowflake;

/// Information about one session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionInfo {
    /// Session id, as in READY.
    pub id: Arc<str>,
    /// Bot whose session it is.
    pub bot: Snowflake,
    /// Shard and number of shards.
    pub shard: [u32; 2],
    /// Intents it identified with.
    pub intents: Intents,
    /// Sequence number of its newest event.
    pub seq: u64,
    /// Number of its connection; `None` while it waits to be resumed.
    pub conn: Option<u64>,
}

/// How many sessions a bot may still start, as in GET /gateway/bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SessionStartLimit {
    /// Starts allowed in 24 hours.
    pub total: u32,
    /// Starts left.
    pub remaining: u32,
    /// Milliseconds until all are available again.
    pub reset_after: u64,
    /// Identifies allowed each 5 seconds.
    pub max_concurrency: u32,
}
