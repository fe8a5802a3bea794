//! Why the server closes a connection.

use crate::ws::Ending;

/// Longest reason in bytes that a close frame holds: a control frame without its code (RFC 6455, section 5.5).
const LONGEST_REASON: usize = 123;

/// Reason to close a connection with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Close {
    /// Close code.
    pub code: u16,
    /// Reason for the close frame.
    pub reason: String,
}

impl Close {
    /// Creates a close, whose reason is shortened to what a close frame holds.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
        Self { code, reason }
    }
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Defines one function for each way in which a gateway closes connections, which returns its [`Close`].
///
/// ```
/// sandbox_net::closes! {
///     /// The server stops.
///     pub(crate) going_away = 1001, "The server is going away.";
/// }
/// assert_eq!(going_away().code, 1001);
/// ```
#[macro_export]
macro_rules! closes {
    ($($(#[doc = $doc:literal])* $visibility:vis $name:ident = $code:literal, $reason:literal;)*) => {$(
        #[doc = concat!("Returns close code ", stringify!($code), ": ", $reason)]
        #[doc = ""]
        $(#[doc = $doc])*
        $visibility fn $name() -> $crate::Close {
            $crate::Close::new($code, $reason)
        }
    )*};
}

#[cfg(test)]
mod tests {
    use super::Close;

    #[test]
    fn a_reason_is_cut_between_characters_to_what_a_close_frame_holds() {
        assert_eq!(Close::new(4000, "a".repeat(123)).reason.len(), 123);
        assert_eq!(Close::new(4000, "a".repeat(124)).reason, "a".repeat(123));
        // The 62nd character would end at byte 124.
        assert_eq!(Close::new(4000, "é".repeat(70)).reason, "é".repeat(61));
    }
}
