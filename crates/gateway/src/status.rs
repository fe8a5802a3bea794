//! What the gateway reports about itself, and the sessions that it can begin with.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The gateway's status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// All shards that were started, by id.
    pub shards: Vec<ShardStatus>,
}

/// One shard's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardStatus {
    /// Shard id.
    pub id: u32,
    /// Number of shards.
    pub shards: u32,
    /// Whether the session with Discord is open.
    pub connected: bool,
    /// Whether a host is connected.
    pub host: bool,
    /// Guilds whose contents are known.
    pub guilds: usize,
    /// Size of the guilds' JSON in bytes.
    pub bytes: usize,
    /// Events that no host was sent yet.
    pub held: usize,
    /// Size of these events in bytes.
    pub held_bytes: usize,
    /// Interactions that a host was sent and has not answered, if hosts report what they answer.
    pub unanswered: usize,
    /// Size of the events that a host can have replayed, in bytes.
    pub replay_bytes: usize,
    /// The session with Discord, once there is one.
    pub session: Option<SessionId>,
}

/// What Discord needs to resume a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionId {
    /// Id of the session.
    pub id: String,
    /// Sequence of the last event.
    pub sequence: u64,
    /// Address for the RESUME.
    pub resume_url: String,
}

/// A session with Discord, with the state that belongs to its sequence. A gateway that starts with it resumes the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredSession {
    /// Shard id and number of shards.
    pub shard: (u32, u32),
    /// The intents it was identified with.
    pub intents: u64,
    /// What Discord needs.
    pub session: SessionId,
    /// Data of its READY.
    pub ready: Box<RawValue>,
    /// The guilds as GUILD_CREATE describes them.
    pub guilds: Vec<Box<RawValue>>,
    /// Guilds without known contents.
    pub unavailable: Vec<u64>,
}
