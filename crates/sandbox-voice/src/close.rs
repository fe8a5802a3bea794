//! Why a voice connection is closed (Opcodes and Status Codes, "Voice Close Event Codes").

use sandbox_net::{Close, closes};

closes! {
    /// The sandbox stops.
    pub(crate) going_away = 1001, "The voice server is going away.";
    pub(crate) unknown_opcode = 4001, "Unknown opcode.";
    pub(crate) not_authenticated = 4003, "Not authenticated.";
    pub(crate) authentication_failed = 4004, "Authentication failed.";
    pub(crate) already_authenticated = 4005, "Already authenticated.";
    pub(crate) invalid_session = 4006, "Session is no longer valid.";
    /// Another connection has taken the session over.
    pub(crate) replaced = 4006, "Session is no longer valid: another connection has it.";
    /// A resuming client missed more than is kept.
    pub(crate) forgotten = 4006, "Session is no longer valid: messages that were missed are gone.";
    pub(crate) timed_out = 4009, "Session timed out.";
    pub(crate) no_server = 4011, "Voice server not found.";
    pub(crate) unknown_protocol = 4012, "Unknown protocol: this server speaks udp.";
    /// The member is out of the channel or in another one.
    pub disconnected = 4014, "Disconnected.";
    pub(crate) unknown_mode = 4016, "Unknown encryption mode.";
    pub(crate) dave_required = 4017, "E2EE/DAVE protocol required.";
    pub(crate) invalid_ssrc = 4020, "Bad request: audio came, but no SPEAKING with its SSRC.";
    pub(crate) invalid_version = 4020, "Bad request: this server speaks versions 4 to 8, as in ?v=8.";
    pub(crate) rate_limited = 4021, "Disconnected: rate limited.";
    pub call_terminated = 4022, "Disconnected: call terminated.";
}

/// Returns a 4002 that names what could not be read.
pub(crate) fn decode(what: impl std::fmt::Display) -> Close {
    Close::new(4002, format!("Failed to decode payload: {what}"))
}

/// Returns a 4020 that names what is malformed.
pub(crate) fn bad_request(what: impl std::fmt::Display) -> Close {
    Close::new(4020, format!("Bad request: {what}"))
}

/// Returns whether a session remains for a RESUME after a connection was closed with this code.
///
/// Only "session timeout" and "voice server crashed" allow it, and codes that are not Discord's own.
pub(crate) fn resumable(code: u16) -> bool {
    !matches!(code, 1000 | 1001 | 4001..=4008 | 4010..=4014 | 4016..=4999)
}
