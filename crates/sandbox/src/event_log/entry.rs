//! The content of one line of the log, for each kind of event.

use std::sync::Arc;

use sandbox_net::Closer;
use serde::Serialize;
use serde_json::Value;

use super::body::Body;
use super::delivery::Delivery;
use super::request::Request;
use crate::gateway::Intents;
use crate::snowflake::Snowflake;

/// One numbered event.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Number of this entry, counted from 1 without gaps.
    pub n: u64,
    /// Microseconds of Unix time.
    pub at_us: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// Returns this entry as one line of JSON, without the line's end.
    ///
    /// It is one line to every reader, including those with more line breaks than JSON lines (Python's
    /// `str.splitlines`): NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR are escaped.
    pub fn line(&self) -> String {
        // An entry contains strings, numbers and JSON that was valid when it was added, so this cannot fail.
        let line = serde_json::to_string(self).unwrap_or_default();
        if !line.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
            return line;
        }
        // Valid JSON contains them only in strings.
        line.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// Kind of an entry, as in its field `kind`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];
            pub(super) const COUNT: usize = Self::ALL.len();

            /// Returns the name as in the field `kind`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }

        impl Event {
            /// Returns the kind of this event.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind { .. } => Kind::$kind,)* }
            }
        }
    };
}

kinds! {
    /// A REST request was answered, or not.
    Request = "request",
    /// A request was sent to an endpoint of an application.
    Delivery = "delivery",
    /// A websocket was accepted.
    Connected = "connected",
    /// A connection was refused before it became a websocket.
    Refused = "refused",
    /// An IDENTIFY started a session.
    Identified = "identified",
    /// A RESUME continued a session.
    Resumed = "resumed",
    /// An event was written to a connection.
    Dispatch = "dispatch",
    /// Another payload was written to a connection.
    Sent = "sent",
    /// A payload came from a client.
    Received = "received",
    /// A connection ended.
    Closed = "closed",
    /// A session ended and cannot be resumed any more.
    SessionEnded = "session_ended",
    /// A websocket of a voice server was accepted.
    VoiceConnected = "voice_connected",
    /// An IDENTIFY started a voice session.
    VoiceIdentified = "voice_identified",
    /// A RESUME continued a voice session.
    VoiceResumed = "voice_resumed",
    /// A payload was written to a voice connection.
    VoiceSent = "voice_sent",
    /// A payload came from a voice client.
    VoiceReceived = "voice_received",
    /// The first packet of a voice stream was received.
    VoiceHeard = "voice_heard",
    /// A voice connection ended.
    VoiceClosed = "voice_closed",
    /// A voice session ended and cannot be resumed any more.
    VoiceEnded = "voice_ended",
    /// A fault was injected.
    Fault = "fault",
    /// A client asked for an operation of Discord's that the sandbox lacks.
    NotImplemented = "not_implemented",
    /// A valid body had a field that nothing in the sandbox reads.
    UnreadField = "unread_field",
    /// A note was added.
    Note = "note",
}

