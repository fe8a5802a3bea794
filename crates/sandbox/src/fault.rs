//! Injected faults: rules that match requests, payloads and connections, and what they do to them.

mod listener;
mod merge;
mod rule;
mod rules;
mod voice;

pub use self::listener::{Connection, Listener};
pub(crate) use self::merge::lay_over;
pub use self::rule::{
    ConnectEffect, ConnectRule, ErrorBody, GatewayEffect, GatewayRule, LimitScope, On, RequestEffect,
    RequestRule, Rule,
};
pub use self::rules::{Faults, Place, RuleState, Strike};
pub use self::voice::{
    Direction, VoiceConnectEffect, VoiceConnectRule, VoiceEffect, VoicePacketRule, VoicePlace, VoiceRule,
    VoiceServerEffect, VoiceServerRule,
};
