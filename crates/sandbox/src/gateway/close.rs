//! Why a gateway connection is closed (Opcodes and Status Codes, "Gateway Close Event Codes").

use sandbox_net::{Close, closes};

closes! {
    /// The client's session had more events than are kept for it.
    pub(super) behind = 4000, "Events were lost because they were not read in time.";
    pub(super) replaced = 4000, "The session was resumed on another connection.";
    pub(super) unknown_opcode = 4001, "Unknown opcode.";
    pub(super) too_long = 4002, "Error while decoding payload: it is longer than 4096 bytes.";
    pub(super) not_authenticated = 4003, "Not authenticated.";
    pub(super) authentication_failed = 4004, "Authentication failed.";
    pub(super) already_authenticated = 4005, "Already authenticated.";
    pub(super) invalid_seq = 4007, "Invalid seq.";
    pub(super) rate_limited = 4008, "Rate limited.";
    pub(super) timed_out = 4009, "Session timed out.";
    pub(super) invalid_shard = 4010, "Invalid shard.";
    pub(super) sharding_required = 4011, "Sharding required.";
    pub(super) invalid_version = 4012, "Invalid API version: this gateway speaks versions 9 and 10.";
    pub(super) invalid_intents = 4013, "Invalid intent(s).";
    pub(super) disallowed_intents = 4014, "Disallowed intent(s).";
}

/// Returns a 4002 that names what could not be read.
pub(super) fn decode(what: impl std::fmt::Display) -> Close {
    Close::new(4002, format!("Error while decoding payload: {what}"))
}
