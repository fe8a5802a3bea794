//! Rules of voice: VOICE_SERVER_UPDATE, the voice websocket, and UDP.

use discord_rules::snowflake::Snowflake;
use serde::{Deserialize, Serialize};

/// Which answers to a bot that joins voice match, and what happens to them. A rule's delay has no meaning here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceServerRule {
    /// Guild; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild: Option<Snowflake>,
    /// Bot; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Snowflake>,
    /// Effect.
    pub effect: VoiceServerEffect,
}

/// Effect on a VOICE_SERVER_UPDATE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VoiceServerEffect {
    /// It never comes.
    #[default]
    Withhold,
    /// It names no endpoint: "the voice server allocated has gone away", and no other one follows.
    NullEndpoint,
}

/// Which new websockets of a voice server match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceConnectRule {
    /// Effect.
    pub effect: VoiceConnectEffect,
}

/// Effect on a new websocket of a voice server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VoiceConnectEffect {
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
    /// The websocket opens, and nothing is ever sent.
    Stall,
}

/// Which payloads of voice clients match, before they are handled.
///
/// A server that ignores opcode 0 never sends READY; one that ignores opcode 1 never sends SESSION DESCRIPTION; one
/// that ignores opcode 3 acknowledges no heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceRule {
    /// Opcode; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<u64>,
    /// Guild, once it is known; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild: Option<Snowflake>,
    /// User, once they are known; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Snowflake>,
    /// Effect.
    pub effect: VoiceEffect,
}

/// Effect on a payload of a voice client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VoiceEffect {
    /// Nothing but the rule's delay.
    #[default]
    Pass,
    /// The payload is lost.
    Ignore,
    /// The connection is dropped without a close frame; the session can be resumed.
    Sever,
    /// The connection is closed with a code; after 4009 and 4015 the session can be resumed.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
}

/// Which UDP packets are lost. A rule's delay has no meaning here; the log records only its first loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoicePacketRule {
    /// Direction of the packets; both if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Guild; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild: Option<Snowflake>,
    /// User whose client sends or receives them; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Snowflake>,
    /// Percentage of packets lost, at random; 100 is a dead socket, which answers no IP discovery either.
    pub percent: f64,
}

impl Default for VoicePacketRule {
    fn default() -> Self {
        Self { direction: None, guild: None, user: None, percent: 100.0 }
    }
}

/// Direction of a UDP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a client.
    Received,
    /// To a client.
    Sent,
}

/// Where in voice something happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct VoicePlace {
    /// Opcode that was received.
    pub op: Option<u64>,
    /// Guild, once it is known.
    pub guild: Option<Snowflake>,
    /// User, once they are known.
    pub user: Option<Snowflake>,
}

impl VoicePlace {
    /// Returns whether it is in this guild and of this user, where they are given.
    fn is_of(self, guild: Option<Snowflake>, user: Option<Snowflake>) -> bool {
        guild.is_none_or(|guild| self.guild == Some(guild)) && user.is_none_or(|user| self.user == Some(user))
    }
}

impl VoiceServerRule {
    /// Returns whether this place matches.
    pub fn fits(&self, place: VoicePlace) -> bool {
        place.is_of(self.guild, self.user)
    }
}

impl VoiceRule {
    /// Returns whether this place matches.
    pub fn fits(&self, place: VoicePlace) -> bool {
        place.is_of(self.guild, self.user) && self.op.is_none_or(|op| place.op == Some(op))
    }
}

impl VoicePacketRule {
    /// Returns whether this packet is lost.
    pub fn hits(&self, way: Direction, place: VoicePlace) -> bool {
        place.is_of(self.guild, self.user)
            && self.direction.is_none_or(|direction| direction == way)
            && rand::random_range(0.0..100.0) < self.percent
    }
}
