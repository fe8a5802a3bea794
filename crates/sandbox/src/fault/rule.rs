//! A fault rule as it is written: what it matches, how often, and what it does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::snowflake::Snowflake;
use sandbox_voice::fault::{VoiceConnectRule, VoicePacketRule, VoiceRule, VoiceServerRule};

/// One fault rule.
///
/// As JSON: `{"on": {"request": {"method": "POST", "path": "/channels/*/messages", "effect": {"respond": {"status": 503}}}},
/// "skip": 2, "count": 1}`. When several rules match, the oldest that is not used up strikes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it matches and does.
    pub on: On,
    /// Matches that pass unharmed before it strikes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// Times that it strikes; absent: forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Milliseconds after which it is void; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// Milliseconds to wait before the effect. A held event holds those behind it back; a held payload of a client holds
    /// its whole connection.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Rule {
    /// Rule that strikes every match, at once, forever.
    pub fn new(on: On) -> Self {
        Self { on, skip: 0, count: None, for_ms: None, delay_ms: 0 }
    }

    /// The same rule, striking this many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// The same rule, letting this many matches pass first.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// The same rule, waiting this long before its effect.
    #[must_use]
    pub fn delayed(mut self, delay_ms: u64) -> Self {
        self.delay_ms = delay_ms;
        self
    }
}

/// Where a rule strikes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// REST requests.
    Request(RequestRule),
    /// Events about to be written to a connection.
    Dispatch(GatewayRule),
    /// Payloads that came from a client, before they are acted upon.
    Received(GatewayRule),
    /// New connections to the gateway.
    Connect(ConnectRule),
    /// Answers to bots that join voice.
    VoiceServer(VoiceServerRule),
    /// New websockets of voice servers.
    VoiceConnect(VoiceConnectRule),
    /// Payloads that came from a voice client, before they are acted upon.
    VoiceReceived(VoiceRule),
    /// UDP packets of voice.
    VoicePacket(VoicePacketRule),
}

/// Which requests, and what happens to them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestRule {
    /// Method, in any case; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path without `/api/v10` and query, in which `*` or `{name}` stands for one segment and a final `**` for any rest;
    /// absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What happens.
    pub effect: RequestEffect,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestEffect {
    /// Nothing but the rule's delay.
    #[default]
    Pass,
    /// An error instead of the handler's answer; the handler does not run.
    Respond {
        /// Status.
        status: u16,
        /// What the body looks like.
        #[serde(default)]
        body: ErrorBody,
    },
    /// A 429; the handler does not run.
    RateLimit {
        /// Seconds to wait.
        retry_after: f64,
        /// Which limit is said to be exceeded.
        #[serde(default)]
        scope: LimitScope,
    },
    /// The connection is dropped without an answer, before the handler has run.
    DropBefore,
    /// The connection is dropped without an answer, after the handler has run.
    DropAfter,
    /// The handler runs; the answer ends, and the connection with it, after this many bytes of its body.
    Truncate {
        /// Bytes that still arrive.
        bytes: usize,
    },
    /// The handler runs; its answer in JSON arrives changed by a merge patch (RFC 7396). Other answers stay as they are.
    Patch {
        /// What is laid over the answer; null takes a field away.
        merge: Value,
    },
}

/// Body of an injected error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// JSON with `message` and `code`, as Discord's own servers answer.
    #[default]
    Discord,
    /// A page of HTML, as a proxy in front of them answers.
    Html,
    /// Nothing.
    Empty,
}

/// Which limit an injected 429 speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Bucket of this bot.
    #[default]
    User,
    /// Bucket that others share.
    Shared,
    /// Global limit of this bot.
    Global,
    /// Ban of the address by the proxy: no JSON, none of Discord's headers.
    Cloudflare,
}

/// Which payloads, and what happens to their connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayRule {
    /// Name of a dispatched event; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Opcode of a received payload; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<u64>,
    /// Bot; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<Snowflake>,
    /// Session id; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Shard id; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<u32>,
    /// What happens.
    pub effect: GatewayEffect,
}

/// What happens when a payload is about to be written or acted upon.
///
/// A payload that comes changed, cut off or repeated does so on this one writing: a RESUME replays it whole, unless a rule
/// strikes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GatewayEffect {
    /// Nothing but the rule's delay.
    #[default]
    Pass,
    /// The payload is lost. For received heartbeats: they are not acknowledged.
    Ignore,
    /// The connection is dropped without a close frame; an event that was to be written waits for the RESUME.
    Sever,
    /// The connection is closed with a code; an event that was to be written waits for the RESUME.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
    /// The payload's data (`d`) comes changed by a merge patch (RFC 7396).
    Patch {
        /// What is laid over the data; null takes a field away, and anything but an object takes the place of all of it.
        merge: Value,
    },
    /// The payload ends after this many bytes, so that it is no JSON; the connection goes on.
    Truncate {
        /// Bytes that still arrive, whole characters only.
        bytes: usize,
    },
    /// The payload comes again, under the same sequence number.
    Duplicate {
        /// How many times more; once unless given.
        #[serde(default = "once")]
        extra: u32,
    },
    /// RECONNECT is sent first.
    Reconnect,
    /// INVALID_SESSION is sent, and the connection has no session any more.
    InvalidSession {
        /// Whether the session can be resumed; if not, it is gone.
        resumable: bool,
    },
}

fn once() -> u32 {
    1
}

/// What happens to new connections to the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectRule {
    /// What happens.
    pub effect: ConnectEffect,
}

/// What happens to a new connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConnectEffect {
    /// Nothing but the rule's delay, which comes before HELLO.
    #[default]
    Pass,
    /// The upgrade is refused with this status.
    Refuse {
        /// Status.
        status: u16,
    },
    /// The connection is dropped without an answer.
    Sever,
}
