//! What of the gateway can be set.

use std::time::Duration;

/// Settings of the gateway; the defaults are Discord's, but for the limits on identifying and on
/// member lists.
#[derive(Clone, Debug)]
pub struct Options {
    /// Interval that HELLO asks clients to send heartbeats in.
    pub heartbeat_interval: Duration,
    /// Time from a heartbeat to its acknowledgement, in place of the way to Discord and back. At zero it would come
    /// before libraries that count from the end of sending (discord.py) have noted the time.
    pub heartbeat_latency: Duration,
    /// How long a session without a connection can still be resumed.
    pub resume_window: Duration,
    /// Events that a session keeps for a replay, at most.
    pub replay_events: usize,
    /// Bytes of events that a session keeps for a replay, at most.
    pub replay_bytes: usize,
    /// Address for READY's `resume_gateway_url`; if not set, the one the client connected to.
    pub resume_url: Option<String>,
    /// Payloads that a connection may send in 60 seconds before it is closed with 4008; none: any number.
    pub payloads_per_minute: Option<usize>,
    /// Whether IDENTIFY is limited as Discord does: `max_concurrency` each 5 seconds (else INVALID_SESSION), and
    /// `session_starts` a day (else 4004). Off by default, so that tests need not wait: starts are counted all the same, but
    /// GET /gateway/bot tells of no fewer than half of them.
    pub limit_identify: bool,
    /// Identifies allowed each 5 seconds, one for each shard id modulo this number.
    pub max_concurrency: u32,
    /// Sessions that a bot may start in 24 hours.
    pub session_starts: u32,
    /// Time between two requests for the whole member list of one guild (else RATE_LIMITED); Discord's is 30 seconds. Off
    /// by default, so that a bot that restarts often in a test is not held up.
    pub member_list_every: Option<Duration>,
    /// Guilds of one shard at most; more close with 4011.
    pub guilds_per_shard: usize,
    /// Size in bytes from which a payload is compressed by itself for a client that identified with `compress`.
    pub compress_from: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(41_250),
            heartbeat_latency: Duration::from_millis(20),
            resume_window: Duration::from_mins(3),
            replay_events: 16_384,
            replay_bytes: 32 << 20,
            resume_url: None,
            payloads_per_minute: Some(120),
            limit_identify: false,
            max_concurrency: 1,
            session_starts: 1000,
            member_list_every: None,
            guilds_per_shard: 2500,
            compress_from: 8 << 10,
        }
    }
}