/// An event: the field `kind` of an entry, and the fields of that kind.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A REST request was answered, or not.
    Request(Box<Request>),
    /// A request was sent to an endpoint of an application.
    Delivery(Box<Delivery>),
    /// A websocket was accepted.
    Connected {
        /// Number of the connection.
        conn: u64,
        /// `json`, `zlib-stream` or `zstd-stream`.
        transport: &'static str,
    },
    /// A connection was refused before it became a websocket.
    Refused {
        /// Reason.
        reason: String,
    },
    /// An IDENTIFY started a session.
    Identified {
        /// Number of the connection.
        conn: u64,
        /// Id of the session.
        session: Arc<str>,
        /// Bot that identified.
        bot: Snowflake,
        /// Shard and number of shards.
        shard: [u32; 2],
        /// Requested and granted intents.
        intents: Intents,
        /// Whether large payloads are compressed by themselves.
        compress: bool,
    },
    /// A RESUME continued a session.
    Resumed {
        /// Number of the connection.
        conn: u64,
        /// Id of the session.
        session: Arc<str>,
        /// Bot whose session it is.
        bot: Snowflake,
        /// Last sequence number that the client had.
        seq: u64,
        /// Events that it had missed.
        replayed: u64,
    },
    /// An event was written to a connection.
    Dispatch {
        /// Number of the connection.
        conn: u64,
        /// Id of the session.
        session: Arc<str>,
        /// Sequence number.
        seq: u64,
        /// Name of the event.
        event: &'static str,
        /// Data, tokens redacted.
        data: Body,
    },
    /// Another payload was written to a connection.
    Sent {
        /// Number of the connection.
        conn: u64,
        /// Id of the session, once there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Arc<str>>,
        /// Opcode.
        op: u8,
        /// Data.
        data: Value,
    },
    /// A payload came from a client.
    Received {
        /// Number of the connection.
        conn: u64,
        /// Id of the session, once there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Arc<str>>,
        /// Opcode, if one could be read.
        op: Option<u64>,
        /// Data, tokens redacted.
        data: Body,
    },
    /// A connection ended.
    Closed {
        /// Number of the connection.
        conn: u64,
        /// Id of the session, if there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Arc<str>>,
        /// Close code, if a close frame carried one.
        code: Option<u16>,
        /// Reason in the close frame, or another description of the end.
        reason: String,
        /// The side that ended it.
        by: Closer,
    },
    /// A session ended and cannot be resumed any more.
    SessionEnded {
        /// Id of the session.
        session: Arc<str>,
        /// Bot whose session it was.
        bot: Snowflake,
        /// Reason.
        reason: &'static str,
    },
    /// A websocket of a voice server was accepted.
    VoiceConnected {
        /// Number of the voice connection.
        conn: u64,
        /// Id of the server's region.
        region: String,
        /// Version of the voice gateway, if it is supported.
        version: Option<u8>,
    },
    /// An IDENTIFY started a voice session.
    VoiceIdentified {
        /// Number of the voice connection.
        conn: u64,
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// Id of the gateway session that joined voice.
        session: String,
        /// SSRC of the user's stream.
        ssrc: u32,
        /// Highest DAVE version that the client supports; 0 for none.
        max_dave: u16,
    },
    /// A RESUME continued a voice session.
    VoiceResumed {
        /// Number of the voice connection.
        conn: u64,
        /// Guild.
        guild: Snowflake,
        /// User.
        user: Snowflake,
        /// Messages that it had missed.
        replayed: u64,
    },
    /// A payload was written to a voice connection.
    VoiceSent {
        /// Number of the voice connection.
        conn: u64,
        /// User, once they are known.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<Snowflake>,
        /// Opcode.
        op: u8,
        /// Sequence number, from version 8 on.
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u16>,
        /// Data, keys redacted; for binary frames their length.
        data: Body,
    },
    /// A payload came from a voice client.
    VoiceReceived {
        /// Number of the voice connection.
        conn: u64,
        /// User, once they are known.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<Snowflake>,
        /// Opcode, if one could be read.
        op: Option<u64>,
        /// Data, tokens redacted; for binary frames their length.
        data: Body,
    },
    /// The first packet of a voice stream was received.
    VoiceHeard {
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// SSRC.
        ssrc: u32,
    },
    /// A voice connection ended.
    VoiceClosed {
        /// Number of the voice connection.
        conn: u64,
        /// Guild, if there was a session.
        #[serde(skip_serializing_if = "Option::is_none")]
        guild: Option<Snowflake>,
        /// User, if there was a session.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<Snowflake>,
        /// Close code, if a close frame carried one.
        code: Option<u16>,
        /// Reason in the close frame, or another description of the end.
        reason: String,
        /// The side that ended it.
        by: Closer,
    },
    /// A voice session ended and cannot be resumed any more.
    VoiceEnded {
        /// Guild.
        guild: Snowflake,
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// SSRC.
        ssrc: u32,
        /// Reason.
        reason: String,
    },
    /// A fault was injected.
    Fault {
        /// Number of the rule; `None` for a command.
        rule: Option<u64>,
        /// Where it struck, such as `POST /channels/1/messages` or `connection 3`.
        place: String,
        /// Its effect, as in the rule.
        effect: Value,
    },
    /// A client asked for an operation of Discord's that the sandbox lacks, and got 501.
    NotImplemented {
        /// Name of the operation in Discord's description of its API.
        operation: &'static str,
        /// Method, in capitals.
        method: &'static str,
        /// Path below the version, with parameters in braces.
        path: &'static str,
        /// Bot that asked, if it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        bot: Option<Snowflake>,
    },
    /// A valid body had a field that nothing in the sandbox reads. Each field of a route is logged once.
    UnreadField {
        /// Method, in capitals.
        method: String,
        /// Path with ids and tokens replaced by their names.
        route: String,
        /// Path of the field in the body, such as `embeds[].colour`.
        field: String,
    },
    /// A note was added.
    Note {
        /// Text.
        text: String,
        /// Additional data.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Body>,
    },
}

impl Event {
    /// Returns the approximate bytes of this event: its bodies and texts and a constant for the rest.
    pub(super) fn weight(&self) -> usize {
        const BASE: usize = 160;
        BASE + match self {
            Self::Request(request) => {
                request.path.len()
                    + request.route.len()
                    + request.request.as_ref().map_or(0, Body::weight)
                    + request.response.as_ref().map_or(0, Body::weight)
            }
            Self::Delivery(delivery) => {
                delivery.url.len()
                    + delivery.failure.as_ref().map_or(0, String::len)
                    + delivery.request.as_ref().map_or(0, Body::weight)
                    + delivery.response.as_ref().map_or(0, Body::weight)
            }
            Self::Dispatch { data, .. }
            | Self::Received { data, .. }
            | Self::VoiceSent { data, .. }
            | Self::VoiceReceived { data, .. } => data.weight(),
            Self::UnreadField { route, field, .. } => route.len() + field.len(),
            Self::Note { text, data } => text.len() + data.as_ref().map_or(0, Body::weight),
            _ => 0,
        }
    }
}
