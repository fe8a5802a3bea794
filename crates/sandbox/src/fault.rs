//! Injected faults: rules that match requests, payloads and connections, and their effects.

mod merge;
mod rule;
mod rules;

pub(crate) use self::merge::lay_over;
pub use self::rule::{
    ConnectEffect, ConnectRule, ErrorBody, GatewayEffect, GatewayRule, LimitScope, On, RequestEffect,
    RequestRule, Rule,
};
pub use self::rules::{Faults, Place, RuleState};
pub use sandbox_net::{Connection, Listener, Strike};
pub use sandbox_voice::fault::{
    Direction, VoiceConnectEffect, VoiceConnectRule, VoiceEffect, VoicePacketRule, VoicePlace, VoiceRule,
    VoiceServerEffect, VoiceServerRule,
};
