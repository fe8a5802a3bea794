//! Surroundings of the voice servers: log and injected faults.

use std::sync::Arc;

use discord_rules::snowflake::Snowflake;
use sandbox_net::{Closer, Strike};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::fault::{Direction, VoiceConnectEffect, VoiceEffect, VoicePlace};

/// Surroundings of the voice servers.
///
/// Its methods are called from connections, calls and the audio threads, some with a lock of voice held; they must not
/// call back.
pub trait Host: Send + Sync + 'static {
    /// Logs an event.
    fn log(&self, event: Event);

    /// Returns the mark that stands for a secret in the log.
    fn mark(&self, secret: &str) -> String;

    /// Returns the rule that matches a new websocket.
    fn on_connect(&self) -> Option<Strike<VoiceConnectEffect>>;

    /// Returns the rule that matches a payload of a client.
    fn on_received(&self, place: VoicePlace) -> Option<Strike<VoiceEffect>>;

    /// Returns the rule by which a UDP packet is lost.
    fn on_packet(&self, direction: Direction, place: VoicePlace) -> Option<Strike<()>>;
}

/// Something that happened on a voice server.
#[derive(Clone, Debug)]
pub enum Event {
    /// A websocket was accepted.
    Connected {
        /// Number of the connection.
        conn: u64,
        /// Id of the server's region.
        region: String,
        /// Version of the voice gateway, if it is a supported one.
        version: Option<u8>,
    },
    /// An IDENTIFY started a session.
    Identified {
        /// Number of the connection.
        conn: u64,
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// Id of the gateway session that joined voice.
        session: String,
        /// SSRC of what the user will send.
        ssrc: u32,
        /// Highest DAVE version that the client supports; 0 for none.
        max_dave: u16,
    },
    /// A RESUME continued a session.
    Resumed {
        /// Number of the connection.
        conn: u64,
        /// Guild.
        guild: Snowflake,
        /// User.
        user: Snowflake,
        /// Messages that it had missed.
        replayed: u64,
    },
    /// A payload was written.
    Sent {
        /// Number of the connection.
        conn: u64,
        /// User, once they are known.
        user: Option<Snowflake>,
        /// Opcode.
        op: u8,
        /// Sequence number, from version 8 on.
        seq: Option<u16>,
        /// Data, without keys.
        data: Data,
    },
    /// A payload was received.
    Received {
        /// Number of the connection.
        conn: u64,
        /// User, once they are known.
        user: Option<Snowflake>,
        /// Opcode, if one could be read.
        op: Option<u64>,
        /// Data as it came, which may hold tokens.
        data: Data,
    },
    /// The first packet of a stream was heard.
    Heard {
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// SSRC.
        ssrc: u32,
    },
    /// A connection ended.
    Closed {
        /// Number of the connection.
        conn: u64,
        /// Guild, if there was a session.
        guild: Option<Snowflake>,
        /// User, if there was a session.
        user: Option<Snowflake>,
        /// Close code, if a close frame carried one.
        code: Option<u16>,
        /// Reason in the close frame, or what is known about the end.
        reason: String,
        /// Who ended it.
        by: Closer,
    },
    /// A session ended and cannot be resumed any more.
    Ended {
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// SSRC.
        ssrc: u32,
        /// Why it ended.
        reason: String,
    },
    /// A fault was injected.
    Fault {
        /// Number of the rule; `None` for a command that was given once.
        rule: Option<u64>,
        /// Where it was injected.
        place: String,
        /// What it did, as in the rule.
        effect: Value,
    },
}

/// Data of a payload, for the log.
#[derive(Clone, Debug)]
pub enum Data {
    /// JSON.
    Json(Arc<RawValue>),
    /// Something else: only its kind and length.
    Omitted {
        /// Its kind.
        what: &'static str,
        /// Length in bytes.
        bytes: usize,
    },
}

impl From<&Value> for Data {
    fn from(value: &Value) -> Self {
        // A `Value` always serialises; `null` covers the case that cannot happen.
        Self::Json(to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()).into())
    }
}
