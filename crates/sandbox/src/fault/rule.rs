//! The format of a fault rule: what it matches, how often, and its effect.

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
    /// What it matches, and its effect.
    pub on: On,
    /// Number of matches without effect before it strikes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// How often it strikes; absent: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Milliseconds after which it expires; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// Milliseconds to wait before the effect. A held event holds back those after it; a held payload of a client holds
    /// its whole connection.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Rule {
    /// Creates a rule that strikes every match, at once, without limit.
    pub fn new(on: On) -> Self {
        Self { on, skip: 0, count: None, for_ms: None, delay_ms: 0 }
    }

    /// Sets how often it strikes.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Sets how many matches pass first.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Sets the wait before its effect.
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
    /// Events about to be written to a connection, or to be sent to an endpoint of an application.
    Dispatch(GatewayRule),
    /// Payloads received from a client, before they are handled.
    Received(GatewayRule),
    /// New connections to the gateway.
    Connect(ConnectRule),
    /// Answers to bots that join voice.
    VoiceServer(VoiceServerRule),
    /// New websockets of voice servers.
    VoiceConnect(VoiceConnectRule),
    /// Payloads received from a voice client, before they are handled.
    VoiceReceived(VoiceRule),
    /// UDP packets of voice.
    VoicePacket(VoicePacketRule),
}

/// The matched requests, and the effect on them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestRule {
    /// Method, ignoring case; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path without `/api/v10` and query, in which `*` or `{name}` matches one segment and a final `**` any rest;
    /// absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Effect.
    pub effect: RequestEffect,
}

/// The effect on a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestEffect {
    /// Only the rule's delay.
    #[default]
    Pass,
    /// An error instead of the handler's answer; the handler does not run.
    Respond {
        /// Status.
        status: u16,
        /// Form of the body.
        #[serde(default)]
        body: ErrorBody,
    },
    /// A 429; the handler does not run.
    RateLimit {
        /// Seconds to wait.
        retry_after: f64,
        /// The limit that the answer names.
        #[serde(default)]
        scope: LimitScope,
    },
    /// The connection is dropped without an answer, before the handler has run.
    DropBefore,
    /// The connection is dropped without an answer, after the handler has run.
    DropAfter,
    /// The handler runs. The answer ends after this many bytes of its body, and the connection with it.
    Truncate {
        /// Bytes that still arrive.
        bytes: usize,
    },
    /// The handler runs. Its answer in JSON is changed by a merge patch (RFC 7396). Other answers stay as they are.
    Patch {
        /// Merge patch of the answer. Null removes a field.
        merge: Value,
    },
}

/// Body of an injected error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// JSON with `message` and `code`, in the form of Discord's own servers.
    #[default]
    Discord,
    /// A page of HTML, in the form of a proxy in front of them.
    Html,
    /// Nothing.
    Empty,
}

/// The limit that an injected 429 names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Bucket of this bot.
    #[default]
    User,
    /// Bucket shared with others.
    Shared,
    /// Global limit of this bot.
    Global,
    /// Ban of the address by the proxy: no JSON, none of Discord's headers.
    Cloudflare,
}

/// The matched payloads, and the effect on their connection.
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
    /// Effect.
    pub effect: GatewayEffect,
}

/// The effect on a payload that is about to be written or handled.
///
/// A change, a truncation or a repetition applies to this one write only: a RESUME replays the whole payload, unless a
/// rule strikes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GatewayEffect {
    /// Only the rule's delay.
    #[default]
    Pass,
    /// The payload is lost. A received heartbeat is not acknowledged.
    Ignore,
    /// The connection is dropped without a close frame. An event that was to be written waits for the RESUME.
    Sever,
    /// The connection is closed with a code. An event that was to be written waits for the RESUME.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
    /// The payload's data (`d`) is changed by a merge patch (RFC 7396).
    Patch {
        /// Merge patch of the data. Null removes a field, and anything but an object replaces all of it.
        merge: Value,
    },
    /// The payload ends after this many bytes, so that it is no JSON. The connection continues.
    Truncate {
        /// Bytes that still arrive, whole characters only.
        bytes: usize,
    },
    /// The payload is sent again, with the same sequence number.
    Duplicate {
        /// Number of repetitions. The default is one.
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

impl GatewayEffect {
    /// Returns whether it applies to requests to endpoints of applications too.
    pub(super) fn is_for_deliveries(&self) -> bool {
        !matches!(self, Self::Close { .. } | Self::Reconnect | Self::InvalidSession { .. })
    }
}

fn once() -> u32 {
    1
}

/// The effect on new connections to the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectRule {
    /// Effect.
    pub effect: ConnectEffect,
}

/// The effect on a new connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConnectEffect {
    /// Only the rule's delay, before HELLO.
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
