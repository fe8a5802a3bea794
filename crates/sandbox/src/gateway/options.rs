//! Options of the gateway.

use std::time::Duration;

/// Options of the gateway. The defaults are Discord's, except for the limit of identifying.
#[derive(Clone, Debug)]
pub struct Options {
    /// Interval between heartbeats that HELLO asks for.
    pub heartbeat_interval: Duration,
    /// Time from the answer to the websocket's upgrade to HELLO, which then comes in a segment of its own.
    pub hello_after: Duration,
    /// Time from a heartbeat to its acknowledgement, which replaces the round trip to Discord. At zero the
    /// acknowledgement would arrive before libraries that measure from the end of sending (discord.py) have recorded
    /// the time.
    pub heartbeat_latency: Duration,
    /// How long a session without a connection can still be resumed.
    pub resume_window: Duration,
    /// Most events that a session keeps for a replay.
    pub replay_events: usize,
    /// Most bytes of events that a session keeps for a replay.
    pub replay_bytes: usize,
    /// Address of the gateway for GET /gateway and, unless `resume_url` is set, READY; if not set, the one the client
    /// connected to. [`Builder::public_url`](crate::Builder::public_url) sets it.
    pub public_url: Option<String>,
    /// Number of shards that GET /gateway/bot recommends.
    pub shards: u32,
    /// Address for READY's `resume_gateway_url`; if not set, the one the client connected to.
    pub resume_url: Option<String>,
    /// Payloads that a connection may send in 60 seconds before it is closed with 4008; `None`: no limit.
    pub payloads_per_minute: Option<usize>,
    /// Whether IDENTIFY is limited as by Discord: `max_concurrency` each 5 seconds (else INVALID_SESSION), and
    /// `session_starts` a day (else 4004). Off by default, so that tests need not wait. Starts are still counted, but
    /// GET /gateway/bot never reports fewer than half of them.
    pub limit_identify: bool,
    /// Identifies allowed each 5 seconds, one for each value of the shard id modulo this number.
    pub max_concurrency: u32,
    /// Sessions that a bot may start in 24 hours.
    pub session_starts: u32,
    /// Time between two requests for the whole member list of one guild (else RATE_LIMITED); `None`: no limit.
    pub member_list_every: Option<Duration>,
    /// Most guilds of one shard. With more, the connection is closed with 4011.
    pub guilds_per_shard: usize,
    /// Size in bytes from which a payload is compressed by itself for a client that identified with `compress`.
    pub compress_from: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(41_250),
            hello_after: Duration::from_millis(20),
            heartbeat_latency: Duration::from_millis(20),
            resume_window: Duration::from_mins(3),
            replay_events: 16_384,
            replay_bytes: 32 << 20,
            public_url: None,
            shards: 1,
            resume_url: None,
            payloads_per_minute: Some(120),
            limit_identify: false,
            max_concurrency: 1,
            session_starts: 1000,
            member_list_every: Some(Duration::from_secs(30)),
            guilds_per_shard: 2500,
            compress_from: 8 << 10,
        }
    }
}
