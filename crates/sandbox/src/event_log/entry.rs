//! The content of one line of the log, for each kind of event.

use std::borrow::Cow;
use std::sync::Arc;

use sandbox_net::Closer;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

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

/// Deepest nesting of a body in an entry. `serde_json` and others read 127 levels. An entry and a page of entries add
/// some around a body, and a program that embeds a page needs some as well.
pub(super) const DEEPEST: usize = 100;

/// Valid JSON text on one line, shared instead of copied.
#[derive(Clone, Debug)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Creates it from a text, if that is JSON. In a text of several lines, the white space between values is removed.
    pub fn parse(text: String) -> Option<Self> {
        let mut raw = RawValue::from_string(text).ok()?;
        if raw.get().contains(['\n', '\r']) {
            raw = RawValue::from_string(compact(raw.get())).ok()?;
        }
        Some(Self(raw.into()))
    }

    /// Returns the text of this value.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Returns whether readers of an entry can be expected to read this JSON in it.
    pub(super) fn is_shallow(&self) -> bool {
        nesting(self.get()) <= DEEPEST
    }

    /// Parses this text into a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.get()).unwrap_or_default()
    }
}

/// Returns how deep arrays and objects of valid JSON are nested; 0 for a plain value.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (character, _) in characters(json).filter(|(_, in_string)| !in_string) {
        match character {
            '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Returns valid JSON without the white space between its values. Numbers and strings stay as they are.
fn compact(json: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    characters(json).filter(|(c, in_string)| *in_string || !is_space(*c)).map(|(c, _)| c).collect()
}

/// Returns the characters of valid JSON, each with whether it is part of a string.
fn characters(json: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut in_string, mut escaped) = (false, false);
    json.chars().map(move |c| {
        let was_in_string = in_string;
        if in_string {
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else {
            in_string = c == '"';
        }
        (c, was_in_string || in_string)
    })
}

impl From<Arc<RawValue>> for Json {
    /// Converts JSON that was written without white space.
    fn from(raw: Arc<RawValue>) -> Self {
        Self(raw)
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        // A `Value` can always be serialised, so `null` is never used.
        let raw = serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self(raw.into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (*self.0).serialize(serializer)
    }
}

/// A recorded body of a request or response.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON, tokens redacted.
    Json(Json),
    /// Another type, or too long: only its type and length.
    Omitted {
        /// Content type as sent.
        content_type: Cow<'static, str>,
        /// Length in bytes, if it was known.
        bytes: Option<u64>,
    },
}

impl Body {
    /// Returns the JSON of this body, if it was recorded.
    pub fn json(&self) -> Option<Value> {
        match self {
            Self::Json(json) => Some(json.value()),
            Self::Omitted { .. } => None,
        }
    }

    /// Returns a body with only its type and its length in bytes.
    pub(crate) fn omitted(content_type: Option<&str>, bytes: usize) -> Self {
        let content_type = content_type.unwrap_or("unknown").to_owned().into();
        Self::Omitted { content_type, bytes: Some(bytes as u64) }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Json(json) => json.get().len(),
            Self::Omitted { content_type, .. } => content_type.len(),
        }
    }
}

impl From<Json> for Body {
    /// Converts JSON: as it is, or to its length if it is nested so deep that readers of an entry would refuse it.
    fn from(json: Json) -> Self {
        if json.is_shallow() {
            return Self::Json(json);
        }
        Self::omitted(Some("application/json"), json.get().len())
    }
}

impl Serialize for Body {
    /// Serialises JSON as it is, and others as `{"omitted": content type, "bytes": length}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(json) => json.serialize(serializer),
            Self::Omitted { content_type, bytes } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("omitted", content_type)?;
                map.serialize_entry("bytes", bytes)?;
                map.end()
            }
        }
    }
}

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
    /// The limit that refused it: `user`, `shared` or `global`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<&'static str>,
    /// Number of the fault rule that struck it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
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
    /// A note was added.
    Note = "note",
}

/// An event: the field `kind` of an entry, and the fields of that kind.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A REST request was answered, or not.
    Request(Box<Request>),
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
            Self::Dispatch { data, .. }
            | Self::Received { data, .. }
            | Self::VoiceSent { data, .. }
            | Self::VoiceReceived { data, .. } => data.weight(),
            Self::Note { text, data } => text.len() + data.as_ref().map_or(0, Body::weight),
            _ => 0,
        }
    }
}
