//! Why a voice connection is closed (Opcodes and Status Codes, "Voice Close Event Codes").

/// Reason to close a connection with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Close code.
    pub code: u16,
    /// Reason for the close frame.
    pub reason: String,
}

macro_rules! closes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        impl Close {
            $($(#[$doc])* #[doc = concat!("Returns close code ", stringify!($code), ".")] pub fn $name() -> Self {
                Self { code: $code, reason: $reason.to_owned() }
            })*
        }
    };
}

closes! {
    /// The sandbox stops.
    ///
    going_away = 1001, "The voice server is going away.";
    unknown_opcode = 4001, "Unknown opcode.";
    not_authenticated = 4003, "Not authenticated.";
    authentication_failed = 4004, "Authentication failed.";
    already_authenticated = 4005, "Already authenticated.";
    invalid_session = 4006, "Session is no longer valid.";
    /// Another connection has taken the session over.
    ///
    replaced = 4006, "Session is no longer valid: another connection has it.";
    /// A resuming client missed more than is kept.
    ///
    forgotten = 4006, "Session is no longer valid: messages that were missed are gone.";
    timed_out = 4009, "Session timed out.";
    no_server = 4011, "Voice server not found.";
    unknown_protocol = 4012, "Unknown protocol: this server speaks udp.";
    /// The member is out of the channel or in another one.
    ///
    disconnected = 4014, "Disconnected.";
    unknown_mode = 4016, "Unknown encryption mode.";
    dave_required = 4017, "E2EE/DAVE protocol required.";
    invalid_ssrc = 4020, "Bad request: audio came, but no SPEAKING with its SSRC.";
    invalid_version = 4020, "Bad request: this server speaks versions 4 to 8, as in ?v=8.";
    rate_limited = 4021, "Disconnected: rate limited.";
    call_terminated = 4022, "Disconnected: call terminated.";
}

impl Close {
    /// Creates a 4002 whose reason names what could not be read.
    pub(crate) fn decode(what: impl std::fmt::Display) -> Self {
        Self { code: 4002, reason: short(format!("Failed to decode payload: {what}")) }
    }

    /// Creates a 4020 whose reason names what is malformed.
    pub(crate) fn bad_request(what: impl std::fmt::Display) -> Self {
        Self { code: 4020, reason: short(format!("Bad request: {what}")) }
    }
}

/// Shortens a reason to the 123 bytes that a close frame holds (RFC 6455, section 5.5).
fn short(mut reason: String) -> String {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.truncate(end);
    reason
}

/// Returns whether a session remains for a RESUME after a connection was closed with this code.
///
/// Only "session timeout" and "voice server crashed" allow it, and codes that are not Discord's own.
pub(crate) fn resumable(code: u16) -> bool {
    !matches!(code, 1000 | 1001 | 4001..=4008 | 4010..=4014 | 4016..=4999)
}
