//! Every session there is, and the ways to reach them.

use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};

use super::{Backend, Dispatch, Intents, Options};
use crate::fault::Faults;
use crate::record::Recorder;
use crate::snowflake::Snowflake;

/// Handle to the gateway; clones reach the same sessions.
#[derive(Clone, Debug)]
pub struct Hub {
    options: Arc<Options>,
    recorder: Recorder,
    faults: Faults,
}

/// One session, as others may see it.
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
    /// Number of its connection; nothing while it waits to be resumed.
    pub conn: Option<u64>,
}

/// How many sessions a bot may still start, as in GET /gateway/bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SessionStartLimit {
    /// Starts allowed in 24 hours.
    pub total: u32,
    /// Starts left.
    pub remaining: u32,
    /// Milliseconds until all are there again.
    pub reset_after: u64,
    /// Identifies allowed each 5 seconds.
    pub max_concurrency: u32,
}

/// Which live sessions a command is for: those that fit every field that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// Bot.
    pub bot: Option<Snowflake>,
    /// Session id.
    pub session: Option<String>,
    /// Shard id.
    pub shard: Option<u32>,
}

/// Something to be done once to live sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Drops the connection without a close frame; the session can be resumed.
    Sever,
    /// Closes the connection with a code; the session can be resumed.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
    /// Sends RECONNECT and keeps the connection open.
    Reconnect,
    /// Sends INVALID_SESSION.
    InvalidSession {
        /// Whether the session can be resumed; if not, it is gone.
        resumable: bool,
    },
    /// Asks for a heartbeat at once.
    RequestHeartbeat,
}

impl Hub {
    /// Opens a gateway without sessions.
    pub fn new(options: Options, recorder: Recorder, faults: Faults) -> Self {
        Self { options: Arc::new(options), recorder, faults }
    }

    /// Websocket endpoint at `/` and at `/gateway`, in front of this backend.
    pub fn router(&self, _backend: Arc<dyn Backend>) -> Router {
        Router::new()
    }

    /// Puts an event into the buffers of every session that may see it; never waits.
    pub fn dispatch(&self, _dispatch: Dispatch) {}

    /// Gives a command to all live sessions of a target and tells how many there were.
    pub fn command(&self, _target: &Target, _command: &Command) -> usize {
        0
    }

    /// Closes all connections with a code and tells how many there were.
    pub fn close_all(&self, code: u16) -> usize {
        self.command(&Target::default(), &Command::Close { code, reason: String::new() })
    }

    /// Every session, with a connection or not.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        Vec::new()
    }

    /// How many sessions a bot may still start.
    pub fn session_start_limit(&self, _bot: Snowflake) -> SessionStartLimit {
        let total = self.options.session_starts;
        SessionStartLimit {
            total,
            remaining: total,
            reset_after: 0,
            max_concurrency: self.options.max_concurrency,
        }
    }
}
